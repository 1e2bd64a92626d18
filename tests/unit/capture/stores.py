"""Stores of captures for tests: records sealed into a folder, and what a reader sees of them."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from watchkeep.adapters.captures.sealing import Sealer
from watchkeep.adapters.sources.stored.columns import EVENT_ID, ROW
from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.adapters.state_files import open_shelf
from watchkeep.capture.record import Inference
from watchkeep.capture.segment import Segment
from watchkeep.capture.traffic import Tallies
from watchkeep.service.ports import Ask

HOUR = 1_700_000_000_000_000 // 3_600_000_000 * 3_600_000_000
"""Microseconds since 1970."""


def record(
    event: str,
    rows: Sequence[dict[str, Any]],
    *,
    hour: int = 0,
    inference: str = "",
    given: bytes | None = None,
) -> Inference:
    body = json.dumps({"instances": rows}).encode() if given is None else given
    answer = json.dumps({"predictions": [0.5] * len(rows)}).encode()
    kinds = "application/json", "application/json"
    time = HOUR + hour * 3_600_000_000 + 1_000_000
    return Inference("churn", "A", event, inference, time, 5, 1, 200, 1.0, "", "", *kinds, body, answer)


def segment(folder: Path, records: Sequence[Inference], *, given: bool = False) -> Path:
    """A complete segment."""
    tallies = Tallies()
    tallies.count(records)
    one = Segment.new(folder)
    one.append(records, tallies.documents(), given=given)
    path = one.close()
    assert path is not None
    return path


def sealed(home: Path, *several: Sequence[Inference], given: bool = False) -> Path:
    """Records sealed into the store of a home, each group of them into files of its own."""
    for records in several:
        segment(home / "segments", records, given=given)
        Sealer(home / "segments", open_shelf(home / "captures")).seal()
    return home / "captures"


def seen(store: Path, columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """What `captures:` gives of the endpoint: event, row and some columns, in order of these."""
    source = of_captures(f"captures:{store}#churn")
    found: list[tuple[Any, ...]] = []
    for batch in source.batches(Ask(columns=[EVENT_ID, ROW, *columns])):
        if not batch.rows:
            continue
        arrays = [
            batch.column(name).to_pylist() if name in batch.names else [None] * batch.rows
            for name in (EVENT_ID, ROW, *columns)
        ]
        found += zip(*arrays, strict=True)
    return sorted(found, key=lambda row: row[:2])


def queried(query: str) -> list[tuple[Any, ...]]:
    """What DuckDB answers, on a connection of its own."""
    with duckdb.connect() as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def files(store: Path) -> Counter[str]:
    """How many files of which kind there are."""
    names = [path.name for path in store.rglob("*") if path.is_file()]
    kinds = {".parquet": "records", ".old": "aside", ".json": "counts"}
    return Counter(
        "sidecars" if name.startswith("_replaced-") else kinds[Path(name).suffix]
        for name in names
        if name not in ("_captures.json", "_imported.json")
    )
