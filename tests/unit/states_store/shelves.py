"""A shelf in memory that can be cut short, and small profiles whose bits tell how they were merged."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from watchkeep.formats.profile_archive import pack_profile
from watchkeep.profiles.profile import Profile
from watchkeep.service.state_catalogue import Key
from watchkeep.service.state_store import StateStore
from watchkeep.states.codec import State
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
KEY = Key(baseline="0123456789ab", dialect="default", kind="data-quality")


class CutError(Exception):
    """The process is killed."""


class Memory:
    """A shelf in memory.

    Args:
        left: writes and deletions that are done before the process is killed; no end when None.
    """

    def __init__(self, files: dict[str, bytes] | None = None, left: int | None = None) -> None:
        self.files = {} if files is None else files
        self.left = left
        self.done: list[tuple[str, str]] = []

    @property
    def name(self) -> str:
        return "memory"

    def names(self, folder: str) -> Sequence[str]:
        start = f"{folder}/" if folder else ""
        return list({one[len(start) :].partition("/")[0] for one in self.files if one.startswith(start)})

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(name)
        self.done.append(("read", name))
        return self.files[name]

    def write(self, name: str, content: bytes) -> None:
        self._act("write", name)
        self.files[name] = content

    def delete(self, name: str) -> None:
        self._act("delete", name)
        self.files.pop(name, None)

    def tidy(self, *, older: float = 3600) -> int:
        return 0

    def _act(self, what: str, name: str) -> None:
        if self.left == 0:
            raise CutError
        self.left = None if self.left is None else self.left - 1
        self.done.append((what, name))


def store(shelf: Memory | None = None) -> StateStore:
    return StateStore(shelf or Memory(), KEY)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@cache
def profile(seed: int, rows: int = 5) -> Profile:
    """Of some rows of a column; a seed tells which."""
    values = np.random.default_rng(seed).lognormal(0, 3, rows)
    parts: dict[tuple[str, str], State] = {
        ("x", "moments"): Moments.of(values),
        ("x", "presence"): Presence(rows + 1, rows),
    }
    return Profile(rows + 1, {"broken": seed % 3}, {"x": rows + 1}, parts, unplaced=seed % 3)


def bits(found: Profile) -> str:
    """The same of the same to the last bit."""
    return pack_profile(found, {}).digest
