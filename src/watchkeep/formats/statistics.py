"""`statistics.json`: what was seen of each column (reference of the schema: SageMaker Model Monitor)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, Self

from watchkeep.core.undefined import Value
from watchkeep.formats.column_statistics import Bucket, Common, NumericStatistics, StringStatistics
from watchkeep.formats.kll import C, K
from watchkeep.formats.places import InferredType, Place, copied, known, unique

DOCUMENT: Final = "statistics.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What was seen of one column.

    Args:
        name: the column.
        inferred_type: what its values look like.
        common: rows with and without a value; None when the document does not say.
        numeric: for a column of numbers.
        string: for a column of texts.
        json: the object it was read from; the other fields are its reading.
    """

    name: str
    inferred_type: InferredType
    common: Common | None
    numeric: NumericStatistics | None
    string: StringStatistics | None
    json: Mapping[str, object] = field(repr=False)

    @classmethod
    def read(cls, place: Place) -> Self:
        """From one item of the array `features`."""
        numbers, texts = place.child("numerical_statistics"), place.child("string_statistics")
        return cls(
            name=place.need("name").text(),
            inferred_type=place.need("inferred_type").word(InferredType),
            common=Common.read(numbers) or Common.read(texts) or Common.read(place),
            numeric=None if numbers is None else NumericStatistics.read(numbers),
            string=None if texts is None else StringStatistics.read(texts),
            json=place.mapping(),
        )

    def document(self) -> dict[str, object]:
        """The JSON object: the one it was read from, unknown keys and all."""
        return copied(self.json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A whole `statistics.json`.

    Args:
        version: of the schema; None when the document does not say.
        item_count: rows analysed.
        features: the columns, in the document's order; empty for a model-quality document.
        json: the object it was read from; the other fields are its reading.
    """

    version: float | None
    item_count: int
    features: tuple[Feature, ...]
    json: Mapping[str, object] = field(repr=False)

    def feature(self, name: str) -> Feature | None:
        """The column of that name; None when there is none."""
        return next((feature for feature in self.features if feature.name == name), None)

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> Statistics:
    """A `statistics.json` read and checked.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> parse({"version": 0.0, "dataset": {"item_count": 3}, "features": []}).item_count
    3
    """
    top = Place(copied(document), name)
    version = top.child("version")
    places = top.items("features")
    unique(tuple(place.need("name") for place in places))
    return Statistics(
        version=None if version is None else version.number(),
        item_count=top.need("dataset").need("item_count").count(),
        features=tuple(Feature.read(place) for place in places),
        json=top.mapping(),
    )


def build(
    item_count: int,
    features: Iterable[Feature],
    *,
    dataset: Mapping[str, object] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Statistics:
    """A `statistics.json` of ours.

    Args:
        item_count: rows analysed.
        features: the columns.
        dataset: more keys for the object `dataset`, such as `evaluation_time`.
        extra: more keys for the top.

    >>> build(0, [unknown_feature("age", present=0, missing=0)]).features[0].name
    'age'
    """
    return parse(
        {
            "version": 0.0,
            "dataset": {"item_count": item_count, **(dataset or {})},
            "features": [feature.document() for feature in features],
            **(extra or {}),
        }
    )


def numeric_feature(
    name: str,
    inferred_type: InferredType,
    *,
    present: int,
    missing: int,
    mean: Value | None,
    total: Value | None,
    std: Value | None,
    minimum: Value | None,
    maximum: Value | None,
    buckets: Sequence[Bucket] = (),
    sketch_levels: Sequence[Sequence[float]] = (),
) -> Feature:
    """A column of numbers. A number that is undefined, or not finite, is left out of the document.

    Args:
        name: the column.
        inferred_type: Integral or Fractional.
        present: rows with a value.
        missing: rows without one.
        mean: of the present values, in the column's unit; so are the next four.
        total: their sum.
        std: their standard deviation, dividing by n.
        minimum: the smallest.
        maximum: the largest.
        buckets: (lower bound, upper bound, rows) each, as `kll.equal_width_buckets` gives them.
        sketch_levels: as `kll.levels` gives them.

    >>> age = numeric_feature("age", InferredType.INTEGRAL, present=2, missing=1, mean=20.0, total=40.0,
    ...                       std=2.0, minimum=18.0, maximum=22.0, sketch_levels=[[18.0, 22.0]])
    >>> age.numeric.mean, age.numeric.sketch
    (20.0, ((18.0, 22.0),))
    """
    kll: dict[str, object] = {}
    if buckets:
        kll["buckets"] = [
            {"lower_bound": float(lower), "upper_bound": float(upper), "count": float(rows)}
            for lower, upper, rows in buckets
        ]
    if sketch_levels:
        data = [[float(item) for item in level] for level in sketch_levels]
        kll["sketch"] = {"parameters": {"c": C, "k": float(K)}, "data": data}
    statistics = known(
        {
            "common": _common(present, missing),
            "mean": _number(mean),
            "sum": _number(total),
            "std_dev": _number(std),
            "min": _number(minimum),
            "max": _number(maximum),
            "distribution": {"kll": kll} if kll else None,
        }
    )
    return _feature(name, inferred_type, {"numerical_statistics": statistics})


def string_feature(
    name: str, *, present: int, missing: int, distinct: float, categories: Mapping[str, int] | None
) -> Feature:
    """A column of texts.

    Args:
        name: the column.
        present: rows with a value.
        missing: rows without one.
        distinct: how many different values, exact or about.
        categories: rows per value, written in this order; None to leave the histogram out.

    >>> color = string_feature("color", present=3, missing=0, distinct=2, categories={"red": 2, "blue": 1})
    >>> color.string.categories
    {'red': 2, 'blue': 1}
    """
    statistics: dict[str, object] = {"common": _common(present, missing), "distinct_count": float(distinct)}
    if categories is not None:
        buckets = [{"value": value, "count": int(rows)} for value, rows in categories.items()]
        statistics["distribution"] = {"categorical": {"buckets": buckets}}
    return _feature(name, InferredType.STRING, {"string_statistics": statistics})


def unknown_feature(name: str, *, present: int, missing: int) -> Feature:
    """A column without a single value whose type could be told.

    >>> unknown_feature("notes", present=0, missing=7).common
    Common(present=0, missing=7)
    """
    return _feature(name, InferredType.UNKNOWN, {"common": _common(present, missing)})


def _feature(name: str, inferred_type: InferredType, content: Mapping[str, object]) -> Feature:
    json = {"name": name, "inferred_type": str(inferred_type), **content}
    return Feature.read(Place(json, DOCUMENT, f"the feature {name!r}"))


def _common(present: int, missing: int) -> dict[str, object]:
    return {"num_present": int(present), "num_missing": int(missing)}


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, float | int) and isfinite(value) else None
