"""Which few rows to label, and what is known once they are: predictions do the rest.

The estimate of a measure that needs no labels is wrong by a sum over rows: slope times (label - chance), with the
slope of the measure and the chance that the row is positive. Labels of a random sample of each stratum tell that sum
without bias, whatever the chances were; the better the chances, the fewer labels it takes.

References:
    Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), Science 382, 669-674 (prediction-powered inference);
    Neyman (1934), J. Roy. Statist. Soc. 97, 558-625 (allocation to strata);
    Dalenius and Hodges (1959), J. Amer. Statist. Assoc. 54, 88-101 (where to cut strata).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError
from watchkeep.stats.expected_counts import Estimated
from watchkeep.stats.student import t_of_normal

Reals = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

LEAST: Final = 3
"""Labels of each stratum, if it has so many rows: fewer say nothing of how much they scatter."""
PRIOR: Final = 4.0
"""Labels that the predicted variance of a stratum counts for beside the observed one."""


Measure = Callable[[Reals], tuple[float, Reals]]
"""(expected rows by bin, answer and label) to a measure and its slopes by bin and answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """Rows of a window, grouped by how much is to be learned from their labels.

    Args:
        rows: by stratum, shape (strata,).
        deviations: predicted standard deviation of what one row's label adds to the measure, shape (strata,).
        of: the stratum of each cell, shape (bins, 2).
    """

    rows: Counts
    deviations: Reals
    of: Places


def strata(rows: Counts, slopes: Reals, chances: Reals, *, most: int = 12) -> Strata:
    """Group cells into strata: neighbours in score with one answer, of about equal sums of deviations.

    Args:
        rows: by bin of the score and answer, shape (bins, 2).
        slopes: of the measure, by cell, of the same shape (`BinaryEstimator.slopes`).
        chances: that a row of the bin is positive, shape (bins,).
        most: strata; at least one of each answer.

    >>> found = strata(np.array([[8, 0], [8, 8]]), np.full((2, 2), 0.1), np.array([0.5, 0.5]), most=4)
    >>> found.of.tolist(), found.rows.tolist()
    ([[0, 2], [1, 2]], [8, 8, 8])
    """
    mass = rows * _cell_deviations(slopes, chances[:, None])
    total = float(mass.sum())
    of, begin = np.zeros(rows.shape, np.intp), 0
    for answer, mine in enumerate(mass.T):
        whole = float(mine.sum())
        groups = max(1, round(whole / total * (most - 1))) if total > 0 else 1
        middles = np.cumsum(mine) - mine / 2
        places = np.minimum(middles * groups / whole, groups - 1) if whole > 0 else np.zeros(len(mine))
        of[:, answer] = begin + places.astype(np.intp)
        begin += groups
    held = np.asarray(np.bincount(of.ravel(), rows.ravel(), begin), np.float64)
    return Strata(held.astype(np.int64), _deviations(rows, slopes, chances[:, None], of, held), of)


def _cell_deviations(slopes: Reals, chances: Reals) -> Reals:
    return np.asarray(np.abs(slopes) * np.sqrt(chances * (1 - chances)), np.float64)


def _deviations(rows: Counts, slopes: Reals, chances: Reals, of: Places, held: Reals) -> Reals:
    """Root mean squares of what a row's label adds, by stratum."""
    squares = rows * _cell_deviations(slopes, chances) ** 2
    return np.asarray(
        np.sqrt(np.bincount(of.ravel(), squares.ravel(), len(held)) / np.maximum(held, 1)), np.float64
    )


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlan:
    """How many rows of each stratum to label, drawn at random.

    Args:
        rows: by stratum, shape (strata,).
        half_width: of the band that is then to be expected.
    """

    rows: Counts
    half_width: float


