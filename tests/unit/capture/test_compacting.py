"""Files of an hour become one, and no reader notices, whatever was killed when."""

import contextlib
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capture.stores import HOUR, files, record, sealed, seen

from watchkeep.adapters.captures import compacting
from watchkeep.adapters.captures.compacting import Compacted, compact
from watchkeep.adapters.sources.stored.layout import hours
from watchkeep.adapters.sources.stored.reading import Sealed
from watchkeep.adapters.sources.stored.source import Captures, files_of, traffic_of
from watchkeep.adapters.sources.stored.standing import standing_of
from watchkeep.adapters.state_files import Local, open_shelf
from watchkeep.service.ports import Ask

START = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=HOUR)
LATER = START + timedelta(days=30)


def run(store: Path, *, after: timedelta = timedelta(0), **more: Any) -> Compacted:
    now = LATER + after
    return compact(open_shelf(store), until=now - timedelta(hours=1), now=now, who="me", **more)


def test_few_files_are_made_of_many(tmp_path: Path) -> None:
    groups = [
        [record(f"e{n}-{at}", [{"age": at}, {"age": n}], hour=at % 2) for at in range(6)] for n in range(5)
    ]
    store = sealed(tmp_path, *groups)
    before = seen(store, ["age"])
    (hour, _) = hours(open_shelf(store), endpoint="churn")
    counted = traffic_of(open_shelf(store), hour).documents()

    told = run(store)

    assert (told.hours, told.before, told.after, told.rows, told.repeated) == (2, 10, 2, 60, 0)
    assert seen(store, ["age"]) == before
    assert traffic_of(open_shelf(store), hour).documents() == counted
    assert files(store) == {"records": 2, "counts": 2, "sidecars": 2, "aside": 20}
    again = run(store, after=timedelta(hours=2))
    assert (again.hours, again.removed) == (0, 20)
    assert files(store) == {"records": 2, "counts": 2, "sidecars": 2}
    assert seen(store, ["age"]) == before


def test_a_file_that_is_put_aside_in_the_middle_of_being_read_is_read_on(tmp_path: Path) -> None:
    store = sealed(tmp_path, *[[record(f"e{n}", [{"age": n}])] for n in range(3)])
    (hour, *_) = hours(open_shelf(store), endpoint="churn")
    found = files_of(open_shelf(store), hour)
    reader, ask = Sealed(), Ask(columns=["age"])
    opened = [reader.batches(file, ask) for file in found]

    run(store)

    assert not any(Path(file.path).exists() for file in found)
    ages = [batch.column("age").to_pylist() for batches in opened for batch in batches]
    assert sorted(ages) == [[0], [1], [2]]
    assert [told.rows for file in found if (told := reader.told(file, ask)) is not None] == [1, 1, 1]


def test_only_hours_that_are_over_are_compacted(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])

    told = compact(
        open_shelf(store), until=START + timedelta(minutes=59), now=START + timedelta(minutes=59), who="me"
    )

    assert (told.hours, files(store)["records"]) == (0, 2)


def test_what_is_compacted_is_compacted_with_what_comes_late(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])
    run(store)
    sealed(tmp_path, [record("c", [{"age": 3}])])

    told = run(store, after=timedelta(hours=3))

    assert (told.before, told.after) == (2, 1)
    assert [row[0] for row in seen(store)] == ["a", "b", "c"]
    run(store, after=timedelta(hours=6))
    assert files(store) == {"records": 1, "counts": 1, "sidecars": 1}


def test_large_files_stay_as_they_are(tmp_path: Path) -> None:
    many = [
        record(f"x{at}", [{"age": at, "note": random.Random(at).randbytes(99).hex()}]) for at in range(400)
    ]
    store = sealed(tmp_path, many, [record("b", [{"age": 2}])], [record("c", [{"age": 3}])])

    told = run(store, large=20_000)

    assert (told.before, told.after) == (3, 2)
    sealed(tmp_path, [record("d", [{"age": 4}])])
    assert run(store, after=timedelta(hours=3), large=20_000).after == 2
    assert len(seen(store)) == 403
    assert run(store, after=timedelta(hours=6), large=20_000).hours == 0
    assert len(seen(store)) == 403


