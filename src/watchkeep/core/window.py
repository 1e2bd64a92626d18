"""A stretch of event time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from watchkeep.core.errors import OptionError


def instant(text: str, *, option: str) -> datetime:
    """An ISO 8601 date or time as an aware UTC datetime; a time without an offset is taken as UTC.

    Raises:
        OptionError: the text is no such time.

    >>> instant("2013-02-08", option="--start").isoformat()
    '2013-02-08T00:00:00+00:00'
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise OptionError(
            option, got=text, expected="a time such as 2013-02-08 or 2013-02-08T05:00:00Z"
        ) from error
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open interval [start, end) of event time, in UTC. A side that is None is open.

    Raises:
        OptionError: the end is not after the start, or a side is not an aware datetime.

    >>> Window.between("2013-02-08", "2013-02-09").document()
    {'start': '2013-02-08T00:00:00Z', 'end': '2013-02-09T00:00:00Z'}
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name, side in (("start", self.start), ("end", self.end)):
            if side is not None and side.tzinfo is None:
                raise OptionError(
                    name, got=str(side), expected="a time with its zone, such as 2013-02-08T00:00:00Z"
                )
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise OptionError(
                "end", got=self.end.isoformat(), expected=f"a time after {self.start.isoformat()}"
            )

    @classmethod
    def between(cls, start: str | None, end: str | None) -> Self:
        """The window between two ISO 8601 texts."""
        return cls(
            None if start is None else instant(start, option="--start"),
            None if end is None else instant(end, option="--end"),
        )

    @property
    def bounded(self) -> bool:
        """Whether either side is closed."""
        return self.start is not None or self.end is not None

    def document(self) -> dict[str, str | None]:
        """The form it takes in JSON documents."""
        return {"start": iso(self.start), "end": iso(self.end)}


def iso(at: datetime | None) -> str | None:
    """An aware time as ISO 8601 in UTC with a Z; None stays None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
