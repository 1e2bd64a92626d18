"""What a watch remembers of the windows before: their evidence, and what people did."""

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeep.views.values import real, text, whole
from watchkeep.views.words import clip, count, moment


@dataclass(frozen=True, slots=True)
class Level:
    """The evidence of one window, in units of what it takes to ring; `why` it has none, else empty."""

    number: int
    start: str
    level: float
    alarm: bool
    why: str

    @property
    def label(self) -> str:
        """The window in words."""
        return f"window {count(self.number)}" + (f" ({self.start})" if self.start else "")


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody did about a watch, after so many windows."""

    what: str
    at: str
    by: str
    text: str
    after: int


def level_of(one: Mapping[str, object]) -> Level:
    """The evidence of a window in a document."""
    return Level(
        number=whole(one.get("number")) + 1,
        start=moment(one["start"]) if isinstance(one.get("start"), str) else "",
        level=max(0.0, real(one.get("level")) or 0.0),
        alarm=one.get("alarm") is True,
        why=text(one.get("why")),
    )


def note_of(one: Mapping[str, object]) -> Note:
    """What somebody did, in a document."""
    return Note(
        what=clip(text(one.get("what")), 40),
        at=moment(one.get("at")),
        by=clip(text(one.get("by")), 60),
        text=clip(text(one.get("text")), 400),
        after=whole(one.get("after")),
    )
