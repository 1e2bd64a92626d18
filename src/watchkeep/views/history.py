"""What a watch remembers of the windows before: their evidence, what people did, how estimates turned out."""

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeep.views.measure_words import label
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


@dataclass(frozen=True, slots=True)
class Track:
    """How estimates of a measure have turned out once labels came."""

    measure: str
    windows: int
    within: int
    miss: float
    distance: float

    @property
    def sentence(self) -> str:
        """It in words.

        >>> Track("accuracy", 12, 11, -0.0041, 0.0052).sentence
        '11 of 12 windows within the band (95 % should be); came out 0.0041 lower than estimated on average, 0.0052 off'
        """
        way = f"{abs(self.miss):.2g} {'lower' if self.miss < 0 else 'higher'} than estimated"
        windows = f"{count(self.within)} of {count(self.windows)} windows within the band (95 % should be)"
        return f"{windows}; came out {way} on average, {self.distance:.2g} off"


def track_of(one: Mapping[str, object]) -> Track:
    """How estimates turned out, in a document."""
    return Track(
        measure=label(text(one.get("measure"))),
        windows=whole(one.get("windows")),
        within=whole(one.get("within")),
        miss=real(one.get("miss")) or 0.0,
        distance=real(one.get("distance")) or 0.0,
    )


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
