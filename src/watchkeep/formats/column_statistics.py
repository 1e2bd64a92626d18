"""What `statistics.json` says of the values of one column: numbers or texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

from watchkeep.formats.places import Place

Bucket: TypeAlias = tuple[float, float, float]
"""Lower bound, upper bound, rows."""


class Common(NamedTuple):
    """How many rows of a column held a value, and how many did not."""

    present: int
    missing: int

    @classmethod
    def read(cls, place: Place | None) -> Self | None:
        """From the object `common`; None when it is absent."""
        common = None if place is None else place.child("common")
        if common is None:
            return None
        return cls(common.need("num_present").count(), common.need("num_missing").count())


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericStatistics:
    """What was seen of a column of numbers. A number that the document lacks or calls "NaN" is None.

    Args:
        common: rows with and without a value.
        mean, total, std, minimum, maximum: of the present values, in the column's unit; `std` divides by n.
        buckets: the histogram.
        sketch: the levels of the KLL sketch, level 0 first; an item on level i weighs 2^i rows.
    """

    common: Common | None
    mean: float | None
    total: float | None
    std: float | None
    minimum: float | None
    maximum: float | None
    buckets: tuple[Bucket, ...]
    sketch: tuple[tuple[float, ...], ...]

    @classmethod
    def read(cls, place: Place) -> Self:
        """From the object `numerical_statistics`."""

        def number(key: str) -> float | None:
            child = place.child(key)
            return None if child is None else child.maybe_number()

        kll = _inside(place, "distribution", "kll")
        data = _inside(kll, "sketch", "data")
        return cls(
            common=Common.read(place),
            mean=number("mean"),
            total=number("sum"),
            std=number("std_dev"),
            minimum=number("min"),
            maximum=number("max"),
            buckets=() if kll is None else tuple(_bucket(item) for item in kll.items("buckets")),
            sketch=() if data is None else tuple(level.numbers() for level in data.array()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StringStatistics:
    """What was seen of a column of texts.

    Args:
        common: rows with and without a value.
        distinct: about how many different values; None when the document does not say.
        categories: rows per value; None for a column of too many values.
    """

    common: Common | None
    distinct: float | None
    categories: Mapping[str, int] | None

    @classmethod
    def read(cls, place: Place) -> Self:
        """From the object `string_statistics`."""
        distinct = place.child("distinct_count")
        categorical = _inside(place, "distribution", "categorical")
        return cls(
            common=Common.read(place),
            distinct=None if distinct is None else distinct.maybe_number(),
            categories=None if categorical is None else _categories(categorical.items("buckets")),
        )


def _bucket(place: Place) -> Bucket:
    lower, upper = place.need("lower_bound").number(), place.need("upper_bound").number()
    return lower, upper, place.need("count").number(0)


def _inside(place: Place | None, *keys: str) -> Place | None:
    for key in keys:
        place = None if place is None else place.child(key)
    return place


def _categories(buckets: tuple[Place, ...]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for bucket in buckets:
        value = bucket.need("value").text()
        rows[value] = rows.get(value, 0) + bucket.need("count").count()
    return rows
