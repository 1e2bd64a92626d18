"""Stored states as files: in a folder of this machine, or in a bucket."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa
import pyarrow.fs as pafs

from watchkeep.core.errors import OptionError, StoreError
from watchkeep.service.ports import LONG_AGO, Shelf

_PARTIAL: Final = ".partial"


def open_shelf(where: str | Path) -> Shelf:
    """The shelf in a folder, or behind a URL such as s3://bucket/folder. Nothing is made yet.

    Raises:
        OptionError: it is a file, or no URL that can be opened.
        StoreError: the bucket is not there, or cannot be reached.
    """
    text = str(where)
    if "://" in text:
        try:
            filesystem, path = pafs.FileSystem.from_uri(text)
        except OSError as error:
            raise StoreError(text, why=f"it cannot be opened: {error}") from error
        except (pa.ArrowException, ValueError) as error:
            raise OptionError(
                "--states", got=text, expected="a folder, or a URL: s3://, gs://, abfs://"
            ) from error
        if not isinstance(filesystem, pafs.LocalFileSystem):
            return Remote(text.rstrip("/"), filesystem, path)
        text = path
    folder = Path(text).expanduser()
    if folder.exists() and not folder.is_dir():
        raise OptionError("--states", got=text, expected="a folder, and this is a file")
    return Local(folder)


@dataclass(frozen=True, slots=True)
class Local:
    """A folder of this machine. Files are written beside and renamed, and are on the disk when that is over.

    Args:
        folder: where; it is made when something is written.
    """

    folder: Path

    @property
    def name(self) -> str:
        """See `Shelf`."""
        return str(self.folder)

    def names(self, folder: str) -> Sequence[str]:
        """See `Shelf`."""
        with (
            self._telling(folder, "read"),
            contextlib.suppress(FileNotFoundError),
            os.scandir(self.folder / folder) as found,
        ):
            return [entry.name for entry in found if not entry.name.startswith(".")]
        return []

    def read(self, name: str) -> bytes:
        """See `Shelf`."""
        with self._telling(name, "read"):
            return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """See `Shelf`."""
        target = self.folder / name
        partial = target.with_name(f".{secrets.token_hex(8)}{_PARTIAL}")
        with self._telling(name, "written"):
            try:
                try:
                    partial.touch()
                except FileNotFoundError:
                    _make(target.parent)
                with partial.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(target)
                _sync(target.parent)
            finally:
                with contextlib.suppress(OSError):
                    partial.unlink()

    def delete(self, name: str) -> None:
        """See `Shelf`."""
        with self._telling(name, "taken away"):
            (self.folder / name).unlink(missing_ok=True)

    def tidy(self, *, older: float = LONG_AGO) -> int:
        """See `Shelf`."""
        removed, before = 0, time.time() - older
        with self._telling("", "read"):
            for above, _, names in os.walk(self.folder):
                for path in (Path(above, name) for name in names if name.endswith(_PARTIAL)):
                    with contextlib.suppress(FileNotFoundError):
                        if path.stat().st_mtime <= before:
                            path.unlink()
                            removed += 1
        return removed

    @contextlib.contextmanager
    def _telling(self, name: str, done: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(str(self.folder / name), why=f"it cannot be {done}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Remote:
    """A folder in a bucket, where a file is there when all of it was sent.

    Args:
        name: its URL.
        filesystem: where it is.
        path: of the folder there.
    """

    name: str
    filesystem: Any
    path: str

    def names(self, folder: str) -> Sequence[str]:
        """See `Shelf`."""
        below = f"{self.path}/{folder}" if folder else self.path
        with self._telling(folder, "read"):
            found = self.filesystem.get_file_info(pafs.FileSelector(below, allow_not_found=True))
        return [PurePosixPath(entry.path).name for entry in found]

    def read(self, name: str) -> bytes:
        """See `Shelf`."""
        with self._telling(name, "read"), self.filesystem.open_input_stream(f"{self.path}/{name}") as file:
            content: bytes = file.read()
            return content

    def write(self, name: str, content: bytes) -> None:
        """See `Shelf`."""
        path = f"{self.path}/{name}"
        with self._telling(name, "written"):
            try:
                self._send(path, content)
            except FileNotFoundError:  # buckets need no folders, other places do
                self.filesystem.create_dir(path.rpartition("/")[0], recursive=True)
                self._send(path, content)

    def _send(self, path: str, content: bytes) -> None:
        with self.filesystem.open_output_stream(path) as file:
            file.write(content)

    def delete(self, name: str) -> None:
        """See `Shelf`."""
        with self._telling(name, "taken away"), contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{self.path}/{name}")

    def tidy(self, *, older: float = LONG_AGO) -> int:  # noqa: ARG002 (part of the port)
        """See `Shelf`: what was sent in part is not there."""
        return 0

    @contextlib.contextmanager
    def _telling(self, name: str, done: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise StoreError(f"{self.name}/{name}", why=f"it cannot be {done}: {error}") from error


def _make(folder: Path) -> None:
    """Make a folder, and have it on the disk, and those above it that were not there."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync(one.parent)


def _sync(folder: Path) -> None:
    """Sends a folder to the disk, so that a name that was given is not lost."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
