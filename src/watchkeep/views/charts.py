"""Charts as numbers and SVG paths: the shares of a baseline and a window, drawn over the same bins.

Paths are drawn in a box that stretches to its place on the page, so words stay out of it: ticks and notes
are returned beside the path and set as text of the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Final

from watchkeep.views.values import real, text
from watchkeep.views.words import compact, number, percent

WIDTH: Final = 600
"""Units across the box of a histogram."""
HEIGHT: Final = 100
"""Units down the box of a histogram."""
_SIDE: Final = 24.0  # width of a bar for the values outside the edges
_GAP: Final = 12.0  # between such a bar and the bins
_TOP: Final = 4.0  # above the highest bar


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis: `at` is in percent of the width."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """A numeric column: one path per side (None for a side that has no values), and bars outside the bins.

    Args:
        baseline, window: closed step paths over the bins.
        baseline_out, window_out: paths of the bars below and above the edges; empty when nothing is there.
        ticks: of the axis of values.
        peak: the share that the full height stands for.
        notes: what a reader must know to read it right.
        label: the chart in words, for those who do not see it.
    """

    baseline: str | None
    window: str | None
    baseline_out: str
    window_out: str
    ticks: tuple[Tick, ...]
    peak: float
    notes: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One category: its shares on both sides and the lengths of its bars, in percent of the longest."""

    label: str
    kind: str
    baseline: float | None
    window: float | None
    baseline_length: float
    window_length: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A categorical column: its commonest categories, the rest as one bar, the unseen as another."""

    bars: tuple[Bar, ...]
    has_baseline: bool
    has_window: bool


@dataclass(frozen=True, slots=True)
class Blank:
    """No chart, and why."""

    why: str


def drawn(chart: Mapping[str, object], *, bars: int = 10) -> Histogram | Bars | Blank:
    """The drawing of a chart of a report or baseline document; at most `bars` categories drawn one by one.

    >>> drawn({"kind": "none", "why": "no values in the window"})
    Blank(why='no values in the window')
    >>> drawn({"kind": "numeric", "edges": [0, 1, 2], "baseline": [0.5, 0.5], "window": None}).baseline
    'M0 100V4H300V4H600V100z'
    """
    kind = chart.get("kind")
    if kind == "numeric":
        return _histogram(chart)
    if kind == "categorical":
        return _bars(chart, bars)
    return Blank(text(chart.get("why"), "no chart was kept for this column"))


def _histogram(chart: Mapping[str, object]) -> Histogram | Blank:
    edges = [edge for edge in map(real, _list(chart.get("edges"))) if edge is not None]
    bins = len(edges) - 1
    baseline, window = _shares(chart.get("baseline"), bins), _shares(chart.get("window"), bins)
    if bins < 1 or (baseline is None and window is None):
        return Blank("no bins were kept for this column")
    below, above = _two(chart.get("below")), _two(chart.get("above"))
    peak = max([*(baseline or []), *(window or []), *below, *above]) or 1.0
    places, notes = _places(edges, any(below), any(above))
    if baseline is not None and window is not None:
        notes += _beyond("below", number(edges[0]), below) + _beyond("above", number(edges[-1]), above)
    sides = [name for name, side in (("baseline", baseline), ("window", window)) if side is not None]
    return Histogram(
        baseline=None if baseline is None else _steps(places, baseline, peak),
        window=None if window is None else _steps(places, window, peak),
        baseline_out=_outside(below[0], above[0], peak, 0),
        window_out=_outside(below[1], above[1], peak, _SIDE / 2),
        ticks=_ticks(edges, places),
        peak=peak,
        notes=tuple(notes),
        label=f"Histogram of {' and '.join(sides)} from {number(edges[0])} to {number(edges[-1])},"
        f" {bins} {'bin' if bins == 1 else 'bins'}",
    )


def _beyond(side: str, edge: str, shares: tuple[float, float]) -> list[str]:
    if not any(shares):
        return []
    return [f"{percent(shares[1])} of the window {side} {edge} (baseline {percent(shares[0])})."]


def _places(edges: Sequence[float], below: bool, above: bool) -> tuple[list[float], list[str]]:
    """Where each edge stands across the box, and a note if that is not its place on the number line."""
    left = _SIDE + _GAP if below else 0.0
    right = WIDTH - (_SIDE + _GAP if above else 0.0)
    bins, width = len(edges) - 1, edges[-1] - edges[0]
    step = width / bins
    even = isfinite(step) and step > 0 and all(abs(b - a - step) <= 1e-3 * step for a, b in pairwise(edges))
    places = [left + (right - left) * i / bins for i in range(bins + 1)]
    return places, [] if even or bins == 1 else ["Bins differ in width and are drawn equally wide."]


def _steps(places: Sequence[float], shares: Sequence[float], peak: float) -> str:
    parts = [f"M{_c(places[0])} {HEIGHT}"]
    for right, share in zip(places[1:], shares, strict=True):
        parts.append(f"V{_y(share, peak)}H{_c(right)}")
    return "".join(parts) + f"V{HEIGHT}z"


def _outside(below: float, above: float, peak: float, shift: float) -> str:
    """Bars of half a side's width, so that the two sides of the comparison stand beside each other."""
    half = _SIDE / 2
    path = ""
    for share, left in ((below, 0.0), (above, WIDTH - _SIDE)):
        if share > 0:
            path += f"M{_c(left + shift)} {HEIGHT}V{_y(share, peak)}h{_c(half)}V{HEIGHT}z"
    return path


