"""Scripts make rows of captures: of SageMaker's trees, of the store, and of lines of batch transforms."""

import json
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import essence, watchkeep, write
from tests.unit.capture.stores import record, sealed

import watchkeep as wk

NAMES = ("berth", "draught", "place")
SCRIPT = """
import json

def preprocess_handler(record):
    given, answer = record.event_data.endpointInput, record.endpoint_output
    rows = []
    for line, late in zip(given.data.split(), json.loads(answer.data)["late"]):
        berth, draught, place = line.split("|")
        if berth == "13":
            continue
        rows.append({"place": place, "berth": berth, "draught": float(draught), "late": late})
    return rows
"""


def ships(number: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "late": random.random(number).round(3),
            "berth": random.integers(0, 20, number),
            "draught": random.normal(5, 1, number).round(2),
            "place": random.choice(["pier", "quay", "dock"], number),
        }
    )


def tree(root: Path, table: pa.Table, *, per_hour: int = 100) -> Path:
    """Captures of one or two rows, in a form of their own."""
    rows, at = table.to_pylist(), 0
    for number in range(10**9):
        several = rows[at : at + 1 + number % 2]
        if not several:
            return root
        at += len(several)
        hour = number // per_hour
        given = "\n".join("|".join(str(row[name]) for name in NAMES) for row in several)
        answer = json.dumps({"late": [row["late"] for row in several], "model": {"version": 3}})
        sides = {
            "endpointInput": {"data": given, "encoding": "CSV", "observedContentType": "application/x-ship"},
            "endpointOutput": {"data": answer, "encoding": "JSON", "observedContentType": "application/json"},
        }
        event = {"eventId": str(number), "inferenceTime": f"2024-01-19T{hour:02}:{number % 60:02}:00Z"}
        folder = root / f"harbour/A/2024/01/19/{hour:02}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "00-00-000-x.jsonl").open("a") as file:
            file.write(json.dumps({"captureData": sides, "eventMetadata": event}) + "\n")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    (tmp_path / "pre.py").write_text(SCRIPT)
    return tmp_path


def learned(folder: Path) -> Path:
    train = write(ships(2000, 1), folder / "train.csv")
    assert watchkeep("baseline", "data-quality", train, "--out", folder / "known").code == 0
    return folder / "known"


def test_what_a_script_makes_of_captures_is_checked_as_a_table_of_it_is(home: Path) -> None:
    table = ships(700, 2)
    captures = tree(home / "in", table)
    known, pre = learned(home), home / "pre.py"
    kept = table.filter(pa.array([berth != 13 for berth in table["berth"].to_pylist()]))
    plain = write(kept, home / "today.csv")
    assert watchkeep("captures", "import", captures).code == 0

    whole = watchkeep("check", known, plain, "--out", home / "r0", "--json")
    direct = watchkeep("check", known, captures, "--preprocess", pre, "--out", home / "r1", "--json")
    stored = watchkeep(
        "check", known, "captures:harbour", "--preprocess", pre, "--out", home / "r2", "--json"
    )
    several = watchkeep(
        "check",
        known,
        "captures:harbour",
        "--preprocess",
        pre,
        "--threads",
        "2",
        "--out",
        home / "r3",
        "--json",
    )

    documents = [one.document for one in (whole, direct, stored, several)]
    assert len({one.code for one in (whole, direct, stored, several)}) == 1
    for other in documents[1:]:
        assert other["rows"]["analysed"] == kept.num_rows
        assert other["rows"]["rejected"]["preprocessing script dropped it"] > 0
        assert essence(other)["found"] == essence(documents[0])["found"]
    assert essence(documents[1])["measures"] == essence(documents[2])["measures"]
    assert documents[2]["measures"] == documents[3]["measures"]


def test_a_window_is_kept_and_repeats_are_seen_once(home: Path) -> None:
    captures = tree(home / "in", ships(300, 2), per_hour=60)
    known, pre = learned(home), home / "pre.py"
    for again in ((), ("--again",)):
        assert watchkeep("captures", "import", captures, *again).code == 0

    window = ("--start", "2024-01-19T01:00Z", "--end", "2024-01-19T02:00Z", "--preprocess", pre, "--json")
    direct = watchkeep("check", known, captures, "--out", home / "r1", *window)
    stored = watchkeep("check", known, "captures:harbour", "--out", home / "r2", *window)

    rows = [one.document["rows"] for one in (direct, stored)]
    assert rows[0]["analysed"] == rows[1]["analysed"] > 0
    assert rows[1]["rejected"]["duplicate eventId"] > 0


