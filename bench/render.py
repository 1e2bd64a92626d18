"""The results as a page of Markdown."""

from collections.abc import Iterable, Sequence

from bench.goals import Goal
from bench.results import STARTS, Results, Row

_METHOD = """\
Every figure is of whole processes: wall time, user and system seconds, and the greatest resident memory, as
the kernel counts them for a child (`wait4`). The commands of a size take turns, every second round backwards;
figures are medians over the rounds, except memory, which is the worst of them; no run is dropped. Before the
first round one baseline and one report of the size are made, unmeasured: the files are in the disk's cache, and
our modules are compiled, as installed ones are.

- *Start-up* is the least CPU of the same command on files of 10 rows; for `check`, against the same saved baseline.
- *x of decode* is CPU less start-up, over the CPU less start-up of only decoding the same columns of the same
  files with pyarrow, strings as dictionaries (ids plain: cheaper). The decode is the cheapest of five ways:
  column by column, the same of a mapped file, row group by row group on one thread and on all, in batches.
  Both are the least of their rounds, for what else a shared machine does only adds to them; in brackets the
  goals show the smallest and the greatest ratio of a single round. Nothing is compared with a decode of less than
  0.1 CPU seconds.
- `check` reads the current file, `baseline` the reference; `compare` and the peers read both.
- Peers run once, each with its own idea of a drift report over the same columns (ids and times left out);
  their start-up is importing them.
- MB are 1,000,000 bytes.

The rows are generated with a seed: 22 doubles, 7 whole numbers (label and prediction among them), 8 strings
of 5 to 1,000 values, a string of ids, a boolean and a timestamp; nulls in some; row groups of 122,880 rows;
pyarrow's defaults (snappy). The current rows differ by a few drifts."""


def page(results: Results, judged: Sequence[Goal]) -> str:
    """The whole page.

    Args:
        results: what was measured.
        judged: the goals, judged by these results.
    """
    machine = results.machine
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    memory = f"{machine.memory / 2**30:.1f} GiB memory"
    where = f"{machine.processor}, {machine.cores} cores, {memory}; {machine.system}; {machine.python}"
    parts = [
        "# What Watchkeep costs",
        "Written by `python -m bench`, not by hand. Between machines, only ratios compare.",
        f"{results.date}; {where}; {libraries}; load {machine.load:g} at the start.",
        "## Goals",
        _table(("figure", "must", "aim", "measured", "met"), map(_goal, judged)),
        "## Method",
        _METHOD,
    ]
    for rows in sorted({row.rows for row in results.rows}):
        listed = [row for row in results.rows if row.rows == rows]
        parts.append(f"## {rows:,} rows" if rows else "## Without rows")
        head = ("command", "wall s", "CPU s", "of it start-up", "x of decode", "peak MB", "runs")
        shown = [row for row in listed if row.why is None and not row.name.startswith(STARTS)]
        parts.append(_table(head, map(_cells, shown)))
        parts += [f"{row.name}: {row.why}." for row in listed if row.why is not None]
    if results.peers:
        parts += ["## Peers", "\n".join(f"- {name}: {said}" for name, said in results.peers.items())]
    return "\n\n".join(parts) + "\n"


def _goal(goal: Goal) -> tuple[str, ...]:
    said = {True: "yes", False: "**no**", None: "not measured"}[goal.met]
    measured = "" if goal.measured is None else _number(goal.measured, goal.unit)
    if goal.spread:
        measured += f" ({goal.spread[0]:.2f} to {goal.spread[1]:.2f})"
    aim = "" if goal.aim is None else _number(goal.aim, goal.unit)
    return goal.figure, _number(goal.must, goal.unit), aim, measured, said


def _number(value: float, unit: str) -> str:
    """A number with its unit.

    >>> _number(1.4849, "x"), _number(331.2, "MB"), _number(0.0912, "s")
    ('1.48x', '331 MB', '0.09 s')
    """
    digits = 0 if unit in ("MB", "KB", "%") else 2
    return f"{value:,.{digits}f}{'' if unit == 'x' else ' '}{unit}"


def _cells(row: Row) -> tuple[str, ...]:
    times = "" if row.times is None else f"{row.times.least:.2f}"
    peak = None if row.peak is None else row.peak / 1e6
    return (
        row.name,
        _cell(row.wall, 2),
        _cell(row.cpu, 2),
        _cell(row.start, 2),
        times,
        _cell(peak, 0),
        f"{len(row.runs)}",
    )


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
