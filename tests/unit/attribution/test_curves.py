from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from watchkeep.core.errors import ModelError
from watchkeep.core.undefined import Undefined
from watchkeep.frames.schema import TEXTUAL
from watchkeep.monitors.attribution.dependence import Curve, Dependence
from watchkeep.service.attribution.curves import LEAST, curves, spread
from watchkeep.service.attribution.dependence import grid_of, known_values
from watchkeep.service.attribution.metering import Metered

Doubles = npt.NDArray[np.float64]


class Asked:
    """A model of `a` and `b` that remembers what it was asked for."""

    name, kind, features, labels = "a model", "a function", ("a", "b"), ("label0",)

    def __init__(self, of: Callable[[pa.Table], Doubles] | None = None) -> None:
        self.of, self.rows, self.types = of, 0, set[str]()

    def scores(self, rows: pa.Table) -> Doubles:
        self.rows += rows.num_rows
        self.types.add(str(rows.schema.field("a").type))
        return self.of(rows) if self.of else _sum(rows)[:, None]


def _sum(rows: pa.Table) -> Doubles:
    a = rows["a"].cast(pa.float64()).to_numpy()
    worth = {"x": 1.0, "y": 3.0}
    return np.asarray(a + np.array([worth.get(one, 0.0) for one in rows["b"].to_pylist()]))


