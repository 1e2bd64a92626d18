import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.states.bins import BinCounts, Bins, BinTally
from watchkeep.states.cells import SLOTS, Cells, cell_high, cell_low, keys_of, span, values_of
from watchkeep.states.distinct import Distinct, DistinctTally
from watchkeep.states.tallies import CellTally, Grid, Reach
from watchkeep.stats.hashing import hash_doubles
from watchkeep.stats.scratch import CHUNK, Scratch

Doubles = npt.NDArray[np.float64]
DENORMAL = 5e-324


def families() -> dict[str, Doubles]:
    rng = np.random.default_rng(11)
    n = 3_000
    normal = rng.normal(size=n)
    edges = np.array([np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 1e-308, -1e-308, DENORMAL, -DENORMAL])
    return {
        "normal": normal,
        "lognormal": rng.lognormal(0, 3, n),
        "negative": -rng.lognormal(0, 1, n),
        "narrow and far from zero": 1e9 + normal,
        "narrow and far below zero": -1e9 + normal,
        "integers": rng.integers(-50, 50, n).astype(np.float64),
        "zeros of both signs": np.where(normal > 0, 0.0, -0.0),
        "constant": np.full(n, 42.0),
        "heavy tails": rng.standard_cauchy(n),
        "all magnitudes": np.sign(normal) * 10.0 ** rng.uniform(-320, 308, n),
        "denormals": rng.integers(-(2**20), 2**20, n) * DENORMAL,
        "with infinities": np.where(
            rng.random(n) < 0.01, np.inf, np.where(rng.random(n) < 0.01, -np.inf, normal)
        ),
        "extremes of a double": rng.choice(edges, n),
        "a trend that leaves its first range": np.linspace(1, 1e6, n),
        "an outlier at the end": np.append(normal, 1e300),
    }


FAMILIES = families()
EACH_FAMILY = pytest.mark.parametrize("values", FAMILIES.values(), ids=FAMILIES)


@EACH_FAMILY
@pytest.mark.parametrize("size", [11, 1_000, CHUNK])
@pytest.mark.parametrize("limit", [64, 16_384])
def test_a_tally_holds_the_cells_of_all_it_was_given_however_it_came(
    values: Doubles, size: int, limit: int
) -> None:
    tally = CellTally(limit)

    for start in range(0, len(values), size):
        tally.add(values[start : start + size])

    assert tally.cells() == Cells.of(values, limit=limit)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(allow_nan=False), max_size=20), max_size=8), st.sampled_from([4, 16, 16_384])
)
def test_a_tally_holds_the_cells_of_any_arrays(parts: list[list[float]], limit: int) -> None:
    tally = CellTally(limit)

    for part in parts:
        tally.add(np.array(part, np.float64))

    assert tally.cells() == Cells.of(np.array([x for part in parts for x in part], np.float64), limit=limit)


@EACH_FAMILY
def test_every_value_lies_in_its_cell_and_is_counted_once(values: Doubles) -> None:
    cells = Cells.of(values)
    held = keys_of(values) >> cells.shift

    assert cells.total == len(values)
    assert np.isin(held, cells.keys).all()
    low, high = cell_low(held, cells.shift), cell_high(held, cells.shift)
    assert ((low <= values) & (values <= high)).all()


@EACH_FAMILY
def test_cells_are_few_and_close_enough_to_be_counted_in_a_dense_array(values: Doubles) -> None:
    cells = Cells.of(values)

    assert len(cells.keys) <= cells.limit
    assert span(cells.keys, cells.shift) <= SLOTS
    assert (np.diff(cells.keys.astype(object)) > 0).all()


def test_a_column_of_few_values_keeps_each_in_a_cell_of_its_own() -> None:
    values = np.array([0.5, 0.25, 0.25, 1e6, -7.25, 0.0, -7.25, -7.25])

    cells = Cells.of(values)

    assert cells.counts.tolist() == [3, 1, 2, 1, 1]
    assert cells.lows() == pytest.approx([-7.25, 0.0, 0.25, 0.5, 1e6], rel=1e-3)


