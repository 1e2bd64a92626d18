"""The evidence of window after window as bars on a logarithmic scale, and that of one window as a gauge.

As with the other charts, paths stand in a box that stretches to its place; words and symbols stay out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Final

from watchkeep.views.charts import WIDTH, Tick
from watchkeep.views.decisions import Decided, strength
from watchkeep.views.history import Level, Note
from watchkeep.views.words import amount, count, listing

TALL: Final = 120
"""Units down the box of levels: twenty for each power of ten."""
RINGS: Final = 1.0
"""The level at which a watch rings."""
SUSPICIOUS: Final = 0.1
"""The level from which a window is worth a look."""
_LOW: Final = 1e-3
_HIGH: Final = 1e3
_SLOTS: Final = 30  # places at least, so that the first windows are no wider than later ones
_CROWDED: Final = 120  # windows beyond which bars touch
_APART: Final = 24.0  # percent of the width from one tick to the next
_ASIDE: Final = 12.0  # percent more beside a tick at either end, which stands to one side of its place
_SEEN: Final = 4.0  # the width at least of the band of the present window
_CLEAR: Final = 1.6  # percent of the width from one mark to the next


@dataclass(frozen=True, slots=True)
class Mark:
    """A symbol at `at` percent of the width, with what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels by window.

    Args:
        calm, watched, rang: bars below 0.1, below 1, and those that rang or stand above.
        blank: marks of windows with too little data.
        present: the band of the window that the document is about.
        open: the band since the alarm that is open; empty when none is.
        notes: lines where somebody did something.
        alarms, noted: symbols above the box.
        ticks: below the box; the last is the present window.
        label, details: the chart in words.
    """

    calm: str
    watched: str
    rang: str
    blank: str
    present: str
    open: str
    notes: str
    alarms: tuple[Mark, ...]
    noted: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    label: str
    details: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """One level: how far it reaches across, in percent."""

    length: float
    label: str


def height(level: float) -> float:
    """Where a level stands on the scale from 0.001 to 1,000, as a share of it.

    >>> [round(height(level), 3) for level in (0, 0.001, 0.1, 1, 1000, 1e9)]
    [0.0, 0.0, 0.333, 0.5, 1.0, 1.0]
    """
    return (log10(min(max(level, _LOW), _HIGH)) - log10(_LOW)) / (log10(_HIGH) - log10(_LOW))


def gauge_of(decided: Decided) -> Gauge:
    """The gauge of a decision."""
    return Gauge(
        length=round(max(0.8, 100 * height(decided.level)), 1),
        label=f"The evidence is {strength(decided.level)}; a window is worth a look from {SUSPICIOUS:g} on,"
        f" and rings at {RINGS:g}",
    )


def levels_of(decided: Decided) -> Levels | None:
    """The chart of a watch's windows; None when there are none.

    >>> one = {"number": 0, "level": 0.01, "alarm": False}
    >>> told = Decided.of({"outcome": "not changed", "history": [one]})
    >>> levels_of(told).calm
    'M2 120V100h16V120z'
    """
    history = decided.history
    if not history:
        return None
    slot = WIDTH / max(len(history), _SLOTS)
    paths: dict[str, list[str]] = {"calm": [], "watched": [], "rang": [], "blank": []}
    for at, one in enumerate(history):
        kind, path = _bar(one, at * slot, slot, crowded=len(history) > _CROWDED)
        paths[kind].append(path)
    last = len(history) - 1
    rang = [at for at, one in enumerate(history) if one.alarm]
    shown = _in_view(decided.notes, history)
    return Levels(
        **{name: "".join(parts) for name, parts in paths.items()},
        present=_band(last * slot + slot - max(slot, _SEEN), max(slot, _SEEN)),
        open=_band(rang[-1] * slot, (last - rang[-1] + 1) * slot)
        if decided.open and rang and rang[-1] < last
        else "",
        notes="".join(f"M{_c(place * slot)} 0V{TALL}" for place, _ in shown),
        alarms=_marks([((at + 0.5) * slot, f"{history[at].label} rang") for at in rang]),
        noted=_marks([(place * slot, f"{note.what} by {note.by}") for place, note in shown]),
        ticks=_ticks(history, slot),
        label=f"Evidence of the last {amount(len(history), 'window')}, on a logarithmic scale",
        details=_details(decided, rang),
    )


def _bar(one: Level, left: float, slot: float, *, crowded: bool) -> tuple[str, str]:
    inset = 0.0 if crowded else 0.1 * slot
    start, width = left + inset, slot - 2 * inset
    if one.why:
        return "blank", f"M{_c(start)} {TALL}v-3h{_c(width)}v3z"
    tall = max(1.5, TALL * height(one.level))
    kind = "rang" if one.level >= RINGS else "watched" if one.level >= SUSPICIOUS else "calm"
    return kind, f"M{_c(start)} {TALL}V{_c(TALL - tall)}h{_c(width)}V{TALL}z"


def _band(left: float, width: float) -> str:
    return f"M{_c(left)} 0h{_c(width)}V{TALL}h-{_c(width)}z"


def _in_view(notes: Sequence[Note], history: Sequence[Level]) -> list[tuple[int, Note]]:
    """Notes that fall between the windows that are drawn, with the windows drawn before them."""
    first = history[0].number
    places = [(note.after - first + 1, note) for note in notes]
    return [(place, note) for place, note in places if 0 <= place <= len(history)]


def _marks(places: Sequence[tuple[float, str]]) -> tuple[Mark, ...]:
    """Symbols that do not cover each other."""
    out: list[Mark] = []
    for x, label in places:
        at = round(100 * x / WIDTH, 1)
        if not out or at - out[-1].at >= _CLEAR:
            out.append(Mark(at, label))
    return tuple(out)


def _ticks(history: Sequence[Level], slot: float) -> tuple[Tick, ...]:
    places = [round(100 * (at + 0.5) * slot / WIDTH, 1) for at in range(len(history))]
    days = {one.start[:10] for one in history}
    part = (
        slice(11, 16) if len(days) == 1 else slice(10)
    )  # the hour says nothing when windows are of many days
    end = places[-1] - _APART - (_ASIDE if places[-1] > 92 else 0)
    out: list[Tick] = []
    for place, one in zip(places, history, strict=True):
        room = _APART + (_ASIDE if out and out[-1].at < 8 else 0)
        if place <= end and (not out or place - out[-1].at >= room):
            out.append(Tick(place, one.start[part] or f"window {count(one.number)}"))
    return (*out, Tick(places[-1], "this window"))


def _details(decided: Decided, rang: Sequence[int]) -> str:
    history = decided.history
    told = [f"From {history[0].label} to {history[-1].label}."]
    suspicious = sum(SUSPICIOUS <= one.level < RINGS for one in history)
    blank = sum(bool(one.why) for one in history)
    told += [f"A window is worth a look from {SUSPICIOUS:g} on, and rings at {RINGS:g}."]
    if rang:
        told += [f"It rang in {listing([history[at].label for at in reversed(rang)])}."]
    else:
        told += ["None rang."]
    told += [f"{amount(suspicious, 'window')} worth a look."] * bool(suspicious)
    told += [f"{amount(blank, 'window')} with too little data."] * bool(blank)
    return " ".join([*told, f"This window has {strength(decided.level)}."])


def spark(decided: Decided, *, most: int) -> str:
    """The last `most` levels as one line of text: each step up is about half a power of ten.

    A dot stands for a window with too little data, the full block for one that rings.

    >>> levels = (0.0002, 0.002, 0.05, 0.2, 0.8, 7)
    >>> history = [{"number": at, "level": level} for at, level in enumerate(levels)]
    >>> spark(Decided.of({"outcome": "changed", "history": history}), most=5)
    '▂▄▅▆█'
    """
    return "".join(_block(one) for one in decided.history[-most:])


_STEPS: Final = ((1.0, "█"), (0.32, "▆"), (0.1, "▅"), (0.032, "▄"), (0.01, "▃"), (0.001, "▂"))


def _block(one: Level) -> str:
    if one.why:
        return "·"
    return next((block for least, block in _STEPS if one.level >= least), "▁")


def _c(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
