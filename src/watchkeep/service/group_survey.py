"""A first look at reference rows: which groups, outcomes and answers there are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from watchkeep.core.errors import EmptySourceError, OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.classes import Classes
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.survey import MOST, FacetSurvey
from watchkeep.stats.flip_test import NEIGHBOURS

FEATURES: Final = 60
"""Features by which rows are alike, for the flip test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasOptions:
    """What a user may say of groups and outcomes; all else is told by the data.

    Args:
        positive: the labels that count as positive, or of labels that are numbers the one they must be above; none
            for the later of two.
        threshold: a score above it is a positive answer, where there is no column of answers.
        stratum: the column that groups are compared within, for conditional disparity.
        neighbours: how many the flip test asks.
        names: of all columns, in order, for rows that come without names; none to number them.

    Raises:
        OptionError: a number is out of its range.
    """

    positive: tuple[str, ...] = ()
    threshold: float = 0.5
    stratum: str | None = None
    neighbours: int = NEIGHBOURS
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise OptionError("neighbours", got=str(self.neighbours), expected="1 or more")


class GroupSurvey:
    """A first look at facets, labels, answers and strata: what they hold."""

    def __init__(self, roles: Roles, options: BiasOptions, *, sagemaker: bool) -> None:
        self._roles, self._options = roles, options
        self._weights = [0.0, 0.0]  # their sum, and how many there are
        self._facets = [
            FacetSurvey(name, values, sagemaker=sagemaker) for name, values in roles.facets.items()
        ]
        label, answer, stratum = roles.label, roles.prediction, options.stratum
        self._label = None if label is None else FacetSurvey(label, options.positive, "label", sagemaker)
        self._answer = (
            None if answer is None else FacetSurvey(answer, options.positive, "prediction", sagemaker)
        )
        self._strata = None if stratum is None else FacetSurvey(stratum, option="stratum")
        self._probability = roles.score is not None

    @property
    def columns(self) -> list[str]:
        """What is looked at."""
        own = [one.column for one in self._surveys]
        others = (self._roles.score, self._roles.weight)
        return list(dict.fromkeys([*own, *(name for name in others if name is not None)]))

    @property
    def _surveys(self) -> list[FacetSurvey]:
        others = (self._label, self._answer, self._strata)
        return [*self._facets, *(one for one in others if one is not None)]

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        batch = batch.decoded_once()
        for one in self._surveys:
            if one.column in batch.names:
                one.add(batch.column(one.column))
        score = self._roles.score
        if score is not None and score in batch.names:
            values = read_numbers(batch.column(score)).values
            self._probability &= bool(((values >= 0) & (values <= 1)).all())
        weight = self._roles.weight
        if weight is not None and weight in batch.names:
            values = read_numbers(batch.column(weight)).values
            values = values[np.isfinite(values) & (values > 0)]
            self._weights = [self._weights[0] + float(values.sum()), self._weights[1] + len(values)]

    def merge(self, *others: Self) -> Self:
        """All together."""
        for mine, *those in zip(self._surveys, *(other._surveys for other in others), strict=True):  # noqa: SLF001
            mine.merge(*those)
        for other in others:
            self._probability &= other._probability  # noqa: SLF001 (our own)
            sums = zip(self._weights, other._weights, strict=True)  # noqa: SLF001
            self._weights = [mine + more for mine, more in sums]
        return self

    def plan(self, types: Mapping[str, ColumnType], *, dialect: Dialect, source: str) -> BiasPlan:
        """How the rows are to be read.

        Raises:
            EmptySourceError: there are none.
            OptionError: a facet, a label or a value does not fit the data.
        """
        if not any(one.texts for one in self._surveys):
            raise EmptySourceError(source, why="it holds no rows with a facet, a label or a prediction")
        facets = tuple(one.facet(source=source) for one in self._facets)
        roles, options = self._roles, self._options
        prediction = self._prediction(source)
        label = self._label or self._answer
        features = _features(types, roles, options) if prediction is not None else ()
        return BiasPlan(
            roles=roles,
            facets=facets,
            label=prediction or Positive() if label is None else label.positive(source=source),
            prediction=prediction,
            probability=self._probability,
            strata=None if self._strata is None else self._strata.facet(source=source),
            features=features,
            neighbours=options.neighbours,
            weight_unit=self._unit(),
            names=tuple(types),
            dialect=dialect,
        )

    def _unit(self) -> float:
        """A power of two about as large as a weight: to divide by it changes no digit."""
        total, rows = self._weights
        return 2.0 ** round(math.log2(total / rows)) if total > 0 else 1.0

    def _prediction(self, source: str) -> Positive | None:
        if self._answer is None:
            return None if self._roles.score is None else Positive(threshold=self._options.threshold)
        if self._label is None:
            return self._answer.positive(source=source)
        found = self._label.positive(source=source)
        if found.threshold is None and not set(self._answer.texts) & set(self._label.texts):
            values = ", ".join(list(self._answer.texts.values())[:5])
            raise OptionError(
                "prediction",
                got=f"{self._answer.column} with {values or 'no values'}",
                expected=f"the values that the label {self._label.column!r} has",
                choices=list(self._label.texts.values())[:20],
            )
        if found.negatives is not None:  # an answer may be one that no label is
            known = {*found.values.names, *found.negatives.names}
            more = [one for one in Classes.among(self._answer.texts.values()).names if one not in known]
            if len(more) + len(known) <= MOST:
                found = replace(found, negatives=Classes((*found.negatives.names, *_new(more, found))))
        return found


def _new(names: list[str], among: Positive) -> list[str]:
    """Those that are of no class yet, however they are spelled."""
    known = among.negatives or Classes(())
    return [name for name in names if among.values.code(name) < 0 and known.code(name) < 0]


def _features(types: Mapping[str, ColumnType], roles: Roles, options: BiasOptions) -> tuple[str, ...]:
    """Columns of numbers that are features, facets among them: of each facet the others tell who is alike."""
    found = [
        name
        for name, kind in types.items()
        if kind.numeric and roles.of(name) in (Role.FEATURE, Role.FACET) and name != options.stratum
    ]
    return tuple(found[:FEATURES])


def require_groups(roles: Roles) -> None:
    """Check that it is said what groups and outcomes are.

    Raises:
        OptionError: it is not.
    """
    if not roles.facets:
        raise OptionError(
            "facet", got="nothing", expected="the column of a sensitive group, such as sex=Female"
        )
    if roles.label is None and roles.prediction is None and roles.score is None:
        raise OptionError(
            "label", got="nothing", expected="the column of outcomes, or --prediction, or --score"
        )
    for name in roles.facets:
        role = roles.of(name)
        if role is not Role.FACET:
            raise OptionError("facet", got=name, expected=f"another column: it is the {role} already")
