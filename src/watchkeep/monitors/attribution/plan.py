"""What a scan of attributions is to sum."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from watchkeep.core.verdicts import DATASET
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.stats.attribution_drift import Doubles

EXPLAINED: Final = 10_000
"""Rows of a window that are explained, unless somebody says otherwise: a mean over them is known to about 1 %."""
ROOM: Final = 64.0
"""What is summed is a row's contributions over so many times their usual size: sums over 1e8 rows keep their digits."""
ALL: Final = 0
"""As a number of rows to be explained: every one."""


class Aggregation(StrEnum):
    """How the attributions of rows become one number of a feature, as SageMaker Clarify names it."""

    MEAN_ABS = "mean_abs"
    MEDIAN = "median"
    MEAN_SQ = "mean_sq"


@dataclass(frozen=True, slots=True)
class Place:
    """What attributions are summed of: an output of the model, over all rows or over those of a segment.

    Args:
        label: its number.
        segment: its number; None for all rows.
    """

    label: int
    segment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttributionPlan:
    """How rows are explained, and what is summed of them.

    Args:
        roles: which column is what.
        features: the columns that the model reads, in its order.
        labels: what its outputs are called.
        units: what the attributions of each output and feature are divided by: sums then keep their digits, those of
            cubes too; a power of two each.
        segments: slices of the rows to be summed apart.
        aggregation: what the attribution of a feature is.
        explained: rows of a window that are explained at the most; `ALL` for every one.
        seed: of the choice of these rows.
        beside: other columns that rows may be told apart by: who sends them, what they are about.
        names: all the columns of the reference data, in order: what columns without names are called by position.
        model, model_kind: what was explained, for people.
        dialect: whose rules tell types apart.
    """

    roles: Roles
    features: tuple[str, ...]
    labels: tuple[str, ...]
    units: tuple[tuple[float, ...], ...]
    segments: tuple[Segment, ...] = ()
    aggregation: Aggregation = Aggregation.MEAN_ABS
    explained: int = EXPLAINED
    seed: int = 0
    beside: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    model: str = ""
    model_kind: str = ""
    dialect: Dialect = Dialect.DEFAULT

    @property
    def places(self) -> tuple[Place, ...]:
        """Every output over all rows, then over the rows of each segment."""
        segments = (None, *range(len(self.segments)))
        return tuple(Place(label, segment) for segment in segments for label in range(len(self.labels)))

    def unit(self, place: Place) -> Doubles:
        """The unit of each feature there, shape (features,)."""
        return np.array(self.units[place.label])

    def subject(self, place: Place, feature: str | None = None) -> str:
        """What verdicts call a place, or a feature there: "age", "age of label1 where region = 'EU'"."""
        told = [feature] if feature is not None else []
        if len(self.labels) > 1:
            told.append(f"of {self.labels[place.label]}" if told else self.labels[place.label])
        if place.segment is not None:
            name = self.segments[place.segment].name
            told.append(f"where {name}" if told else name)
        return " ".join(told) or DATASET

    def key(self, place: Place) -> str:
        """What a profile counts a place under."""
        segment = "" if place.segment is None else f" where {self.segments[place.segment].name}"
        return f"{self.labels[place.label]}{segment}"

    def gains(self, values: Doubles) -> Doubles:
        """What is averaged of attributions that are in units: their sizes, or their squares; of the same shape."""
        gains: Doubles = values**2 * ROOM if self.aggregation is Aggregation.MEAN_SQ else np.abs(values)
        return gains

    def gain_unit(self, place: Place) -> Doubles:
        """The unit of gains there, shape (features,)."""
        unit = self.unit(place)
        gain_unit: Doubles = unit**2 / ROOM if self.aggregation is Aggregation.MEAN_SQ else unit
        return gain_unit
