"""Model Monitor's files and rules: its baselines are taken as they are, its dialect judges by the letter.

Expected numbers are computed here from the published formulas, with none of our code.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import check, found, violated, watchkeep, write

DRIFT_TEXT = re.compile(r"distance: (\S+) exceeds")
VALUE_TEXT = re.compile(r"Value: (\S+) does not meet the constraint requirement!")
N, M = 2000, 500


def people(n: int, *, seed: int, shift: float = 0.0, red: float = 0.5) -> pa.Table:
    random = np.random.default_rng(seed)
    colors = random.choice(["red", "green", "blue"], n, p=[red, 0.3, 0.7 - red])
    return pa.table(
        {"score": random.normal(shift, 1, n).round(6), "age": random.integers(18, 90, n), "color": colors}
    )


BEFORE, AFTER, LIKE = people(N, seed=1), people(M, seed=2, shift=1.0, red=0.1), people(M, seed=3)


def foreign(
    folder: Path, table: pa.Table, *, sketch: bool = True, monitoring: dict[str, Any] | None = None
) -> Path:
    """A baseline as Model Monitor writes it: two JSON files."""
    statistics, constraints = [], []
    for name in table.column_names:
        values = table[name].drop_null().to_pylist()
        common = {"num_present": len(values), "num_missing": table.num_rows - len(values)}
        told: dict[str, Any] = {"name": name, "completeness": len(values) / table.num_rows}
        if isinstance(values[0], str):
            buckets = [{"value": value, "count": n} for value, n in Counter(values).items()]
            statistics.append(
                {
                    "name": name,
                    "inferred_type": "String",
                    "string_statistics": {
                        "common": common,
                        "distinct_count": float(len(buckets)),
                        "distribution": {"categorical": {"buckets": buckets}},
                    },
                }
            )
            constraints.append(
                told | {"inferred_type": "String", "string_constraints": {"domains": sorted(set(values))}}
            )
            continue
        kind = "Integral" if isinstance(values[0], int) else "Fractional"
        counts, edges = np.histogram(values, 10)
        kll: dict[str, Any] = {
            "buckets": [
                {"lower_bound": float(low), "upper_bound": float(high), "count": float(n)}
                for low, high, n in zip(edges, edges[1:], counts, strict=False)
            ]
        }
        if sketch:
            kll["sketch"] = {"parameters": {"c": 0.64, "k": 2048.0}, "data": [sorted(map(float, values))]}
        statistics.append(
            {
                "name": name,
                "inferred_type": kind,
                "numerical_statistics": {
                    "common": common,
                    "mean": float(np.mean(values)),
                    "sum": float(np.sum(values)),
                    "std_dev": float(np.std(values)),
                    "min": float(min(values)),
                    "max": float(max(values)),
                    "distribution": {"kll": kll},
                },
            }
        )
        constraints.append(
            told | {"inferred_type": kind, "num_constraints": {"is_non_negative": min(values) >= 0}}
        )
    config: dict[str, Any] = {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
        },
    }
    config["distribution_constraints"] |= monitoring or {}
    folder.mkdir()
    (folder / "statistics.json").write_text(
        json.dumps({"version": 0.0, "dataset": {"item_count": table.num_rows}, "features": statistics})
    )
    (folder / "constraints.json").write_text(
        json.dumps({"version": 0.0, "features": constraints, "monitoring_config": config})
    )
    return folder


def ks(before: list[float], after: list[float]) -> float:
    """The largest gap of two empirical distribution functions."""
    one, other = np.sort(before), np.sort(after)
    at = np.concatenate([one, other])
    gap = np.searchsorted(one, at, "right") / len(one) - np.searchsorted(other, at, "right") / len(other)
    return float(np.abs(gap).max())


def linf(before: list[str], after: list[str]) -> float:
    one, other = Counter(before), Counter(after)
    return max(abs(one[v] / len(before) - other[v] / len(after)) for v in {*one, *other})


def robust(simple: float) -> float:
    return max(0.0, simple - 1.8 * math.sqrt((N + M) / (N * M)))


def texts(folder: Path) -> dict[tuple[str, str], str]:
    document = json.loads((folder / "constraint_violations.json").read_text())
    return {
        (one["constraint_check_type"], one["feature_name"]): one["description"]
        for one in document["violations"]
    }


def measured(report: Any, measure: str, subject: str) -> float:
    found_there = {(one["measure"], one["subject"]): one["value"] for one in report["measures"]}
    return float(found_there[measure, subject])


@pytest.mark.parametrize("dialect", ["default", "sagemaker", "sagemaker-2020"])
@pytest.mark.parametrize("sketch", [True, False])
def test_a_baseline_of_model_monitor_is_accepted_in_every_dialect(
    tmp_path: Path, dialect: str, sketch: bool
) -> None:
    known = foreign(tmp_path / "known", BEFORE, sketch=sketch)

    quiet, loud = (check(known, table, "--dialect", dialect) for table in (LIKE, AFTER))

    assert violated(quiet) == set()
    assert violated(loud) == {("baseline_drift_check", "score"), ("baseline_drift_check", "color")}
    assert quiet["outcomes"]["failed"] == 0


@pytest.mark.parametrize("method", ["Robust", "Simple", "linf_robust", "linf_simple"])
def test_drift_distances_are_those_of_the_published_formulas(tmp_path: Path, method: str) -> None:
    known = foreign(tmp_path / "known", BEFORE, monitoring={"comparison_method": method})

    report = check(known, AFTER, "--dialect", "sagemaker")

    told = texts(tmp_path / "report")
    number = robust if "obust" in method else float
    for column, distance in (
        ("score", ks(BEFORE["score"].to_pylist(), AFTER["score"].to_pylist())),
        ("color", linf(BEFORE["color"].to_pylist(), AFTER["color"].to_pylist())),
    ):
        spelled = DRIFT_TEXT.search(told["baseline_drift_check", column])
        assert spelled is not None
        assert float(spelled.group(1)) == pytest.approx(number(distance), abs=1e-9)
    assert ("baseline_drift_check", "age") not in violated(report)


def test_a_small_window_is_kept_by_the_correction_and_not_without_it(tmp_path: Path) -> None:
    # 1.8 * sqrt((2000 + 50) / (2000 * 50)) = 0.258: a gap of 0.2 passes 0.1 only without it.
    window = people(50, seed=9, shift=0.45)
    assert 0.1 < ks(BEFORE["score"].to_pylist(), window["score"].to_pylist()) < 0.35
    outcomes = {}
    for method in ("Simple", "Robust"):
        known = foreign(tmp_path / method, BEFORE, monitoring={"comparison_method": method})
        outcomes[method] = found(check(known, window, "--dialect", "sagemaker"))[
            "baseline_drift_check", "score"
        ]

    assert outcomes == {"Simple": "violated", "Robust": "kept"}


@pytest.mark.parametrize(("table", "outcome"), [(AFTER, "violated"), (LIKE, "kept")])
def test_chi_squared_judges_categories_by_the_p_value(tmp_path: Path, table: pa.Table, outcome: str) -> None:
    known = foreign(
        tmp_path / "known",
        BEFORE,
        monitoring={"categorical_drift_method": "ChiSquared", "categorical_comparison_threshold": 0.001},
    )

    report = check(known, table, "--dialect", "sagemaker")

    before, after = Counter(BEFORE["color"].to_pylist()), Counter(table["color"].to_pylist())
    statistic = sum((after[v] - before[v] * M / N) ** 2 / (before[v] * M / N) for v in before)
    assert found(report)["baseline_drift_check", "color"] == outcome
    assert measured(report, "chi2", "color") == pytest.approx(statistic, rel=1e-9)
    # With 2 degrees of freedom the tail of chi-squared is exp(-x / 2).
    assert measured(report, "chi2_p", "color") == pytest.approx(math.exp(-statistic / 2), rel=1e-6)


def test_one_value_in_three_hundred_breaks_the_type_by_the_letter_only(tmp_path: Path) -> None:
    known = foreign(tmp_path / "known", BEFORE)
    ages = [str(age) for age in LIKE["age"].to_pylist()[:273]]
    window = LIKE.slice(0, 273).set_column(1, "age", pa.array([*ages[:100], "2.5", *ages[101:]]))

    letter = check(known, window, "--dialect", "sagemaker")
    text = texts(tmp_path / "report")["data_type_check", "age"]
    ours = check(known, window)

    head, percent, tail = re.split(r"(?<=Only )([0-9.]+)(?=%)", text)
    assert violated(letter) == {("data_type_check", "age")}
    assert head == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
        "Observed: Only "
    )
    assert float(percent) == pytest.approx(100 * 272 / 273, rel=1e-11)
    assert tail == "% of data is Integral."
    assert violated(ours) == set()


def test_whole_numbers_are_fractional_too(tmp_path: Path) -> None:
    known = foreign(tmp_path / "known", BEFORE)
    whole = LIKE.set_column(0, "score", pa.array([round(score) for score in LIKE["score"].to_pylist()]))

    report = check(known, whole, "--dialect", "sagemaker")

    assert found(report)["data_type_check", "score"] == "kept"


def test_completeness_and_domains_are_plain_shares_with_texts_that_tools_can_parse(tmp_path: Path) -> None:
    known = foreign(tmp_path / "known", BEFORE)
    scores, colors = LIKE["score"].to_pylist(), LIKE["color"].to_pylist()
    window = LIKE.set_column(0, "score", pa.array([None, *scores[1:]]))
    window = window.set_column(2, "color", pa.array(["mauve", "teal", *colors[2:]]))

    letter = check(known, window, "--dialect", "sagemaker")
    told = texts(tmp_path / "report")
    ours = check(known, window)

    assert violated(letter) == {("completeness_check", "score"), ("categorical_values_check", "color")}
    for key, share in (
        (("completeness_check", "score"), 499 / 500),
        (("categorical_values_check", "color"), 498 / 500),
    ):
        spelled = VALUE_TEXT.fullmatch(told[key])
        assert spelled is not None
        assert float(spelled.group(1)) == pytest.approx(share, abs=1e-12)
    assert ("completeness_check", "score") not in violated(ours)  # one row in 500 is noise to us


def test_missing_and_extra_columns_have_an_entry_each(tmp_path: Path) -> None:
    known = foreign(tmp_path / "known", BEFORE)

    check(known, LIKE.rename_columns(["score", "years", "color"]), "--dialect", "sagemaker")

    assert set(texts(tmp_path / "report")) == {
        ("missing_column_check", "age"),
        ("extra_column_check", "years"),
    }


def test_a_clean_window_still_writes_its_list_of_violations(tmp_path: Path) -> None:
    check(foreign(tmp_path / "known", BEFORE), LIKE)

    assert json.loads((tmp_path / "report" / "constraint_violations.json").read_text()) == {"violations": []}


def test_our_sagemaker_baseline_holds_what_model_monitor_would_write(tmp_path: Path) -> None:
    data = write(BEFORE, tmp_path / "train.csv")

    answer = watchkeep(
        "baseline", "data-quality", data, "--out", tmp_path / "b", "--dialect", "sagemaker", "--json"
    )

    assert answer.code == 0
    constraints = json.loads((tmp_path / "b" / "constraints.json").read_text())
    statistics = json.loads((tmp_path / "b" / "statistics.json").read_text())
    theirs = foreign(tmp_path / "theirs", BEFORE)
    expected = json.loads((theirs / "constraints.json").read_text())
    assert set(constraints) == {"version", "features", "monitoring_config"}
    assert {one["name"]: one["inferred_type"] for one in constraints["features"]} == {
        one["name"]: one["inferred_type"] for one in expected["features"]
    }
    for ours, other in zip(constraints["features"], expected["features"], strict=True):
        assert ours["completeness"] == other["completeness"]
        assert ours.get("num_constraints") == other.get("num_constraints")
        assert sorted(ours.get("string_constraints", {}).get("domains", [])) == other.get(
            "string_constraints", {}
        ).get("domains", [])
    for ours, other in zip(
        statistics["features"], json.loads((theirs / "statistics.json").read_text())["features"], strict=True
    ):
        if (numbers := other.get("numerical_statistics")) is not None:
            for key in ("mean", "sum", "std_dev", "min", "max"):
                assert ours["numerical_statistics"][key] == pytest.approx(numbers[key], rel=1e-9)


def capture(root: Path, n: int, *, lines: int = 1, encoding: str = "CSV") -> Path:
    """A tree of captured inferences: age, color in; score out."""
    for at in range(n):
        hour = root / "churn" / "AllTraffic" / "2024" / "01" / "19" / f"{at % 24:02d}"
        hour.mkdir(parents=True, exist_ok=True)
        data = "\n".join(
            f"{20 + (at + line) % 50},{'red' if (at + line) % 3 else 'blue'}" for line in range(lines)
        )
        scores = "\n".join(f"0.{(at * 7 + line) % 97:02d}5" for line in range(lines))
        record = {
            "captureData": {
                "endpointInput": {
                    "observedContentType": "text/csv",
                    "mode": "INPUT",
                    "data": f"{data}\n",
                    "encoding": encoding,
                },
                "endpointOutput": {
                    "observedContentType": "text/csv; charset=utf-8",
                    "mode": "OUTPUT",
                    "data": scores,
                    "encoding": encoding,
                },
            },
            "eventMetadata": {"eventId": f"e{at}", "inferenceTime": f"2024-01-19T{at % 24:02d}:20:48Z"},
            "eventVersion": "0",
        }
        with (hour / f"20-48-{at % 3:03d}-x.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n\n")
    return root


def test_captured_inferences_are_checked_output_first_and_by_position(tmp_path: Path) -> None:
    train = pa.table(
        {
            "score": [(at * 7 % 97) / 100 + 0.005 for at in range(480)],
            "age": [20 + at % 50 for at in range(480)],
            "color": ["red" if at % 3 else "blue" for at in range(480)],
        }
    )
    data = write(train, tmp_path / "train.csv")
    assert watchkeep("baseline", "data-quality", data, "--out", tmp_path / "b").code == 0

    plain, bodies = (
        watchkeep("check", tmp_path / "b", tree, "--out", tmp_path / "r", "--json").document
        for tree in (capture(tmp_path / "one", 480), capture(tmp_path / "many", 160, lines=3))
    )

    assert violated(plain) == set()
    assert plain["rows"] == {"read": 480, "analysed": 480, "unmatched": 0, "rejected": {}}
    assert bodies["rows"]["analysed"] == 480
    assert ("missing_column_check", "age") not in violated(bodies)


def test_an_hour_of_captures_is_picked_by_the_time_of_the_inference(tmp_path: Path) -> None:
    tree = capture(tmp_path / "tree", 480)
    assert watchkeep("baseline", "data-quality", tree, "--out", tmp_path / "b").code == 0

    answer = watchkeep(
        "check",
        tmp_path / "b",
        tree,
        "--out",
        tmp_path / "r",
        "--json",
        "--timestamp",
        "inferenceTime",
        "--start",
        "2024-01-19T05:00:00Z",
        "--end",
        "2024-01-19T07:00:00Z",
    )

    assert answer.document["rows"]["analysed"] == 40
    assert not [key for key in violated(answer.document) if key[0] == "extra_column_check"]


def test_payloads_in_base64_are_rejected_and_counted(tmp_path: Path) -> None:
    known = capture(tmp_path / "tree", 96)
    assert watchkeep("baseline", "data-quality", known, "--out", tmp_path / "b").code == 0
    capture(known, 24, encoding="BASE64")

    report = watchkeep("check", tmp_path / "b", known, "--out", tmp_path / "r", "--json").document

    assert report["rows"] == {
        "read": 120,
        "analysed": 96,
        "unmatched": 0,
        "rejected": {"encoding BASE64": 24},
    }
