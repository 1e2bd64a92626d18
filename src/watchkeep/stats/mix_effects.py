"""What each column's mix of values does to a mean: a Shapley decomposition over columns of reweighted rows.

Reference rows get the weights nearest to 1 under which the features of some columns S have the means they have in a
window (see `reweighting`). By v(S) the mean of a quantity then changes. The part of a column is its Shapley value in
that game: the mean, over all orders in which columns may be put right one after another, of what it adds. The parts
add up to v of all columns.

References:
    Shapley (1953), Contributions to the Theory of Games 2, 307-317; Deville and Särndal (1992), J. Amer. Statist.
    Assoc. 87, 376-382; Owen (1972), Management Science 18, 64-79 (what a cause adds, averaged over orders).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.stats.reweighting import FLAT, RIDGE
from watchkeep.stats.shapley import design
from watchkeep.stats.special import chi_square_upper

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CHANCE: Final = 0.01
"""By chance, a column whose mix did not change is taken to have changed so often, all columns together."""
_SAMPLES: Final = 1_022  # coalitions: those of 10 columns, all of them


@dataclass(frozen=True, slots=True, eq=False)
class MixEffects:
    """What the mix of some columns does to a mean.

    Args:
        columns: the columns whose mix changed, by number, shape (k,).
        changes: of the mean, by each, shape (k,); they add up to `total`.
        errors: their standard errors, shape (k,).
        total: the change of the mean by all.
        error: its standard error.
    """

    columns: Places
    changes: Reals
    errors: Reals
    total: float
    error: float


def mix_effects(
    features: Reals, columns: Places, quantity: Reals, means: Reals, *, rows: float
) -> MixEffects:
    """Decompose the change of a mean that a window's mix of features brings about.

    Args:
        features: of the reference rows, shape (n, d).
        columns: which column each feature is of, shape (d,).
        quantity: of the reference rows, shape (n,).
        means: the features' means in the window, shape (d,).
        rows: of the window, that they are of.

    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(0, 2, (20_000, 2)).astype(float)
    >>> loss = 0.1 + 0.2 * x[:, 0] + 0.0 * x[:, 1]
    >>> found = mix_effects(x, np.array([0, 1]), loss, np.array([0.8, 0.8]), rows=20_000)
    >>> found.columns.tolist(), found.changes.round(2).tolist(), round(found.total, 2)
    ([0, 1], [0.06, 0.0], 0.06)
    """
    n = len(features)
    centre = features.mean(axis=0)
    scale = np.sqrt(np.maximum(features.var(axis=0), 0.0))
    scale = np.where(scale > FLAT, scale, 1.0)
    standard = (features - centre) / scale
    products = standard.T @ standard + RIDGE * n * np.eye(len(centre))
    across = standard.T @ (quantity - quantity.mean())
    z = (means - centre) / scale
    moved = _moved(products / n, columns, z, 1 / (1 / n + 1 / rows))
    if not len(moved):
        nothing = np.zeros(0)
        return MixEffects(moved, nothing, nothing, 0.0, 0.0)
    each = _weights(products, [np.flatnonzero(columns == column) for column in moved], z)
    slopes = np.linalg.solve(products, across)
    fitted = standard @ slopes
    residual = float(np.mean((quantity - quantity.mean() - fitted) ** 2))
    whole = each.sum(axis=0)
    # A mean over weighted reference rows errs as those weights do; and either mix is one of a sample.
    variance = np.einsum("ij,jk,ik->i", each, products, each) * residual
    return MixEffects(
        columns=moved,
        changes=each @ across,
        errors=np.sqrt(variance + _sampled(products / n, slopes, columns, moved) * (1 / rows + 1 / n)),
        total=float(whole @ across),
        error=float(
            np.sqrt(whole @ products @ whole * residual + float(np.var(fitted)) * (1 / rows + 1 / n))
        ),
    )


def _moved(covariance: Reals, columns: Places, z: Reals, rows: float) -> Places:
    """The columns whose features' means differ beyond chance."""
    every = np.unique(columns)
    kept = []
    for column in every.tolist():
        own = np.flatnonzero(columns == column)
        statistic = rows * float(z[own] @ np.linalg.solve(covariance[np.ix_(own, own)], z[own]))
        if chi_square_upper(len(own), statistic) < CHANCE / len(every):
            kept.append(column)
    return np.array(kept, np.intp)


def _weights(products: Reals, own: list[Places], z: Reals) -> Reals:
    """The weights of each player on `across`, shape (players, d): v(S) is linear in it, and so are Shapley values."""
    players, width = len(own), len(z)
    if players == 1:
        return _solved(products, own[0], z)[None]
    game = design(players, method="permutation", samples=min(_SAMPLES, 2**players - 2))
    asked = game.coalitions
    worth = np.stack(
        [_solved(products, np.concatenate([own[at] for at in np.flatnonzero(who)]), z) for who in asked]
    )
    everybody = _solved(products, np.concatenate(own), z)
    idle = np.zeros(players, np.bool_)
    parts = [
        game.divide(worth[:, at], nobody=0.0, everybody=float(everybody[at]), idle=idle)[0]
        for at in range(width)
    ]
    return np.stack(parts, axis=1)


def _solved(products: Reals, places: Places, z: Reals) -> Reals:
    out = np.zeros(len(z))
    out[places] = np.linalg.solve(products[np.ix_(places, places)], z[places])
    return out


def _sampled(covariance: Reals, slopes: Reals, columns: Places, moved: Places) -> Reals:
    """The variance, from row to row, of what each column's features tell: a window's mix is that of a sample."""
    out = []
    for column in moved.tolist():
        own = np.flatnonzero(columns == column)
        out.append(float(slopes[own] @ covariance[np.ix_(own, own)] @ slopes[own]))
    return np.array(out)
