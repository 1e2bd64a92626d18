"""Reads event times off Arrow columns, whatever form they arrived in."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import plain, valid_mask

Micros: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_DAY: Final = 86_400_000_000
_LONGEST: Final = 35  # 2024-01-19T18:20:48.123456789+01:00
_WIDTH: Final = _LONGEST + 7  # room to look past the end of the longest text
_ROWS_AT_ONCE: Final = 32_768  # keeps the grid of characters in cache
_NUMBER: Final = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"
_UNITS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_FURTHEST: Final = 2**62  # microseconds: further than any calendar of ours reaches


def event_times(array: pa.Array, *, textual: bool = False) -> tuple[Micros, Mask]:
    """The UTC times of a column, and which of its values are times.

    Times are Arrow timestamps and dates of any unit (without a zone they are UTC), ISO 8601 texts
    (`2024-01-19`, `2024-01-19T18:20`, `2024-01-19 18:20:48.123456Z`, `...+01:00`, `...+0100`, `...+01`;
    without an offset they are UTC; digits after the sixth of a fraction are cut), and numbers of seconds,
    milliseconds, microseconds or nanoseconds since 1970. Which of the four a number counts is told by its
    magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.

    Args:
        array: one column, shape (rows,).
        textual: numbers written as text are times as well (columns of textual sources).

    Returns:
        Microseconds since 1970-01-01T00:00:00Z, shape (rows,), 0 where there is no time; and where there is a
        time, shape (rows,). A null is no time.

    >>> micros, valid = event_times(pa.array(["1970-01-01T00:00:01Z", "1970-01-01 01:30+01:00", "soon"]))
    >>> micros.tolist(), valid.tolist()
    ([1000000, 1800000000, 0], [True, True, False])
    >>> event_times(pa.array([1_706_000_000, 1_706_000_000_000]))[0].tolist()
    [1706000000000000, 1706000000000000]
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(array, textual=textual)
    if pa.types.is_timestamp(kind):
        return _of_timestamps(array)
    if pa.types.is_date32(kind):
        return _scaled(plain(array.cast(pa.int32())).astype(np.int64), _present(array), _DAY)
    if pa.types.is_date64(kind):
        return _scaled(plain(array.cast(pa.int64())), _present(array), _UNITS["ms"])
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        return _of_integers(plain(array.cast(pa.int64())), _present(array))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _of_floats(plain(array.cast(pa.float64(), safe=False)), _present(array))
    if _is_text(kind):
        return _of_texts(array, textual=textual)
    return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _of_dictionary(array: pa.Array, *, textual: bool) -> tuple[Micros, Mask]:
    micros, valid = event_times(array.dictionary, textual=textual)
    present = _present(array)
    if not len(micros):
        return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
    codes = np.where(present, plain(array.indices.cast(pa.int64())), 0)
    taken = valid[codes] & present
    return np.where(taken, micros[codes], 0), taken


