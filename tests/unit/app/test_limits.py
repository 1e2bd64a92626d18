"""Files of limits: one that limits nothing is refused, and what nobody reads in one is told."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.scenarios.world import rows, watchkeep, write

import watchkeep as wk
from watchkeep.app.store import load_baseline
from watchkeep.core.errors import DocumentError, OptionError
from watchkeep.formats.unknown_keys import unknown_keys


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Baselines of data and of answers."""
    home = tmp_path_factory.mktemp("limits")
    table = rows(300, seed=1)
    wk.DataQuality().baseline(table).save(home / "data")
    answers = pa.table({"age": table.column("age"), "y": [0, 1] * 150, "p": [0, 1, 1, 1, 0, 0] * 50})
    wk.ModelQuality().baseline(wk.read(answers, label="y", prediction="p")).save(home / "answers")
    return home


def limits(home: Path, document: object) -> Path:
    path = home / "limits.json"
    path.write_text(json.dumps(document))
    return path


def less(measure: str) -> dict[str, Any]:
    threshold = {"threshold": 0.5, "comparison_operator": "LessThanThreshold"}
    return {"binary_classification_constraints": {measure: threshold}}


@pytest.mark.parametrize(
    ("which", "document", "got"),
    [
        ("data", {}, "an empty object"),
        ("data", {"version": 0.0, "features": []}, "nothing but 'features', which limits nothing"),
        (
            "data",
            {"features": [{"name": "agee", "inferred_type": "Integral", "completeness": 1.0}]},
            "limits of columns that the baseline lacks ('agee')",
        ),
        ("data", less("accuracy"), "nothing but 'binary_classification_constraints', which limits nothing"),
        (
            "data",
            {
                "features": [{"name": "age", "completeness": 1.0}],
                "monitoring_config": {"evaluate_constraints": "Disabled"},
            },
            "columns without a limit, or with all of them switched off",
        ),
        ("answers", less("acuracy"), "limits of measures that the baseline lacks ('acuracy')"),
        (
            "answers",
            {"binary_classification_constraints": {}},
            "nothing but 'binary_classification_constraints'",
        ),
    ],
)
def test_limits_that_limit_nothing_are_refused(
    home: Path, which: str, document: dict[str, Any], got: str
) -> None:
    path = limits(home, document)

    with pytest.raises(DocumentError) as raised:
        load_baseline(home / which, limits=path)

    assert str(raised.value).startswith(f"{path}: at the top got {got}")
    own = home / which / "constraints.json"
    assert "such as 'a" in str(raised.value)
    assert str(raised.value).endswith(f", as in {own}")


def test_the_baselines_own_limits_may_be_none(home: Path) -> None:
    """Who takes all limits away may want the watch alone."""
    own = json.loads((home / "data" / "constraints.json").read_text())
    (home / "data" / "constraints.json").write_text("{}")
    try:
        assert load_baseline(home / "data").baseline.constraints == ()
    finally:
        (home / "data" / "constraints.json").write_text(json.dumps(own))


def test_what_nobody_reads_is_told_and_the_rest_is_judged(home: Path) -> None:
    told: list[str] = []
    own = json.loads((home / "data" / "constraints.json").read_text())
    assert load_baseline(home / "data", tell=told.append).baseline.constraints
    assert told == []

    own["monitoring_config"]["distribution_constraints"]["comparison_thresh"] = 0.2
    own["features"].append({"name": "incom", "completeness": 1.0})
    path = limits(home, own)
    learned = load_baseline(home / "data", limits=path, tell=told.append)

    assert learned.baseline.constraints
    at = "monitoring_config.distribution_constraints.comparison_thresh (did you mean 'comparison_threshold'?)"
    assert told == [
        f"{path}: keys that Watchkeep does not know limit nothing: {at}",
        f"{path}: the baseline has no such column, so these limits judge nothing: 'incom' (did you mean 'income'?)",
    ]
    told.clear()
    both = {
        "binary_classification_constraints": {**less("acuracy").popitem()[1], **less("recall").popitem()[1]}
    }
    load_baseline(home / "answers", limits=limits(home, both), tell=told.append)
    assert told == [
        f"{path}: the baseline has no such measure, so these limits judge nothing: 'acuracy' (did you mean 'accuracy'?)"
    ]


def test_commands_tell_it_on_standard_error(home: Path, tmp_path: Path) -> None:
    own, today = home / "data" / "constraints.json", tmp_path / "today.parquet"
    write(rows(200, seed=2), today)
    before = own.read_text()
    own.write_text(json.dumps(json.loads(before) | {"comment": "by hand"}))
    try:
        answer = watchkeep("check", home / "data", today, "--out", tmp_path / "r", "--json")
    finally:
        own.write_text(before)

    assert answer.document["kind"] == "data-quality"
    assert answer.err == f"watchkeep: {own}: keys that Watchkeep does not know limit nothing: comment\n"


def test_a_wrong_limit_is_told_of_the_file_it_stands_in(home: Path) -> None:
    path = limits(home, {"watchkeep": {"constraints": [{"measure": "mmdd", "at_most": 0.1}]}})

    with pytest.raises(
        OptionError, match=r"limits\.json: a limit of 'dataset': got 'mmdd'.*did you mean 'mmd'"
    ):
        load_baseline(home / "data", limits=path)


def test_of_the_files_of_another_tool_only_what_looks_misspelt_is_told() -> None:
    document = {"features": [{"name": "a", "completness": 1.0, "owner": "us"}], "comment": "kept"}

    assert unknown_keys(document, kind="data-quality", ours=False) == [
        "features[0].completness (did you mean 'completeness'?)"
    ]
    assert len(unknown_keys(document, kind="data-quality", ours=True)) == 3
    assert unknown_keys(document, kind="bias", ours=True) == []
