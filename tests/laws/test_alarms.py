"""False alarms are as rare as the policy says, and what should ring does."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import Outcome

Table = Mapping[str, object]
START = datetime(2024, 1, 1, tzinfo=UTC)


def mixed(rng: np.random.Generator, n: int) -> pa.Table:
    """Twenty columns such as models read: measurements, counts, amounts, flags, categories, ids, times, embeddings."""
    normal = rng.normal(size=n)
    spend = np.where(rng.random(n) < 0.7, 0.0, rng.lognormal(3, 1, n))
    towns = np.array([f"town {i}" for i in range(300)])
    weights = 1.0 / np.arange(1, 301)
    columns: dict[str, object] = {
        "normal": normal,
        "linked": 0.9 * normal + 0.4 * rng.normal(size=n),
        "heavy": rng.standard_t(2, n),
        "amount": np.round(rng.lognormal(2, 1, n), 2),
        "spend": spend,
        "age": rng.integers(18, 90, n),
        "visits": rng.poisson(2, n),
        "rare": rng.poisson(0.01, n),
        "far": 1e9 + rng.normal(size=n),
        "uniform": rng.random(n),
        "holes": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.2),
        "few holes": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.002),
        "flag": rng.random(n) < 0.3,
        "colour": rng.choice(["red", "green", "blue"], n, p=[0.7, 0.2, 0.1]),
        "seldom": rng.choice(["usual", "seldom", "never"], n, p=[0.995, 0.004, 0.001]),
        "town": rng.choice(towns, n, p=weights / weights.sum()),
        "words": [f"note {i}" for i in rng.integers(0, 10**9, n)],
        "code": pa.array([f"c{i}" for i in rng.zipf(1.5, n) % 5_000]).dictionary_encode(),
        "vector": pa.FixedSizeListArray.from_arrays(rng.normal(size=4 * n), 4),
        "at": pa.array([START + timedelta(seconds=int(s)) for s in rng.integers(0, 864_000, n)]),
    }
    return pa.table(columns)


def test_four_hundred_unchanged_windows_ring_at_most_twice() -> None:
    # At one false alarm in 1,000 windows, three or more of 400 would be seen once in 126 times if the promise were
    # just kept; the seed is fixed, and the verdicts are far on the safe side of it.
    rng = np.random.default_rng(400)
    baselines = [wk.DataQuality().baseline(mixed(rng, rows)) for rows in (3_000, 20_000)]
    rung: list[Counter[tuple[str, str]]] = []

    for turn in range(400):
        rows = (40, 120, 500, 1_500)[turn % 4]
        report = baselines[turn % 8 // 4].check(mixed(rng, rows))
        if report.violations:
            rung.append(Counter((one.check, one.subject) for one in report.violations))

    assert len(rung) <= 2, rung


@pytest.mark.parametrize(("rows", "window"), [(100_000, 1_000), (10_000, 3_000), (3_000, 30_000)])
def test_whole_numbers_that_repeat_ring_no_joint_alarm_whatever_the_sizes(
    rows: int, window: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(rows)

    def drawn(n: int) -> pa.Table:
        return pa.table({"a": rng.integers(0, 40, n), "b": rng.poisson(2, n), "c": rng.integers(0, 2, n)})

    wk.DataQuality().baseline(drawn(rows)).save(tmp_path / "baseline")
    baseline = wk.load(tmp_path / "baseline")

    assert not [one for _ in range(10) for one in baseline.check(drawn(window)).violations]


@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_a_handful_of_rows_rings_no_alarm(rows: int) -> None:
    rng = np.random.default_rng(rows)
    baseline = wk.DataQuality().baseline(mixed(rng, 2_000))

    reports = [baseline.check(mixed(rng, rows)) for _ in range(15)]

    assert not [one.sentence for report in reports for one in report.violations]


def test_distances_of_fewer_rows_than_the_policy_asks_for_are_undecided() -> None:
    rng = np.random.default_rng(0)
    baseline = wk.DataQuality().baseline(pa.table({"x": rng.normal(size=500)}))

    for rows, policy in ((29, wk.Policy()), (99, wk.Policy(min_rows=100))):
        report = baseline.check(pa.table({"x": 100 + rng.normal(size=rows)}), policy=policy)
        drift = [one for one in report.verdicts if one.check == "baseline_drift_check"]
        assert [one.outcome for one in drift] == [Outcome.UNDECIDED]
        assert f"needs {policy.min_rows} values, the window has {rows}" in drift[0].sentence


def changed(
    **columns: Callable[[pa.Table, np.random.Generator], object],
) -> Callable[[np.random.Generator], pa.Table]:
    def window(rng: np.random.Generator) -> pa.Table:
        table = mixed(rng, 1_500)
        for name, change in columns.items():
            name = name.replace("_", " ")
            table = table.set_column(
                table.schema.get_field_index(name), name, pa.chunked_array([change(table, rng)])
            )
        return table

    return window


def numbers(table: pa.Table, name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array(table[name].to_pylist(), np.float64)


DRIFTS = {
    "a mean that moved": (
        changed(normal=lambda t, _: pa.array(numbers(t, "normal") + 0.6)),
        "baseline_drift_check",
        "normal",
    ),
    "a spread that grew": (
        changed(uniform=lambda t, _: pa.array(numbers(t, "uniform") * 2)),
        "range_check",
        "uniform",
    ),
    "values that went missing": (
        changed(age=lambda t, rng: pa.array(t["age"].to_pylist(), mask=rng.random(1_500) < 0.05)),
        "completeness_check",
        "age",
    ),
    "numbers below zero": (
        changed(visits=lambda t, rng: pa.array(t["visits"].to_numpy() - 2)),
        "non_negative_check",
        "visits",
    ),
    "numbers turned to text": (
        changed(age=lambda t, _: pa.array([f"{age} years" for age in t["age"].to_pylist()])),
        "data_type_check",
        "age",
    ),
    "a new category": (
        changed(
            colour=lambda t, rng: pa.array(
                np.where(rng.random(1_500) < 0.05, "mauve", t["colour"].to_pylist())
            )
        ),
        "categorical_values_check",
        "colour",
    ),
    "shares that shifted": (
        changed(
            colour=lambda _, rng: pa.array(rng.choice(["red", "green", "blue"], 1_500, p=[0.4, 0.3, 0.3]))
        ),
        "baseline_drift_check",
        "colour",
    ),
    "a sensor that stuck": (changed(far=lambda *_: pa.array([1e9] * 1_500)), "constant_check", "far"),
    "infinite numbers": (
        changed(
            heavy=lambda t, rng: pa.array(np.where(rng.random(1_500) < 0.02, np.inf, numbers(t, "heavy")))
        ),
        "finite_check",
        "heavy",
    ),
    "texts that repeat": (changed(words=lambda *_: pa.array(["same"] * 1_500)), "uniqueness_check", "words"),
    "embeddings of another length": (
        changed(vector=lambda _, rng: pa.FixedSizeListArray.from_arrays(3 * rng.normal(size=6_000), 4)),
        "embedding_norm_check",
        "vector",
    ),
    "embeddings of another dimension": (
        changed(vector=lambda _, rng: pa.FixedSizeListArray.from_arrays(rng.normal(size=3_000), 2)),
        "dimension_check",
        "vector",
    ),
}


@pytest.fixture(scope="module")
def learned() -> wk.Baseline:
    return wk.DataQuality().baseline(mixed(np.random.default_rng(77), 8_000))


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_plain_drift_is_found_and_named(learned: wk.Baseline, drift: str) -> None:
    window, check, subject = DRIFTS[drift]

    found = learned.check(window(np.random.default_rng(5))).violations

    assert (check, subject) in {(one.check, one.subject) for one in found}
    assert all(one.severity > 0 and not isinstance(one.value, Undefined) for one in found)


def test_a_correlation_that_flipped_is_found_though_each_column_stays_the_same() -> None:
    rng = np.random.default_rng(9)

    def linked(n: int, by: float) -> pa.Table:
        x = rng.normal(size=n)
        return pa.table({"x": x, "y": by * x + (1 - by**2) ** 0.5 * rng.normal(size=n), "z": rng.random(n)})

    baseline = wk.DataQuality().baseline(linked(5_000, 0.9))

    assert not baseline.check(linked(1_000, 0.9)).violations
    assert [one.check for one in baseline.check(linked(1_000, -0.9)).violations] == ["joint_drift_check"]


def test_columns_that_come_and_go_are_named(learned: wk.Baseline) -> None:
    table = mixed(np.random.default_rng(6), 200)
    window = table.drop_columns(["age"]).append_column("income", table["age"])

    found = {(one.check, one.subject) for one in learned.check(window).violations}

    assert found == {("missing_column_check", "age"), ("extra_column_check", "income")}
