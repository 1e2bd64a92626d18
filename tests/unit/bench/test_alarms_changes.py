from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from bench.alarms.changes import (
    NEW,
    Appeared,
    Change,
    Likelier,
    Misread,
    Moved,
    MovedWithin,
    Rated,
    Shuffled,
    Vanished,
)
from bench.alarms.kinds import KINDS
from scipy.stats import norm

ROWS = 20_000


def people(seed: int, rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    bought = (rng.random(rows) < 0.1 + 0.5 * (age > 50)).astype(np.int64)
    return pd.DataFrame(
        {
            "age": age,
            "income": rng.lognormal(3, 1, rows) * (1 + age / 50),
            "town": pd.Categorical(rng.choice(["a", "b", "c"], rows, p=[0.6, 0.25, 0.15])),
            "gone": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "bought": bought,
        }
    )


def apply(change: Change, window: pd.DataFrame) -> pd.DataFrame:
    return change.apply(window, people(0), np.random.default_rng(1))


def all_changes(seed: int = 3) -> list[Change]:
    rng = np.random.default_rng(seed)
    drawn = [
        how.draw(people(0), "bought", strength, rng) for how in KINDS.values() for strength in how.strengths
    ]
    return [change for change in drawn if change is not None]


def test_a_move_by_nothing_leaves_the_baselines_rows_as_they_are() -> None:
    window = people(0)

    pd.testing.assert_frame_equal(apply(Moved("income"), window), window)
    pd.testing.assert_frame_equal(apply(Moved("age"), window), window)


@pytest.mark.parametrize(("shift", "widen"), [(0.4, 1.0), (-0.2, 1.0), (0.0, 1.5)])
def test_a_moved_columns_quantiles_are_those_of_the_moved_scores(shift: float, widen: float) -> None:
    known, after = people(0)["income"], apply(Moved("income", shift, widen), people(2))["income"]

    for share in (0.2, 0.5, 0.8):
        was = norm.cdf(widen * norm.ppf(share) + shift)
        assert (after < known.quantile(was)).mean() == pytest.approx(share, abs=0.015)


def test_whole_numbers_stay_whole_and_missing_values_missing() -> None:
    window = people(2)

    assert apply(Moved("age", shift=0.4), window)["age"].dtype == np.int64
    moved = apply(Moved("gone", shift=0.4), window)["gone"]
    assert moved.isna().equals(window["gone"].isna())
    assert moved.mean() == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("change", "inside"),
    [
        (MovedWithin(Moved("income", 1.0), "town", category="c"), lambda frame: frame["town"] == "c"),
        (MovedWithin(Moved("income", 1.0), "age", above=75.0), lambda frame: frame["age"] > 75),
    ],
)
def test_a_subgroup_moves_alone(change: Change, inside: Callable[[pd.DataFrame], pd.Series]) -> None:
    window = people(2)
    rows = inside(window)

    after = apply(change, window)

    assert after.loc[~rows, "income"].equals(window.loc[~rows, "income"])
    assert after.loc[rows, "income"].median() > 1.5 * window.loc[rows, "income"].median()


def test_a_category_gains_the_share_of_all_rows_it_is_given() -> None:
    window = people(2)

    after = apply(Rated("town", "c", 0.1), window)

    gained = (after["town"] == "c").mean() - (window["town"] == "c").mean()
    assert gained == pytest.approx(0.1, abs=0.01)


def test_a_new_category_appears_in_its_share_of_the_rows() -> None:
    after = apply(Appeared("town", 0.05), people(2))

    assert (after["town"] == NEW).mean() == pytest.approx(0.05, abs=0.006)


@pytest.mark.parametrize("column", ["age", "town", "income"])
def test_values_vanish_in_their_share_of_the_rows_and_the_others_stay(column: str) -> None:
    window = people(2)

    after = apply(Vanished(column, 0.1), window)[column]

    assert after.isna().mean() == pytest.approx(0.1, abs=0.01)
    kept = after.notna()
    assert (after[kept] == window.loc[kept, column]).all()
    assert not pd.api.types.is_integer_dtype(window[column]) or pd.api.types.is_integer_dtype(after)


@pytest.mark.parametrize("share", [0.05, 1.0])
def test_a_wrong_unit_makes_a_share_of_the_values_a_thousand_times_as_large(share: float) -> None:
    window = people(2)

    after = apply(Misread("age", share), window)["age"]

    times = after / window["age"]
    assert set(times.unique()) <= {1.0, 1000.0}
    assert (times == 1000).mean() == pytest.approx(share, abs=0.006)


def test_shuffling_keeps_the_column_and_loses_what_it_hung_together_with() -> None:
    window = people(2)

    whole, part = (apply(Shuffled("age", share), window) for share in (1.0, 0.3))

    assert sorted(whole["age"]) == sorted(window["age"])
    assert abs(whole["age"].corr(whole["bought"])) < 0.03
    assert (part["age"] != window["age"]).mean() == pytest.approx(0.3, abs=0.02)


def test_a_likelier_label_brings_its_rows_along() -> None:
    window = people(2)

    after = apply(Likelier("bought", 1, 0.2), window)

    assert after["bought"].mean() - window["bought"].mean() == pytest.approx(0.2, abs=0.015)
    for label in (0, 1):
        before, now = (frame.loc[frame["bought"] == label, "age"].mean() for frame in (window, after))
        assert now == pytest.approx(before, abs=0.7)


def test_no_change_touches_its_argument_or_a_column_it_does_not_name() -> None:
    window = people(2, 2_000)
    same = window.copy(deep=True)

    for change in all_changes():
        after = apply(change, window)
        pd.testing.assert_frame_equal(window, same)
        others = [name for name in window.columns if change.columns and name not in change.columns]
        pd.testing.assert_frame_equal(after[others], window[others])
        assert not after.astype(object).equals(window.astype(object)), change


def test_kinds_have_the_strengths_that_are_asked_for() -> None:
    assert {kind: how.strengths for kind, how in KINDS.items()} == {
        "location": (0.05, 0.1, 0.2, 0.4),
        "spread": (1.1, 1.25, 1.5),
        "category rate": (0.02, 0.05, 0.1),
        "new category": (0.002, 0.01, 0.05),
        "missing": (0.005, 0.02, 0.1),
        "wrong unit": (0.005, 0.05, 1.0),
        "shuffled": (0.3, 0.6, 1.0),
        "subgroup": (0.25, 0.5, 1.0),
        "label": (0.05, 0.1, 0.2),
    }


def test_a_table_without_such_a_column_has_no_such_change() -> None:
    flags = pd.DataFrame({"yes": [0, 1] * 50})
    rng = np.random.default_rng(0)

    drawn = {kind for kind, how in KINDS.items() if how.draw(flags, None, how.strengths[0], rng) is not None}

    assert drawn == {"category rate", "missing"}


def test_subgroups_are_of_ten_to_twenty_five_percent_of_the_rows() -> None:
    reference = people(0)
    for seed in range(30):
        change = KINDS["subgroup"].draw(reference, None, 0.5, np.random.default_rng(seed))
        assert isinstance(change, MovedWithin)
        values = reference[change.group]
        inside = values > change.above if change.category is None else values == change.category
        assert 0.09 <= inside.mean() <= 0.26
        assert change.group not in change.columns
