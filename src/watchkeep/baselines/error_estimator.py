"""How large the errors of predicted numbers are before labels come, estimated from the features.

The mean error of a window is that of the reference rows, given the window's mix of features: rows of some features
err more than others, and often it is two features together that tell. The prediction is to be among the features.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.estimator import CONFIDENCE, Mix
from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.expected_counts import Estimated, band, range_of
from watchkeep.stats.regression import regression_rates
from watchkeep.stats.reweighting import Reweighting, Shift

Reals = npt.NDArray[np.float64]

LEAST_SHARE: Final = 0.05
"""No mix of features makes an error smaller than this share of the reference's."""
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of a window.

    Args:
        mean: their mean.
        square: the mean of their squares.
    """

    mean: float
    square: float


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorEstimator:
    """Estimates the errors of predicted numbers. Arrays alone; make one by `fit`.

    Args:
        centre, scale: of the reference predictions: their mean, and their deviation, > 0.
        losses: reference means of |e|, e^2, e and e z, with e = prediction - label and z the prediction, both in units
            of `scale`, z counted from `centre`; shape (4,).
        covariance: of these four over rows.
        rows: labelled reference rows.
        reweighting: what the features tell, if anything.
    """

    centre: float
    scale: float
    losses: Reals
    covariance: Reals
    rows: float
    reweighting: Reweighting | None = None

    @classmethod
    def fit(
        cls, errors: Reals, predictions: Reals, *, features: Reals | None = None
    ) -> "ErrorEstimator | Undefined":
        """Learn from labelled reference rows, all or a sample; undefined when there are fewer than two.

        Args:
            errors: prediction - label, shape (n,).
            predictions: shape (n,).
            features: scores, shape (n, d).

        >>> errors = np.array([1.0, -1.0] * 50 + [3.0, -3.0] * 50)
        >>> kind = np.repeat([[-1.0], [1.0]], 100, axis=0)
        >>> estimator = ErrorEstimator.fit(errors, np.arange(200.0), features=kind)
        >>> round(estimator.estimate(1000, mix=Mix(np.array([1.0]), 1000.0))["mae"].value, 2)
        3.0
        """
        if len(errors) < 2:
            return Undefined(f"estimates need 2 labelled reference rows, have {len(errors)}")
        centre, scale = float(predictions.mean()), float(predictions.std()) or 1.0
        each = quantities(errors / scale, (predictions - centre) / scale)
        found = None if features is None else Reweighting.of(features, each)
        mean, covariance = each.mean(axis=0), np.cov(each, rowvar=False)
        return cls(
            centre=centre,
            scale=scale,
            losses=mean,
            covariance=covariance,
            rows=float(len(errors)),
            reweighting=found,
        )

    def estimate(
        self,
        rows: float,
        *,
        mix: Mix | None = None,
        predictions: Predictions | None = None,
        spread: float = 1.0,
        confidence: float = CONFIDENCE,
    ) -> dict[str, Estimated]:
        """The errors of a window, labelled or not: `mae`, `mse`, `rmse`, `r2`.

        Args:
            rows: of the window.
            mix: of the window's features.
            predictions: of the window; without them there is no `r2`.
            spread: of weighted rows the sum of squared weights over the sum of weights; else 1.
            confidence: of the bands, in (0, 1).
        """
        if rows <= 0:
            return {
                name: Estimated(Undefined(f"{name} needs 1 row, has 0"))
                for name in ("mae", "mse", "rmse", "r2")
            }
        losses, covariance = self._window(rows, mix, spread)
        values = self._rates(losses, predictions)
        out = {}
        for name, value in values.items():
            if isinstance(value, Undefined):
                out[name] = Estimated(value)
                continue
            slopes = self._slopes(name, losses, predictions)
            deviation = math.sqrt(max(0.0, float(slopes @ covariance @ slopes)))
            least, most = range_of(name)
            out[name] = band(value, deviation, confidence=confidence, least=least, most=most)
        return out

    def _window(self, rows: float, mix: Mix | None, spread: float) -> tuple[Reals, Reals]:
        """The mean losses of a window, and the covariance of what they miss."""
        if mix is None or self.reweighting is None or mix.rows <= 0:
            return self.losses, self.covariance * (spread / rows + 1 / self.rows)
        shift: Shift = self.reweighting.shift(mix.means, sampled=mix.rows, rows=rows)
        losses = self.losses + shift.change
        losses[:2] = np.maximum(losses[:2], LEAST_SHARE * self.losses[:2])
        # Errors that are so many times as large scatter so many times as much.
        larger = np.where(
            self.losses[:2] > 0, losses[:2] / np.where(self.losses[:2] > 0, self.losses[:2], 1.0), 1.0
        )
        factors = np.append(larger, [larger[0], larger[0]])
        noise = self.reweighting.residual * np.outer(factors, factors)
        return losses, noise * (spread / rows) + self.reweighting.residual / self.rows + shift.covariance

    def _rates(self, losses: Reals, predictions: Predictions | None) -> dict[str, Value]:
        absolute, square, error, product = losses.tolist()
        spread = 0.0
        if predictions is not None:
            mean = (predictions.mean - self.centre) / self.scale
            squares = (
                predictions.square - 2 * self.centre * predictions.mean + self.centre**2
            ) / self.scale**2
            spread = max(0.0, squares - 2 * product + square - (mean - error) ** 2)
        found = regression_rates(
            1.0,
            absolute=absolute * self.scale,
            squared=square * self.scale**2,
            label_squares=spread * self.scale**2,
        )
        if predictions is None:
            found["r2"] = Undefined("r2 needs the predictions of the window, has none")
        return found

    def _slopes(self, name: str, losses: Reals, predictions: Predictions | None) -> Reals:
        """How much a measure grows with each of the losses, by central differences."""
        out = np.zeros(len(losses))
        for at in range(len(losses)):
            step = _STEP * max(
                abs(float(losses[at])), math.sqrt(float(self.covariance[at, at])) * _STEP, _STEP**2
            )
            ends = []
            for sign in (1, -1):
                moved = losses.copy()
                moved[at] += sign * step
                ends.append(self._rates(moved, predictions)[name])
            up, down = ends
            if not isinstance(up, Undefined) and not isinstance(down, Undefined):
                out[at] = (up - down) / (2 * step)
        return out


def quantities(errors: Reals, predictions: Reals) -> Reals:
    """What features are to tell of labelled rows: |e|, e^2, e and e z, shape (n, 4).

    Args:
        errors: e = prediction - label, in any unit, shape (n,).
        predictions: z, in the same unit, counted from their mean, shape (n,).
    """
    return np.stack([np.abs(errors), errors**2, errors, errors * predictions], axis=1)
