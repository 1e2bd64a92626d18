from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.service.ports import Ask


@dataclass
class Answer:
    """All that a source gave: rows as dicts, rejected rows by reason, textual columns, batch sizes."""

    rows: list[dict[str, Any]]
    rejected: dict[str, int]
    textual: set[str]
    sizes: list[int]


def answer_of(what: object, ask: Ask | None = None, **options: Any) -> Answer:
    source = what if hasattr(what, "batches") else open_source(what, **options)
    answer, rejected = Answer([], {}, set(), []), Counter[str]()
    for batch in source.batches(ask or Ask()):
        columns = [batch.column(name).to_pylist() for name in batch.names]
        values = zip(*columns, strict=True) if columns else [()] * batch.rows
        answer.rows += [dict(zip(batch.names, row, strict=True)) for row in values]
        answer.textual |= batch.textual
        answer.sizes.append(batch.rows)
        rejected.update(batch.rejected)
    answer.rejected = dict(rejected)
    return answer


@pytest.fixture
def read() -> Callable[..., Answer]:
    return answer_of
