"""What was brought into a store before, so that it is not brought in again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.stored.standing import DIGEST
from watchkeep.core.errors import StoreError
from watchkeep.service.ports import Shelf

RECEIPTS: Final = "_imported.json"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file is known by.

    Args:
        size: bytes.
        changed: when, nanoseconds since 1970; None where nobody knows.
        digest: of its name and content; empty while it was not read.
    """

    size: int
    changed: int | None
    digest: str = ""

    @classmethod
    def of(cls, file: File) -> Self:
        """A file, by a look at it.

        Raises:
            SourceError: it cannot be looked at.
        """
        with reading(file.name):
            info = file.filesystem.get_file_info(file.path)
        return cls(info.size or 0, info.mtime_ns)

    def read(self, file: File) -> "Seen":
        """The same, when it was read.

        Raises:
            SourceError: it cannot be read.
        """
        digest = hashlib.blake2b(file.path.encode("utf-8", "surrogatepass") + b"\0", digest_size=16)
        with reading(file.name), file.open() as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
        return Seen(self.size, self.changed, digest.hexdigest())

    def is_as(self, other: "Seen | None") -> bool:
        """Whether it is unchanged, by size and time."""
        return (
            other is not None
            and self.changed is not None
            and (self.size, self.changed) == (other.size, other.changed)
        )


@dataclass(slots=True)
class Receipts:
    """What was brought in.

    Args:
        files: by key.
        groups: the digests under which they were brought in together.
    """

    files: dict[str, Seen] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, shelf: Shelf) -> Self:
        """Those of a store.

        Raises:
            StoreError: they cannot be read, or are damaged.
        """
        try:
            told = json.loads(shelf.read(RECEIPTS))
            return cls({key: Seen(*own) for key, own in told["files"].items()}, set(told["groups"]))
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{shelf.name}/{RECEIPTS}", why="it is damaged") from error

    def write(self, shelf: Shelf) -> None:
        """Keep them.

        Raises:
            StoreError: the store cannot be written.
        """
        files = {key: [own.size, own.changed, own.digest] for key, own in self.files.items()}
        told = {"version": 1, "files": files, "groups": sorted(self.groups)}
        shelf.write(RECEIPTS, json.dumps(told, separators=(",", ":")).encode())


def key_of(endpoint: str, variant: str, file: File) -> str:
    """What a file is called, as one whose records are some variant's."""
    return _hashed(endpoint, variant, file.path)


def group_of(endpoint: str, variant: str, files: Mapping[str, Seen], *, salt: str) -> str:
    """What files are called together that were read, of `DIGEST` characters."""
    return _hashed(endpoint, variant, salt, *(own.digest for own in files.values()))


def _hashed(*told: str) -> str:
    text = "\x1f".join(told).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=DIGEST // 2).hexdigest()
