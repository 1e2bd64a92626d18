"""How good answers are before labels come: measures of two classes, estimated from scores.

The reference rows tell how likely a row of each score is positive. A window's rows by score then have expected labels,
and any measure of counts its expected value. Two things are put right: where the estimate misses what the reference
labels say of the reference itself, by so much it is moved; and where the window has another mix of features, rows of
one score are positive more or less often than they were, as far as the reference rows with such features were.

The band covers what the measure of the window's own rows will be once all are labelled: chance in their labels, in
the reference labels, and in the effect of features. It knows nothing of a change in what a score means for rows with
the same features (concept drift): realised measures outside the band are evidence of that.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.expected_counts import (
    Estimated,
    Expected,
    Losses,
    band,
    calibration_error,
    expected_counts,
    losses_of,
    measured,
    range_of,
)
from watchkeep.stats.isotonic import Calibration, calibrated
from watchkeep.stats.label_plan import Measure
from watchkeep.stats.reweighting import Reweighting, Shift, information, powers, tilted

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

CONFIDENCE: Final = 0.95
"""Of bands."""
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """The means of a window's feature scores.

    Args:
        means: shape (d,).
        rows: that they are of; fewer than the window's where they are of a sample.
    """

    means: Reals
    rows: float


@dataclass(frozen=True, eq=False, kw_only=True)
class BinaryEstimator:
    """Estimates the measures of a classifier of two classes. Arrays alone; make one by `fit`.

    Args:
        counts: reference rows by bin of the score (increasing), answer and label, shape (bins, 2, 2). Without scores
            the bins are the answers.
        means: mean score by bin, where scores are probabilities, shape (bins,); else None.
        tied: which bins hold one score only, shape (bins,).
        scored: whether the bins are of a score.
        spread: of weighted rows the sum of squared weights over the sum of weights; else 1.
        reweighting: what the features tell, if anything.
    """

    counts: Reals
    means: Reals | None
    tied: Mask
    scored: bool = True
    spread: float = 1.0
    reweighting: Reweighting | None = None

    @classmethod
    def fit(
        cls,
        counts: Reals,
        *,
        means: Reals | None = None,
        tied: Mask | None = None,
        scored: bool = True,
        spread: float = 1.0,
    ) -> "BinaryEstimator | Undefined":
        """Learn from labelled reference rows; undefined when there is none.

        >>> counts = np.array([[[40.0, 10.0], [0.0, 0.0]], [[0.0, 0.0], [5.0, 45.0]]])
        >>> estimator = BinaryEstimator.fit(counts)
        >>> found = estimator.estimate(np.array([[900.0, 0.0], [0.0, 100.0]]))
        >>> round(found["accuracy"].value, 3), round(found["recall"].value, 3)
        (0.81, 0.333)
        """
        counts = np.asarray(counts, np.float64)
        if counts.sum() <= 0:
            return Undefined("estimates need 1 labelled reference row, have 0")
        held = counts.sum(axis=(1, 2)) > 0
        if means is not None:  # bins without rows have the score of their neighbours
            means = np.interp(np.arange(len(held)), np.flatnonzero(held), np.clip(means[held], 0.0, 1.0))
        tied = np.zeros(len(held), np.bool_) if tied is None else tied
        return cls(counts=counts, means=means, tied=tied, scored=scored, spread=spread)

    def traits(self, bins: Places, labels: Places) -> Reals:
        """What features are chosen by: labels, and how uncertain they are, shape (n, 2).

        Not by what is left of labels beyond chance: where scores are good that is noise, and so were the choice.

        Args:
            bins: of the rows' scores, shape (n,).
            labels: 0 or 1, shape (n,).
        """
        chances = self.calibration.chances[bins]
        return np.stack([labels.astype(np.float64), chances * (1 - chances)], axis=1)

    def quantities(self, bins: Places, labels: Places) -> Reals:
        """What features are to tell of labelled rows: label less chance, times powers of the log odds, shape (n, 3).

        Args:
            bins: of their scores, shape (n,).
            labels: 0 or 1, shape (n,).
        """
        left = labels - self.calibration.chances[bins]
        return np.asarray(left[:, None] * self._powers[self.calibration.cells[bins]], np.float64)

    def with_features(self, features: Reals, bins: Places, labels: Places) -> "BinaryEstimator":
        """The same, and what feature scores tell of reference rows; features of shape (n, d)."""
        return replace(self, reweighting=Reweighting.of(features, self.quantities(bins, labels)))

    def estimate(
        self, rows: Reals, *, mix: Mix | None = None, spread: float = 1.0, confidence: float = CONFIDENCE
    ) -> dict[str, Estimated]:
        """The measures of a window, labelled or not.

        Args:
            rows: by bin of the score and answer, shape (bins, 2).
            mix: of the window's features.
            spread: as of the reference.
            confidence: of the bands, in (0, 1).
        """
        held = np.add.reduceat(rows, self.calibration.starts, axis=0)
        chances, shift = self._told(held, mix)
        found = self._measured(rows, held, chances)
        anchored = [name for name in found.slopes if name in self._missed]
        out = {name: Estimated(self._why_not(name, value)) for name, value in found.values.items()}
        if anchored:
            slopes = np.stack([found.slopes[name] for name in anchored])
            noise = spread * held * (chances * (1 - chances))[:, None]
            variances = np.square(slopes).reshape(len(slopes), -1) @ noise.ravel()
            by_cell = slopes[:, :, 0] * held[:, 0] + slopes[:, :, 1] * held[:, 1]
            variances += self._of_reference(by_cell)
            variances += [self._anchors[name] for name in anchored]
            if shift is not None:
                variances += self._of_features(by_cell, held, chances, shift)
            for name, variance in zip(anchored, variances.tolist(), strict=True):
                value = found.values[name]
                assert not isinstance(value, Undefined)  # noqa: S101 (it has slopes)
                out[name] = _banded(name, value - self._missed[name], variance, confidence)
        if self.means is not None and rows.sum() > 0:
            out["expected_calibration_error"] = self._calibration_error(
                rows, chances[self.calibration.cells], confidence
            )
        return {name: out[name] for name in (*found.values, "expected_calibration_error") if name in out}

    def chances(self, rows: Reals, mix: Mix | None = None) -> tuple[Reals, Shift | None]:
        """How likely a row of each bin is positive in a window, and how its features changed that."""
        chances, shift = self._told(np.add.reduceat(rows, self.calibration.starts, axis=0), mix)
        return chances[self.calibration.cells], shift

    def slopes(self, rows: Reals, name: str, mix: Mix | None = None) -> Reals | None:
        """How much a measure grows when a row turns from negative to positive, shape (bins, 2); None without it."""
        held = np.add.reduceat(rows, self.calibration.starts, axis=0)
        found = self._measured(rows, held, self._told(held, mix)[0]).slopes.get(name)
        return None if found is None else found[self.calibration.cells]

    def measure_of(self, name: str) -> Measure:
        """A measure that has slopes, as a function of rows by bin, answer and label."""

        def measure(counts: Reals) -> tuple[float, Reals]:
            found = measured(counts, losses=self._losses, tied=self.tied, scored=self.scored)
            value = found.values[name]
            return (math.nan if isinstance(value, Undefined) else value), found.slopes[name]

        return measure

    @cached_property
    def calibration(self) -> Calibration:
        """How likely a row is positive, by bin."""
        by_label = self.counts.sum(axis=1)
        return calibrated(by_label.sum(axis=1), by_label[:, 1])

    @cached_property
    def _blocks(self) -> Places:
        """The first cell of each block of the calibration."""
        return np.flatnonzero(np.diff(self.calibration.blocks[self.calibration.starts], prepend=-1))

    @cached_property
    def _powers(self) -> Reals:
        return powers(self.calibration.chances[self.calibration.starts])

    @cached_property
    def _losses(self) -> Losses:
        return {} if self.means is None else losses_of(self.means)

    @cached_property
    def _reference(self) -> tuple[Expected, Expected]:
        """The measures of the reference, from its labels and as they would be estimated."""
        real = measured(self.counts, losses=self._losses, tied=self.tied, scored=self.scored)
        rows = self.counts.sum(axis=2)
        held = np.add.reduceat(rows, self.calibration.starts, axis=0)
        return real, self._measured(rows, held, self.calibration.chances[self.calibration.starts])

    @cached_property
    def _missed(self) -> dict[str, float]:
        """By how much the reference's own measures are estimated too high."""
        real, expected = self._reference
        out = {}
        for name, value in expected.values.items():
            truth = real.values[name]
            if not isinstance(value, Undefined) and not isinstance(truth, Undefined):
                out[name] = value - truth
        return out

    @cached_property
    def _anchors(self) -> dict[str, float]:
        """Variances of `_missed` by chance in the reference labels.

        A label moves the realised measure by its own slope, the estimate by the mean slope of its block. What is left
        has sum 0 over a block, so it is uncorrelated with what labels do to the chances.
        """
        real, _ = self._reference
        rows, blocks = self.counts.sum(axis=2), self.calibration.blocks
        noise = self.spread * rows * (self.calibration.chances * (1 - self.calibration.chances))[:, None]
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        out = {}
        for name in self._missed:
            slopes = real.slopes[name]
            pooled = np.add.reduceat((slopes * rows).sum(axis=1), starts) / self.calibration.rows
            out[name] = float(((slopes - pooled[blocks][:, None]) ** 2 * noise).sum())
        return out

    @cached_property
    def _block_variances(self) -> Reals:
        """The variance of each block's chance."""
        chances = self.calibration.chances
        noise = np.bincount(self.calibration.blocks, self.counts.sum(axis=(1, 2)) * chances * (1 - chances))
        return np.asarray(self.spread * noise / self.calibration.rows**2, np.float64)

    def _why_not(self, name: str, value: Value) -> Undefined:
        """Why there is no estimate."""
        if isinstance(value, Undefined):
            return value
        truth = self._reference[0].values[name]
        lacks = truth.why if isinstance(truth, Undefined) else "it has too few rows"
        return Undefined(f"{name} has no value on the reference rows: {lacks}")

    def _told(self, held: Reals, mix: Mix | None) -> tuple[Reals, Shift | None]:
        """See `chances`, by cell; `held` are the window's rows by cell and answer."""
        chances, total = self.calibration.chances[self.calibration.starts], float(held.sum())
        if mix is None or self.reweighting is None or total <= 0 or mix.rows <= 0:
            return chances, None
        shift = self.reweighting.shift(mix.means, sampled=mix.rows, rows=total)
        return tilted(held.sum(axis=1), chances, self._powers, shift.change), shift

    def _measured(self, rows: Reals, held: Reals, chances: Reals) -> Expected:
        """What is expected of rows by bin and answer, `held` by cell, with these chances; slopes by cell."""
        by_bin, by_cell = rows.sum(axis=1), np.maximum(held.sum(axis=1), _TINY)
        losses = {
            name: (
                np.add.reduceat(by_bin * positive, self.calibration.starts) / by_cell,
                np.add.reduceat(by_bin * negative, self.calibration.starts) / by_cell,
            )
            for name, (positive, negative) in self._losses.items()
        }
        return measured(expected_counts(held, chances), losses=losses, scored=self.scored)

    def _of_reference(self, by_cell: Reals) -> Reals:
        """Variances by chance in the calibration.

        Args:
            by_cell: how much measures grow with the chance of a cell, shape (measures, cells).
        """
        pooled = np.add.reduceat(by_cell, self._blocks, axis=1)
        return np.asarray(np.square(pooled) @ self._block_variances, np.float64)

    def _of_features(self, by_cell: Reals, held: Reals, chances: Reals, shift: Shift) -> Reals:
        """Variances by chance in the effect of features; arguments as above."""
        weight = by_cell * (chances * (1 - chances))
        of_sums = np.linalg.solve(
            information(held.sum(axis=1), chances, self._powers), (weight @ self._powers).T
        )
        return np.asarray(held.sum() ** 2 * (of_sums * (shift.covariance @ of_sums)).sum(axis=0), np.float64)

    def _calibration_error(self, rows: Reals, chances: Reals, confidence: float) -> Estimated:
        assert self.means is not None  # noqa: S101 (the caller looked)
        known, of = self.calibration, self.calibration.blocks
        first = np.unique(of, return_index=True)[1]
        errors = np.sqrt(self.spread * (chances * (1 - chances))[first] / np.maximum(known.rows, 1e-300))
        value, deviation = calibration_error(rows.sum(axis=1), chances, self.means, of, errors)
        if isinstance(value, Undefined):
            return Estimated(value)
        return band(value, deviation, confidence=confidence)


def _banded(name: str, value: float, variance: float, confidence: float) -> Estimated:
    least, most = range_of(name)
    value = max(value, -math.inf if least is None else least)
    value = min(value, math.inf if most is None else most)
    return band(value, float(np.sqrt(variance)), confidence=confidence, least=least, most=most)
