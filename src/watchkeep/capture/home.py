"""Where captures lie, and the process that seals them."""

import fcntl
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

HOME: Final = "WATCHKEEP_HOME"
"""The environment variable that names the folder where everything is kept."""
SEGMENTS: Final = "segments"
LABEL_SEGMENTS: Final = "label-segments"
"""Where labels lie that were told and are not sealed yet."""
STORE: Final = "captures"
SEALER_LOG: Final = "sealer.log"
LOCK: Final = "sealer.lock"


def home_of(home: str | os.PathLike[str] | None = None) -> Path:
    """The folder where everything is kept: the one that is given, that of `WATCHKEEP_HOME`, or `.watchkeep` here."""
    return Path(home if home is not None else os.environ.get(HOME) or ".watchkeep").expanduser().absolute()


def hold_sealing(home: Path) -> int | None:
    """Take the lock of whoever seals the segments of a home: an open file; None where another process has it."""
    home.mkdir(parents=True, exist_ok=True)
    file = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    with suppress(OSError):  # a full disk
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
    return file


def who_seals(home: Path) -> str:
    """Whoever took the lock of `hold_sealing` last, in words."""
    try:
        number = (home / LOCK).read_text(encoding="ascii").strip()
    except OSError:
        number = ""
    return f"process {number}" if number else "another process"


def start_sealer(home: Path) -> None:
    """Start a process that seals segments, unless there is one; it ends when nobody records any more.

    Raises:
        OSError: the folder cannot be written, or the process not be started.
    """
    lock = hold_sealing(home)
    if lock is None:
        return
    os.close(lock)
    with (home / SEALER_LOG).open("ab") as log:
        subprocess.Popen(  # noqa: S603 (this Python, this package)
            [sys.executable, "-m", "watchkeep", "captures", "seal", "--follow", "--home", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
