"""Captures in every form that SageMaker's lines have are imported, checked and exported as they were."""

import json
import shutil
from pathlib import Path

import pytest
from tests.scenarios.world import essence, watchkeep
from tests.unit.capture.stores import queried

TREE = Path(__file__).parent / "captures"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jsonl")}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def test_what_was_imported_is_exported_byte_by_byte(home: Path, tmp_path: Path) -> None:
    imported = watchkeep("captures", "import", TREE, "--json")
    exported = watchkeep("captures", "export", "harbour", "--out", tmp_path / "out", "--json")

    assert imported.code == exported.code == 0, imported.err + exported.err
    assert imported.document["rejected"] == {}
    assert imported.document["records"] == [
        {"endpoint": "harbour", "variant": "AllTraffic", "records": 10},
        {"endpoint": "harbour", "variant": "green", "records": 7},
    ]
    assert files(tmp_path / "out") == files(TREE)
    assert (exported.document["records"], exported.document["left_out"]) == (17, {})


def test_a_second_import_changes_nothing(home: Path, tmp_path: Path) -> None:
    assert watchkeep("captures", "import", TREE).code == 0
    before = {path: path.read_bytes() for path in (home / "captures").rglob("*.parquet")}
    copied = shutil.copytree(TREE, tmp_path / "copied")

    again = watchkeep("capture", "import", TREE, "--json")
    moved = watchkeep("captures", "import", copied, "--json")
    exported = watchkeep("captures", "export", "harbour", "--out", tmp_path / "out")

    assert (again.document["known"], again.document["records"]) == (3, [])
    assert {path: path.read_bytes() for path in before} == before
    assert moved.code == exported.code == 0
    assert files(tmp_path / "out") == files(TREE)  # the events are the same, wherever their files lie


def test_compaction_keeps_every_byte(home: Path, tmp_path: Path) -> None:
    assert watchkeep("captures", "import", TREE / "harbour/AllTraffic", "--endpoint", "harbour").code == 0
    other = tmp_path / "harbour/AllTraffic/2024/11/23/19"
    other.mkdir(parents=True)
    (name,) = [path for path in (TREE / "harbour/AllTraffic").rglob("*.jsonl") if path.name.startswith("04")]
    (other / "59-59-000-late.jsonl").write_bytes(
        b'{"captureData":{"endpointInput":{"data":"{\\"berth\\":\\"x\\"}","encoding":"JSON","mode":"INPUT"}},'
        b'"eventMetadata":{"eventId":"late","inferenceTime":"2024-11-23T19:59:59Z"}}\n'
    )
    assert watchkeep("captures", "import", tmp_path / "harbour", "--endpoint", "harbour").code == 0

    compacted = watchkeep("captures", "compact", "--older", "0", "--json")
    watchkeep("captures", "export", "harbour", "--out", tmp_path / "out")

    assert compacted.code == 0, compacted.err
    assert (compacted.document["before"], compacted.document["after"]) == (2, 1)
    found = files(tmp_path / "out")
    assert found["harbour/AllTraffic/2024/11/23/19/" + name.name] == name.read_bytes()
    assert len(found) == 3


@pytest.mark.parametrize("form", ["csv", "json"])
def test_imported_captures_are_checked_as_their_tree_is(home: Path, tmp_path: Path, form: str) -> None:
    known, tree = tmp_path / "known", tmp_path / "capture/harbour/AllTraffic/2024/11/23/19"
    train = tmp_path / "train.csv"
    rows = [(n % 100 / 100, n, n / 2, ["pier", "quay", "dock"][n % 3]) for n in range(300)]
    train.write_text("late,berth,draught,place\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    assert watchkeep("baseline", "data-quality", train, "--out", known).code == 0
    tree.mkdir(parents=True)
    kind = {"csv": "text/csv", "json": "application/json"}[form]
    with (tree / "00-00-000-a.jsonl").open("w") as file:
        for at in range(0, 300, 3):
            several = [
                (late / 2, berth, draught, place)
                for late, berth, draught, place in rows[at : at + 1 + at % 2]
            ]
            names = ("berth", "draught", "place")
            given = "\n".join(",".join(map(str, row[1:])) for row in several)
            answer = "\n".join(str(row[0]) for row in several)
            if form == "json":
                given = json.dumps({"instances": [dict(zip(names, row[1:], strict=True)) for row in several]})
                answer = json.dumps({"predictions": [{"late": row[0]} for row in several]})
            sides = {
                "endpointInput": {"data": given, "encoding": form.upper(), "observedContentType": kind},
                "endpointOutput": {"data": answer, "encoding": form.upper(), "observedContentType": kind},
            }
            event = {"eventId": str(at), "inferenceTime": f"2024-11-23T19:{at // 60:02}:{at % 60:02}Z"}
            file.write(json.dumps({"captureData": sides, "eventMetadata": event}) + "\n")
    assert watchkeep("captures", "import", tmp_path / "capture").code == 0

    window = ("--start", "2024-11-23T19:01Z", "--end", "2024-11-23T19:04Z", "--json")
    direct = watchkeep("check", known, tmp_path / "capture", "--out", tmp_path / "one", *window)
    stored = watchkeep("check", known, "captures:harbour", "--out", tmp_path / "two", *window)

    assert {direct.code, stored.code} <= {0, 1}, direct.err + stored.err
    assert essence(direct.document) == essence(stored.document)


def test_columns_of_imported_captures_are_there_for_others(home: Path) -> None:
    assert watchkeep("captures", "import", TREE).code == 0

    found = queried(
        "SELECT capture_event_id[-2:], capture_row, capture_problem, berth, late, note FROM"
        f" read_parquet('{home}/captures/**/*.parquet', union_by_name=true, hive_partitioning=true)"
        " WHERE capture_variant = 'green' ORDER BY 1, 2"
    )

    assert [row[2] for row in found] == [None] * 9
    assert [(row[0], row[1], row[3], row[4]) for row in found if row[0] in ("23", "24")] == [
        ("23", 0, 1, None),
        ("23", 1, 2, None),
        ("24", 0, 3, 0.3),
        ("24", 1, 4, 0.4),
    ]
    assert '<a href="x">&amp;</a>\u2028' in [row[5] for row in found]