def test_records_that_only_a_script_can_read_are_read(home: Path) -> None:
    body = b"PK\x03\x04 7"
    sealed(home / "home", [record(f"e{n}", [{}], given=body) for n in range(40)])
    pre = home / "bytes.py"
    pre.write_text(
        textwrap.dedent(
            """
            import base64, json

            def preprocess_handler(record):
                side = record.endpoint_input
                raw = base64.b64decode(side.data) if side.encoding == "BASE64" else side.data.encode()
                return {"size": len(raw), "p": json.loads(record.endpoint_output.data)["predictions"][0]}
            """
        )
    )
    train = write(pa.table({"size": [6] * 200, "p": [0.5] * 200}), home / "t.parquet")
    assert watchkeep("baseline", "data-quality", train, "--out", home / "known").code == 0

    without = watchkeep("check", home / "known", "captures:churn", "--out", home / "r1", "--json")
    told = watchkeep(
        "check", home / "known", "captures:churn", "--preprocess", pre, "--out", home / "r2", "--json"
    )

    assert without.code == 2
    assert told.code == 0, told.err
    assert told.document["rows"]["analysed"] == 40


def test_lines_of_tables_go_through_a_script_too(home: Path) -> None:
    pre = home / "lines.py"
    pre.write_text(
        "def preprocess_handler(one):\n"
        "    cells = one.split(';') if isinstance(one, str) else list(one.values())\n"
        "    return {str(at).zfill(2): cell for at, cell in enumerate(cells)}\n"
    )
    (home / "a.csv").write_text("".join(f"{n};{n % 3}\n" for n in range(100)))
    (home / "b.jsonl").write_text("".join(json.dumps({"x": n, "y": n % 3}) + "\n" for n in range(100)))

    for name in ("a.csv", "b.jsonl"):
        made = watchkeep(
            "baseline",
            "data-quality",
            home / name,
            "--preprocess",
            pre,
            "--no-header",
            "--out",
            home / name[0],
            "--json",
        )
        assert made.code == 0, made.err
        constraints = json.loads((home / name[0] / "constraints.json").read_text())
        assert [(one["name"], one["inferred_type"]) for one in constraints["features"]] == [
            ("00", "Integral"),
            ("01", "Integral"),
        ]
    checked = watchkeep(
        "check", home / "a", home / "b.jsonl", "--preprocess", pre, "--out", home / "r", "--json"
    )
    assert checked.document["rows"]["analysed"] == 100


def test_a_script_is_named_in_python_too(home: Path) -> None:
    captures = tree(home / "in", ships(300, 2))

    known = wk.DataQuality().baseline(wk.read(captures, preprocess=home / "pre.py"))

    assert list(known.columns) == ["berth", "draught", "late", "place"]


def test_a_script_that_fails_fails_the_check_in_one_sentence(home: Path) -> None:
    captures, known = tree(home / "in", ships(50, 2)), learned(home)
    pre = home / "bad.py"
    pre.write_text("def preprocess_handler(record):\n    return {'a': record.endpoint_inputs}\n")

    for source in (captures, write(ships(9), home / "x.parquet")):
        told = watchkeep("check", known, source, "--preprocess", pre, "--out", home / "r")
        assert told.is_one_sentence, told.err
    assert "expected captures, CSV or JSON Lines" in told.err
    told = watchkeep("check", known, captures, "--preprocess", pre, "--out", home / "r")
    assert f"{pre}, line 2: AttributeError: 'Record' object has no attribute 'endpoint_inputs'" in told.err
    assert not (home / "r").exists()
    assert watchkeep(
        "check", known, captures, "--preprocess", home / "none.py", "--out", home / "r"
    ).is_one_sentence


def test_a_script_is_called_after_a_check(home: Path) -> None:
    captures, known = tree(home / "in", ships(500, 2)), learned(home)
    post = home / "post.py"
    post.write_text(
        "import json\n"
        "def postprocess_handler():\n"
        "    status = json.load(open('report.json'))['status']\n"
        "    open('seen.txt', 'a').write(status + '\\n')\n"
    )
    words = ("--preprocess", home / "pre.py", "--postprocess", post, "--out", home / "r")

    told = watchkeep("check", known, captures, *words)

    assert told.code in (0, 1)
    assert (home / "r/seen.txt").read_text().startswith("Completed")
    post.write_text("def postprocess_handler():\n    raise KeyError('x')\n")
    failed = watchkeep("check", known, captures, *words[:4], "--out", home / "s")
    assert failed.code == 2
    assert f"{post}, line 2: KeyError: 'x'" in failed.err
    assert (home / "s/report.json").exists()
