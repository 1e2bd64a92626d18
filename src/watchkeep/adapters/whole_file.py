"""Files that are written whole or not at all, by one process at a time."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from watchkeep.core.errors import BadInputError

try:
    import fcntl
except ImportError:  # there is no such lock on this system
    fcntl = None  # type: ignore[assignment]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file: whoever looks at it, also after this process was killed, sees the old content or the new.

    Raises:
        BadInputError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is within such a block for the same path.

    Raises:
        BadInputError: the file that says so cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".{target.name}.lock").open("ab")
    except OSError as error:
        raise BadInputError(f"{path}: cannot be written: {error.strerror}") from error
    with lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
