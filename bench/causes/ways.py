"""Who ranks features: Watchkeep in three ways, and plain rankings that anybody could write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.stats import chi2_contingency, ks_2samp

import watchkeep as wk
from bench.alarms.columns import numbers
from bench.causes.relations import cramers_v
from bench.causes.tables import Setup, arrow

DATA: Final = "data"
ATTRIBUTION: Final = "attribution"
BOTH: Final = "both"
_TOGETHER: Final = "Baselines"  # of the API, from the release on that has them
WAYS: Final = (DATA, ATTRIBUTION, BOTH)

_TREES: Final = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "seed": 1, "verbose": -1}
_ROUNDS: Final = 60
_BINS: Final = 10
_FLOOR: Final = 1e-4

Told = list[tuple[str, str]]
"""Subjects, the first to look at first, each with the bug that is named of it; "" where none is."""


def available() -> tuple[str, ...]:
    """The ways that this Watchkeep has."""
    return WAYS if hasattr(wk, _TOGETHER) else (DATA, ATTRIBUTION)


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """A setup's baselines and model.

    Args:
        data: of data quality.
        why: of attribution, with the model.
        reference: the rows they were learned from.
        shares: the mean |contribution| of each feature in them.
        booster: the model.
    """

    data: wk.Baseline
    why: wk.Baseline
    reference: pd.DataFrame
    shares: npt.NDArray[np.float64]
    booster: lightgbm.Booster

    @classmethod
    def learn(cls, cut: Setup, scratch: Path) -> Self:
        """Train a model, and learn both baselines; the model's file stays in `scratch`."""
        booster = lightgbm.train(_TREES, lightgbm.Dataset(cut.train, cut.label), _ROUNDS)
        model = scratch / f"{cut.table}-{cut.number}.txt"
        booster.save_model(model)
        rows = arrow(cut.reference)
        return cls(
            data=wk.DataQuality().baseline(rows),
            why=wk.Attribution(model=model).baseline(rows),
            reference=cut.reference,
            shares=_shares(booster, cut.reference),
            booster=booster,
        )


def ranked(way: str, judges: Judges, window: pa.Table) -> Told:
    """What a window's report tells of causes, in one of `WAYS`."""
    if way == BOTH:
        found = getattr(wk, _TOGETHER)(judges.data, judges.why).check(window)
        return [(str(one.subject), str(one.pattern or "")) for one in found.causes]
    baseline = judges.data if way == DATA else judges.why
    causes = baseline.check(window).document()["causes"]
    assert isinstance(causes, list)
    return [(str(one["subject"]), str(one.get("pattern") or "")) for one in causes]


def by_test(judges: Judges, window: pd.DataFrame) -> list[str]:
    """Smallest p-value first: Kolmogorov-Smirnov of numbers, chi-square of categories; equal ones by D or V."""
    weights = {}
    for name in window.columns:
        before, after = judges.reference[name].dropna(), window[name].dropna()
        if not len(after):
            weights[str(name)] = (0.0, 1.0)
        elif pd.api.types.is_numeric_dtype(before):
            found = ks_2samp(numbers(before), numbers(after), method="asymp")
            weights[str(name)] = (-float(found.pvalue), float(found.statistic))
        else:
            texts = pd.concat([before.astype(object), after.astype(object)], ignore_index=True)
            later = pd.Series(np.arange(len(texts)) >= len(before))
            counts = pd.crosstab(later, texts).to_numpy()
            p = chi2_contingency(counts, correction=False).pvalue if counts.shape[1] > 1 else 1.0
            weights[str(name)] = (-float(p), cramers_v(later, texts))
    return sorted(weights, key=lambda name: weights[name], reverse=True)


def by_psi(judges: Judges, window: pd.DataFrame) -> list[str]:
    """Largest population stability index first: tenths of the baseline or categories, and a bin of what is missing."""
    weights = {}
    for name in window.columns:
        before, after = (_binned(rows[name], judges.reference[name]) for rows in (judges.reference, window))
        shares = pd.concat([one.value_counts(normalize=True) for one in (before, after)], axis=1).fillna(0)
        old, new = (shares.iloc[:, at].clip(lower=_FLOOR).to_numpy(np.float64) for at in (0, 1))
        weights[str(name)] = float(np.sum((new - old) * np.log(new / old)))
    return sorted(weights, key=lambda name: weights[name], reverse=True)


def by_shap(judges: Judges, window: pd.DataFrame) -> list[str]:
    """Largest change of the mean |contribution| to the model's score first."""
    change = np.abs(_shares(judges.booster, _as_trained(window, judges.reference)) - judges.shares)
    names = [str(name) for name in window.columns]
    return [names[at] for at in np.argsort(-change, kind="stable")]


PEERS: Final[Mapping[str, Callable[[Judges, pd.DataFrame], list[str]]]] = MappingProxyType(
    {"smallest p-value": by_test, "largest PSI": by_psi, "largest change of mean abs. SHAP": by_shap}
)


def _shares(booster: lightgbm.Booster, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    told = np.asarray(booster.predict(rows, pred_contrib=True), np.float64)
    means: npt.NDArray[np.float64] = np.abs(told[:, :-1]).mean(axis=0)
    return means


def _as_trained(window: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The columns' types are those the model knows; a category it does not know is missing to it."""
    columns = {}
    for name in window.columns:
        if pd.api.types.is_numeric_dtype(reference[name]):
            columns[name] = numbers(window[name])
        else:
            columns[name] = pd.Categorical(window[name].astype(object), dtype=reference[name].dtype)
    return pd.DataFrame(columns)


def _binned(values: pd.Series, reference: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(reference):
        return values.astype(object).where(values.notna(), "missing")
    edges = np.unique(np.nanquantile(numbers(reference), np.linspace(0, 1, _BINS + 1)[1:-1]))
    found = numbers(values)
    return pd.Series(np.where(np.isnan(found), -1, np.searchsorted(edges, found, side="right")))
