"""Explanations of models against brute force, the closed form of linear models, and the library `shap`."""

import itertools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.service.attribution import dependence, explaining
from watchkeep.service.attribution.dependence import Grid, grid_of, partial_dependence
from watchkeep.service.attribution.explaining import Sampled, SampledOptions
from watchkeep.service.attribution.metering import Metered
from watchkeep.service.attribution.models import Contributions, Explaining
from watchkeep.stats.shapley import Method

Doubles = npt.NDArray[np.float64]
METHODS: tuple[Method, ...] = ("kernel", "permutation")


@dataclass
class Function:
    """A model that is a function of a matrix; it remembers how many rows it was asked for, each time."""

    of: Callable[[Doubles], Doubles]
    name: str = "a function"
    kind: str = "Python"
    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    asked: list[int] = field(default_factory=list)
    schemas: list[pa.Schema] = field(default_factory=list)

    def scores(self, rows: pa.Table) -> Doubles:
        assert all(column.num_chunks <= 1 for column in rows.columns)
        self.asked.append(rows.num_rows)
        self.schemas.append(rows.schema)
        return self.of(_matrix(rows))


@dataclass
class Words:
    """A model of columns of any type: a number from the texts of a row, and their lengths."""

    name: str = "words"
    kind: str = "Python"
    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def scores(self, rows: pa.Table) -> Doubles:
        texts = ["|".join(repr(value) for value in row.values()) for row in rows.to_pylist()]
        return np.array([[hash_of(text), float(len(text))] for text in texts])


def hash_of(text: str) -> float:
    return sum((at % 7 + 1) * ord(letter) for at, letter in enumerate(text)) % 101 / 101


def _matrix(rows: pa.Table) -> Doubles:
    return np.column_stack([column.to_numpy().astype(float) for column in rows.columns])


def _table(matrix: Doubles) -> pa.Table:
    return pa.table({f"f{at}": column for at, column in enumerate(matrix.T)})


def _bent(matrix: Doubles) -> Doubles:
    """Two labels: sums, products, a threshold; each row for itself, in the same order whatever is beside it."""
    odd = np.zeros(len(matrix))
    for at in range(matrix.shape[1] - 1):
        odd = odd + matrix[:, at] * matrix[:, at + 1] * (at + 1) + (matrix[:, at] > 0.3)
    return np.stack([np.tanh(odd / 5), odd], axis=1)


def _rows(rows: int, features: int, seed: int = 0) -> Doubles:
    return np.random.default_rng(seed).normal(size=(rows, features))


def _by_orders(function: Callable[[Doubles], Doubles], row: Doubles, background: Doubles) -> Doubles:
    """The definition: what each feature adds, averaged over all orders; shape (labels, features)."""
    orders = list(itertools.permutations(range(len(row))))
    worth: dict[frozenset[int], Doubles] = {}
    for size in range(len(row) + 1):
        for members in itertools.combinations(range(len(row)), size):
            mixed = background.copy()
            mixed[:, list(members)] = row[list(members)]
            worth[frozenset(members)] = function(mixed).mean(axis=0)
    shares = np.zeros((len(worth[frozenset()]), len(row)))
    for order in orders:
        for at, feature in enumerate(order):
            shares[:, feature] += worth[frozenset(order[: at + 1])] - worth[frozenset(order[:at])]
    return shares / len(orders)


