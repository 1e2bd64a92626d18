import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from watchkeep.stats.subgroup_evidence import Doubles, Rate, evidence, savage_scores


def sums_of(scores: Doubles, weights: Doubles, inside: Doubles) -> Doubles:
    kept = weights * inside
    return np.array([kept.sum(), (kept * weights).sum(), (kept * scores).sum()])


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=40, unique=True))
def test_savage_scores_are_expected_exponential_order_statistics(losses: list[float]) -> None:
    n = len(losses)
    expected = [sum(1 / (n - j) for j in range(i + 1)) - 1 for i in range(n)]

    scores = savage_scores(np.array(losses))

    assert scores[np.argsort(losses)].tolist() == pytest.approx(expected)
    assert abs(scores.sum()) < 1e-9


def test_equal_losses_have_equal_scores_and_zero_one_losses_keep_their_shape() -> None:
    loss = np.repeat([0.0, 1.0], [70, 30])
    scores = savage_scores(loss)

    assert len(np.unique(scores)) == 2
    assert np.corrcoef(loss, scores)[0, 1] == pytest.approx(1)


@given(st.integers(1, 99), st.integers(60, 400), st.integers(0, 60))
def test_for_losses_of_zero_and_one_the_evidence_is_the_binomial_likelihood_ratio(
    wrong: int, rows: int, inside: int
) -> None:
    hits, n = min(inside, wrong), 60
    loss = np.repeat([1.0, 0.0], [wrong, rows])
    chosen = np.zeros(len(loss))
    chosen[:hits] = 1
    chosen[wrong : wrong + n - hits] = 1
    one = np.ones(len(loss))

    told = evidence(sums_of(loss, one, chosen)[None, :, None], sums_of(loss, one, one)[None], Rate(loss))[0]

    usual = wrong / len(loss)
    exact = stats.binom.logpmf(hits, n, hits / n) - stats.binom.logpmf(hits, n, usual)
    assert told == (pytest.approx(exact, rel=1e-3, abs=1e-6) if hits / n > usual else -np.inf)


@pytest.mark.parametrize("mean", [-0.9, -0.3, 0.02, 0.8, 2.5])
def test_the_rate_is_the_legendre_transform_of_the_scores(mean: float) -> None:
    scores = savage_scores(np.arange(400.0))
    rate = Rate(scores)

    def lacking(tilt: float) -> float:
        return float(np.log(np.mean(np.exp(tilt * scores))) - tilt * mean)

    exact = -float(optimize.minimize_scalar(lacking, bounds=(-60, 60), method="bounded").fun)
    assert float(rate(np.array([mean]))[0]) == pytest.approx(exact, rel=2e-3, abs=1e-6)


def test_many_scores_are_stood_for_by_few_levels_without_moving_mean_or_tail() -> None:
    scores = savage_scores(np.random.default_rng(0).random(50_000))
    rate = Rate(scores)

    assert rate.mean == pytest.approx(0, abs=1e-9)
    assert rate.variance == pytest.approx(scores.var(), rel=1e-3)
    assert rate.highest == pytest.approx(scores.max(), rel=1e-6)


def test_weights_count_as_the_rows_they_are_worth() -> None:
    random = np.random.default_rng(1)
    loss = (random.random(2000) < 0.2).astype(float)
    chosen = (np.arange(2000) < 300).astype(float)
    loss[:300] = random.random(300) < 0.35
    rate = Rate(loss)
    once, twice = np.ones(2000), np.full(2000, 2.0)

    def told(weights: Doubles) -> float:
        totals = sums_of(loss, weights, once)[None]
        return float(evidence(sums_of(loss, weights, chosen)[None, :, None], totals, rate)[0])

    assert told(twice) == pytest.approx(told(once))  # a scale of weights is no information


def test_a_rise_is_judged_against_the_rise_of_all() -> None:
    random = np.random.default_rng(2)
    inside = (np.arange(4000) % 4 == 0).astype(float)
    one = np.ones(4000)

    def told(extra: float) -> float:
        now = (random.random(4000) < 0.3 + extra * inside).astype(float)
        before = (random.random(4000) < 0.1).astype(float)
        rate = Rate(np.concatenate([now, before]))
        sums = np.stack([sums_of(now, one, inside), sums_of(before, one, inside)])[:, :, None]
        return float(evidence(sums, np.stack([sums_of(now, one, one), sums_of(before, one, one)]), rate)[0])

    assert told(0.0) < 4
    assert told(0.2) > 15
    assert told(-0.2) == -np.inf


def test_a_few_losses_where_none_were_do_not_outweigh_many_elsewhere() -> None:
    rate = Rate(np.repeat([0.0, 1.0], [800, 200]))
    n = (np.array([400.0, 400.0]), np.array([400.0, 400.0]))

    corner, middle = rate.ratio(n, (np.array([0.05, 0.35]), np.array([0.0, 0.2]))).tolist()

    assert corner == pytest.approx(0.05**2 * 200 / (2 * 0.16), rel=1e-3)
    exact = stats.chi2_contingency(
        [[140, 260], [80, 320]], correction=False, lambda_="log-likelihood"
    ).statistic
    assert middle == pytest.approx(exact / 2, rel=1e-3)
    assert middle > 5 * corner
