"""Rows as attribution meets them: of several types, with any names, some of which a model cannot use."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from watchkeep.core.errors import ModelError
from watchkeep.frames.schema import TEXTUAL, is_textual
from watchkeep.monitors.attribution.choice import RowChoice, joined, own_column
from watchkeep.monitors.attribution.halves import FAILURES, OWN_FAILURES, SPENT, Halves
from watchkeep.service.attribution.beside import tells_apart
from watchkeep.service.attribution.explaining import Sampled
from watchkeep.service.attribution.models import Contributions
from watchkeep.service.attribution.typical import typical_rows

Doubles = npt.NDArray[np.float64]


class Picky:
    """Explains `a` by itself; rows where it is one of `bad` it cannot use. Remembers how many rows it was asked for."""

    def __init__(self, *bad: int, budget: int | None = None, answering: bool = False) -> None:
        self.bad, self.budget, self.answering = bad, budget, answering
        self.calls: list[int] = []

    def affordable(self) -> int | None:
        return None if self.budget is None else max(0, self.budget - sum(self.calls))

    def contributions(self, rows: pa.Table) -> Contributions:
        self.calls.append(rows.num_rows)
        values = rows["a"].to_numpy().astype(float)
        wrong = [value for value in self.bad if value in values]
        if wrong:
            raise ModelError("picky", why=f"it cannot use {wrong[0]}", answering=self.answering)
        return Contributions(values[:, None, None], values[:, None], np.zeros(1))


def rows(n: int) -> pa.Table:
    return pa.table({"a": np.arange(n)})


def halves(picky: Picky) -> Halves[Contributions]:
    return Halves(picky.contributions, picky.affordable)


def explained(told: Halves[Contributions], table: pa.Table) -> list[int]:
    return [value for piece, _ in told.explained(table) for value in piece["a"].to_pylist()]


def test_where_nothing_fails_there_is_one_call() -> None:
    picky = Picky()
    told = halves(picky)

    assert explained(told, rows(1_000)) == list(range(1_000))
    assert picky.calls == [1_000]
    assert not told.unexplained
    told.require_any()


@pytest.mark.parametrize("bad", [(0,), (999,), (3, 4), (500, 17, 801)])
def test_only_the_rows_that_fail_are_not_explained_and_each_tells_why(bad: tuple[int, ...]) -> None:
    told = halves(Picky(*bad))

    assert explained(told, rows(1_000)) == [value for value in range(1_000) if value not in bad]
    assert told.unexplained == {f"it cannot use {value}": 1 for value in bad}
    told.require_any()


def test_when_every_row_fails_the_first_error_is_told() -> None:
    told = halves(Picky(*range(5)))

    assert explained(told, rows(5)) == []
    with pytest.raises(ModelError, match="it cannot use 0"):
        told.require_any()


@pytest.mark.parametrize(("budget", "most"), [(None, OWN_FAILURES), (10_000_000, FAILURES)])
def test_a_model_that_fails_too_often_tells_its_first_error(budget: int | None, most: int) -> None:
    picky = Picky(*range(0, 10_000, 2), budget=budget)

    with pytest.raises(ModelError, match="it cannot use 0"):
        explained(halves(picky), rows(10_000))
    assert most < len(picky.calls) <= 2 * most + 1


def test_a_model_that_does_not_answer_is_asked_once() -> None:
    picky = Picky(7, answering=True)

    with pytest.raises(ModelError) as raised:
        explained(halves(picky), rows(100))
    assert raised.value.answering
    assert picky.calls == [100]


def test_halving_stops_when_the_budget_is_spent_and_the_models_own_reason_stands() -> None:
    picky = Picky(93, budget=160)
    told = halves(picky)

    found = explained(told, rows(100))

    assert sum(picky.calls) <= 160
    assert found == list(range(60))
    assert set(told.unexplained) == {"it cannot use 93"}
    assert told.unexplained.total() == 40
    assert explained(told, rows(10)) == []
    assert told.unexplained[SPENT] == 10


def test_a_budget_that_is_spent_at_once_tells_the_models_own_error() -> None:
    told = halves(Picky(7, budget=100))

    assert explained(told, rows(100)) == []
    with pytest.raises(ModelError, match="it cannot use 7"):
        told.require_any()


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        ([pa.array(["41", None]), pa.array([7])], ["41", None, "7"]),
        ([pa.array([0.1, 1e300]), pa.array(["x"])], ["0.1", "1e+300", "x"]),
        ([pa.array([True]), pa.array([2])], ["true", "2"]),
        ([pa.array([2**53 + 1]), pa.array([0.5])], ["9007199254740993", "0.5"]),
        ([pa.array([[1, 2]]), pa.array([3])], ["[1, 2]", "3"]),
        (
            [pa.array([datetime(2026, 1, 1, tzinfo=UTC)]), pa.array(["no time"])],
            ["2026-01-01 00:00:00.000000Z", "no time"],
        ),
    ],
)
def test_columns_without_a_common_type_become_text_of_unknown_type(
    columns: list[pa.Array], texts: list[str | None]
) -> None:
    told = joined([pa.table({"whole": np.arange(len(one)), "a": one}) for one in columns])

    assert told["a"].to_pylist() == texts
    assert told["a"].type == pa.large_string()
    assert is_textual(told.schema.field("a"))
    assert told["whole"].type == pa.int64()


def test_categories_and_plain_text_stay_text_that_is_known() -> None:
    told = joined([pa.table({"a": pa.array(["x", "y"]).dictionary_encode()}), pa.table({"a": ["7"]})])

    assert told["a"].to_pylist() == ["x", "y", "7"]
    assert not is_textual(told.schema.field("a"))


def test_types_that_have_a_common_one_keep_it_and_missing_columns_have_no_values() -> None:
    told = joined([pa.table({"a": [1], "b": ["x"]}), pa.table({"a": [0.5]}), pa.table({"a": [2], "b": [3]})])

    assert told["a"].to_pylist() == [1.0, 0.5, 2.0]
    assert told["b"].to_pylist() == ["x", None, "3"]


def test_rows_of_several_types_are_chosen_among() -> None:
    choice = RowChoice(10, seed=1)
    for table in (pa.table({"a": np.arange(50)}), pa.table({"a": [f"x{at}" for at in range(50)]})):
        choice.add(table)

    chosen = choice.rows()

    assert chosen is not None
    assert chosen.num_rows == 10
    known = {*map(str, range(50)), *(f"x{at}" for at in range(50))}
    assert set(chosen["a"].to_pylist()) <= known


def test_own_columns_keep_their_names_in_files_and_between_libraries() -> None:
    name, sink = own_column("segment 0"), io.BytesIO()
    table = pa.table({name: [True], "(segment 0)": [1]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)

    assert pa.ipc.open_stream(sink.getvalue()).read_all().equals(table)
    assert pa.table(pa.RecordBatchReader.from_stream(table)).column_names == [name, "(segment 0)"]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (["EU", "US"] * 500, True),
        ([str(at % 999) for at in range(5_000)], True),
        ([f"{at % 1_001} street" for at in range(5_000)], False),
        ([f"mail{at}@example.org" for at in range(200)], False),
        (["word " * 20] * 500, False),
        ([b"EU", b"US"] * 500, False),
        ([[1.0, 2.0]] * 500, False),
        ([{"a": 1}] * 500, False),
        (list(range(500)), False),
        ([str(at) for at in range(500)], False),
        ([at % 400 for at in range(500)], True),
        ([at / 7 for at in range(5_000)], True),
        ([True, None] * 500, True),
        ([None] * 500, True),
    ],
)
def test_columns_beside_tell_kinds_of_rows_apart(column: list[object], told: bool) -> None:
    assert tells_apart(pa.array(column)) is told
    assert tells_apart(pa.array(column[:50])) or not told


def test_columns_of_other_types_are_said_to_be_the_rows() -> None:
    class Any:
        name, kind, features, labels = "any", "a function", ("a",), ("label0",)
        scores: Callable[[pa.Table], Doubles] = staticmethod(lambda rows: np.ones((rows.num_rows, 1)))

    sampled = Sampled(Any(), pa.table({"a": [1, 2]}))

    with pytest.raises(ModelError, match="any: these rows have columns of other types than the baseline"):
        sampled.contributions(pa.table({"a": [[1]]}))


def test_typical_rows_of_text_that_spells_numbers_are_those_of_numbers() -> None:
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.normal(0, 1, 300), rng.normal(50, 1, 300)]).round(3)
    texts = [str(one) for one in numbers.tolist()]
    texts[:5] = ["oops"] * 5  # the most frequent text
    field = pa.field("a", pa.string(), metadata={TEXTUAL: b"1"})

    told = typical_rows(pa.table([pa.array(texts)], schema=pa.schema([field])), seed=1)["a"].to_pylist()

    held = pa.table({"a": [None if one == "oops" else float(one) for one in texts]})
    assert [float(one) for one in told] == typical_rows(held, seed=1)["a"].to_pylist()
    assert min(map(float, told)) < 5 < 45 < max(map(float, told))