@pytest.mark.parametrize("features", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("method", METHODS)
def test_few_features_are_explained_by_the_definition(features: int, method: Method) -> None:
    rows, background = _rows(4, features), _rows(5, features, 1)
    sampled = Sampled(Function(_bent), _table(background), SampledOptions(method=method))
    told = sampled.contributions(_table(rows))

    wanted = np.array([_by_orders(_bent, row, background) for row in rows])
    np.testing.assert_allclose(told.values, wanted, atol=1e-12)
    np.testing.assert_allclose(told.expected, _bent(background).mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(told.scores, _bent(rows))
    assert told.error is not None
    assert not told.error.any()
    assert isinstance(sampled, Explaining)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("samples", "features"), [(None, 6), (80, 25)])
def test_a_linear_model_has_a_closed_form(method: Method, samples: int | None, features: int) -> None:
    weights = _rows(2, features, 9)
    rows, background = _rows(6, features), _rows(4, features, 1)
    options = SampledOptions(method=method, samples=100 if samples else None)
    told = Sampled(Function(lambda x: x @ weights.T + 3), _table(background), options).contributions(
        _table(rows)
    )

    wanted = weights[None] * (rows - background.mean(axis=0))[:, None, :]
    np.testing.assert_allclose(told.values, wanted, atol=1e-9)
    assert told.error is not None
    assert told.error.max() < 1e-9


def test_it_agrees_with_the_kernel_explainer_of_shap() -> None:
    shap = _shap()
    rows, background = _rows(5, 6), _rows(10, 6, 1)
    told = Sampled(Function(_bent), _table(background), SampledOptions(method="kernel")).contributions(
        _table(rows)
    )
    theirs = shap.KernelExplainer(_bent, background)

    values = theirs.shap_values(rows, nsamples=2**6, l1_reg=False, silent=True)
    np.testing.assert_allclose(told.values, np.moveaxis(values, 2, 1), atol=1e-6)
    np.testing.assert_allclose(told.expected, theirs.expected_value, atol=1e-6)


def test_it_agrees_with_the_exact_and_the_permutation_explainer_of_shap() -> None:
    shap = _shap()
    rows, background = _rows(2, 6), _rows(4, 6, 1)
    told = Sampled(Function(_bent), _table(background)).contributions(_table(rows))
    masker = shap.maskers.Independent(background, max_samples=100)

    exact = shap.ExactExplainer(_bent, masker)(rows)
    np.testing.assert_allclose(told.values, np.moveaxis(exact.values, 2, 1), atol=1e-6)
    permuted = shap.PermutationExplainer(_bent, masker, seed=1)(rows, max_evals=60 * 13, silent=True)
    np.testing.assert_allclose(
        told.values, np.moveaxis(permuted.values, 2, 1), atol=0.1 * np.abs(told.values).max()
    )


def _shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("shap")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("use_logit", [False, True])
def test_contributions_add_up_on_either_scale(method: Method, use_logit: bool) -> None:
    def chance(matrix: Doubles) -> Doubles:
        raw = matrix[:, :1] * matrix[:, 1:2] + matrix[:, 2:].sum(axis=1, keepdims=True)
        return np.where(raw > 4, 1.0, 1 / (1 + np.exp(-raw)))

    rows, background = _rows(20, 16), _rows(3, 16, 1)
    options = SampledOptions(method=method, samples=120, use_logit=use_logit)
    told = Sampled(Function(chance), _table(background), options).contributions(_table(rows))

    held = np.clip(chance(rows), 1e-9, 1 - 1e-9)
    wanted = np.log(held / (1 - held)) if use_logit else chance(rows)
    np.testing.assert_allclose(told.scores, wanted, atol=1e-6)
    np.testing.assert_allclose(told.values.sum(axis=2), told.scores - told.expected, atol=1e-9)
    assert told.error is not None
    assert told.error.max() > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [7, 100_000])
