"""`analysis_config.json`: what a SageMaker Clarify job is told, as far as bias goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from watchkeep.formats.places import Place, copied
from watchkeep.frames.roles import Roles

DOCUMENT: Final = "analysis_config.json"


@dataclass(frozen=True, slots=True)
class AnalysisConfig:
    """What the document says of the rows.

    Args:
        roles: which column is what.
        positive: the labels that count as positive, or the number they must be above; none when it does not say.
        threshold: a score above it is a positive answer; None when it does not say.
        stratum: the column that groups are compared within; None when there is none.
        names: of all columns, in order, for rows that come without names; none when it does not say.
    """

    roles: Roles
    positive: tuple[str, ...]
    threshold: float | None
    stratum: str | None
    names: tuple[str, ...]


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> AnalysisConfig:
    """An `analysis_config.json` read and checked. What it says of explanations and of predictors is left alone.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.
        OptionError: one column is given two roles.

    >>> told = {"headers": ["income", "sex"], "label": 0, "label_values_or_threshold": [1],
    ...         "facet": [{"name_or_index": "sex", "value_or_threshold": ["F"]}]}
    >>> config = parse(told)
    >>> config.roles.label, dict(config.roles.facets), config.positive
    ('income', {'sex': ('F',)}, ('1',))
    """
    top = Place(copied(document), name)
    names = tuple(place.text() for place in top.items("headers"))
    columns = {
        key: _column(place, names)
        for key in ("label", "predicted_label", "group_variable", "joinsource_name_or_index")
        if (place := top.child(key)) is not None
    }
    threshold = top.child("probability_threshold")
    answers = columns.get("predicted_label")
    facet = top.need("facet")
    listed = facet.array() if isinstance(facet.value, list) else (facet,)
    roles = Roles(
        label=columns.get("label"),
        prediction=answers if threshold is None else None,
        score=None if threshold is None else answers,
        id=columns.get("joinsource_name_or_index"),
        facets={
            _column(one.need("name_or_index"), names): tuple(
                _value(each) for each in one.items("value_or_threshold")
            )
            for one in listed
        },
        ignored=tuple(_column(one, names) for one in top.items("excluded_columns")),
    )
    positive = top.child("label_values_or_threshold")
    values = () if positive is None else positive.array() if isinstance(positive.value, list) else (positive,)
    return AnalysisConfig(
        roles,
        tuple(_value(one) for one in values),
        None if threshold is None else threshold.number(),
        columns.get("group_variable"),
        names,
    )


def _column(place: Place, names: tuple[str, ...]) -> str:
    """A column by its name, or by its place from 0."""
    if isinstance(place.value, str):
        return place.value
    at = place.count()
    if names and at >= len(names):
        raise place.refuse(f"the place of one of the {len(names)} headers")
    return names[at] if names else f"_c{at}"


def _value(place: Place) -> str:
    """A value as a text; numbers and truth values too."""
    if isinstance(place.value, bool):
        return str(place.value).lower()
    return f"{place.number():.12g}" if isinstance(place.value, int | float) else place.text()
