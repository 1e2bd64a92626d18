"""Finished cells, each in a file of its own that appears whole or not at all: what is kept is not measured again."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.alarms.cells import Cell
from bench.alarms.measure import Found, Quiet
from bench.measure import ROOT

VERSION = 1
"""Counted up when a cell's streams or a tool's readings change: what was kept before is measured again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished cell.

    Args:
        cell: which.
        seconds: it took.
        source: of Watchkeep when it ran, by its hash; empty where it took no part.
        quiet: unchanged streams by tool.
        found: changed streams by tool.
        why: why there are none; empty when there are.
    """

    cell: Cell
    seconds: float
    source: str
    quiet: Mapping[str, list[Quiet]]
    found: Mapping[str, list[Found]]
    why: str = ""


def save(folder: Path, kept: Kept) -> None:
    """Keep a finished cell."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "version": VERSION,
        "cell": kept.cell.document(),
        "seconds": round(kept.seconds, 1),
        "source": kept.source,
        "why": kept.why,
        "quiet": {tool: [asdict(each) for each in streams] for tool, streams in kept.quiet.items()},
        "found": {tool: [asdict(each) for each in streams] for tool, streams in kept.found.items()},
    }
    path = _path(folder, kept.cell)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(json.dumps(document, allow_nan=False, separators=(",", ":")), encoding="utf-8")
    part.replace(path)


def load(folder: Path, cell: Cell) -> Kept | None:
    """A cell if it has been finished, with as many streams and windows as are wanted now."""
    path = _path(folder, cell)
    if not path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["version"] != VERSION or document["cell"] != cell.document():
        return None
    return Kept(
        cell,
        document["seconds"],
        document["source"],
        _streams(document["quiet"], Quiet),
        _streams(document["found"], Found),
        document["why"],
    )


def _streams(document: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    return {tool: [kind.read(each) for each in streams] for tool, streams in document.items()}


@cache
def source() -> str:
    """A hash of Watchkeep's code, so that the page can say which cells are older than it."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _path(folder: Path, cell: Cell) -> Path:
    return folder / f"{cell.name}.json"
