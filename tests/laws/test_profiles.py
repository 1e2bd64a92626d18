"""Laws of profiles: rows in any order and grouping are the same rows, and what is stored stays small."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watchkeep as wk
from watchkeep.core.errors import StateError
from watchkeep.core.undefined import Undefined
from watchkeep.formats.archive import pack
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.profiles.plan import ColumnPlan, JointPlan, Plan
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.profiles.scan import Scan
from watchkeep.service.checking import DataLearned
from watchkeep.states.codec import State, encode
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums

SCHEMA = pa.schema(
    [
        ("x", pa.float64()),
        ("y", pa.float32()),
        ("n", pa.int64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("at", pa.timestamp("us", "UTC")),
        ("v", pa.list_(pa.float64())),
        ("k", pa.string()),
        ("gone", pa.null()),
    ]
)
TYPES = {
    "x": ColumnType.FRACTIONAL,
    "y": ColumnType.FRACTIONAL,
    "n": ColumnType.INTEGRAL,
    "s": ColumnType.STRING,
    "b": ColumnType.BOOLEAN,
    "at": ColumnType.TIME,
    "v": ColumnType.EMBEDDING,
    "k": ColumnType.STRING,
    "gone": ColumnType.UNKNOWN,
}
LEARNING = Plan(
    columns=tuple(
        ColumnPlan(name=name, role=Role.ID if name == "k" else Role.FEATURE, type=kind)
        for name, kind in TYPES.items()
    ),
    joint=JointPlan(columns=("x", "y", "n"), keys=("x", "y")),
)


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), values)


real = st.floats(-1e4, 1e4).map(lambda x: round(x, 2))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "x": maybe(st.one_of(real, st.sampled_from([0.0, -0.0, float("inf"), float("nan")]))),
            "y": maybe(st.integers(-9, 9).map(float)),
            "n": maybe(st.integers(-(2**40), 2**40)),
            "s": maybe(st.sampled_from(["red", "green", "", "7", "été"])),
            "b": maybe(st.booleans()),
            "at": maybe(
                st.integers(0, 10**7).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
            ),
            "v": maybe(st.lists(real, max_size=3)),
            "k": maybe(st.text("abc", max_size=4)),
            "gone": st.none(),
        }
    ),
    max_size=40,
)


def table_of(found: Sequence[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(found), SCHEMA)


def learned(found: Sequence[dict[str, object]]) -> Profile:
    scan = Scan(LEARNING)
    scan.add(Batch.of(table_of(found), rejected={"broken": len(found) % 3}))
    return scan.profile()


def reference() -> pa.Table:
    rng = np.random.default_rng(1)
    n = 500
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "x": np.round(rng.normal(0, 3_000, n), 2),
            "y": rng.integers(-8, 8, n).astype(np.float32),
            "n": rng.integers(-(2**39), 2**39, n),
            "s": rng.choice(["red", "green"], n),
            "b": rng.random(n) < 0.5,
            "at": pa.array(
                [start + timedelta(seconds=int(s)) for s in rng.integers(0, 10**7, n)],
                SCHEMA.field("at").type,
            ),
            "v": pa.array(rng.normal(size=(n, 2)).tolist()),
            "k": [f"row {i}" for i in range(n)],
            "gone": pa.nulls(n),
        }
    )


BASELINE = wk.DataQuality().baseline(wk.read(reference(), id="k"))


def checked(found: Sequence[dict[str, object]]) -> Profile:
    return BASELINE.scan(table_of(found))


def close(a: State, b: State) -> bool:
    if isinstance(a, Moments) and isinstance(b, Moments):
        size = max(1.0, abs(a.mean), abs(b.mean), (a.m2 / max(1, a.n)) ** 0.5)
        return a.n == b.n and all(
            getattr(a, name)
            == pytest.approx(getattr(b, name), rel=1e-9, abs=1e-9 * max(1, a.n) * size**power)
            for name, power in (("mean", 1), ("m2", 2), ("m3", 3), ("m4", 4))
        )
    if isinstance(a, FeatureSums) and isinstance(b, FeatureSums):
        same_rows = a.level == b.level and np.array_equal(a.counts, b.counts)
        return same_rows and a.mean() == pytest.approx(b.mean(), abs=1e-6)
    return bool(a == b)


def same(a: Profile, b: Profile) -> bool:
    assert (a.rows, dict(a.rejected), dict(a.seen)) == (b.rows, dict(b.rejected), dict(b.seen))
    assert set(a.parts) == set(b.parts)
    differing = [key for key in a.parts if not close(a.parts[key], b.parts[key])]
    assert not differing
    return True


EACH_PLAN = pytest.mark.parametrize("scan", [learned, checked], ids=["a baseline's", "a window's"])


@EACH_PLAN
@settings(max_examples=30, deadline=None)
@given(a=rows, b=rows, c=rows)
def test_merging_profiles_is_associative_and_commutative(
    scan: object, a: list[dict[str, object]], b: list[dict[str, object]], c: list[dict[str, object]]
) -> None:
    assert callable(scan)
    one, two, three = scan(a), scan(b), scan(c)

    assert same(one.merge(two), two.merge(one))
    assert same(one.merge(two).merge(three), one.merge(two.merge(three)))
    assert same(one.merge(two, three), one.merge(two).merge(three))


@EACH_PLAN
@settings(max_examples=30, deadline=None)
@given(found=rows, data=st.data())
def test_the_profile_of_a_whole_is_the_merged_profiles_of_its_pieces_in_any_order(
    scan: object, found: list[dict[str, object]], data: st.DataObject
) -> None:
    assert callable(scan)
    mixed = data.draw(st.permutations(found))
    cut = data.draw(st.integers(0, len(found)))
    whole, pieces = scan(found), scan(mixed[:cut]).merge(scan(mixed[cut:]))

    # Rows that could not be read are counted by piece, so not by this law.
    assert same(
        Profile(whole.rows, {}, whole.seen, whole.parts), Profile(pieces.rows, {}, pieces.seen, pieces.parts)
    )


@EACH_PLAN
@settings(max_examples=15, deadline=None)
@given(found=rows)
def test_the_empty_profile_is_the_identity(scan: object, found: list[dict[str, object]]) -> None:
    assert callable(scan)
    profile = scan(found)

    assert same(profile.merge(Profile()), profile)
    assert same(Profile().merge(profile), profile)


@settings(max_examples=30, deadline=None)
@given(rows)
def test_every_row_of_every_column_is_accounted_for(found: list[dict[str, object]]) -> None:
    profile = learned(found)

    for name in TYPES:
        presence = profile.part(name, "presence", Presence)
        assert presence is not None
        assert presence.rows == profile.rows == len(found)
        present = [row[name] for row in found if row[name] is not None and row[name] == row[name]]
        assert presence.present == len(present)
    x = profile.part("x", "presence", Presence)
    assert x is not None
    assert x.nan == sum(row["x"] is not None and row["x"] != row["x"] for row in found)
    assert x.infinite == sum(row["x"] == float("inf") for row in found)


@settings(max_examples=15, deadline=None)
@given(st.lists(rows.filter(bool), min_size=1, max_size=4))
def test_judging_merged_states_is_judging_the_rows_together(parts: list[list[dict[str, object]]]) -> None:
    first, *rest = (checked(part) for part in parts)
    merged = BASELINE.judge(first.merge(*rest))
    whole = BASELINE.judge(checked([row for part in parts for row in part]))

    assert [(v.check, v.subject, v.outcome) for v in merged.verdicts] == [
        (v.check, v.subject, v.outcome) for v in whole.verdicts
    ]
    for key, value in whole.measures.items():
        if isinstance(value, Undefined):
            assert merged.measures[key] == value
        elif key[0] not in {"skewness", "kurtosis"}:  # ill-conditioned where a few rows hardly differ
            assert merged.measures[key] == pytest.approx(value, rel=1e-6, abs=1e-5)


def test_a_column_counted_in_two_ways_does_not_merge() -> None:
    as_text = Scan(Plan(columns=(ColumnPlan(name="x", role=Role.FEATURE, type=ColumnType.STRING),)))
    as_text.add(Batch.of(pa.table({"x": ["a"]})))
    other = BASELINE.scan(reference())

    odd = Profile(parts={("x", "moments"): Presence(3)})

    with pytest.raises(StateError, match="moments of column 'x'"):
        assert odd.merge(other).parts
    with pytest.raises(StateError, match="types of column 'x' is types, not presence"):
        as_text.profile().part("x", "types", Presence)


def test_rows_that_lack_a_column_hold_no_value_of_it() -> None:
    profile = BASELINE.scan(reference().drop_columns(["s"]))
    presence = profile.part("s", "presence", Presence)

    assert presence == Presence(rows=500, present=0)
    assert "s" not in profile.seen


def test_a_plan_without_two_numeric_columns_has_no_joint_part() -> None:
    baseline = wk.DataQuality().baseline(pa.table({"x": [1.5, 2.5] * 40, "s": ["a", "b"] * 40}))

    assert (JOINT, "rows") not in baseline.scan(pa.table({"x": [1.5], "s": ["a"]})).parts


def wide(rows_each: int) -> dict[str, pa.Array]:
    """One column of each type, as many different values as the type has room for."""
    rng = np.random.default_rng(8)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    names = np.array([f"category number {i}, with a name of common length" for i in range(1_000)])
    return {
        "numbers": pa.array(rng.lognormal(0, 3, rows_each)),
        "heavy": pa.array(rng.standard_cauchy(rows_each)),
        "counters": pa.array(rng.integers(0, 10**12, rows_each)),
        "categories": pa.array(rng.choice(names, rows_each)),
        "texts": pa.array([f"text {i} of very many" for i in rng.integers(0, 10**9, rows_each)]),
        "times": pa.array([start + timedelta(minutes=3 * i) for i in range(rows_each)]),
        "vectors": pa.FixedSizeListArray.from_arrays(rng.normal(size=4 * rows_each), 4),
    }


def test_a_baseline_of_a_thousand_columns_stays_under_64_megabytes_and_a_window_of_them_under_16() -> None:
    # One column of each type is measured and their mean scaled to a thousand: more than there would be, for from
    # 256 columns on each keeps fewer cells.
    columns = wide(40_000)
    sizes = {}
    for name, values in columns.items():
        baseline = wk.DataQuality().baseline(pa.table({name: values}))
        window = baseline.scan(pa.table({name: values}))
        learned = baseline.learned
        assert isinstance(learned, DataLearned)
        sizes[name] = (
            len(pack(learned.baseline, ())),
            sum(len(encode(state.fields())) for state in window.parts.values()),
        )

    mean = np.mean(list(sizes.values()), axis=0)

    assert mean[0] * 1_000 < 64e6, sizes
    assert mean[1] * 1_000 < 16e6, sizes
