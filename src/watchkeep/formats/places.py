"""Reading JSON values strictly, with errors that say where."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite
from typing import Final, TypeVar

from watchkeep.core.errors import DocumentError
from watchkeep.formats.json_text import flat, shown

Word = TypeVar("Word", bound=StrEnum)

UNDEFINED_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""How documents spell numbers that do not exist (`json_text.loads` makes them of the bare tokens)."""


class InferredType(StrEnum):
    """What the values of a column look like, as SageMaker's files spell it."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document, and where it stands. Null counts as absent.

    Args:
        value: the JSON value.
        document: what errors call the document.
        at: the path from the top; empty at the top.

    >>> feature = Place({"completeness": "high"}, "constraints.json", "features[3]")
    >>> str(feature.need("completeness").refuse("a number in [0, 1]"))
    'constraints.json: at features[3].completeness got "high", expected a number in [0, 1]'
    """

    value: object
    document: str
    at: str = ""

    def refuse(self, expected: str) -> DocumentError:
        """The error to raise when the value is not what was expected."""
        return DocumentError(self.document, at=self.at or "the top", got=shown(self.value), expected=expected)

    def child(self, key: str) -> "Place | None":
        """What stands under a key of this object; None when it is absent or null."""
        value = self.mapping().get(key)
        return None if value is None else Place(value, self.document, f"{self.at}.{key}" if self.at else key)

    def need(self, key: str) -> "Place":
        """What stands under a key of this object.

        Raises:
            DocumentError: nothing does.
        """
        child = self.child(key)
        if child is None:
            raise self.refuse(f"an object with the key {key!r}")
        return child

    def mapping(self) -> Mapping[str, object]:
        """The value, an object."""
        if not isinstance(self.value, Mapping):
            raise self.refuse("an object")
        return self.value

    def array(self) -> "tuple[Place, ...]":
        """The items of an array, each with its place."""
        if not isinstance(self.value, list):
            raise self.refuse("an array")
        return tuple(Place(item, self.document, f"{self.at}[{i}]") for i, item in enumerate(self.value))

    def items(self, key: str) -> "tuple[Place, ...]":
        """The items of the array under a key of this object; none when it is absent."""
        child = self.child(key)
        return () if child is None else child.array()

    def text(self) -> str:
        """The value, a text."""
        if not isinstance(self.value, str):
            raise self.refuse("a text")
        return self.value

    def flag(self) -> bool:
        """The value, true or false."""
        if not isinstance(self.value, bool):
            raise self.refuse("true or false")
        return self.value

    def word(self, words: type[Word], others: Mapping[str, Word] | None = None) -> Word:
        """The value, a word of an enumeration in any case, or another spelling (lower case here) of one."""
        spellings = {str(word).lower(): word for word in words} | dict(others or {})
        found = spellings.get(self.value.lower()) if isinstance(self.value, str) else None
        if found is None:
            raise self.refuse(" or ".join(f'"{word}"' for word in words))
        return found

    def number(self, low: float = -inf, high: float = inf) -> float:
        """The value, a finite number in [low, high]."""
        number = _finite(self.value)
        if number is None or not low <= number <= high:
            raise self.refuse(_range(low, high))
        return number

    def maybe_number(self) -> float | None:
        """The value, a number; None for one that is spelled as undefined ("NaN", "Infinity")."""
        undefined = isinstance(self.value, float) and not isfinite(self.value)
        if undefined or (isinstance(self.value, str) and self.value in UNDEFINED_NUMBERS):
            return None
        return self.number()

    def count(self) -> int:
        """The value, a whole number of at least 0, spelled 330 or 330.0."""
        number = _finite(self.value)
        if number is None or number < 0 or not number.is_integer():
            raise self.refuse("a whole number of at least 0")
        return int(self.value) if isinstance(self.value, int) else int(number)

    def numbers(self) -> tuple[float, ...]:
        """The items of an array of finite numbers."""
        if not isinstance(self.value, list):
            raise self.refuse("an array of numbers")
        if set(map(type, self.value)) <= {float} and all(map(isfinite, self.value)):
            return tuple(self.value)  # a sketch holds thousands: the common case at the speed of C
        numbers = [_finite(item) for item in self.value]
        found = tuple(number for number in numbers if number is not None)
        if len(found) < len(numbers):
            self.array()[numbers.index(None)].number()
        return found


def copied(value: Mapping[str, object]) -> dict[str, object]:
    """An object of JSON as a copy of its own, so that neither side can change the other's.

    >>> copied({"a": [1, {"b": 2.0}]})
    {'a': [1, {'b': 2.0}]}
    """
    return {key: _copied(item) for key, item in value.items()}


def known(value: Mapping[str, object | None]) -> dict[str, object]:
    """An object without the keys whose value is None.

    >>> known({"a": 0, "b": None})
    {'a': 0}
    """
    return {key: item for key, item in value.items() if item is not None}


def unique(names: "tuple[Place, ...]") -> None:
    """Check that texts differ from one another.

    Raises:
        DocumentError: two are the same; it names the second.
    """
    seen: set[str] = set()
    for place in names:
        name = place.text()
        if name in seen:
            raise place.refuse("a name that no feature before it has")
        seen.add(name)


def _copied(value: object) -> object:
    if isinstance(value, Mapping):
        return copied(value)
    if isinstance(value, list | tuple):
        if flat(value):
            return list(value)
        return [_copied(item) if isinstance(item, Mapping | list | tuple) else item for item in value]
    return value


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return number if isfinite(number) else None


def _range(low: float, high: float) -> str:
    if low == -inf:
        return "a number"
    return f"a number of at least {low:g}" if high == inf else f"a number in [{low:g}, {high:g}]"
