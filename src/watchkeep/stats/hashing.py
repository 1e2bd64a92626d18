"""Hashes of values, the same on every machine and in every process."""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)
_PRIME = 0x100000001B3
_HALF, _ODD = np.uint64(32), np.uint64(29)
_CHUNK = 8192  # with its scratch it stays in the first-level caches
_SLICE = 1 << 18


def mixed(bits: Hashes) -> Hashes:
    """Bits spread evenly over 64 bits: a bijection, by two rounds of xor-shift and multiply.

    >>> len(set(mixed(np.arange(1000, dtype=np.uint64)).tolist()))
    1000
    """
    out = np.empty_like(bits)
    scratch = np.empty(min(len(bits), _CHUNK), np.uint64)
    for start in range(0, len(bits), _CHUNK):
        h, piece = out[start : start + _CHUNK], bits[start : start + _CHUNK]
        spare = scratch[: len(h)]
        np.right_shift(piece, _HALF, out=h)
        h ^= piece
        h *= _FIRST
        np.right_shift(h, _ODD, out=spare)
        h ^= spare
        h *= _SECOND
        np.right_shift(h, _HALF, out=spare)
        h ^= spare
    return out


def hash_doubles(values: npt.NDArray[np.float64]) -> Hashes:
    """A hash of each double, shape (n,); equal doubles have equal hashes, -0.0 and 0.0 too."""
    return mixed((values + 0.0).view(np.uint64))


def hash_bytes(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Hashes:
    """A hash of each byte string: `data[offsets[i]:offsets[i + 1]]` for i in 0..n-1; offsets have shape (n + 1,).

    A polynomial of the bytes modulo 2**64, mixed with the length. For counting distinct values, not for security.

    >>> data = np.frombuffer(b"abcabc", np.uint8)
    >>> bool(np.equal(*hash_bytes(data, np.array([0, 3, 6]))))
    True
    """
    n = len(offsets) - 1
    lengths = np.diff(offsets)
    sums = np.zeros(n, np.uint64)
    longest = int(lengths.max()) if n else 0
    if longest:
        powers = np.full(longest, _PRIME, np.uint64)
        powers[0] = 1
        np.multiply.accumulate(powers, out=powers)
        start = 0
        while start < n:
            # As many strings as fit a slice of bytes, one at least: scratch memory stays small.
            end = max(start + 1, int(np.searchsorted(offsets, offsets[start] + _SLICE, side="right")) - 1)
            sums[start:end] = _polynomials(data, offsets[start : end + 1], powers)
            start = end
    return mixed(sums ^ (lengths.astype(np.uint64) * _SECOND))


def _polynomials(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], powers: Hashes) -> Hashes:
    lengths = np.diff(offsets)
    out = np.zeros(len(lengths), np.uint64)
    full = lengths > 0
    if not full.any():
        return out
    starts = offsets[:-1] - offsets[0]
    place = np.arange(offsets[-1] - offsets[0]) - np.repeat(starts, lengths)
    terms = (data[offsets[0] : offsets[-1]].astype(np.uint64) + np.uint64(1)) * powers[place]
    out[full] = np.add.reduceat(terms, starts[full])
    return out
