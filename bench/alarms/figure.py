"""The picture: false alarms at each tool's own limit, and delay when all of them ring at one rate. Hand-drawn SVG."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Final

from bench.alarms.data import TABLES
from bench.alarms.measure import CENSORED
from bench.alarms.readings import TOOLS
from bench.alarms.summary import Summary

ROWS: Final = 1_000
"""Of the windows that are shown."""
BUDGET: Final = 1.0
LEAST: Final = 0.1
"""False alarms per 1,000 windows at the left end, where none are shown too."""

WIDTH, LEFT, GAP, PANEL = 940, 330, 64, 255
TOP, STEP = 96, 30

STYLE: Final = """\
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2933}
.head{font-weight:600;font-size:14px}.note,.tick{fill:#5f6b7a;font-size:12px}
.rule{stroke:#d5dbe3;stroke-width:1}.grid{stroke:#e9edf2;stroke-width:1}
.promise{stroke:#b4532a;stroke-width:1.5;stroke-dasharray:4 3}.promised{fill:#b4532a;font-size:12px}
.span{stroke:#9aa7b8;stroke-width:2}.other{fill:#6b7a90}.own{fill:#0f766e}.ownspan{stroke:#0f766e;stroke-width:2}
.band{fill:#0f766e;fill-opacity:.09}
@media(prefers-color-scheme:dark){text{fill:#e6ebf2}.note,.tick{fill:#9aa7b8}.rule{stroke:#465263}
.grid{stroke:#2b3542}.promise{stroke:#f0a070}.promised{fill:#f0a070}.span{stroke:#69778a}.other{fill:#a9b6c7}
.own{fill:#3fd0bf}.ownspan{stroke:#3fd0bf}.band{fill:#3fd0bf;fill-opacity:.12}}"""

MARKS: Final = {"adult": "circle", "housing": "square", "employment": "diamond"}


@dataclass(frozen=True, slots=True)
class Line:
    """A tool's figures by table.

    Args:
        tool: a key of `TOOLS`.
        rates: false alarms per 1,000 windows.
        delays: windows, at the matched rate.
    """

    tool: str
    rates: dict[str, float]
    delays: dict[str, float]


def lines(summary: Summary) -> list[Line]:
    """The tools with figures at that size of windows, in the page's order."""
    out = []
    for tool in TOOLS:
        calm = {table: summary.quiet("unchanged", table, ROWS, tool) for table in TABLES}
        seen = {table: summary.power(table, ROWS, tool) for table in TABLES}
        rates = {table: each.rate.per_thousand for table, each in calm.items() if each is not None}
        delays = {
            table: each.matched.delay
            for table, each in seen.items()
            if each is not None and each.matched is not None
        }
        if rates or delays:
            out.append(Line(tool, rates, delays))
    return out


def figure(summary: Summary) -> str:
    """The picture as SVG; it follows the reader's light or dark theme."""
    shown = lines(summary)
    height = TOP + STEP * max(1, len(shown)) + 50
    body = "\n".join(_body(shown, TOP + STEP * max(1, len(shown))))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' aria-label="False alarms and delay by tool">\n'
        f"<title>False alarms where nothing changed, and delay where something did</title>\n"
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def _body(shown: list[Line], bottom: int) -> Iterator[str]:
    second = LEFT + PANEL + GAP
    yield _text(LEFT, 24, "False alarms per 1,000 windows", "head")
    yield _text(LEFT, 42, "nothing changed; each tool at its own limit", "note")
    yield _text(second, 24, "Windows until a change is seen", "head")
    yield _text(second, 42, "all tools at one rate of false alarms", "note")
    yield from _legend()
    for value in (LEAST, 1, 10, 100, 1000):
        said = "≤ 0.1" if value == LEAST else f"{value:,}"
        yield from _tick(_rate_at(value), bottom, said)
    for value in (1, 5, 10, 15, 20):
        yield from _tick(_delay_at(value), bottom, str(value))
    yield _stroke(_rate_at(BUDGET), TOP - 14, _rate_at(BUDGET), bottom, "promise")
    yield _text(_rate_at(BUDGET), TOP - 20, "the budget: 1", "promised", anchor="middle")
    for number, line in enumerate(shown):
        yield from _line(line, TOP + STEP * number + STEP // 2)
    yield _stroke(LEFT, bottom, LEFT + PANEL, bottom, "rule")
    yield _stroke(second, bottom, second + PANEL, bottom, "rule")


def _line(line: Line, y: int) -> Iterator[str]:
    own = line.tool == "watchkeep"
    if own:
        yield f'<rect class="band" x="8" y="{y - STEP // 2}" width="{WIDTH - 16}" height="{STEP}" rx="5"/>'
    weight = "head" if own else ""
    yield _text(LEFT - 22, y + 4, TOOLS[line.tool].says.replace("**", ""), weight, anchor="end")
    for values, at in ((line.rates, _rate_at), (line.delays, _delay_at)):
        places = {table: at(value) for table, value in values.items()}
        if len(places) > 1:
            yield _stroke(min(places.values()), y, max(places.values()), y, "ownspan" if own else "span")
        for table, x in places.items():
            yield _mark(MARKS[table], x, y, "own" if own else "other")


def _legend() -> Iterator[str]:
    x = 24.0
    for table in TABLES:
        yield _mark(MARKS[table], x, 38, "other")
        yield _text(x + 10, 42, table, "note")
        x += 34 + 7 * len(table)


def _tick(x: float, bottom: int, said: str) -> Iterator[str]:
    yield _stroke(x, TOP - 6, x, bottom, "grid")
    yield _text(x, bottom + 18, said, "tick", anchor="middle")


def _rate_at(value: float) -> float:
    """Where a rate stands: logarithmic, none at the left end."""
    return LEFT + PANEL * (log10(max(value, LEAST)) - log10(LEAST)) / (3 - log10(LEAST))


def _delay_at(value: float) -> float:
    return LEFT + PANEL + GAP + PANEL * (value - 1) / (CENSORED - 1)


def _mark(shape: str, x: float, y: float, name: str) -> str:
    if shape == "circle":
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y}" r="5"/>'
    turn = f' transform="rotate(45 {x:.1f} {y})"' if shape == "diamond" else ""
    return f'<rect class="{name}" x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"{turn}/>'


def _stroke(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, said: str, name: str, *, anchor: str = "start") -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