@pytest.mark.parametrize(("background", "samples"), [(1, 60), (3, None), (40, 60)])
def test_rows_are_explained_alike_together_and_apart(
    method: Method, batch: int, background: int, samples: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, behind = _table(_rows(9, 7)), _table(_rows(background, 7, 1))
    options = SampledOptions(method=method, samples=samples)
    whole = Sampled(Function(_bent), behind, options).contributions(rows)
    monkeypatch.setattr(explaining, "BATCH", batch)
    parts = Sampled(Function(_bent), behind, options)
    some = [parts.contributions(rows.slice(at, many)) for at, many in ((0, 1), (1, 0), (1, 5), (6, 3))]

    np.testing.assert_array_equal(whole.values, np.concatenate([part.values for part in some]))
    np.testing.assert_array_equal(whole.scores, np.concatenate([part.scores for part in some]))
    np.testing.assert_array_equal(whole.error, np.concatenate([_errors(part) for part in some]))
    np.testing.assert_array_equal(whole.expected, some[0].expected)
    turned = parts.contributions(rows.take(pa.array(range(8, -1, -1))))
    np.testing.assert_array_equal(whole.values, turned.values[::-1])


def _errors(told: Contributions) -> Doubles:
    assert told.error is not None
    return told.error


def test_no_call_is_larger_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "BATCH", 500)
    model = Function(_bent)
    sampled = Sampled(model, _table(_rows(7, 8, 1)))
    sampled.contributions(_table(_rows(4, 8)))

    assert max(model.asked) <= 500
    assert min(model.asked[2:-1]) >= 200  # and none is small without need
    assert sum(model.asked) == 4 * (254 * 7 + 1) + 7 == sampled.model.spent


def test_several_rows_share_a_call() -> None:
    model = Function(_bent)
    Sampled(model, _table(_rows(1, 5, 1))).contributions(_table(_rows(100, 5)))

    assert model.asked == [1, 100, 100 * 30]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("samples", [None, 60])
def test_a_feature_that_is_the_same_everywhere_contributes_nothing(
    method: Method, samples: int | None
) -> None:
    rows, background = _rows(3, 9), _rows(4, 9, 1)
    background[:, 2] = 7.0
    background[:, 5] = np.nan
    rows[:2, 2], rows[:, 5] = 7.0, np.nan
    rows[1] = background[0] = background[1] = background[2] = background[3]

    def function(matrix: Doubles) -> Doubles:
        return _bent(np.nan_to_num(matrix, nan=1.5))

    told = Sampled(
        Function(function), _table(background), SampledOptions(method=method, samples=samples)
    ).contributions(_table(rows))
    assert not told.values[:2, :, 2].any()
    assert told.values[2, :, 2].any()
    assert not told.values[:, :, 5].any()
    assert not told.values[1].any()
    np.testing.assert_allclose(told.values.sum(axis=2), told.scores - told.expected, atol=1e-9)


def _all_types(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 3, size=(8, rows))
    return pa.table(
        {
            "text": pa.array([["red", "green", None][at] for at in some[0]]),
            "coded": pa.array([["a", "b", None][at] for at in some[1]]).dictionary_encode(),
            "flag": pa.array([[True, False, None][at] for at in some[2]]),
            "when": pa.array(some[3].astype("datetime64[D]")),
            "whole": pa.array([[1, 2, None][at] for at in some[4]], pa.int32()),
            "list": pa.array([[[1.0], [2.0, 3.0], None][at] for at in some[5]], pa.list_(pa.float64())),
            "wide": pa.array([f"t{at}" for at in some[6]], pa.large_string()),
            "exact": pa.array([[None, 1, 2][at] for at in some[7]], pa.decimal128(5, 2)),
        }
    )


def test_columns_of_any_type_are_mixed() -> None:
    rows, background = _all_types(3, 1), _all_types(2, 2)
    told = Sampled(Words(), background).contributions(rows)

    columns = [[*column.to_pylist()] for column in pa.concat_tables([rows, background]).columns]

    def by_place(places: Doubles) -> Doubles:
        table = {
            name: pa.array([column[int(at)] for at in place], rows.schema.field(name).type)
            for name, column, place in zip(rows.column_names, columns, places.T, strict=True)
        }
        return Words().scores(pa.table(table))

    # All eight by the definition would take long: what they add up to is checked, and two by themselves.
    np.testing.assert_allclose(told.values.sum(axis=2), told.scores - told.expected, atol=1e-9)
    two = Sampled(Words(), background, SampledOptions(features_to_explain=("coded", "list")))
    for row in range(3):
        told_two = two.contributions(rows.slice(row, 1)).values[0][:, [1, 5]]
        behind = np.tile(np.full(8, float(row)), (2, 1))

        def of_two(pair: Doubles, behind: Doubles = behind) -> Doubles:
            places = behind.copy()
            places[:, [1, 5]] = pair
            return by_place(places)

        wanted = _by_orders(of_two, np.full(2, float(row)), np.array([[3.0, 3.0], [4.0, 4.0]]))
        np.testing.assert_allclose(told_two, wanted, atol=1e-12)


