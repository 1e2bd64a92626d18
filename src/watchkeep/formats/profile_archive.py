"""A profile as bytes: all that was counted over some rows, with a checksum; what cannot be trusted is refused.

    what it is | version | checksum | size | compressed: a block of states (`state_block`), and the account of the rows

The checksum is that of what was compressed, not of how: equal profiles have equal checksums on every machine.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from watchkeep.core.errors import StateError, StoreError
from watchkeep.formats.migrations import TODAY, Migrations
from watchkeep.formats.state_block import pack_states, unpack_states
from watchkeep.frames.batches import FilesMet
from watchkeep.profiles.profile import Profile
from watchkeep.states.codec import State

VERSION: Final = 1
"""Of the file; one of a newer version is refused."""
DIGEST: Final = 16
"""Bytes of a checksum."""
_MAGIC: Final = b"watchkeep states\n"
_HEAD: Final = struct.Struct(f"<H{DIGEST}sQ")
_LARGEST: Final = 1 << 32
_CODEC: Final = "zstd"
_LEVEL: Final = 1  # most bytes are hashes, which no level makes smaller


@dataclass(frozen=True, slots=True)
class Archived:
    """A profile in bytes.

    Args:
        content: the file.
        digest: of what it holds, 32 hexadecimal digits.
    """

    content: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a file holds.

    Args:
        profile: all that was counted.
        meta: what else it says.
        digest: as `Archived` has it.
    """

    profile: Profile
    meta: Mapping[str, object]
    digest: str


def pack_profile(profile: Profile, meta: Mapping[str, object]) -> Archived:
    """A profile, and what else there is to say in JSON, as bytes.

    >>> packed = pack_profile(Profile(rows=3), {"start": "2024-03-01T05:00:00Z"})
    >>> found = unpack_profile(packed.content, "a file")
    >>> found.profile, found.meta, found.digest == packed.digest
    (<Profile of 3 rows, 0 columns>, {'start': '2024-03-01T05:00:00Z'}, True)
    """
    told = {
        "meta": dict(meta),
        "rows": profile.rows,
        "rejected": dict(profile.rejected),
        "seen": dict(profile.seen),
        "outside": dict(profile.outside),
        "unplaced": profile.unplaced,
        "skipped": dict(profile.skipped),
    }
    files = profile.files
    if files.lost:  # of files that were all read there is nothing to tell: the same rows stay the same
        told["files"] = [files.met, files.lost, files.met_bytes, files.lost_bytes]
    block = pack_states(profile.parts, told)
    digest = _digest(VERSION, block)
    squeezed = pa.Codec(_CODEC, compression_level=_LEVEL).compress(block, asbytes=True)
    return Archived(_MAGIC + _HEAD.pack(VERSION, digest, len(block)) + squeezed, digest.hex())


def unpack_profile(content: bytes, path: str, migrations: Migrations = TODAY) -> Unpacked:
    """The profile of a file, and what else it says.

    Args:
        content: the file.
        path: where it lies.
        migrations: of files and states of older versions.

    Raises:
        StoreError: the bytes are damaged, of a newer version, or no profile.
    """
    if not content.startswith(_MAGIC) or len(content) < len(_MAGIC) + _HEAD.size:
        raise StoreError(path, why="it is damaged, or holds no states of ours; restore it from a backup")
    version, digest, size = _HEAD.unpack_from(content, len(_MAGIC))
    if version > VERSION:
        why = f"it has version {version}, and this Watchkeep reads up to {VERSION}; upgrade Watchkeep"
        raise StoreError(path, why=why)
    try:
        block = _block(content[len(_MAGIC) + _HEAD.size :], size)
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        raise StoreError(
            path, why="it is damaged: it cannot be decompressed; restore it from a backup"
        ) from error
    if _digest(version, block) != digest:
        raise StoreError(path, why="it is damaged: its checksum is wrong; restore it from a backup")
    try:
        parts, told = unpack_states(_moved(block, version, migrations), migrations)
        return Unpacked(_profile(parts, told), _mapping(told["meta"]), digest.hex())
    except (StateError, ValueError, TypeError, LookupError) as error:
        raise StoreError(path, why=f"its states cannot be read: {error}") from error


def _block(squeezed: bytes, size: int) -> bytes:
    if size > _LARGEST:
        raise OverflowError("no profile is that large")
    block: bytes = pa.Codec(_CODEC).decompress(squeezed, size, asbytes=True)
    return block


def _digest(version: int, block: bytes) -> bytes:
    found = hashlib.blake2b(_HEAD.pack(version, b"", len(block)), digest_size=DIGEST)
    found.update(block)
    return found.digest()


def _moved(block: bytes, version: int, migrations: Migrations) -> bytes:
    for old in range(version, VERSION):
        step = migrations.profiles.get(old)
        if step is None:
            raise StateError(f"there is no way from version {old} of a file to the next")
        block = step(block)
    return block


def _profile(parts: Mapping[tuple[str, str], State], told: Mapping[str, object]) -> Profile:
    return Profile(
        _whole(told["rows"]),
        _counts(told["rejected"]),
        _counts(told["seen"]),
        parts,
        _counts(told["outside"]),
        _whole(told["unplaced"]),
        {name: str(why) for name, why in _mapping(told["skipped"]).items()},
        _files(told.get("files", [])),
    )


def _mapping(told: object) -> Mapping[str, object]:
    if not isinstance(told, dict):
        raise StateError(f"it tells {told!r} where names should be")
    return told


def _counts(told: object) -> dict[str, int]:
    return {name: _whole(count) for name, count in _mapping(told).items()}


def _files(told: object) -> FilesMet:
    if not isinstance(told, list):
        raise StateError(f"it tells {told!r} where files should be")
    return FilesMet(*map(_whole, told))


def _whole(told: object) -> int:
    if not isinstance(told, int):
        raise StateError(f"it tells {told!r} where a count should be")
    return told
