"""How good answers of several classes are before labels come, estimated from how probable the answers were.

For each class that is answered, the reference rows tell how likely an answer of each probability is right, and which
label a wrong one has. What is right and what not is told in `estimator`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.estimator import CONFIDENCE, Mix
from watchkeep.core.undefined import Undefined
from watchkeep.stats.classification import multiclass_rates
from watchkeep.stats.expected_counts import Estimated, band, range_of
from watchkeep.stats.isotonic import Calibration, calibrated
from watchkeep.stats.reweighting import Reweighting, Shift, information, powers, tilted

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

DRAWS: Final = 100
"""Labels are drawn so often to see measures scatter."""
SHARED: Final = 50.0
"""Rows of all answers that those of one are told with: classes hardly ever answered lean on the rest."""
_SEED: Final = 1948


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassEstimator:
    """Estimates the measures of a classifier of K classes. Arrays alone; make one by `fit`.

    Args:
        labelled: labelled reference rows by answer and bin of its probability (increasing), shape (K, bins).
            Without probabilities there is one bin.
        right: those whose label is the answer.
        confusion: the same rows by answer and label, shape (K, K).
        reweighting: what the features tell, if anything.
    """

    labelled: Reals
    right: Reals
    confusion: Reals
    reweighting: Reweighting | None = None

    @classmethod
    def fit(cls, labelled: Reals, right: Reals, confusion: Reals) -> "ClassEstimator | Undefined":
        """Learn from labelled reference rows; undefined when there is none.

        >>> right = np.array([[30.0, 50.0], [20.0, 50.0], [10.0, 40.0]])
        >>> confusion = np.diag(right.sum(axis=1)) + 5 * (1 - np.eye(3))
        >>> estimator = ClassEstimator.fit(right + 5, right, confusion)
        >>> found = estimator.estimate(np.array([[0.0, 900.0], [0.0, 900.0], [0.0, 900.0]]))
        >>> round(found["accuracy"].value, 2)
        0.9
        """
        if labelled.sum() <= 0:
            return Undefined("estimates need 1 labelled reference row, have 0")
        rows, hits, by_label = (np.asarray(side, np.float64) for side in (labelled, right, confusion))
        return cls(labelled=rows, right=hits, confusion=by_label)

    def traits(self, answers: Places, bins: Places, right: Places) -> Reals:
        """What features are chosen by: what is right, and how uncertain that is, shape (n, 2).

        Args:
            answers, bins: of the rows, shape (n,).
            right: whether the label is the answer, 0 or 1, shape (n,).
        """
        chances = self.chances[answers, bins]
        return np.stack([right.astype(np.float64), chances * (1 - chances)], axis=1)

    def quantities(self, answers: Places, bins: Places, right: Places) -> Reals:
        """What features are to tell of labelled rows: right less chance, times powers of the log odds, shape (n, 3).

        Args:
            answers, bins: of the rows, shape (n,).
            right: whether the label is the answer, 0 or 1, shape (n,).
        """
        cells = answers * self.labelled.shape[1] + bins
        return np.asarray((right - self.chances.ravel()[cells])[:, None] * self._powers[cells], np.float64)

    def with_features(
        self, features: Reals, answers: Places, bins: Places, right: Places
    ) -> "ClassEstimator":
        """The same, and what feature scores tell of reference rows; features of shape (n, d)."""
        return replace(self, reweighting=Reweighting.of(features, self.quantities(answers, bins, right)))

    def estimate(
        self, rows: Reals, *, mix: Mix | None = None, spread: float = 1.0, confidence: float = CONFIDENCE
    ) -> dict[str, Estimated]:
        """The measures of a window, labelled or not.

        Args:
            rows: by answer and bin of its probability, shape (K, bins).
            mix: of the window's features.
            spread: of weighted rows the sum of squared weights over the sum of weights; else 1.
            confidence: of the bands, in (0, 1).
        """
        flat, chances, shift = rows.ravel(), self.chances.ravel(), None
        if mix is not None and self.reweighting is not None and flat.sum() > 0 and mix.rows > 0:
            shift = self.reweighting.shift(mix.means, sampled=mix.rows, rows=float(flat.sum()))
            chances = tilted(flat, chances, self._powers, shift.change)
        values = multiclass_rates(self._confusion(rows, chances.reshape(rows.shape)))
        drawn = self._drawn(rows, chances, shift, spread)
        out = {}
        for name, value in values.items():
            scattered = [one[name] for one in drawn]
            known = [one for one in scattered if not isinstance(one, Undefined)]
            if isinstance(value, Undefined) or not known:
                out[name] = Estimated(value)
                continue
            least, most = range_of(name)
            out[name] = band(value, float(np.std(known)), confidence=confidence, least=least, most=most)
        return out

    @cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """How likely an answer is right, by bin, for each class."""
        together = self.labelled.sum(axis=0)
        pooled = calibrated(together, self.right.sum(axis=0)).chances
        prior = SHARED * together / together.sum()
        return tuple(
            calibrated(held + prior, right + prior * pooled)
            for held, right in zip(self.labelled, self.right, strict=True)
        )

    @cached_property
    def chances(self) -> Reals:
        """How likely an answer is right, by answer and bin, shape (K, bins)."""
        return np.stack([one.chances for one in self.calibrations])

    @cached_property
    def wrong(self) -> Reals:
        """Which label a wrong answer has: by answer and label, each row's sum 1, its own label 0, shape (K, K)."""
        others = 1 - np.eye(len(self.confusion))
        labels = self.confusion.sum(axis=0) + 1 / len(self.confusion)
        prior = labels * others
        rows = self.confusion * others + prior / np.maximum(prior.sum(axis=1, keepdims=True), 1e-300)
        return np.asarray(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-300), np.float64)

    @cached_property
    def _powers(self) -> Reals:
        return powers(self.chances.ravel())

    def _confusion(self, rows: Reals, chances: Reals) -> Reals:
        """Expected rows by label and answer."""
        right = (rows * chances).sum(axis=1)
        return np.asarray((np.diag(right) + (rows.sum(axis=1) - right)[:, None] * self.wrong).T, np.float64)

    def _drawn(
        self, rows: Reals, chances: Reals, shift: Shift | None, spread: float
    ) -> list[dict[str, float | Undefined]]:
        """The measures of labels drawn for the window, from calibrations drawn for the reference."""
        rng = np.random.default_rng(_SEED)
        held = rows.ravel()
        each = np.empty((DRAWS, held.size))
        for at, one in enumerate(self.calibrations):
            cells = slice(at * rows.shape[1], (at + 1) * rows.shape[1])
            base, of = chances[cells], one.rows[one.blocks]
            error = rng.normal(size=(DRAWS, len(one.rows)))[:, one.blocks] * np.sqrt(base * (1 - base) / of)
            each[:, cells] = base + error
        if shift is not None:
            root = _root(shift.covariance)
            of_sums = np.linalg.solve(information(held, chances, self._powers), held.sum() * root)
            each += (rng.normal(size=(DRAWS, len(root))) @ (self._powers @ of_sums).T) * (
                chances * (1 - chances)
            )
        noise = rng.normal(size=each.shape) * np.sqrt(spread * held * chances * (1 - chances))
        right = np.clip(held * each + noise, 0, held).reshape(DRAWS, *rows.shape).sum(axis=2)
        missed = self._missed(rng, rows.sum(axis=1) - right, spread)
        return [multiclass_rates((np.diag(r) + m).T) for r, m in zip(right, missed, strict=True)]

    def _missed(self, rng: np.random.Generator, wrong: Reals, spread: float) -> Reals:
        """Wrong answers by answer and label, drawn, shape (draws, K, K)."""
        of = np.maximum(self.confusion.sum(axis=1) - self.confusion.diagonal(), 0) + 1
        shares, count = self.wrong, wrong[:, :, None]
        scatter = np.sqrt((spread * count + count**2 / of[:, None]) * shares * (1 - shares))
        drawn = np.maximum(count * shares + rng.normal(size=(len(wrong), *shares.shape)) * scatter, 0)
        drawn *= count / np.maximum(drawn.sum(axis=2, keepdims=True), 1e-300)
        return np.asarray(drawn, np.float64)


def _root(covariance: Reals) -> Reals:
    """A matrix whose product with its transpose is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), np.float64)
