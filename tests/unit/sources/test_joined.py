import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.capture.stores import HOUR, record, sealed
from tests.unit.sources.joins import at, joined, rejected_by, rows_of, table

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask

# What is joined


def test_every_prediction_comes_with_its_label_or_a_null(rooms: Path) -> None:
    source = joined(table(id=[1, 2, 3], p=[0.9, 0.2, 0.7]), table(id=[3, 1, 9], y=["a", "b", "c"]))

    assert rows_of(source) == [
        {"id": 1, "p": 0.9, "y": "b"},
        {"id": 2, "p": 0.2, "y": None},
        {"id": 3, "p": 0.7, "y": "a"},
    ]
    account = source.account()
    assert (account.predictions, account.matched, account.unmatched) == (3, 2, 1)
    assert (account.labels, account.unmatched_labels) == (3, 1)
    assert account.match_rate == 2 / 3
    assert account.delay is None
    assert list(rooms.iterdir()) == []


def test_the_joined_label_replaces_a_column_of_its_name_in_its_place() -> None:
    source = joined(table(id=[1, 2], y=["old", "old"], p=[0.1, 0.2]), table(id=[2], y=[True]))

    assert source.schema(Ask()).equals(
        pa.schema([("id", pa.int64()), ("y", pa.bool_()), ("p", pa.float64())])
    )
    assert rows_of(source) == [{"id": 1, "y": None, "p": 0.1}, {"id": 2, "y": True, "p": 0.2}]


def test_the_label_side_may_have_other_names() -> None:
    labels = table(case=[2], outcome=[0.5])
    source = joined(table(id=[1, 2]), labels, label="outcome", label_id="case", label_name="truth")

    assert rows_of(source) == [{"id": 1, "truth": None}, {"id": 2, "truth": 0.5}]
    assert source.schema(Ask()).names == ["id", "truth"]


def test_only_the_columns_asked_for_come_back(tmp_path: Path) -> None:
    csv = tmp_path / "p.csv"
    csv.write_bytes(b"id,p,note\n1,0.5,x\n2,0.6,\xff\n3,0.7,z\n")
    for predictions in (open_source(csv), table(id=["1", "2", "3"], p=["0.5", "0.6", "0.7"], note=[""] * 3)):
        source = joined(predictions, table(id=[3, 2], y=[1, 0]))

        found = rows_of(source, Ask(columns=["p", "y"]))
        assert found == [{"p": "0.5", "y": None}, {"p": "0.6", "y": 0}, {"p": "0.7", "y": 1}]
        assert rows_of(source, Ask(columns=["p"])) == [{"p": "0.5"}, {"p": "0.6"}, {"p": "0.7"}]


def test_rows_that_the_predictions_reject_do_not_move_the_labels(tmp_path: Path) -> None:
    csv = tmp_path / "p.csv"
    csv.write_bytes(b"id,note\n1,x\n2,\xff\n3,z\n4,a,b\n5,c\n")
    source = joined(open_source(csv), table(id=[1, 2, 3, 5], y=[10, 20, 30, 50]))

    assert [(row["id"], row["y"]) for row in rows_of(source)] == [("1", 10), ("3", 30), ("5", 50)]
    assert rejected_by(source) == {"not UTF-8": 1, "wrong number of fields": 1}
    assert source.account().unmatched_labels == 1


def test_columns_are_decoded_only_when_they_are_asked_for() -> None:
    loaded: list[str] = []

    class Watched:
        name = "watched"

        def schema(self, ask: Ask) -> pa.Schema:
            return pa.schema([("id", pa.int64()), ("big", pa.string())])

        def batches(self, ask: Ask) -> Iterator[Batch]:
            def load(name: str) -> pa.Array:
                loaded.append(name)
                return pa.array([1, 2])

            yield Batch(2, ("id", "big"), load)

    for batch in joined(Watched(), table(id=[1], y=[1])).batches(Ask()):
        batch.column("y")

    assert loaded == ["id"]


# Which label, which prediction


def test_the_last_label_by_arrival_wins_and_repeats_are_told_from_changes() -> None:
    labels = table(
        id=[1, 1, 1, 2, 2, 3, 3],
        y=["a", "b", "a", "c", "c", "d", "e"],
        seen=["2024-01-03", "2024-01-02", "2024-01-01", "2024-01-01", "2024-01-02", None, "2020-01-01"],
    )
    source = joined(table(id=[1, 2, 3]), labels, arrival="seen")

    assert [row["y"] for row in rows_of(source)] == ["a", "c", "e"]
    account = source.account()
    assert (account.labels, account.duplicate_labels, account.changed_labels) == (7, 2, 2)


