"""Windows after a baseline: unchanged ones, ones that change, and days of a series exchanged within weekdays.

Everything is a function of names and numbers through its seed, so that every tool sees the same rows, whichever
process draws them and whenever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from bench.alarms.changes import Change
from bench.alarms.data import AT, blocks
from bench.alarms.kinds import KINDS

SEED = 20_261
BEFORE = 4
"""Windows without a change, before the change."""
AFTER = 20
"""Windows with the change: what was not seen by then counts as one more."""


@dataclass(frozen=True, slots=True)
class Look:
    """One window.

    Args:
        rows: of it.
        start, end: its bounds; made up, a day each, where rows have no time.
    """

    rows: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp


def rng_of(*words: object) -> np.random.Generator:
    """Chance that belongs to these words.

    >>> bool(rng_of("adult", 1).random() == rng_of("adult", 1).random() != rng_of("adult", 2).random())
    True
    """
    return np.random.default_rng([SEED, *(crc32(str(word).encode()) for word in words)])


def baseline(table: pd.DataFrame, name: str, seed: int, *, rows: int) -> pd.DataFrame:
    """Rows of a table, none twice, in random order."""
    picked = rng_of(name, seed, "baseline").choice(len(table), min(rows, len(table)), replace=False)
    return table.take(picked).reset_index(drop=True)


def unchanged(table: pd.DataFrame, name: str, seed: int, *, rows: int, windows: int) -> Iterator[Look]:
    """Windows of so many rows of a table, drawn with replacement."""
    rng = rng_of(name, seed, rows, "windows")
    for number in range(windows):
        picked = rng.integers(0, len(table), rows)
        yield _look(table.take(picked).reset_index(drop=True), number)


def changed(
    table: pd.DataFrame,
    name: str,
    seed: int,
    *,
    rows: int,
    change: Change,
    reference: pd.DataFrame,
) -> Iterator[Look]:
    """Windows as `unchanged` has them, with a change in all but the first `BEFORE`."""
    rng = rng_of(name, seed, rows, "change")
    for number, look in enumerate(unchanged(table, name, seed, rows=rows, windows=BEFORE + AFTER)):
        after = number >= BEFORE
        yield _look(change.apply(look.rows, reference, rng), number) if after else look


def changes(
    reference: pd.DataFrame, name: str, seed: int, label: str | None
) -> Iterator[tuple[str, float, Change]]:
    """Kind, strength and change of all that a table can have; one column for all strengths of a kind."""
    for kind, how in KINDS.items():
        for strength in how.strengths:
            drawn = how.draw(reference, label, strength, rng_of(name, seed, kind))
            if drawn is not None:
                yield kind, strength, drawn


def exchanged(series: pd.DataFrame, name: str, seed: int, *, days: int) -> pd.DataFrame:
    """A series whose blocks have changed places: days within their weekday, weeks among all.

    Every row keeps its time of the day and of the week, so that seasons of a day and of a week stay, and what rows
    of a day have in common too; what drifts from month to month does not.
    """
    of = blocks(series, days)
    known, first = np.unique(of, return_index=True)
    lengths = np.diff([*first, len(series)])
    weekday = known % 7 if days == 1 else np.zeros(len(known), np.int64)
    rng = rng_of(name, seed, "exchange")
    source = np.arange(len(known))
    for day in np.unique(weekday):
        places = np.flatnonzero(weekday == day)
        source[places] = rng.permutation(places)
    picked = np.concatenate([np.arange(first[at], first[at] + lengths[at]) for at in source])
    later = np.repeat((known - known[source]) * days, lengths[source])
    frame = series.take(picked).reset_index(drop=True)
    frame[AT] += pd.to_timedelta(later, unit="D").astype(frame[AT].dtype.str.replace("M8", "m8"))
    return frame


def in_blocks(series: pd.DataFrame, *, days: int) -> Iterator[Look]:
    """The blocks of a series, one after another."""
    of = blocks(series, days)
    starts = np.flatnonzero(np.diff(of, prepend=of[0] - 1))
    for begin, end in zip(starts, [*starts[1:], len(of)], strict=True):
        start = pd.Timestamp("1970-01-05") + pd.Timedelta(days=int(of[begin]) * days)
        rows = series.iloc[begin:end].reset_index(drop=True)
        yield Look(rows, start, start + pd.Timedelta(days=days))


def _look(rows: pd.DataFrame, number: int) -> Look:
    start = pd.Timestamp("2026-01-05") + pd.Timedelta(days=number)
    return Look(rows, start, start + pd.Timedelta(days=1))
