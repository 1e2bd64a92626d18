"""Takes records from whoever serves a model, and has them on the disk soon, without anybody waiting for it."""

import atexit
import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from watchkeep.capture.batches import Batch, Make, Told, Waiting, batch_of, rest, tell
from watchkeep.capture.encryption import Keys
from watchkeep.capture.record import Columns, Inference
from watchkeep.capture.segment import Segment, pending
from watchkeep.capture.steps import Step
from watchkeep.capture.traffic import Tallies

FULL: Final = "more records than memory holds"
SPOOLED: Final = "more segments than the spool holds"
ENDED: Final = "the recorder had ended"
NO_THREAD: Final = "no thread can be started"
_WORDS: Final = {errno.ENOSPC: "disk is full", errno.EDQUOT: "disk is full", errno.EROFS: "disk is read-only"}
_EACH: Final = 560
"""Bytes of memory that a record takes beside its bodies."""
_BATCH: Final = 512
"""Records that are written at a time, so that the model's own threads wait little."""
_BYTES: Final = 4 << 20
"""Bytes from which on no more are written at a time: they are copied for it, beside the memory of what waits."""
_AGAIN: Final = 0.5
"""Seconds until a failed write is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a recorder works.

    Args:
        folder: where segments lie.
        delay: seconds after which a record is on the disk, at most: what a killed process loses.
        memory: bytes that records may take which are not on the disk yet. More are counted as lost.
        spool: bytes that segments may take which are not sealed yet. More are counted as lost.
        rotate: seconds after which a segment is complete.
        size: bytes after which it is.
        steps: what is done with all records before they are written.
        opened: called when a segment was begun, so that somebody is there to seal it.
        keys: encrypt segments; those of `WATCHKEEP_ENCRYPTION_KEY`, and None where it is not set.

    Raises:
        OptionError: `WATCHKEEP_ENCRYPTION_KEY` holds no key.
        MissingExtraError: it does, and the library for encryption is not installed.
    """

    folder: Path
    delay: float = 0.1
    memory: int = 32 << 20
    spool: int = 1 << 30
    rotate: float = 60.0
    size: int = 64 << 20
    steps: tuple[Step, ...] = ()
    opened: Callable[[], None] | None = None
    keys: Keys | None = field(default_factory=Keys.of_environment)


@dataclass(slots=True)
class Counts:
    """What became of the records that a recorder took."""

    stored: int = 0
    left_out: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """They as JSON."""
        return {name: getattr(self, name) for name in ("stored", "left_out")} | {"lost": dict(self.lost)}


