"""Curves of partial dependence, ready to be drawn: lines over numbers, dots beside categories.

All charts of one output share one scale of scores, so that a flat line is a feature of little weight. Words stay
out of the boxes, which stretch to their place on the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final, Self

from watchkeep.views.ticks import SLACK, round_ticks, tick_labels, within
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import amount, clip, compact, listing, number, percent

WIDTH: Final = 300
"""Units across a box."""
HIGH: Final = 110
"""Units down the box of the lines."""
DEEP: Final = 26
"""Units down the strip below it, of how the rows lie."""
CARDS: Final = 30
"""Charts drawn; the rest are counted."""
DOTS: Final = 8
"""Categories drawn of one feature; the rest are counted."""
_EDGE: Final = 5.0  # units above the highest point and below the lowest
_ALARMING: Final = 0.1  # of the window's rows: where more lie outside the grid, its curve tells little of it
_INSIDE: Final = 0.995  # of the window's rows: where fewer lie within the grid, it is told

Shares = list[float]


@dataclass(frozen=True, slots=True)
class Dot:
    """A category: where the mean score stands on either side, in percent of the width; None where it is not known."""

    name: str
    before: float | None
    now: float | None
    told: str
    share: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The curves of one feature, for one output of the model.

    Args:
        title: the feature, and the output where there are several.
        baseline, window: paths of the lines; empty where there is none. A value by itself is a short dash.
        lies, lies_now: paths of the shares of rows in each bucket.
        ticks: under the box, place in percent and text.
        low, high: ends of the scale of scores.
        dots: of categories; numbers have none.
        more: categories that are not drawn.
        note: what a reader must know; empty when nothing. `alarming`: whether the curve tells little without it.
        label: the chart in words.
    """

    title: str
    baseline: str
    window: str
    lies: str
    lies_now: str
    ticks: tuple[tuple[float, str], ...]
    low: str
    high: str
    dots: tuple[Dot, ...]
    more: int
    note: str
    alarming: bool
    label: str

    @property
    def size(self) -> tuple[int, int, int]:
        """Width, height of the lines, height of the strip: of the boxes, in their unit."""
        return WIDTH, HIGH, DEEP


@dataclass(frozen=True, slots=True)
class Dependences:
    """All the curves of a document.

    Args:
        charts: the feature with the largest attribution first.
        over: what the means are over, in words.
        missing: sentences on curves that there are none of.
        left: charts that are not drawn.
        compared: whether a window is drawn.
        several: whether the model has several outputs.
    """

    charts: tuple[Chart, ...]
    over: str
    missing: tuple[str, ...]
    left: int
    compared: bool
    several: bool

    @classmethod
    def of(cls, value: object) -> Self:
        """The curves of a document; nothing where it tells of none."""
        listed = objects(value)
        read = [one for each in listed for one in _lines(each)]
        ends = _ends(read)
        charts = [_chart(one, *ends[one.at], several=len(ends) > 1) for one in read]
        return cls(
            charts=tuple(charts[:CARDS]),
            over=_over(listed),
            missing=_missing(listed),
            left=max(0, len(charts) - CARDS),
            compared=any(one.now for one in read),
            several=len(ends) > 1,
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """One feature and one output, read: scores by value of the grid, and shares of rows; empty where not known."""

    feature: str
    label: str
    at: int
    numerical: bool
    values: Sequence[object]
    before: Shares
    now: Shares
    lie: Shares
    lie_now: Shares


def _lines(given: Mapping[str, object]) -> list[_Line]:
    window, values = mapping(given.get("window")), given.get("feature_values")
    grid = values if isinstance(values, list) else []
    labels = given.get("label_headers")
    names = labels if isinstance(labels, list) else []
    sides = [_matrix(side.get("model_predictions"), len(grid)) for side in (given, window)]
    lie, lie_now = (_numbers(side.get("data_distribution"), len(grid)) for side in (given, window))
    return [
        _Line(
            feature=text(given.get("feature_name")),
            label=text(names[at]) if at < len(names) else f"label{at}",
            at=at,
            numerical=given.get("data_type") == "numerical" and all(real(one) is not None for one in grid),
            values=grid,
            before=sides[0][at] if at < len(sides[0]) else [],
            now=sides[1][at] if at < len(sides[1]) else [],
            lie=lie,
            lie_now=lie_now,
        )
        for at in range(max(map(len, sides)))
    ]


def _matrix(value: object, width: int) -> list[Shares]:
    lines = [_numbers(line, width) for line in value] if isinstance(value, list) else []
    return lines if all(lines) else []


def _numbers(value: object, width: int) -> Shares:
    """So many finite numbers; none where it is anything else."""
    found = [real(one) for one in value] if isinstance(value, list) else []
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) == width else []


def _ends(lines: Sequence[_Line]) -> dict[int, tuple[float, float]]:
    """The least and the largest score of each output."""
    found: dict[int, tuple[float, float]] = {}
    for one in lines:
        scores = [*one.before, *one.now]
        low, high = found.get(one.at, (scores[0], scores[0]))
        found[one.at] = min(low, *scores), max(high, *scores)
    return found


def _chart(one: _Line, low: float, high: float, *, several: bool) -> Chart:
    room = (high - low) or 1.0
    places, ticks = _places(one)
    outside = 1 - sum(one.lie_now) if one.now else 0.0
    return Chart(
        title=f"{clip(one.feature, 40)} · {clip(one.label, 30)}" if several else clip(one.feature, 60),
        baseline=_path(places, [(score - low) / room for score in one.before]),
        window=_path(places, [(score - low) / room for score in one.now]),
        lies=_steps(places, one.lie, [*one.lie, *one.lie_now]),
        lies_now=_steps(places, one.lie_now, [*one.lie, *one.lie_now]),
        ticks=ticks,
        low=number(_round(low, room), digits=3),
        high=number(_round(high, room), digits=3),
        dots=() if one.numerical else tuple(_dots(one, low, room)),
        more=0 if one.numerical else max(0, len(one.values) - DOTS),
        note=_note(outside),
        alarming=outside >= _ALARMING,
        label=_told(one),
    )


