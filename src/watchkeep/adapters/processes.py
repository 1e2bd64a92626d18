"""Reads the parts of a source by several processes: threads would wait for each other's Python."""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from typing import IO, Any, Final, TypeVar

from watchkeep.adapters.worker import receive, send, write
from watchkeep.core.errors import UnreadableSourceError
from watchkeep.service.folding import Fold, Folded, Gathering, Local, folded
from watchkeep.service.ports import Ask, Progress, Source, parts_of

FEWEST: Final = 4
"""Parts from which on processes are worth their start."""
AHEAD: Final = 2
"""Parts for each process that may be read before an earlier one is done."""
_TRIES: Final = 2
_PATIENCE: Final = 5.0
"""Seconds that a process may take to end which has closed its pipe."""
_ALONE: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What keeps libraries from starting threads of their own, of which there would be too many."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Processes:
    """Reads on this machine, several parts at a time where a source has many.

    Args:
        most: processes that read; 1 for this one.
        skip: whether files that cannot be read are left out, named and counted.
    """

    most: int
    skip: bool = False

    @property
    def name(self) -> str:
        """See `Engine`."""
        return "local"

    def in_order(self, why: str) -> Local:  # noqa: ARG002 (part of the port)
        """See `Engine`."""
        return Local(skip=self.skip)

    def fold(self, source: Source, ask: Ask, fold: Fold[M], *, progress: Progress, what: str) -> M:
        """See `Engine`."""
        parts = parts_of(source, ask)
        gathering = Gathering(source, fold)
        told = self._told(parts, ask, fold)
        progress.start(what, rows=None)
        try:
            if told is None:
                for at, part in enumerate(parts):
                    gathering.add(folded(part, at, ask, fold, skip=self.skip, progress=progress))
                return gathering.whole()
            for found in self._each(parts, told, source.name):
                progress.advance(found.rows)
                gathering.add(found)
        finally:
            progress.stop()
        return gathering.whole()

    def _told(self, parts: Sequence[Source], ask: Ask, fold: Fold[M]) -> bytes | None:
        """What processes are told; None when this one does it all: parts are few, or stay here."""
        if self.most < 2 or len(parts) < FEWEST or not sys.executable:
            return None
        try:
            for one in {type(part): part for part in parts}.values():
                pickle.dumps(one)
            told = pickle.dumps((ask, fold, self.skip))
        except (pickle.PicklingError, TypeError, AttributeError):
            return None
        return None if b"__main__" in told else told  # nobody else has what a script defines

    def _each(self, parts: Sequence[Source], told: bytes, source: str) -> Iterator[Folded[Any]]:
        crew = _Crew(told, source)
        waiting: deque[Future[Folded[Any]]] = deque()
        threads = min(self.most, len(parts))
        with ThreadPoolExecutor(threads, thread_name_prefix="watchkeep") as pool:  # each waits for a process
            try:
                for at, part in enumerate(parts):
                    waiting.append(pool.submit(crew.read, at, part))
                    if len(waiting) >= AHEAD * threads + 1:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                crew.end()  # so that no thread waits for an answer any more
                pool.shutdown(cancel_futures=True)
                crew.bury()


class _Crew:
    """Processes that read, started when they are needed.

    Args:
        told: what each is told at first.
        source: what they read, for people.
    """

    def __init__(self, told: bytes, source: str) -> None:
        self._told, self._source = told, source
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._all: list[subprocess.Popen[bytes]] = []
        self._lock, self._ended = Lock(), False

    def read(self, at: int, part: Source) -> Folded[Any]:
        """What a part gives.

        Raises:
            SourceError: it cannot be read, or a process that read it was ended, twice.
        """
        for _ in range(_TRIES):
            worker = self._worker()
            try:
                send(_pipe(worker.stdin), (at, part))
                answer = receive(_pipe(worker.stdout))
            except (EOFError, OSError):
                ended = _ended(worker)
                continue
            self._idle.put(worker)
            if isinstance(answer, Exception):
                raise answer
            found: Folded[Any] = answer
            return found
        why = f"a process that read part {at + 1} of it was ended twice ({ended}): is memory short?"
        raise UnreadableSourceError(self._source, why=f"{why} Fewer --threads take less")

    def end(self) -> None:
        """End all of them, and start no more."""
        with self._lock:
            self._ended = True
            for worker in self._all:
                worker.kill()

    def bury(self) -> None:
        """Wait for all to be gone, and close their pipes."""
        for worker in self._all:
            worker.wait()
            for pipe in (_pipe(worker.stdin), _pipe(worker.stdout)):
                with suppress(OSError):  # what it was not told yet cannot be told any more
                    pipe.close()

    def _worker(self) -> "subprocess.Popen[bytes]":
        """An idle one, or a new one."""
        try:
            return self._idle.get_nowait()
        except Empty:
            with self._lock:
                if self._ended:
                    raise EOFError("reading was given up") from None
                worker = subprocess.Popen(
                    [sys.executable, "-m", "watchkeep.adapters.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | dict.fromkeys(_ALONE, "1"),
                    start_new_session=True,  # an interrupt is for this process, which ends its own
                )
                self._all.append(worker)
            with suppress(OSError):  # of one that was ended at once its first question tells
                send(_pipe(worker.stdin), sys.path)
                write(_pipe(worker.stdin), self._told)
            return worker


def _ended(worker: "subprocess.Popen[bytes]") -> str:
    """How a process ended that says nothing any more."""
    try:
        code = worker.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        worker.kill()
        code = worker.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None  # noqa: S101 (both are pipes)
    return end
