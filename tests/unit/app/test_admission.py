"""What a baseline learned from is admitted by it, and what lies far from it is not."""

import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watchkeep as wk
from watchkeep.app.admission import admission_document
from watchkeep.app.store import load_baseline
from watchkeep.capture.admission import Admission
from watchkeep.core.errors import BadInputError
from watchkeep.frames.roles import Roles

GOLDEN = Path(__file__).parents[2] / "golden" / "sagemaker"
COLUMNS = {
    "n": (pa.int64(), st.one_of(st.integers(-1000, 1000), st.integers(-(2**60), 2**60))),
    "x": (pa.float64(), st.floats(allow_infinity=False)),
    "s": (pa.string(), st.sampled_from(["a", "b", "Ü", "true", "41", "it's"])),
    "t": (pa.bool_(), st.booleans()),
    "at": (pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(UTC))),
    "e": (pa.list_(pa.float64()), st.lists(st.floats(-9, 9), min_size=2, max_size=3)),
}
ROWS = st.lists(
    st.tuples(*(st.one_of(st.none(), values) for _, values in COLUMNS.values())), min_size=1, max_size=12
)


def document(source: object, **options: Any) -> dict[str, Any]:
    return admission_document(wk.DataQuality().baseline(source).learned, **options)


def column(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in told["columns"] if one["name"] == name]
    return {key: value for key, value in found.items() if key != "name"}


@settings(max_examples=60)
@given(ROWS, st.sampled_from([0.0, 1.0, math.inf]))
def test_every_row_that_a_baseline_learned_from_is_admitted(
    rows: list[tuple[Any, ...]], slack: float
) -> None:
    table = pa.table(
        {
            name: pa.array([row[at] for row in rows], kind)
            for at, (name, (kind, _)) in enumerate(COLUMNS.items())
        }
    )
    admission = Admission.of(document(table, slack=slack))

    requests = [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
    assert admission.check(json.dumps(requests).encode(), "application/json") == []
    by_place = [list(row.values()) for row in requests]
    assert admission.check(json.dumps({"instances": by_place}).encode(), "application/json") == []


FIELDS = st.one_of(
    st.integers(-99, 99).map(str),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.6g}"),
    st.sampled_from(["", "red", "NA", "true", "false", "2024-01-19", "1e3", " 7", "+7"]),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(FIELDS, FIELDS, st.sampled_from(["1", "2"])), min_size=1, max_size=12))