def test_features_that_are_left_out_keep_the_rows_own_value() -> None:
    rows, background = _rows(4, 6), _rows(5, 6, 1)
    options = SampledOptions(features_to_explain=("f4", "f1", "f2"))
    sampled = Sampled(Function(_bent), _table(background), options)
    needed = sampled.rows_needed(4)
    told = sampled.contributions(_table(rows))

    for row, values in zip(rows, told.values, strict=True):

        def of_three(three: Doubles, row: Doubles = row) -> Doubles:
            mixed = np.tile(row, (len(three), 1))
            mixed[:, [1, 2, 4]] = three
            return _bent(mixed)

        wanted = _by_orders(of_three, row[[1, 2, 4]], background[:, [1, 2, 4]])
        np.testing.assert_allclose(values[:, [1, 2, 4]], wanted, atol=1e-12)
        assert not values[:, [0, 3, 5]].any()
    assert sampled.model.spent == needed == 4 * (7 * 5 + 1) + 5
    one = Sampled(Function(_bent), _table(background), SampledOptions(features_to_explain=("f0",)))
    assert one.contributions(_table(rows)).values[:, :, 0].all()


def test_the_background_takes_the_types_of_the_rows() -> None:
    rows = pa.table({"a": pa.array([1, 2]), "b": pa.array(["x", "y"]).dictionary_encode()})
    model = Function(lambda matrix: matrix[:, :1])
    whole = pa.table({"a": [3.0, 4.0], "b": ["x", "z"]})
    broken = pa.table({"a": [3.5, 4.0], "b": ["x", "z"]})
    words = Words()

    assert Sampled(words, whole).contributions(rows).values.shape == (2, 2, 2)
    rows, whole, broken = rows.select(["a"]), whole.select(["a"]), broken.select(["a"])
    Sampled(model, whole).contributions(rows)
    assert {schema.field("a").type for schema in model.schemas} == {pa.int64()}
    model.schemas.clear()
    Sampled(model, broken).contributions(rows)
    assert {schema.field("a").type for schema in model.schemas} == {pa.float64()}
    with pytest.raises(ModelError, match="columns of other types"):
        Sampled(model, pa.table({"a": ["x"]})).contributions(rows)
    with pytest.raises(ModelError, match="not those of the background"):
        Sampled(model, whole).contributions(pa.table({"b": [1.0]}))


@pytest.mark.parametrize("features_to_explain", [(), ("f0", "f3", "f5")])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("samples", [None, 60])
def test_a_budget_is_told_and_kept(
    method: Method, samples: int | None, features_to_explain: tuple[str, ...]
) -> None:
    model, background = Function(_bent), _table(_rows(3, 8, 1))
    options = SampledOptions(
        method=method, samples=samples, features_to_explain=features_to_explain, budget=2000
    )
    sampled = Sampled(model, background, options)
    some = sampled.affordable()
    assert sampled.rows_needed(some) <= 2000 < sampled.rows_needed(some + 1)

    rows = _table(_rows(some + 1, 8))
    with pytest.raises(ModelError, match=r"a function: this takes .* rows to be scored, and 2,000 are left"):
        sampled.contributions(rows)
    assert model.asked == []
    wanted = sampled.rows_needed(some)
    sampled.contributions(rows.slice(0, 1))
    assert sampled.affordable() == some - 1
    sampled.contributions(rows.slice(1, some - 1))
    assert sum(model.asked) == sampled.model.spent == wanted
    assert sampled.affordable() == 0
    assert sampled.model.left == 2000 - wanted


