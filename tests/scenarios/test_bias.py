"""Bias as a user meets it: how groups are treated is learned, windows are checked, SageMaker's files are read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.scenarios.people import FACETS, ROLES, people
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.core.errors import OptionError
from watchkeep.monitors.bias.evaluation import BiasFindings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline of 6,000 people."""
    at = tmp_path_factory.mktemp("bias")
    data = write(people(6_000, 1), at / "train.parquet")
    made = watchkeep("baseline", "bias", data, *ROLES, *FACETS, "--stratum", "dept", "--out", at / "b")
    assert made.code == 0, made.err
    return at


def check(at: Path, rows: pa.Table, *options: object, baseline: str = "b") -> Any:
    data = write(rows, at / "window.parquet")
    answer = watchkeep("check", at / baseline, data, "--out", at / "r", "--json", *options)
    assert answer.code in (0, 1), answer.err
    assert answer.code == int(answer.document["outcomes"]["violated"] > 0)
    return answer.document


def values(report: Any) -> dict[tuple[str, str], Any]:
    return {(one["measure"], one["subject"]): one["value"] for one in report["measures"]}


def outcomes(report: Any) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for one in report["verdicts"]:
        found.setdefault((one["measure"], one["subject"]), set()).add(one["outcome"])
    return found


def violated(report: Any) -> set[tuple[str, str]]:
    return {key for key, found in outcomes(report).items() if "violated" in found}


def test_the_first_thing_a_user_does(tmp_path: Path) -> None:
    train, today = write(people(3_000, 1), tmp_path / "t.parquet"), write(people(900, 2), tmp_path / "w.csv")

    made = watchkeep("baseline", "bias", train, "--label", "hired", *FACETS, "--out", tmp_path / "b")
    checked = watchkeep("check", tmp_path / "b", today, "--out", tmp_path / "r")
    shown = watchkeep("show", tmp_path / "r", "--html", tmp_path / "page.html")

    assert (made.code, checked.code, shown.code) == (0, 0, 0), checked.err
    assert "sex=Female" in made.out
    assert "Not changed" in checked.out
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "analysis.json",
        "baseline.arrow",
        "constraints.json",
        "statistics.json",
    ]
    assert "analysis.json" in {path.name for path in (tmp_path / "r").iterdir()}
    assert "against the group" in (tmp_path / "page.html").read_text("utf-8")


def test_people_treated_alike_ring_nothing_and_women_turned_down_do(folder: Path) -> None:
    calm, worse = check(folder, people(2_000, 2)), check(folder, people(2_000, 3, against=0.6))

    assert (violated(calm), calm["decision"]["outcome"]) == (set(), "not changed")
    assert {("DPPL", "sex=Female"), ("RD", "sex=Female"), ("DI", "sex=Female")} <= violated(worse)
    assert worse["decision"]["alarm"]
    assert worse["decision"]["named"] == ["sex=Female"]
    assert not any(subject == "age > 40" for _, subject in violated(worse))


def test_measures_are_what_plain_arithmetic_says(folder: Path) -> None:
    rows = people(2_000, 4)
    found = values(check(folder, rows))

    frame = {name: np.array(rows[name].to_pylist()) for name in ("sex", "age", "hired", "said", "score")}
    yes, said, old = frame["hired"] == "yes", frame["said"] == "yes", frame["age"] > 40
    for subject, d in (("sex=Female", frame["sex"] == "Female"), ("age > 40", old)):
        assert found["DPL", subject] == pytest.approx(yes[~d].mean() - yes[d].mean(), abs=1e-9)
        assert found["DI", subject] == pytest.approx(said[d].mean() / said[~d].mean(), abs=1e-9)
        assert found["RD", subject] == pytest.approx(said[~d & yes].mean() - said[d & yes].mean(), abs=1e-9)
        gaps = [(frame["score"][side] - yes[side]).mean() for side in (d, ~d)]
        assert found["CG", subject] == pytest.approx(gaps[0] - gaps[1], abs=1e-6)
    both = (frame["sex"] == "Female") & old
    crossed = "sex=Female, age > 40"
    assert found["DPPL", crossed] == pytest.approx(said[~both].mean() - said[both].mean(), abs=1e-9)


