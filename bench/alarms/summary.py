"""Figures of all finished cells: what the page and its figure show, and the document beside them holds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.alarms.cells import Cell
from bench.alarms.keep import Kept
from bench.alarms.measure import (
    Found,
    Naming,
    Power,
    Quiet,
    Rate,
    any_alarm,
    false_alarms,
    matched_limit,
    naming,
    power,
)
from bench.alarms.readings import TOOLS


@dataclass(frozen=True, slots=True)
class Calm:
    """A tool where nothing changed.

    Args:
        cell: where.
        tool: a key of `TOOLS`.
        rate: of false alarms.
        any: the share of streams with one or more.
        streams: how many.
        limit: at which a fifth of the streams ring; None with too few.
    """

    cell: Cell
    tool: str
    rate: Rate
    any: float
    streams: int
    limit: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A tool where something changed.

    Args:
        cell: where.
        tool: a key of `TOOLS`.
        kind, strength: of the change; None for all together.
        matched: at the limit at which a fifth of unchanged streams ring; None when that is not known.
        default: at the tool's own limit.
        matched_names, default_names: whom it names.
    """

    cell: Cell
    tool: str
    kind: str | None
    strength: float | None
    matched: Power | None
    default: Power | None
    matched_names: Naming | None
    default_names: Naming | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that was found.

    Args:
        calm: one per tool and cell without a change.
        seen: one per tool, cell, kind and strength, and one over all kinds.
        failed: cells that could not be run, with the reason.
        seconds: that all cells took.
        sources: hashes of the code that was measured.
    """

    calm: tuple[Calm, ...]
    seen: tuple[Seen, ...]
    failed: Mapping[str, str]
    seconds: float
    sources: frozenset[str]

    def quiet(self, part: str, table: str, rows: int, tool: str, *, baseline: int = 10_000) -> Calm | None:
        """The figures of a tool in an unchanged cell, if it has any."""
        wanted = (part, table, rows, baseline, tool)
        return next((each for each in self.calm if (*_place(each.cell), each.tool) == wanted), None)

    def power(
        self, table: str, rows: int, tool: str, kind: str | None = None, strength: float | None = None
    ) -> Seen | None:
        """The figures of a tool in a changed cell, if it has any."""
        wanted = (table, rows, tool, kind, strength)
        found = (
            each
            for each in self.seen
            if (each.cell.table, each.cell.rows, each.tool, each.kind, each.strength) == wanted
        )
        return next(found, None)

    def document(self) -> dict[str, object]:
        """The form it takes in JSON."""
        return {
            "calm": [_calm_document(each) for each in self.calm],
            "seen": [{**asdict(each), "cell": each.cell.name} for each in self.seen],
            "failed": dict(self.failed),
            "seconds": round(self.seconds),
            "sources": sorted(self.sources),
        }


def summarised(kept: Sequence[Kept]) -> Summary:
    """The figures of finished cells."""
    calm = tuple(_calm(each.cell, tool, streams) for each in kept for tool, streams in each.quiet.items())
    limits = {(*_place(each.cell), each.tool): each.limit for each in calm}
    seen: list[Seen] = []
    for each in kept:
        for tool, streams in each.found.items():
            _, table, rows, baseline = _place(each.cell)
            seen += _seen(each.cell, tool, streams, limits.get(("unchanged", table, rows, baseline, tool)))
    return Summary(
        calm,
        tuple(seen),
        {each.cell.name: each.why for each in kept if each.why},
        sum(each.seconds for each in kept),
        frozenset(each.source for each in kept if each.source),
    )


def _place(cell: Cell) -> tuple[str, str, int, int]:
    return cell.part, cell.table, cell.rows, cell.baseline


def _calm(cell: Cell, tool: str, streams: Sequence[Quiet]) -> Calm:
    return Calm(cell, tool, false_alarms(streams), any_alarm(streams), len(streams), matched_limit(streams))


def _seen(cell: Cell, tool: str, streams: Sequence[Found], limit: float | None) -> list[Seen]:
    groups: dict[tuple[str | None, float | None], list[Found]] = {(None, None): list(streams)}
    for each in streams:
        groups.setdefault((each.kind, None), []).append(each)
        groups.setdefault((each.kind, each.strength), []).append(each)
    own = TOOLS[tool].limit
    return [
        Seen(
            cell,
            tool,
            kind,
            strength,
            matched=None if limit is None else power(group, limit),
            default=power(group, own),
            matched_names=None if limit is None else naming(group, limit),
            default_names=naming(group, own),
        )
        for (kind, strength), group in groups.items()
    ]


def _calm_document(calm: Calm) -> dict[str, object]:
    return {
        "cell": calm.cell.name,
        "tool": calm.tool,
        "rings": calm.rate.count,
        "windows": calm.rate.of,
        "per_thousand": calm.rate.per_thousand,
        "upper": calm.rate.upper,
        "any": calm.any,
        "streams": calm.streams,
        "matched_limit": calm.limit,
    }
