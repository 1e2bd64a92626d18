"""Segments: files that a recorder appends blocks to, until they are sealed.

A segment that is being written is called `NAME.open`, and whoever writes it holds a lock on it. When it is complete it
is called `NAME.segment`. One whose writer died keeps its first name and has no lock: it is recovered by taking the
blocks that are whole.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from watchkeep.capture.encryption import Keys
from watchkeep.capture.record import Block, Columns, Inference, decode, encode
from watchkeep.core.errors import StoreError

OPEN: Final = ".open"
CLOSED: Final = ".segment"
TORN: Final = ".torn"
"""How segments are called while they are written, afterwards, and where they end in something that is no block."""


class Segment:
    """A segment that is being written.

    Args:
        folder: where it lies; made when it is missing.
        name: what it is called, without its suffix.
        keys: encrypt its blocks; None where they are to be plain.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, name: str, *, keys: Keys | None = None) -> None:
        self._keys = keys
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}{OPEN}"
        self.size = 0
        self.broken = False
        """Whether its end is unknown, so that nothing can be appended."""
        self.started = time.monotonic()
        self._file = _made(self.path)
        try:
            _sync_folder(folder)
        except OSError:
            os.close(self._file)
            raise

    @classmethod
    def new(cls, folder: Path, *, keys: Keys | None = None) -> Self:
        """A segment with a name that no other has: the time, this machine, this process, and chance.

        In the order of their names those of one process are in the order in which they were written.
        """
        now = time.time_ns()
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9))
        host = "".join(letter for letter in socket.gethostname() if letter.isalnum())[:24] or "host"
        name = f"{moment}{now % 10**9 // 1000:06}-{host}-{os.getpid()}-{os.urandom(6).hex()}"
        return cls(folder, name, keys=keys)

    def append(
        self,
        records: Sequence[Inference] | Columns,
        tallies: Sequence[dict[str, Any]] = (),
        *,
        given: bool = True,
    ) -> None:
        """Write a block, and wait until it is on the disk. What cannot be written whole is taken back.

        Raises:
            OSError: it cannot be written; the segment is as it was.
        """
        pieces = encode(records, tallies, given=given, keys=self._keys)
        data = memoryview(b"".join(pieces))
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
            os.fdatasync(self._file)
        except OSError:
            self.broken = True
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)
            self.broken = False
            raise
        self.size += len(data)

    def close(self) -> Path | None:
        """Complete it; what it is called now, or None where it held nothing and is gone.

        Raises:
            OSError: it cannot be renamed; it is as a killed process would have left it.
        """
        try:
            if not self.size:
                self.path.unlink(missing_ok=True)
                return None
            target = self.path.rename(self.path.with_suffix(CLOSED))
            _sync_folder(self.path.parent)
            return target
        finally:
            os.close(self._file)

    def abandon(self) -> None:
        """Leave it as it is, as a process does that is killed."""
        os.close(self._file)


def complete(folder: Path) -> list[Path]:
    """The segments of a folder that nobody writes any more, oldest first; leftovers are renamed first."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        path = folder / name
        if path.suffix == CLOSED:
            found.append(path)
        elif path.suffix == OPEN and (left := _taken_over(path)) is not None:
            found.append(left)
    return found


def writers(folder: Path) -> int:
    """How many segments of a folder are being written."""
    try:
        return sum(path.suffix == OPEN for path in folder.iterdir())
    except FileNotFoundError:
        return 0


def blocks_of(path: Path) -> tuple[list[Block], int]:
    """The blocks of a segment, and how many bytes at its end are no block: a writer was killed amid them.

    Raises:
        OSError: it cannot be read.
        StoreError: it is of a newer version, or encrypted with a key that is not in the environment.
    """
    rest = memoryview(path.read_bytes())
    try:
        return _blocks(rest)
    except StoreError as error:
        raise StoreError(str(path), why=error.why) from error


def _blocks(rest: memoryview) -> tuple[list[Block], int]:
    found = []
    while rest:
        block, rest = decode(rest)
        if block is None:
            break
        found.append(block)
    return found, len(rest)


def _made(path: Path) -> int:
    """A new file, open and locked; made once more where it was taken for one left behind before it was locked."""
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file
        os.close(file)


def _taken_over(path: Path) -> Path | None:
    """A segment that its writer left behind, as a complete one; None where it is still written."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # it was completed just now
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.exists():
            return None
        if os.fstat(file).st_size == 0:
            path.unlink()
            return None
        return path.rename(path.with_suffix(CLOSED))
    except BlockingIOError:
        return None
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    """Have the names of a folder on the disk, too."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def pending(folder: Path) -> Iterator[tuple[Path, int]]:
    """The segments of a folder, complete or not, and their bytes."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.endswith((OPEN, CLOSED)):
            try:
                yield Path(entry.path), entry.stat().st_size
            except FileNotFoundError:  # sealed just now
                continue
