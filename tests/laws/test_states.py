"""Laws of every state: merging pieces in any order and grouping is the whole; bytes give back what was put in."""

from collections.abc import Callable
from math import isclose
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.core.errors import StateError
from watchkeep.formats.container import KINDS
from watchkeep.states.bins import BinCounts, Bins, BinTally
from watchkeep.states.categories import CategoryCounts, CategoryTally
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State, decode, encode, restore
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.groups import Groups
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums, RowSample, ScoreSums, levels_of
from watchkeep.states.totals import Totals
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.hashing import mixed

Doubles = npt.NDArray[np.float64]
Maker = Callable[[Doubles], State]

ANY = st.floats(allow_nan=False, width=64)
TAME = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
FEW = st.sampled_from([-2.5, -0.0, 0.0, 1.0, 7.0, 1e9])
BASELINE = np.concatenate([np.linspace(-50, 50, 400), np.zeros(30), [1e9]])
BINS = Bins.of(Cells.of(BASELINE), mean=0.0, deviation=30.0)
LISTED = ("7.0", "1.0", "0.0")
FREQUENCIES = np.random.default_rng(5).normal(size=(2, 4)).astype(np.float32)


def texts_of(values: Doubles) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    texts, counts = np.unique([str(value) for value in values + 0.0], return_counts=True)
    return pa.array(texts.tolist(), pa.large_string()), counts.astype(np.int64)


def hashes_of(values: Doubles) -> npt.NDArray[np.uint64]:
    return mixed((values + 0.0).view(np.uint64))


def rows_of(values: Doubles) -> Doubles:
    return np.stack([values, -values], axis=1)


def bin_counts(values: Doubles) -> BinCounts:
    tally = BinTally(BINS)
    tally.add(np.ascontiguousarray(values))
    return tally.counts()


def category_counts(values: Doubles) -> CategoryCounts:
    tally = CategoryTally(LISTED)
    if len(values):
        tally.add(*texts_of(values))
    return tally.state()


def frequencies(values: Doubles) -> Frequencies:
    texts, counts = texts_of(values)
    return Frequencies.of(dict(zip(texts.to_pylist(), counts.tolist(), strict=True)))


def extremes(values: Doubles) -> Extremes:
    return Extremes(float(values.min()), float(values.max())) if len(values) else Extremes()


def presence(values: Doubles) -> Presence:
    return Presence(len(values), int((values != 0).sum()), 0, int(np.isinf(values).sum()))


def value_types(values: Doubles) -> ValueTypes:
    whole = int((values == np.floor(values)).sum())
    return ValueTypes(integral=whole, fractional=len(values) - whole)


def feature_sums(values: Doubles) -> FeatureSums:
    rows = np.clip(rows_of(values), -4, 4)
    return FeatureSums.of(levels_of(hashes_of(values)), rows, FREQUENCIES)


MAKERS: dict[type[State], Maker] = {
    BinCounts: bin_counts,
    Bins: lambda values: BINS,
    CategoryCounts: category_counts,
    Cells: lambda values: Cells.of(values),
    Distinct: lambda values: Distinct.of(hashes_of(values)),
    Extremes: extremes,
    FeatureSums: feature_sums,
    Frequencies: frequencies,
    Groups: lambda values: Groups.of(hashes_of(values), np.ones(len(values), np.int64)),
    Moments: lambda values: Moments.of(values[np.isfinite(values)]),
    Presence: presence,
    RowSample: lambda values: RowSample.of(hashes_of(values), rows_of(values)),
    ScoreSums: lambda values: ScoreSums.of(levels_of(hashes_of(values)), np.clip(rows_of(values), -4, 4)),
    Totals: lambda values: Totals(
        np.bincount(levels_of(hashes_of(values)) % 3, minlength=3).astype(np.float64)
    ),
    ValueTypes: value_types,
}
IDENTITIES = MappingProxyType({kind: make(np.zeros(0)) for kind, make in MAKERS.items()})
EACH_KIND = pytest.mark.parametrize("kind", MAKERS, ids=lambda kind: kind.kind)
TOLERANCE = 1e-9


def arrays(element: st.SearchStrategy[float], most: int = 60) -> st.SearchStrategy[Doubles]:
    return st.lists(element, max_size=most).map(lambda values: np.array(values, np.float64))


def samples(kind: type[State]) -> st.SearchStrategy[Doubles]:
    # Sums of fourth powers overflow long before cells do: moments have a law for numbers that fit.
    return arrays(TAME) if kind is Moments else st.one_of(arrays(ANY), arrays(FEW), arrays(TAME))


def same(a: State, b: State) -> bool:
    if isinstance(a, Moments) and isinstance(b, Moments):
        # Each power's rounding is measured against the size of what was added up.
        size = max(1.0, abs(a.mean), (a.m2 / max(1, a.n)) ** 0.5)
        return a.n == b.n and all(
            isclose(
                getattr(a, f), getattr(b, f), rel_tol=TOLERANCE, abs_tol=TOLERANCE * max(1, a.n) * size**power
            )
            for f, power in (("mean", 1), ("m2", 2), ("m3", 3), ("m4", 4))
        )
    if isinstance(a, Bins) and isinstance(b, Bins):
        return a.same(b) and np.array_equal(a.counts, b.counts) and np.array_equal(a.centers, b.centers)
    return bool(a == b)


