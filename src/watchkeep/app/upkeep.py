"""Upkeep of a home's captures: fewer files, nothing that is too old, and copies for others."""

import fcntl
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchkeep.adapters.captures import compacting, expiring, exporting
from watchkeep.adapters.captures.compacting import Compacted
from watchkeep.adapters.captures.compacting_labels import compact_labels
from watchkeep.adapters.captures.expiring import Expired
from watchkeep.adapters.captures.exporting import Exported
from watchkeep.adapters.sources.stored.layout import endpoints
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import labels_of, store_of
from watchkeep.core.errors import MissingSourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.service.ports import EVER, Progress, Shelf


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """See to it that one process at a time imports, compacts, expires or forgets captures of a home.

    Raises:
        OptionError: another process does, or the home cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "upkeep.lock").open("ab")
    except OSError as error:
        raise OptionError(
            "--home", got=str(home), expected=f"a folder that can be written ({error.strerror})"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            expected = (
                "a home whose captures no other process is importing, compacting, expiring or forgetting"
            )
            raise OptionError("--home", got=str(home), expected=expected) from error
        yield


def who_is(home: Path) -> str:
    """Who does something for a home: what was broken off is known again by that."""
    return f"{platform.node()}:{home.absolute()}"


def compact(
    home: Path,
    *,
    older: float,
    endpoint: str | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Compacted:
    """Make few files of the many of each hour; see `compacting.compact`.

    Args:
        home: whose captures.
        older: hours since the end of the last hour that is compacted.
        endpoint: only its.
        now: the time.
        progress: is told of rows.

    Raises:
        OptionError: `older` is negative, or another process imports, compacts, expires or forgets.
        MissingSourceError: nothing of the endpoint was captured.
        SourceError: a file cannot be read.
        StoreError: the store cannot be read or written.
    """
    _check_age("--older", older)
    now, shelf = now or datetime.now(UTC), _store_with(home, endpoint)
    with alone_in(home):
        return compacting.compact(
            shelf,
            until=now - timedelta(hours=older),
            now=now,
            who=who_is(home),
            endpoint=endpoint,
            progress=progress,
        )


def compact_truth(
    home: Path, *, older: float, endpoint: str | None = None, now: datetime | None = None
) -> Compacted:
    """Make few files of the many labels of each hour; see `compacting_labels.compact_labels`.

    Args:
        home: whose labels.
        older: hours since the end of the last hour that is compacted.
        endpoint: only its.
        now: the time.

    Raises:
        OptionError: `older` is negative, or another process imports, compacts, expires or forgets.
        SourceError: a file cannot be read.
        StoreError: the store cannot be read or written.
    """
    _check_age("--older", older)
    now = now or datetime.now(UTC)
    with alone_in(home):
        return compact_labels(
            open_shelf(labels_of(home)),
            until=now - timedelta(hours=older),
            now=now,
            who=who_is(home),
            endpoint=endpoint,
        )


def expire(
    home: Path, *, older: float, endpoint: str | None = None, now: datetime | None = None
) -> list[Expired]:
    """Delete whole hours; see `expiring.expire`.

    Args:
        home: whose captures.
        older: days since the end of the last hour that is deleted.
        endpoint: only its.
        now: the time.

    Raises:
        OptionError: `older` is negative, or another process imports, compacts, expires or forgets.
        MissingSourceError: nothing of the endpoint was captured.
        StoreError: the store cannot be read, or a file not be deleted.
    """
    _check_age("--older", older)
    shelf = _store_with(home, endpoint)
    with alone_in(home):
        return expiring.expire(
            shelf, before=(now or datetime.now(UTC)) - timedelta(days=older), endpoint=endpoint
        )


def export(
    home: Path,
    endpoint: str,
    out: str,
    *,
    variant: str | None = None,
    window: Window = EVER,
    base64: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write captures as SageMaker does, into a folder or behind a URL; see `exporting.export`.

    Raises:
        MissingSourceError: nothing of it was captured.
        OptionError: `out` is a file, or no URL that can be opened.
        SourceError: a file of the store cannot be read.
        StoreError: the target cannot be written.
    """
    return exporting.export(
        _store_with(home, endpoint),
        endpoint,
        open_shelf(out),
        variant=variant,
        window=window,
        base64=base64,
        progress=progress,
    )


def _store_with(home: Path, endpoint: str | None) -> Shelf:
    shelf = open_shelf(store_of(home))
    if endpoint is not None and endpoint not in (known := endpoints(shelf)):
        told = ", ".join(known[:12]) or "none"
        raise MissingSourceError(
            f"captures of {endpoint}",
            looked_for=f"an endpoint that was captured into {shelf.name}: {told}",
            got=endpoint,
            choices=known,
        )
    return shelf


def _check_age(option: str, value: float) -> None:
    if not 0 <= value < _LONGEST:
        raise OptionError(option, got=f"{value:g}", expected="how old, as a number that is not negative")


_LONGEST = 1_000_000
