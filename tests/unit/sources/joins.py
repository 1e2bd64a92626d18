"""Helpers of the tests of joins: sources from values, and what they give."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.service.ports import Ask, Source


def table(**columns: Any) -> Source:
    return open_source(pa.table(columns))


def joined(predictions: Source, labels: Source, **options: Any) -> JoinedSource:
    return JoinedSource(predictions, labels, **{"id": "id", "label": "y", **options})


def rows_of(source: Source, ask: Ask | None = None) -> list[dict[str, Any]]:
    found = []
    for batch in source.batches(ask or Ask()):
        columns = [batch.column(name).to_pylist() for name in batch.names]
        assert all(len(column) == batch.rows for column in columns)
        found += [dict(zip(batch.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


def rejected_by(source: Source, ask: Ask | None = None) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for batch in source.batches(ask or Ask()):
        counts.update(batch.rejected)
    return dict(counts)


def lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