def _y(share: float, peak: float) -> str:
    """The height of a share; the smallest one that is not zero still shows."""
    tall = share / peak * (HEIGHT - _TOP)
    return _c(HEIGHT - (max(tall, 1.0) if share > 0 else 0.0))


def _c(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _ticks(edges: Sequence[float], places: Sequence[float]) -> tuple[Tick, ...]:
    bins = len(edges) - 1
    parts = min(4, bins)
    chosen = sorted({round(bins * i / parts) for i in range(parts + 1)})
    return tuple(Tick(round(100 * places[i] / WIDTH, 1), compact(edges[i])) for i in chosen)


def _bars(chart: Mapping[str, object], most: int) -> Bars | Blank:
    labels = [text(label, "(none)") for label in _list(chart.get("labels"))]
    baseline, window = _shares(chart.get("baseline"), len(labels)), _shares(chart.get("window"), len(labels))
    if baseline is None and window is None:
        return Blank("no categories were kept for this column")
    left, right = baseline or [0.0] * len(labels), window or [0.0] * len(labels)
    largest = sorted(range(len(labels)), key=lambda i: -max(left[i], right[i]))
    shown = sorted(largest[:most])
    rest = largest[most:]
    told, unseen = _two(chart.get("other")), _two(chart.get("unseen"))
    other = (told[0] + sum(left[i] for i in rest), told[1] + sum(right[i] for i in rest))
    rows = [(labels[i], "", left[i], right[i]) for i in shown]
    if any(other):
        rows.append(("all other values" if any(told) else f"{len(rest)} other values", "other", *other))
    if any(unseen):
        rows.append(("unseen values", "unseen", *unseen))
    longest = max([max(b, w) for _, _, b, w in rows], default=0.0) or 1.0
    return Bars(
        bars=tuple(
            Bar(
                label=label,
                kind=kind,
                baseline=None if baseline is None else b,
                window=None if window is None else w,
                baseline_length=round(100 * b / longest, 1),
                window_length=round(100 * w / longest, 1),
            )
            for label, kind, b, w in rows
        ),
        has_baseline=baseline is not None,
        has_window=window is not None,
    )


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _shares(value: object, length: int) -> list[float] | None:
    """Shares of one side; None when the side is absent or is no list of that length."""
    given = _list(value)
    if length < 1 or len(given) != length:
        return None
    return [min(max(real(share) or 0.0, 0.0), 1.0) for share in given]


def _two(value: object) -> tuple[float, float]:
    pair = [min(max(real(share) or 0.0, 0.0), 1.0) for share in _list(value)[:2]]
    return (pair[0], pair[1]) if len(pair) == 2 else (0.0, 0.0)