def test_before_labels_come_error_rates_are_estimated_and_marked(folder: Path) -> None:
    rows = people(3_000, 5)
    early, late = check(folder, rows.drop_columns(["hired"])), check(folder, rows)

    told = {one["measure"]: one for one in early["bias"]["groups"][0]["measures"]}
    assert told["RD"]["value"] == {"undefined": "RD needs 1 row labelled positive of the others, has 0"}
    assert told["RD"]["estimate"]["low"] <= values(late)["RD", "sex=Female"] <= told["RD"]["estimate"]["high"]
    assert values(early)["DPPL", "sex=Female"] == values(late)["DPPL", "sex=Female"]
    assert "Estimated" in early["bias"]["estimates"]["sentence"]
    assert outcomes(early)["RD", "sex=Female"] == {"undecided"}
    reasons = {one["sentence"] for one in early["verdicts"] if one["measure"] == "DPL"}
    assert all("no label has come" in reason for reason in reasons)


@pytest.mark.parametrize("column", ["score", "dept", "skill"])
def test_a_column_that_only_some_measures_need_may_be_missing(folder: Path, column: str) -> None:
    rows = people(1_500, 6)

    assert values(check(folder, rows.drop_columns([column])))["DPL", "sex=Female"] == pytest.approx(
        values(check(folder, rows))["DPL", "sex=Female"]
    )


def test_a_group_that_is_gone_is_told_by_its_share_of_rows(folder: Path) -> None:
    report = check(folder, people(1_500, 7, women=0.0))

    assert ("CI", "sex=Female") in violated(report)
    assert outcomes(report)["DPPL", "sex=Female"] == {"undecided"}
    assert values(report)["DPPL", "sex=Female"] == {"undefined": "DPPL needs 1 row of the group, has 0"}
    assert report["decision"]["changes"] == {"sex=Female": "size"}


def test_few_rows_of_a_group_leave_it_undecided_and_its_size_is_told(folder: Path) -> None:
    report = check(folder, people(400, 8, women=0.03), "--strict")

    group = report["bias"]["groups"][0]
    assert group["rows"] < 30
    assert outcomes(report)["DPPL", "sex=Female"] == {"undecided"}
    assert any("fewer than 30 rows" in one["sentence"] for one in report["verdicts"])


def test_new_values_and_missing_ones_are_counted_and_many_new_ones_violate(folder: Path) -> None:
    rows = people(1_000, 9)
    sexes = ["Diverse"] * 150 + [None] * 80 + rows["sex"].to_pylist()[230:]
    report = check(folder, rows.set_column(1, "sex", pa.array(sexes)))

    assert report["bias"]["levels"][0] == {"facet": "sex", "missing": 80, "new": 150}
    assert values(report)["new_values", "sex"] == pytest.approx(150 / 920)
    assert ("new_values", "sex") in violated(report)


def test_labels_coded_otherwise_are_rejected_and_counted_and_no_bias_is_seen(folder: Path) -> None:
    rows = people(1_000, 20)
    coded = ["1" if one == "yes" else "no" for one in rows["hired"].to_pylist()]
    report = check(folder, rows.set_column(6, "hired", pa.array(coded)))

    assert report["rows"]["rejected"] == {"the label is of no known value": coded.count("1")}
    assert ("rejected", "dataset") in violated(report)


def test_a_groups_share_of_rows_needs_no_label(folder: Path) -> None:
    rows = people(1_000, 21)
    women = rows["sex"].to_pylist().count("Female")

    assert (
        values(check(folder, rows.drop_columns(["hired"])))["CI", "sex=Female"] == (1_000 - 2 * women) / 1_000
    )


def test_a_handful_of_rows_is_too_little_to_tell(folder: Path) -> None:
    assert check(folder, people(8, 22))["decision"]["outcome"] == "too little data to tell"


def test_what_is_past_its_limit_within_noise_is_told(folder: Path) -> None:
    rows = write(people(400, 31, against=0.25), folder / "noisy.parquet")
    answer = watchkeep("check", folder / "b", rows, "--out", folder / "noisy")
    document = json.loads((folder / "noisy" / "report.json").read_text())

    past = [one for one in document["bias"]["groups"][0]["measures"] if one.get("noise")]
    assert past
    for one in past:
        assert one["reach"][0] < one["value"] < one["reach"][1]
        assert one["outcome"] == "kept"
    assert "Past the limit, within noise" in answer.out
    assert "past its limit, within noise" in (folder / "noisy" / "report.html").read_text()