def test_without_arrival_the_last_in_order_wins() -> None:
    source = joined(table(id=[1, 2]), table(id=[1, 2, 1], y=[0, 5, 1]))

    assert [row["y"] for row in rows_of(source)] == [1, 5]
    assert source.account().changed_labels == 1


def test_one_label_spelled_in_two_ways_is_a_repeat() -> None:
    labels = table(id=[1, 1, 1, 1, 2, 2], y=["true", "1.0", "1", "True", "false", "0.5"])
    source = joined(table(id=[1, 2]), labels)

    list(source.batches(Ask()))

    assert (source.account().duplicate_labels, source.account().changed_labels) == (3, 1)


def test_of_two_predictions_with_one_id_the_later_is_kept() -> None:
    times = [at("2024-01-02"), at("2024-01-01"), None, at("2024-01-01"), at("2024-01-01")]
    predictions = table(id=["1", "1", "1", "2", "2.0"], n=[1, 2, 3, 4, 5], t=pa.array(times))
    source = joined(predictions, table(id=[1, 2], y=["x", "y"]))

    by_time = rows_of(source, Ask(timestamp="t"))
    assert [(row["n"], row["y"]) for row in by_time] == [(1, "x"), (5, "y")]
    assert rejected_by(source, Ask(timestamp="t")) == {"duplicate id": 3}
    account = source.account()
    assert (account.predictions, account.duplicate_predictions, account.unmatched_labels) == (2, 3, 0)
    assert [(row["n"], row["y"]) for row in rows_of(source)] == [(3, "x"), (5, "y")]


def test_the_window_holds_for_predictions_and_labels_may_come_late() -> None:
    predictions = table(
        id=[1, 1, 2, 3], t=["2024-01-01", "2024-01-05", "2024-01-02", "never"], p=[1, 2, 3, 4]
    )
    labels = table(id=[1, 2, 3], y=[1, 2, 3], seen=["2024-03-01", "2024-03-02", "2024-03-03"])
    source = joined(predictions, labels, arrival="seen")
    ask = Ask(timestamp="t", window=Window.between("2024-01-01", "2024-01-03"))

    found = rows_of(source, ask)

    assert [(row["p"], row["y"]) for row in found] == [(1, 1), (3, 2)]
    assert rejected_by(source, ask) == {"timestamp is not a time": 1}
    assert source.account().unmatched_labels == 1
    narrow = Ask(columns=["y"], timestamp="t", window=Window.between("2024-01-02", None))
    assert rows_of(source, narrow) == [{"y": 1}, {"y": 2}]


# How long labels take


def test_delays_are_arrival_minus_event_time() -> None:
    seconds = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 5]
    count = len(seconds)
    predictions = table(id=list(range(count)), t=pa.array([1000] * (count - 1) + [None]))
    labels = table(id=list(range(count)), y=[1] * count, seen=[1000 - 60 + second for second in seconds])
    source = joined(predictions, labels, arrival="seen")

    list(source.batches(Ask(timestamp="t")))

    delay = source.account().delay
    assert delay is not None
    assert (delay.rows, delay.median, delay.p95, delay.max, delay.negative) == (10, -20, 30, 30, 6)
    list(source.batches(Ask()))
    assert source.account().delay is None


@pytest.mark.parametrize("id_", ["id", "inferenceId"])
@pytest.mark.parametrize("timestamp", [None, "at"])
def test_captured_records_know_their_event_time_whatever_joins_them(
    id_: str, timestamp: str | None, tmp_path: Path
) -> None:
    store = sealed(
        tmp_path, [record(f"e{at}", [{"id": f"o{at}", "x": "a"}], inference=f"o{at}") for at in (1, 2)]
    )
    came = dt.datetime.fromtimestamp(HOUR / 1e6 + 61, dt.UTC)
    labels = pa.table({"id": ["o1", "o2"], "label": [0, 1], "at": [came, came]})
    source = JoinedSource(
        open_source(f"captures:{store}#churn"),
        open_source(labels),
        id=id_,
        label="label",
        label_id="id",
        arrival="at",
    )
    assert sum(batch.rows for batch in source.batches(Ask(timestamp=timestamp))) == 2
    delay = source.account().delay
    assert delay is not None
    assert (delay.rows, delay.median, delay.max) == (2, 60, 60)
