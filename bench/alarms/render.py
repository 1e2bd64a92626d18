"""The page: goals, tables, and what they rest on."""

from collections.abc import Iterable, Sequence

from bench.alarms.cells import SIZES
from bench.alarms.data import NARROW, SERIES, TABLES
from bench.alarms.goals import WATCH, Goal
from bench.alarms.kinds import KINDS
from bench.alarms.measure import CENSORED, Naming, Power
from bench.alarms.readings import TOOLS
from bench.alarms.streams import AFTER, BEFORE
from bench.alarms.summary import Calm, Summary
from bench.machine import Machine

METHOD = f"""\
**Streams.** A baseline of 10,000 rows is drawn from a real table, none twice; windows of n rows are drawn from the
same table with replacement, so nothing changes, by construction. A stream has 200 windows. A *changed* stream has
{BEFORE} such windows, then {AFTER} with a change in one column drawn by lot among those where the change makes
sense. Every tool sees the same rows. Baselines of changed streams are none of those that limits are matched on.
The tables are finite: a baseline of 10,000 rows holds most of the 14,064 of *housing*, so its own error is smaller
there than theory allows for, and false alarms are rarer.

**Exchanged days.** The days of a real time series change places, each with one of the same weekday (weeks among all
where rows are days), and every row keeps its hour: seasons of the day and the week stay, and what the rows of a day
have in common, but nothing drifts. At most 365 blocks are the baseline, the next 200 are the windows.

**False alarms** are windows that ring in unchanged streams, at the tool's own settings; Watchkeep's budget is 1 in
1,000. Bounds are Clopper and Pearson's, one-sided at 95 %, windows taken as independent; baselines are not shared
between streams. *Any* is the share of streams with at least one.

**Matched rate.** Tools with many false alarms detect much. So each gets the one limit at which a fifth of its
unchanged streams of 200 windows ring: about one false alarm in 1,000 windows. *Power* is the share of changed
streams that ring in the first window with the change; *delay* the mean number of windows until they do,
{CENSORED} where they never do. Strong and weak changes count alike: see the table of kinds.

**Names.** Of the first alarm about a change: is its first name right, and how many of its names are? A shift of
the label changes all columns, and is not counted. A shuffled column is right, the columns it hung together with
are not; nor is the column that makes a subgroup.

**Rules and peers.** Rows that begin with "rule" are our own few lines (`bench/alarms/rules.py`) for what others do;
the other names are the projects' releases in environments of their own, with their defaults. Peers see fewer streams,
because they take long; Evidently, which takes seconds a window, sees no changes.

**What makes sense.** Numbers move or get a wrong unit only in columns with ten values or more of which none has half
of the rows; a column is shuffled only if it has a rank correlation of 0.2 or more with another; a category that gains
rows has 1 to 50 % of them before; a label's rate is that of income, or of the model's predictions. Other
choices give other powers: compare rows of this page with each other, not with figures from elsewhere."""

NOT_HERE = """\
- Concept shift seen through late labels: labels belong to model quality, which this benchmark does not watch.
- Changes in several columns at once, apart from the shift of a label.
- Seasons of the year: exchanging days removes them along with all drift.
- Whole chains of SageMaker's checks: only its drift check is here."""

_GOALS = """\
Of the watch, at a budget of one false alarm in 1,000 windows. Names are judged at its own limit, power and delay at
the matched rate, over windows of 1,000 rows."""
_QUIET = (
    "Per 1,000 windows, with the upper bound in brackets, and *any*: streams of 200 windows with one or more."
)
_PER_THOUSAND = "False alarms per 1,000 windows, with the upper bound in brackets."
_POWERS = "Power in the first changed window / mean delay in windows, over all changes."
_KINDS = "Windows of 1,000 rows, at the matched rate: the watch, and the best of all others in that row."
_NAMES = "First name right / names right, in alarms about changes of one column; windows of 1,000 rows."


