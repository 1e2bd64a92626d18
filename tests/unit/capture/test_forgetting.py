"""What is stored of one subject goes, wherever it is, and nothing else does."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios.world import watchkeep, write
from tests.unit.capture.stores import record, sealed, seen, segment

from watchkeep.adapters.captures.subjects import Subject
from watchkeep.capture.segment import Segment, blocks_of
from watchkeep.core.errors import OptionError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path


def forget(value: str, *options: str) -> Any:
    told = watchkeep("captures", "forget", "churn", "--id", value, "--patience", "0", "--json", *options)
    assert told.code in (0, 1, 3), told.err
    return told.document | {"code": told.code}


def rows_in(home: Path) -> list[dict[str, Any]]:
    tables = [pq.read_table(path, partitioning=None) for path in (home / "captures").rglob("*.parquet")]
    rows = pa.concat_tables(tables, promote_options="permissive").to_pylist()
    return sorted(rows, key=lambda row: (row["capture_event_id"], row["capture_row"]))


def everything(home: Path) -> bytes:
    """All bytes of a home, those of columns decoded."""
    whole = b""
    for path in home.rglob("*"):
        if path.suffix in (".parquet", ".old"):
            whole += repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
        elif path.is_file():
            whole += path.read_bytes()
    return whole


def test_records_of_an_inference_id_are_gone(home: Path) -> None:
    one = record("e1", [{"user": "ann"}, {"user": "bob"}], inference="order-1")
    other = record("e2", [{"user": "cyd"}], inference="order-12")
    third = record("e3", [{"user": "dan"}], hour=1, inference="order-1")
    store = sealed(home, [one], [other], [third])
    watchkeep("captures", "compact", "--older", "0")

    told = forget("order-1")

    assert (told["code"], told["records"], told["rows"], told["files"], told["left"]) == (0, 2, 3, 2, [])
    assert [row[0] for row in seen(store)] == ["e2"]
    assert b"order-1'" not in everything(home)
    assert b"ann" not in everything(home)  # in what compaction put aside, too
    assert forget("order-1")["records"] == 0
    assert forget("e2")["records"] == 1
    assert seen(store) == []


def test_a_row_goes_out_of_a_record_that_stays(home: Path) -> None:
    rows = [{"user": "ann", "age": 41}, {"user": "bob", "age": 7}, {"user": "ann", "age": 12}]
    store = sealed(home, [record("e1", rows, inference="i1"), record("e2", [{"user": "cyd", "age": 3}])])

    told = forget("ann", "--column", "user")

    assert (told["code"], told["records"], told["rows"], told["bodies_cut"], told["left"]) == (0, 0, 2, 2, [])
    first, other = rows_in(home)
    assert (first["capture_row"], first["capture_rows"], first["user"]) == (1, 3, "bob")
    assert json.loads(first["capture_input"]) == {"instances": [{"user": "bob", "age": 7}]}
    assert json.loads(first["capture_output"]) == {"predictions": [0.5]}
    assert json.loads(first["capture_flags"]) == dict.fromkeys(
        ("input", "output"), "without rows that were forgotten"
    )
    assert (other["user"], other["capture_flags"]) == ("cyd", None)
    assert b"ann" not in everything(home)
    assert len(seen(store)) == 2

    again = forget("7", "--column", "age")
    assert (again["records"], again["rows"]) == (1, 1)
    assert len(seen(store)) == 1


def test_a_body_out_of_which_no_row_can_be_cut_is_dropped(home: Path) -> None:
    body = json.dumps(
        {"data": {"names": ["user"], "tensor": {"shape": [2, 1], "values": [4711, 42]}}}
    ).encode()
    sealed(home, [record("e1", [{}, {}], given=body)])

    told = forget("4711", "--column", "user")

    assert (told["code"], told["bodies_cut"], told["bodies_dropped"], told["left"]) == (0, 1, 1, [])
    (row,) = rows_in(home)
    assert (row["user"], row["capture_input"]) == (42, None)
    assert json.loads(row["capture_flags"])["input"] == "dropped, as a row of it was forgotten"


def test_what_is_not_sealed_yet_is_forgotten_too(home: Path) -> None:
    folder = home / "segments"
    gone, kept = (
        record("e1", [{"user": "ann"}], inference="i1"),
        record("e2", [{"user": "ann"}, {"user": "bob"}]),
    )
    path = segment(folder, [gone, kept, record("e3", [{"user": "cyd"}])])
    before = blocks_of(path)[0][0].tallies
    left = Segment.new(folder)
    left.append([record("e4", [{"user": "ann"}])])
    left.abandon()
    (folder / "old.torn").write_bytes(b'half a record of "ann"')
    (folder / "other.torn").write_bytes(b"half a record of anna")

    told = forget("ann", "--column", "user")

    assert (told["code"], told["records"], told["rows"], told["torn"], told["waiting"]) == (0, 2, 3, 1, 0)
    assert blocks_of(path)[0][0].tallies == before  # they were asked, and nobody knows by whom
    assert b"ann" not in everything(home).replace(b"anna", b"")
    watchkeep("captures", "seal")
    assert [(row["capture_event_id"], row["user"]) for row in rows_in(home)] == [("e2", "bob"), ("e3", "cyd")]


def test_the_end_of_a_segment_that_is_no_record_is_cut_off_where_it_holds_the_value(home: Path) -> None:
    path = segment(home / "segments", [record("e1", [{"user": "bob"}])])
    whole = path.read_bytes()
    torn = whole[:-8].replace(b"bob", b"ann")
    assert b"ann" in torn
    path.write_bytes(whole + torn)

    assert forget("ann", "--column", "user")["code"] == 0
    assert path.read_bytes() == whole


def test_what_a_process_is_still_writing_is_told(home: Path) -> None:
    writing = Segment.new(home / "segments")
    writing.append([record("e1", [{"user": "ann"}], inference="i1")])

    told = forget("i1")

    assert (told["code"], told["waiting"], told["records"]) == (3, 1, 0)
    writing.close()
    assert forget("i1")["records"] == 1


def test_labels_go_with_the_records_they_are_about(home: Path) -> None:
    sealed(
        home,
        [
            record("e1", [{"user": "ann"}], inference="i1"),
            record("e2", [{"user": "bob"}, {"user": "ann"}], inference="i2"),
            record("e3", [{"user": "cyd"}], inference="i3"),
        ],
    )
    ids = ["i1", "i1\x1f0/2", "i2\x1f0/2", "i2\x1f1/2", "i3"]
    table = write(pa.table({"inferenceId": ids, "label": [1, 0, 1, 0, 1]}), home / "labels.parquet")
    assert watchkeep("labels", "churn", table).code == 0

    told = forget("ann", "--column", "user")

    assert told["labels"] == 3
    tables = [pq.read_table(path, partitioning=None) for path in (home / "labels").rglob("*.parquet")]
    left = [one for table in tables for one in table["inferenceId"].to_pylist()]
    assert sorted(left) == ["i2\x1f0/2", "i3"]


def test_labels_of_an_id_go_though_nothing_was_captured_of_it(home: Path) -> None:
    sealed(home, [record("e1", [{"user": "ann"}], inference="8.0")])
    table = write(pa.table({"inferenceId": ["8", "i9", "i1"], "label": [1, 0, 1]}), home / "labels.parquet")
    for endpoint in ("churn", "other"):
        assert watchkeep("labels", endpoint, table).code == 0

    assert [forget(value)["labels"] for value in ("i9", "8.0")] == [1, 1]
    told = watchkeep("captures", "forget", "other", "--id", "i9", "--patience", "0", "--json")
    assert (told.code, told.document["labels"]) == (0, 1)
    paths = (home / "labels").rglob("*.parquet")
    left = [one for path in paths for one in pq.ParquetFile(path).read()["inferenceId"].to_pylist()]
    assert sorted(left) == ["8", "i1", "i1"]


def test_a_value_in_labels_of_others_is_told(home: Path) -> None:
    sealed(home, [record("e1", [{"user": "ann"}], inference="i1")])
    table = write(pa.table({"inferenceId": ["i2"], "label": ["ann"]}), home / "labels.parquet")
    assert watchkeep("labels", "churn", table).code == 0

    told = forget("ann", "--column", "user")

    assert (told["code"], [(one["column"], one["rows"]) for one in told["left"]]) == (1, [("label", 1)])


def test_what_a_killed_writer_left_half_written_is_gone(home: Path) -> None:
    store = sealed(home, [record("e1", [{"user": "ann"}])])
    (path,) = store.rglob("*.parquet")
    partial = path.with_name(".0123.partial")
    partial.write_bytes(path.read_bytes())

    assert forget("ann", "--column", "user")["code"] == 0
    assert not partial.exists()

    partial.write_bytes(b"PAR1")
    os.utime(partial, (0, 0))
    assert watchkeep("captures", "expire", "--older", "1").code == 0
    assert not path.parent.exists()


def test_a_record_that_came_twice_loses_the_row_and_no_other(home: Path) -> None:
    one = record("e1", [{"user": "ann"}, {"user": "bob"}])
    sealed(home, [one, one], given=True)

    assert forget("ann", "--column", "user")["rows"] == 1
    assert [(row["user"], json.loads(row["capture_input"])) for row in rows_in(home)] == [
        ("bob", {"instances": [{"user": "bob"}]})
    ] * 2


def test_bytes_that_stand_elsewhere_are_told(home: Path) -> None:
    sealed(
        home,
        [
            record("e1", [{"user": "ann"}], inference="i1"),
            record("e2", [{"user": "bob", "friend": "likes ann a lot"}]),
            record("e3", [{"user": "joanna", "age": 41}]),
        ],
    )

    told = forget("ann", "--column", "user")

    assert (told["code"], told["records"]) == (1, 1)
    assert {(one["column"], one["rows"], *one["events"]) for one in told["left"]} == {
        ("friend", 1, "e2"),
        ("capture_input", 1, "e2"),
    }
    shown = watchkeep("captures", "forget", "churn", "--id", "ann", "--column", "user", "--patience", "0")
    assert "it still stands in 1 value of" in shown.out
    assert "records e2" in shown.out


@pytest.mark.parametrize("value", ["Ærø", "a/b", 'q"q', "ann@example.org"])
def test_values_are_found_however_they_are_spelled(home: Path, value: str) -> None:
    body = json.dumps({"instances": [{"user": value}]}).replace("/", "\\/").encode()
    plain = json.dumps({"note": value}, ensure_ascii=False).encode()
    latin = record("e2", [{}], given=b'{"note": "' + value.encode("latin-1") + b'"}')
    sealed(home, [record("e1", [{}], given=body)], [latin], [record("e3", [{}], given=plain)])

    told = forget(value, "--column", "user")

    assert told["records"] == 1
    assert {event for one in told["left"] for event in one["events"]} == {"e2", "e3"}


def test_imported_lines_that_spell_a_body_their_own_way_do_not_keep_it(home: Path, tmp_path: Path) -> None:
    tree = tmp_path / "in/churn/A/2024/01/19/18"
    tree.mkdir(parents=True)
    data = "ann,1\\nbob,2\\n".replace("n,", "\\u006e,")
    side = f'{{"observedContentType":"x/y","mode":"INPUT","data":"{data}","encoding":"CSV"}}'
    event = '{"eventId":"e1","inferenceTime":"2024-01-19T18:00:00Z"}'
    (tree / "x.jsonl").write_text(
        f'{{"captureData":{{"endpointInput":{side}}},"eventMetadata":{event},"eventVersion":"0"}}\n'
    )
    assert watchkeep("captures", "import", tmp_path / "in").code == 0

    told = forget("ann", "--column", "_c0")

    assert (told["code"], told["rows"], told["bodies_cut"], told["left"]) == (0, 1, 1, [])
    (row,) = rows_in(home)
    assert (row["_c0"], row["capture_input"], row["capture_spelling"]) == ("bob", b"bob,2\n", None)
    watchkeep("captures", "export", "churn", "--out", tmp_path / "out")
    (line,) = (tmp_path / "out/churn/A/2024/01/19/18/x.jsonl").read_text().splitlines()
    assert json.loads(line)["eventMetadata"]["eventId"] == "e1"


def test_what_cannot_be_meant_is_told(home: Path) -> None:
    sealed(home, [record("e1", [{"user": "ann"}])])

    for words, said in (
        (("churn", "--id", "x", "--column", "usr"), "did you mean 'user'"),
        (("chrn", "--id", "x"), "an endpoint that was captured: churn"),
        (("churn", "--id", " "), "--id"),
    ):
        told = watchkeep("captures", "forget", *words, "--patience", "0")
        assert told.is_one_sentence
        assert said in told.err
    with pytest.raises(OptionError):
        Subject("")


USER = st.sampled_from(["ann", "bob", "cyd"])
RECORDS = st.lists(st.lists(USER, min_size=1, max_size=4), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=3), st.booleans())
def test_exactly_the_rows_of_the_subject_go(
    tmp_path_factory: pytest.TempPathFactory, files: Sequence[Sequence[Sequence[str]]], unsealed: bool
) -> None:
    home = tmp_path_factory.mktemp("home")
    groups = [
        [
            record(f"e{n}-{m}", [{"user": user, "at": at} for at, user in enumerate(users)])
            for m, users in enumerate(several)
        ]
        for n, several in enumerate(files)
    ]
    (sealed if not unsealed else _segments)(home, *groups)
    options = ("--home", str(home), "--patience", "0", "--json")

    told = watchkeep("captures", "forget", "churn", "--id", "ann", "--column", "user", *options)
    watchkeep("captures", "seal", "--home", home)

    expected = [
        (f"e{n}-{m}", at, user)
        for n, several in enumerate(files)
        for m, users in enumerate(several)
        for at, user in enumerate(users)
        if user != "ann"
    ]
    if unsealed and not any(user == "ann" for several in files for users in several for user in users):
        assert told.code == 2  # nothing is stored of the endpoint, and nothing was found
    else:
        assert told.code == 0, (told.err, told.out)
    found = seen(home / "captures", ["user", "at"]) if expected else []
    assert sorted((event, at, user) for event, _, user, at in found) == expected
    if (home / "captures").exists():
        assert b"ann" not in everything(home)


def _segments(home: Path, *groups: Any) -> None:
    for records in groups:
        segment(home / "segments", records)


def test_a_value_is_not_part_of_a_longer_one() -> None:
    subject = Subject("7.5")

    assert all(map(subject.stands_in, (b"7.5", b'{"a":7.5}', b"7.5,")))
    assert not any(map(subject.stands_in, (b"17.5", b"7.55", b"7.5.1", b"x-7.5")))
    held = subject.held_in(pa.table({"capture_event_id": ["7.5", "7.50", None]}))
    assert np.flatnonzero(held).tolist() == [0]


def test_a_subject_that_never_was_is_told(home: Path) -> None:
    sealed(home, [record("e1", [{"user": "ann"}], inference="i1")])

    shown = watchkeep("captures", "forget", "churn", "--id", "i2", "--patience", "0")

    assert (shown.code, shown.out.strip()) == (
        0,
        "Nothing of i2 was found in what is kept of churn: nothing is deleted.",
    )
