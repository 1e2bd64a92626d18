"""Processes that listen at a port of this machine, and what they have recorded when they are gone."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenarios.world import watchkeep

PATIENCE = 60.0
"""Seconds after which a process that does nothing fails a test."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def running(port: int, *words: str, home: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of Python that listens; it is killed afterwards if it still runs."""
    environment = os.environ | ({} if home is None else {"WATCHKEEP_HOME": str(home)})
    process = subprocess.Popen([sys.executable, *words], env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def settled(home: Path, *, by_hand: bool = False) -> None:
    """Wait until everything that was recorded is sealed.

    Args:
        home: where.
        by_hand: whether it is sealed here, as what sealed it may have been killed, too.
    """
    deadline = time.monotonic() + PATIENCE
    while any((home / "segments").glob("*.segment")) or any((home / "segments").glob("*.open")):
        if by_hand:
            watchkeep("captures", "seal")
        assert time.monotonic() < deadline, list((home / "segments").iterdir())
        time.sleep(0.1)
