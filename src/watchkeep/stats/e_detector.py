"""The e-detector: evidence that something changed at some time, which may be looked at after every window for ever."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError
from watchkeep.stats.confidence_sequence import betting_interval
from watchkeep.stats.e_values import BETS, log_average, mean_above

Reals = npt.NDArray[np.float64]

DOUBTS: Final = tuple(2.0**-k for k in range(1, 10))
"""The chances with which a limit, drawn from a baseline, is on the wrong side of the true mean."""

_MOST = 700.0  # exp of more than 709 is no double


class Form(StrEnum):
    """How evidence for a change at any of the windows so far is put together.

    SUM (Shiryaev-Roberts) adds up over all of them and has the whole budget to spend; BEST (CUSUM) takes the best of
    them, is never larger, and so rings later and more rarely.
    """

    SUM = "sum"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class EDetector:
    """The evidence of e-values e_1, e_2, ..., one window after the other, for a change at any window so far.

    SUM:   M_t = (M_{t-1} + 1) e_t = sum over j <= t of e_j e_{j+1} ... e_t, M_0 = 0
    BEST:  C_t = max(C_{t-1}, 1) e_t = the largest of these products

    If nothing changed, the mean of M at any stopping time is at most that time (M_t - t is a supermartingale), so an
    alarm at M >= B comes after B windows or more on average. The e-values need a mean of at most 1 given the windows
    before. Several streams of e-values (strengths of bets, measures, columns) may run side by side, each in a
    recursion of its own, under any dependence: a weighted average of e-detectors is one.

    A value: updating returns another one, and it holds finite numbers only, so it can be kept anywhere and taken up
    again where it was.

    Args:
        weights: shape (streams,), > 0, summing to at most 1.
        windows: seen so far, or passed without rows.
        sums: ln(M + 1) per stream, >= 0.
        peaks: ln max(C, 1) per stream, >= 0.
        starts: per stream, the window (counted from 0) from which on C is the product.

    References:
        Shin, Ramdas and Rinaldo (2022), "E-detectors: a nonparametric framework for sequential change detection",
        arXiv 2203.03532.

    >>> detector = EDetector.of(1)
    >>> for e in (0.5, 0.8, 4.0, 9.0, 7.0):
    ...     detector = detector.update([math.log(e)])
    >>> round(detector.level(1 / 100), 2), detector.since
    (6.24, 2)
    """

    weights: tuple[float, ...]
    windows: int
    sums: tuple[float, ...]
    peaks: tuple[float, ...]
    starts: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) <= 0 or sum(self.weights) > 1 + 1e-9:
            raise OptionError("weights", got=str(self.weights), expected="numbers > 0 that sum to at most 1")
        if not len(self.weights) == len(self.sums) == len(self.peaks) == len(self.starts):
            raise OptionError("e-detector", got=repr(self), expected="one of each for every stream")

    @classmethod
    def of(cls, streams: int, *, total: float = 1.0) -> Self:
        """Before any window, with even weights that sum to `total`, in (0, 1]."""
        return cls.weighted([total / streams] * streams if streams > 0 else [])

    @classmethod
    def weighted(cls, weights: Sequence[float]) -> Self:
        """Before any window: weights, shape (streams,), > 0, that sum to at most 1."""
        none = len(weights)
        return cls(tuple(map(float, weights)), 0, (0.0,) * none, (0.0,) * none, (0,) * none)

    def update(self, logs: Sequence[float] | Reals) -> Self:
        """After one more window.

        Args:
            logs: ln e per stream, shape (streams,), e having a mean of at most 1 given the windows before; -inf where
                e is 0. More than e**700 at once is counted as that.

        Raises:
            OptionError: a logarithm is not a number, or there are more or fewer than streams.
        """
        found = np.asarray(logs, np.float64)
        if found.shape != (len(self.weights),) or np.isnan(found).any():
            raise OptionError("e-values", got=str(logs), expected=f"{len(self.weights)} logarithms")
        found = np.minimum(found, _MOST)
        peaks = np.array(self.peaks)
        return replace(
            self,
            windows=self.windows + 1,
            sums=tuple(np.logaddexp(np.array(self.sums) + found, 0.0).tolist()),
            peaks=tuple(np.maximum(peaks + found, 0.0).tolist()),
            starts=tuple(np.where(peaks > 0, np.array(self.starts), self.windows).tolist()),
        )

    def idle(self) -> Self:
        """After a window without rows to judge: time passes and evidence stays.

        An e-value of 1 would be as valid, and let M grow by 1: after B empty windows there would be an alarm.
        """
        return replace(self, windows=self.windows + 1)

    def restarted(self) -> Self:
        """Without the evidence so far, as after an alarm that was dealt with; windows are counted on."""
        return replace(self.weighted(self.weights), windows=self.windows)

    def logs(self, form: Form = Form.SUM) -> Reals:
        """Ln M (or ln C) per stream, shape (streams,): -inf before any window, and where C is below 1."""
        held = np.array(self.sums if form is Form.SUM else self.peaks)
        with np.errstate(divide="ignore"):
            # ln M of ln(M + 1)
            return held + np.log(-np.expm1(-held)) if form is Form.SUM else np.where(held > 0, held, -np.inf)

    def log_evidence(self, form: Form = Form.SUM) -> float:
        """The logarithm of the streams' average of M (or C): -inf before any window."""
        return log_average(self.logs(form), np.array(self.weights))

    def level(self, false_alarms: float, form: Form = Form.SUM) -> float:
        """How near an alarm is: it rings at 1 or more.

        Args:
            false_alarms: the budget, alarms per window if nothing changed, in (0, 1): 1 / B.
            form: how the evidence is put together.

        Returns:
            The evidence / B, >= 0; more than e**700 is returned as that.

        Raises:
            OptionError: the budget is out of range.
        """
        return _level(self.log_evidence(form), false_alarms)

    @property
    def since(self) -> int | None:
        """The window (counted from 0) since which evidence has grown: the most likely change-point.

        That is the start of the largest product C among the streams, by weight; None where no product is above 1.
        """
        logs = self.logs(Form.BEST) + np.log(self.weights)
        best = int(logs.argmax())
        return self.starts[best] if logs[best] > -np.inf else None


