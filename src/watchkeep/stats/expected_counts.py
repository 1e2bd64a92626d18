"""Measures of two classes from expected rows by score, answer and label, and how they move with each expected row."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.classification import binary_rates
from watchkeep.stats.ratios import ratio
from watchkeep.stats.reliability import TINY, Reliability
from watchkeep.stats.score_curves import precision_recall, roc

Reals = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

GROUPS = 10
"""Bins, of equally many rows, of the expected calibration error."""
_NORMAL = NormalDist()
_STEP = 0.5  # rows, by which counts are moved to see a rate move


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimate of a measure, and the band in which the measure of the same rows lies once all are labelled.

    Args:
        value: the estimate, or why there is none.
        low, high: the band; None without a value.
        deviation: the standard error that the band is made from; None without a value.
    """

    value: Value
    low: float | None = None
    high: float | None = None
    deviation: float | None = None


_RANGES: Mapping[str, tuple[float | None, float | None]] = MappingProxyType(
    {
        "matthews": (-1.0, 1.0),
        "r2": (None, 1.0),
        "smape": (0.0, 2.0),
        **dict.fromkeys(("log_loss", "mae", "mse", "rmse", "mape"), (0.0, None)),
    }
)


def range_of(measure: str) -> tuple[float | None, float | None]:
    """Between which values a measure that is estimated can be; None where there is no such bound.

    >>> range_of("auc"), range_of("log_loss")
    ((0.0, 1.0), (0.0, None))
    """
    return _RANGES.get(measure, (0.0, 1.0))


