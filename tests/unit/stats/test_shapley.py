"""Shapley values against their definition (sums over all orders), and errors against repeated draws."""

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import OptionError
from watchkeep.stats.shapley import Design, Method, design, fewest_samples, usual_samples

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Game = Callable[[Mask], Doubles]
METHODS: tuple[Method, ...] = ("kernel", "permutation")


def _by_orders(game: Game, players: int) -> Doubles:
    """The definition: what each player adds, averaged over all orders."""
    orders = list(itertools.permutations(range(players)))
    shares = np.zeros(players)
    for order in orders:
        there = np.zeros(players, dtype=np.bool_)
        for player in order:
            before = float(game(there[None])[0])
            there[player] = True
            shares[player] += float(game(there[None])[0]) - before
    shares /= len(orders)
    return shares


def _divided(game: Game, players: int, asked: Design, idle: Mask | None = None) -> tuple[Doubles, Doubles]:
    return asked.divide(
        game(asked.coalitions),
        nobody=float(game(np.zeros((1, players), dtype=np.bool_))[0]),
        everybody=float(game(np.ones((1, players), dtype=np.bool_))[0]),
        idle=np.zeros(players, dtype=np.bool_) if idle is None else idle,
    )


def _table_game(worths: Doubles) -> Game:
    """A game that looks the worth of each coalition up."""

    def game(members: Mask) -> Doubles:
        found: Doubles = worths[(members << np.arange(members.shape[1])).sum(axis=1)]
        return found

    return game


def _tangled(players: int, seed: int = 1) -> Game:
    """A game of pairs and triples, and a curve over all of them."""
    rng = np.random.default_rng(seed)
    pairs, triples = rng.normal(size=(players,) * 2), rng.normal(size=(players,) * 3)

    def game(members: Mask) -> Doubles:
        z = members.astype(float)
        bent = np.tanh(z @ pairs.sum(axis=1) * 0.3)
        tangled: Doubles = (
            2
            + bent
            + np.einsum("ni,nj,ij->n", z, z, pairs) * 0.3
            + np.einsum("ni,nj,nk,ijk->n", z, z, z, triples) * 0.03
        )
        return tangled

    return game


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("players", range(1, 7))
def test_with_all_coalitions_they_are_the_mean_over_all_orders(players: int, method: Method) -> None:
    shares, error = _divided(_tangled(players), players, design(players, method=method))

    np.testing.assert_allclose(shares, _by_orders(_tangled(players), players), atol=1e-12)
    assert not error.any()


def test_kernel_shap_of_nearly_all_coalitions_is_nearly_exact() -> None:
    players = 6
    asked = design(players, method="kernel", samples=61)  # all but one, the deterministic sizes first
    shares, error = _divided(_tangled(players), players, asked)

    exact = _divided(_tangled(players), players, design(players, method="kernel"))[0]
    assert len(asked.coalitions) == 60
    np.testing.assert_allclose(shares, exact, atol=4 * error.max())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("samples", [60, 150, 400])
def test_errors_are_those_of_repeated_draws(method: Method, samples: int) -> None:
    players = 9
    game = _tangled(players)
    exact = _divided(game, players, design(players, method=method))[0]
    drawn = [
        _divided(game, players, design(players, method=method, samples=samples, seed=seed))
        for seed in range(400)
    ]

    missed = np.array([shares for shares, _ in drawn]) - exact
    stated = np.array([error for _, error in drawn])
    ratio = np.sqrt((stated**2).mean(axis=0) / (missed**2).mean(axis=0))
    assert np.abs(missed.mean(axis=0)).max() < np.sqrt((missed**2).mean()) / 3
    assert ratio.min() > 0.85
    assert ratio.max() < 1.3


@pytest.mark.parametrize("method", METHODS)
def test_a_sum_is_divided_exactly_by_any_draw(method: Method) -> None:
    weights = np.random.default_rng(0).normal(size=30) * 100
    asked = design(30, method=method, samples=fewest_samples(30, method), seed=5)
    shares, error = _divided(lambda members: members @ weights + 7.0, 30, asked)

    np.testing.assert_allclose(shares, weights, atol=1e-9)
    assert error.max() < 1e-9


