"""Which commands are measured at which size."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.environments import PEERS, Peer, surroundings
from bench.files import CSV_ROWS, TINY_ROWS, Files, files
from bench.measure import Job

DECODES: Final = ("decode_columns", "decode_mapped", "decode_groups", "decode_threads", "decode_batches")
"""The ways to decode Parquet; the cheapest of them, measured anew each time, is the floor."""

PEER_ROWS: Final = 1_000_000
"""The most rows peers are asked for: beyond that they take hours, or more memory than there is."""

_COLUMNS = {"label": "label", "prediction": "prediction", "score": "score", "timestamp": "at", "id": "id"}

ROLES: Final = tuple(word for role, column in _COLUMNS.items() for word in (f"--{role}", column))
"""What the columns are, as `watchkeep baseline` is told."""

SEGMENTS: Final = (
    *(f"channel = 'channel-{at:04}'" for at in range(12)),
    "age < 30",
    "age >= 30 and age < 50",
    "age >= 65",
    "plan in ('plan-0001', 'plan-0002')",
    "normal_0 > 1",
    "normal_1 < -1 and age < 40",
    "active = true",
    "uniform_0 > 0.5 or visits > 5",
)
"""Twenty slices of the rows in which answers are measured apart."""

_JUDGED = frozenset({0, 1})  # completed, or completed with violations
_LARGE = 5_000_000
_MORE = 3
_DUCKDB_ROUNDS = (5, 2)  # of small and of large files: it takes many times what the others take


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are.

    Args:
        data: the folder of the generated files.
        scratch: a folder for what the commands write.
        peers: name of a peer to its interpreter; those that could not be installed are not in it.
    """

    data: Path
    scratch: Path
    peers: Mapping[str, Path]

    def baseline(self, rows: int) -> Path:
        """The saved baseline of a size."""
        return self.scratch / f"baseline-{rows}"

    def answers(self, rows: int) -> Path:
        """The saved baseline of the answers of a size."""
        return self.scratch / f"answers-{rows}"

    def report(self, rows: int) -> Path:
        """The saved report of a size."""
        return self.scratch / f"report-{rows}"


def watchkeep(*words: str) -> tuple[str, ...]:
    """The product's command: the installed script when there is one, as its users start it."""
    script = Path(sys.executable).with_name("watchkeep")
    if script.exists() and os.access(script, os.X_OK):
        return (str(script), *words)
    return (sys.executable, "-c", "import sys; from watchkeep.cli import main; sys.exit(main())", *words)


def preparations(place: Place, rows: int) -> list[Job]:
    """What must be there before a size is measured: its baseline and a report. It warms the disk's cache."""
    size = files(place.data, rows)
    return [
        Job(name="prepare baseline", command=_baseline(size.reference, str(place.baseline(rows)))),
        Job(name="prepare answers", command=_answers(size.reference, str(place.answers(rows)))),
        Job(
            name="prepare report",
            command=_check(place.baseline(rows), size.current, str(place.report(rows))),
            good=_JUDGED,
        ),
    ]


def jobs(place: Place, rows: int, *, peers: bool, limit: float) -> list[Job]:
    """All commands measured at a size, start-ups among them."""
    size, tiny = files(place.data, rows), files(place.data, TINY_ROWS)
    listed = [*_ours(place, size, tiny), *_duckdb(size, tiny)]
    if rows == CSV_ROWS:
        listed += _csv(place, size)
    if peers and rows <= PEER_ROWS:
        for peer in PEERS:
            if peer.name in place.peers:
                listed += _peer(peer, str(place.peers[peer.name]), size, limit)
    return listed


def rounds(rows: int, repeat: int) -> int:
    """How many rounds a size takes: more of small ones, whose commands take a second each and are noisier.

    >>> rounds(1_000_000, 5), rounds(10_000_000, 5)
    (15, 5)
    """
    return repeat if rows >= _LARGE else _MORE * repeat


