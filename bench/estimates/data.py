"""Real tables with a model's predictions: rows to learn from, later rows, and the later rows' labels."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import pandas as pd

from bench.alarms.data import NANNYML
from bench.alarms.downloads import fetch, member

Problem = Literal["classification_binary", "classification_multiclass", "regression"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what its columns are.

    Args:
        says: what the page says it is.
        problem: as NannyML calls it.
        read: (archive) to reference rows, later rows, and the labels of the later rows.
        label, prediction: columns.
        scores: the column of the positive class, or of each class by its name; none of numbers.
        dropped: columns that are no features.
        window: rows of a window.
        goals: measures that are to be missed by no more than others miss them.
    """

    says: str
    problem: Problem
    read: Callable[[Path], tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]
    label: str
    prediction: str
    scores: Mapping[str, str]
    dropped: tuple[str, ...]
    window: int = 5_000
    goals: tuple[str, ...] = ()

    def features(self, frame: pd.DataFrame) -> list[str]:
        """The columns of features."""
        others = {self.label, self.prediction, *self.scores.values(), *self.dropped}
        return [str(name) for name in frame.columns if name not in others]


def load(name: str, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reference rows and later rows, both with labels; texts as categories of the reference rows.

    Raises:
        CommandError: the package cannot be had.
    """
    table = TABLES[name]
    reference, after, labels = table.read(fetch(NANNYML, folder))
    after = after.merge(labels[["id", table.label]], on="id")
    for column in table.features(reference):
        if not pd.api.types.is_numeric_dtype(reference[column]):
            known = pd.CategoricalDtype(sorted(reference[column].dropna().astype(str).unique()))
            for frame in (reference, after):
                frame[column] = frame[column].astype(str).astype(known)
    return reference, after


def _parquet(stem: str) -> Callable[[Path], tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    ends = (f"{stem}_reference.pq", f"{stem}_analysis.pq", f"{stem}_analysis_target.pq")

    def read(archive: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        one, two, three = (pd.read_parquet(io.BytesIO(member(archive, f"data/{end}"))) for end in ends)
        return one, two, three

    return read


def _csv(stem: str, labels: str) -> Callable[[Path], tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    ends = (f"{stem}_reference.csv", f"{stem}_analysis.csv", f"{stem}_{labels}.csv")

    def read(archive: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        one, two, three = (pd.read_csv(io.BytesIO(member(archive, f"data/{end}"))) for end in ends)
        return one, two, three

    return read


TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "employment": Table(
            "census of Massachusetts: 2015, then 2016 to 2018",
            "classification_binary",
            _parquet("employment_MA"),
            "employed",
            "prediction",
            {"1": "predicted_probability"},
            ("id", "year"),
            goals=("auc", "accuracy"),
        ),
        "housing": Table(
            "blocks of houses in California, from other places later",
            "classification_binary",
            _csv("california_housing", "analysis_gt"),
            "clf_target",
            "y_pred",
            {"1": "y_pred_proba"},
            ("id", "timestamp"),
            window=1_000,
        ),
        "loans": Table(
            "made up: loans for cars, with a shift half-way",
            "classification_binary",
            _csv("synthetic_car_loan", "analysis_target"),
            "repaid",
            "y_pred",
            {"1": "y_pred_proba"},
            ("id", "timestamp"),
        ),
        "cards": Table(
            "made up: which of three credit cards, with a shift half-way",
            "classification_multiclass",
            _csv("mc", "analysis_gt"),
            "y_true",
            "y_pred",
            {name: f"y_pred_proba_{name}" for name in ("highstreet_card", "prepaid_card", "upmarket_card")},
            ("id", "timestamp"),
        ),
        "cars": Table(
            "made up: prices of used cars, with a shift half-way",
            "regression",
            _csv("regression_synthetic", "analysis_targets"),
            "y_true",
            "y_pred",
            {},
            ("id", "timestamp"),
            goals=("mae", "rmse"),
        ),
    }
)
