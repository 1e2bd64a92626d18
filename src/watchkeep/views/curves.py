"""Curves of scores in a square box: ROC, precision and recall, and how often what is said comes true.

Words stay out of the box, as with the other charts: axes are named beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from watchkeep.views.values import objects, real
from watchkeep.views.words import count, number, percent

SIDE: Final = 200
"""Units along each side of the box."""
_STEP: Final = 1.0  # units between points of a path that are worth telling apart
_SMALLEST, _LARGEST = 1.5, 4.0  # radius of a dot
_BAND: Final = 2.0  # standard errors


@dataclass(frozen=True, slots=True)
class Dot:
    """A group of rows: where it stands, how large it is, and what it says."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Square:
    """A chart in a square box.

    Args:
        title: what it is.
        across, up: the axes in words.
        baseline: a closed area or, among dots, a line; empty if there is none.
        window: a line; empty if there is none.
        guide: the line of answers that know nothing, or of perfect ones.
        guided: what that line is, in words.
        dots, faint: of the window and the baseline.
        spread: how far each dot of the window may be off, as lines.
        label, details: the chart in words.
    """

    title: str
    across: str
    up: str
    baseline: str
    window: str
    guide: str
    guided: str
    label: str
    details: str
    dots: tuple[Dot, ...] = ()
    faint: tuple[Dot, ...] = ()
    spread: str = ""


def squares(now: Mapping[str, object], then: Mapping[str, object], *, two: bool) -> tuple[Square, ...]:
    """The charts of scores that a document has the points of.

    Args:
        now, then: of the window and the baseline; of a baseline by itself, the first is empty.
        two: whether there are two classes: scores are then of the positive one.
    """
    drawn = [
        _curve("ROC curve", _points(now.get("roc")), _points(then.get("roc")), rising=True),
        _curve(
            "Precision and recall",
            _points(now.get("precision_recall")),
            _points(then.get("precision_recall")),
            rising=False,
        ),
        _reliability(now.get("reliability"), then.get("reliability"), two=two),
    ]
    return tuple(one for one in drawn if one is not None)


Points = list[tuple[float, float]]


def _points(value: object) -> Points:
    if not isinstance(value, Mapping):
        return []
    sides = [value.get(name) for name in ("x", "y")]
    if not all(isinstance(side, list | tuple) for side in sides):
        return []
    pairs = [(real(x), real(y)) for x, y in zip(*sides, strict=False)]
    return [(_share(x), _share(y)) for x, y in pairs if x is not None and y is not None]


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _curve(title: str, now: Points, then: Points, *, rising: bool) -> Square | None:
    if len(now) < 2 and len(then) < 2:
        return None
    last = (now or then)[-1][1]
    guide = f"M0 {SIDE}L{SIDE} 0" if rising else f"M0 {_y(last)}H{SIDE}"
    area = "" if len(then) < 2 else f"{_path(then)}V{SIDE}H{_x(then[0][0])}z"
    return Square(
        title=title,
        across="false positive rate" if rising else "recall",
        up="true positive rate" if rising else "precision",
        baseline=area,
        window="" if len(now) < 2 else _path(now),
        guide=guide,
        guided="guessing",
        label=f"{title} of {_sides(now, then)}",
        details=_told(now, then, rising=rising),
    )


def _sides(now: Sequence[object], then: Sequence[object]) -> str:
    return " and ".join([*["the window"] * bool(now), *["the baseline"] * bool(then)])


def _told(now: Points, then: Points, *, rising: bool) -> str:
    what = ("false positive rate", "true positive rate") if rising else ("recall", "precision")
    parts = []
    for at in (0.1, 0.2, 0.5) if rising else (0.2, 0.5, 0.8):
        sides = [
            f"{number(_height(points, at), digits=2)} in the {name}"
            for name, points in (("window", now), ("baseline", then))
            if points
        ]
        parts.append(f"At a {what[0]} of {at:g} the {what[1]} is {' and '.join(sides)}.")
    return " ".join(parts)


def _height(points: Points, at: float) -> float:
    """Where a curve stands at `at`; its first point right of it."""
    return next((y for x, y in points if x >= at), points[-1][1])


def _reliability(now: object, then: object, *, two: bool) -> Square | None:
    here, there = _groups(now), _groups(then)
    if not here and not there:
        return None
    spread = "".join(_whisker(*one) for one in here)
    said = "score" if two else "confidence"
    came = "came true" if two else "was right"
    parts = [f"{percent(y)} {came} of {count(rows)} rows said {percent(x)}" for rows, x, y in here or there]
    return Square(
        title="Does it come true?" if two else "Is it as right as it is sure?",
        across=f"mean {said}",
        up=f"share that {came}",
        baseline=_path([(x, y) for _, x, y in there]) if there else "",
        window="",
        guide=f"M0 {SIDE}L{SIDE} 0",
        guided="perfect scores" if two else "perfect confidence",
        label=f"Reliability of the {said} in {_sides(here, there)}",
        details="; ".join(parts) + ".",
        dots=_dots(here),
        faint=_dots(there),
        spread=spread,
    )


Group = tuple[float, float, float]  # rows, mean score, share that came true


def _groups(value: object) -> list[Group]:
    found = []
    for one in objects(value):
        rows, x, y = real(one.get("rows")), real(one.get("score")), real(one.get("came_true"))
        if rows is not None and rows > 0 and x is not None and y is not None:
            found.append((rows, _share(x), _share(y)))
    return sorted(found[:50], key=lambda group: group[1])


def _dots(groups: Sequence[Group]) -> tuple[Dot, ...]:
    """A dot per group: its area tells its rows, beside the largest of its side."""
    most = max((rows for rows, _, _ in groups), default=1.0)
    return tuple(
        Dot(float(_x(x)), float(_y(y)), round(max(_SMALLEST, _LARGEST * sqrt(rows / most)), 1))
        for rows, x, y in groups
    )


def _whisker(rows: float, x: float, y: float) -> str:
    # A share of n rows scatters by sqrt(p(1 - p) / n); p is drawn to the middle, so that 0 of n rows is not certain.
    middle = (y * rows + 1) / (rows + 2)
    reach = _BAND * sqrt(middle * (1 - middle) / rows)
    return f"M{_x(x)} {_y(_share(y - reach))}V{_y(_share(y + reach))}"


def _path(points: Points) -> str:
    """The points as a line; those that stand where the last one does are left out, the ends never."""
    parts: list[str] = []
    last = (-SIDE * 1.0, 0.0)
    for at, (x, y) in enumerate(points):
        place = (x * SIDE, y * SIDE)
        far = abs(place[0] - last[0]) >= _STEP or abs(place[1] - last[1]) >= _STEP
        if far or at == len(points) - 1:
            parts.append(f"{_x(x)} {_y(y)}")
            last = place
    return "M" + "L".join(parts)


def _x(value: float) -> str:
    return _c(SIDE * value)


def _y(value: float) -> str:
    return _c(SIDE * (1 - value))


def _c(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
