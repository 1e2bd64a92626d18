"""Where captures lie: a folder for each endpoint, variant, date and hour of event time.

    capture_endpoint=churn/capture_variant=AllTraffic/capture_date=2026-11-23/capture_hour=19/NAME.parquet

Readers of hive-partitioned trees (DuckDB, Spark, pandas) know what that means. Beside the files of an hour lie its
counts, `_traffic-NAME.json`, which such readers leave alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from watchkeep.core.window import Window
from watchkeep.service.ports import Shelf

SUFFIX: Final = ".parquet"
GIVEN: Final = "g-"
"""How files begin whose event ids come from elsewhere, so that other files may have the same ones."""
TRAFFIC: Final = "_traffic-"
MARK: Final = "_captures.json"
"""By which a folder of captures is known."""
HOUR: Final = timedelta(hours=1)
_NAMES: Final = ("capture_endpoint", "capture_variant", "capture_date", "capture_hour")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Hour:
    """One hour of one variant.

    Args:
        endpoint, variant: whose.
        start: when it begins, UTC.
    """

    endpoint: str
    variant: str
    start: datetime

    @property
    def folder(self) -> str:
        """Where its files lie.

        >>> Hour("a/b", "..", datetime(2026, 11, 23, 19, tzinfo=UTC)).folder
        'capture_endpoint=a%2Fb/capture_variant=%2E%2E/capture_date=2026-11-23/capture_hour=19'
        """
        values = (
            quoted(self.endpoint),
            quoted(self.variant),
            self.start.date().isoformat(),
            f"{self.start:%H}",
        )
        return "/".join(f"{name}={value}" for name, value in zip(_NAMES, values, strict=True))


def hour_of(micros: int) -> datetime:
    """The hour that a moment lies in.

    Args:
        micros: microseconds since 1970.
    """
    return EPOCH + timedelta(hours=micros // 3_600_000_000)


def hours(
    shelf: Shelf, *, endpoint: str | None = None, variant: str | None = None, window: Window | None = None
) -> Iterator[Hour]:
    """The hours that hold something, in order. Only folders that may hold some are looked into.

    Args:
        shelf: the store.
        endpoint, variant: only theirs.
        window: only hours that meet it.
    """
    for name in _below(shelf, "", 0, endpoint):
        for version in _below(shelf, _path(name), 1, variant):
            above = _path(name, version)
            for date in sorted(_below(shelf, above, 2, None)):
                if not _DATE.fullmatch(date) or not _meets(date, 0, timedelta(days=1), window):
                    continue
                for hour in sorted(_below(shelf, f"{above}/{_NAMES[2]}={date}", 3, None)):
                    if hour.isdecimal() and int(hour) < 24 and _meets(date, int(hour), HOUR, window):
                        yield Hour(name, version, _moment(date, int(hour)))


def endpoints(shelf: Shelf) -> list[str]:
    """The endpoints that were captured, by name."""
    return sorted(_below(shelf, "", 0, None))


def variants(shelf: Shelf, endpoint: str) -> list[str]:
    """The variants of an endpoint that were captured, by name."""
    return sorted(_below(shelf, _path(endpoint), 1, None))


def _below(shelf: Shelf, folder: str, level: int, wanted: str | None) -> list[str]:
    """The values that the folders of one level name."""
    if wanted is not None:
        return [wanted]
    return sorted(map(unquoted, parted(shelf, folder, _NAMES[level])))


def _path(*values: str) -> str:
    return "/".join(f"{name}={quoted(value)}" for name, value in zip(_NAMES, values, strict=False))


def parted(shelf: Shelf, folder: str, key: str) -> list[str]:
    """The values that folders `key=value` below a folder have, as they are spelled there, in order."""
    start = f"{key}="
    return sorted(name.removeprefix(start) for name in shelf.names(folder) if name.startswith(start))


def unquoted(value: str) -> str:
    """The name that `quoted` spelled."""
    return unquote(value)


def quoted(value: str) -> str:
    """A name as a folder may be called, which is never `.` or `..`."""
    quoted = quote(value, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def _moment(date: str, hour: int) -> datetime:
    return datetime.fromisoformat(date).replace(hour=hour, tzinfo=UTC)


def _meets(date: str, hour: int, length: timedelta, window: Window | None) -> bool:
    if window is None:
        return True
    start = _moment(date, hour)
    after = window.start is not None and start + length <= window.start
    return not after and not (window.end is not None and start >= window.end)