def test_every_kind_of_state_is_held_to_these_laws() -> None:
    assert set(MAKERS) == set(KINDS.values())
    assert all(KINDS[kind.kind] is kind for kind in MAKERS)


@EACH_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_merging_is_commutative(kind: type[State], data: st.DataObject) -> None:
    a, b = (MAKERS[kind](data.draw(samples(kind))) for _ in range(2))

    assert same(a.merge(b), b.merge(a))


@EACH_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_merging_is_associative(kind: type[State], data: st.DataObject) -> None:
    a, b, c = (MAKERS[kind](data.draw(samples(kind))) for _ in range(3))

    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))


@EACH_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_merging_many_at_once_is_merging_them_one_by_one(kind: type[State], data: st.DataObject) -> None:
    a, b, c = (MAKERS[kind](data.draw(samples(kind))) for _ in range(3))

    assert same(a.merge(b, c), a.merge(b).merge(c))
    assert same(a.merge(), a)


@EACH_KIND
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_merging_with_the_state_of_no_rows_changes_nothing(kind: type[State], data: st.DataObject) -> None:
    state = MAKERS[kind](data.draw(samples(kind)))

    assert same(state.merge(IDENTITIES[kind]), state)
    assert same(IDENTITIES[kind].merge(state), state)


@EACH_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_merged_states_of_pieces_are_the_state_of_the_whole(
    kind: type[State], data: st.DataObject
) -> None:
    values = data.draw(samples(kind))
    cut = data.draw(st.integers(0, len(values)))

    pieces = MAKERS[kind](values[:cut]).merge(MAKERS[kind](values[cut:]))

    assert same(pieces, MAKERS[kind](values))


@EACH_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_bytes_give_back_an_equal_state(kind: type[State], data: st.DataObject) -> None:
    state = MAKERS[kind](data.draw(samples(kind)))

    back = restore(kind, encode(state.fields()))

    assert type(back) is kind
    assert same(back, state)
    assert encode(back.fields()) == encode(state.fields())


@EACH_KIND
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_raise_a_state_error_or_give_a_state(kind: type[State], data: st.DataObject) -> None:
    payload = bytearray(encode(MAKERS[kind](np.array([3.0, -1.0, 7.0, 0.25])).fields()))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    del payload[data.draw(st.integers(0, len(payload))) :]

    outcome = attempt(kind, bytes(payload))

    assert outcome is None or isinstance(outcome, kind)


@EACH_KIND
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_fields_of_another_form_raise_a_state_error_or_give_a_state(
    kind: type[State], data: st.DataObject
) -> None:
    fields = dict(MAKERS[kind](np.array([3.0, -1.0, 7.0, 0.25])).fields())
    wrong = st.one_of(
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=3),
        st.lists(st.integers(-9, 9), max_size=3),
    )
    for name in data.draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2)):
        if data.draw(st.booleans()):
            fields[name] = data.draw(wrong)
        else:
            fields[name] = np.array(
                data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5)), np.int64
            )

    outcome = attempt(kind, encode(fields))

    assert outcome is None or isinstance(outcome, kind)


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_raise_a_state_error(payload: bytes) -> None:
    with pytest.raises(StateError):
        decode(payload + b"\xff")


@pytest.mark.parametrize(
    "header",
    [
        b"[1, 2]",
        b'{"n": 3}',
        b'{"n": {"how": "plain", "type": "<i8", "len": 9223372036854775808}}',
        b'{"n": {"how": "plain", "type": "<i8", "len": -1}}',
        b'{"n": {"how": "plain", "type": "O", "len": 0}}',
        b'{"n": {"how": "plain", "type": "i4,i4", "len": 0}}',
        b'{"n": {"how": "plain", "type": 7, "len": 1}}',
        b"[" * 100_000,
    ],
)
def test_a_header_that_promises_what_is_not_there_raises_a_state_error(header: bytes) -> None:
    with pytest.raises(StateError):
        restore(Cells, len(header).to_bytes(4, "little") + header)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Cells.empty(16), Cells.empty(32)),
        (BinCounts.empty(3), BinCounts.empty(4)),
        (CategoryCounts.empty(3), CategoryCounts.empty(4)),
        (FeatureSums.empty(8), FeatureSums.empty(16)),
        (ScoreSums.empty(2), ScoreSums.empty(3)),
        (BINS, Bins.of(Cells.of(np.array([1.0, 2.0])), mean=1.5, deviation=0.5)),
        (Frequencies(limit=2), Frequencies(limit=3)),
    ],
    ids=lambda state: type(state).kind,
)
def test_states_that_count_different_things_do_not_merge(a: State, b: State) -> None:
    with pytest.raises(StateError):
        a.merge(b)


def attempt(kind: type[State], payload: bytes) -> State | None:
    """The state of these bytes; None when they are refused as they should be."""
    try:
        return restore(kind, payload)
    except StateError:
        return None