def constants(place: Place, rows: int, *, hours: int) -> list[Job]:
    """What does not depend on the number of rows; `rows` names the report that is drawn."""
    draw = watchkeep("show", str(place.report(rows)), "--html", "{out}")
    return [
        Job(name="python, nothing imported", command=(sys.executable, "-c", "pass")),
        Job(name="import watchkeep", command=(sys.executable, "-c", "import watchkeep")),
        Job(name="watchkeep --help", command=watchkeep("--help")),
        Job(name="watchkeep show --html", command=draw, good=_JUDGED, writes=""),
        Job(name="hourly states", command=_module("hourly", str(hours), "100", "2000"), at_most=3),
    ]


def _ours(place: Place, size: Files, tiny: Files) -> list[Job]:
    """Watchkeep's commands, each beside the decode it is compared with: what slows one slows both."""
    saved = place.baseline(size.rows)
    start_check = Job(
        name="start of check", command=_check(saved, tiny.current), good=_JUDGED, writes="report.json"
    )
    start_answers = Job(
        name="start of answers",
        command=_check(place.answers(size.rows), tiny.current),
        good=_JUDGED,
        writes="report.json",
    )
    start_baseline = Job(
        name="start of baseline",
        command=_baseline(tiny.reference),
        side="reference",
        writes="statistics.json",
    )
    start_compare = Job(name="start of compare", command=_compare(tiny), side="both", good=_JUDGED)
    return [
        start_check,
        *_decodes("current", size.current),
        replace(start_check, name="check", command=_check(saved, size.current), start=start_check.name),
        start_answers,
        replace(
            start_answers,
            name="check of answers",
            command=_check(place.answers(size.rows), size.current),
            start=start_answers.name,
        ),
        Job(name="start of decode", command=_module("floors", DECODES[0], str(tiny.current))),
        replace(
            start_baseline, name="baseline", command=_baseline(size.reference), start=start_baseline.name
        ),
        *_decodes("reference", size.reference),
        start_baseline,
        start_compare,
        replace(start_compare, name="compare", command=_compare(size), start=start_compare.name),
    ]


def _decodes(side: str, path: Path) -> list[Job]:
    return [
        Job(
            name=f"{way} {side}",
            command=_module("floors", way, str(path)),
            start="start of decode",
            side=side,
        )
        for way in DECODES
    ]


def _duckdb(size: Files, tiny: Files) -> list[Job]:
    start = Job(name="start of DuckDB", command=_module("floors", "duckdb_aggregate", str(tiny.current)))
    few = _DUCKDB_ROUNDS[size.rows >= _LARGE]
    return [
        start,
        *(
            Job(
                name=way,
                command=_module("floors", way, str(size.current)),
                start=start.name,
                at_most=few,
            )
            for way in ("duckdb_aggregate", "duckdb_summarize")
        ),
    ]


def _csv(place: Place, size: Files) -> list[Job]:
    path = size.text(size.current)
    return [
        Job(
            name="decode_csv csv",
            command=_module("floors", "decode_csv", str(path)),
            start="start of decode",
            side="csv",
        ),
        Job(
            name="check of CSV",
            command=_check(place.baseline(size.rows), path),
            start="start of check",
            side="csv",
            good=_JUDGED,
            writes="report.json",
        ),
    ]


def _peer(peer: Peer, python: str, size: Files, limit: float) -> list[Job]:
    script, pair = (python, "-m", peer.module), (str(size.reference), str(size.current))
    start = Job(
        name=f"start of {peer.name}",
        command=script,
        side="both",
        at_most=1,
        limit=limit,
        environment=surroundings(peer),
    )
    return [start, replace(start, name=peer.name, command=(*script, *pair), start=start.name)]


def _module(name: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"bench.{name}", *words)


def _baseline(reference: Path, out: str = "{out}") -> tuple[str, ...]:
    return watchkeep("baseline", "data-quality", str(reference), "--out", out, *ROLES)


def _answers(reference: Path, out: str) -> tuple[str, ...]:
    segments = [word for rule in SEGMENTS for word in ("--segment", rule)]
    return watchkeep("baseline", "model-quality", str(reference), "--out", out, *ROLES, *segments)


def _check(baseline: Path, current: Path, out: str = "{out}") -> tuple[str, ...]:
    return watchkeep("check", str(baseline), str(current), "--out", out)


def _compare(size: Files) -> tuple[str, ...]:
    return watchkeep("compare", str(size.reference), str(size.current), *ROLES)