def test_every_line_of_csv_that_a_baseline_learned_from_is_admitted(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    text = "\n".join(",".join(row) for row in rows) + "\n"
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(f"a,b,c\n{text}")
    admission = Admission.of(document(wk.read(path, header=True), slack=0.0))

    assert admission.check(text.encode(), "text/csv") == []
    assert admission.check(path.read_bytes(), "text/csv") == []


def people(n: int = 1000) -> pa.Table:
    return pa.table(
        {
            "id": [f"p{i}" for i in range(n)],
            "age": [18 + i % 60 for i in range(n)],
            "balance": [-50.25 + i % 101 for i in range(n)],
            "city": ["Oslo", "Rome"] * (n // 2),
            "plan": pa.array([None if i % 5 == 0 else "a" for i in range(n)]),
            "fixed": [7] * n,
            "churned": [i % 2 for i in range(n)],
            "p": [i / n for i in range(n)],
            "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * n),
        }
    )


def test_features_have_limits_answers_do_not_come_and_others_may() -> None:
    rows = wk.read(people(), id="id", label="churned", score="p", timestamp="at", facets=["city"])
    told = document(rows)

    assert [one["name"] for one in told["columns"]] == ["age", "balance", "city", "plan", "fixed"]
    assert told["known"] == ["id", "at"]
    assert column(told, "age") == {"type": "integer", "nullable": False, "min": 0, "max": 136}
    assert column(told, "balance") == {"type": "number", "nullable": False, "min": -150.3, "max": 149.8}
    assert column(told, "city")["categories"] == ["Oslo", "Rome"]
    assert column(told, "plan") == {"type": "text", "nullable": True, "categories": ["a"]}
    assert column(told, "fixed") == {"type": "integer", "nullable": False, "min": 0}
    assert told["baseline"]["rows"] == 1000


@pytest.mark.parametrize(
    ("slack", "low", "high"), [(0.0, -50.25, 49.75), (0.5, -100.3, 99.8), (1.0, -150.3, 149.8)]
)
def test_the_range_of_numbers_is_widened_by_its_width(slack: float, low: float, high: float) -> None:
    told = column(document(people(), slack=slack), "balance")

    assert (told["min"], told["max"]) == (low, high)


def test_without_ranges_the_sign_still_counts() -> None:
    told = document(people(), slack=math.inf)

    assert column(told, "age") == {"type": "integer", "nullable": False, "min": 0}
    assert column(told, "balance") == {"type": "number", "nullable": False}


def test_what_constraints_do_not_ask_for_is_not_asked(tmp_path: Path) -> None:
    wk.DataQuality().baseline(people()).save(tmp_path / "b")
    path = tmp_path / "b" / "constraints.json"
    edited = json.loads(path.read_text())
    by_name = {one["name"]: one for one in edited["features"]}
    by_name["age"]["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
    by_name["city"]["monitoringConfigOverrides"] = {"domain_content_threshold": 0.9}
    by_name["balance"]["monitoringConfigOverrides"] = {"datatype_check_threshold": 0.9}
    by_name["plan"]["completeness"] = 1.0
    by_name["fixed"]["num_constraints"]["is_non_negative"] = False
    by_name["fixed"]["inferred_type"] = "Fractional"
    path.write_text(json.dumps(edited))

    told = admission_document(load_baseline(tmp_path / "b"))

    assert column(told, "age") == {}
    assert column(told, "city") == {"type": "text", "nullable": False}
    assert column(told, "balance") == {"nullable": False, "min": -150.3, "max": 149.8}
    assert column(told, "plan")["nullable"] is False
    assert column(told, "fixed") == {"type": "number", "nullable": False}


def test_two_files_of_sagemaker_are_a_baseline(tmp_path: Path) -> None:
    for name in ("statistics", "constraints"):
        shutil.copy(GOLDEN / f"{name}_data_quality.json", tmp_path / f"{name}.json")
    statistics: Any = json.loads((tmp_path / "statistics.json").read_text())
    told = admission_document(load_baseline(tmp_path), roles=Roles(ignored=("phone",)))

    names = [one["name"] for one in statistics["features"] if one["name"] != "phone"]
    assert [one["name"] for one in told["columns"]][: len(names)] == names
    assert column(told, "tenure")["type"] == "integer"
    assert column(told, "tenure")["max"] == 87 + (87 - 17)
    assert "phone" in told["known"]


def test_truths_of_sagemaker_are_called_texts_and_may_be_both(tmp_path: Path) -> None:
    buckets = [{"value": value, "count": 5} for value in ("true", "false")]
    common = {"num_present": 10, "num_missing": 0}
    feature = {"name": "member", "inferred_type": "String"}
    statistics = {
        "common": common,
        "distinct_count": 2.0,
        "distribution": {"categorical": {"buckets": buckets}},
    }
    (tmp_path / "statistics.json").write_text(
        json.dumps(
            {
                "version": 0.0,
                "dataset": {"item_count": 10},
                "features": [feature | {"string_statistics": statistics}],
            }
        )
    )
    domain = {"string_constraints": {"domains": ["true", "false"]}, "completeness": 1.0}
    (tmp_path / "constraints.json").write_text(json.dumps({"version": 0.0, "features": [feature | domain]}))

    told = admission_document(load_baseline(tmp_path))

    assert column(told, "member") == {"nullable": False, "categories": ["true", "false"]}
    admission = Admission.of(told)
    good = [{"member": True}, {"member": False}, {"member": "true"}]
    assert admission.check(json.dumps(good).encode(), "application/json") == []
    assert admission.check(b"true\nfalse\n", "text/csv") == []
    bad = [{"member": 1}, {"member": "yes"}, {"member": []}]
    assert [one.what for one in admission.check(json.dumps(bad).encode(), "application/json")] == [
        "domain"
    ] * 3


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"slack": -0.1}, "--slack: got '-0.1'"),
        ({"slack": math.nan}, "--slack: got 'nan'"),
        ({"rows": 0}, "at rows got 0"),
        ({"roles": Roles(ignored=("agee",))}, "did you mean 'age'"),
        ({"roles": Roles(features=("id",), id="id")}, "none of its columns is a feature"),
    ],
)
def test_options_that_cannot_be_used_are_told(options: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        document(people(), **options)


def test_other_monitors_have_no_admission() -> None:
    rows = wk.read(people(), label="churned", score="p")

    with pytest.raises(BadInputError, match=r"it is of model-quality; admission is made of .* data-quality"):
        admission_document(wk.ModelQuality().baseline(rows).learned)
