"""The compiled loops do what the NumPy lines do: each is run both ways on the same values."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import watchkeep as wk
from watchkeep.states.cells import Cells
from watchkeep.states.distinct import DistinctTally
from watchkeep.states.moments import Moments, PowerSums
from watchkeep.states.tallies import Grid, Reach
from watchkeep.stats import compiled
from watchkeep.stats.compiled import Library
from watchkeep.stats.hashing import hash_bytes, hash_doubles
from watchkeep.stats.scratch import CHUNK, Scratch

T = TypeVar("T")
Doubles = npt.NDArray[np.float64]

pytestmark = pytest.mark.skipif(
    compiled.library is None and shutil.which("cc") is None, reason="no C compiler here"
)
numbers = arrays(np.float64, st.integers(1, 300), elements=st.floats(allow_nan=False))
finite = arrays(np.float64, st.integers(0, 300), elements=st.floats(-1e9, 1e9))


def both_ways(work: Callable[[], T]) -> tuple[T, T]:
    """What comes out with the compiled loops, and what without."""
    assert compiled.library is not None, compiled.stands
    one = work()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "library", None)
        return one, work()


@given(finite, st.floats(-1e9, 1e9))
def test_sums_of_powers_are_the_same_but_for_the_last_digits(values: Doubles, pivot: float) -> None:
    def sums() -> list[float]:
        found = PowerSums(n=1, pivot=pivot)
        found.add(values, Scratch())
        return [found.n, found.s1, found.s2, found.s3, found.s4]

    one, other = both_ways(sums)

    sizes = [1.0, *(float((np.abs(values - pivot) ** power).sum()) for power in (1, 2, 3, 4))]
    for mine, theirs, size in zip(one, other, sizes, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-12 * size + 1e-300)


@pytest.mark.parametrize("kind", ["float32", "int64", ">f8", "bool"])
def test_numbers_of_another_type_are_read_as_what_they_are(kind: str) -> None:
    values = np.array([0, 1, 1, 0, 1, 1, 1]).astype(kind)

    one, other = both_ways(lambda: Moments.of(values))

    assert one.mean == other.mean == pytest.approx(5 / 7)


def test_doubles_that_lie_askew_or_apart_are_read_as_what_they_are() -> None:
    askew = np.frombuffer(b"x" + np.arange(9.0).tobytes(), np.float64, 9, offset=1)

    for values in (askew, np.arange(18.0)[::2] / 2):
        one, other = both_ways(lambda values=values: hash_doubles(values, Scratch()).copy())  # type: ignore[misc]
        assert np.array_equal(one, other)


def test_no_hash_is_written_where_there_is_no_room() -> None:
    with pytest.raises(ValueError, match="have as many hashes"):
        hash_doubles(np.ones(CHUNK + 5), Scratch())


@given(numbers)
def test_hashes_of_doubles_are_the_same(values: Doubles) -> None:
    one, other = both_ways(lambda: hash_doubles(values, Scratch()).copy())

    assert np.array_equal(one, other)


@given(st.lists(st.binary(max_size=40), max_size=20), st.binary(max_size=9), st.binary(max_size=9))
def test_hashes_of_bytes_are_the_same(texts: list[bytes], before: bytes, after: bytes) -> None:
    data = np.frombuffer(before + b"".join(texts) + after, np.uint8)
    offsets = np.cumsum([len(before), *map(len, texts)])

    one, other = both_ways(lambda: hash_bytes(data, offsets))

    assert np.array_equal(one, other)


@pytest.mark.parametrize("offsets", [[0, 4], [-1, 2], [2, 1, 3]])
def test_a_text_beyond_its_bytes_is_not_read(offsets: list[int]) -> None:
    assert compiled.library is not None

    with pytest.raises(IndexError, match=r"text \d is not within its 3 bytes"):
        compiled.library.hash_bytes(np.zeros(3, np.uint8), np.array(offsets))


@given(numbers, numbers)
def test_values_are_counted_in_the_same_slots(known: Doubles, others: Doubles) -> None:
    clean = known + 0.0
    grid = Grid(Reach.of(clean), Cells.of(clean).shift)
    values = np.concatenate([known, others]) + 0.0  # NumPy's lines leave -0.0 to whoever takes the strangers

    one, other = both_ways(lambda: grid.count(values))

    assert np.array_equal(one.counts, other.counts)
    assert np.array_equal(one.strangers, other.strangers)
    assert one.counts.sum() + len(one.strangers) == len(values)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 900, 5_000, 10**9]))
def test_the_same_different_values_are_kept(seed: int, different: int) -> None:
    values = np.random.default_rng(seed).integers(0, different, 3 * CHUNK).astype(np.float64)

    def kept() -> list[int]:
        tally, scratch = DistinctTally(), Scratch()
        for start in range(0, len(values), CHUNK):
            tally.add(hash_doubles(values[start : start + CHUNK], scratch))
        found: list[int] = tally.state().hashes.tolist()
        return found

    one, other = both_ways(kept)

    assert one == other


def test_a_baseline_and_a_check_come_out_the_same() -> None:
    random = np.random.default_rng(5)
    n = 200_000

    def rows(shift: float) -> pa.Table:
        odd = random.normal(0, 1, n)
        odd[:5] = [np.inf, -np.inf, np.nan, -0.0, 1e308]
        return pa.table(
            {
                "odd": odd,
                "far": random.normal(1e9 + shift, 1.0, n),
                "whole": random.integers(-40, 2_000, n),
                "some": pa.array(np.round(random.gamma(2, 9, n), 2), mask=random.random(n) < 0.1),
                "word": pa.array(random.choice(["red", "green", "", "a longer one"], n)),
                "id": pa.array([f"id-{i}" for i in random.integers(0, 10**6, n).tolist()]),
                "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * n),
            }
        )

    reference, window = rows(0.0), rows(0.3)

    def states() -> dict[tuple[str, str], object]:
        baseline = wk.DataQuality().baseline(wk.read(reference, id="id"))
        made = baseline.scan(window).parts
        return {
            **made,
            ("", "verdicts"): [(v.subject, v.check, v.outcome) for v in baseline.check(window).verdicts],
        }

    one, other = both_ways(states)

    assert one.keys() == other.keys()
    for key, mine in one.items():
        theirs = other[key]
        if isinstance(mine, Moments) and isinstance(theirs, Moments):
            for field in fields(Moments):
                a, b = getattr(mine, field.name), getattr(theirs, field.name)
                assert a == pytest.approx(b, rel=1e-9, abs=1e-6, nan_ok=True), (key, field.name)
        else:
            assert mine == theirs, key


def test_a_file_that_is_no_library_is_told_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kernels.so"
    file.write_bytes(b"not a library")
    monkeypatch.setattr(compiled, "FILE", file)

    library, stands = compiled.loaded()

    assert library is None
    assert stands.startswith("not used: ")


def test_a_library_of_another_text_is_told_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "kernels.c"
    text.write_bytes(compiled.SOURCE.read_bytes() + b"\n")
    monkeypatch.setattr(compiled, "SOURCE", text)

    library, stands = compiled.loaded()

    assert library is None
    assert stands == "not used: kernels.so was compiled from another kernels.c; install again"


def test_without_a_library_it_is_said_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FILE", tmp_path / "kernels.so")

    assert compiled.loaded() == (None, "not compiled: at installation there was no C compiler, or it failed")


@pytest.mark.skipif(sys.platform == "win32", reason="compiled elsewhere only")
def test_where_there_is_a_compiler_the_loops_are_compiled() -> None:
    assert isinstance(compiled.library, Library), compiled.stands
