"""Which slice of the rows carries the change of a column."""

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.causes.carriers import carriers
from watchkeep.frames.text_values import Dialect
from watchkeep.service.checking import DataLearned


def _rows(n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    sites = ["north", "south", "west", None]
    return pa.table(
        {
            "wait": rng.gamma(2.0, 10.0, n),
            "age": rng.integers(18, 90, n),
            "site": [sites[at] for at in rng.choice(4, n, p=[0.3, 0.3, 0.3, 0.1]).tolist()],
            "paid": (rng.random(n) < 0.4).tolist(),
        }
    )


def _carrying(before: pa.Table, now: pa.Table, name: str = "wait") -> tuple[str, ...]:
    learned = wk.DataQuality().baseline(before).learned
    assert isinstance(learned, DataLearned)
    return carriers(learned.baseline.columns, name, before, now, Dialect.DEFAULT)


def _broken(rows: pa.Table, mine: np.ndarray) -> pa.Table:
    wait = rows["wait"].to_numpy()
    return rows.set_column(0, "wait", pa.array(np.where(mine, wait * 3, wait)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("rule", "mine"),
    [
        ("site = 'west'", lambda rows: np.array(rows["site"].to_pylist()) == "west"),
        ("site is null", lambda rows: np.array([one is None for one in rows["site"].to_pylist()])),
        ("paid = true", lambda rows: np.array(rows["paid"].to_pylist())),
    ],
)
def test_the_slice_whose_rows_were_broken_is_told(rule: str, mine: object, seed: int) -> None:
    before, now = _rows(6000, seed), _rows(4000, seed + 100)
    assert callable(mine)
    assert _carrying(before, _broken(now, mine(now))) == (rule,)


def test_numbers_are_cut_where_the_broken_rows_begin() -> None:
    before, now = _rows(6000, 1), _rows(4000, 2)
    (rule,) = _carrying(before, _broken(now, now["age"].to_numpy() > 60))
    column, sign, bound = rule.split()
    assert (column, sign) == ("age", ">")
    assert abs(float(bound) - 60) <= 4


def test_a_change_that_all_rows_share_has_no_carrier() -> None:
    told = [
        _carrying(_rows(3000, seed), _broken(_rows(2000, seed + 500), np.ones(2000, np.bool_)))
        for seed in range(40)
    ]
    assert sum(map(bool, told)) <= 1


def test_of_unchanged_rows_hardly_ever_a_slice_is_told() -> None:
    told = [_carrying(_rows(2000, seed), _rows(1500, seed + 700)) for seed in range(60)]
    assert sum(map(bool, told)) <= 2


def test_without_rows_or_another_column_there_is_none() -> None:
    before, now = _rows(500, 1), _rows(500, 2)
    assert _carrying(before, now.slice(0, 5)) == ()
    assert _carrying(before.select(["wait"]), now.select(["wait"])) == ()
    assert _carrying(before, now, name="nobody") == ()


def test_columns_that_cannot_be_cut_are_passed_over() -> None:
    before, now = _rows(2000, 1), _rows(2000, 2)
    for name, values in (
        ("nothing", pa.nulls(2000, pa.float64())),
        ("lists", pa.array([[1.0, 2.0]] * 2000)),
        ("texts", pa.array([f"text {at}" for at in range(2000)])),
    ):
        before, now = before.append_column(name, values), now.append_column(name, values)
    mine = np.array(now["site"].to_pylist()) == "west"
    assert _carrying(before, _broken(now, mine)) == ("site = 'west'",)
