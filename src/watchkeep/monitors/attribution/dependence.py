"""How the score goes with a feature: curves of a baseline and of a window, over one grid."""

from dataclasses import dataclass
from typing import Final

from watchkeep.core.undefined import Undefined
from watchkeep.stats.attribution_drift import Doubles

FEATURES: Final = 10
"""Features whose curves are told: those with the largest attribution (SageMaker Clarify's `top_k_features`)."""
ROWS: Final = 100
"""Rows that a curve is the mean over, at the most."""

Category = str | bool | int | float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Partial dependence over some rows: the mean score if all of them had a value of the grid, for each value.

    Args:
        predictions: mean scores as the model gives them, shape (labels, values).
        distribution: the share of rows in each bucket or category, of those that have a value, shape (values,); what
            lies outside the grid is in none.
        rows: how many the mean is over.
    """

    predictions: Doubles
    distribution: Doubles
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """A feature's curves, over the baseline's grid.

    Args:
        feature: its name.
        numerical: whether the grid is one of numbers; of categories otherwise.
        values: the grid: centres of buckets, upwards, or categories, the most frequent first.
        baseline: of the baseline's rows, or why there is none.
        window: of the window's rows, or why there is none; None where no window is compared.
    """

    feature: str
    numerical: bool
    values: tuple[Category, ...]
    baseline: Curve | Undefined
    window: Curve | Undefined | None = None
