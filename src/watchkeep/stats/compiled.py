"""The loops of `kernels.c`, where the installation has them compiled.

Whoever calls them has NumPy lines that do the same: an installation without a compiler lacks nothing but speed.
"""

import ctypes
import zlib
from ctypes import c_double, c_int, c_int64, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Unsigned = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

FILE: Final = Path(__file__).with_name("kernels.so")
"""Where the build leaves the library, whatever the system calls such files."""
SOURCE: Final = Path(__file__).with_name("kernels.c")
"""What it was compiled from: it is used only with the very same text beside it."""
_ARGUMENTS: Final = {
    "power_sums": (c_void_p, c_int64, c_double, c_void_p),
    "hash_doubles": (c_void_p, c_int64, c_void_p),
    "hash_bytes": (c_void_p, c_int64, c_void_p, c_int64, c_void_p),
    "unmet": (c_void_p, c_int64, c_uint64, c_int, c_uint64, c_void_p, c_void_p),
    "count_by_range": (c_void_p, c_int64, c_int, c_uint64, c_uint64, c_void_p, c_void_p),
    "count_by_octave": (c_void_p, c_int64, c_int, c_void_p, c_uint64, c_void_p, c_void_p),
}


class Library:
    """The compiled loops, with arrays for pointers. They let other threads run meanwhile.

    Args:
        path: the shared library.

    Raises:
        OSError: it cannot be loaded.
        AttributeError: it lacks a function.
        ValueError: it was compiled from another text.
    """

    def __init__(self, path: Path) -> None:
        loaded = ctypes.CDLL(str(path))
        loaded.watchkeep_kernels.restype = c_int64
        if loaded.watchkeep_kernels() != zlib.crc32(SOURCE.read_bytes()):
            raise ValueError(f"{path.name} was compiled from another {SOURCE.name}; install again")
        self._call: dict[str, Any] = {}
        for name, arguments in _ARGUMENTS.items():
            function = getattr(loaded, name)
            function.argtypes, function.restype = arguments, c_int64
            self._call[name] = function

    def power_sums(self, values: Doubles, pivot: float) -> list[float]:
        """sum((x - pivot)**k) for k = 1 to 4, of values of shape (n,)."""
        values, sums = _plain(values, np.float64), np.empty(4)
        self._call["power_sums"](_at(values), len(values), pivot, _at(sums))
        found: list[float] = sums.tolist()
        return found

    def hash_doubles(self, values: Doubles, hashes: Unsigned) -> None:
        """Write the hash of each double, shape (n,), into an array of that shape.

        Raises:
            ValueError: they are not of one shape.
        """
        values = _plain(values, np.float64)
        if hashes.shape != values.shape:
            raise ValueError(f"{len(values)} doubles have as many hashes, not {len(hashes)}")
        self._call["hash_doubles"](_at(values), len(values), _at(hashes))

    def hash_bytes(self, data: npt.NDArray[np.uint8], offsets: Counts) -> Unsigned:
        """A hash of each byte string `data[offsets[i]:offsets[i + 1]]`.

        Raises:
            IndexError: the offsets decrease, or leave the data.
        """
        data, offsets = _plain(data, np.uint8), _plain(offsets, np.int64)
        hashes = np.empty(len(offsets) - 1, np.uint64)
        done = self._call["hash_bytes"](_at(data), len(data), _at(offsets), len(hashes), _at(hashes))
        if done < len(hashes):
            raise IndexError(f"text {done} is not within its {len(data)} bytes")
        return hashes

    def unmet(self, hashes: Unsigned, bar: int, shift: int, met: Unsigned) -> Unsigned:
        """The hashes up to `bar` that are not in `met`, a table of a power of two of slots; they are then."""
        hashes, fresh = _plain(hashes, np.uint64), np.empty(len(hashes), np.uint64)
        found = self._call["unmet"](_at(hashes), len(hashes), bar, shift, len(met) - 1, _at(met), _at(fresh))
        return fresh[:found]

    def count_by_range(self, values: Doubles, shift: int, first: int, counts: Counts) -> Doubles:
        """Count values, shape (n,), by their bits, shifted, less `first`; the values beyond, shape (beyond,)."""
        values, strangers = _plain(values, np.float64), np.empty(len(values))
        found = self._call["count_by_range"](
            _at(values), len(values), shift, first, len(counts), _at(counts), _at(strangers)
        )
        return strangers[:found]

    def count_by_octave(self, values: Doubles, shift: int, table: Unsigned, counts: Counts) -> Doubles:
        """The same, where `table`, shape (4096,), tells what to add to the shifted bits of each octave."""
        values, strangers = _plain(values, np.float64), np.empty(len(values))
        found = self._call["count_by_octave"](
            _at(values), len(values), shift, _at(table), len(counts), _at(counts), _at(strangers)
        )
        return strangers[:found]


def _plain(array: npt.NDArray[Any], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """The same numbers as C expects them: of this type, aligned, one after another."""
    return np.require(array, kind, ("A", "C"))


def _at(array: npt.NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def loaded() -> tuple[Library | None, str]:
    """The library, or None; and how it stands with it."""
    if not FILE.exists():
        return None, "not compiled: at installation there was no C compiler, or it failed"
    try:
        return Library(FILE), "compiled"
    except (OSError, AttributeError, ValueError) as error:
        return None, f"not used: {error}"


library, stands = loaded()
