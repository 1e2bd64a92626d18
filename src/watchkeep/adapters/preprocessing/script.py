"""A script, and the process that runs it."""

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from watchkeep.core.errors import OptionError, ScriptError

DROPPED: Final = "preprocessing script dropped it"
SECONDS: Final = 60.0
MEGABYTES: Final = 2048
_RUNNER: Final = Path(__file__).with_name("runner.py")
_HEAD: Final = 8
_PIECE: Final = 1 << 16
_BYTES: Final = 1 << 20
_MOST: Final = 2000
_ALONE: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""All that the process has of an environment: it keeps libraries from starting threads, each with memory of its own."""

Kind = Literal["capture", "csv", "json"]
"""What a handler is given: a record, a line of text, or what a line of JSON says."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Script:
    """A script of a user. It can be sent to other machines.

    Args:
        name: its path, for people.
        code: its text.
        seconds: that it may take for some records, at most.
        megabytes: of memory that its process may take.
    """

    name: str
    code: str
    seconds: float = SECONDS
    megabytes: int = MEGABYTES

    @classmethod
    def read(
        cls, path: str | Path, *, option: str, seconds: float = SECONDS, megabytes: int = MEGABYTES
    ) -> "Script":
        """The script of a file.

        Raises:
            OptionError: it cannot be read, or a limit is none.
        """
        if not seconds > 0 or megabytes < _LEAST:
            raise OptionError(
                option,
                got=f"{seconds:g} seconds, {megabytes} MB",
                expected=f"more than 0 seconds, and {_LEAST} MB or more",
            )
        try:
            return cls(str(path), Path(path).read_text(encoding="utf-8-sig"), seconds, megabytes)
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(option, got=str(path), expected="a Python script that can be read") from error


_LEAST: Final = 64
_LARGEST: Final = 1 << 30
_STRANGE: Final = (
    "its process answered something that was not asked; does it write to files that it did not open?"
)


def rows_by(script: Script, records: Sequence[str], kind: Kind) -> Iterator[Rows | None]:
    """What the handler of a script makes of each record: its rows, none where it drops it; None for the record itself.

    Args:
        script: has a function `preprocess_handler`.
        records: their texts.
        kind: what the handler is given.

    Raises:
        ScriptError: it raised, took too long or too much memory, or gave something else.
    """
    running = _running(script)
    some: list[str] = []
    size = 0
    for record in records:
        some.append(record)
        size += len(record)
        if size >= _BYTES or len(some) >= _MOST:
            yield from running.rows(some, kind)
            some, size = [], 0
    if some:
        yield from running.rows(some, kind)


def after(script: Script, folder: Path) -> None:
    """Call the `postprocess_handler` of a script, once.

    Args:
        script: has that function.
        folder: in which it runs.

    Raises:
        ScriptError: it raised, or took too long or too much memory.
    """
    process = _Process(script, "postprocess_handler", folder)
    try:
        process.ask({"post": True}, what="postprocess_handler")
    finally:
        process.end()


_ALL: "Final[dict[Script, _Process]]" = {}
_LOCK: Final = threading.Lock()


def _running(script: Script) -> "_Process":
    """The process of a script: one serves all parts that this process reads, so that it is started once."""
    with _LOCK:
        process = _ALL.get(script)
        if process is None or not process.lives:
            process = _ALL[script] = _Process(script, "preprocess_handler", Path(tempfile.gettempdir()))
        return process


@atexit.register
def _end() -> None:
    for process in _ALL.values():
        process.end()


class _Process:
    """A process that runs a script."""

    def __init__(self, script: Script, handler: str, folder: Path) -> None:
        self._script, self._lock = script, threading.Lock()
        self._owner, self._over = os.getpid(), False
        self._process = subprocess.Popen(  # noqa: S603 (this Python, our own file)
            [sys.executable, "-I", "-X", "utf8", str(_RUNNER), str(script.megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ALONE,
            cwd=folder,
            start_new_session=True,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(_end_of(pipe).fileno(), False)
        told = {"name": Path(script.name).name, "code": script.code, "handler": handler}
        self.ask({"script": told}, what="loading")

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None and self._owner == os.getpid()

    def rows(self, records: Sequence[str], kind: Kind) -> "list[Rows | None]":
        """What it makes of some records."""
        answer = self.ask({"kind": kind, "records": list(records)}, what=f"{len(records):,} records")
        rows = answer.get("rows")
        if not isinstance(rows, list) or len(rows) != len(records):
            raise ScriptError(self._script.name, line=None, why=_STRANGE)
        return rows

    def ask(self, question: dict[str, Any], *, what: str) -> dict[str, Any]:
        """Ask, and wait for the answer.

        Raises:
            ScriptError: there is none, or it tells of a fault.
        """
        packed = json.dumps(question).encode()
        with self._lock:
            try:
                answer = self._exchange(len(packed).to_bytes(_HEAD, "little") + packed, what)
            except ScriptError:
                self.end()
                raise
        fault = answer.get("fault")
        if fault is None:
            return answer
        self.end()
        raise ScriptError(self._script.name, line=fault["line"], why=fault["said"])

    def end(self) -> None:
        """End it."""
        if self._owner != os.getpid() or self._over:  # it is another one's, or was ended before
            return
        self._over = True
        with suppress(
            ProcessLookupError, PermissionError
        ):  # what it started, too: it leads a group of its own
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _end_of(pipe).close()

    def _exchange(self, question: bytes, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + self._script.seconds
        out, into = _end_of(self._process.stdin), _end_of(self._process.stdout)
        left, answer = memoryview(question), bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(into, selectors.EVENT_READ)
            ready.register(out, selectors.EVENT_WRITE)
            while True:
                found = ready.select(deadline - time.monotonic())
                if not found and time.monotonic() >= deadline:
                    why = f"{what} took longer than {self._script.seconds:g} seconds"
                    raise ScriptError(self._script.name, line=None, why=why)
                for key, _ in found:
                    if key.fileobj is out:
                        left = left[self._written(out, left) :]
                        if not left:
                            ready.unregister(out)
                        continue
                    piece = os.read(into.fileno(), _PIECE)
                    if not piece:
                        raise ScriptError(self._script.name, line=None, why=self._ended(what))
                    answer += piece
                    size = int.from_bytes(answer[:_HEAD], "little")
                    if size > _LARGEST:
                        raise ScriptError(self._script.name, line=None, why=_STRANGE)
                    if len(answer) >= _HEAD + size and len(answer) >= _HEAD:
                        return self._told(bytes(answer[_HEAD : _HEAD + size]))

    def _told(self, answer: bytes) -> dict[str, Any]:
        try:
            told = json.loads(answer)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise ScriptError(self._script.name, line=None, why=_STRANGE)
        return told

    def _written(self, out: IO[bytes], left: memoryview) -> int:
        try:
            return os.write(out.fileno(), left[:_PIECE])
        except BrokenPipeError:  # its other pipe tells that it is gone
            return len(left)

    def _ended(self, what: str) -> str:
        """How it ended that says nothing any more."""
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"its process ended amid {what} ({how}); was {self._script.megabytes} MB of memory too little?"


def _end_of(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 (both are pipes)
    return pipe