def band(
    value: float, deviation: float, *, confidence: float, least: float | None = 0.0, most: float | None = 1.0
) -> Estimated:
    """A value with its band: normal in the logit where the measure lies in [0, 1], in the logarithm where it is >= 0.

    A value nearer to a bound than its standard error has the band of one that is as far away, and itself in it: the
    logit of what is all but certain would be anything.

    Args:
        value: the estimate.
        deviation: its standard error.
        confidence: of the band, in (0, 1).
        least, most: of the measure; None where there is no such bound.

    >>> found = band(0.9, 0.02, confidence=0.95)
    >>> round(found.low, 3), round(found.high, 3)
    (0.853, 0.933)
    """
    reach = _NORMAL.inv_cdf(0.5 + confidence / 2) * deviation
    if least is None or deviation <= 0:
        low, high = value - reach, value + reach
    elif most is None:
        base = max(value - least, deviation)
        factor = math.exp(reach / base)
        low, high = least + base / factor, least + base * factor
    else:
        span = most - least
        near = min(deviation / span, 0.5)
        share = min(max((value - least) / span, near), 1 - near)
        logit, wide = math.log(share / (1 - share)), reach / span / (share * (1 - share))
        low, high = (least + span * (1 + math.tanh(end / 2)) / 2 for end in (logit - wide, logit + wide))
    low, high = min(low, value), max(high, value)
    low = low if least is None else max(least, low)
    return Estimated(value, low, high if most is None else min(most, high), deviation)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Measures of a table, and their derivatives.

    Args:
        values: by name.
        slopes: of each measure that has a value: how much it grows when a row of a cell turns from negative to
            positive, shape (bins, 2), by bin of the score and answer.
    """

    values: Mapping[str, Value]
    slopes: Mapping[str, Reals]


def expected_counts(rows: Reals, chances: Reals) -> Reals:
    """Expected rows by bin, answer and label, shape (bins, 2, 2).

    Args:
        rows: by bin and answer, shape (bins, 2).
        chances: that a row of the bin is positive, shape (bins,).

    >>> expected_counts(np.array([[8.0, 2.0]]), np.array([0.25])).tolist()
    [[[6.0, 2.0], [1.5, 0.5]]]
    """
    positives = rows * chances[:, None]
    return np.stack([rows - positives, positives], axis=2)


Losses = Mapping[str, tuple[Reals, Reals]]
"""By measure, what a positive and what a negative row loses, by bin, shape (bins,) each."""


def losses_of(means: Reals) -> Losses:
    """Log loss and Brier score of rows whose score is a probability, taken at the mean score of their bin.

    Args:
        means: by bin, in [0, 1], shape (bins,).
    """
    clear = np.clip(means, TINY, 1 - TINY)
    return {"log_loss": (-np.log(clear), -np.log1p(-clear)), "brier": ((1 - means) ** 2, means**2)}


def measured(
    counts: Reals, *, losses: Losses | None = None, tied: bool | Mask = False, scored: bool = True
) -> Expected:
    """The measures of a table of two classes.

    Args:
        counts: rows, or expected rows, by bin of the score (increasing), answer and label, shape (bins, 2, 2).
        losses: what is lost by bin, where scores are probabilities.
        tied: which bins hold one score only.
        scored: whether bins are of a score; without one there are no curves.
    """
    values, slopes = _rates(counts)
    p, n = counts[:, :, 1].sum(axis=1), counts[:, :, 0].sum(axis=1)
    if not scored:
        return Expected(values, slopes)
    for name, curve, slope in (("auc", roc, _roc_slopes), ("pr_auc", precision_recall, _precision_slopes)):
        drawn = curve(p, n, tied=tied)
        values[name] = drawn if isinstance(drawn, Undefined) else drawn.area.value
        if not isinstance(drawn, Undefined):
            slopes[name] = _both(slope(p, n, drawn.area.value))
    rows = float(p.sum() + n.sum())
    for name, (positive, negative) in (losses or {}).items():
        values[name] = ratio(name, float(p @ positive + n @ negative), rows)
        if rows > 0:
            slopes[name] = _both((positive - negative) / rows)
    return Expected(values, slopes)


def calibration_error(
    rows: Reals, chances: Reals, means: Reals, blocks: npt.NDArray[np.intp], errors: Reals
) -> tuple[Value, float]:
    """The expected calibration error that realised labels will show, and its standard deviation.

    In a group of n rows whose chances differ from their scores by g on average, labels show |g + noise|, which is
    more than |g|: the mean of a folded normal variable. What the baseline's own noise put into the g is no
    miscalibration: they are drawn in towards 0 by as much as they would scatter if there were none (empirical Bayes).

    Args:
        rows: by bin, shape (bins,).
        chances: that a row of the bin is positive.
        means: mean score by bin.
        blocks: of bins whose chances were learned together, from 0, shape (bins,).
        errors: standard errors of the chances, shape (blocks,).

    References:
        Leone, Nelson and Nottingham (1961), Technometrics 3, 543-550 (the folded normal law); Efron and Morris (1973),
        J. Amer. Statist. Assoc. 68, 117-130.
    """
    total = float(rows.sum())
    fine = Reliability(rows, rows * chances, means)
    groups, of = fine.grouped(GROUPS, by="mass"), fine.groups_of(GROUPS, by="mass")
    held = np.asarray(groups.rows) > 0
    if not held.any():
        return Undefined("expected_calibration_error needs 1 row, has 0"), 0.0
    of_chance = Reliability(rows, rows * chances * (1 - chances), means).grouped(GROUPS, by="mass")
    noise = np.asarray(of_chance.positives, np.float64)[held]
    shared = np.zeros((GROUPS, len(errors)))
    np.add.at(shared, (of, blocks), rows)
    doubt = np.sqrt((shared**2 @ errors**2)[held])
    gap = (groups.positives - groups.rows * groups.mean_scores)[held]
    size = np.asarray(groups.rows)[held]
    chance = (doubt / size) ** 2
    real = max(0.0, float(np.mean((gap / size) ** 2 - chance)))
    fold, _ = _folded(gap, noise, doubt, real / np.maximum(real + chance, 1e-300))
    # Ten groups tell how much is real only roughly: the band allows for more.
    more = real + math.sqrt(2 / len(size)) * float(chance.mean())
    _, variance = _folded(gap, noise, doubt, more / np.maximum(more + chance, 1e-300))
    return float(fold.sum() / total), float(np.sqrt(variance.sum()) / total)


def _folded(gap: Reals, noise: Reals, doubt: Reals, kept: Reals) -> tuple[Reals, Reals]:
    """Mean and variance of |gap + noise| by group, of gaps of which such a share is real."""
    gap = gap * kept
    deviation = np.sqrt(noise + doubt**2 * kept)
    z = gap / np.where(deviation > 0, deviation, 1.0)
    fold = deviation * np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + gap * (1 - 2 * _cdf(-z))
    fold = np.where(deviation > 0, fold, np.abs(gap))
    return fold, np.maximum(gap**2 + deviation**2 - fold**2, 0.0)


def _cdf(z: Reals) -> Reals:
    return np.array([_NORMAL.cdf(each) for each in z.tolist()])


def _both(slopes: Reals) -> Reals:
    """The same for either answer."""
    return np.repeat(slopes[:, None], 2, axis=1)


def _rates(counts: Reals) -> tuple[dict[str, Value], dict[str, Reals]]:
    """Rates of the confusion matrix; slopes by central differences of the true positives and the false negatives."""
    (tn, fn), (fp, tp) = counts.sum(axis=0).tolist()
    values = binary_rates(tn, fp, fn, tp)
    steps = min(_STEP, fp, tp) / 2, min(_STEP, tn, fn) / 2
    of_answer = []
    for at, step in ((1, steps[0]), (0, steps[1])):
        moved = (step, 0.0) if at else (0.0, step)
        up = binary_rates(tn - moved[1], fp - moved[0], fn + moved[1], tp + moved[0])
        down = binary_rates(tn + moved[1], fp + moved[0], fn - moved[1], tp - moved[0])
        of_answer.append({name: _slope(up[name], down[name], 2 * step) for name in values})
    slopes = {
        name: np.broadcast_to([of_answer[1][name], of_answer[0][name]], counts.shape[:2])
        for name, value in values.items()
        if not isinstance(value, Undefined)
    }
    return values, slopes


def _slope(up: Value, down: Value, step: float) -> float:
    if isinstance(up, Undefined) or isinstance(down, Undefined) or step <= 0:
        return 0.0
    return (up - down) / step


def _roc_slopes(p: Reals, n: Reals, area: float) -> Reals:
    """A row that turns positive wins over the negatives below it, and no longer loses to the positives above it."""
    positives, negatives = p.sum(), n.sum()
    below, above = np.cumsum(n) - n / 2, positives - np.cumsum(p) + p / 2
    slopes: Reals = (below - above) / (positives * negatives) - area * (1 / positives - 1 / negatives)
    return slopes


def _precision_slopes(p: Reals, n: Reals, area: float) -> Reals:
    """A row that turns positive adds the precision at its place, and raises that at all lower places."""
    reached = np.cumsum((p + n)[::-1])[::-1]
    reached = np.where(reached > 0, reached, 1.0)
    precision = np.cumsum(p[::-1])[::-1] / reached
    slopes: Reals = (precision + np.cumsum(p / reached) - area) / p.sum()
    return slopes