def test_of_two_groups_that_mirror_each_other_one_has_limits() -> None:
    baseline = wk.Bias().baseline(wk.read(people(2_000, 1), label="hired", facets=["sex"]))

    assert {one.subject for one in baseline.constraints} == {"sex=Female", "sex", "dataset"}


@pytest.mark.parametrize("labels", ["no", None])
def test_one_outcome_only_or_none_is_undefined_and_never_no_bias(folder: Path, labels: str | None) -> None:
    rows = people(800, 10)
    report = check(folder, rows.set_column(6, "hired", pa.array([labels] * 800, pa.string())))

    told = values(report)["RD", "sex=Female"]
    assert told["undefined"].startswith("RD needs 1 row labelled positive")
    assert "kept" not in outcomes(report)["RD", "sex=Female"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--label", "hired"), "facet: got 'nothing'"),
        (("--facet", "sex"), "label: got 'nothing'"),
        (("--label", "hired", "--facet", "hired"), "it is the label already"),
        (("--label", "hired", "--facet", "sex=Femal"), "did you mean 'sex=Female'?"),
        (("--label", "hired", "--facet", "sexx"), "did you mean 'sex'?"),
        (("--label", "hired", "--facet", "age=old"), "expected numbers to cut 'age' at"),
        (("--label", "hired", "--facet", "id"), "with 300 groups', expected at most 64"),
        (("--label", "hired", "--facet", "sex=Female", "--facet", "sex=Male"), "each column once: sex=V,V"),
        (("--label", "years", "--facet", "sex"), "expected a number: the labels 'years' above it"),
        (("--label", "hired", "--positive", "maybe", "--facet", "sex"), "a value of column 'hired'"),
        (
            ("--label", "hired", "--prediction", "dept", "--facet", "sex"),
            "the values that the label 'hired' has",
        ),
        (("--label", "hired", "--facet", "sex", "--stratum", "seks"), "seks"),
        (("--label", "hired", "--facet", "sex", "--stratum", "id"), "stratum: got 'id with 300 groups'"),
        (("--label", "hired", "--facet", "sex", "--segment", "age < 30"), "expected model-quality"),
        (("--label", "hired", "--facet", "sex", "--neighbours", "0"), "expected 1 or more"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    data = write(people(300, 1), tmp_path / "t.parquet")

    answer = watchkeep("baseline", "bias", data, *options, "--out", tmp_path / "b")

    assert answer.is_one_sentence, answer.err
    assert expected in answer.err
    assert not (tmp_path / "b").exists()


def test_other_groups_than_the_baselines_are_refused_at_a_check(folder: Path) -> None:
    data = write(people(300, 1), folder / "w.parquet")

    for facet, expected in (
        ("sex=Male", "the baseline's groups are Female"),
        ("dept", "one that the baseline"),
    ):
        answer = watchkeep("check", folder / "b", data, "--facet", facet, "--out", folder / "no")
        assert answer.is_one_sentence
        assert expected in answer.err


def test_limits_may_be_edited_and_a_slip_of_the_pen_is_told(folder: Path, tmp_path: Path) -> None:
    baseline = wk.load(folder / "b")
    baseline.save(tmp_path / "b")
    path = tmp_path / "b" / "constraints.json"
    document = json.loads(path.read_text())
    limits = document["watchkeep"]["constraints"]
    tight = {"measure": "DPPL", "subject": "sex=Female", "at_most": -0.5}
    document["watchkeep"]["constraints"] = [tight, *limits]
    path.write_text(json.dumps(document))

    assert ("DPPL", "sex=Female") in violated(check(tmp_path, people(2_000, 2)))
    for slip in ({"subject": "sex=Femal"}, {"measure": "DPPX"}, {"at_least": 0.0}):
        document["watchkeep"]["constraints"] = [tight | slip]
        path.write_text(json.dumps(document))
        answer = watchkeep("check", tmp_path / "b", folder / "train.parquet", "--out", tmp_path / "no")
        assert answer.is_one_sentence, slip


def test_a_baseline_saved_and_loaded_is_the_same(folder: Path, tmp_path: Path) -> None:
    data = wk.read(
        people(6_000, 1),
        label="hired",
        prediction="said",
        score="score",
        id="id",
        facets={"sex": "Female", "age": 40},
    )
    made = wk.Bias(stratum="dept").baseline(data)
    made.save(tmp_path / "b")
    again, window = wk.load(tmp_path / "b"), people(1_000, 2)

    assert again.id == made.id == wk.load(folder / "b").id
    assert again.check(window).measures == made.check(window).measures
    assert again.constraints == made.constraints


def test_states_of_pieces_judged_together_are_the_report_of_the_whole(folder: Path) -> None:
    baseline, rows = wk.load(folder / "b"), people(2_000, 11)
    pieces = [baseline.scan(rows.slice(at, 500)) for at in (1500, 0, 1000, 500)]

    merged = baseline.judge(pieces[0].merge(*pieces[1:]))
    whole = baseline.check(rows)

    assert merged.measures == whole.measures
    assert {str(one.sentence) for one in merged.verdicts} == {str(one.sentence) for one in whole.verdicts}
    assert merged.decision.level == whole.decision.level


def test_a_watch_adds_up_what_no_window_shows_by_itself(folder: Path) -> None:
    watch = wk.Watch(wk.load(folder / "b"))
    calm = [watch.observe(watch.baseline.check(people(600, 100 + at))) for at in range(6)]
    worse = [watch.observe(watch.baseline.check(people(600, 200 + at, against=0.25))) for at in range(14)]

    assert not any(one.alarm for one in calm)
    assert any(one.alarm for one in worse)
    first = next(one for one in worse if one.alarm)
    assert (first.named, first.changes["sex=Female"]) == (("sex=Female",), "gap")


def test_labels_that_come_later_are_joined(folder: Path) -> None:
    rows = people(1_500, 12)
    labels = write(rows.select(["id", "hired"]), folder / "labels.csv")
    joined = check(folder, rows.drop_columns(["hired"]), "--labels", labels)

    assert values(joined)["RD", "sex=Female"] == pytest.approx(
        values(check(folder, rows))["RD", "sex=Female"]
    )


def test_several_positives_thresholds_and_weights(tmp_path: Path) -> None:
    rows = people(1_000, 1)
    wages = rows.append_column("wage", pa.array(np.arange(1_000.0))).append_column(
        "w", pa.array(np.full(1_000, 3e-6))
    )
    read: Any = {"label": "wage", "facets": {"sex": "Female"}}

    above = wk.Bias(positive=500).baseline(wk.read(wages, **read)).check(wages)
    weighed = wk.Bias(positive=500).baseline(wk.read(wages, weight="w", **read)).check(wages)
    both = wk.Bias(positive=["sales", "lab"]).baseline(wk.read(rows, label="dept", facets={"sex": "Female"}))

    female = pc.equal(wages["sex"], "Female").to_numpy()
    share = np.arange(1_000) > 500
    assert above.measures["DPL", "sex=Female"] == pytest.approx(share[~female].mean() - share[female].mean())
    assert weighed.measures["DPL", "sex=Female"] == pytest.approx(above.measures["DPL", "sex=Female"])
    assert both.check(rows).measures["DPL", "sex=Female"] == 0
    group, same = (one.findings for one in (above, weighed))
    assert isinstance(group, BiasFindings)
    assert isinstance(same, BiasFindings)
    assert same.groups[0].measures["DPL"].error == pytest.approx(
        group.groups[0].measures["DPL"].error, rel=0.25
    )


def test_groups_without_names_of_their_own_are_refused() -> None:
    rows = pa.table({"a": ["x", "y"] * 50, "a x b": ["x", "y"] * 50, "b": ["u", "v"] * 50, "l": [0, 1] * 50})

    with pytest.raises(OptionError, match="names of their own"):
        wk.Bias().baseline(wk.read(rows, label="l", facets=["a", "b", "a x b"]))


def test_many_facets_do_not_overflow() -> None:
    random = np.random.default_rng(0)
    rows = pa.table(
        {"y": random.integers(0, 2, 200)} | {f"f{at}": random.integers(0, 2, 200) for at in range(32)}
    )
    baseline = wk.Bias().baseline(wk.read(rows, label="y", facets=[f"f{at}" for at in range(32)]))

    assert len(baseline.check(rows).findings.profile.parts) == 32 + 32 * 31 // 2
