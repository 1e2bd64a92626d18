"""Data quality: from states to ranked verdicts."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.scenarios.world import rows

import watchkeep as wk
from watchkeep.constraints import judging
from watchkeep.core.undefined import Value
from watchkeep.core.verdicts import Outcome, Verdict
from watchkeep.measures import index
from watchkeep.measures.columns import Column
from watchkeep.monitors.data_quality import evaluation
from watchkeep.monitors.data_quality.sentences import percent
from watchkeep.monitors.findings import ranked

TRAIN = rows(2000, seed=1)


@pytest.fixture(scope="module")
def baseline() -> wk.Baseline:
    return wk.DataQuality().baseline(wk.read(TRAIN, timestamp="at"))


def sentences(report: wk.Report) -> dict[tuple[str, str], str]:
    return {(one.check, one.subject): one.sentence for one in report.violations}


def verdict(outcome: Outcome, severity: float = 0.0) -> Verdict:
    return Verdict(
        check="c",
        measure="m",
        subject="s",
        outcome=outcome,
        value=1.0,
        limit=0.0,
        sentence="",
        severity=severity,
    )


def test_verdicts_are_ranked_by_outcome_and_severity() -> None:
    given = [
        verdict(Outcome.KEPT),
        verdict(Outcome.VIOLATED, 1.0),
        verdict(Outcome.UNDECIDED),
        verdict(Outcome.FAILED),
        verdict(Outcome.VIOLATED, 9.0),
    ]

    order = [(str(one.outcome), one.severity) for one in ranked(given)]

    assert order[:2] == [("violated", 9.0), ("violated", 1.0)]
    assert [outcome for outcome, _ in order[2:]] == ["failed", "undecided", "kept"]


def test_a_check_that_fails_is_one_verdict_and_the_rest_still_report(
    baseline: wk.Baseline, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judging.judge

    def fragile(constraint: Any, *args: Any, **kwargs: Any) -> object:
        if constraint.measure == "completeness":
            raise ZeroDivisionError("by zero")
        return judge(constraint, *args, **kwargs)

    monkeypatch.setattr(evaluation, "judge", fragile)
    report = baseline.check(TRAIN)

    outcomes = report.findings.outcomes()
    assert outcomes[Outcome.FAILED] == len(TRAIN.column_names)
    assert outcomes[Outcome.KEPT] > 10
    assert any("by zero" in one.sentence for one in report.verdicts)


def test_fewer_false_alarms_are_bought_with_wider_margins(baseline: wk.Baseline) -> None:
    def noise(false_alarms: float) -> dict[str, Any]:
        report = baseline.check(TRAIN.slice(0, 500), policy=wk.Policy(false_alarms=false_alarms))
        return {one.subject: one.evidence["noise"] for one in report.verdicts if one.measure == "ks"}

    narrow, wide = noise(0.01), noise(0.0001)

    assert {"age", "income", "maybe"} <= set(narrow)
    assert all(wide[subject] > narrow[subject] for subject in narrow)


def test_sentences_tell_how_much_and_compared_with_what(baseline: wk.Baseline) -> None:
    window = pa.table(
        {
            "age": pa.array([-5] * 100 + [40] * 300),
            "income": pa.array([None] * 100 + [1e9] * 300, pa.float64()),
            "color": pa.array(["mauve"] * 40 + ["red"] * 360),
            "maybe": pa.array([float("inf")] * 400),
            "shape": pa.array(["round"] * 400),
        }
    )

    said = sentences(baseline.check(window))

    missing = "income: 25 % of values are missing (100 of 400); in the baseline 0 %"
    assert said["completeness_check", "income"] == missing
    assert said["non_negative_check", "age"] == "age: 25 % of values are below zero; in the baseline none"
    assert "'mauve'" in " ".join(text for (_, subject), text in said.items() if subject == "color")
    assert "infinite" in said["finite_check", "maybe"]
    assert "1e+09" in said["range_check", "income"]
    assert said["missing_column_check", "at"].startswith("at: ")
    assert said["extra_column_check", "shape"].startswith("shape: ")


def test_causes_are_one_per_column_gravest_first(baseline: wk.Baseline) -> None:
    window = TRAIN.slice(0, 500).set_column(1, "income", pa.nulls(500, pa.float64()))

    causes = baseline.check(window.drop_columns(["age"])).causes

    severities = [cause.severity for cause in causes]
    assert severities == sorted(severities, reverse=True)
    assert len({cause.subject for cause in causes}) == len(causes)
    assert {"age", "income"} <= {cause.subject for cause in causes}


def test_volume_and_freshness_need_a_window_and_then_are_measured(baseline: wk.Baseline) -> None:
    day = [time for time in TRAIN["at"].to_pylist() if time < datetime(2024, 3, 2, tzinfo=UTC)]

    without = baseline.check(TRAIN)
    within = baseline.check(TRAIN, start="2024-03-01", end="2024-03-02")
    late = baseline.check(TRAIN, start="2024-03-07", end="2024-03-31")

    assert isinstance(without.measures["rows_per_day", "dataset"], wk.Undefined)
    assert within.measures["rows_per_day", "dataset"] == len(day)
    newest = (datetime(2024, 3, 2, tzinfo=UTC) - max(day)).total_seconds()
    assert within.measures["freshness", "dataset"] == pytest.approx(newest)
    assert {("freshness_check", "dataset"), ("row_volume_check", "dataset")} <= set(sentences(late))


@pytest.mark.parametrize("unit", [1, 1_000_000])
def test_times_may_be_numbers_since_1970(unit: int) -> None:
    seconds = [int(at.timestamp()) for at in TRAIN["at"].to_pylist()]
    numbered = TRAIN.set_column(
        TRAIN.schema.get_field_index("at"), "at", pa.array([unit * at for at in seconds])
    )

    timed = wk.DataQuality().baseline(wk.read(numbered, timestamp="at"))

    within = timed.check(numbered, start="2024-03-01", end="2024-03-02")
    same = (
        wk.DataQuality()
        .baseline(wk.read(TRAIN, timestamp="at"))
        .check(TRAIN, start="2024-03-01", end="2024-03-02")
    )
    for measure in ("rows_per_day", "freshness"):
        assert within.measures[measure, "dataset"] == pytest.approx(same.measures[measure, "dataset"], abs=1)


def test_a_window_that_is_mostly_rejected_is_a_violation(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(pa.table({"age": [20.0 + at % 50 for at in range(1_000)]}))
    lines = [f'{{"age": {20 + at % 50}}}' for at in range(200)]

    few, many = (tmp_path / f"{name}.jsonl" for name in ("few", "many"))
    few.write_text("\n".join([*lines, "{broken"]))
    many.write_text("\n".join([*lines, *["{broken"] * 100]))

    kept, violated = baseline.check(few), baseline.check(many)
    assert kept.measures["rejected", "dataset"] == pytest.approx(1 / 201)
    assert ("rejected_rows_check", "dataset") not in sentences(kept)
    assert (
        sentences(violated)["rejected_rows_check", "dataset"]
        == "33.3 % of rows were rejected, 5 % are allowed"
    )


def test_rows_that_cannot_be_read_may_be_of_any_day_or_segment(tmp_path: Path) -> None:
    days = tmp_path / "days.jsonl"
    lines = [
        f'{{"at": "2024-01-{1 + at // 200:02}T12:00:00Z", "age": {20 + at % 50}, "odd": {int(at % 40 == 0)}}}'
        for at in range(6_000)
    ]
    days.write_text("\n".join([*lines, *["{broken"] * 60]))

    for where in (None, "odd = 1"):
        baseline = wk.DataQuality().baseline(wk.read(days, timestamp="at", where=where))
        report = baseline.check(days, start="2024-01-10", end="2024-01-11")

        assert report.measures["rejected", "dataset"] == pytest.approx(60 / 6_060)
        rows = report.document()["rows"]
        assert isinstance(rows, dict)
        assert rows["analysed"] == (5 if where else 200)
        assert sum(rows["outside"].values()) + rows["read"] == 6_060


def test_shares_are_told_with_the_digits_they_need() -> None:
    told = [percent(share) for share in (0.0, 1.0, 0.999999, 0.5, 0.00012)]

    assert told == ["0 %", "100 %", "99.99 %", "50 %", "0.012 %"]


def test_a_measure_that_breaks_fails_its_own_verdicts_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Column) -> Value:
        raise ZeroDivisionError("by nothing")

    broken = [replace(one, finish=breaks) if one.name == "ks" else one for one in index.MEASURES]
    monkeypatch.setattr(index, "MEASURES", tuple(broken))
    table = pa.table({"x": [float(i) for i in range(500)]})

    report = wk.DataQuality().baseline(table).check(table)

    failed = [verdict for verdict in report.verdicts if verdict.outcome is Outcome.FAILED]
    assert [verdict.measure for verdict in failed] == ["ks"]
    assert "ZeroDivisionError: by nothing" in failed[0].sentence
    assert report.measures["psi", "x"] == 0.0