def table(n: int, seed: int, *, high: float = 10.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table({"a": rng.uniform(0, high, n), "b": rng.choice(["x", "y"], n).tolist()})


def curve(one: Curve | Undefined | None) -> Curve:
    assert isinstance(one, Curve)
    return one


def test_both_curves_are_means_over_rows_on_the_baselines_grid() -> None:
    kept, window = table(400, 1), table(300, 2, high=20.0)
    numbers, words = curves(Metered(Asked()), ["a", "b"], kept, window)

    edges = np.linspace(kept["a"].to_numpy().min(), kept["a"].to_numpy().max(), 16)
    assert numbers.values == pytest.approx(((edges[1:] + edges[:-1]) / 2).tolist())
    assert numbers.numerical
    for side, rows in ((numbers.baseline, kept), (numbers.window, window)):
        some = spread(rows, 100)
        rest = np.mean([{"x": 1.0, "y": 3.0}[one] for one in some["b"].to_pylist()])
        np.testing.assert_allclose(curve(side).predictions, [np.array(numbers.values) + rest])
        assert curve(side).rows == 100
        counted = np.histogram(rows["a"].to_numpy(), edges)[0] / rows.num_rows
        np.testing.assert_allclose(curve(side).distribution, counted)
    assert curve(numbers.window).distribution.sum() < 0.6
    assert not words.numerical
    assert set(words.values) == {"x", "y"}


def test_text_that_spells_numbers_has_a_grid_of_numbers_and_is_asked_as_text() -> None:
    model = Asked()
    field = pa.field("a", pa.string(), metadata={TEXTUAL: b"1"})
    texts = [f"{one:.2f}" for one in table(200, 1)["a"].to_pylist()]
    kept = pa.table(
        [pa.array(texts), table(200, 1)["b"]], schema=pa.schema([field, pa.field("b", pa.string())])
    )

    (told,) = curves(Metered(model), ["a"], kept)

    assert told.numerical
    assert len(told.values) == 15
    assert model.types == {"string"}
    assert known_values(kept, "a").type == pa.float64()
    assert curve(told.baseline).predictions.shape == (1, 15)


def test_curves_that_are_known_are_not_asked_for_again() -> None:
    kept, window, model = table(400, 1), table(300, 2), Asked()
    known = curves(Metered(Asked()), ["a"], kept)

    (told,) = curves(Metered(model), ["a"], kept, window, known=known)

    assert told.baseline is known[0].baseline
    assert model.rows == 15 * 100


@pytest.mark.parametrize("budget", [0, 100, 449, 450, 600, 1_000, 2_999, 3_000, 4_000])
def test_the_budget_is_never_passed_and_what_is_left_out_says_why(budget: int) -> None:
    model = Asked()
    told = curves(Metered(model, budget), ["a", "b"], table(400, 1), table(300, 2))

    assert model.rows <= budget
    drawn = [one for each in told for one in (each.baseline, each.window) if isinstance(one, Curve)]
    assert model.rows == sum(len(one.distribution) * one.rows for one in drawn)
    assert all(LEAST <= one.rows <= 100 for one in drawn)
    missing = [one for each in told for one in (each.baseline, each.window) if isinstance(one, Undefined)]
    assert len(missing) + len(drawn) == 4
    assert all("left of the budget" in one.why for one in missing)
    assert bool(missing) == (budget < (15 + 2) * 2 * LEAST)


def test_a_model_that_is_gone_is_asked_once_and_fails_nothing() -> None:
    def gone(_: pa.Table) -> Doubles:
        raise ModelError("a model", why="it did not answer", answering=True)

    model = Asked(gone)
    told = curves(Metered(model), ["a", "b"], table(400, 1), table(300, 2))

    assert model.rows == 100
    assert {one.baseline for one in told} == {one.window for one in told} == {Undefined("it did not answer")}


def test_a_model_that_raises_or_answers_nonsense_fails_nothing() -> None:
    def raises(_: pa.Table) -> Doubles:
        raise KeyError("b")

    for of, why in (
        (raises, "the model raised KeyError: 'b'"),
        (lambda rows: np.full((rows.num_rows, 1), np.nan), "it gave a score that is no finite number"),
    ):
        told = curves(Metered(Asked(of)), ["a"], table(50, 1))
        assert told[0].baseline == Undefined(why)


def test_window_text_that_is_no_number_fails_no_curve() -> None:
    kept = table(200, 1)
    texts = ["", "4.5", "NA", "many", *(str(one) for one in range(96))]
    window = pa.table({"a": texts, "b": ["x"] * 100})
    model = Asked(lambda rows: np.ones((rows.num_rows, 1)))

    numbers, words = curves(Metered(model), ["a", "b"], kept, window)

    known = [float(one) for one in texts if one not in ("", "NA", "many")]
    low, high = kept["a"].to_numpy().min(), kept["a"].to_numpy().max()
    inside = sum(low <= one <= high for one in known)
    assert curve(numbers.window).distribution.sum() == pytest.approx(inside / 98)  # "many" is a value
    assert isinstance(words.window, Curve)


def test_a_fault_of_ours_is_not_blamed_on_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("watchkeep.service.attribution.dependence.Grid.shares", broken)

    with pytest.raises(ValueError, match="ours"):
        curves(Metered(Asked()), ["a"], table(50, 1))


def test_features_without_a_grid_say_why() -> None:
    kept = pa.table({"a": [[1.0], [2.0]], "b": pa.array([None, None], pa.string())})
    lists, empty = curves(Metered(Asked()), ["a", "b"], kept, kept)

    assert isinstance(lists.baseline, Undefined)
    assert "numbers or categories are needed" in lists.baseline.why
    assert empty.window == Undefined("no row of the baseline has a value")


def test_shares_are_of_rows_with_a_value_and_others_lie_outside() -> None:
    words, always = grid_of(pa.array(["x", "x", "y"])), grid_of(pa.array([4, 4]))

    assert words.shares(pa.array(["y", "z", None, "x"]).dictionary_encode()).tolist() == [1 / 3, 1 / 3]
    assert always.shares(pa.array([4.0, 5.0])).tolist() == [0.5]
    numbers = pa.array(np.random.default_rng(1).normal(size=500))
    assert words.shares(pa.array([["x"], ["y"]])).tolist() == [0.0, 0.0]
    assert words.shares(pa.array(["", "x"])).tolist() == [0.5, 0.0]
    grid = grid_of(numbers)
    np.testing.assert_allclose(grid.shares(numbers), grid.distribution)
    assert grid.shares(pa.array([], pa.float64())).tolist() == [0.0] * 15


def test_a_window_that_has_no_rows_leaves_the_baselines_curve() -> None:
    (told,) = curves(Metered(Asked()), ["a"], table(50, 1), Undefined("no row was explained"))

    assert isinstance(told, Dependence)
    assert curve(told.baseline).rows == 50
    assert told.window == Undefined("no row was explained")
