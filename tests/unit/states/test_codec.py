import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import StateError
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.codec import Fields, array, decode, encode, floats, hashes, number, part_of, restore
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums, RowSample

longs = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(longs))
def test_integers_come_back_whatever_they_are_packed_into(values: list[int]) -> None:
    back = decode(encode({"n": np.array(values, np.int64)}))["n"]

    assert isinstance(back, np.ndarray)
    assert back.tolist() == values
    assert back.dtype == np.int64


@given(st.lists(st.floats()), st.lists(st.integers(0, 2**64 - 1)), st.lists(st.text()), st.integers())
def test_floats_hashes_texts_and_numbers_come_back(
    reals: list[float], bits: list[int], texts: list[str], one: int
) -> None:
    fields: Fields = {"x": np.array(reals, np.float64), "h": np.array(bits, np.uint64), "t": texts, "n": one}

    back = decode(encode(fields))

    assert np.array_equal(floats(back, "x"), reals, equal_nan=True)
    assert hashes(back, "h").tolist() == bits
    assert (back["t"], back["n"]) == (texts, one)


def test_small_steps_take_one_byte_each() -> None:
    assert len(encode({"keys": 2 * np.arange(5_000)})) < 5_000 + 100


def test_a_damaged_type_of_an_array_is_a_state_error() -> None:
    payload = encode({"keys": np.array([1, 2])}).replace(b'"|u1"', b'","  ')

    with pytest.raises(StateError, match="cannot be read"):
        decode(payload)


@pytest.mark.parametrize("read", [array, floats, hashes, number])
def test_a_missing_field_is_named(read: object) -> None:
    assert callable(read)
    with pytest.raises(StateError, match="'keys'"):
        read({"key": 3}, "keys")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Cells, {"shift": 53, "keys": np.array([1]), "counts": np.array([1]), "limit": 8}),
        (Cells, {"shift": -1, "keys": np.array([1]), "counts": np.array([1]), "limit": 8}),
        (Cells, {"shift": 0, "keys": np.array([1, 2]), "counts": np.array([1]), "limit": 8}),
        (Cells, {"shift": 0, "keys": np.array([2, 1]), "counts": np.array([1, 1]), "limit": 8}),
        (Cells, {"shift": 0, "keys": np.array([1, 2]), "counts": np.array([1, 0]), "limit": 8}),
        (Presence, {"rows": float("inf"), "present": 0, "nan": 0, "infinite": 0}),
        (Presence, {"rows": "many", "present": 0, "nan": 0, "infinite": 0}),
        (RowSample, {"level": 64, "hashes": np.zeros(0, np.uint64), "values": np.zeros(0), "columns": 2}),
        (RowSample, {"level": 0, "hashes": np.zeros(3, np.uint64), "values": np.zeros(4), "columns": 2}),
        (FeatureSums, {**FeatureSums.empty(4).fields(), "width": 10**12}),
        (FeatureSums, {**FeatureSums.empty(4).fields(), "width": -1}),
        (
            FeatureSums,
            {
                "level": 0,
                "occupied": np.array([64]),
                "counts": np.array([1]),
                "sums": np.zeros(4, np.int64),
                "width": 4,
            },
        ),
        (
            Bins,
            {
                "shift": 0,
                "edges": np.array([3, 2]),
                "counts": np.array([1]),
                "centers": np.array([1.0]),
                "octaves": np.array([1]),
            },
        ),
    ],
)
def test_fields_that_no_value_has_are_refused(kind: type[Cells], fields: dict[str, int]) -> None:
    with pytest.raises(StateError):
        restore(kind, encode(fields))


def test_a_part_of_another_kind_than_asked_for_is_refused() -> None:
    parts = {"presence": Presence(3)}

    assert part_of(parts, "presence", Presence) == Presence(3)
    assert part_of(parts, "cells", Cells) is None
    with pytest.raises(StateError, match="presence is presence, not cells"):
        part_of(parts, "presence", Cells)
