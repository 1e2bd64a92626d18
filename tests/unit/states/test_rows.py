import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import StateError
from watchkeep.states.codec import decode, encode, restore
from watchkeep.states.rows import ROWS, SAMPLE, FeatureSums, RowSample, ScoreSums, levels_of
from watchkeep.stats.fourier import features
from watchkeep.stats.hashing import mixed

Doubles = npt.NDArray[np.float64]
RNG = np.random.default_rng(6)
FREQUENCIES = RNG.normal(size=(3, 8)).astype(np.float32)


def hashed(n: int) -> tuple[npt.NDArray[np.uint64], Doubles]:
    return mixed(np.arange(n, dtype=np.uint64)), RNG.normal(size=(n, 3))


@given(st.integers(0, 2**64 - 1))
def test_the_level_of_a_hash_is_its_leading_zero_bits(value: int) -> None:
    level = int(levels_of(np.array([value], np.uint64))[0])

    exact = min(63, 64 - value.bit_length())
    assert level in (exact, exact - 1 if value > 2**53 else exact)


@pytest.mark.parametrize("n", [10, ROWS, 30_000])
@pytest.mark.parametrize("pieces", [1, 3, 40])
def test_a_sample_is_the_same_whatever_the_order_and_grouping_of_rows(n: int, pieces: int) -> None:
    hashes, rows = hashed(n)
    order = RNG.permutation(n)
    whole = RowSample.of(hashes, rows)

    parts = [RowSample.of(hashes[part], rows[part]) for part in np.array_split(order, pieces)]

    assert RowSample.empty(3).merge(*parts) == whole
    assert len(whole.hashes) <= ROWS
    assert n <= ROWS or len(whole.hashes) > ROWS / 4


@pytest.mark.parametrize("pieces", [1, 3, 40])
def test_feature_sums_are_the_same_whatever_the_order_and_grouping_of_rows(pieces: int) -> None:
    hashes, rows = hashed(20_000)
    levels, order = levels_of(hashes), RNG.permutation(20_000)
    whole = FeatureSums.of(levels, rows, FREQUENCIES)

    parts = [FeatureSums.of(levels[part], rows[part], FREQUENCIES) for part in np.array_split(order, pieces)]
    merged = FeatureSums.empty(16).merge(*parts)

    assert merged.level == whole.level
    assert np.array_equal(merged.counts, whole.counts)
    # A row's features are single precision, and a block of rows may round them by its own size.
    assert merged.mean() == pytest.approx(whole.mean(), abs=1e-6)


def test_the_sums_tell_the_mean_features_of_the_sampled_rows() -> None:
    hashes, rows = hashed(20_000)
    sums = FeatureSums.of(levels_of(hashes), rows, FREQUENCIES)
    kept = levels_of(hashes) >= sums.level

    assert sums.rows == kept.sum() <= SAMPLE
    assert sums.mean() == pytest.approx(features(rows[kept], FREQUENCIES).mean(axis=0), abs=1e-6)


def test_a_sample_and_the_sums_of_the_same_rows_keep_the_same_ones() -> None:
    hashes, rows = hashed(50_000)

    sample, sums = RowSample.of(hashes, rows), ScoreSums.of(levels_of(hashes), np.clip(rows, -4, 4))

    assert (sample.level, len(sample.hashes)) == (sums.level, sums.rows)


@pytest.mark.parametrize("pieces", [1, 3, 40])
@pytest.mark.parametrize("n", [0, 7, 20_000])
def test_score_sums_are_the_same_whatever_the_order_and_grouping_of_rows(n: int, pieces: int) -> None:
    hashes, rows = hashed(n)
    levels, scores, order = levels_of(hashes), np.clip(rows, -4, 4), RNG.permutation(n)
    whole = ScoreSums.of(levels, scores)

    parts = [ScoreSums.of(levels[part], scores[part]) for part in np.array_split(order, pieces)]

    assert ScoreSums.empty(3).merge(*parts) == whole
    assert restore(ScoreSums, encode(whole.fields())) == whole


def test_score_sums_tell_means_and_products_to_a_step() -> None:
    hashes, rows = hashed(5_000)
    scores = np.rint(np.clip(rows, -4, 4) * 64) / 64

    total = ScoreSums.of(levels_of(hashes), scores).total()

    products = (scores.T @ scores)[np.triu_indices(3)]
    assert total == pytest.approx([5_000, *scores.sum(axis=0), *products])


def test_sums_of_different_scores_do_not_merge() -> None:
    with pytest.raises(StateError, match="different scores"):
        ScoreSums.empty(2).merge(ScoreSums.empty(3))


@pytest.mark.parametrize("wrong", [{"width": 10**6}, {"level": 64}, {"sums": np.full(4, -1)}])
def test_what_is_no_score_sums_is_refused(wrong: dict[str, object]) -> None:
    fields = decode(encode(ScoreSums.of(levels_of(hashed(9)[0]), np.zeros((9, 1))).fields()))
    with pytest.raises(StateError):
        restore(ScoreSums, encode({**fields, **wrong}))  # type: ignore[dict-item]


def test_rows_that_share_a_hash_and_differ_elsewhere_have_one_order() -> None:
    hashes = np.array([5, 5, 5, 9], np.uint64)
    rows = np.array([[1.0, np.nan], [1.0, 2.0], [2.0, 1.0], [0.0, 0.0]])

    one = RowSample.of(hashes, rows)
    other = RowSample.of(hashes[::-1].copy(), rows[::-1].copy())

    assert one == other


def test_no_rows_have_a_mean_of_zeros() -> None:
    assert FeatureSums.empty(4).mean().tolist() == [0, 0, 0, 0]
