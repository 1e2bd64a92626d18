"""Rows explained by a model that cannot use some of them: those are told apart by halves, and counted."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, Generic, Protocol, TypeVar

import pyarrow as pa

from watchkeep.core.errors import ModelError
from watchkeep.stats.attribution_drift import Doubles

FAILURES: Final = 100
"""Calls that may fail in all; with more of them, it is not a few rows that a model cannot use."""
OWN_FAILURES: Final = 1_000
"""The same of a model that explains itself: its calls cost next to nothing."""
SPENT: Final = "the budget was spent"
"""Why rows are not explained that nobody was asked about, as rows that the model cannot use had cost too much."""


class Explained(Protocol):
    """Attributions of rows, see `watchkeep.service.attribution.models.Contributions`."""

    @property
    def values(self) -> Doubles:
        """Shape (rows, labels, features)."""
        ...

    @property
    def scores(self) -> Doubles:
        """Shape (rows, labels)."""
        ...

    @property
    def expected(self) -> Doubles:
        """Shape (labels,)."""
        ...


class Named(Protocol):
    """A model, for people."""

    @property
    def name(self) -> str:
        """Where it comes from."""
        ...


class Explainer(Protocol):
    """Who explains rows, and in which way: rows explained in different ways are not compared."""

    @property
    def name(self) -> str:
        """The way, for people."""
        ...

    @property
    def asked(self) -> Named | None:
        """The model; None where there is nobody to ask."""
        ...

    def affordable(self) -> int | None:
        """How many more rows may be explained; None for any number."""
        ...

    def contributions(self, rows: pa.Table) -> Explained | None:
        """Contributions to the scores of rows, whose columns are the plan's features; None when nobody explains."""
        ...


Told = TypeVar("Told")


class Halves(Generic[Told]):
    """Explains rows, and where that fails their halves, down to single rows: those that fail are counted by why.

    A model that does not answer is not asked again: it is no matter of the rows.

    Args:
        contributions: of rows, or whatever else a model tells of them; None when nobody does.
        affordable: how many more rows may be explained; None for any number.
    """

    def __init__(
        self, contributions: Callable[[pa.Table], Told | None], affordable: Callable[[], int | None]
    ) -> None:
        self._contributions, self._affordable = contributions, affordable
        self._failures = 0
        self._any = False
        self.first: ModelError | None = None
        """What was wrong first."""
        self.unexplained: Counter[str] = Counter()
        """Rows that were not explained, by why."""

    def explained(self, rows: pa.Table) -> Iterator[tuple[pa.Table, Told]]:
        """Pieces of rows that were explained, in order; all of them in one where nothing fails.

        Raises:
            ModelError: the model does not answer, or failed too often: then it is what was wrong first.
        """
        waiting = [(rows, SPENT)]
        while waiting:
            piece, before = waiting.pop()
            piece = self._within(piece, before)
            if not piece.num_rows:
                continue
            try:
                told = self._contributions(piece)
            except ModelError as error:
                self._failed(error)
                half = piece.num_rows // 2
                if half:
                    waiting += [(piece.slice(half), error.why), (piece.slice(0, half), error.why)]
                else:
                    self.unexplained[error.why] += 1
                continue
            self._any = True
            if told is not None:
                yield piece, told

    def merge(self, *others: "Halves[Told]") -> None:
        """Take in what became of other rows."""
        for other in others:
            self._failures += other._failures  # noqa: SLF001 (our own)
            self._any |= other._any  # noqa: SLF001
            self.first = self.first or other.first
            self.unexplained += other.unexplained

    def __getstate__(self) -> tuple[int, bool, ModelError | None, Counter[str]]:
        return self._failures, self._any, self.first, self.unexplained

    def __setstate__(self, state: tuple[int, bool, ModelError | None, Counter[str]]) -> None:
        self._failures, self._any, self.first, self.unexplained = state

    def require_any(self) -> None:
        """See to it that not every row failed.

        Raises:
            ModelError: every one did; it is what was wrong first.
        """
        if self.first is not None and not self._any:
            raise self.first

    def _within(self, piece: pa.Table, before: str) -> pa.Table:
        """What the budget still holds of some rows, once failures have cost some of it."""
        affordable = None if self.first is None else self._affordable()
        if affordable is None or affordable >= piece.num_rows:
            return piece
        self.unexplained[before] += piece.num_rows - affordable
        return piece.slice(0, affordable)

    def _failed(self, error: ModelError) -> None:
        if error.answering:
            raise error
        self._failures += 1
        self.first = self.first or error
        if self._failures > (OWN_FAILURES if self._affordable() is None else FAILURES):
            raise self.first from error