def label_plan(
    rows: Counts, deviations: Reals, *, target: float, confidence: float = 0.95, least: int = LEAST
) -> LabelPlan:
    """The fewest labels after which a band is as narrow as wanted.

    The variance after n of N rows of each stratum are labelled is the sum of N^2 s^2 (1 / n - 1 / N): least, for so
    many labels in all, when n is in proportion to N s. Strata that would need more than they have are labelled whole.

    Args:
        rows: of the window by stratum, N, shape (strata,).
        deviations: of what a row's label adds to the measure, s, shape (strata,).
        target: the half-width to reach, in units of the measure: half of today's to halve the band; > 0.
        confidence: of the band, in (0, 1).
        least: labels of each stratum that has so many rows and whose labels say anything.

    Raises:
        OptionError: the target is not positive.

    >>> plan = label_plan(np.array([1000, 1000]), np.array([5e-4, 1e-4]), target=0.05)
    >>> plan.rows.tolist(), round(plan.half_width, 3)
    ([330, 66], 0.05)
    """
    if not target > 0:
        raise OptionError("target", got=f"{target:g}", expected="a half-width above 0")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    wanted = (target / z) ** 2
    mass = rows * deviations
    whole, share = np.zeros(len(rows), np.bool_), np.zeros(len(rows))
    while True:
        open_ = ~whole & (mass > 0)
        if not open_.any():
            break
        every = float(mass[open_].sum())
        needed = every**2 / (wanted + float((mass * deviations)[open_].sum()))
        share = np.where(open_, needed * mass / every, 0.0)
        full = open_ & (share >= rows)
        if not full.any():
            break
        whole |= full
    planned = np.where(whole, rows, np.ceil(share - 1e-9)).astype(np.int64)
    planned = np.minimum(rows, np.where(mass > 0, np.maximum(planned, least), planned))
    return LabelPlan(planned, z * math.sqrt(_variance(rows, deviations**2, planned)))


def with_labels(
    rows: Counts,
    chances: Reals,
    groups: Strata,
    sample: tuple[Places, Places, Places],
    measure: Measure,
    *,
    confidence: float = 0.95,
) -> Estimated:
    """The measure of a window, from a few labels and chances for all other rows: prediction-powered, stratified.

    Chances of each stratum are moved by the mean of (label - chance) of its labelled rows, the measure and its slopes
    are taken there, and what the labelled rows still add is multiplied up to all rows of their strata. A variance is
    that of the additions seen, with the predicted one in place of `PRIOR` further labels; the band has Student's law
    with Satterthwaite's degrees of freedom.

    Args:
        rows: of the window by bin of the score and answer, shape (bins, 2).
        chances: that a row of the bin is positive, shape (bins,).
        groups: the strata that were planned for. One without labels keeps its chances, in doubt as a whole.
        sample: bins, answers and labels (0 or 1) of the labelled rows, drawn at random within strata; shape (n,) each.
        measure: of expected counts, with slopes; see `expected_counts.measured`.
        confidence: of the band, in (0, 1).
    """
    bins, answers, labels = sample
    of, size = groups.of[bins, answers], len(groups.rows)
    labelled = np.bincount(of, minlength=size)
    seen, n = labelled > 0, np.maximum(labelled, 1)
    moved = np.bincount(of, labels - chances[bins], size) / n
    told = np.clip(chances[:, None] + moved[groups.of], 0.0, 1.0)
    value, slopes = measure(np.stack([rows * (1 - told), rows * told], axis=2))
    added = slopes[bins, answers] * (labels - told[bins, answers])
    means = np.bincount(of, added, size) / n
    scatter = np.maximum(np.bincount(of, added**2, size) - n * means**2, 0.0)
    predicted = _deviations(rows, slopes, told, groups.of, groups.rows.astype(np.float64))
    freedom = np.maximum(labelled - 1, 0) + PRIOR
    variances = (scatter + PRIOR * predicted**2) / freedom
    value += float((groups.rows * means).sum())
    each = np.where(
        seen, groups.rows**2.0 * variances * _unseen(groups.rows, n), (groups.rows * predicted) ** 2
    )
    total = float(each.sum())
    if total <= 0:
        return Estimated(value, value, value, 0.0)
    degrees = total**2 / float((each**2 / freedom).sum())
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    t = float(t_of_normal(np.array([z]), np.array([degrees]))[0])
    deviation = math.sqrt(total)
    return Estimated(value, value - t * deviation, value + t * deviation, deviation)


def _unseen(rows: Counts, labelled: Counts) -> Reals:
    """1 / n - 1 / N: the variance of a sample's mean as a share of a row's."""
    return np.asarray(np.maximum(1 / np.maximum(labelled, 1) - 1 / np.maximum(rows, 1), 0.0), np.float64)


def _variance(rows: Counts, variances: Reals, labelled: Counts) -> float:
    return float((rows**2.0 * variances * _unseen(rows, labelled)).sum())
