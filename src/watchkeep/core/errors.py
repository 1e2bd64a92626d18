"""Every error Watchkeep raises on purpose.

WatchkeepError
├── BadInputError                     the user can mend it; commands exit with 2
│   ├── OptionError                   an option or argument has a value we cannot use
│   ├── SourceError                   a source cannot be read
│   │   ├── MissingSourceError        nothing is there
│   │   ├── UnreadableSourceError     something is there, and it is not what it should be
│   │   └── EmptySourceError          it can be read and holds no rows
│   ├── MissingColumnError            a role names a column that the data does not have
│   ├── DuplicateColumnError          two columns share one name
│   ├── BaselineError                 a baseline is missing, corrupt, of a newer version or of another kind
│   ├── DocumentError                 a JSON document is not what its schema says
│   ├── StoreError                    stored states are damaged, of a newer version, or of another baseline
│   ├── WatchError                    a watch is damaged, of another baseline, or told of windows out of order
│   ├── ModelError                    a model cannot be loaded, does not fit the data, or did not answer
│   ├── ScriptError                   a script of the user raised, or gave something that is no row
│   └── MissingExtraError             a library is not installed
└── StateError                        two states cannot be merged, or a codec cannot read one
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any


class WatchkeepError(Exception):
    """Base of all errors Watchkeep raises on purpose. It can be sent from one process to another."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[WatchkeepError], args: tuple[object, ...], told: dict[str, object]) -> WatchkeepError:
    """An error as it was, whatever its constructor takes."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(told)
    return error


class BadInputError(WatchkeepError):
    """Something the user gave cannot be used. Commands print the sentence and exit with 2."""


@contextmanager
def about(where: str) -> Iterator[None]:
    """What goes wrong in here is told with where it stands.

    >>> with about("policies.yaml"):
    ...     raise OptionError("sampling", got="5", expected="a mapping")
    Traceback (most recent call last):
    ...
    watchkeep.core.errors.OptionError: policies.yaml: sampling: got '5', expected a mapping
    """
    try:
        yield
    except BadInputError as error:
        error.args = (f"{where}: {error}",)
        raise


class OptionError(BadInputError, ValueError):
    """An option or argument has a value that cannot be used."""

    def __init__(self, option: str, *, got: str, expected: str, choices: Collection[str] = ()) -> None:
        self.option, self.got, self.expected = option, got, expected
        super().__init__(f"{option}: got {got!r}, expected {expected}{_hint(got, choices)}")


class SourceError(BadInputError):
    """A source cannot be read."""


class MissingSourceError(SourceError, FileNotFoundError):
    """A source names something that is not there."""

    def __init__(
        self,
        source: str,
        *,
        looked_for: str = "a file, folder or glob",
        what: str = "source",
        got: str = "",
        choices: Collection[str] = (),
    ) -> None:
        self.source = source
        near = _hint(got or source, choices)
        super().__init__(f"{source}: there is no such {what}; expected {looked_for}{near}")

    def __str__(self) -> str:  # OSError would print its own arguments
        return str(self.args[0])


class UnreadableSourceError(SourceError, ValueError):
    """A source is there, and is not what its name or its siblings promise."""

    def __init__(self, source: str, *, why: str) -> None:
        self.source, self.why = source, why
        super().__init__(f"{source}: {why}")


class EmptySourceError(SourceError, ValueError):
    """A source can be read and holds no rows to look at."""

    def __init__(self, source: str, *, why: str = "it holds no rows") -> None:
        self.source = source
        super().__init__(f"{source}: {why}")


class MissingColumnError(BadInputError, LookupError):
    """A role, or an option, names a column that the data does not have."""

    def __init__(self, column: str, *, reader: str, available: Collection[str]) -> None:
        self.column, self.reader, self.available = column, reader, list(available)
        shown = ", ".join(repr(name) for name in self.available[:12])
        more = f" and {len(self.available) - 12} more" if len(self.available) > 12 else ""
        super().__init__(
            f"{reader} reads column {column!r}, which the data does not have"
            f"; it has {shown or 'no columns'}{more}{_hint(column, self.available)}"
        )


class DuplicateColumnError(BadInputError, ValueError):
    """Two columns of one source share a name."""

    def __init__(self, column: str, *, source: str) -> None:
        self.column, self.source = column, source
        super().__init__(f"{source}: two columns are named {column!r}; rename or drop one of them")


class BaselineError(BadInputError, ValueError):
    """A baseline cannot be used."""

    def __init__(self, path: str, *, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}")


class StoreError(BadInputError, ValueError):
    """Stored states cannot be used."""

    def __init__(self, path: str, *, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}")


class WatchError(BadInputError, ValueError):
    """A watch cannot be used, or cannot take a window."""

    def __init__(self, watch: str, *, why: str) -> None:
        self.watch, self.why = watch, why
        super().__init__(f"{watch}: {why}")


class ModelError(BadInputError, ValueError):
    """A model cannot be loaded or asked, or its answers cannot be used.

    Args:
        model: its name.
        why: what is wrong.
        answering: whether it was there and failed to answer: a fault of the moment, not of what the user gave.
    """

    def __init__(self, model: str, *, why: str, answering: bool = False) -> None:
        self.model, self.why, self.answering = model, why, answering
        super().__init__(f"{model}: {why}")


class ScriptError(BadInputError, ValueError):
    """A script of the user raised, took too long or too much, or gave something that is no row."""

    def __init__(self, script: str, *, line: int | None, why: str) -> None:
        self.script, self.line, self.why = script, line, why
        where = script if line is None else f"{script}, line {line}"
        super().__init__(f"{where}: {why}")


class DocumentError(BadInputError, ValueError):
    """A JSON document does not follow its schema."""

    def __init__(self, document: str, *, at: str, got: str, expected: str) -> None:
        self.document, self.at, self.got, self.expected = document, at, got, expected
        super().__init__(f"{document}: at {at} got {got}, expected {expected}")


class MissingExtraError(BadInputError, ImportError):
    """A library that an optional part of Watchkeep needs is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs libraries that are not installed: pip install 'watchkeep[{extra}]'")


class StateError(WatchkeepError, ValueError):
    """Two states cannot be merged, or a codec cannot read one."""


def _hint(got: str, choices: Collection[str]) -> str:
    near = get_close_matches(got, choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
