"""Laws of profiles in bytes: what comes back is what was put in, of every monitor; what is damaged is refused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watchkeep as wk
from watchkeep.core.errors import StoreError
from watchkeep.formats.profile_archive import pack_profile, unpack_profile
from watchkeep.frames.batches import Batch, FilesMet
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.profile import Profile
from watchkeep.states.codec import State, encode
from watchkeep.states.moments import Moments

COLUMNS = {"income": pa.float64(), "age": pa.int64(), "color": pa.string(), "at": pa.timestamp("us", "UTC")}


def people(n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    return pa.table(
        {
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(3, 2, n)),
            "age": rng.integers(0, 99, n),
            "color": rng.choice(["red", "green", "", "été", "x" * 200], n),
            "at": pa.array(np.datetime64("2024-03-01", "us") + rng.integers(0, 10**10, n)).cast(
                COLUMNS["at"]
            ),
            "sex": rng.choice(["F", "M"], n),
            "score": score,
            "answer": (score > 0.5).astype(np.int64),
            "label": (rng.random(n) < score).astype(np.int64),
        }
    )


def model(rows: pa.Table) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(rows["age"], np.float64) / 50))


REFERENCE = people(600, 1)
ROLES: dict[str, Any] = {"label": "label", "prediction": "answer", "score": "score", "timestamp": "at"}
BASELINES = {
    "data quality": wk.DataQuality().baseline(wk.read(REFERENCE, **ROLES)),
    "model quality": wk.ModelQuality(segments=["age < 30"]).baseline(wk.read(REFERENCE, **ROLES)),
    "bias": wk.Bias().baseline(wk.read(REFERENCE, **ROLES, facets={"sex": ["F"]})),
    "attribution": wk.Attribution(model=model).baseline(wk.read(REFERENCE, features=["age"], timestamp="at")),
}
EACH = pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)


def scanned(baseline: wk.Baseline, table: pa.Table, rejected: dict[str, int]) -> Profile:
    fold = baseline.learned.in_force(Dialect.DEFAULT).begin(Dialect.DEFAULT)(0)
    fold.add(Batch.of(table, rejected=rejected, outside={"window": 3}))
    return fold.profile()


def encoded(profile: Profile) -> Sequence[tuple[tuple[str, str], str, bytes]]:
    return [(key, state.kind, encode(state.fields())) for key, state in profile.parts.items()]


@EACH
@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(0, 40),
    seed=st.integers(0, 10**6),
    rejected=st.dictionaries(st.text(), st.integers(0, 9)),
)
def test_a_profile_comes_back_from_its_bytes_as_it_was(
    baseline: wk.Baseline, rows: int, seed: int, rejected: dict[str, int]
) -> None:
    profile = scanned(baseline, people(rows, seed), rejected)

    packed = pack_profile(profile, {"start": "2024-03-01", "hour": seed})
    found = unpack_profile(packed.content, "a file")

    back = found.profile
    assert encoded(back) == encoded(profile)
    assert (back.rows, back.rejected, back.outside) == (profile.rows, profile.rejected, profile.outside)
    assert (back.unplaced, back.skipped) == (profile.unplaced, profile.skipped)
    assert list(back.seen.items()) == list(profile.seen.items())
    assert found.meta == {"start": "2024-03-01", "hour": seed}
    assert found.digest == packed.digest
    assert pack_profile(back, found.meta) == packed


@EACH
def test_what_comes_back_merges_as_what_was_put_in(baseline: wk.Baseline) -> None:
    a, b = (scanned(baseline, people(30, seed), {"broken": 1}) for seed in (1, 2))
    back = [unpack_profile(pack_profile(one, {}).content, "a file").profile for one in (a, b)]

    assert encoded(back[0].merge(back[1])) == encoded(a.merge(b))


counts = st.dictionaries(st.text(max_size=5), st.integers(0, 2**62), max_size=4)
numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.integers(0, 2**62),
    counts,
    counts,
    counts,
    st.dictionaries(st.text(), st.text(), max_size=3),
    st.builds(FilesMet, *[st.integers(0, 2**40)] * 4),
    st.data(),
)
def test_every_account_of_rows_and_every_double_comes_back(
    rows: int,
    rejected: dict[str, int],
    seen: dict[str, int],
    outside: dict[str, int],
    skipped: dict[str, str],
    files: FilesMet,
    data: st.DataObject,
) -> None:
    sums: list[State] = [Moments(*data.draw(st.tuples(st.integers(0, 9), *[numbers] * 4))) for _ in range(3)]
    parts = {(data.draw(st.text()), f"part {at}"): state for at, state in enumerate(sums)}
    profile = Profile(rows, rejected, seen, parts, outside, rows // 2, skipped, files)
    told = files if files.lost else FilesMet()  # of files that were all read nothing is stored

    back = unpack_profile(pack_profile(profile, {}).content, "a file").profile

    assert encoded(back) == encoded(profile)
    assert Profile(
        back.rows, back.rejected, back.seen, {}, back.outside, back.unplaced, back.skipped, back.files
    ) == Profile(rows, rejected, seen, {}, outside, rows // 2, skipped, told)


PACKED = pack_profile(scanned(BASELINES["data quality"], people(20, 3), {}), {}).content


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_byte_is_seen_or_changes_nothing(data: st.DataObject) -> None:
    content = bytearray(PACKED)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))

    try:
        found = unpack_profile(bytes(content), "a file")
    except StoreError as error:
        assert str(error).startswith("a file: it")  # noqa: PT017 (either way is right)
        return
    assert (
        pack_profile(found.profile, found.meta).content == PACKED
    )  # a bit of the compression that means nothing


@given(st.integers(0, len(PACKED) - 1))
def test_a_file_that_ends_early_is_seen(size: int) -> None:
    with pytest.raises(StoreError, match="a file: it is damaged"):
        unpack_profile(PACKED[:size], "a file")


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_are_no_profile(content: bytes) -> None:
    with pytest.raises(StoreError):
        unpack_profile(content, "a file")
