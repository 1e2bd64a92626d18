import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.sources.joins import joined, table

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import (
    SourceError,
    UnreadableSourceError,
)
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask


def many(rows: int) -> tuple[pa.Table, pa.Table]:
    places = np.arange(rows)
    texts = [f"0b9f0a4c-6c1e-4d0a-{place:012d}-8d6b0f2e" for place in places.tolist()]
    shuffled = (
        places * 2_654_435_761
    ) % rows  # a permutation: the factor is prime, and no divisor of the rows
    ids = pa.array(texts)
    return pa.table({"id": ids}), pa.table({"id": ids.take(pa.array(shuffled)), "y": shuffled})


def test_a_join_that_outgrows_its_memory_goes_to_the_disk(rooms: Path) -> None:
    rows, memory = 1_000_000, 64 * 1024**2
    predictions, labels = many(rows)
    source = joined(open_source(predictions), open_source(labels), memory=memory)

    first = 0
    for batch in source.batches(Ask()):
        assert batch.column("y").equals(pa.array(np.arange(first, first + batch.rows)))
        first += batch.rows

    assert predictions.nbytes + labels.nbytes > memory
    assert first == source.account().matched == rows
    assert list(rooms.iterdir()) == []


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (64 * 1024, "cannot be written: File too large"),
        (
            28 * 1024**2,
            "64 MB of memory were not enough, and the rest could not be kept in .*: File too large",
        ),
    ],
    ids=["what is laid down", "what is spilled"],
)
def test_a_full_disk_is_one_clear_error(rooms: Path, most: int, said: str) -> None:
    predictions, labels = many(1_000_000)
    source = joined(open_source(predictions), open_source(labels), memory=64 * 1024**2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))  # no file may grow beyond this, as on a full disk
    try:
        with pytest.raises(SourceError, match=f"the join failed: .*{said}"):
            list(source.batches(Ask()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(rooms.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")

    with pytest.raises(SourceError, match="/nowhere/at/all cannot be written: No such file"):
        list(joined(table(id=[1]), table(id=[1], y=[1])).batches(Ask()))


def test_nothing_is_left_behind_by_a_reader_that_stops_or_fails(rooms: Path) -> None:
    source = joined(open_source(many(300_000)[0]), table(id=[1], y=[1]))

    for _ in source.batches(Ask()):
        break
    assert list(rooms.iterdir()) == []
    assert source.account().predictions == 300_000

    def fail() -> None:
        for _ in source.batches(Ask()):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(rooms.iterdir()) == []

    class Broken:
        name = "broken"

        def schema(self, ask: Ask) -> pa.Schema:
            return pa.schema([("id", pa.int64()), ("y", pa.int64())])

        def batches(self, ask: Ask) -> Iterator[Batch]:
            yield Batch.of(pa.table({"id": [1], "y": [1]}))
            raise UnreadableSourceError(self.name, why="it breaks off")

    for pair in ((Broken(), table(id=[1], y=[1])), (table(id=[1]), Broken())):
        with pytest.raises(UnreadableSourceError, match="broken: it breaks off"):
            list(joined(*pair).batches(Ask()))
    assert list(rooms.iterdir()) == []