def test_records_that_came_twice_are_there_once(tmp_path: Path) -> None:
    one, two = record("a", [{"age": 1}, {"age": 2}]), record("b", [{"age": 3}])
    store = sealed(tmp_path, [one, two], [two, one], [one], given=True)
    assert len(seen(store)) == 3

    told = run(store)

    assert told.repeated == 5
    (file,) = store.rglob("c-*.parquet")
    assert pq.read_metadata(file).num_rows == 3
    assert len(seen(store)) == 3


def test_a_file_that_may_hold_repeats_is_looked_through_once(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("e1", [{"age": 1}]), record("e2", [{"age": 2}])], given=True)
    (hour,) = hours(open_shelf(store), endpoint="churn")
    before = seen(store, ["age"])

    assert [run(store).hours, run(store).hours] == [1, 0]
    assert seen(store, ["age"]) == before
    assert not standing_of(open_shelf(store), hour.folder).repeated


def test_a_file_that_comes_back_does_not_count(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])
    kept = {path: path.read_bytes() for path in store.rglob("*.parquet")}
    run(store)
    for path, content in kept.items():  # a sealer was killed before its segment was gone, and seals it again
        path.write_bytes(content)

    assert len(seen(store)) == 2
    told = run(store, after=timedelta(hours=3))
    assert (told.hours, told.removed) == (0, 6)
    assert len(seen(store)) == 2
    assert len(list(store.rglob("*.parquet"))) == 1

    sealed(tmp_path, [record("c", [{"age": 3}])])
    run(store, after=timedelta(hours=6))
    for path, content in kept.items():
        path.write_bytes(content)
    assert len(seen(store)) == 3


def test_columns_that_differ_are_told_by_one_type(tmp_path: Path) -> None:
    store = sealed(
        tmp_path,
        [record("a", [{"age": 1, "big": 2**60, "gone": True, "mixed": 1, "list": [1, 2]}])],
        [record("b", [{"age": 1.5, "big": 0.5, "mixed": "x", "list": "y"}])],
        [record("c", [{"age": None, "big": None, "mixed": True, "new": "z"}])],
    )

    run(store)

    (file,) = store.rglob("c-*.parquet")
    table = pq.read_table(file)
    schema = {part.name: (str(part.type), bool(part.metadata)) for part in table.schema}
    assert schema["age"] == ("double", False)
    assert schema["big"] == schema["mixed"] == schema["list"] == ("string", True)
    assert schema["gone"] == ("bool", False)
    assert schema["new"] == ("string", False)
    assert table.select(["age", "big", "gone", "mixed", "list", "new"]).to_pylist() == [
        {"age": 1.0, "big": str(2**60), "gone": True, "mixed": "1", "list": "[1.0, 2.0]", "new": None},
        {"age": 1.5, "big": "0.5", "gone": None, "mixed": "x", "list": "y", "new": None},
        {"age": None, "big": None, "gone": None, "mixed": "true", "list": None, "new": "z"},
    ]


def test_who_reads_meanwhile_reads_on(tmp_path: Path) -> None:
    store = sealed(tmp_path, *[[record(f"e{n}", [{"age": n}])] for n in range(4)])
    reading = Captures(open_shelf(store), "churn").batches(Ask(columns=["age"]))
    parts = Captures(open_shelf(store), "churn").parts(Ask(columns=["age"]))
    first = next(reading).column("age").to_pylist()

    run(store)

    rest = [value for batch in reading for value in batch.column("age").to_pylist()]
    assert sorted(first + rest) == [0, 1, 2, 3]
    found = [
        one
        for part in parts
        for batch in part.batches(Ask(columns=["age"]))
        for one in batch.column("age").to_pylist()
    ]
    assert sorted(found) == [0, 1, 2, 3]


class KilledError(BaseException):
    """What a test kills a writer with."""


class Mortal(Local):
    """A shelf whose user is killed at one of its writes or deletes."""

    left: int

    def write(self, name: str, content: bytes) -> None:
        self._count()
        super().write(name, content)

    def delete(self, name: str) -> None:
        self._count()
        super().delete(name)

    def _count(self) -> None:
        Mortal.left -= 1
        if Mortal.left < 0:
            raise KilledError


