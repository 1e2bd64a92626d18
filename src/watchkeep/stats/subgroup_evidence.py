"""How strongly some rows' losses speak against being like the others': log likelihood ratios in nats."""

from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_STEPS: Final = 401
_STEEPEST: Final = 60.0  # in standard deviations: tilts that reach the ends of any bounded scores
_WORTH: Final = 1.0  # nats by the normal approximation, below which the ratio is not worked out
_LEVELS: Final = 512


def savage_scores(losses: Doubles) -> Doubles:
    """What the losses would be if they followed the exponential law, less their mean; shape (n,).

    The i-th smallest of n becomes 1/n + 1/(n - 1) + ... + 1/(n - i + 1) - 1, the expected i-th smallest of n
    exponential variables of mean 1, less 1; equal losses share the mean of theirs. So no single row carries a
    segment, however heavy the tail, while losses that are 0 or 1 keep their shape.

    References:
        Savage (1956), Ann. Math. Statist. 27, 590-615: the locally best rank test of scale for exponential laws.

    >>> savage_scores(np.array([0.0, 5.0, 5.0, 1e9])).round(3).tolist()
    [-0.75, -0.167, -0.167, 1.083]
    """
    n = len(losses)
    expected = np.cumsum(1.0 / np.arange(n, 0, -1)) - 1.0
    sums = np.concatenate(([0.0], np.cumsum(expected)))
    _, which, counts = np.unique(losses, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Doubles = (sums[ends] - sums[ends - counts]) / counts
    return means[which]


class Rate:
    """The large-deviation rate of a sample's mean: n times it, in nats, is the cost of that mean among n rows.

    R(m) = sup over t of t m - log(mean of exp(t s)), s the scores. For losses of 0 and 1 it is the binomial's
    Kullback-Leibler divergence, near the mean (m - mean)^2 / (2 variance). n_a R(m_a) + n_b R(m_b) - n R(m) is the
    log likelihood ratio of "two means" against "one mean" in the exponential family that tilts the sample.

    Args:
        scores: shape (rows,), not all equal.

    References:
        Kulldorff (1997), Comm. Statist. 26, 1481-1496, for scan statistics as likelihood ratios.

    >>> rate = Rate(np.repeat([0.0, 1.0], [70, 30]))
    >>> exact = 0.6 * np.log(0.6 / 0.3) + 0.4 * np.log(0.4 / 0.7)
    >>> bool(abs(rate(np.array([0.6]))[0] - exact) < 1e-5)
    True
    """

    def __init__(self, scores: Doubles) -> None:
        values, shares = _levels(scores)
        self.mean = float(values @ shares)
        self.variance = float(((values - self.mean) ** 2) @ shares)
        # Tilts are dense around none, where most means are.
        tilts = _STEEPEST * np.sinh(np.linspace(-10, 10, _STEPS)) / (np.sinh(10) * np.sqrt(self.variance))
        powers = np.outer(tilts, values - self.mean)
        top = powers.max(axis=1, keepdims=True)
        weights = np.exp(powers - top) * shares
        totals = weights.sum(axis=1)
        means = weights @ (values - self.mean) / totals
        rates = tilts * means - (top[:, 0] + np.log(totals))
        # The signed root is close to a line, so that straight pieces between the steps do.
        self._means = means + self.mean
        self.lowest, self.highest = float(self._means[0]), float(self._means[-1])
        self._roots = np.sign(tilts) * np.sqrt(np.maximum(rates, 0))

    def __call__(self, means: Doubles) -> Doubles:
        """The rate at some means, nats per row, >= 0; means beyond the scores count as the nearest score."""
        return np.asarray(np.interp(means, self._means, self._roots)) ** 2

    def ratio(self, n: tuple[Doubles, Doubles], means: tuple[Doubles, Doubles]) -> Doubles:
        """The log likelihood ratio of two means against one, nats; n are effective rows. All of shape (k,).

        At most what the normal approximation gives with the variance of all scores: where losses hardly ever
        were, a few are no chance, and yet no great part of the loss. Below one nat the approximation is the answer.
        """
        first, second = n
        high, low = (np.clip(each, self.lowest, self.highest) for each in means)
        both = first + second
        out: Doubles = (high - low) ** 2 * first * second / (2 * self.variance * both)
        at = np.flatnonzero(out > _WORTH)
        a, b, x, y = first[at], second[at], high[at], low[at]
        exact = a * self(x) + b * self(y) - both[at] * self((a * x + b * y) / both[at])
        out[at] = np.minimum(out[at], exact)
        return out


def evidence(sums: Doubles, totals: Doubles, rate: Rate) -> Doubles:
    """What the losses of segments say for their being worse than all rows, nats; -inf where they are not worse.

    With one sample: n R(m), the log likelihood ratio of "its rows have their own mean" against "the mean of all".
    With two, the second being the baseline: of "its mean rose otherwise" against "it rose as that of all rows did".
    Only the segment's own rows speak. Were the others to speak too, as in scan statistics, one harmless corner
    would make everything but that corner a segment.

    Args:
        sums: sum of weights, of their squares, and of weights times scores; shape (samples, 3, segments), each
            segment with rows.
        totals: the same for all rows, shape (samples, 3).
        rate: of the scores.

    Returns:
        Shape (segments,).
    """
    n = sums[:, 0] ** 2 / sums[:, 1]
    mean = sums[:, 2] / sums[:, 0]
    usual = totals[:, 2] / totals[:, 0]
    above: Doubles = mean - usual[:, None]
    if len(sums) == 1:
        out = n[0] * rate(np.clip(above[0] + rate.mean, rate.lowest, rate.highest))
        return np.where(above[0] > 0, out, -np.inf)
    out = rate.ratio((n[0], n[1]), (mean[0], mean[1] + usual[0] - usual[1]))
    return np.where(above[0] > above[1], out, -np.inf)


def _levels(scores: Doubles) -> tuple[Doubles, Doubles]:
    """At most `_LEVELS` levels that stand for the scores, and the share of rows at each."""
    values, counts = np.unique(scores, return_counts=True)
    if len(values) > _LEVELS:
        # Equal shares of rows, but the extremes one by one: they make the tails.
        places = np.minimum(np.cumsum(counts) * (_LEVELS // 2) // len(scores), _LEVELS // 2)
        places[-_LEVELS // 4 :] = _LEVELS // 2 + 1 + np.arange(len(places[-_LEVELS // 4 :]))
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        weights = np.add.reduceat(counts, starts)
        values = np.add.reduceat(values * counts, starts) / weights
        counts = weights
    return values, counts / len(scores)