@dataclass(frozen=True, slots=True)
class Rise:
    """Evidence that the mean of values in [0, 1] rose above a baseline's, which is known by some rows only.

    Ever higher limits, each with e-detectors for "the mean is above this limit" (their average is M), and with a price:
    how much the baseline says against a mean beyond the limit before. The evidence is the least of price * M over the
    limits; `MeanDetector` has the theorem.

    Args:
        limits: shape (limits,), ascending, in (0, 1].
        prices: shape (limits,), > 0.
        bets: shape (bets,), each in (0, 1).
        detector: with a stream for each limit and bet, in that order.
    """

    limits: tuple[float, ...]
    prices: tuple[float, ...]
    bets: tuple[float, ...]
    detector: EDetector

    @classmethod
    def learned(cls, m: int, mean: float, variance: float, *, tolerance: float) -> Self:
        """Before any window; see `MeanDetector.learned`."""
        ends = [float(betting_interval(m, mean, variance, miss=(0.0, doubt)).high) for doubt in DOUBTS]
        limits = tuple(min(1.0, end + tolerance) for end in ends)
        prices = (0.5, *(0.5 + 0.5 / doubt for doubt in DOUBTS[:-1]))
        # Smaller bets pay for shifts that the baseline's own error hides.
        smallest = min(limits[0] / math.sqrt(max(variance * m, 1.0)), BETS[-4])
        bets = tuple(bet for bet in BETS if bet >= smallest)
        return cls(limits, prices, bets, EDetector.of(len(limits) * len(bets)))

    def update(self, n: int, mean: float, variance: float) -> Self:
        """After a window of n >= 1 rows."""
        logs = mean_above(n, mean, variance, limit=self.limits, bets=self.bets)
        return replace(self, detector=self.detector.update(logs.ravel()))

    def log_evidence(self, form: Form = Form.SUM) -> float:
        """The logarithm of the least of price * M."""
        logs = self.detector.logs(form).reshape(len(self.limits), len(self.bets))
        averages = np.logaddexp.reduce(logs, axis=1) - math.log(len(self.bets))
        return float((averages + np.log(self.prices)).min())


