"""A column of one batch, and where the conditions of a segment's rule hold on it."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import OptionError
from watchkeep.core.rules import Compare, Like, Null, OneOf, Value
from watchkeep.frames.buffers import plain, strings, valid_mask
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import ColumnType, column_type, is_text
from watchkeep.frames.times import event_times

Mask = npt.NDArray[np.bool_]

_SIGNS: Final[dict[str, tuple[Callable[..., Mask], Callable[..., pa.Array]]]] = {
    "=": (np.equal, pc.equal),
    "<": (np.less, pc.less),
    "<=": (np.less_equal, pc.less_equal),
    ">": (np.greater, pc.greater),
    ">=": (np.greater_equal, pc.greater_equal),
}
"""How numbers are compared, and how texts are."""


class Answer(NamedTuple):
    """Where a condition is true, and where it is false; elsewhere it is unknown. Shapes (rows,)."""

    yes: Mask
    no: Mask


class SegmentColumn:
    """A column of one batch, read as whatever a condition compares it with."""

    def __init__(self, name: str, array: pa.Array) -> None:
        self._name = name
        self._codes: npt.NDArray[np.int64] | None = None
        self._coded = True
        if pa.types.is_dictionary(array.type):
            coded = valid_mask(array.indices)
            codes = plain(array.indices).astype(np.int64)
            # Conditions are answered for the different values; a last one stands for "no value".
            self._codes = codes if coded is None else np.where(coded, codes, len(array.dictionary))
            self._coded = coded is None
            array = array.dictionary
        if pa.types.is_string_view(array.type):
            array = array.cast(pa.large_string())
        self._array = array
        self._type = column_type(array.type)
        self._numbers: tuple[npt.NDArray[np.generic], Mask] | None = None
        self._times: tuple[npt.NDArray[np.int64], Mask] | None = None

    def answer(self, rule: Compare | OneOf | Like | Null) -> Answer:
        """Where a condition on this column is true, and where false, for the rows of the batch."""
        answer = self._null() if isinstance(rule, Null) else self._of_values(rule)
        if self._codes is None:
            return answer
        if self._coded:
            return Answer(answer.yes[self._codes], answer.no[self._codes])
        return Answer(
            np.append(answer.yes, isinstance(rule, Null))[self._codes],
            np.append(answer.no, False)[self._codes],
        )

    def _of_values(self, rule: Compare | OneOf | Like) -> Answer:
        if self._type is ColumnType.UNKNOWN:  # a column of nulls
            nowhere = np.zeros(len(self._array), np.bool_)
            return Answer(nowhere, nowhere)
        if isinstance(rule, Like):
            return self._truths(pc.match_like(row_texts(self._array), rule.pattern))
        if isinstance(rule, Compare):
            return self._compare(rule.sign, rule.value, rule.at)
        texts = [value for value in rule.values if isinstance(value, str)]
        if len(texts) == len(rule.values) and is_text(self._array.type):
            found = self._truths(pc.is_in(self._array, value_set=strings(texts).cast(self._array.type)))
            return Answer(found.yes, found.no & self._present())
        answers = [self._compare("=", value, rule.at) for value in rule.values]
        return Answer(
            np.logical_or.reduce([one.yes for one in answers]),
            np.logical_and.reduce([one.no for one in answers]),
        )

    def _compare(self, sign: str, value: Value, at: int) -> Answer:
        if isinstance(value, bool):
            return self._compare_truth(sign, value, at)
        if isinstance(value, str):
            return self._compare_text(sign, value, at)
        if self._type in (ColumnType.TIME, ColumnType.EMBEDDING):
            raise self._wrong(value, at)
        return self._compare_number(sign, value)

    def _compare_number(self, sign: str, value: float) -> Answer:
        values, known = self._as_numbers()
        yes = _SIGNS[sign][0](values, value)
        return Answer(yes & known, ~yes & known)

    def _compare_truth(self, sign: str, value: bool, at: int) -> Answer:
        if is_text(self._array.type):
            lower = pc.utf8_lower(self._array)
            true, false = (self._truths(_compared("=", lower, text)).yes for text in ("true", "false"))
            yes = _SIGNS[sign][0](true, value)
            return Answer(yes & (true | false), ~yes & (true | false))
        if self._type is ColumnType.BOOLEAN or self._type.numeric:
            return self._compare_number(sign, int(value))
        raise self._wrong(value, at)

    def _compare_text(self, sign: str, value: str, at: int) -> Answer:
        if is_text(self._array.type):
            time = None if sign == "=" else _time(value)
            if time is not None:
                return self._compare_time(sign, time)
            return self._truths(_compared(sign, self._array, value))
        if self._type is ColumnType.TIME:
            time = _time(value)
            if time is None:
                raise self._wrong(value, at)
            return self._compare_time(sign, time)
        if self._type is ColumnType.BOOLEAN and value.lower() in ("true", "false"):
            return self._compare_number(sign, value.lower() == "true")
        if self._type.numeric:
            spelled = read_numbers(strings([value]))
            if not len(spelled.values):
                raise self._wrong(value, at)
            return self._compare_number(sign, float(spelled.values[0]))
        if self._type is ColumnType.STRING:  # bytes and nested values, as they are written
            return self._truths(_compared(sign, row_texts(self._array), value))
        raise self._wrong(value, at)

    def _compare_time(self, sign: str, micros: int) -> Answer:
        if self._times is None:
            self._times = event_times(self._array)
        values, known = self._times
        yes = _SIGNS[sign][0](values, micros)
        return Answer(yes & known, ~yes & known)

    def _as_numbers(self) -> tuple[npt.NDArray[np.generic], Mask]:
        """Numbers, shape (values,), and which of them are there."""
        if self._numbers is None:
            if pa.types.is_integer(self._array.type):  # exact beyond 2**53
                self._numbers = plain(self._array), self._present()
            elif self._type is ColumnType.BOOLEAN:
                self._numbers = plain(self._array.cast(pa.uint8())), self._present()
            else:
                read = read_numbers(self._array)
                known = np.ones(read.rows, np.bool_) if read.where is None else read.where
                values = np.zeros(read.rows)
                values[known] = read.values
                self._numbers = values, known
        return self._numbers

    def _null(self) -> Answer:
        here = self._present()
        if pa.types.is_floating(self._array.type):
            here = here & ~np.isnan(plain(self._array))
        return Answer(~here, here)

    def _present(self) -> Mask:
        mask = valid_mask(self._array)
        return np.ones(len(self._array), np.bool_) if mask is None else mask

    def _truths(self, compared: pa.Array) -> Answer:
        known = valid_mask(compared)
        yes = plain(compared.cast(pa.uint8())).astype(np.bool_)
        return Answer(yes, ~yes) if known is None else Answer(yes & known, ~yes & known)

    def _wrong(self, value: Value, at: int) -> OptionError:
        wanted = {
            ColumnType.TIME: "an ISO time such as '2024-01-19T18:20Z'",
            ColumnType.EMBEDDING: "IS NULL, the only condition on lists of numbers",
            ColumnType.BOOLEAN: "TRUE or FALSE",
        }.get(self._type, "a number")
        expected = f"{wanted} for column {self._name!r} at place {at} of the rule"
        return OptionError("segment", got=str(value), expected=expected)


def _compared(sign: str, texts: pa.Array, value: str) -> pa.Array:
    return _SIGNS[sign][1](texts, strings([value]).cast(texts.type)[0])


def _time(text: str) -> int | None:
    """Microseconds since 1970 of a text that is an ISO time."""
    micros, valid = event_times(strings([text]))
    return int(micros[0]) if valid[0] else None