def test_partial_dependence_spends_the_same_budget() -> None:
    rows = _table(_rows(10, 3))
    sampled = Sampled(Function(_bent), rows.slice(0, 1), SampledOptions(budget=200))
    partial_dependence(sampled.model, rows, "f1", grid_of(rows["f1"]))

    assert sampled.model.left == 50
    assert sampled.affordable() == 49 // 7
    with pytest.raises(ModelError, match="150 rows to be scored, and 50 are left"):
        partial_dependence(sampled.model, rows, "f1", grid_of(rows["f1"]))
    assert sampled.model.left == 50


def test_without_a_budget_there_is_no_end_and_budgets_nest() -> None:
    background = _table(_rows(1, 3))

    assert Sampled(Function(_bent), background).affordable() > sys.maxsize // 10
    outer = Metered(Function(_bent), 20)
    inner = Sampled(outer, background, SampledOptions(budget=1000))
    assert inner.model.left == 20
    assert inner.affordable() == 19 // 7
    inner.contributions(_table(_rows(2, 3)))
    assert (outer.spent, outer.left, inner.model.left) == (15, 5, 5)
    assert (outer.name, outer.kind, outer.features, outer.labels) == ("a function", "Python", (), ())
    assert Sampled(Function(_bent), background, SampledOptions(budget=0)).affordable() == 0


@given(st.integers(1, 14), st.integers(1, 4), st.sampled_from(METHODS), st.integers(0, 10**6))
def test_laws_of_contributions(features: int, background: int, method: Method, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, size=(3, features)).astype(float)
    behind = rng.integers(-1, 2, size=(background, features)).astype(float)
    samples = int(rng.integers(4 * features, 8 * features)) if features > 4 else None
    options = SampledOptions(method=method, samples=samples, seed=seed)
    told = Sampled(Function(_bent), _table(behind), options).contributions(_table(rows))

    assert told.values.shape == (3, 2, features)
    np.testing.assert_allclose(told.values.sum(axis=2), told.scores - told.expected, atol=1e-9)
    same = (behind == behind[0]).all(axis=0) & (rows == behind[0])
    assert not told.values[np.broadcast_to(same[:, None], told.values.shape)].any()


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (lambda matrix: matrix[:, 0], r"shape \(\d+,\) for \d+ rows"),
        (lambda matrix: matrix[:-1], "it gave scores of shape"),
        (lambda matrix: matrix[:, :0], "it gave scores of shape"),
        (lambda matrix: matrix * np.nan, "no finite number"),
        (lambda matrix: np.ones((len(matrix), 1 + (len(matrix) > 2))), "of more labels at one time"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(of: Callable[[Doubles], Doubles], why: str) -> None:
    sampled = Sampled(Function(of), _table(_rows(2, 3)))
    with pytest.raises(ModelError, match=why):
        sampled.contributions(_table(_rows(5, 3)))


def test_log_odds_need_probabilities() -> None:
    sampled = Sampled(Function(_bent), _table(_rows(9, 3)), SampledOptions(use_logit=True))
    with pytest.raises(ModelError, match="log-odds need scores in"):
        sampled.contributions(_table(_rows(5, 3)))


def test_options_are_checked_when_they_are_built() -> None:
    with pytest.raises(OptionError, match="did you mean 'kernel'"):
        SampledOptions(method="kernal")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="samples: got '0'"):
        SampledOptions(samples=0)
    with pytest.raises(OptionError, match="seed: got '-1'"):
        SampledOptions(seed=-1)
    with pytest.raises(OptionError, match="budget: got '-1'"):
        SampledOptions(budget=-1)
    with pytest.raises(OptionError, match="got 'a', expected each feature once"):
        SampledOptions(features_to_explain=("b", "a", "a"))
    with pytest.raises(OptionError, match="did you mean 'f1'"):
        Sampled(Function(_bent), _table(_rows(1, 3)), SampledOptions(features_to_explain=("f11",)))
    with pytest.raises(OptionError, match="38 or more for 20 features by permutation"):
        Sampled(Function(_bent), _table(_rows(1, 20)), SampledOptions(samples=37))
    for empty in (_table(_rows(0, 3)), pa.table({})):
        with pytest.raises(ModelError, match="a background of 1 row and 1 feature"):
            Sampled(Function(_bent), empty)