@dataclass(frozen=True, slots=True)
class MeanDetector:
    """An e-detector for the mean of values in [0, 1] against a baseline whose own error counts.

    That error is the same in every window, so whoever bets against the baseline's mean as if it were the truth piles it
    up to an alarm, however small it is. Here every mean u that might be the true one is bet against, which gives M(u),
    at a price of what the baseline's rows say against u: P(u) = 1/2 + W(u) / 2, W(u) the average wealth of gamblers on
    those rows, an e-value if u is true. The evidence is the least of P(u) M(u) over all u, averaged over rise and fall:

        if the mean u stays: alarms at evidence >= B come B / P(u) windows apart or more, and P(u) is at most 1
        on average over baselines

    So there is an alarm in B windows at most, averaged over baselines, but for those so unlucky that they say 512
    to 1 against the true mean: one in 256 at most, and the level allows for them. P rises and M falls in u, so a limit
    for each of `DOUBTS` does for all u. Only merged sums are read. No bet is to be tuned: there is one for every size
    of shift, by halving steps, from the baseline's own error to the grossest.

    Args:
        sides: evidence for a rise, and for a fall: a rise of 1 - x.

    References:
        Shin, Ramdas and Rinaldo (2022), arXiv 2203.03532 (bounded values, mixtures of e-detectors, composite nulls);
        Wasserman, Ramdas and Balakrishnan (2020), PNAS 117, 16880-16890 (the least over a composite null).

    >>> detector = MeanDetector.learned(10_000, 0.10, 0.09)
    >>> for mean in (0.101, 0.098, 0.145, 0.141, 0.143):
    ...     detector = detector.update(1_000, mean, mean * (1 - mean))
    >>> detector.level(1 / 1000) >= 1, detector.since
    (True, 2)
    """

    sides: tuple[Rise, ...]

    @classmethod
    def learned(
        cls, m: int, mean: float, variance: float, *, tolerance: float = 0.0, falls: bool = True
    ) -> Self:
        """Before any window, from a baseline of m rows.

        Args:
            m: rows, >= 1.
            mean: theirs, in [0, 1].
            variance: of the population, sum((x - mean)**2) / m.
            tolerance: by how much the mean may differ and still be no change, >= 0.
            falls: whether a fall is a change too; for a loss, only a rise is harmful.

        Raises:
            OptionError: an argument is out of its range.
        """
        if m < 1 or not tolerance >= 0:
            raise OptionError("m, tolerance", got=f"{m}, {tolerance}", expected="1 or more, 0 or more")
        means = (mean, 1 - mean) if falls else (mean,)
        return cls(tuple(Rise.learned(m, each, variance, tolerance=tolerance) for each in means))

    def update(self, n: int, mean: float, variance: float) -> Self:
        """After one more window.

        Args:
            n: rows, >= 0; none is `idle`. A window may be merged from others: the order of rows does not matter.
            mean: theirs, in [0, 1].
            variance: of the population, sum((x - mean)**2) / n.

        Raises:
            OptionError: no values in [0, 1] have such moments.
        """
        if n == 0:
            return self.idle()
        means = (mean, 1 - mean)
        return type(self)(
            tuple(side.update(n, each, variance) for side, each in zip(self.sides, means, strict=False))
        )

    def idle(self) -> Self:
        """After a window without rows: time passes and evidence stays."""
        return type(self)(tuple(replace(side, detector=side.detector.idle()) for side in self.sides))

    def restarted(self) -> Self:
        """Without the evidence so far, as after an alarm that was dealt with."""
        return type(self)(tuple(replace(side, detector=side.detector.restarted()) for side in self.sides))

    def level(self, false_alarms: float, form: Form = Form.SUM) -> float:
        """How near an alarm is: it rings at 1 or more; see `EDetector.level`."""
        misled = DOUBTS[-1] * len(self.sides)
        logs = log_average(np.array([side.log_evidence(form) for side in self.sides]))
        return _level(logs + 2 * math.log1p(-misled), false_alarms)

    @property
    def since(self) -> int | None:
        """The window (counted from 0) since which evidence has grown, on the side that has more of it."""
        return max(self.sides, key=Rise.log_evidence).detector.since


def _level(log_evidence: float, false_alarms: float) -> float:
    if not 0 < false_alarms < 1:
        raise OptionError("false_alarms", got=str(false_alarms), expected="a share between 0 and 1")
    return math.exp(min(log_evidence + math.log(false_alarms), _MOST))
