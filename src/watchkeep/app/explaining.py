"""What reading a source would take, told before any row is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from watchkeep.adapters.processes import FEWEST, Processes
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.adapters.sources.readers import Indexed
from watchkeep.adapters.sources.spool import Once
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.service.folding import FAN, Engine
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Ask, Source, parts_of
from watchkeep.service.reading import ask_of
from watchkeep.service.rows import Where, rows_of

MB: Final = 1_000_000


@dataclass(slots=True)
class Plan:
    """How a source would be read.

    Args:
        engine: who reads.
        source: what, for people.
        window: of which time.
        parts: that are read apart.
        at_a_time: how many of them; None where a cluster decides.
        files: of which they are made; with how many bytes, 0 where that is not known.
        rows: that the files say they hold; None where they do not say.
        groups: row groups of them, and how many of these need not be read for the window.
        outside: rows of those.
        decoded, left: columns that are decoded, and those that are not, by monitor.
        unreadable: files that cannot be read, and would be left out.
        notes: sentences on what else is done.
    """

    engine: str
    source: str
    window: Window
    parts: int
    at_a_time: int | None
    files: int = 0
    bytes: int = 0
    rows: int | None = 0
    groups: int = 0
    skipped: int = 0
    outside: int = 0
    decoded: dict[str, list[str]] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    unreadable: int = 0
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """The plan as JSON."""
        return {
            "engine": self.engine,
            "source": self.source,
            "window": self.window.document(),
            "parts": self.parts,
            "at_a_time": self.at_a_time,
            "files": self.files,
            "bytes": self.bytes,
            "rows": self.rows,
            **({"unreadable": self.unreadable} if self.unreadable else {}),
            "row_groups": {"all": self.groups, "outside": self.skipped, "rows_outside": self.outside},
            "columns": {
                name: {"decoded": columns, "not_decoded": self.left[name]}
                for name, columns in self.decoded.items()
            },
            "notes": self.notes,
        }


def plan_of(
    learned: Mapping[str, Learned],
    source: Source,
    roles: Roles,
    *,
    window: Window,
    engine: Engine,
) -> Plan:
    """How a window would be read to check it against baselines.

    Args:
        learned: the baselines, by name.
        source: the window's rows.
        roles: which column is what, where it is not as the baselines say.
        window: only rows of this time.
        engine: who reads.

    Raises:
        OptionError: a window was asked for, and no column holds times.
        SourceError: the source cannot be read.
    """
    first = next(iter(learned.values()))
    own = first.baseline.roles.under(roles)
    rows = rows_of(source.predictions if isinstance(source, JoinedSource) else source, own)
    if isinstance(rows.source if isinstance(rows, Where) else rows, Once):
        note = "It can be read only once: it is kept in a temporary file first, and read then."
        return Plan(engine.name, source.name, window, 1, None, rows=None, notes=[note])
    ask = ask_of(rows, own, window=window)
    parts = parts_of(rows, ask)
    at_a_time = max(1, min(engine.most, len(parts))) if isinstance(engine, Processes) else None
    if at_a_time is not None and (len(parts) < FEWEST or isinstance(source, JoinedSource)):
        at_a_time = 1
    plan = Plan(engine.name, source.name, window, len(parts), at_a_time)
    for file_source in map(_files, parts):
        if file_source is None:
            plan.rows = None
        else:
            _count(plan, file_source, ask)
    names = rows.schema(replace(ask, lenient=engine.skip)).names
    for name, one in learned.items():
        wanted = _wanted(one, roles)
        plan.decoded[name] = [column for column in names if column in wanted]
        plan.left[name] = [column for column in names if column not in wanted]
    if len(learned) > 1:
        plan.notes.append(f"The rows are read once for each of {len(learned)} monitors.")
    if isinstance(source, JoinedSource):
        plan.notes.append(
            "Predictions are read twice: for ids and times, then with the labels that were found."
        )
    if plan.unreadable:
        what = "1 file cannot" if plan.unreadable == 1 else f"{plan.unreadable:,} files cannot"
        plan.notes.append(f"{what} be read, and would be left out.")
    if isinstance(engine, Processes) and 1 < len(parts) < FEWEST and engine.most > 1:
        plan.notes.append(f"Parts are fewer than {FEWEST}: to start processes for them would take longer.")
    if len(parts) > FAN:
        plan.notes.append(f"What parts give is merged {FAN} at a time, in their order.")
    return plan


def _wanted(learned: Learned, roles: Roles) -> set[str]:
    own = learned.baseline.roles.under(roles)
    return {*learned.columns, *own.named()} - set(own.ignored)


def _files(part: Source) -> FileSource | None:
    while isinstance(part, Where):
        part = part.source
    return part if isinstance(part, FileSource) else None


def _count(plan: Plan, part: FileSource, ask: Ask) -> None:
    for file in part.files.members:
        told = part.told(file, ask)
        plan.files += 1 if file.groups is None or file.groups[0] == 0 else 0
        plan.bytes += (file.size or 0) if file.groups is None or file.groups[0] == 0 else 0
        if told is None:
            plan.unreadable += isinstance(part.reader, Indexed) and file.size != 0
            plan.rows = None
            continue
        plan.groups += told.groups
        plan.skipped += told.skipped
        plan.outside += told.outside
        plan.rows = None if plan.rows is None else plan.rows + told.rows


def _each(plan: Plan) -> str:
    """How large parts are, in words; empty where that is not known, or where there is but one."""
    if not plan.bytes or plan.parts < 2:
        return ""
    size = plan.bytes / MB / plan.parts
    return f", about {size:,.0f} MB each" if size >= 1 else ", less than 1 MB each"


def lines_of(plan: Plan) -> Sequence[tuple[str, str]]:
    """A plan for people: names and sentences."""
    who = plan.engine
    if plan.at_a_time is not None:
        who += ", in this process" if plan.at_a_time == 1 else f", {plan.at_a_time} processes"
    told = [f"{plan.files:,} file{'s' * (plan.files != 1)}"] if plan.files else []
    told += [f"{plan.bytes / MB:,.1f} MB"] if plan.bytes else []
    told += [f"{plan.rows:,} rows"] if plan.rows else []
    lines = [("Engine", who), ("Source", plan.source), ("", ", ".join(told))]
    lines.append(("Parts", f"{plan.parts:,}{_each(plan)}"))
    if plan.skipped:
        lines.append(
            (
                "Window",
                f"{plan.skipped:,} of {plan.groups:,} row groups ({plan.outside:,} rows) lie outside: not read",
            )
        )
    for name, columns in plan.decoded.items():
        left = plan.left[name]
        beside = f"; not decoded: {', '.join(left[:8])}" if left else ""
        beside += f" and {len(left) - 8} more" if len(left) > 8 else ""
        lines.append((name, f"{len(columns)} of {len(columns) + len(left)} columns decoded{beside}"))
    return [*(line for line in lines if line[1]), *(("", note) for note in plan.notes)]
