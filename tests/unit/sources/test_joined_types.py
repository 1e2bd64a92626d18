from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.sources.joins import at, joined, lines, rows_of, table

from watchkeep.adapters.sources import open_source
from watchkeep.service.ports import Ask


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([1, None]),
        pa.array([2**64 - 1, 0], pa.uint64()),
        pa.array([0.1, -1e-300]),
        pa.array([np.inf, 1e16]),
        pa.array([0.1, 3.0], pa.float32()),
        pa.array([True, False]),
        pa.array([Decimal("1.10"), None]),
        pa.array(["a\nb", "é"], pa.large_string()),
        pa.array(["yes", "no"]),
    ],
    ids=lambda labels: str(labels.type),
)
def test_labels_keep_their_type_and_their_values(labels: pa.Array) -> None:
    source = joined(table(id=[1, 2]), table(id=[1, 2], y=labels))

    (batch,) = source.batches(Ask())

    assert batch.column("y").equals(labels)
    assert source.schema(Ask()).field("y").type == labels.type
    assert batch.textual == frozenset()


def test_dictionaries_and_times_come_back_plain() -> None:
    coded = joined(table(id=[1]), table(id=[1], y=pa.array(["a"]).dictionary_encode()))
    timed = joined(table(id=[1]), table(id=[1], y=pa.array([at("2024-01-19")])))

    assert rows_of(coded) == [{"id": 1, "y": "a"}]
    assert rows_of(timed)[0]["y"].startswith("2024-01-19 00:00:00")


def test_labels_of_csv_stay_texts_of_unknown_type(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,y\n1,yes\n2,1.0\n3,\n")
    source = joined(table(id=[1, 2, 3], y=[0, 0, 0]), open_source(path))

    (batch,) = source.batches(Ask())

    assert batch.column("y").to_pylist() == ["yes", "1.0", None]
    assert batch.textual == {"y"}
    assert source.schema(Ask()).field("y").metadata == {b"textual": b"1"}
    assert source.account().labels_without_value == 1


def test_labels_whose_files_differ_in_type_find_one_that_holds_all(tmp_path: Path) -> None:
    lines(tmp_path / "n" / "1.jsonl", {"id": 1, "y": 1})
    lines(tmp_path / "n" / "2.jsonl", {"id": 2, "y": 0.5}, {"id": 3})
    lines(tmp_path / "n" / "3.jsonl", {"id": 3, "y": None})
    numbers = joined(table(id=[1, 2, 3]), open_source(tmp_path / "n"))

    assert [row["y"] for row in rows_of(numbers)] == [1.0, 0.5, None]
    assert b"open" in (numbers.schema(Ask()).metadata or {})
    assert numbers.account().labels_without_value == 2

    lines(tmp_path / "n" / "4.jsonl", {"id": 3, "y": "none"})
    mixed = joined(table(id=[1, 2, 3]), open_source(tmp_path / "n"))

    (batch,) = mixed.batches(Ask())
    assert batch.column("y").to_pylist() == ["1", "0.5", "none"]
    assert batch.textual == {"y"}


@pytest.mark.parametrize(
    ("first", "then", "both"),
    [
        (pa.array([1], pa.int8()), pa.array([2.5], pa.float16()), pa.array([1, 2.5], pa.float64())),
        (pa.array(["a"]), pa.array(["b"], pa.large_string()), pa.array(["a", "b"], pa.large_string())),
        (pa.array([b"a"]), pa.array([None], pa.string()), pa.array(["a", None])),
        (pa.array([True]), pa.array([1]), pa.array(["true", "1"])),
    ],
    ids=lambda labels: str(labels.type),
)
def test_labels_of_two_types_become_one(first: pa.Array, then: pa.Array, both: pa.Array) -> None:
    labels = open_source([pa.table({"id": [1], "y": first}), pa.table({"id": [2], "y": then})])

    (batch,) = joined(table(id=[1, 2]), labels).batches(Ask())

    assert batch.column("y").equals(both)
    assert batch.textual == ({"y"} if first.type == pa.bool_() else set())


def test_nan_is_a_missing_label() -> None:
    source = joined(table(id=[1, 2]), table(id=[1, 2, 2], y=[np.nan, 1.5, np.nan]))

    assert [row["y"] for row in rows_of(source)] == [None, 1.5]
    assert source.account().labels_without_value == 2