def _note(outside: float) -> str:
    """What is told of rows outside the grid, a share of the window's."""
    if outside <= 1 - _INSIDE:
        return ""
    told = f"{percent(min(1.0, outside))} of the window has other values"
    return f"{told}: the curve tells nothing of them." if outside >= _ALARMING else f"{told}."


def _places(one: _Line) -> tuple[list[float], tuple[tuple[float, str], ...]]:
    """Where the values stand across the box, in units; and its ticks."""
    if not one.numerical:
        return [], ()
    count = len(one.values)
    places = [WIDTH * (at + 0.5) / count for at in range(count)]
    values = [real(value) or 0.0 for value in one.values]
    if count < 2 or not values[-1] > values[0]:
        return places, ((50.0, compact(values[0])),) if count else ()
    width = (values[-1] - values[0]) / (count - 1)
    low, high = values[0] - width / 2, values[-1] + width / 2
    ticks = round_ticks(low, high, whole=_whole_numbers(one, low, width))
    return places, tuple(zip([within(at, low, high) for at in ticks], tick_labels(ticks), strict=True))


def _whole_numbers(one: _Line, low: float, width: float) -> bool:
    """Whether a feature seems to hold whole numbers: no row lies in a bucket that has none."""
    lies = [one.lie, one.lie_now]
    return all(
        not any(lie and lie[at] for lie in lies)
        or floor(low + (at + 1 + SLACK) * width) >= ceil(low + (at - SLACK) * width)
        for at in range(len(one.values))
    )


def _round(value: float, room: float) -> float:
    """A number to a hundredth of a range, or closer."""
    return round(value, 2 - floor(log10(room))) if room > 0 else value


def _path(places: Sequence[float], heights: Sequence[float]) -> str:
    if not places or not heights:
        return ""
    points = [
        (at, HIGH - _EDGE - (HIGH - 2 * _EDGE) * height) for at, height in zip(places, heights, strict=True)
    ]
    if len(points) == 1:
        return f"M{_c(points[0][0] - 8)} {_c(points[0][1])}h16"
    return "M" + "L".join(f"{_c(x)} {_c(y)}" for x, y in points)


def _steps(places: Sequence[float], shares: Shares, both: Shares) -> str:
    """Bars of the buckets, side by side; the highest of both sides fills the strip."""
    if not places or not shares:
        return ""
    most, width = max(both) or 1.0, WIDTH / len(places)
    parts = [f"V{_c(DEEP - (DEEP - 1) * share / most)}h{_c(width)}" for share in shares]
    return f"M0 {DEEP}{''.join(parts)}V{DEEP}z"


def _dots(one: _Line, low: float, room: float) -> list[Dot]:
    found = []
    for at, value in enumerate(one.values[:DOTS]):
        before, now = (side[at] if side else None for side in (one.before, one.now))
        shares = [_whole(side[at]) for side in (one.lie, one.lie_now) if side]
        scores = [number(score, digits=3) for score in (before, now) if score is not None]
        found.append(
            Dot(
                name=text(value, "(none)"),
                before=None if before is None else _across(before, low, room),
                now=None if now is None else _across(now, low, room),
                told=" → ".join(scores),
                share=f"{' → '.join(shares)} %" if shares else "",
            )
        )
    return found


def _whole(share: float) -> str:
    """A share in whole percent."""
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def _across(score: float, low: float, room: float) -> float:
    return round(3 + 94 * (score - low) / room, 1)


def _told(one: _Line) -> str:
    """The curves in words: their ends, or the scores of the categories."""
    sides = [("baseline", one.before), ("window", one.now)]
    parts = []
    for name, scores in sides:
        if not scores:
            continue
        chosen = (
            sorted({0, len(scores) // 2, len(scores) - 1}) if one.numerical else range(min(DOTS, len(scores)))
        )
        points = ", ".join(f"{number(scores[at], digits=3)} at {_value(one.values[at])}" for at in chosen)
        parts.append(f"{points} in the {name}")
    return f"Mean score by {clip(one.feature, 60)}: {'; '.join(parts)}"


def _value(value: object) -> str:
    known = real(value)
    return clip(text(value), 30) if known is None else number(known, digits=3)


def _over(listed: Sequence[Mapping[str, object]]) -> str:
    """What the means are over."""
    sides = [("the baseline", listed), ("the window", [mapping(one.get("window")) for one in listed])]
    told = []
    for name, ones in sides:
        rows = max((whole(one.get("rows")) for one in ones), default=0)
        told += [f"{amount(rows, 'row')} of {name}"] if rows else []
    return " and ".join(told)


def _missing(listed: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """A sentence for each reason why there are no curves, with the features it is the reason for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in listed:
        own, window = text(one.get("error")), text(mapping(one.get("window")).get("error"))
        if own:
            reasons.setdefault(("", own), []).append(text(one.get("feature_name")))
        if window and window != own:
            reasons.setdefault((" in the window", window), []).append(text(one.get("feature_name")))
    return tuple(
        f"No curve of {listing(names, most=10)}{where}: {clip(why, 300)}."
        for (where, why), names in reasons.items()
    )


def _c(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