def test_no_rows_have_no_contributions() -> None:
    told = Sampled(Function(_bent), _table(_rows(2, 3))).contributions(_table(_rows(0, 3)))

    assert told.values.shape == (0, 2, 3)
    assert told.scores.shape == (0, 2)
    assert told.expected.shape == (2,)


def test_partial_dependence_is_the_mean_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependence, "BATCH", 30)
    rows = _rows(70, 4)
    grid = grid_of(_table(rows)["f2"])
    means = partial_dependence(Function(_bent), _table(rows), "f2", grid)

    edges = np.linspace(rows[:, 2].min(), rows[:, 2].max(), 16)
    np.testing.assert_allclose(grid.values.to_numpy(), (edges[1:] + edges[:-1]) / 2)
    np.testing.assert_allclose(grid.distribution, np.histogram(rows[:, 2], edges)[0] / 70)
    for value, mean in zip(grid.values.to_pylist(), means, strict=True):
        there = rows.copy()
        there[:, 2] = value
        np.testing.assert_allclose(mean, _bent(there).mean(axis=0))


def test_grids_of_categories_hold_the_most_frequent() -> None:
    texts = pa.chunked_array([["b", "a", None], ["a", "c", "a", "b"]])
    grid = grid_of(texts, categories=2)

    assert grid.values.to_pylist() == ["a", "b"]
    assert not grid.numerical
    np.testing.assert_allclose(grid.distribution, [3 / 6, 2 / 6])
    for column in (texts.dictionary_encode().unify_dictionaries(), pa.array([True, None, False])):
        grid = grid_of(column)
        table = pa.table({"x": column, "n": range(len(column))})
        means = partial_dependence(Words(), table, "x", grid)
        for value, mean in zip(grid.values.to_pylist(), means, strict=True):
            one = pa.table({"x": pa.array([value] * len(column)), "n": table["n"]})
            np.testing.assert_allclose(mean, Words().scores(one).mean(axis=0))


def test_grids_of_odd_columns() -> None:
    always, nothing = grid_of(pa.array([4, 4, None])), grid_of(pa.array([None, np.nan, np.inf], pa.float64()))

    assert (always.values.to_pylist(), always.distribution.tolist()) == ([4.0], [1.0])
    assert (len(nothing.values), nothing.numerical) == (0, True)
    assert len(grid_of(pa.array([None, None], pa.string())).values) == 0
    rows = _table(_rows(3, 2))
    assert partial_dependence(Function(_bent), rows, "f0", nothing).shape == (0, 0)
    with pytest.raises(OptionError, match="expected numbers or categories"):
        grid_of(pa.array([[1], [2]]))
    for wrong in ({"buckets": 0}, {"categories": 0}):
        with pytest.raises(OptionError, match="expected 1 or more"):
            grid_of(pa.array([1]), **wrong)
    with pytest.raises(OptionError, match="did you mean 'f0'"):
        partial_dependence(Function(_bent), rows, "f00", always)
    with pytest.raises(ModelError, match="needs 1 row"):
        partial_dependence(Function(_bent), rows.slice(0, 0), "f0", always)


def test_whole_numbers_stay_whole_where_the_grid_is() -> None:
    rows = pa.table({"a": pa.array([1, 3], pa.int32()), "b": [1.0, 2.0]})
    model = Function(_bent)
    partial_dependence(model, rows, "a", Grid(pa.array([1.0, 3.0]), True, np.array([0.5, 0.5])))
    partial_dependence(model, rows, "a", grid_of(rows["a"], buckets=4))

    assert [schema.field("a").type for schema in model.schemas] == [pa.int32()] * 2 + [pa.float64()] * 4
