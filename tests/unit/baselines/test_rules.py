"""Each suggestion rule: when it speaks, when it keeps silent, and the evidence and reason it gives."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.constraints.constraint import Constraint, Side

RNG = np.random.default_rng(21)
START = datetime(2024, 3, 1, tzinfo=UTC)


def suggested(values: object, **roles: str) -> dict[str, Constraint]:
    """What a baseline suggests about one column, by rule."""
    learned = wk.DataQuality().baseline(wk.read(pa.table({"c": values}), **roles))  # type: ignore[arg-type] # roles
    return {one.rule: one for one in learned._learned.suggested.values() if one.subject == "c"}


def hourly(hours: Sequence[int]) -> dict[str, list[Constraint]]:
    """What a baseline suggests about a dataset with one row at each of these hours."""
    table = pa.table({"at": pa.array([START + timedelta(hours=hour) for hour in hours])})
    found: dict[str, list[Constraint]] = {}
    for one in wk.DataQuality().baseline(wk.read(table, timestamp="at")).constraints:
        found.setdefault(one.rule, []).append(one)
    return found


def test_a_complete_column_stays_complete() -> None:
    rule = suggested([1.5] * 40)["CompleteIfComplete"]

    assert (rule.check, rule.measure, rule.side, rule.limit) == (
        "completeness_check",
        "completeness",
        Side.AT_LEAST,
        1,
    )
    assert (rule.reason, rule.evidence) == ("no value is missing", {"present": 40, "rows": 40})


@pytest.mark.parametrize(("present", "rows"), [(90, 100), (9, 100), (999, 1_000), (1, 1_000)])
def test_an_incomplete_column_keeps_the_lower_bound_of_its_share(present: int, rows: int) -> None:
    found = suggested([1.5] * present + [None] * (rows - present))
    share = present / rows
    bound = share - 1.96 * math.sqrt(share * (1 - share) / rows)

    assert "CompleteIfComplete" not in found
    assert found["RetainCompleteness"].limit == max(0.0, math.floor(100 * bound) / 100)
    assert found["RetainCompleteness"].reason == f"{rows - present:,} of {rows:,} values are missing"


def test_a_column_without_a_value_promises_nothing() -> None:
    assert not suggested(pa.nulls(50, pa.float64()))


@pytest.mark.parametrize("value", [1, 0.5, "a", True])
def test_a_column_of_one_type_keeps_it(value: object) -> None:
    rule = suggested([value] * 50)["RetainType"]

    assert (rule.check, rule.limit) == ("data_type_check", 1.0)


def test_a_column_with_some_strangers_keeps_its_share_of_matching_values(tmp_path: Path) -> None:
    numbers = [str(i % 30) for i in range(99)] + ["unknown"]
    path = tmp_path / "c.csv"
    path.write_text("c\n" + "\n".join(numbers) + "\n", encoding="utf-8")
    rule = {one.rule: one for one in wk.DataQuality().baseline(path).constraints}["RetainType"]

    assert rule.limit == 0.99
    assert rule.reason == "99 of 100 values are Integral"


def test_few_categories_that_repeat_are_a_domain() -> None:
    rule = suggested(["a"] * 30 + ["b"] * 20)["CategoricalRange"]

    assert (rule.check, rule.limit, rule.domain) == ("categorical_values_check", 1.0, ("a", "b"))
    assert rule.evidence == {"categories": 2, "seen_once": 0, "values": 50}


@pytest.mark.parametrize(
    "values",
    [
        [f"v{i}" for i in range(121)] * 5,
        ["a", "b"] * 20 + ["c", "d", "e"],
        [1, 2] * 50,
    ],
    ids=["more than 120", "too many seen once", "whole numbers"],
)
def test_what_is_no_short_closed_list_is_no_domain(values: list[object]) -> None:
    assert "CategoricalRange" not in suggested(values)


def test_an_open_list_may_bring_about_as_many_new_categories_as_were_seen_once() -> None:
    values = ["a", "b"] * 100 + [f"once {i}" for i in range(10)]
    rule = suggested(values)["FewNewCategories"]

    assert rule.check == "new_category_check"
    assert rule.limit == pytest.approx(1 - 2 * 10 / 210 - 0.001, abs=1e-6)
    assert rule.reason == "10 of 210 values are the only one of their category"


def test_a_list_that_is_mostly_new_promises_no_categories() -> None:
    found = suggested([f"once {i}" for i in range(80)] + ["a"] * 20)

    assert not {"FewNewCategories", "CategoricalRange"} & set(found)


@pytest.mark.parametrize(("low", "speaks"), [(0.0, True), (0.5, True), (-1e-9, False)])
def test_numbers_that_were_never_below_zero_stay_so(low: float, speaks: bool) -> None:
    assert ("NonNegativeNumbers" in suggested([low, 3.5] * 20)) is speaks


def test_a_range_is_known_from_a_hundred_numbers_on() -> None:
    found = suggested([i / 7 for i in range(100)])["ValueRange"]

    assert (found.measure, found.side, found.limit) == ("out_of_range", Side.AT_MOST, 0.01)
    assert found.evidence == {"min": 0.0, "max": 99 / 7, "values": 100}
    assert "ValueRange" not in suggested([i / 7 for i in range(99)])
    assert "ValueRange" not in suggested(["a", "b"] * 100)


def test_numbers_stay_as_finite_as_they_were() -> None:
    assert suggested([1.5, 2.5] * 20)["StayFinite"].limit == 0
    assert suggested([1.5, math.inf] * 20)["StayFinite"].limit == 0.5
    assert "StayFinite" not in suggested(["x", "y"] * 20)


@pytest.mark.parametrize(("different", "speaks"), [(20, True), (19, False), (1, False)])
def test_numbers_that_vary_keep_varying(different: int, speaks: bool) -> None:
    found = suggested([float(i % different) + 0.5 for i in range(400)])

    assert ("Varies" in found) is speaks
    assert not speaks or found["Varies"].limit == 2


def test_values_that_never_repeated_stay_different() -> None:
    texts = [f"id {i}" for i in range(300)]

    rule = suggested(texts)["UniqueIfApproximatelyUnique"]

    assert (rule.check, rule.measure, rule.limit) == ("uniqueness_check", "uniqueness", 0.85)
    assert rule.evidence == {"distinct": 300, "values": 300}
    assert "UniqueIfApproximatelyUnique" in suggested(list(range(300)))
    assert "UniqueIfApproximatelyUnique" in suggested(texts, id="c")


@pytest.mark.parametrize(
    "values",
    [
        [f"id {i}" for i in range(99)],
        [f"id {i}" for i in range(270)] * 2,
        [*(f"id {i}" for i in range(300)), None],
        RNG.normal(size=300).tolist(),
    ],
    ids=["too few", "they repeat", "one is missing", "measurements"],
)
def test_what_may_repeat_need_not_be_unique(values: list[object]) -> None:
    assert "UniqueIfApproximatelyUnique" not in suggested(values)


def test_an_id_promises_no_type_no_range_and_no_domain() -> None:
    assert set(suggested(list(range(500)), id="c")) == {"CompleteIfComplete", "UniqueIfApproximatelyUnique"}


def test_embeddings_keep_their_norm_and_their_dimension() -> None:
    vectors = pa.array([[1.0, 2.0, 3.0]] * 60)
    found = suggested(vectors)

    assert (found["RetainNorm"].measure, found["RetainNorm"].limit) == ("ks", 0.1)
    assert found["RetainDimension"].evidence == {"dimensions": [3], "embeddings": 60}
    assert "RetainDimension" not in suggested(pa.array([[1.0] * (1 + i % 9) for i in range(90)]))
    assert not {"RetainNorm", "RetainDimension"} & set(suggested([1.5] * 60))


def test_the_volume_of_full_days_is_bounded_by_half_the_least_and_twice_the_most() -> None:
    hours = [
        hour
        for day, rows in enumerate((24, 12, 48, 24))
        for hour in np.resize(range(24 * day, 24 * day + 24), rows).tolist()
    ]
    found = hourly(sorted(hours))["RetainVolume"]

    # The second day has 12 rows, all before noon, the third 48.
    assert {(one.side, one.limit) for one in found} == {(Side.AT_LEAST, 6.0), (Side.AT_MOST, 96.0)}
    assert all(one.evidence == {"days": 4, "fewest": 12, "most": 48} for one in found)


def test_days_that_are_not_whole_tell_no_volume() -> None:
    assert "RetainVolume" not in hourly(range(5, 4 * 24 - 25))
    assert "RetainVolume" in hourly(range(5, 4 * 24))


def test_the_longest_silence_tells_how_fresh_rows_are() -> None:
    found = hourly([*range(30), *range(35, 60)])["RetainFreshness"]

    assert [(one.side, one.limit) for one in found] == [(Side.AT_MOST, 2 * 6 * 3600.0)]
    assert found[0].reason == "the longest silence is 6 hours"
    assert "RetainFreshness" not in hourly(range(23))


def test_two_numeric_columns_are_compared_together_and_one_is_not() -> None:
    two = wk.DataQuality().baseline(pa.table({"a": RNG.normal(size=200), "b": RNG.normal(size=200)}))
    one = wk.DataQuality().baseline(pa.table({"a": RNG.normal(size=200), "b": ["x", "y"] * 100}))

    found = [each for each in two.constraints if each.rule == "RetainJointShape"]
    assert [(each.measure, each.evidence) for each in found] == [("mmd", {"columns": 2, "rows": 200})]
    assert not [each for each in one.constraints if each.rule == "RetainJointShape"]


def test_every_suggestion_has_a_rule_a_reason_and_evidence() -> None:
    table = pa.table(
        {"a": RNG.normal(size=300), "b": ["x", "y"] * 150, "c": list(range(300)), "d": [None, 1.5] * 150}
    )

    for one in wk.DataQuality().baseline(table).constraints:
        if one.check != "baseline_drift_check":
            assert one.rule != "written by hand"
            assert one.reason
            assert one.evidence
