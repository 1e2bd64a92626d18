"""Labels that are told bit by bit: kept, sealed once, compacted, forgotten."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capture.stores import HOUR, queried, record, sealed, segment

from watchkeep.adapters.captures.compacting_labels import compact_labels
from watchkeep.adapters.captures.label_segments import Label, LabelSealer, told_labels
from watchkeep.adapters.captures.subjects import Subject
from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.state_files import Local, open_shelf
from watchkeep.app.captures import seal
from watchkeep.app.forgetting import forget
from watchkeep.app.upkeep import compact_truth
from watchkeep.capture.column_names import ColumnNames
from watchkeep.capture.home import LABEL_SEGMENTS
from watchkeep.capture.segment import CLOSED, Segment, pending
from watchkeep.core.errors import StoreError

LATER = datetime(2026, 11, 23, tzinfo=UTC)


def told(home: Path, *several: Sequence[Label], now: int = HOUR) -> Path:
    """A segment of labels; each group was told at once."""
    path = Segment.new(home / LABEL_SEGMENTS)
    for labels in several:
        path.append([told_labels("churn", "left", labels, now=now)])
    closed = path.close()
    assert closed is not None
    return closed


def seen(home: Path) -> Counter[tuple[str, str, int]]:
    """What readers of `labels:` see."""
    rows = LabelRows(open_source(f"labels:{home}/labels#churn"), "inferenceId", "left", "arrival")
    return Counter(
        (row["id"], row["label"], row["arrival"]) for table in rows.tables() for row in table.to_pylist()
    )


def files(home: Path) -> list[Path]:
    return sorted((home / "labels").glob("**/*.parquet"))


@pytest.fixture(autouse=True)
def no_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)


def test_a_sealing_that_is_broken_off_is_done_again_into_the_same_files(tmp_path: Path) -> None:
    class Full(Local):
        def write(self, name: str, content: bytes) -> None:
            if len(files(tmp_path)) == 2:
                raise StoreError(name, why="it is full")
            Local.write(self, name, content)

    hour = 3_600_000_000
    path = told(
        tmp_path, [("a", 1, None), ("b", 0, HOUR + hour)], [("c", 1, HOUR + 2 * hour), ("a", 1, None)]
    )
    shelf = Full(tmp_path / "labels")
    with pytest.raises(StoreError):
        LabelSealer(tmp_path / LABEL_SEGMENTS, shelf).seal()
    assert path.exists()
    half = files(tmp_path)

    done = seal(tmp_path)

    assert (done.segments, done.labels, done.files, done.torn) == (1, 3, 3, 0)
    assert set(half) < set(files(tmp_path))
    assert seen(tmp_path) == Counter([("a", "1", HOUR), ("b", "0", HOUR + hour), ("c", "1", HOUR + 2 * hour)])
    assert seal(tmp_path).labels == 0


def test_what_a_killed_process_left_is_sealed_up_to_its_last_whole_part(tmp_path: Path) -> None:
    path = told(tmp_path, [("a", 1, None)], [("b", 1, None)])
    left = path.with_suffix(".open")
    path.rename(left)
    left.write_bytes(left.read_bytes()[:-3])

    done = seal(tmp_path)

    assert (done.labels, done.torn > 0) == (1, True)
    assert seen(tmp_path) == Counter([("a", "1", HOUR)])


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from("abc"),
                st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from([0.5, "x", 2**70])),
                st.integers(0, 3).map(lambda at: HOUR + at * 1_200_000_000),
            ),
            max_size=4,
        ),
        max_size=4,
    ),
    st.integers(200, 4000),
)
def test_compaction_changes_nothing_that_is_read(
    tmp_path_factory: pytest.TempPathFactory, several: list[list[Label]], large: int
) -> None:
    home = tmp_path_factory.mktemp("home")
    for labels in several:
        told(home, [("z", 1, None)], labels)
        seal(home)
    if not several:
        return
    before, count = seen(home), len(files(home))
    assert {name for name, _, _ in before} == {"z", *(one[0] for labels in several for one in labels)}
    shelf = open_shelf(home / "labels")
    for turn in range(3):
        compact_labels(shelf, until=LATER, now=LATER + turn * timedelta(hours=2), who="me", large=large)
        assert seen(home) == before
    assert len(files(home)) <= count
    assert not list(home.glob("labels/**/*.old"))


def test_many_files_of_an_hour_become_one_for_those_who_read_it_now_too(tmp_path: Path) -> None:
    for at in range(12):
        told(tmp_path, [(f"i{at}", at % 2, HOUR + at)])
        seal(tmp_path)
    before = seen(tmp_path)
    source = LabelRows(open_source(f"labels:{tmp_path}/labels#churn"), "inferenceId", "left", "arrival")
    parts = source.parts()  # its files are listed now

    done = compact_truth(tmp_path, older=2, now=LATER)

    assert (done.hours, done.before, done.after, done.rows) == (1, 12, 1, 12)
    assert len(files(tmp_path)) == 1
    assert seen(tmp_path) == before
    assert sum(table.num_rows for part in parts for table in part.tables()) == 12
    told(tmp_path, [("i3", 1, HOUR + 3)])  # told once more
    seal(tmp_path)
    assert seen(tmp_path) == before
    assert compact_truth(tmp_path, older=2, now=LATER + timedelta(hours=2)).removed == 13
    assert seen(tmp_path) == before


def test_a_subject_is_forgotten_wherever_its_labels_are(tmp_path: Path) -> None:
    sealed(tmp_path, [record("e1", [{"x": 1}], inference="ann"), record("e2", [{"x": 2}], inference="bob")])
    for name in ("ann", "bob"):
        for value in (0, 1):
            told(tmp_path, [(name, value, HOUR + value)])
            seal(tmp_path)
    compact_truth(tmp_path, older=2, now=LATER)
    path = told(tmp_path, [("ann", 1, HOUR + 2), ("bob", 1, HOUR + 2)])
    torn = path.with_suffix(".torn")
    torn.write_bytes(b'["ann",1')

    done = forget(tmp_path, "churn", Subject("ann"), now=LATER + timedelta(minutes=5))

    assert (done.labels, done.torn, done.waiting, done.left) == (3, 1, 0, [])
    assert {name for name, _, _ in seen(tmp_path)} == {"bob"}
    there = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in there if path.suffix != ".parquet" and b"ann" in path.read_bytes()]
    assert all("ann" not in pq.read_table(path)["inferenceId"].to_pylist() for path in files(tmp_path))


def test_labels_that_are_being_written_are_told_when_a_subject_is_forgotten(tmp_path: Path) -> None:
    sealed(tmp_path, [record("e1", [{"x": 1}], inference="ann")])
    path = Segment.new(tmp_path / LABEL_SEGMENTS)
    path.append([told_labels("churn", "left", [("ann", 1, None), ("bob", 1, None)], now=HOUR)])

    done = forget(tmp_path, "churn", Subject("ann"), patience=0)

    assert (done.waiting, done.done, len(done.left)) == (1, False, 1)
    path.close()
    assert [name.suffix for name, _ in pending(tmp_path / LABEL_SEGMENTS)] == [CLOSED]


def test_labels_go_before_the_records_that_tell_whose_they_are(tmp_path: Path) -> None:
    sealed(tmp_path, [record("e1", [{"user": "ann"}], inference="i1")])
    segment(tmp_path / "segments", [record("e2", [{"user": "ann"}, {"user": "bob"}], inference="i2")])
    told(tmp_path, [("i1", 1, HOUR), ("i2\x1f0/2", 1, HOUR), ("i2\x1f1/2", 1, HOUR)])
    path = Segment.new(tmp_path / LABEL_SEGMENTS)
    path.append([told_labels("churn", "left", [("i1", 0, None)], now=HOUR)])

    done = forget(tmp_path, "churn", Subject("ann", "user"), patience=0)
    assert (done.waiting, done.done, done.labels, done.gone.records) == (1, False, 2, 0)
    path.close()
    done = forget(tmp_path, "churn", Subject("ann", "user"), patience=0)

    assert (done.waiting, done.done, done.labels, done.gone.rows) == (0, True, 1, 2)
    assert {name for name, _, _ in seen(tmp_path)} == {"i2\x1f1/2"}


def test_names_of_values_that_came_without_hold_for_the_store_and_for_forgetting(tmp_path: Path) -> None:
    def plain(event: str, *values: object) -> list[object]:
        given = json.dumps([list(values)]).encode()
        return [record(event, [], given=given)._replace(output=b'{"predictions": [0.5]}')]

    ColumnNames.of({"input": ["who", "age"], "output": ["score"]}).tell(tmp_path, "churn")
    for event, name in (("e1", "ann"), ("e2", "bob")):
        segment(tmp_path / "segments", plain(event, name, 41, 7))  # type: ignore[arg-type]
    done = forget(tmp_path, "churn", Subject("ann", "who"))
    assert done.gone.records == 1
    seal(tmp_path)
    ColumnNames().tell(tmp_path, "churn")
    segment(tmp_path / "segments", plain("e3", "cy", 3))  # type: ignore[arg-type]
    seal(tmp_path)

    store = f"read_parquet('{tmp_path}/captures/**/*.parquet', union_by_name=true)"
    found = queried(f"SELECT score, who, age, _c0, _c1, _c2, _c3 FROM {store} ORDER BY capture_event_id")
    assert found == [
        (0.5, "bob", 41, None, None, None, 7),
        (None, None, None, 0.5, "cy", 3, None),
    ]
