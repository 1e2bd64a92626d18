"""What is known of a group: how large it is, and how it is treated beside all others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.frames.outcomes import NO_OUTCOME
from watchkeep.monitors.bias.scan import TABLE
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile
from watchkeep.states.totals import Totals
from watchkeep.stats.bias import MEASURES

Doubles = npt.NDArray[np.float64]

FLIP_TEST: Final = "FT"
CALIBRATION: Final = "CG"
DISPARITIES: Final[Mapping[str, int]] = MappingProxyType({"CDDL": -1, "CDDPL": -2})
"""Disparities within strata, and the axis of what they are not of."""
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {name: one.title for name, one in MEASURES.items()}
    | {
        "CDDL": "conditional demographic disparity of labels",
        "CDDPL": "conditional demographic disparity of predictions",
        FLIP_TEST: "flip test",
        CALIBRATION: "calibration gap",
    }
)
"""Every measure in words."""
LABELS: Final = (*(name for name, one in MEASURES.items() if one.needs in ("rows", "labels")), "CDDL")
"""Measures that no answer changes."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two shares, each with the variance that `GroupBias.noise` is made from.

    Args:
        below: the share that is divided by.
        above_variance, below_variance: of the two.
    """

    below: float
    above_variance: float
    below_variance: float

    def error(self, limit: float) -> float | None:
        """How far the ratio lies from a limit by chance; None where nothing is divided by.

        It is beyond the limit where above - limit * below is beyond 0, which scatters as sums do; a ratio with few
        rows below does not.

        >>> Ratio(0.5, 0.01, 0.04).error(0.0)
        0.2
        """
        if self.below <= 0:
            return None
        return float((self.above_variance + limit**2 * self.below_variance) ** 0.5 / self.below)


@dataclass(frozen=True, slots=True, eq=False)
class GroupBias:
    """How a group is treated, beside all other rows.

    Args:
        subject: what verdicts call it: "sex=Female", "sex=Female, age > 40".
        facet: the column, or the columns, that tell it apart.
        group: its name.
        rows, others: of the group, and of all others that have a value.
        missing: rows without a value, which are in neither.
        measures: by name.
        crossed: whether it is of two facets together.
        unlabelled: whether no row at all has a label.
        among: rows of the group, or of the others if they are fewer, that a measure is a mean over.
        noise: how far a measure would scatter if nothing had changed. A measure of few rows scatters more the larger
            the shares are that it is made of, so neither the window's own error nor that of unchanged shares tells how
            likely a value far out is; a third of the one variance and two of the other do, to third order.
        ratios: of measures that are ratios what they are made of: how they scatter depends on where they are judged.
    """

    subject: str
    facet: str
    group: str
    rows: int
    others: int
    missing: int
    measures: Mapping[str, Sampled]
    crossed: bool = False
    unlabelled: bool = False
    among: Mapping[str, int] = field(default_factory=dict)
    noise: Mapping[str, float | None] = field(default_factory=dict)
    ratios: Mapping[str, "Ratio"] = field(default_factory=dict)


def outcomes(profile: Profile, subject: str) -> Totals:
    """Rows of a facet by level, label and prediction, shape (levels + 1, 3, 3); then weights, and their squares."""
    state = profile.part(subject, TABLE, Totals)
    assert state is not None  # noqa: S101 (every scan counts it)
    return state


def level_rows(profile: Profile, subject: str) -> Doubles:
    """Rows of a facet by level, shape (levels + 1,)."""
    rows: Doubles = outcomes(profile, subject).values[0].sum(axis=(1, 2))
    return rows


def labelled_rows(profile: Profile, subject: str) -> float:
    """Rows with a label, as a facet's table has them."""
    return float(outcomes(profile, subject).values[0][:, :NO_OUTCOME].sum())


def needs_labels(name: str) -> bool:
    """Whether a measure cannot be told without labels.

    >>> needs_labels("RD"), needs_labels("DPPL")
    (True, False)
    """
    if name in MEASURES:
        return MEASURES[name].needs in ("labels", "both")
    return name in ("CDDL", CALIBRATION)
