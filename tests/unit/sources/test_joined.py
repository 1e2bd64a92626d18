import builtins
import json
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.adapters.sources.keys import key_texts
from watchkeep.core.errors import (
    MissingColumnError,
    MissingExtraError,
    SourceError,
    UnreadableSourceError,
    WatchkeepError,
)
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Source

EVENTS = ("inferenceId", "eventId", "inferenceTime")


@pytest.fixture(autouse=True)
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary files go to; its name would be a pattern and a quote to a careless database."""
    path = tmp_path / "it's [a] room*"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


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


# Ids


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7, 8]),
        pa.array([7, 8], pa.uint8()),
        pa.array([7.0, 8.0]),
        pa.array([7.0, 8.0], pa.float32()),
        pa.array([7.0, 8.0], pa.float16()),
        pa.array([Decimal("7.00"), Decimal("8.00")]),
        pa.array(["7", "8"]),
        pa.array(["7.0", "8"]),
        pa.array(["7", "8"], pa.string_view()),
        pa.array(["7", "8"]).dictionary_encode(),
        pa.array([b"7", b"8"]),
    ],
    ids=lambda ids: f"{ids.type} {ids[0]}",
)
def test_ids_of_different_types_match_when_they_are_equal_as_text(ids: pa.Array) -> None:
    labels = pa.array(["seven", "eight"])
    for other in (pa.array([7, 8]), pa.array(["7", "8"]), pa.array([7.0, 8.0])):
        assert [row["y"] for row in rows_of(joined(table(id=other), table(id=ids, y=labels)))] == [
            "seven",
            "eight",
        ]


def test_ids_that_only_look_alike_do_not_match() -> None:
    ids = ["07", " 7", "7 ", "7.5", "+7", "7e0", "é", "E", "null"]
    labels = table(id=["7", "e\u0301", "e", "NULL"], y=[1, 2, 3, 4])

    assert {row["y"] for row in rows_of(joined(table(id=ids), labels))} == {None}


def test_hostile_ids_are_ids_like_any_other() -> None:
    ids = [
        "'; DROP TABLE labels; --",
        '"',
        "a\nb\r\n",
        "\x00",
        "a\x00b",
        "😀",
        "\u202e",
        "%s{}",
        "x" * 100_000,
    ]
    predictions = table(id=[*ids, "", None])
    source = joined(predictions, table(id=[*reversed(ids), "", None], y=list(range(len(ids) + 2))))

    assert [row["y"] for row in rows_of(source)] == [*reversed(range(len(ids))), None, None]
    assert source.account().labels_without_id == 2
    assert source.account().predictions_without_id == 2
    assert source.account().unmatched == 2


def test_bytes_that_are_no_text_are_ids_too() -> None:
    ids = pa.array([b"\xff\x00", b"\xfe", b"ok"])
    unsound = pa.array([b"\xff", b"\xfe"]).view(pa.string())

    assert len(rows_of(joined(table(id=ids), table(id=ids, y=[1, 2, 3])))) == 3
    assert [row["y"] for row in rows_of(joined(table(id=ids), table(id=ids, y=[1, 2, 3])))] == [1, 2, 3]
    assert [
        batch.column("y").to_pylist()
        for batch in joined(table(id=unsound), table(id=ids, y=[1, 2, 3])).batches(Ask())
    ] == [[None, 2]]


def test_a_number_that_is_none_is_no_id() -> None:
    ids = pa.array([np.nan, 0.5, -0.0, 1e300, np.inf, None])

    assert key_texts(ids, column="id", source="x").to_pylist() == [None, "0.5", "0", "1e+300", "inf", None]


def test_rows_without_an_id_are_kept_and_have_no_label() -> None:
    source = joined(table(id=[None, 1, None], p=[1, 2, 3]), table(id=[1], y=[1]))

    assert [row["p"] for row in rows_of(source)] == [1, 2, 3]
    assert rejected_by(source) == {}
    assert source.account().predictions_without_id == 2


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


# Types of labels


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


# SageMaker


def truth(event: str | None, data: object, encoding: str | None = "CSV") -> dict[str, object]:
    ground = {"data": data} | ({"encoding": encoding} if encoding else {})
    return {"groundTruthData": ground, "eventMetadata": {"eventId": event}, "eventVersion": "0"}


def capture(event: str, inference: str | None, time: str, body: str) -> dict[str, object]:
    metadata = {"eventId": event, "inferenceTime": time} | ({"inferenceId": inference} if inference else {})
    side = {"observedContentType": "text/csv", "mode": "OUTPUT", "encoding": "CSV", "data": body}
    return {"captureData": {"endpointOutput": side}, "eventMetadata": metadata, "eventVersion": "0"}


@pytest.mark.parametrize("id_", ["inferenceId", "eventId"])
def test_captures_meet_their_ground_truth(tmp_path: Path, id_: str) -> None:
    hour = Path("2024/01/19/18")
    lines(
        tmp_path / "captures" / hour / "a.jsonl",
        capture("e1", "i1", "2024-01-19T18:20:00Z", "0.1"),
        capture("e2", None, "2024-01-19T18:30:00Z", "0.2"),
        capture("e3", "i3", "2024-01-19T18:40:00Z", "0.3"),
    )
    lines(tmp_path / "labels" / hour / "z.jsonl", truth("i1", "0"), truth("e3", "5"))
    lines(
        tmp_path / "labels" / "2024/01/19/20" / "a.jsonl",
        truth("i1", "1\n"),
        truth("e2", "[0]", "JSON"),
        truth(None, "1"),
        truth("e9", "[1, 0]", "JSON"),
    )
    source = JoinedSource(
        open_source(tmp_path / "captures"), open_source(tmp_path / "labels"), id=id_, label="churned"
    )

    assert rows_of(source) == [
        {"_c0": "0.1", "churned": "1"},
        {"_c0": "0.2", "churned": "0"},
        {"_c0": "0.3", "churned": None},
    ]
    account = source.account()
    assert (account.matched, account.changed_labels, account.unmatched_labels) == (2, 1, 1)
    assert (account.labels_without_id, account.labels_without_value) == (1, 1)
    assert account.delay is not None
    assert (account.delay.median, account.delay.max) == (90 * 60, 100 * 60)
    assert source.schema(Ask()).field("churned").metadata == {b"textual": b"1"}
    with_ids = rows_of(source, Ask(columns=["_c0", "churned", *EVENTS]))
    assert with_ids[1]["eventId"] == "e2"
    assert with_ids[1]["churned"] == "0"
    later = Ask(window=Window.between("2024-01-19T18:30:00Z", None))
    assert rows_of(source, later) == [{"_c0": "0.2", "churned": "0"}, {"_c0": "0.3", "churned": None}]


@pytest.mark.parametrize(
    ("data", "encoding", "label"),
    [
        ("1", "CSV", "1"),
        (" yes \r\n", "CSV", "yes"),
        ('"a,b"', "CSV", "a,b"),
        ("1", None, "1"),
        ("0.5", "JSON", "0.5"),
        ("true", "json", "true"),
        ('["yes"]', "JSON", "yes"),
        ('"\\ud800"', "JSON", "?"),
        (1, "JSON", "1"),
        ([2.0], "JSON", "2.0"),
        ("1,0", "CSV", None),
        ("1\n0", "CSV", None),
        ("", "CSV", None),
        ("null", "JSON", None),
        ("[]", "JSON", None),
        ('{"y": 1}', "JSON", None),
        ("{broken", "JSON", None),
        ("[" * 100_000, "JSON", None),
        ("MQ==", "BASE64", None),
        ("x" * 200_000, "CSV", None),
    ],
)
def test_labels_of_ground_truth_are_one_value(
    tmp_path: Path, data: object, encoding: str | None, label: str | None
) -> None:
    rows = lines(tmp_path / "a.jsonl", truth("1", data, encoding))
    others = lines(tmp_path / "b.jsonl", truth("2", "7"), truth("3", "[8]", "JSON"))
    source = joined(table(id=["1", "2", "3"]), open_source([rows, others]))

    assert [row["y"] for row in rows_of(source)] == [label, "7", "8"]
    assert source.account().labels_without_value == (label is None)


def test_folders_that_are_no_hours_say_nothing_of_arrival(tmp_path: Path) -> None:
    lines(tmp_path / "2024/02/30/10" / "a.jsonl", truth("1", "1"))
    source = joined(table(id=["1"], t=["2024-01-01"]), open_source(tmp_path))

    list(source.batches(Ask(timestamp="t")))

    assert source.account().delay is None


def test_a_label_of_the_hour_of_its_event_has_no_negative_delay(tmp_path: Path) -> None:
    lines(tmp_path / "labels" / "2024/01/19/18" / "a.jsonl", truth("1", "1"), truth("2", "1"))
    predictions = table(id=["1", "2"], t=["2024-01-19T18:59:59Z", "2024-01-19T19:00:00Z"])
    source = joined(predictions, open_source(tmp_path / "labels"))

    list(source.batches(Ask(timestamp="t")))

    delay = source.account().delay
    assert delay is not None
    assert (delay.median, delay.max, delay.negative) == (-3600, 0, 1)


def test_a_column_of_arrival_outweighs_the_hours_of_the_folders(tmp_path: Path) -> None:
    early, late = {"id": 1, "y": "early", "seen": "2024-01-02"}, {"id": 1, "y": "late", "seen": "2024-01-01"}
    lines(tmp_path / "2024/01/19/18" / "a.jsonl", early)
    lines(tmp_path / "2024/01/19/19" / "a.jsonl", late)
    labels = [open_source(tmp_path / "2024/01/19/19"), open_source(tmp_path / "2024/01/19/18")]

    for source in (open_source(tmp_path), open_source([str(part.name) for part in labels])):
        assert rows_of(joined(table(id=[1]), source)) == [{"id": 1, "y": "late"}]
        assert rows_of(joined(table(id=[1]), source, arrival="seen")) == [{"id": 1, "y": "early"}]


# Bad input


def test_a_column_that_is_nowhere_is_named(tmp_path: Path) -> None:
    good, labels = table(id=[1], p=[0.5]), table(id=[1], y=[1])
    text = open_source(lines(tmp_path / "x.jsonl", {"uid": 1, "z": 2}))

    for predictions, truths, options, missing in [
        (table(idd=[1]), labels, {}, "'id'"),
        (text, labels, {}, "'id'"),
        (good, table(uid=[1], y=[1]), {}, "'id'"),
        (good, labels, {"label": "Y"}, "'Y'"),
        (good, text, {"label_id": "uid"}, "'y'"),
        (good, labels, {"label_id": "uid"}, "'uid'"),
        (good, labels, {"arrival": "seen"}, "'seen'"),
        (good, labels, {"id": "eventId"}, "'eventId'"),
    ]:
        with pytest.raises(MissingColumnError, match=missing):
            list(joined(predictions, truths, **options).batches(Ask()))


def test_no_labels_at_all_leave_every_row_unmatched(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.jsonl").touch()
    (tmp_path / "labels" / "b.jsonl").touch()
    header = tmp_path / "labels.csv"
    header.write_text("id,y\n")
    empty = pa.table({"id": pa.array([], pa.int64()), "y": pa.array([], pa.int64())})

    for labels in (open_source(empty), open_source(tmp_path / "labels"), open_source(header)):
        source = joined(table(id=[1, 2]), labels)

        assert rows_of(source) == [{"id": 1, "y": None}, {"id": 2, "y": None}]
        assert "y" in source.schema(Ask()).names
        assert (source.account().labels, source.account().unmatched) == (0, 2)


def test_labels_that_are_all_missing_or_all_of_others_leave_every_row_unmatched() -> None:
    nulls = table(id=[1, 2], y=pa.nulls(2))
    others = table(id=["x", "y"], y=[1, 2])

    for labels, expected in ((nulls, (2, 0)), (others, (0, 2))):
        source = joined(table(id=[1, 2]), labels)
        assert [row["y"] for row in rows_of(source)] == [None, None]
        account = source.account()
        assert (account.labels_without_value, account.unmatched_labels) == expected
        assert account.match_rate == 0


def test_no_predictions_at_all() -> None:
    source = joined(table(id=pa.array([], pa.int64())), table(id=[1], y=[1]))

    assert rows_of(source) == []
    assert source.account().unmatched_labels == 1
    assert source.account().match_rate != 0


def test_lines_of_labels_that_are_none_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": 1, "y": 1}\nbroken\n')
    source = joined(table(id=[1]), open_source(path))

    assert rows_of(source) == [{"id": 1, "y": 1}]
    assert source.account().rejected_labels == {"not JSON": 1}


def test_ids_and_labels_that_are_lists_are_refused() -> None:
    lists = pa.array([[1], [2]])

    for predictions, labels in (
        (table(id=lists), table(id=[1], y=[1])),
        (table(id=[1]), table(id=lists, y=[1, 2])),
        (table(id=[1]), table(id=[1, 2], y=lists)),
    ):
        with pytest.raises(UnreadableSourceError, match="list<"):
            list(joined(predictions, labels).batches(Ask()))


def test_the_account_of_what_was_not_read_is_an_error() -> None:
    source = joined(table(id=[1]), table(id=[1], y=[1]))

    with pytest.raises(WatchkeepError, match="not read yet"):
        source.account()


def test_predictions_that_change_between_the_two_reads_are_an_error() -> None:
    for sizes in ((3, 2), (3, 4)):
        tables = [pa.table({"id": list(range(size))}) for size in sizes]

        class Changing:
            name = "changing"
            opened = tables

            def schema(self, ask: Ask) -> pa.Schema:
                return self.opened[0].schema

            def batches(self, ask: Ask) -> Iterator[Batch]:
                yield Batch.of(self.opened.pop(0) if len(self.opened) > 1 else self.opened[0])

        with pytest.raises(UnreadableSourceError, match="changed while"):
            list(joined(Changing(), table(id=[1], y=[1])).batches(Ask()))


def test_without_duckdb_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, rooms: Path) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[sql\]'"):
        list(joined(table(id=[1]), table(id=[1], y=[1])).batches(Ask()))
    assert list(rooms.iterdir()) == []


# Memory and disk


def many(rows: int) -> tuple[pa.Table, pa.Table]:
    places = np.arange(rows)
    texts = [f"0b9f0a4c-6c1e-4d0a-{place:012d}-8d6b0f2e" for place in places.tolist()]
    shuffled = (
        places * 2_654_435_761
    ) % rows  # a permutation: the factor is prime, and no divisor of the rows
    ids = pa.array(texts)
    return pa.table({"id": ids}), pa.table({"id": ids.take(pa.array(shuffled)), "y": shuffled})


def test_a_join_that_outgrows_its_memory_goes_to_the_disk(rooms: Path) -> None:
    rows, memory = 500_000, 32 * 1024**2
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
            24 * 1024**2,
            "32 MB of memory were not enough, and the rest could not be kept in .*: File too large",
        ),
    ],
    ids=["what is laid down", "what is spilled"],
)
def test_a_full_disk_is_one_clear_error(rooms: Path, most: int, said: str) -> None:
    predictions, labels = many(500_000)
    source = joined(open_source(predictions), open_source(labels), memory=32 * 1024**2)
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
