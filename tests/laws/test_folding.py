"""Laws of folding: who reads the parts, and how many at a time, changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios.people import people
from tests.scenarios.world import rows

import watchkeep as wk
from watchkeep.adapters.processes import Processes
from watchkeep.adapters.sources import file_source, open_source
from watchkeep.core.window import Window
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.profile import Profile
from watchkeep.service.folding import FAN, HERE, Engine, Tree
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Ask, parts_of

Nested = int | tuple["Nested", ...]


def nest(values: Sequence[Nested]) -> Nested:
    """A merge that remembers what was merged with what."""
    return values[0] if len(values) == 1 else tuple(values)


@given(st.integers(0, 3 * FAN * FAN))
def test_values_that_were_merged_elsewhere_are_merged_in_the_same_tree(n: int) -> None:
    one_by_one: Tree[Nested] = Tree(nest)
    in_groups: Tree[Nested] = Tree(nest)
    for value in range(n):
        one_by_one.add(value)
    for start in range(0, n, FAN):
        in_groups.add(nest(range(start, min(start + FAN, n))), level=1)

    assert one_by_one.whole() == in_groups.whole()


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    group=st.integers(1, 15),
    most=st.integers(1, 4000),
)
def test_parts_hold_the_rows_of_the_whole_in_their_order(sizes: list[int], group: int, most: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_source, "PART", most)
        first = 0
        for at, size in enumerate(sizes):
            table = pa.table({"n": pa.array(range(first, first + size), pa.int64())})
            pq.write_table(table, Path(folder, f"{at}.parquet"), row_group_size=group)
            first += size
        source = open_source(folder)

        parts = parts_of(source, Ask())

        found = [n for part in parts for batch in part.batches(Ask()) for n in batch.column("n").to_pylist()]
        assert found == list(range(first))
        assert [len(list(part.batches(Ask()))) for part in parts_of(source, Ask())]


def learned() -> dict[str, Learned]:
    persons = people(2500, 1)
    known = {
        "data": wk.DataQuality().baseline(wk.read(rows(2500, seed=1), timestamp="at")),
        "answers": wk.ModelQuality(segments=["young: age < 30"]).baseline(
            wk.read(persons, label="hired", prediction="said", score="score", id="id")
        ),
        "groups": wk.Bias().baseline(
            wk.read(persons, label="hired", prediction="said", score="score", facets={"sex": ["Female"]})
        ),
    }
    return {name: one.learned.in_force(Dialect.DEFAULT) for name, one in known.items()}


KNOWN = learned()


def profile(name: str, folder: Path, engine: Engine) -> Profile:
    return KNOWN[name].scan(open_source(folder), window=Window(), dialect=Dialect.DEFAULT, engine=engine)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_source, "PART", 1)


@pytest.mark.parametrize("name", KNOWN)
def test_processes_give_what_one_gives_to_the_last_bit(name: str, tmp_path: Path) -> None:
    table = rows(3000, seed=2) if name == "data" else people(3000, 2)
    for at in range(FAN + 3):
        pq.write_table(table.slice(at * 90, 90), tmp_path / f"{at:02}.parquet")

    one, two, three = (profile(name, tmp_path, engine) for engine in (HERE, Processes(2), Processes(3)))

    assert one.rows == min(3000, (FAN + 3) * 90)
    assert one == two == three
    assert repr(sorted(one.parts)) == repr(sorted(two.parts))


@pytest.mark.parametrize("name", KNOWN)
def test_parts_count_what_the_whole_counts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = rows(3000, seed=2) if name == "data" else people(3000, 2)
    for at in range(7):
        pq.write_table(table.slice(at * 450, 450), tmp_path / f"{at:02}.parquet")
    apart = profile(name, tmp_path, HERE)
    monkeypatch.setattr(file_source, "PART", 1 << 40)

    whole = profile(name, tmp_path, HERE)

    assert (apart.rows, apart.seen, apart.rejected) == (whole.rows, whole.seen, whole.rejected)
    for key, state in whole.parts.items():
        if key[1] not in (
            "moments",
            "lengths",
            "norms",
        ):  # whose last digits depend on what is merged with what
            assert apart.parts[key] == state, key
