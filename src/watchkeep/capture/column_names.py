"""Names for values that come without: fields of CSV, members of bare lists, tensors of several values."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self

from watchkeep.core.errors import OptionError

FOLDER: Final = "columns"
"""Where a home keeps the names of its endpoints, for whoever seals their records."""
_VERSION: Final = 1
_EXPECTED: Final = "a mapping of input and output to lists of names"


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What the values of an endpoint are called where they come without names. Make them by `of`.

    Args:
        input, output: of a request and of an answer, in the order of the values; empty where nobody said.
    """

    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The names that somebody gave.

        Args:
            given: `input` and `output`, a list of names each; either may be left out.

        Raises:
            OptionError: it is anything else, or a name is there twice or empty.

        >>> ColumnNames.of({"input": ["age", "city"]}).input
        ('age', 'city')
        >>> ColumnNames.of(["age", "city"])
        Traceback (most recent call last):
        ...
        watchkeep.core.errors.OptionError: columns: got "['age', 'city']", expected a mapping of input and output to
        lists of names
        """
        if not isinstance(given, Mapping):
            raise OptionError("columns", got=str(given), expected=_EXPECTED)
        for side in given:
            if side not in ("input", "output"):
                raise OptionError(
                    "columns", got=str(side), expected="input or output", choices=("input", "output")
                )
        return cls(*(_names(side, given.get(side)) for side in ("input", "output")))

    def __bool__(self) -> bool:
        return bool(self.input or self.output)

    def names(self, side: str, first: int, width: int) -> list[str]:
        """What so many values of a side are called; those that nobody named by their place.

        Args:
            side: `input` or `output`.
            first: how many values stand before them in the row: those of the answer come first.
            width: how many there are.

        >>> ColumnNames(input=("age",)).names("input", 1, 2)
        ['age', '_c2']
        """
        own = (self.output if side == "output" else self.input)[:width]
        return [*own, *(f"_c{first + at}" for at in range(len(own), width))]

    def tell(self, home: Path, endpoint: str) -> None:
        """Have the names known to whoever seals the endpoint's records. No names at all are forgotten there.

        Raises:
            OptionError: the home cannot be written.
        """
        path = home / FOLDER / f"{blake2b(endpoint.encode(), digest_size=16).hexdigest()}.json"
        told = {
            "version": _VERSION,
            "endpoint": endpoint,
            "input": list(self.input),
            "output": list(self.output),
        }
        text = json.dumps(told).encode()
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            if not self:
                path.unlink(missing_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != text:
                partial.write_bytes(text)
                partial.replace(path)
        except OSError as error:
            raise OptionError(
                "home", got=str(home), expected=f"a folder that can be written ({error.strerror})"
            ) from error


UNNAMED: Final = ColumnNames()
"""Names of nothing: all values are called by their place."""


def told_in(home: Path) -> dict[str, ColumnNames]:
    """The names that a home was told, by endpoint. What cannot be read is left out: values are called by place then."""
    found = {}
    for path in sorted((home / FOLDER).glob("*.json")):
        try:
            told = json.loads(path.read_bytes())
            found[str(told["endpoint"])] = ColumnNames(tuple(told["input"]), tuple(told["output"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _names(side: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise OptionError(f"columns: {side}", got=repr(given), expected="a list of names")
    for at, name in enumerate(given):
        if not isinstance(name, str) or not name:
            raise OptionError(f"columns: {side}", got=repr(name), expected="a name")
        if name in given[:at]:
            raise OptionError(f"columns: {side}", got=f"{name} twice", expected="each name once")
    return tuple(given)
