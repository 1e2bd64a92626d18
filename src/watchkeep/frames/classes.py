"""A column read as classes of a known list, however each is spelled: "1", 1, 1.0 and true are one class."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import filled, plain
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type

UNKNOWN: Final = -1
"""The code of a value that is none of the classes."""
MISSING: Final = -2
"""The code of a row without a value."""
_TRUTHS: Final = {"true": "1", "false": "0"}
_FEW: Final = 16  # classes that numbers are compared with one by one

Codes = npt.NDArray[np.intp]


def canonical(text: str) -> str:
    """One spelling for all spellings of a class.

    >>> [canonical(text) for text in ("1", "1.0", "True", "1e0", "red", "01")]
    ['1', '1', '1', '1', 'red', '1']
    """
    bare = text.strip()
    truth = _TRUTHS.get(bare.lower())
    if truth is not None:
        return truth
    try:
        number = float(bare)
    except ValueError:
        return text
    if not np.isfinite(number) or "_" in bare:
        return text
    return str(int(number)) if number.is_integer() else repr(number)


@dataclass(frozen=True)
class Classes:
    """The classes that labels and predictions are of.

    Args:
        names: as people write them, different from each other in every spelling; their order is their code.

    >>> Classes(("no", "yes")).codes(pa.array(["yes", "no", "maybe", None])).tolist()
    [1, 0, -1, -2]
    >>> Classes(("0", "1")).codes(pa.array([True, False])).tolist()
    [1, 0]
    """

    names: tuple[str, ...]

    @classmethod
    def among(cls, texts: Iterable[str]) -> "Classes":
        """The classes that values are of: numbers by size, then texts by name; each as it is spelled first."""
        spelled: dict[str, str] = {}
        for text in texts:
            spelled.setdefault(canonical(text), text)
        return cls(tuple(spelled[key] for key in sorted(spelled, key=_order)))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {canonical(name): code for code, name in enumerate(self.names)}

    @cached_property
    def _numbers(self) -> tuple[tuple[float, int], ...]:
        return tuple(
            (number, code) for key, code in self._places.items() if (number := _number(key)) is not None
        )

    def code(self, text: str) -> int:
        """The code of one value; UNKNOWN if it is of no class."""
        return self._places.get(canonical(text), UNKNOWN)

    def codes(self, array: pa.Array) -> Codes:
        """The code of each row, shape (rows,); UNKNOWN for a value of no class, MISSING for none."""
        stored = array.type
        if pa.types.is_boolean(stored):
            array = pc.cast(array, pa.int8())
        if (
            column_type(array.type).numeric
            and not pa.types.is_dictionary(stored)
            and len(self._numbers) <= _FEW
        ):
            return self._of_numbers(array)
        encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(row_texts(array))
        texts = row_texts(encoded.dictionary).to_pylist()
        own = stored.value_type if pa.types.is_dictionary(stored) else stored
        none = (None, "nan") if pa.types.is_floating(own) else (None,)
        of = [MISSING if text in none else self.code(text) for text in texts]
        places = filled(encoded.indices, len(of))
        found: Codes = np.array([*of, MISSING], np.intp)[places]
        return found

    def _of_numbers(self, array: pa.Array) -> Codes:
        if array.type in (pa.int8(), pa.uint8()) and not array.null_count:
            table = np.full(256, UNKNOWN, np.intp)
            low = -128 if array.type == pa.int8() else 0
            for number, code in self._numbers:
                if number.is_integer() and low <= number < low + 256:
                    table[int(number) % 256] = code
            return table[plain(array).view(np.uint8)]
        read = read_numbers(array)
        codes = np.full(len(read.values), UNKNOWN, np.intp)
        for number, code in self._numbers:
            codes[read.values == number] = code
        if read.where is None:
            return codes
        out = np.full(len(array), MISSING, np.intp)
        out[read.where] = codes
        return out


def _number(key: str) -> float | None:
    try:
        return float(key)
    except ValueError:
        return None


def _order(key: str) -> tuple[int, float, str]:
    number = _number(key)
    return (1, 0.0, key) if number is None or not np.isfinite(number) else (0, number, key)
