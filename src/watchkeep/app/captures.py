"""The captures of a home: where they are, how they are sealed, what is there."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchkeep.adapters.captures.label_segments import LabelSealer
from watchkeep.adapters.captures.sealing import Sealed, Sealer
from watchkeep.adapters.sources.stored.labels import PREFIX as LABELS
from watchkeep.adapters.sources.stored.layout import endpoints, hours, variants
from watchkeep.adapters.sources.stored.source import PREFIX, files_of, traffic_of
from watchkeep.adapters.sources.stored.standing import importing_in
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.traffic import Totals
from watchkeep.capture.column_names import told_in
from watchkeep.capture.home import (
    LABEL_SEGMENTS,
    SEALER_LOG,
    SEGMENTS,
    STORE,
    hold_sealing,
    home_of,
    who_seals,
)
from watchkeep.capture.segment import pending
from watchkeep.capture.traffic import Traffic
from watchkeep.core.errors import OptionError, StoreError
from watchkeep.core.window import Window
from watchkeep.service.ports import EVER, Shelf

STORE_URL: Final = "WATCHKEEP_STORE_URL"
"""The environment variable that names a folder or bucket in which captures are kept, in place of the home."""
TRUTH: Final = "labels"
PATIENCE: Final = 90.0
"""Seconds that another process is waited for which seals: a segment is complete after sixty."""
_SOON: Final = 0.2
_OFTEN: Final = 1.0
"""Seconds between two looks for segments."""
_IDLE: Final = 5.0
"""Seconds without anybody who writes, after which a follower ends."""


def store_of(home: Path) -> str:
    """Where the captures of a home are kept."""
    return _within(home, STORE)


def labels_of(home: Path) -> str:
    """Where the labels of a home are kept."""
    return _within(home, TRUTH)


def _within(home: Path, folder: str) -> str:
    """A folder of the store; what a URL says behind a question mark stays there."""
    url = os.environ.get(STORE_URL)
    if not url:
        return str(home / folder)
    path, mark, options = url.partition("?")
    return f"{path.rstrip('/')}/{folder}{mark}{options}"


def named(source: str, *, home: str | os.PathLike[str] | None = None) -> str:
    """A source whose captures or labels are told with their store: `captures:churn` are those of the home.

    >>> named("captures:lake#churn")
    'captures:lake#churn'
    """
    for prefix, where in ((PREFIX, store_of), (LABELS, labels_of)):
        if source.startswith(prefix) and "#" not in source:
            return f"{prefix}{where(home_of(home))}#{source.removeprefix(prefix)}"
    return source


def seal(home: Path, *, patience: float = PATIENCE, waits: Callable[[str], object] | None = None) -> Sealed:
    """Turn the segments that are complete into Parquet files.

    While another process does so, it is waited for until it has sealed all that is recorded now.

    Args:
        home: whose segments.
        patience: seconds that another process is waited for.
        waits: told who is waited for, as a sentence.

    Returns:
        What was sealed here; nothing where another process sealed all of it.

    Raises:
        OptionError: another process did not seal all of it in time.
        StoreError: the store cannot be written.
    """
    lock = hold_sealing(home)
    if lock is None:
        lock = _awaited(home, patience, waits)
    if lock is None:
        return Sealed()
    try:
        told = _sealer(home).seal()
        told.add(label_sealer(home).seal())
    finally:
        os.close(lock)
    return told


def _awaited(home: Path, patience: float, waits: Callable[[str], object] | None) -> int | None:
    """The lock, once whoever has it leaves it; None when all that is recorded now is sealed before that."""
    wanted, deadline = _names(home), time.monotonic() + patience
    if wanted and waits is not None:
        waits(f"{who_seals(home)} seals what is recorded, within about a minute: waiting for it.")
    while left := wanted & _names(home):
        lock = hold_sealing(home)
        if lock is not None:
            return lock
        if time.monotonic() >= deadline:
            expected = (
                f"a home whose records {who_seals(home)} seals within {patience:g} seconds; {len(left)} of its"
                f" segments still wait ({home / SEALER_LOG} may say why)"
            )
            raise OptionError("--home", got=str(home), expected=expected)
        time.sleep(_SOON)
    return None


def _names(home: Path) -> set[str]:
    """The segments that are not sealed."""
    return {path.stem for folder in (SEGMENTS, LABEL_SEGMENTS) for path, _ in pending(home / folder)}


def follow(home: Path) -> Sealed:
    """Seal segments as they are completed, until nobody has written any for a while; nothing where another does so.

    While the store cannot be written, segments are kept, and tried again.
    """
    told = Sealed()
    lock = hold_sealing(home)
    if lock is None:
        return told
    try:
        sealers, last, said = _Sealers(home), time.monotonic(), set[str]()
        while time.monotonic() - last < _IDLE:
            for one in (sealers.of_captures, sealers.of_labels):
                try:
                    told.add(one().seal())
                except StoreError as error:
                    if str(error) not in said:
                        said.add(str(error))
                        print(f"watchkeep: {error}", flush=True)  # noqa: T201 (its log)
            if any(any(pending(home / folder)) for folder in (SEGMENTS, LABEL_SEGMENTS)):
                last = time.monotonic()
            time.sleep(_OFTEN)
    finally:
        os.close(lock)
    return told


class _Sealers:
    """Those of a home, made when they are needed: a bucket that is out of reach cannot be opened, and later it can."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._captures: Sealer | None = None
        self._labels: LabelSealer | None = None

    def of_captures(self) -> Sealer:
        if self._captures is None or self._captures.columns != told_in(self._home):
            self._captures = _sealer(self._home)
        return self._captures

    def of_labels(self) -> LabelSealer:
        if self._labels is None:
            self._labels = label_sealer(self._home)
        return self._labels


