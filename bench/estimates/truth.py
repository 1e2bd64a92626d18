"""What labels say of each window, by scikit-learn: a source of its own."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import metrics

from bench.estimates.data import Table

Reals = npt.NDArray[np.float64]


def truths(table: Table, after: pd.DataFrame) -> dict[str, Reals]:
    """The realised measures by window."""
    of: Mapping[str, Callable[[Table, pd.DataFrame], dict[str, float]]] = {
        "classification_binary": _two,
        "classification_multiclass": _classes,
        "regression": _numbers,
    }
    found = [
        of[table.problem](table, after.iloc[at : at + table.window])
        for at in range(0, len(after), table.window)
    ]
    return {name: np.array([each[name] for each in found]) for name in found[0]}


def _two(table: Table, window: pd.DataFrame) -> dict[str, float]:
    y, prediction = window[table.label].to_numpy(int), window[table.prediction].to_numpy(int)
    score = window[next(iter(table.scores.values()))].to_numpy(float)
    out = {
        "accuracy": metrics.accuracy_score(y, prediction),
        "precision": metrics.precision_score(y, prediction, zero_division=np.nan),
        "recall": metrics.recall_score(y, prediction, zero_division=np.nan),
        "f1": metrics.f1_score(y, prediction, zero_division=np.nan),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, prediction),
        "matthews": metrics.matthews_corrcoef(y, prediction),
        "log_loss": metrics.log_loss(y, score, labels=[0, 1]),
        "brier": metrics.brier_score_loss(y, score),
    }
    if len(np.unique(y)) == 2:
        curves = {"auc": metrics.roc_auc_score(y, score), "pr_auc": metrics.average_precision_score(y, score)}
    else:
        curves = {"auc": np.nan, "pr_auc": np.nan}
    return {"auc": curves["auc"], "pr_auc": curves["pr_auc"], **out}


def _classes(table: Table, window: pd.DataFrame) -> dict[str, float]:
    y, prediction = window[table.label].to_numpy(), window[table.prediction].to_numpy()
    out = {
        "accuracy": metrics.accuracy_score(y, prediction),
        "matthews": metrics.matthews_corrcoef(y, prediction),
    }
    for average in ("macro", "weighted"):
        shared = {"average": average, "zero_division": 0}
        out[f"{average}_precision"] = metrics.precision_score(y, prediction, **shared)
        out[f"{average}_recall"] = metrics.recall_score(y, prediction, **shared)
        out[f"{average}_f1"] = metrics.f1_score(y, prediction, **shared)
    return out


def _numbers(table: Table, window: pd.DataFrame) -> dict[str, float]:
    y, prediction = window[table.label].to_numpy(float), window[table.prediction].to_numpy(float)
    mse = metrics.mean_squared_error(y, prediction)
    return {
        "mae": metrics.mean_absolute_error(y, prediction),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": metrics.r2_score(y, prediction),
    }