def _of_timestamps(array: pa.Array) -> tuple[Micros, Mask]:
    counts, present = plain(array.cast(pa.int64())), _present(array)
    if array.type.unit == "ns":
        return np.where(present, counts // 1000, 0), present
    return _scaled(counts, present, _UNITS[array.type.unit])


def _scaled(counts: Micros, present: Mask, factor: int) -> tuple[Micros, Mask]:
    near = present & (counts <= _FURTHEST // factor) & (counts >= -(_FURTHEST // factor))
    return np.where(near, counts, 0) * factor, near


def _of_integers(counts: Micros, present: Mask) -> tuple[Micros, Mask]:
    counts = np.where(present, counts, 0)
    size = np.abs(counts.astype(np.float64))
    seconds, millis, micros = size < 1e11, size < 1e14, size < 1e17
    factor = np.where(seconds, 1_000_000, np.where(millis, 1_000, 1))
    return np.where(micros, np.where(micros, counts, 0) * factor, counts // 1000), present


def _of_floats(counts: npt.NDArray[np.float64], present: Mask) -> tuple[Micros, Mask]:
    with np.errstate(invalid="ignore"):
        size = np.abs(counts)
        valid = present & (size < 1e3 * _FURTHEST)  # false for NaN and the infinities
        counts, size = np.where(valid, counts, 0.0), np.where(valid, size, 0.0)
    factor = np.where(size < 1e11, 1e6, np.where(size < 1e14, 1e3, np.where(size < 1e17, 1.0, 1e-3)))
    return np.rint(counts * factor).astype(np.int64), valid


def _of_texts(array: pa.Array, *, textual: bool) -> tuple[Micros, Mask]:
    texts = pc.ascii_trim_whitespace(_as_large_string(array))
    bounds, data = _offsets(texts), texts.buffers()[2]
    characters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    micros, valid = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    for at in range(0, len(texts), _ROWS_AT_ONCE):
        piece = slice(at, at + _ROWS_AT_ONCE)
        starts = bounds[:-1][piece]
        micros[piece], valid[piece] = _Grid.of(characters, starts, bounds[1:][piece] - starts).times()
    valid &= _present(texts)
    if textual and not valid.all():
        _fill_numbers(texts, micros, valid)
    micros[~valid] = 0
    return micros, valid


def _as_large_string(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.large_string())
    except pa.ArrowInvalid:
        # A time is ASCII: bytes that are not UTF-8 become a text that is no time, and stay present.
        texts = [None if value is None else value.decode("utf-8", "replace") for value in array.to_pylist()]
        return pa.array(texts, pa.large_string())


def _fill_numbers(texts: pa.Array, micros: Micros, valid: Mask) -> None:
    """Reads the texts that are no ISO time, and are numbers, as counts since 1970."""
    matches = pc.match_substring_regex(texts, _NUMBER)
    numeric = _bits(matches) & _present(matches) & ~valid
    rows = np.flatnonzero(numeric)
    if not len(rows):
        return
    mask = pa.Array.from_buffers(
        pa.bool_(), len(numeric), [None, pa.py_buffer(np.packbits(numeric, bitorder="little"))]
    )
    numbers = texts.filter(mask).cast(pa.float64())
    micros[rows], valid[rows] = _of_floats(plain(numbers), _present(numbers))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Texts laid out with a row per character and a column per text, so that all are parsed at once.

    Args:
        characters: bytes, shape (_WIDTH, texts); 0 past the end of a text.
        digits: what each byte is as a digit; above 9 where it is none. Same shape.
        lengths: bytes of each text, shape (texts,).
    """

    characters: npt.NDArray[np.uint8]
    digits: npt.NDArray[np.uint8]
    lengths: Micros

    @classmethod
    def of(cls, data: npt.NDArray[np.uint8], starts: Micros, lengths: Micros) -> "_Grid":
        grid = np.zeros((_WIDTH, len(starts)), np.uint8)
        last = len(data) - 1
        for at in range(min(int(lengths.max(initial=0)), _LONGEST)):
            grid[at] = data[np.minimum(starts + at, last)]
            grid[at][lengths <= at] = 0
        return cls(grid, grid - np.uint8(ord("0")), lengths)  # wraps around: every non-digit is above 9

    def number(self, at: int, width: int = 2) -> Micros:
        value: Micros = self.digits[at].astype(np.int64)
        for place in range(at + 1, at + width):
            value = value * 10 + self.digits[place]
        return value

    def shaped(self, at: int, width: int = 2) -> Mask:
        return np.asarray((self.digits[at : at + width] < 10).all(axis=0))

    def has(self, at: int, *choices: str) -> Mask:
        found: Mask = self.characters[at] == ord(choices[0])
        for choice in choices[1:]:
            found |= self.characters[at] == ord(choice)
        return found

    def times(self) -> tuple[Micros, Mask]:
        """Microseconds since 1970, and whether the text is an ISO 8601 time."""
        days, valid = self._date()
        dated = self.lengths == 10
        clocked = self.has(10, "T", "t", " ") & self.shaped(11) & self.shaped(14) & self.has(13, ":")
        seconded = clocked & self.has(16, ":")
        hour, minute = np.where(clocked, self.number(11), 0), np.where(clocked, self.number(14), 0)
        second = np.where(seconded, self.number(17), 0)
        valid &= (dated | clocked) & (~seconded | self.shaped(17))
        valid &= (hour < 24) & (minute < 60) & (second < 60)
        fraction, end, sound = self._fraction(seconded)
        offset, zoned = self._zone(end)
        valid &= sound & (dated | zoned)
        minutes = (days * 24 + hour) * 60 + minute - np.where(dated, 0, offset)
        return np.where(valid, (minutes * 60 + second) * 1_000_000 + fraction, 0), valid

    def _date(self) -> tuple[Micros, Mask]:
        year, month, day = self.number(0, 4), self.number(5), self.number(8)
        valid = self.shaped(0, 4) & self.shaped(5) & self.shaped(8) & self.has(4, "-") & self.has(7, "-")
        valid &= (self.lengths <= _LONGEST) & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
        valid &= day <= _days_in(year, np.where(valid, month, 1))
        return _days(year, month, day), valid

    def _fraction(self, seconded: Mask) -> tuple[Micros, Micros, Mask]:
        """Microseconds after the second, where the zone begins, and whether a point has its digits."""
        running = dotted = seconded & self.has(19, ".", ",")
        value, digits = np.zeros(len(seconded), np.int64), np.zeros(len(seconded), np.int64)
        if dotted.any():
            for place in range(9):
                running = running & (self.digits[20 + place] < 10)
                digits += running
                if place < 6:
                    value = value * 10 + np.where(running, self.digits[20 + place], 0)
        return value, np.where(seconded, 19 + dotted + digits, 16), ~dotted | (digits > 0)

    def _zone(self, end: Micros) -> tuple[Micros, Mask]:
        """The offset in minutes that is written from `end` on, and whether it is one."""
        left = self.lengths - end
        texts, at = np.arange(len(end)), np.clip(end, 0, _LONGEST)
        mark = self.characters[at, texts]
        known = (left == 0) | ((left == 1) & ((mark == ord("Z")) | (mark == ord("z"))))
        if known.all():
            return np.zeros(len(end), np.int64), known
        value = [self.digits[at + place, texts].astype(np.int64) for place in range(6)]
        hours, tight, loose = value[1] * 10 + value[2], value[3] * 10 + value[4], value[4] * 10 + value[5]
        signed = ((mark == ord("+")) | (mark == ord("-"))) & (value[1] < 10) & (value[2] < 10) & (hours < 24)
        is_tight = signed & (left == 5) & (value[3] < 6) & (value[4] < 10)
        is_loose = signed & (left == 6) & (self.characters[at + 3, texts] == ord(":"))
        is_loose &= (value[4] < 6) & (value[5] < 10)
        minutes = hours * 60 + np.where(is_tight, tight, np.where(is_loose, loose, 0))
        zoned = is_tight | is_loose | (signed & (left == 3))
        return np.where(zoned, np.where(mark == ord("-"), -minutes, minutes), 0), known | zoned


def _days_in(year: Micros, month: Micros) -> Micros:
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.asarray(lengths[month - 1] + (leap & (month == 2)))


def _days(year: Micros, month: Micros, day: Micros) -> Micros:
    """Days since 1970-01-01 in the Gregorian calendar, by the March-based count that needs no table."""
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return np.asarray(shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719_468)


def _offsets(array: pa.Array) -> Micros:
    buffer = array.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(len(array) + 1, np.int64)
    return np.frombuffer(buffer, np.int64, count=array.offset + len(array) + 1)[array.offset :]


def _present(array: pa.Array) -> Mask:
    mask = valid_mask(array)
    return np.ones(len(array), np.bool_) if mask is None else mask


def _bits(flags: pa.Array) -> Mask:
    if not len(flags):
        return np.zeros(0, np.bool_)
    end = flags.offset + len(flags)
    raw = np.unpackbits(np.frombuffer(flags.buffers()[1], np.uint8), count=end, bitorder="little")
    return raw[flags.offset :].view(np.bool_)