def page(
    summary: Summary, judged: Sequence[Goal], *, machine: Machine, facts: Sequence[str], figure: str
) -> str:
    """The whole page.

    Args:
        summary: what was found.
        judged: the goals.
        machine: where it was drawn up.
        facts: what else readers must know, a sentence each.
        figure: the path of the picture, seen from the page; empty for none.
    """
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    hours = summary.seconds / 3600
    ours = [_short(tool) for tool in _ours(summary)]
    sides = [f"{table}{side}" for table in TABLES for side in ("", ", best other")]
    limits = [f"{table}, {side}" for table in TABLES for side in ("own limit", "matched")]
    series = _table(("series", *ours), _series(summary))
    legend = "\n".join(f"- {name}: {SERIES[name].says}" for name in SERIES)
    narrow = _table(("table", *ours), _narrow(summary))
    kinds, named = _table(("change", *sides), _kinds(summary)), _table(("tool", *limits), _names(summary))
    parts = [
        "# Alarms: how often for nothing, how soon for something",
        "Written by `python -m bench.alarms`, not by hand. Seeded: the same code gives the same figures.",
        f"{machine.processor}, {machine.cores} cores; {machine.python}; {libraries};"
        f" {hours:.1f} hours of cells. {' '.join(facts)}".strip(),
        f"![False alarms and delay by tool]({figure})" if figure else "",
        "## Goals",
        _GOALS,
        _table(("figure", "must", "measured", "met", "of"), map(_goal, judged)),
        *_section("False alarms where nothing changed", _QUIET, _quiet(summary)),
        *_section("Days exchanged within weekdays", _PER_THOUSAND, [series, legend] if series else []),
        *_section("Few columns, odd columns, a small baseline", _PER_THOUSAND, [narrow]),
        *_section("Power and delay at the matched rate", _POWERS, _powers(summary)),
        *_section("Kinds and strengths of change", _KINDS, [kinds]),
        *_section("Names", _NAMES, [named]),
        "## Method",
        METHOD,
        "## Not measured here",
        NOT_HERE,
    ]
    if summary.failed:
        parts.append("\n".join(f"- {name} could not be run: {why}." for name, why in summary.failed.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, says: str, parts: Sequence[str]) -> list[str]:
    """A section, if there is anything in it."""
    return [f"## {title}", says, *parts] if any(parts) else []


def _goal(goal: Goal) -> tuple[str, ...]:
    said = {True: "yes", False: "**no**", None: "not measured"}[goal.met]
    measured = "" if goal.measured is None else f"{goal.measured:.2f}"
    return goal.figure, f"{'≤' if goal.most else '≥'} {goal.must:g}", measured, said, goal.detail


def _tools(summary: Summary) -> list[str]:
    known = {each.tool for each in summary.calm} | {each.tool for each in summary.seen}
    return [tool for tool in TOOLS if tool in known]


def _ours(summary: Summary) -> list[str]:
    return [tool for tool in _tools(summary) if not TOOLS[tool].peer]


def _short(tool: str) -> str:
    return TOOLS[tool].says.removeprefix("rule: ")


def _quiet(summary: Summary) -> list[str]:
    parts = []
    for rows in SIZES:
        body = []
        for tool in _tools(summary):
            found = [summary.quiet("unchanged", table, rows, tool) for table in TABLES]
            if any(found):
                body.append((TOOLS[tool].says, *map(_calm, found), _windows(found)))
        if body:
            parts += [f"### Windows of {rows:,} rows", _table(("tool", *TABLES, "windows"), body)]
    return parts


def _calm(calm: Calm | None) -> str:
    if calm is None:
        return ""
    return f"{_rate(calm)}, any {100 * calm.any:.0f} %"


def _rate(calm: Calm | None) -> str:
    """A rate with its bound.

    >>> _rate(None)
    ''
    """
    if calm is None:
        return ""
    digits = 1 if calm.rate.per_thousand < 10 else 0
    return f"{calm.rate.per_thousand:,.{digits}f} ({calm.rate.upper:,.{digits}f})"


def _windows(found: Iterable[Calm | None]) -> str:
    counts = {calm.rate.of for calm in found if calm is not None}
    return " / ".join(f"{count:,}" for count in sorted(counts))


def _series(summary: Summary) -> Iterable[tuple[str, ...]]:
    for series in SERIES:
        found = [summary.quiet("exchanged", series, 0, tool) for tool in _ours(summary)]
        if any(found):
            yield series, *map(_rate, found)


def _narrow(summary: Summary) -> Iterable[tuple[str, ...]]:
    for table in NARROW:
        found = [summary.quiet("unchanged", table, 1_000, tool) for tool in _ours(summary)]
        if any(found):
            yield f"{NARROW[table].says} (n = 1,000)", *map(_rate, found)
    found = [summary.quiet("unchanged", "employment", 100, tool, baseline=1_000) for tool in _ours(summary)]
    if any(found):
        yield "employment, a baseline of 1,000 rows (n = 100)", *map(_rate, found)


def _powers(summary: Summary) -> list[str]:
    parts = []
    for rows in SIZES:
        body = []
        for tool in _tools(summary):
            found = [summary.power(table, rows, tool) for table in TABLES]
            cells = [_power(None if seen is None else seen.matched) for seen in found]
            streams = {str(seen.matched.streams) for seen in found if seen is not None and seen.matched}
            if any(cells):
                body.append((TOOLS[tool].says, *cells, " / ".join(sorted(streams))))
        if body:
            parts += [f"### Windows of {rows:,} rows", _table(("tool", *TABLES, "streams"), body)]
    return parts


def _power(power: Power | None) -> str:
    """Power and delay.

    >>> _power(Power(400, 0.612, 4.1))
    '.61 / 4.1'
    """
    if power is None:
        return ""
    return f"{power.at_once:.2f} / {power.delay:.1f}".removeprefix("0")


def _kinds(summary: Summary) -> Iterable[tuple[str, ...]]:
    for kind, how in KINDS.items():
        for strength in how.strengths:
            cells: list[str] = []
            for table in TABLES:
                own = summary.power(table, 1_000, WATCH, kind, strength)
                others = [
                    seen.matched
                    for tool in _tools(summary)
                    if not tool.startswith(WATCH)
                    and (seen := summary.power(table, 1_000, tool, kind, strength))
                    and seen.matched
                ]
                best = min(others, key=lambda power: power.delay, default=None)
                cells += [_power(None if own is None else own.matched), _power(best)]
            if any(cells):
                yield f"{kind} {strength:g}", *cells


def _names(summary: Summary) -> Iterable[tuple[str, ...]]:
    for tool in _tools(summary):
        cells: list[str] = []
        for table in TABLES:
            seen = summary.power(table, 1_000, tool)
            cells += ["", ""] if seen is None else [_named(seen.default_names), _named(seen.matched_names)]
        if any(cells):
            yield TOOLS[tool].says, *cells


def _named(naming: Naming | None) -> str:
    return "" if naming is None else f"{100 * naming.first:.0f} % / {100 * naming.precision:.0f} %"


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) if len(lines) > 2 else ""
