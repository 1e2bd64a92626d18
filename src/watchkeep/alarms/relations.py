"""The witness of how columns hang together."""

from dataclasses import dataclass

import numpy as np

from watchkeep.alarms.witness import Chances, Change, Reals
from watchkeep.baselines.relations import RelationBaseline
from watchkeep.stats.normal import log_upper, unskewed

_TOLD = 0.7  # the share of the evidence that the predictions have; the pairs have the rest
_ROWS_PER_KURTOSIS = 20.0  # rows for each unit of an influence's kurtosis, before its sum is near normal


@dataclass(frozen=True, eq=False)
class Relations:
    """Judges correlations of columns, and of each column with what the others tell of it.

    Args:
        known: what the baseline's rows have shown.
    """

    known: RelationBaseline

    @property
    def subjects(self) -> tuple[str, ...]:
        """The columns."""
        return self.known.subjects

    @property
    def baseline(self) -> Reals:
        """The baseline's sums."""
        return self.known.sums

    def chances(self, segments: Reals, references: Reals, *, margin: float) -> tuple[Chances, ...]:
        """The chances that relations differ as much as they do."""
        known, width = self.known, len(self.subjects)
        n, m = segments[:, :1], references[:, :1]
        with np.errstate(divide="ignore", invalid="ignore"):
            m = 1 / (1 / m + margin**2)
            h2 = 1 / n + 1 / m
            z = (self._relations(segments) - self._relations(references)) / (known.deviations * np.sqrt(h2))
            # A difference is skewed as its rows are, the less the more alike both numbers of rows are.
            lean = (1 / n**2 - 1 / m**2) / h2**1.5
            skews = known.skews[0] * lean + np.where(z < 0, -1.0, 1.0) * known.skews[1] * np.abs(lean)
        enough = np.minimum(n, m) >= np.maximum(width, _ROWS_PER_KURTOSIS * known.kurtoses)
        good = enough & (known.deviations > 0) & np.isfinite(z)
        z, skews = np.where(good, z, 0.0), np.where(good, skews, 0.0)
        # Where rows as skewed could not be, the skewness is not to be trusted.
        normal = np.abs(np.where(z * skews < 0, z, unskewed(z, skews)))
        logs = np.minimum(0.0, np.log(2.0) + log_upper(normal))
        told = Chances(Change.RELATION, np.arange(width), np.full(width, _TOLD), logs[:, :width])
        # A pair speaks of both its columns.
        each = np.full(len(known.pairs[0]), (1 - _TOLD) / (width - 1))
        return (told, *(Chances(Change.RELATION, of, each, logs[:, width:]) for of in known.pairs))

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:  # noqa: ARG002 (as others have it)
        """None: a change of relations is in no column's unit."""
        return np.full(len(self.subjects), np.nan)

    def _relations(self, sums: Reals) -> Reals:
        """Correlations with the predictions, then of the pairs, shape (segments, d + pairs)."""
        width, tellers = len(self.subjects), self.known.tellers
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums[:, 1 : 1 + width] / sums[:, :1]
            products = np.empty((len(sums), width, width))
            upper = np.triu_indices(width)
            products[:, upper[0], upper[1]] = sums[:, 1 + width :] / sums[:, :1]
            products[:, upper[1], upper[0]] = products[:, upper[0], upper[1]]
            covariance = products - means[:, :, None] * means[:, None, :]
            variance = np.einsum("sii->si", covariance)
            crossed = np.matmul(tellers, covariance)
            with_told = np.einsum("sii->si", crossed)
            of_told = (crossed * tellers).sum(axis=2)
            multiple = with_told / np.sqrt(variance * of_told)
            first, second = self.known.pairs
            simple = covariance[:, first, second] / np.sqrt(variance[:, first] * variance[:, second])
        return np.concatenate([multiple, simple], axis=1)
