"""What lies in the store is read as it was captured, whatever it is called, and whoever asked for it."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.capture.stores import HOUR, record, sealed, seen, segment

from watchkeep.adapters.captures.by_hour import ByHour
from watchkeep.adapters.captures.rows import Flattening
from watchkeep.adapters.captures.sealing import Sealer
from watchkeep.adapters.preprocessing import Script
from watchkeep.adapters.sources.scripted import scripted
from watchkeep.adapters.sources.stored.columns import TIME
from watchkeep.adapters.sources.stored.labels import folder_of
from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.adapters.state_files import open_shelf
from watchkeep.core.errors import StoreError
from watchkeep.frames.roles import Roles
from watchkeep.service.evenly import evenly
from watchkeep.service.ports import Ask


def test_ids_that_a_body_has_are_its_own(tmp_path: Path) -> None:
    plain, own = record("e1", [{"a": 1}], inference="i1"), {"inferenceId": "mine", "eventId": "x"}
    store = sealed(tmp_path, [plain], [record("e2", [own], inference="i2")])

    assert seen(store, ["inferenceId", "eventId"]) == [("e1", 0, "i1", "e1"), ("e2", 0, "mine", "x")]


def test_records_of_early_years_are_found(tmp_path: Path) -> None:
    early = record("e1", [{"a": 1}])._replace(time=-40_000_000_000_000_000)

    assert seen(sealed(tmp_path, [early]), ["a"]) == [("e1", 0, 1)]
    assert "label_date=0702-06-15/" in folder_of("churn", datetime(702, 6, 15, tzinfo=UTC))


def test_a_store_may_lie_anywhere(tmp_path: Path) -> None:
    assert len(seen(sealed(tmp_path / "a#b", [record("e1", [{"a": 1}])]))) == 1


def test_rows_that_a_script_makes_have_the_weights_of_their_records(tmp_path: Path) -> None:
    light = [record(f"l{at}", [{"a": 1}]) for at in range(400)]
    heavy = [record(f"h{at}", [{"a": 2}])._replace(weight=10.0) for at in range(50)]
    source = of_captures(f"captures:{sealed(tmp_path, [*light, *heavy])}#churn")
    script = Script("pre.py", "def preprocess_handler(record):\n    return record")

    for one in (source, scripted(source, script)):
        batches = [*evenly(one, Roles()).batches(Ask(columns=["a"]))]
        values = [value for batch in batches if batch.rows for value in batch.column("a").to_pylist()]
        assert values.count(2) == 50
        assert 20 <= values.count(1) <= 60  # of 400, one of ten stays


def test_a_segment_that_cannot_be_sealed_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = segment(tmp_path / "segments", [record("odd", [{"a": 1}])])
    segment(tmp_path / "segments", [record("e1", [{"a": 1}])])
    table = Flattening.table

    def fails(self: Flattening, records: object) -> object:
        if records.texts["event_id"] == ["odd"]:  # type: ignore[attr-defined]
            raise KeyError("nobody thought of it")
        return table(self, records)  # type: ignore[arg-type]

    monkeypatch.setattr(Flattening, "table", fails)
    sealer = Sealer(tmp_path / "segments", open_shelf(tmp_path / "captures"))

    with pytest.raises(StoreError, match="nobody thought of it"):
        sealer.seal()
    assert [path.name for path in (tmp_path / "segments").iterdir()] == [odd.name]
    monkeypatch.undo()
    assert sealer.seal().records == 1
    assert [row[0] for row in seen(tmp_path / "captures")] == ["e1", "odd"]


def test_rows_of_many_hours_are_put_apart_in_their_order() -> None:
    hours = [3, 1, 3, 2, 1, 3]
    times = pa.array([HOUR + hour * 3_600_000_000 + at for at, hour in enumerate(hours)])
    table = pa.table({TIME: times.cast(pa.timestamp("us", tz="UTC")), "at": list(range(6))})

    with ByHour(memory=1) as by_hour:
        by_hour.add(table)
        by_hour.add(table.slice(0, 1))
        found = [own.column("at").to_pylist() for _, own in by_hour.tables()]

    assert found == [[1, 4], [3], [0, 2, 5, 0]]
