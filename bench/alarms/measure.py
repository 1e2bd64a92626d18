"""What streams say of a tool: how often it rings for nothing, how soon for something, and whom it names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from statistics import fmean
from typing import Any, Final

from scipy.stats import beta

from bench.alarms.readings import Reading
from bench.alarms.streams import AFTER

MATCHED: Final = 0.2
"""The share of unchanged streams that may ring when tools are compared at one rate."""
LEAST_STREAMS: Final = 5
"""Below that no rate is matched: a fifth of them is none."""
CENSORED: Final = AFTER + 1
"""The delay of what was not seen, in windows."""
SAMPLES: Final = 5
"""False alarms of a stream that are kept in detail."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stream without a change, as one tool saw it.

    Args:
        windows: seen.
        rings: at the tool's own limit.
        top: the highest level.
        told: of the first false alarms the window, its level and the names, for those who look into them.
    """

    windows: int
    rings: int
    top: float
    told: tuple[tuple[int, float, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, readings: Iterable[Reading], limit: float) -> "Quiet":
        """What the readings of a stream come to."""
        told, windows, rings, top = [], 0, 0, -inf
        for number, reading in enumerate(readings):
            windows, top = windows + 1, max(top, reading.level)
            if reading.level >= limit:
                rings += 1
                told.append((number, reading.level, names(reading, limit)[:3]))
        return cls(windows, rings, top, tuple(told[:SAMPLES]))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Quiet":
        """From its JSON."""
        told = tuple((number, level, tuple(named)) for number, level, named in document["told"])
        return cls(document["windows"], document["rings"], document["top"], told)


@dataclass(frozen=True, slots=True)
class Record:
    """A window whose level was higher than that of all windows since the change: it may be the first to ring.

    Args:
        delay: windows since the change, this one included: 1 at once.
        reading: what the tool said.
    """

    delay: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Found:
    """A stream with a change, as one tool saw it.

    Args:
        kind, strength: of the change.
        columns: that it changed; empty when it changed them all.
        records: the windows that may be the first to ring, at some limit.
    """

    kind: str
    strength: float
    columns: tuple[str, ...]
    records: tuple[Record, ...]

    @classmethod
    def of(cls, kind: str, strength: float, columns: tuple[str, ...], readings: Iterable[Reading]) -> "Found":
        """What the readings of the windows since the change come to."""
        records: list[Record] = []
        for delay, reading in enumerate(readings, start=1):
            if not records or reading.level > records[-1].reading.level:
                records.append(Record(delay, reading))
        return cls(kind, strength, columns, tuple(records))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Found":
        """From its JSON."""
        records = tuple(
            Record(
                each["delay"],
                Reading(
                    each["reading"]["level"],
                    each["reading"]["columns"],
                    None if each["reading"]["named"] is None else tuple(each["reading"]["named"]),
                ),
            )
            for each in document["records"]
        )
        return cls(document["kind"], document["strength"], tuple(document["columns"]), records)

    def first(self, limit: float) -> Record | None:
        """The first window that rings at this limit."""
        return next((record for record in self.records if record.reading.level >= limit), None)


def names(reading: Reading, limit: float) -> tuple[str, ...]:
    """The columns that a reading names when the limit is this, the first one first."""
    ranked = sorted(reading.columns, key=lambda name: -reading.columns[name])
    if reading.named is None:
        return tuple(name for name in ranked if reading.columns[name] >= limit)
    return reading.named or tuple(ranked[:1])


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many.

    >>> rate = Rate(2, 4_000)
    >>> rate.per_thousand, round(rate.upper, 2), [round(side, 2) for side in rate.interval]
    (0.5, 1.57, [0.06, 1.8])
    """

    count: int
    of: int

    @property
    def per_thousand(self) -> float:
        """The share, per 1,000."""
        return 1000 * self.count / self.of

    @property
    def upper(self) -> float:
        """Per 1,000, the one-sided upper bound at 95 % (Clopper and Pearson)."""
        return 1000 * _bound(self.count + 1, self.of - self.count, 0.95)

    @property
    def interval(self) -> tuple[float, float]:
        """Per 1,000, the two-sided interval at 95 % (Clopper and Pearson)."""
        low = _bound(self.count, self.of - self.count + 1, 0.025) if self.count else 0.0
        return 1000 * low, 1000 * _bound(self.count + 1, self.of - self.count, 0.975)


def false_alarms(streams: Sequence[Quiet]) -> Rate:
    """Windows that ring at the tool's own limit, of all windows."""
    return Rate(sum(each.rings for each in streams), sum(each.windows for each in streams))


def any_alarm(streams: Sequence[Quiet]) -> float:
    """The share of streams with at least one false alarm."""
    return fmean(each.rings > 0 for each in streams)


def matched_limit(streams: Sequence[Quiet]) -> float | None:
    """The lowest limit at which at most a fifth of the unchanged streams ring; None with too few streams.

    >>> matched_limit([Quiet(200, 0, top) for top in (0.1, 0.9, 0.3, 0.2, 0.4)])
    0.4000000000000001
    """
    if len(streams) < LEAST_STREAMS:
        return None
    tops = sorted((each.top for each in streams), reverse=True)
    return nextafter(tops[int(MATCHED * len(tops))], inf)


@dataclass(frozen=True, slots=True)
class Power:
    """How streams with a change were seen.

    Args:
        streams: how many.
        at_once: the share that rings in the first window with the change.
        delay: mean windows until it rings, `CENSORED` where it does not.
    """

    streams: int
    at_once: float
    delay: float

    @property
    def error(self) -> float:
        """Standard error of `at_once`, streams taken as independent."""
        return float((self.at_once * (1 - self.at_once) / self.streams) ** 0.5)


def power(streams: Sequence[Found], limit: float) -> Power | None:
    """Power and delay at a limit; None without streams."""
    if not streams:
        return None
    firsts = [each.first(limit) for each in streams]
    delays = [CENSORED if first is None else first.delay for first in firsts]
    return Power(len(delays), fmean(delay == 1 for delay in delays), fmean(delays))


@dataclass(frozen=True, slots=True)
class Naming:
    """Whom alarms name.

    Args:
        alarms: about changes of some columns only.
        first: the share of them whose first name is right.
        precision: the share of all names that are right.
    """

    alarms: int
    first: float
    precision: float


def naming(streams: Sequence[Found], limit: float) -> Naming | None:
    """Whom the first alarm about each change names; None when none names anybody."""
    told = [
        (each.columns, names(record.reading, limit))
        for each in streams
        if each.columns and (record := each.first(limit)) is not None
    ]
    told = [(columns, named) for columns, named in told if named]
    if not told:
        return None
    right = [name in columns for columns, named in told for name in named]
    return Naming(len(told), fmean(named[0] in columns for columns, named in told), fmean(right))


def _bound(a: float, b: float, level: float) -> float:
    return float(beta.ppf(level, a, b)) if b > 0 else 1.0
