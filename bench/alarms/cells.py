"""What is measured: cells, each small enough to lose."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from typing import Final, Literal

from bench.alarms.data import NARROW, SERIES, TABLES

Part = Literal["unchanged", "changed", "exchanged"]

BASELINE: Final = 10_000
"""Rows of a baseline drawn from a table."""
WINDOWS: Final = 200
"""Of a stream without a change."""
SIZES: Final = (100, 1_000, 10_000, 100_000)
OURS: Final = ("watchkeep", "rules")
"""Groups that run in this interpreter."""
PEERS: Final = ("nannyml", "alibi-detect", "whylogs", "evidently")
"""Groups that run in their own, those that take longest last."""
_SLOWEST: Final = "evidently"


@dataclass(frozen=True, slots=True)
class Cell:
    """One group of tools on one kind of stream.

    Args:
        part: "unchanged" and "changed" windows of a table, or "exchanged" blocks of a series.
        table: a key of `data.RECIPES`.
        rows: of a window; 0 for blocks, which have as many as they have.
        group: of tools.
        streams: how many unchanged or exchanged ones; for changed ones how many of each change.
        windows: of a stream without a change.
        baseline: rows.
    """

    part: Part
    table: str
    rows: int
    group: str
    streams: int
    windows: int = WINDOWS
    baseline: int = BASELINE

    @property
    def name(self) -> str:
        """What it is called, and its file.

        >>> Cell("unchanged", "adult", 100, "rules", 5).name
        'unchanged.adult.100.rules'
        """
        small = "" if self.baseline == BASELINE else f".after-{self.baseline}"
        return f"{self.part}.{self.table}.{self.rows or 'blocks'}{small}.{self.group}"

    def document(self) -> dict[str, object]:
        """The form it takes in JSON."""
        return asdict(self)


def plan(*, quick: bool, peers: bool) -> list[Cell]:
    """All cells, those that goals hang on first."""
    if quick:
        return [cell for group in OURS for cell in _quick(group)]
    cells = [cell for group in OURS for cell in _goals(group)]
    cells += [cell for group in OURS for cell in _rest(group)]
    if peers:
        cells += [cell for group in PEERS for cell in _peers(group)]
    return cells


def chosen(cells: list[Cell], patterns: str) -> list[Cell]:
    """The cells whose names match one of the patterns, which commas part.

    >>> [cell.name for cell in chosen(plan(quick=True, peers=False), "changed.*,*.weather.*.rules")]
    ['changed.adult.1000.watchkeep', 'changed.adult.1000.rules', 'exchanged.weather.blocks.rules']
    """
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    return [cell for cell in cells if any(fnmatch(cell.name, pattern) for pattern in wanted)]


def _quick(group: str) -> list[Cell]:
    return [
        Cell("unchanged", "adult", 1_000, group, 2, windows=50),
        Cell("changed", "adult", 1_000, group, 1),
        Cell("exchanged", "weather", 0, group, 1, windows=100),
    ]


def _goals(group: str) -> list[Cell]:
    cells = [
        Cell("unchanged", table, rows, group, _streams(group, rows)) for rows in SIZES[:3] for table in TABLES
    ]
    cells += [Cell("changed", table, 1_000, group, 30) for table in TABLES]
    cells += [Cell("exchanged", series, 0, group, 20) for series in SERIES]
    return cells + [Cell("unchanged", table, SIZES[3], group, _streams(group, SIZES[3])) for table in TABLES]


def _rest(group: str) -> list[Cell]:
    cells = [Cell("changed", table, rows, group, 10) for rows in (100, 10_000) for table in TABLES]
    cells += [Cell("unchanged", table, 1_000, group, 50) for table in NARROW]
    return [*cells, Cell("unchanged", "employment", 100, group, 50, baseline=1_000)]


def _peers(group: str) -> list[Cell]:
    if group == _SLOWEST:
        return [Cell("unchanged", table, 1_000, group, 1) for table in TABLES]
    cells = [Cell("unchanged", table, 1_000, group, 5) for table in TABLES]
    cells += [Cell("changed", table, 1_000, group, 1) for table in TABLES]
    return [*cells, *(Cell("unchanged", "adult", rows, group, 1) for rows in (100, 10_000))]


def _streams(group: str, rows: int) -> int:
    """As many as are cheap: a hundred are 20,000 windows."""
    if group == "watchkeep":
        return 100 if rows <= 10_000 else 40
    return {1_000: 100, 100_000: 10}.get(rows, 50)
