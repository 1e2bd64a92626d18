"""The Python API: values, an algebra in the open, notebooks."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from tests.scenarios.world import essence, rows, violated

import watchkeep as wk
from watchkeep.core.errors import BaselineError, MissingColumnError, MissingSourceError, OptionError
from watchkeep.frames.text_values import Dialect
from watchkeep.service.together import Monitored, Together

TRAIN, MOVED = rows(2000, seed=1), rows(900, seed=3, income=11.0)


@pytest.fixture(scope="module")
def baseline() -> wk.Baseline:
    return wk.DataQuality().baseline(wk.read(TRAIN, timestamp="at"))


def test_importing_watchkeep_loads_no_numerics() -> None:
    script = (
        "import sys, watchkeep; heavy = {'numpy', 'pyarrow', 'pandas', 'polars', 'duckdb', 'rich', 'jinja2'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )

    assert subprocess.run([sys.executable, "-W", "error", "-c", script], check=False).returncode == 0


def test_every_public_name_is_there_and_no_other() -> None:
    assert sorted(wk.__all__) == list(wk.__all__)
    assert set(dir(wk)) == {*wk.__all__, "__version__"}
    assert all(getattr(wk, name).__name__.removeprefix("watchkeep.") == name for name in wk.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Basline'"):
        _ = wk.Basline


def test_states_add_up_to_the_report_of_all_the_rows(baseline: wk.Baseline) -> None:
    pieces = [baseline.scan(MOVED.slice(start, 300)) for start in (600, 0, 300)]

    merged = baseline.judge(pieces[0].merge(pieces[1]).merge(pieces[2]))
    other_way = baseline.judge(pieces[2].merge(pieces[0].merge(pieces[1])))
    whole = baseline.check(MOVED)

    assert essence(merged.document()) == essence(other_way.document()) == essence(whole.document())
    assert violated(whole.document())


def test_judging_reads_no_row_and_changes_nothing(baseline: wk.Baseline) -> None:
    state, before = baseline.scan(MOVED), baseline.id

    first, second = baseline.judge(state), baseline.judge(state)

    assert essence(first.document()) == essence(second.document())
    assert baseline.id == before


def test_a_saved_baseline_is_the_baseline(baseline: wk.Baseline, tmp_path: Path) -> None:
    baseline.save(tmp_path / "b")

    loaded = wk.load(tmp_path / "b")

    assert (loaded.id, loaded.rows, loaded.columns) == (baseline.id, 2000, tuple(TRAIN.column_names))
    assert loaded.constraints == baseline.constraints
    assert essence(loaded.check(MOVED).document()) == essence(baseline.check(MOVED).document())


def test_a_report_is_values(baseline: wk.Baseline, tmp_path: Path) -> None:
    report = baseline.check(MOVED)
    report.save(tmp_path / "r")

    assert report.status is wk.Status.COMPLETED_WITH_VIOLATIONS
    assert {verdict.outcome for verdict in report.violations} == {wk.Outcome.VIOLATED}
    assert report.measures["row_count", "dataset"] == 900
    assert isinstance(report.measures["freshness", "dataset"], wk.Undefined)
    assert report.causes[0].subject in ("income", "dataset")
    assert json.loads((tmp_path / "r" / "report.json").read_text()) == json.loads(
        json.dumps(report.document())
    )
    assert report.html() == (tmp_path / "r" / "report.html").read_text()


def test_notebooks_draw_both(baseline: wk.Baseline) -> None:
    for drawn in (baseline._repr_html_(), baseline.check(MOVED)._repr_html_()):
        assert "income" in drawn
        assert "<script" not in drawn
        assert "<html" not in drawn


def test_words_for_a_prompt(baseline: wk.Baseline) -> None:
    assert (
        repr(baseline)
        == f"<Baseline {baseline.id}: 2000 rows, 5 columns, {len(baseline.constraints)} limits>"
    )
    assert repr(baseline.check(MOVED)).startswith("<Report CompletedWithViolations: 900 rows, ")


def test_windows_are_texts_or_times(baseline: wk.Baseline) -> None:
    as_text = baseline.check(MOVED, start="2024-03-02", end="2024-03-04T00:00:00Z")
    as_time = baseline.check(
        MOVED, start=datetime(2024, 3, 2, tzinfo=UTC), end=datetime(2024, 3, 4, tzinfo=UTC)
    )

    assert essence(as_text.document()) == essence(as_time.document())
    with pytest.raises(OptionError, match="with its zone"):
        baseline.check(MOVED, start=datetime(2024, 3, 2))  # noqa: DTZ001 (the mistake)


def test_mistakes_are_errors_of_ours(baseline: wk.Baseline, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="sagemaker"):
        wk.DataQuality(dialect="sagemakr").baseline(TRAIN)
    with pytest.raises(MissingColumnError, match="did you mean 'income'"):
        wk.DataQuality().baseline(wk.read(TRAIN, label="incme"))
    with pytest.raises(MissingSourceError):
        baseline.check(tmp_path / "nowhere.parquet")
    with pytest.raises(BaselineError, match="no baseline"):
        wk.load(tmp_path)
    with pytest.raises(OptionError, match="probability"):
        wk.Policy(false_alarms=2)
    with pytest.raises(wk.WatchkeepError):
        baseline.check(object())


def test_facets_are_columns_or_groups() -> None:
    groups = wk.read(TRAIN, facets={"color": ["red"]}, ignore=["age"])

    assert wk.read(TRAIN, facets=["color"]).roles.facets == {"color": ()}
    assert groups.roles.facets == {"color": ("red",)}
    assert "age" not in wk.DataQuality().baseline(groups).columns


def test_the_sagemaker_dialect_judges_the_state_it_scanned(baseline: wk.Baseline) -> None:
    policy = wk.Policy(dialect=Dialect.SAGEMAKER)

    state = baseline.scan(MOVED, policy=policy)

    assert essence(baseline.judge(state, policy=policy).document()) == essence(
        baseline.check(MOVED, policy=policy).document()
    )


def test_an_empty_piece_changes_nothing(baseline: wk.Baseline) -> None:
    whole = baseline.scan(MOVED)

    assert baseline.scan(pa.Table.from_batches([], MOVED.schema)).merge(whole).rows == whole.rows
    assert essence(baseline.judge(whole.merge(baseline.scan(MOVED.slice(0, 0)))).document()) == essence(
        baseline.judge(whole).document()
    )


def test_what_a_monitor_names_is_a_cause_even_where_no_limit_speaks_of_it() -> None:
    def answered(wrong: int) -> pa.Table:
        label = [i % 2 for i in range(4000)]
        answers = [y ^ (i // 2 % 20 < wrong) for i, y in enumerate(label)]
        return pa.table({"age": [i % 40 for i in range(4000)], "y": label, "p": answers})

    quality = wk.ModelQuality().baseline(wk.read(answered(2), label="y", prediction="p"))
    found = quality.check(answered(3)).findings
    told = Monitored("how good", "model-quality", quality.learned, found)
    calm = replace(told, findings=replace(found, verdicts=()))
    several = Together((calm,), found.source, found.window, found.policy, found.created)

    assert several.decided == "how good"
    assert several.decision is not None
    assert several.decision.alarm
    assert [one.subject for one in several.causes] == list(several.decision.named)
    first = several.causes[0]
    assert (first.sentence, first.chart) == ("accuracy: worse", "monitors/how%20good/report.html#evidence")
    assert "accuracy" not in [
        one.subject for one in replace(several, monitored=(told,)).causes
    ]  # its limit tells
    assert '<h2 id="evidence">' in wk.Baselines(quality).check(answered(2)).html()
