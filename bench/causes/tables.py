"""Real tables with labels, cut anew by each setup into rows for a model, for a baseline and for windows."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.alarms.data import AT, NANNYML
from bench.alarms.data import load as load_rows
from bench.alarms.downloads import fetch, member

WINDOW: Final = 2_000
"""Rows of a window."""
_BASELINE: Final = 10_000
_TRAINED: Final = 10_000
_LABEL: Final = "label"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a label of two classes.

    Args:
        read: gets them, from a folder of downloads; the label is in a column `label`.
        says: what the page says they are.
    """

    read: Callable[[Path], pd.DataFrame]
    says: str


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A table, cut.

    Args:
        table: its name.
        number: which cut of it: the seed.
        train: features of the rows that a model learns from.
        label: theirs, 0 or 1.
        reference: the baseline's rows.
        rest: rows for windows.
    """

    table: str
    number: int
    train: pd.DataFrame
    label: pd.Series
    reference: pd.DataFrame
    rest: pd.DataFrame


def setup(name: str, number: int, folder: Path) -> Setup:
    """A cut of a table: up to 10,000 rows to train on and to learn from, and at least a window's rows left.

    Args:
        name: a key of `TABLES`.
        number: the seed, >= 0.
        folder: downloads.

    Raises:
        CommandError: the table cannot be had.
    """
    rows = whole(name, folder)
    order = np.random.default_rng([list(TABLES).index(name), number]).permutation(len(rows))
    usable = len(rows) - WINDOW
    trained, learned = min(_TRAINED, usable // 3), min(_BASELINE, usable - usable // 3)
    rows = rows.take(order).reset_index(drop=True)
    features = rows.drop(columns=_LABEL)
    return Setup(
        table=name,
        number=number,
        train=features[:trained],
        label=rows[_LABEL][:trained],
        reference=features[trained : trained + learned].reset_index(drop=True),
        rest=features[trained + learned :].reset_index(drop=True),
    )


@cache
def whole(name: str, folder: Path) -> pd.DataFrame:
    """All rows of a table, read once by a process."""
    return TABLES[name].read(folder)


def arrow(frame: pd.DataFrame) -> pa.Table:
    """Rows as a file would hold them: numbers, and texts.

    >>> rows = pd.DataFrame({"n": [1.5, None], "c": pd.Categorical(["a", None])})
    >>> [str(one) for one in arrow(rows).schema.types]
    ['double', 'string']
    """
    columns = {}
    for name in frame.columns:
        values = frame[name]
        texts = not pd.api.types.is_numeric_dtype(values)
        columns[str(name)] = (
            pa.array(values.astype(object).where(values.notna(), None), pa.string())
            if texts
            else pa.array(values, from_pandas=True)
        )
    return pa.table(columns)


def adult(folder: Path) -> pd.DataFrame:
    """Census income: is it above 50,000?"""
    rows = load_rows("adult", folder)
    return rows.drop(columns="income").assign(label=(rows["income"] == ">50K").astype(int))


def housing(folder: Path) -> pd.DataFrame:
    """Houses in California: is the value above what nannyml chose?"""
    archive = fetch(NANNYML, folder / "packages")
    parts = {
        name: pd.read_csv(io.BytesIO(member(archive, f"data/california_housing_{name}.csv")))
        for name in ("reference", "analysis", "analysis_gt")
    }
    later = parts["analysis"].merge(parts["analysis_gt"], on="id", validate="one_to_one")
    rows = pd.concat([parts["reference"], later], ignore_index=True).rename(columns={"clf_target": _LABEL})
    return rows.drop(columns=["id", "timestamp", "y_pred_proba", "y_pred"])


def employment(folder: Path) -> pd.DataFrame:
    """People of Massachusetts in 2015: are they employed?"""
    archive = fetch(NANNYML, folder / "packages")
    rows = pd.read_parquet(io.BytesIO(member(archive, "data/employment_MA_reference.pq")))
    rows = rows.drop(columns=["id", "year", "prediction", "predicted_probability"])
    texts = [name for name in rows.columns if not pd.api.types.is_numeric_dtype(rows[name])]
    return rows.astype(dict.fromkeys(texts, "category")).rename(columns={"employed": _LABEL})


def flights(folder: Path) -> pd.DataFrame:
    """Departures from New York that arrived: more than a quarter of an hour late?"""
    rows = load_rows("flights", folder)
    rows = rows[rows["arr_delay"].notna()].reset_index(drop=True)
    times = {"hour": rows[AT].dt.hour.astype(np.int64), "weekday": rows[AT].dt.day_name().astype("category")}
    late = (rows["arr_delay"] > 15).astype(int)
    return rows.drop(columns=["arr_delay", AT]).assign(**times, label=late)


def weather(folder: Path) -> pd.DataFrame:
    """Hours at three airports of New York: did it rain?"""
    rows = load_rows("weather", folder)
    hour = rows[AT].dt.hour.astype(np.int64)
    return rows.drop(columns=["precip", AT]).assign(hour=hour, label=(rows["precip"] > 0).astype(int))


TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "adult": Table(adult, "census income of 1994, 6 numbers and 8 categories"),
        "housing": Table(housing, "houses in California, 8 numbers"),
        "employment": Table(
            employment, "people of Massachusetts in 2015, 1 number and 15 codes kept as texts"
        ),
        "flights": Table(flights, "departures from New York in 2013, 4 numbers and 3 categories"),
        "weather": Table(weather, "hours at airports of New York in 2013, 8 numbers and 1 category"),
    }
)
"""The tables, in the order in which cases take them."""
