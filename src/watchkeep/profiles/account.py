"""What becomes of the rows that a scan meets: every one is analysed, rejected or outside."""

from collections.abc import Mapping

from watchkeep.frames.batches import Batch, FilesMet
from watchkeep.profiles.profile import Profile, added
from watchkeep.states.codec import State


class RowAccount:
    """An account of rows, kept while they are scanned.

    >>> import pyarrow as pa
    >>> account = RowAccount()
    >>> account.met(Batch.of(pa.table({"age": [41, 7, 12]})))
    >>> account.analysed(2, {"the label is missing": 1})
    >>> account.profile({}).read
    3
    """

    def __init__(self) -> None:
        self._rows = 0
        self._rejected: dict[str, int] = {}
        self._outside: dict[str, int] = {}
        self._skipped: dict[str, str] = {}
        self._files = FilesMet()
        self._unplaced = 0
        self._seen: dict[str, int] = {}

    def met(self, batch: Batch) -> None:
        """A batch came: what its source rejected or left out is on account, and which columns its rows have."""
        self._rejected = added(self._rejected, batch.rejected)
        self._outside = added(self._outside, batch.outside)
        self._skipped |= batch.skipped
        self._files = self._files.merge(batch.files)
        self._unplaced += sum(batch.rejected.values())
        self._seen = added(self._seen, dict.fromkeys(batch.names, batch.rows))

    def analysed(self, rows: int, rejected: Mapping[str, int] | None = None) -> None:
        """So many of its rows were analysed; the scan itself rejected the others, by reason."""
        self._rows += rows
        self._rejected = added(self._rejected, rejected or {})

    def merge(self, other: "RowAccount") -> None:
        """Take in another account."""
        self._rows += other._rows  # noqa: SLF001 (our own)
        self._rejected = added(self._rejected, other._rejected)  # noqa: SLF001
        self._outside = added(self._outside, other._outside)  # noqa: SLF001
        self._skipped |= other._skipped  # noqa: SLF001
        self._files = self._files.merge(other._files)  # noqa: SLF001
        self._unplaced += other._unplaced  # noqa: SLF001
        self._seen = added(self._seen, other._seen)  # noqa: SLF001

    def profile(self, parts: Mapping[tuple[str, str], State]) -> Profile:
        """All that was counted so far, and of how many rows."""
        rejected, outside = dict(self._rejected), dict(self._outside)
        skipped = dict(self._skipped)
        return Profile(
            self._rows, rejected, dict(self._seen), parts, outside, self._unplaced, skipped, self._files
        )
