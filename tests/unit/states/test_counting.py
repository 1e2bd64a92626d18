"""Different values, frequent values, categories and groups: what is exact, and what the error is where it is not."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.core.errors import StateError
from watchkeep.states.bins import TAIL_LIMIT, BinCounts
from watchkeep.states.categories import REST_LIMIT, CategoryTally
from watchkeep.states.cells import Cells
from watchkeep.states.codec import Field
from watchkeep.states.distinct import KEPT, Distinct
from watchkeep.states.frequencies import LONGEST, Frequencies, FrequencyTally, category
from watchkeep.states.groups import GROUPS, Groups
from watchkeep.stats.hashing import hash_bytes, hash_doubles
from watchkeep.stats.scratch import CHUNK, Scratch

FIVE_ERRORS = 5 / (KEPT - 2) ** 0.5


def of_doubles(values: npt.NDArray[np.float64]) -> Distinct:
    scratch = Scratch()
    parts = [values[at : at + CHUNK] for at in range(0, len(values), CHUNK)]
    return Distinct.empty().merge(*(Distinct.of(hash_doubles(part, scratch).copy()) for part in parts))


def of_texts(texts: list[str]) -> Distinct:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)])
    return Distinct.of(hash_bytes(np.frombuffer(b"".join(encoded), np.uint8), offsets))


@pytest.mark.parametrize("n", [5_000, 60_000])
@pytest.mark.parametrize(
    "values",
    [
        lambda n: np.arange(n, dtype=np.float64),
        lambda n: np.arange(n) * 1e-3,
        lambda n: 1e9 + np.arange(n),
        lambda n: -np.arange(n) * 1024.0,
        lambda n: np.arange(n) * 2.0**-1060,
        lambda n: np.arange(n) * 86_400_000_000.0,
        lambda n: np.unique(np.random.default_rng(n).normal(size=n)),
    ],
    ids=["counters", "thousandths", "large ids", "multiples", "denormals", "days", "normal"],
)
def test_the_estimate_lies_within_five_standard_errors(values: object, n: int) -> None:
    assert callable(values)

    assert of_doubles(values(n)).estimate() == pytest.approx(n, rel=FIVE_ERRORS)


@pytest.mark.parametrize("n", [2_000, 40_000])
@pytest.mark.parametrize("form", ["{}", "user-{:09d}", "{:x}", "2024-01-{:06d}T", "{0}{0}{0}{0}{0}"])
def test_the_estimate_for_texts_lies_within_five_standard_errors(form: str, n: int) -> None:
    assert of_texts([form.format(i) for i in range(n)]).estimate() == pytest.approx(n, rel=FIVE_ERRORS)


@given(st.lists(st.floats(allow_nan=False), max_size=300))
def test_few_different_values_are_counted_exactly(values: list[float]) -> None:
    found = of_doubles(np.array(values, np.float64))

    assert found.exact
    assert found.estimate() == len(set(values))


def test_the_count_is_exact_up_to_the_last_value_that_all_hashes_can_be_kept_for() -> None:
    assert of_doubles(np.arange(KEPT - 1.0)).estimate() == KEPT - 1
    assert not of_doubles(np.arange(float(KEPT))).exact


@pytest.mark.parametrize("states", [2, 9, 60])
@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_many_full_states_merge_to_the_state_of_all_their_values(states: int, shared: float) -> None:
    rng = np.random.default_rng(states)
    common = rng.integers(0, 2**64, 3_000, np.uint64)
    parts = [
        np.concatenate(
            [common[: int(3_000 * shared)], rng.integers(0, 2**64, 3_000 - int(3_000 * shared), np.uint64)]
        )
        for _ in range(states)
    ]

    first, *rest = (Distinct.of(part) for part in parts)

    assert first.merge(*rest) == Distinct.of(np.concatenate(parts))


def test_repeats_change_no_estimate() -> None:
    values = np.arange(9_000.0)

    assert of_doubles(np.tile(values, 4)) == of_doubles(values)


words = st.text("abcdef", min_size=1, max_size=2)


@settings(deadline=None)
@given(st.lists(st.lists(words, max_size=60), max_size=6), st.integers(1, 12))
def test_frequencies_are_low_by_at_most_their_error_whatever_the_batches(
    parts: list[list[str]], limit: int
) -> None:
    tally = FrequencyTally(limit)
    for part in parts:
        seen = Counter(part)
        tally.add(pa.array(list(seen), pa.large_string()), np.array(list(seen.values()), np.int64))
    found, true = tally.state(), Counter(word for part in parts for word in part)

    assert len(found.counts) <= limit
    assert found.total == true.total()
    assert found.error <= found.total / (limit + 1)
    assert all(true[word] - found.error <= count <= true[word] for word, count in found.counts.items())
    assert {word for word, count in true.items() if count > found.error} <= set(found.counts)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(words, st.integers(1, 50), max_size=25), min_size=2, max_size=4),
    st.integers(1, 8),
)
def test_merged_frequencies_keep_the_bound_in_any_grouping(parts: list[dict[str, int]], limit: int) -> None:
    states = [Frequencies.of(part, limit=limit) for part in parts]
    true = sum((Counter(part) for part in parts), Counter())

    left, right = states[0], states[-1]
    for state in states[1:]:
        left = left.merge(state)
    for state in states[-2::-1]:
        right = state.merge(right)

    for found in (left, right, states[0].merge(*states[1:])):
        assert found.total == true.total()
        assert len(found.counts) <= limit
        assert found.error <= found.total / (limit + 1)
        assert all(true[word] - found.error <= count <= true[word] for word, count in found.counts.items())
        assert {word for word, count in true.items() if count > found.error} <= set(found.counts)


def test_categories_are_ranked_by_count_then_by_name() -> None:
    assert Frequencies.of({"b": 2, "a": 2, "c": 5}).ranked() == [("c", 5), ("a", 2), ("b", 2)]


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_long_text_is_known_by_a_short_name_of_its_own(one: str, other: str) -> None:
    names = [category(text * 3) for text in (one, other)]

    assert max(map(len, names)) <= LONGEST
    assert (names[0] == names[1]) == (one == other)


@settings(deadline=None)
@given(st.lists(words, unique=True, max_size=6), st.lists(st.lists(words, max_size=30), max_size=4))
def test_rows_are_counted_by_the_list_of_the_baseline_and_the_rest_by_name(
    listed: list[str], parts: list[list[str]]
) -> None:
    tally = CategoryTally(listed)
    for part in parts:
        seen = Counter(part)
        tally.add(pa.array(list(seen), pa.large_string()), np.array(list(seen.values()), np.int64))
    found, true = tally.state(), Counter(word for part in parts for word in part)

    assert found.counts.tolist() == [true[name] for name in listed]
    assert dict(found.rest.counts) == {name: count for name, count in true.items() if name not in listed}
    assert found.total == true.total()


def test_strangers_beyond_those_kept_by_name_are_still_counted() -> None:
    tally = CategoryTally(["known"])
    names = [f"new {i}" for i in range(3 * REST_LIMIT)]

    tally.add(pa.array(names, pa.large_string()), np.ones(len(names), np.int64))

    assert tally.state().rest.total == len(names)
    assert len(tally.state().rest.counts) <= REST_LIMIT


def test_a_long_category_of_the_baseline_is_found_again() -> None:
    long = "x" * 500
    tally = CategoryTally([category(long), "y"])

    tally.add(pa.array([long, "y"], pa.large_string()), np.array([3, 4]))

    assert tally.state().counts.tolist() == [3, 4]


def test_groups_count_rows_by_the_first_byte_of_their_hash() -> None:
    hashes = np.array([0, 1 << 56, (1 << 56) + 5, 255 << 56], np.uint64)

    counts = Groups.of(hashes, np.array([1, 2, 3, 4])).counts

    assert len(counts) == GROUPS
    assert {place: int(count) for place, count in enumerate(counts) if count} == {0: 1, 1: 5, 255: 4}


def test_counts_kept_in_one_byte_each_add_up_beyond_it() -> None:
    none = Cells.empty(TAIL_LIMIT)
    counts = BinCounts.of(np.array([200, 0, 3]), none, none)

    assert counts.held.dtype == np.uint8
    assert counts.merge(*[counts] * 400).counts.tolist() == [80_200, 0, 1_203]


def test_hashes_out_of_order_are_no_state() -> None:
    fields: dict[str, Field] = {"hashes": np.array([9, 7], np.uint64), "kept": KEPT}

    with pytest.raises(StateError, match="must increase"):
        Distinct.of_fields(fields)
