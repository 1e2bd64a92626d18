"""Hashes of values, the same on every machine and in every process."""

import numpy as np
import numpy.typing as npt

from watchkeep.stats import compiled
from watchkeep.stats.scratch import CHUNK, Scratch

Hashes = npt.NDArray[np.uint64]

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_WORD = 8


def mixed(bits: Hashes) -> Hashes:
    """Bits spread over 64 bits, the upper ones best: a bijection, multiply and xor-shift.

    >>> len(set(mixed(np.arange(1000, dtype=np.uint64)).tolist()))
    1000
    """
    h = bits * _FIRST
    h ^= h >> _HALF
    h *= _SECOND
    return h


def hash_doubles(values: npt.NDArray[np.float64], scratch: Scratch, *, signed: bool = True) -> Hashes:
    """A hash of each double, shape (n,), n <= CHUNK, in `scratch.hashes`; -0.0 and 0.0 have the same.

    `signed` may be False when no value is -0.0.
    """
    n = len(values)
    h, spare = scratch.hashes[:n], scratch.spare[:n]
    if compiled.library is not None:
        compiled.library.hash_doubles(values, h)
        return h
    if signed:
        values = np.add(values, 0.0, out=scratch.first[:n])
    np.multiply(values.view(np.uint64), _FIRST, out=h)
    np.right_shift(h, _HALF, out=spare)
    h ^= spare
    h *= _SECOND
    return h


def hash_bytes(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Hashes:
    """A hash of each byte string: `data[offsets[i]:offsets[i + 1]]`, i in 0..n-1; offsets have shape (n + 1,).

    Eight bytes at a time, zeros after the last, mixed with the length. For counting different values, not for
    security.

    >>> data = np.frombuffer(b"abcabc", np.uint8)
    >>> bool(np.equal(*hash_bytes(data, np.array([0, 3, 6]))))
    True
    """
    if compiled.library is not None:
        return compiled.library.hash_bytes(data, offsets)
    out = np.empty(len(offsets) - 1, np.uint64)
    for start in range(0, len(out), CHUNK):
        out[start : start + CHUNK] = _hash_chunk(data, offsets[start : start + CHUNK + 1])
    return out


def _hash_chunk(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Hashes:
    first, last = int(offsets[0]), int(offsets[-1])
    # A word may reach beyond the last string: its own bytes, then zeros.
    padded = np.zeros(last - first + _WORD, np.uint8)
    padded[: last - first] = data[first:last]
    words = np.ndarray((last - first + 1,), np.uint64, buffer=padded, strides=(1,))
    starts, lengths = offsets[:-1] - first, np.diff(offsets)
    h = lengths.astype(np.uint64) * _SECOND
    rows = np.flatnonzero(lengths > 0)
    at = 0
    while len(rows):
        whole = len(rows) == len(h)
        left = (lengths if whole else lengths[rows]) - at
        word = words[(starts if whole else starts[rows]) + at]
        # Bytes after the end of a string belong to the next one: shift them out.
        over = ((_WORD - np.minimum(left, _WORD)) * 8).astype(np.uint64)
        word = (word << over) >> over
        if whole:
            h = mixed(h ^ word)
        else:
            h[rows] = mixed(h[rows] ^ word)
        at += _WORD
        rows = rows[left > _WORD]
    return h