class Recorder:
    """Keeps records.

    One serves a process, whatever the number of its threads; a forked process begins one of its own.

    Args:
        settings: how it works.

    >>> import tempfile
    >>> recorder = Recorder(Settings(folder=Path(tempfile.mkdtemp())))
    >>> recorder.record(Inference("churn", "A", "", "", 0, 250, 3, 200, 1.0, "", "", "text/csv", "", b"41", None))
    >>> recorder.close()
    >>> recorder.counts
    Counts(stored=1, left_out=0, lost={})
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._segment: Segment | None = None
        self._begin()
        _ALL.add(self)

    def _begin(self) -> None:
        """Begin with nothing; a forked process leaves what there was to its parent."""
        if self._segment is not None:
            self._segment.abandon()
        self.counts = Counts()
        self.traffic = Tallies()
        self._lock = threading.Lock()
        self._wake, self._to_complete, self._completed = (
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        self._queue: deque[Waiting] = deque()
        self._held = 0
        self._most = -1
        """Bytes that records may take: nothing before the first one, and after the end."""
        self._many = self.settings.memory // 4
        self._lost = Tallies()
        self._segment = None
        self._batch: Batch | None = None
        self._thread: threading.Thread | None = None
        self._ended, self._given_up = False, threading.Event()
        self._failing: str | None = None
        self._next, self._prefix = 1, _prefix()

    @property
    def failing(self) -> str | None:
        """Why records cannot be written now; None where they can, as far as is known."""
        return self._failing

    def record(self, one: Inference, told: Told | None = None) -> None:
        """Take a record; the caller never waits.

        Args:
            one: the record. Where its event id is empty it is given one.
            told: called once, from some thread, when the record is on the disk, or may never be.
        """
        self.take(_itself, one, len(one.input or b"") + len(one.output or b""), told)

    def take(self, make: Make, what: Any, size: int, told: Told | None = None) -> None:
        """Take what a record is made of; it is made later, so that the caller loses little time.

        Args:
            make: makes the record of it, given its event id.
            what: of which it is made. Nobody may change it.
            size: bytes of its bodies.
            told: see `record`.
        """
        size += _EACH
        with self._lock:
            held = self._held + size
            if held <= self._most:
                self._held = held
                self._queue.append((make, what, size, told))
                why = None
            else:
                why = self._not_taken(make, what, size, told)
        if told is not None:
            if why is None:
                self._wake.set()
            else:
                told(why)
        elif held > self._many:
            self._wake.set()

    def _not_taken(self, make: Make, what: Any, size: int, told: Told | None) -> str | None:
        """Begin to work with the first record; the others are too many. Why it is lost; None where it is not."""
        if self._thread is None and not self._ended:
            thread = threading.Thread(target=self._run, name="watchkeep-recorder", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # too many run, or the interpreter ends
                self._lose(make(what, ""), NO_THREAD)
                return NO_THREAD
            self._thread, self._most = thread, self.settings.memory
            atexit.register(self.close)
            if size <= self._most:
                self._held = size
                self._queue.append((make, what, size, told))
                return None
        why = ENDED if self._ended else self._failing or FULL
        self._lose(make(what, ""), why)
        return why

    def flush(self, *, patience: float = 5.0) -> bool:
        """Write what there is, and complete the segment; whether that could be done.

        Args:
            patience: seconds after which it is given up.
        """
        if self._thread is None:
            return True
        self._completed.clear()
        self._to_complete.set()
        self._wake.set()
        return self._completed.wait(patience)

    def close(self, *, patience: float = 5.0) -> None:
        """Write what there is, and end.

        Args:
            patience: seconds after which what cannot be written is counted as lost.
        """
        with self._lock:
            if self._ended:
                return
            self._ended, self._most = True, -1
        self._wake.set()
        if self._thread is None:
            return
        self._thread.join(patience)
        self._given_up.set()
        self._thread.join(patience)
        atexit.unregister(self.close)

    def _run(self) -> None:
        while not self._given_up.is_set():
            ended = self._ended
            if not self._flush():
                self._given_up.wait(_AGAIN)
            elif ended:
                break
            else:
                self._wake.wait(self.settings.delay)
                self._wake.clear()
        self._complete()
        with self._lock:
            left = [*(self._batch.taken if self._batch is not None else ()), *self._queue]
            self._queue.clear()
            for make, what, _, _ in left:
                self._lose(make(what, ""), self._failing or ENDED)
        tell(left, self._failing or ENDED)

    def _flush(self) -> bool:
        """Write what is waiting; whether it could be."""
        asked = self._to_complete.is_set()  # what is taken from now on need not be in it
        self._to_complete.clear()
        until, lost = self._next + len(self._queue), bool(self._lost.of)  # what comes meanwhile has time
        while self._next < until or lost or self._batch is not None:
            lost = lost and self._batch is not None  # it goes with what is prepared next
            if self._given_up.is_set() or not self._write():
                if asked:
                    self._to_complete.set()
                return False
            self._rotate()
        self._rotate()
        if asked:
            self._complete()
            self._completed.set()
        return True

    def _rotate(self) -> None:
        segment = self._segment
        if segment is not None and (
            segment.size >= self.settings.size or time.monotonic() - segment.started >= self.settings.rotate
        ):
            self._complete()

    def _write(self) -> bool:
        """Write a batch; one that cannot be written is kept as it is, and tried again."""
        if self._batch is None:
            self._batch = self._prepared()
        batch = self._batch
        try:
            self._opened().append(batch.kept, batch.tallies.documents(), given=batch.given)
        except OSError as error:
            self._failing = _WORDS.get(error.errno or 0) or str(error.strerror or error)
            if self._segment is not None and self._segment.broken:
                self._segment.abandon()
                self._segment = None
            with self._lock:
                waiting = list(self._queue)
                self._queue = deque((make, what, size, None) for make, what, size, _ in waiting)
            tell([*batch.taken, *waiting], self._failing)
            batch.nobody_waits()
            return False
        except Exception as error:  # noqa: BLE001 (one fault must not end the recording of everything else)
            if batch.kept.rows:
                batch.give_up(f"it cannot be written: {type(error).__name__}")
                return True
            batch.tallies = Tallies()
            return False
        self._failing, self._batch = None, None
        with self._lock:
            self._held -= sum([one[2] for one in batch.taken])
            self.counts.stored += batch.kept.rows
            self.counts.left_out += len(batch.taken) - batch.kept.rows
            self.traffic.merge(batch.tallies.totals())
        tell(batch.taken, None)
        rest(batch.taken)
        return True

    def _opened(self) -> Segment:
        if self._segment is None:
            if sum(size for _, size in pending(self.settings.folder)) > self.settings.spool:
                raise OSError(0, SPOOLED)
            self._segment = Segment.new(self.settings.folder, keys=self.settings.keys)
            if self.settings.opened is not None:
                with suppress(OSError):  # the next segment has it tried again
                    self.settings.opened()
        return self._segment

    def _prepared(self) -> Batch:
        with self._lock:
            taken: list[Waiting] = []
            size = 0
            while self._queue and len(taken) < _BATCH and size < _BYTES:
                taken.append(self._queue.popleft())
                size += taken[-1][2]
            tallies, self._lost = self._lost, Tallies()
        try:
            first = self._next
            self._next += len(taken)
            return batch_of(taken, self._prefix, first, steps=self.settings.steps, tallies=tallies)
        except Exception as error:  # noqa: BLE001 (as where it is written)
            why = f"it cannot be made: {type(error).__name__}"
            with self._lock:
                self._held -= sum([one[2] for one in taken])
                self.counts.lost[why] = self.counts.lost.get(why, 0) + len(taken)
            tell(taken, why)
            return Batch([], Columns.of([]), tallies, given=False)

    def _complete(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            with suppress(OSError):  # it is left as it is, and whoever seals takes it over
                segment.close()

    def _lose(self, one: Inference, reason: str) -> None:
        self.counts.lost[reason] = self.counts.lost.get(reason, 0) + 1
        self._lost.lose(one, reason)


_ALL: Final[WeakSet[Recorder]] = WeakSet()


def _again() -> None:
    for recorder in _ALL:
        recorder._begin()  # noqa: SLF001 (what forked it had threads, and this has none)


os.register_at_fork(after_in_child=_again)


def _itself(one: Inference, event_id: str) -> Inference:
    return one if one.event_id else one._replace(event_id=event_id)


def _prefix() -> str:
    """The first parts of event ids of one process: with a number they read as random UUIDs."""
    chance = os.urandom(10).hex()
    return f"{chance[:8]}-{chance[8:12]}-4{chance[12:15]}-8{chance[15:18]}-"
