import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.stats.hashing import hash_bytes, hash_doubles, mixed
from watchkeep.stats.scratch import CHUNK, Scratch

strings = st.lists(st.binary(max_size=40), max_size=12)


def hashes_of(values: list[bytes], before: bytes = b"", after: bytes = b"") -> list[int]:
    data = np.frombuffer(before + b"".join(values) + after, np.uint8)
    offsets = np.cumsum([len(before), *map(len, values)])
    found: list[int] = hash_bytes(data, offsets).tolist()
    return found


@given(strings, st.binary(max_size=9), st.binary(max_size=9))
def test_the_hash_of_a_string_depends_on_nothing_around_it(
    values: list[bytes], before: bytes, after: bytes
) -> None:
    assert hashes_of(values, before, after) == [hashes_of([value])[0] for value in values]


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_hashes_are_equal_only_for_the_same_bytes(one: bytes, other: bytes) -> None:
    a, b = hashes_of([one, other])

    assert (a == b) == (one == other)


def test_zeros_at_the_end_are_part_of_a_string() -> None:
    hashes = hashes_of([b"\0" * n for n in range(40)])

    assert len(set(hashes)) == 40


@pytest.mark.parametrize("form", ["{}", "{:08d}", "{:040d}", "{0:016d}{0:016d}", "{:>7}x"])
def test_no_two_of_many_like_strings_share_a_hash(form: str) -> None:
    values = [form.format(i).encode() for i in range(50_000)]

    assert len(set(hashes_of(values))) == 50_000


def test_strings_beyond_one_chunk_are_hashed_alike() -> None:
    values = [str(i % 977).encode() for i in range(CHUNK + 1_500)]

    first = hashes_of(values[:977])
    assert hashes_of(values) == [first[i % 977] for i in range(len(values))]


@given(st.lists(st.floats(allow_nan=False), max_size=50))
def test_doubles_share_a_hash_only_when_they_are_equal(values: list[float]) -> None:
    hashes = hash_doubles(np.array(values, np.float64), Scratch()).tolist()

    assert all(
        (a == b) == (x == y)
        for x, a in zip(values, hashes, strict=True)
        for y, b in zip(values, hashes, strict=True)
    )


def test_the_top_bits_of_hashes_are_spread_evenly() -> None:
    # Counters are the hardest: all their differences are in the lowest bits.
    for values in (np.arange(64_000, dtype=np.uint64), np.arange(64_000, dtype=np.float64).view(np.uint64)):
        counts = np.bincount((mixed(values) >> np.uint64(58)).astype(np.intp), minlength=64)

        assert counts.min() > 800
        assert counts.max() < 1_200


def test_stored_states_stay_mergeable_because_hashes_never_change() -> None:
    expected = [0x0000000000000000, 0x03CB8A4AE25B618E, 0xEB5F28CA166A7079]

    assert hashes_of([b"", b"EWR", b"a longer text than one word"]) == expected
