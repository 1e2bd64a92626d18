"""The best explanation of each column is told, and no column of states is too strange to look at."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.causes.patterns.naming import bugs_of
from watchkeep.causes.patterns.pattern import Bug, Pattern
from watchkeep.measures.columns import Column

Rng = np.random.Generator


def _columns(before: Mapping[str, object], now: Mapping[str, object]) -> Sequence[Column]:
    baseline = wk.DataQuality().baseline(pa.table(dict(before)))
    return baseline.check(pa.table(dict(now))).findings.columns


def _bugs(before: Mapping[str, object], now: Mapping[str, object]) -> dict[str, Bug]:
    return bugs_of(_columns(before, now), list(before))


def test_swapped_columns_name_each_other() -> None:
    rng = np.random.default_rng(5)

    def rows(n: int) -> dict[str, object]:
        return {
            "height": rng.normal(170, 10, n),
            "weight": rng.lognormal(4.2, 0.2, n),
            "from": rng.choice(["EWR", "JFK"], n),
            "to": rng.choice(["LAX", "ORD", "SEA"], n, p=[0.5, 0.3, 0.2]),
        }

    window = rows(1000)
    swapped = {
        "height": window["weight"],
        "weight": window["height"],
        "from": window["to"],
        "to": window["from"],
    }
    bugs = _bugs(rows(5000), swapped)

    assert {name: bug.other for name, bug in bugs.items()} == {
        "height": "weight",
        "weight": "height",
        "from": "to",
        "to": "from",
    }
    assert {bug.pattern for bug in bugs.values()} == {Pattern.SWAPPED}


def test_only_changed_columns_are_looked_at() -> None:
    rng = np.random.default_rng(6)
    before = {name: rng.normal(170, 10, 3000) for name in "ab"}
    columns = _columns(before, {name: rng.normal(1.7, 0.1, 3000) for name in "ab"})

    assert list(bugs_of(columns, ["b"])) == ["b"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("month", np.repeat(np.arange(1, 13), 300)),
        ("hour", np.tile(np.arange(24), 200)),
        ("weekday", np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] * 500)),
        ("holiday", np.arange(3000) % 20 == 0),
    ],
)
def test_a_window_of_one_month_or_day_is_not_stuck(name: str, values: npt.NDArray[np.generic]) -> None:
    assert _bugs({name: values}, {name: np.repeat(values[5:6], 400)}) == {}


def test_a_column_that_is_not_there_has_gone_missing() -> None:
    rng = np.random.default_rng(7)
    columns = _columns({"a": rng.normal(0, 1, 500), "b": range(500)}, {"b": range(500)})
    bare = [Column(each.name, each.role, each.type, each.baseline) for each in columns]

    assert bugs_of(columns, ["a"])["a"].pattern is Pattern.MISSING
    assert {bug.sentence for bug in bugs_of(bare, "ab").values()} == {
        "a: the window has no such column.",
        "b: the window has no such column.",
    }


def _strange(rng: Rng, n: int) -> Sequence[object]:
    """Values of all kinds, n each."""
    return [
        rng.normal(0, 1, n),
        rng.normal(1e300, 1e299, n),
        rng.normal(0, 1e-300, n),
        np.where(rng.random(n) < 0.3, np.inf, rng.normal(0, 1, n)),
        np.full(n, -np.inf),
        np.full(n, np.nan),
        np.zeros(n),
        np.where(rng.random(n) < 0.5, 1.7e308, -1.7e308),
        np.where(rng.random(n) < 0.5, 5e-324, 1e-310),
        rng.lognormal(0, 5, n),
        rng.integers(-(2**62), 2**62, n),
        rng.integers(0, 2, n),
        rng.random(n) < 0.5,
        [None] * n,
        [str(at) for at in range(n)],
        [str(at % 2000) for at in range(n)],
        rng.choice(["", "ä", "x" * 300, " ", "0"], n).tolist(),
        np.array(rng.integers(0, 10**8, n), "datetime64[s]"),
        pa.array(rng.normal(0, 1, (n, 4)).tolist()),
        pa.array([{"a": 1}] * n).cast(pa.struct([("a", pa.int64())])),
        [f"{each:.4f}" for each in rng.normal(0, 1, n)],
        1.7e18 + rng.integers(0, 10**9, n),
    ]


@pytest.mark.parametrize(
    ("rows", "few"), [(400, 400), (1, 1), (40, 30), (12_000, 1), (1, 600), (10_000, 1500)]
)
def test_no_column_is_too_strange_to_look_at(rows: int, few: int) -> None:
    rng = np.random.default_rng(8)
    kinds, others = _strange(rng, rows), _strange(rng, few)
    order = rng.permutation(len(kinds)).tolist()
    before = {f"c{at}": pa.array(kind) for at, kind in enumerate(kinds)}
    columns = _columns(before, {f"c{at}": pa.array(others[order[at]]) for at in range(len(kinds))})
    same = _columns(before, {f"c{at}": pa.array(kind) for at, kind in enumerate(others)})

    bugs = [*bugs_of(columns, list(before)).values(), *bugs_of(same, list(before)).values()]

    assert all(0 < bug.share <= 1 and 0 <= bug.fit <= 1 for bug in bugs)
    assert all(
        "nan" not in bug.sentence.replace("'nan'", "") and "inf" not in bug.sentence.split() for bug in bugs
    )


def test_identifiers_are_left_alone() -> None:
    columns = wk.DataQuality().baseline(wk.read(pa.table({"id": range(500), "x": range(500)}), id="id"))
    found = columns.check(
        wk.read(pa.table({"id": range(9000, 9500), "x": range(500)}), id="id")
    ).findings.columns

    assert bugs_of(found, ["id", "x"]) == {}
