"""Folders that appear whole or not at all."""

import ctypes
import errno
import hashlib
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchkeep.core.errors import BadInputError, OptionError

_MARK: Final = ".partial"
_AT_CWD: Final = -100
_EXCHANGE: Final = 2
_UNWRITABLE: Final = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENOENT,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
)
_NO_EXCHANGE: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Made:
    """A folder that we write, and may replace when it holds nothing else.

    Args:
        what: in words: "a report".
        mark: the file that none lacks, and that no other folder of ours has.
        files: all the names it may hold.
    """

    what: str
    mark: str
    files: frozenset[str]


@contextmanager
def whole_folder(path: Path, made: Made, *, option: str = "--out") -> Iterator[Path]:
    """Gives an empty folder to write into, which becomes `path` when the block ends well.

    Whoever looks at `path` at any time, also after this process was killed, sees the old folder or the new,
    whole. (Where the system cannot exchange two folders at once, there is a moment without either.) When the
    block raises, the old folder stays as it was. What killed processes of this machine left beside `path` is
    removed.

    Args:
        path: the folder to make or replace.
        made: what it is going to be; only such a folder is replaced.
        option: what the user knows it by.

    Raises:
        OptionError: `path` is there, and is no such folder, or holds something else as well.
        BadInputError: it cannot be written: permission is denied, or the disk is full.

    >>> import tempfile
    >>> report = Made("a report", "report.json", frozenset({"report.json"}))
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with whole_folder(Path(home, "report"), report) as folder:
    ...         _ = (folder / "report.json").write_text("{}")
    ...     sorted(entry.name for entry in Path(home).iterdir())
    ['report']
    """
    target = Path(os.path.realpath(path))  # a link goes on pointing where it does
    with _writing(path, option):
        _check(target, made, option)
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        folder = target.parent / f"{_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}{_MARK}"
        folder.mkdir()
        try:
            yield folder
            _sync(folder)
            _check(target, made, option)
            _put(folder, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # half written, or the old one after an exchange


def _check(target: Path, made: Made, option: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OptionError(option, got=str(target), expected="a folder, and this is a file")
    names = {entry.name for entry in target.iterdir()}
    strange = names - made.files
    if not names or (made.mark in names and not strange):
        return
    holds = f"this one holds {min(strange)!r}" if strange else f"this one lacks {made.mark!r}"
    raise OptionError(
        option,
        got=str(target),
        expected=f"a new or empty folder, or one that holds {made.what} and nothing else; {holds}",
    )


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    try:
        yield
    except OptionError:
        raise
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        why = error.strerror or str(error)
        raise BadInputError(
            f"{option}: {path} cannot be written: {why}; what was there is untouched"
        ) from error


def _prefix(target: Path) -> str:
    # Folders may be shared between machines, and only its own machine can tell whether a process still lives.
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    return f".{target.name}.{machine}-"


def _sweep(target: Path) -> None:
    """Removes what processes that were killed left behind."""
    prefix = _prefix(target)
    for entry in target.parent.iterdir():
        if entry.name.startswith(prefix) and entry.name.endswith(_MARK):
            process = entry.name.removeprefix(prefix).partition("-")[0]
            if process.isdecimal() and not _lives(int(process)):
                shutil.rmtree(entry, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync(folder: Path) -> None:
    """Sends files and folders to the disk, so that a rename never outruns what it names."""
    for above, _, names in os.walk(folder):
        for name in names:
            _sync_one(Path(above, name))
        _sync_one(Path(above))


def _sync_one(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _put(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
    elif not _exchange(folder, target):
        _move_aside(folder, target)
    _sync_one(target.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Swaps two folders in one step, where the system can (Linux); answers whether it did."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # another system, or an old C library
        return False
    if rename(_AT_CWD, os.fsencode(first), _AT_CWD, os.fsencode(second), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(second))


def _move_aside(folder: Path, target: Path) -> None:
    aside = folder.with_name(folder.name.removesuffix(_MARK) + f"-old{_MARK}")
    target.rename(aside)
    try:
        folder.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