@given(st.lists(st.floats(allow_nan=False), min_size=2))
def test_keys_keep_the_order_of_values_and_give_them_back(values: list[float]) -> None:
    array = np.array(values) + 0.0
    keys = keys_of(array)

    assert np.array_equal(values_of(keys), array)
    assert np.array_equal(keys[:, None] < keys[None, :], array[:, None] < array[None, :])


def test_both_zeros_are_one_value() -> None:
    assert Cells.of(np.array([-0.0, 0.0])) == Cells.of(np.array([0.0, 0.0]))


@EACH_FAMILY
def test_a_grid_places_every_value_it_was_laid_out_for_in_the_slot_of_its_cell(values: Doubles) -> None:
    clean = values + 0.0
    cells = Cells.of(clean)
    grid = Grid(Reach.of(clean), cells.shift)

    slots = grid.slots_of(clean)

    assert (slots < grid.size).all()
    assert np.array_equal(grid.keys_at(slots.astype(np.int64)), keys_of(clean) >> cells.shift)


def bins_of(values: Doubles) -> Bins:
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        return Bins.of(Cells.of(values), mean=float(finite.mean()), deviation=float(finite.std()))


@EACH_FAMILY
@pytest.mark.parametrize("other", FAMILIES.values(), ids=FAMILIES)
def test_values_are_counted_in_the_bin_they_lie_in_and_strangers_beyond(
    values: Doubles, other: Doubles
) -> None:
    bins = bins_of(values)
    tally = BinTally(bins)
    window = other[-1_500:]

    tally.add(np.ascontiguousarray(window[:700]))
    tally.add(np.ascontiguousarray(window[700:]))
    counts = tally.counts()

    # By plain search among the edges, one value at a time as it were.
    places = np.searchsorted(bins.edges, keys_of(window) >> bins.shift, side="right") - 1
    inside = places[(places >= 0) & (places < len(bins))]
    assert np.array_equal(counts.counts, np.bincount(inside, minlength=len(bins)))
    assert (counts.below.total, counts.above.total) == ((places < 0).sum(), (places >= len(bins)).sum())


@EACH_FAMILY
def test_a_baseline_finds_its_own_values_in_its_bins(values: Doubles) -> None:
    bins = bins_of(values)
    tally = BinTally(bins)

    tally.add(values)

    assert np.array_equal(tally.counts().counts, bins.counts)
    assert tally.counts().total == bins.total == len(values)


def test_without_baseline_numbers_every_value_is_a_stranger() -> None:
    tally = BinTally(Bins.of(Cells.empty(), mean=0.0, deviation=0.0))

    tally.add(np.array([1.0, -2.0, np.inf]))

    assert tally.counts().total == tally.counts().above.total == 3


def test_no_values_leave_the_identity() -> None:
    tally = BinTally(bins_of(np.array([1.0, 2.0])))

    tally.add(np.zeros(0))

    assert tally.counts() == BinCounts.empty(3)


@pytest.mark.parametrize("different", [5, 1_023, 1_024, 40_000])
@pytest.mark.parametrize("size", [900, 20_000, 70_000])
def test_a_tally_of_hashes_holds_the_smallest_of_all_it_was_given(different: int, size: int) -> None:
    rng = np.random.default_rng(different)
    values = rng.integers(0, different, 70_000).astype(np.float64)
    scratch = Scratch()
    hashes = np.concatenate([hash_doubles(part, scratch).copy() for part in np.array_split(values, 3)])
    tally = DistinctTally()

    for start in range(0, len(hashes), size):
        tally.add(hashes[start : start + size])

    assert tally.state() == Distinct.of(hashes)


@given(st.dictionaries(st.floats(-1e6, 1e6), st.integers(1, 10**6), min_size=1, max_size=30))
def test_the_center_of_a_bin_lies_in_it(rows: dict[float, int]) -> None:
    values, counts = np.array(list(rows)), np.array(list(rows.values()), np.int64)
    bins = Bins.of(Cells.of(values, counts), mean=float(values.mean()), deviation=float(values.std()))

    keys = keys_of(bins.centers) >> bins.shift

    held = bins.counts > 0
    assert (bins.edges[:-1] <= keys)[held].all()
    assert (keys < bins.edges[1:])[held].all()