def _sealer(home: Path) -> Sealer:
    return Sealer(
        home / SEGMENTS, open_shelf(store_of(home)), columns=told_in(home), counted=Totals(home).add
    )


def label_sealer(home: Path) -> LabelSealer:
    """What seals the labels of a home that were told bit by bit."""
    return LabelSealer(home / LABEL_SEGMENTS, open_shelf(labels_of(home)))


@dataclass(frozen=True, slots=True)
class Captured:
    """What is stored of one variant.

    Args:
        endpoint, variant: whose.
        hours: of which something is stored; their first and last as ISO 8601.
        first, last: the first and last of these.
        files: of which it is made.
        traffic: what was asked in these hours.
    """

    endpoint: str
    variant: str
    hours: int
    first: str | None
    last: str | None
    files: int
    traffic: Traffic

    def document(self) -> dict[str, object]:
        """It as JSON."""
        latency = self.traffic.latency
        return {
            "endpoint": self.endpoint,
            "variant": self.variant,
            "hours": self.hours,
            "first": self.first,
            "last": self.last,
            "files": self.files,
            "Invocations": self.traffic.invocations,
            "Invocation4XXErrors": self.traffic.client_errors,
            "Invocation5XXErrors": self.traffic.server_errors,
            "InvocationModelErrors": self.traffic.model_errors,
            "ModelLatency": {f"p{share * 100:g}": latency.quantile(share) for share in _SHARES},
            "not_stored": dict(self.traffic.lost),
            "flagged": self.traffic.flagged_by_column(),
        }


_SHARES: Final = (0.5, 0.9, 0.99, 0.999)


def listed(
    shelf: Shelf, *, endpoint: str | None = None, variant: str | None = None, window: Window | None = None
) -> list[Captured]:
    """What is stored, by endpoint and variant."""
    found, importing = [], importing_in(shelf)
    for name in [endpoint] if endpoint is not None else endpoints(shelf):
        for version in variants(shelf, name) if variant is None else [variant]:
            traffic, files, starts = Traffic(), 0, list[str]()
            for hour in hours(shelf, endpoint=name, variant=version, window=window):
                held = len(files_of(shelf, hour, importing=importing))
                counted = traffic_of(shelf, hour, importing=importing).of.values()
                files += held
                for own in counted:
                    traffic.merge(own)
                if held or counted:  # buckets may keep the folder of an hour that is gone
                    starts.append(f"{hour.start:%Y-%m-%dT%H:%MZ}")
            first, last = (starts[0], starts[-1]) if starts else (None, None)
            if starts or window not in (None, EVER):
                found.append(Captured(name, version, len(starts), first, last, files, traffic))
    return found