@pytest.mark.parametrize("fate", range(24))
def test_a_compaction_that_is_killed_is_ended_by_the_next_one(tmp_path: Path, fate: int) -> None:
    groups = [
        [record(f"e{n}", [{"age": n, "note": random.Random(n).randbytes(900).hex()}])] for n in range(6)
    ]
    store = sealed(tmp_path, *groups)
    before, size = seen(store, ["age"]), next(store.rglob("*.parquet")).stat().st_size
    Mortal.left = fate

    with contextlib.suppress(KilledError):
        compact(Mortal(store), until=LATER, now=LATER, who="me", large=3 * size)

    assert seen(store, ["age"]) == before
    (hour,) = hours(open_shelf(store), endpoint="churn")
    assert sum(one.invocations for one in traffic_of(open_shelf(store), hour).of.values()) == 6
    for at in range(1, 6):
        run(store, after=timedelta(hours=3 * at), large=3 * size)
        assert seen(store, ["age"]) == before
    found = files(store)
    assert found.pop("records") in (1, 2)
    assert found == {"counts": 1, "sidecars": 1}


OPERATION = st.sampled_from(["seal", "seal twice", "compact", "later", "other"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(OPERATION, st.integers(0, 12)), min_size=1, max_size=9), st.data())
def test_no_row_is_lost_or_doubled_wherever_a_compaction_is_killed(
    tmp_path_factory: pytest.TempPathFactory, operations: Sequence[tuple[str, int]], data: st.DataObject
) -> None:
    home = tmp_path_factory.mktemp("home")
    store, known, number = home / "captures", set[str](), 0
    now = LATER
    for what, fate in operations:
        if what.startswith("seal"):
            number += 1
            own = [record(f"e{number}-{at}", [{"age": at}]) for at in range(1 + fate % 3)]
            sealed(home, *[own] * (1 + (what == "seal twice")), given=what == "seal twice" or fate > 8)
            known |= {one.event_id for one in own}
        elif known:
            Mortal.left = fate
            now += timedelta(hours=2) if what == "later" else timedelta(minutes=1)
            shelf = Mortal(store)
            with contextlib.suppress(KilledError):
                compact(
                    shelf,
                    until=now - timedelta(hours=1),
                    now=now,
                    who="other" if what == "other" else "me",
                    large=data.draw(st.sampled_from([compacting.LARGE, 20_000])),
                )
        if known:
            assert [row[0] for row in seen(store)] == sorted(known)
            (hour,) = hours(open_shelf(store), endpoint="churn")
            importing = files_of(open_shelf(store), hour)
            assert importing


def test_what_somebody_else_began_is_left_alone_for_a_while(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])
    Mortal.left = 1
    with pytest.raises(KilledError):
        compact(Mortal(store), until=LATER, now=LATER, who="another machine")

    assert run(store).hours == 0
    assert len(seen(store)) == 2
    assert run(store, after=timedelta(hours=7)).hours == 1
    assert len(seen(store)) == 2


def test_two_who_compact_at_once_double_nothing(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])
    (folder,) = {path.parent for path in store.rglob("*.parquet")}
    mine = {path.name: path.read_bytes() for path in folder.iterdir()}
    sealed(tmp_path, [record("c", [{"age": 3}])])
    theirs = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(store)
    made = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if "c-" in path.name or path.name[:9] == "_replaced"
    }
    for path in folder.iterdir():
        path.unlink()
    for name, content in mine.items():
        (folder / name).write_bytes(content)
    run(store)
    for name, content in (theirs | made).items():
        if name not in mine:
            (folder / name).write_bytes(content)

    assert [row[0] for row in seen(store)] == ["a", "b", "c"]
    run(store, after=timedelta(hours=3))
    assert [row[0] for row in seen(store)] == ["a", "b", "c"]


def test_a_damaged_sidecar_is_told(tmp_path: Path) -> None:
    store = sealed(tmp_path, [record("a", [{"age": 1}])], [record("b", [{"age": 2}])])
    run(store)
    (sidecar,) = store.rglob("_replaced-*")
    sidecar.write_text(json.dumps({"by": 3}))

    with pytest.raises(ValueError, match="it is damaged"):
        seen(store)