def test_one_pair_of_orders_is_exact_where_players_work_in_pairs() -> None:
    pairs = np.random.default_rng(3).normal(size=(14, 14))

    def game(members: Mask) -> Doubles:
        value: Doubles = np.einsum("ni,nj,ij->n", members, members, pairs, dtype=np.float64, casting="unsafe")
        return value

    shares, _ = _divided(game, 14, design(14, method="permutation", samples=26))

    np.testing.assert_allclose(shares, (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2, atol=1e-9)


small = st.integers(2, 6)
seeds = st.integers(0, 2**32 - 1)


def _any_design(players: int, method: Method, samples: float, seed: int) -> Design:
    low, high = fewest_samples(players, method), 2**players - 2
    return design(players, method=method, samples=int(low + samples * (high - low)), seed=seed)


@given(small, seeds, st.sampled_from(METHODS), st.floats(0, 1))
def test_shares_add_up(players: int, seed: int, method: Method, samples: float) -> None:
    game = _table_game(np.random.default_rng(seed).normal(size=2**players) * 10)
    shares, _ = _divided(game, players, _any_design(players, method, samples, seed))

    total = game(np.ones((1, players), bool)) - game(np.zeros((1, players), bool))
    assert shares.sum() == pytest.approx(total[0], abs=1e-9)


@given(small, seeds)
def test_players_who_add_the_same_get_the_same(players: int, seed: int) -> None:
    worths = np.random.default_rng(seed).normal(size=2**players)
    numbers = np.arange(2**players)
    swapped = (numbers & ~3) | (numbers & 1) << 1 | (numbers & 2) >> 1
    game = _table_game(worths + worths[swapped])
    shares, _ = _divided(game, players, design(players, method="kernel"))

    assert shares[0] == pytest.approx(shares[1], abs=1e-9)


@given(small, seeds, st.sampled_from(METHODS), st.floats(0, 1), st.booleans())
def test_a_player_who_changes_nothing_gets_nothing(
    players: int, seed: int, method: Method, samples: float, known: bool
) -> None:
    game = _table_game(np.random.default_rng(seed).normal(size=2**players)[np.arange(2**players) & ~1])
    idle = np.zeros(players, dtype=np.bool_)
    idle[0] = known
    asked = _any_design(players, method, samples, seed)
    shares, error = _divided(game, players, asked, idle)

    if known:
        assert shares[0] == error[0] == 0
        total = game(np.ones((1, players), bool)) - game(np.zeros((1, players), bool))
        assert shares.sum() == pytest.approx(total[0], abs=1e-9)
    elif method == "permutation" or not error.any():
        assert shares[0] == pytest.approx(0, abs=1e-9)


def test_where_nobody_changes_anything_all_get_nothing() -> None:
    for method in METHODS:
        asked = design(6, method=method, samples=40)
        shares, error = _divided(lambda members: np.full(len(members), 3.0), 6, asked, np.ones(6, bool))
        assert not shares.any()
        assert not error.any()


@given(st.integers(4, 70), seeds, st.sampled_from(METHODS), st.integers(0, 300))
def test_designs_hold_no_coalition_twice_and_keep_to_their_samples(
    players: int, seed: int, method: Method, more: int
) -> None:
    samples = fewest_samples(players, method) + more
    asked = design(players, method=method, samples=samples, seed=seed)
    again = design(players, method=method, samples=samples, seed=seed)
    sizes = asked.coalitions.sum(axis=1)

    assert len(asked.coalitions) <= samples
    assert len({members.tobytes() for members in asked.coalitions}) == len(sizes)
    assert sizes.min() >= 1
    assert sizes.max() < players
    np.testing.assert_array_equal(asked.coalitions, again.coalitions)


def test_many_sets_of_players_without_effect_do_not_mix() -> None:
    asked = design(8, method="kernel", samples=60)
    weights = np.arange(1.0, 9.0)
    for number in range(200):
        idle = (number >> np.arange(8) & 1).astype(bool)
        numbers = weights * ~idle
        worth = asked.coalitions @ numbers
        shares, _ = asked.divide(worth, nobody=0.0, everybody=numbers.sum(), idle=idle)
        np.testing.assert_allclose(shares, numbers, atol=1e-9)


def test_the_usual_samples_are_those_that_clarify_documents() -> None:
    assert [usual_samples(players) for players in (1, 2, 10, 11, 12, 20, 100)] == [
        0, 2, 1022, 2046, 2072, 2088, 2248,
    ]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_too_few_samples_are_refused(method: Method) -> None:
    with pytest.raises(OptionError, match=rf"{fewest_samples(20, method)} or more for 20 features by"):
        design(20, method=method, samples=fewest_samples(20, method) - 1)
