"""What a watch listens to: something that sums over windows and says how unlikely a sum is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Change(StrEnum):
    """What a chance is about."""

    LOCATION = "location"
    SPREAD = "spread"
    SHAPE = "shape"
    CATEGORY = "category"
    MISSING = "missing"
    OUTSIDE = "outside"
    FAR = "far"
    STRANGE = "strange"
    RELATION = "relation"
    MEAN = "mean"
    GAP = "gap"
    SIZE = "size"
    WEIGHT = "weight"


@dataclass(frozen=True, eq=False)
class Chances:
    """Chances of one kind of change, of several segments.

    Args:
        change: what they are about.
        subjects: the subject of each, shape (k,).
        weights: the share of a subject's evidence each stands for, shape (k,); a subject's sum to at most 1.
        logs: logarithms of the chances, shape (segments, k); 0 where nothing can be said.
    """

    change: Change
    subjects: Places
    weights: Reals
    logs: Reals


class Witness(Protocol):
    """Sums of windows, compared.

    What it keeps of a window is an array of sums, so that windows add up; `baseline` is that of the baseline.
    """

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it speaks of."""
        ...

    @property
    def baseline(self) -> Reals:
        """The baseline's sums, shape (sums,)."""
        ...

    def chances(self, segments: Reals, references: Reals, *, margin: float) -> tuple[Chances, ...]:
        """The chances of segments, each against its reference, if nothing changed.

        Args:
            segments: sums over the windows of each segment, shape (segments, sums).
            references: sums over what each is compared with, of the same shape.
            margin: what is too small to matter, in standard deviations of a row.
        """
        ...

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:
        """The smallest change of each subject that so many rows would show at that chance, shape (subjects,).

        Where a change of just that size is seen as often as not; NaN where no change can be seen.
        """
        ...
