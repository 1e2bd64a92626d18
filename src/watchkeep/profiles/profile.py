"""All that was counted over some rows: a value that merges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from watchkeep.core.errors import StateError
from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.batches import FilesMet
from watchkeep.states.codec import S, State, StateClass, encode, restore

MANY = 128
"""Pieces that may wait to be merged."""
JOINT = "(joint)"
"""The subject of states about several columns together."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted over some rows, all in one piece; the fields are those of `Profile`."""

    rows: int
    rejected: Mapping[str, int]
    seen: Mapping[str, int]
    parts: Mapping[tuple[str, str], State]
    outside: Mapping[str, int]
    unplaced: int
    skipped: Mapping[str, str]
    files: FilesMet = FilesMet()  # noqa: RUF009 (it never changes)


class Profile:
    """The states of the columns of some rows. `Profile()` is the identity of merge.

    Merging only notes what belongs together; the states are merged when somebody looks, many at once, which costs
    a fraction of merging one after another. Nobody can tell the difference, except by the clock.

    Args:
        rows: rows scanned.
        rejected: rows that could not be read, by reason.
        seen: rows by column that had the column at all (files of one dataset may differ), in order of appearance.
        parts: states by column and part ("moments", "bin_counts", ...).
        outside: rows that were met and left out, by what they lie outside of (a window, a rule).
        unplaced: rejected rows that may lie outside, too: nobody can tell when or of whom they are.
        skipped: files that could not be read and were left out, with why, by name.
        files: how many were met, and how many of them those are.
    """

    def __init__(
        self,
        rows: int = 0,
        rejected: Mapping[str, int] | None = None,
        seen: Mapping[str, int] | None = None,
        parts: Mapping[tuple[str, str], State] | None = None,
        outside: Mapping[str, int] | None = None,
        unplaced: int = 0,
        skipped: Mapping[str, str] | None = None,
        files: FilesMet = FilesMet(),  # noqa: B008 (it never changes)
    ) -> None:
        self._pieces = [
            Counted(
                rows, rejected or {}, seen or {}, parts or {}, outside or {}, unplaced, skipped or {}, files
            )
        ]

    def merge(self, *others: "Profile") -> "Profile":
        """All together.

        Raises:
            StateError: a column was counted differently in two of them; raised at the latest when somebody looks.
        """
        both = Profile()
        both._pieces = [piece for each in (self, *others) for piece in each._pieces]  # noqa: SLF001 (our own)
        if len(both._pieces) > MANY:
            both._whole()
        return both

    @property
    def rows(self) -> int:
        """Rows scanned."""
        return self._whole().rows

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rows that could not be read, by reason."""
        return self._whole().rejected

    @property
    def read(self) -> int:
        """Rows scanned, and those that could not be read."""
        return self.rows + sum(self.rejected.values())

    @property
    def outside(self) -> Mapping[str, int]:
        """Rows that were met and left out, by what they lie outside of."""
        return self._whole().outside

    @property
    def unplaced(self) -> int:
        """Rejected rows that may lie outside, too."""
        return self._whole().unplaced

    @property
    def skipped(self) -> Mapping[str, str]:
        """Files that could not be read and were left out, with why, by name."""
        return self._whole().skipped

    @property
    def files(self) -> FilesMet:
        """How many files were met, and how many of them could not be read."""
        return self._whole().files

    @property
    def rejected_share(self) -> Value:
        """The share of the rows that could not be used, in [0, 1].

        What cannot be placed is held against all rows that were met, inside or outside; other rejected rows, which
        lie inside, against those inside. Where nothing is outside that is the share of the rows read.
        """
        if not self.read:
            return Undefined("rejected needs 1 row, has 0")
        unplaced = self.unplaced
        placed = self.read - unplaced
        usable = 1 - unplaced / (self.read + sum(self.outside.values()))
        return 1 - usable * (self.rows / placed if placed else 1.0)

    @property
    def seen(self) -> Mapping[str, int]:
        """Rows by column that had the column at all, in order of appearance."""
        return self._whole().seen

    @property
    def parts(self) -> Mapping[tuple[str, str], State]:
        """States by column and part."""
        return self._whole().parts

    def part(self, column: str, name: str, kind: StateClass[S]) -> S | None:
        """One state of a column; None when the column has none of that name.

        Raises:
            StateError: it is of another kind than asked for.
        """
        state = self.parts.get((column, name))
        if state is None or isinstance(state, kind):
            return state
        raise StateError(f"{name} of column {column!r} is {state.kind}, not {kind.kind}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and self._whole() == other._whole()

    __hash__ = None  # type: ignore[assignment] # states have no hash

    def __getstate__(self) -> tuple[Counted, dict[tuple[str, str], tuple[type[State], bytes]]]:
        whole = self._whole()
        parts = {key: (type(state), encode(state.fields())) for key, state in whole.parts.items()}
        return replace(whole, parts={}), parts

    def __setstate__(self, state: tuple[Counted, dict[tuple[str, str], tuple[type[State], bytes]]]) -> None:
        whole, packed = state
        parts = {key: restore(kind, payload) for key, (kind, payload) in packed.items()}
        self._pieces = [replace(whole, parts=parts)]

    def __repr__(self) -> str:
        return f"<Profile of {self.rows} rows, {len(self.seen)} columns>"

    def _whole(self) -> Counted:
        if len(self._pieces) > 1:
            self._pieces = [_together(self._pieces)]
        return self._pieces[0]


def together(profiles: Sequence[Profile]) -> Profile:
    """Profiles, at least one, merged now: what they give together depends on which they are, and on their order."""
    first, *others = profiles
    whole = first.merge(*others)
    assert whole.rows >= 0  # noqa: S101 (to look is to merge)
    return whole


def _together(pieces: Sequence[Counted]) -> Counted:
    rejected: dict[str, int] = {}
    seen: dict[str, int] = {}
    outside: dict[str, int] = {}
    skipped: dict[str, str] = {}
    for piece in pieces:
        outside = added(outside, piece.outside)
        skipped |= piece.skipped
        rejected, seen = added(rejected, piece.rejected), added(seen, piece.seen)
    parts = {}
    for key, (first, *others) in _by_key([piece.parts for piece in pieces if piece.parts]):
        if len(set(map(type, others)) | {type(first)}) > 1:
            raise StateError(f"{key[1]} of column {key[0]!r} was counted in two ways: they do not merge")
        parts[key] = first.merge(*others)
    unplaced = sum(piece.unplaced for piece in pieces)
    files = FilesMet().merge(*(piece.files for piece in pieces))
    rows = sum(piece.rows for piece in pieces)
    return Counted(rows, rejected, seen, parts, outside, unplaced, skipped, files)


def _by_key(
    every: Sequence[Mapping[tuple[str, str], State]],
) -> Iterable[tuple[tuple[str, str], Sequence[State]]]:
    keys = list(every[0]) if every else []
    if all(list(parts) == keys for parts in every):  # as windows of one baseline are
        return zip(keys, zip(*(parts.values() for parts in every), strict=True), strict=True)
    states: dict[tuple[str, str], list[State]] = {}
    for parts in every:
        for key, state in parts.items():
            states.setdefault(key, []).append(state)
    return states.items()


def added(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    """Counts of both, keys of `a` first."""
    out = dict(a)
    for key, count in b.items():
        out[key] = out.get(key, 0) + count
    return out
