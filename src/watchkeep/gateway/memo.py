"""Answers that are kept, as the same questions come again and again."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """A function's results by its argument, at most so many. All are forgotten when there are too many.

    Keys that never come again cost little so, and memory has a bound, whoever chooses the keys.

    Args:
        make: the function; what it raises is not kept.
        most: results that are kept.

    >>> squares = Memo(lambda number: number * number, 2)
    >>> squares[3], squares[4], squares[5], len(squares)
    (9, 16, 25, 1)
    """

    def __init__(self, make: Callable[[Key], Value], most: int) -> None:
        super().__init__()
        self._make, self._most = make, most

    def __missing__(self, key: Key) -> Value:
        value = self._make(key)
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
