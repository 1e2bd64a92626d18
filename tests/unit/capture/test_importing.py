"""Records from elsewhere: all of a source or nothing, once however often, and counted when they cannot be read."""

import contextlib
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scenarios.world import watchkeep, write
from tests.unit.capture.stores import queried

from watchkeep.adapters.captures.importing import Importer
from watchkeep.adapters.captures.trees import spot_of, trees
from watchkeep.adapters.sources.files import find
from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.adapters.state_files import Local
from watchkeep.core.errors import MissingSourceError, OptionError, SourceError
from watchkeep.service.ports import Ask


def line(event: str | None, data: str = "41,red", *, at: str | None = "2024-01-19T18:20:48Z") -> str:
    side = {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"}
    told = {} if event is None else {"eventId": event}
    told |= {} if at is None else {"inferenceTime": at}
    return (
        json.dumps({"captureData": {"endpointInput": side}, "eventMetadata": told, "eventVersion": "0"})
        + "\n"
    )


def tree(root: Path, **files: str) -> Path:
    folder = root / "churn/A/2024/01/19/18"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.jsonl").write_text(text)
    return root


def events(home: Path, endpoint: str = "churn") -> list[str]:
    try:
        source = of_captures(f"captures:{home / 'captures'}#{endpoint}")
        batches = list(source.batches(Ask(columns=["eventId"])))
    except SourceError:
        return []
    return sorted(one for batch in batches if batch.rows for one in batch.column("eventId").to_pylist())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def test_what_cannot_be_read_is_counted_by_reason(home: Path, tmp_path: Path) -> None:
    bad = [
        line("b"),
        "{\n",
        "\n",
        "[1, 2]\n",
        '{"captureData": {"endpointInput": {"data": "x", "encoding": "BASE64"}}, "eventMetadata": {}}\n',
        line("a"),
        line("c", at="soon"),
        line("d").replace("41,red", "\\ud800,red"),
    ]
    source = tree(tmp_path / "in", one=line("a") + "".join(bad))
    with (source / "churn/A/2024/01/19/18/one.jsonl").open("ab") as file:
        file.write(b'{"captureData": "\xff"}\n')

    told = watchkeep("captures", "import", source, "--json")
    shown = watchkeep("captures", "import", source, "--again")

    assert told.document["records"] == [{"endpoint": "churn", "variant": "A", "records": 3}]
    assert told.document["rejected"] == {
        "not JSON": 1,
        "not a capture record": 1,
        "payload cannot be parsed": 1,
        "duplicate eventId": 1,
        "timestamp is not a time": 1,
        "not UTF-8": 1,
    }
    assert "1 record left out: timestamp is not a time" in shown.out
    assert events(home) == ["a", "b"]  # half a surrogate pair is kept, and cannot be analysed


@pytest.mark.parametrize(
    ("member", "value", "known"),
    [
        ("eventId", "\ud800", 1),
        ("inferenceId", "\ud800", 1),
        ("customAttributes", ["\ud800"], 1),
        ("inferenceTime", "0001-01-01T00:00:00+23:59", 0),
        ("inferenceTime", "9999-12-31T23:59:59-10:00", 0),
    ],
)
def test_no_line_keeps_others_from_being_imported(
    home: Path, tmp_path: Path, member: str, value: Any, known: int
) -> None:
    odd = json.loads(line("odd"))
    odd["eventMetadata"][member] = value
    text = line("a") + json.dumps(odd) + "\n"

    told = watchkeep("captures", "import", tree(tmp_path / "in", one=text), "--json").document
    watchkeep("captures", "export", "churn", "--out", tmp_path / "out")

    assert told["records"][0]["records"] == 1 + known
    (path,) = (tmp_path / "out").rglob("*.jsonl")
    assert path.read_text() == (text if known else line("a"))


def test_times_of_years_that_there_are_not_are_left_out(home: Path, tmp_path: Path) -> None:
    times = pa.array([0, 2**62]).cast(pa.timestamp("us"))
    table = write(pa.table({"at": times, "a": [1, 2]}), tmp_path / "t.parquet")

    told = watchkeep(
        "captures", "import", table, "--endpoint", "churn", "--timestamp", "at", "--json"
    ).document

    assert told["rejected"] == {"timestamp is not a time": 1}
    assert len(events(home)) == 1


def test_the_hour_of_the_folder_is_the_time_of_records_that_tell_none(home: Path, tmp_path: Path) -> None:
    watchkeep("captures", "import", tree(tmp_path / "in", one=line("a", at=None)))
    (tmp_path / "flat.jsonl").write_text(line("b", at=None))

    refused = watchkeep("captures", "import", tmp_path / "flat.jsonl", "--endpoint", "churn")
    given = watchkeep(
        "captures", "import", tmp_path / "flat.jsonl", "--endpoint", "churn", "--at", "2024-01-20T05:30Z"
    )

    assert refused.is_one_sentence
    assert "no record of it can be stored (1 timestamp is missing)" in refused.err
    assert given.code == 0
    times = queried(f"SELECT capture_time::VARCHAR FROM read_parquet('{home}/captures/**/*.parquet')")
    assert sorted(str(time)[:16] for (time,) in times) == ["2024-01-19 18:00", "2024-01-20 05:30"]


@pytest.mark.parametrize(
    ("source", "endpoint", "variant", "expected"),
    [
        ("cap", None, None, ("churn", "blue")),
        ("cap", "other", None, ("other", "blue")),
        ("cap", None, "red", ("churn", "red")),
        ("cap/churn/blue", None, None, ("churn", "blue")),
        ("cap/churn/blue/2024", "churn", None, ("churn", "blue")),
        ("cap/churn/blue/2024", "other", None, ("other", "AllTraffic")),
        ("cap/churn", "other", None, ("other", "blue")),
    ],
)
def test_folders_tell_whose_captures_they_are(
    source: str, endpoint: str | None, variant: str | None, expected: tuple[str, str]
) -> None:
    name = "cap/churn/blue/2024/01/19/18/x.jsonl.gz"

    found = spot_of(name, source, endpoint=endpoint, variant=variant)

    assert (found.endpoint, found.variant) == expected
    assert found.kept == "2024/01/19/18/x.jsonl"


@pytest.mark.parametrize(
    "name", ["x.jsonl", "2024/01/19/18/x.jsonl", "blue/2024/01/19/18/x.jsonl", "a/b/2024/13/19/18/x"]
)
def test_somebody_must_say_whose_captures_they_are(name: str) -> None:
    with pytest.raises(OptionError, match="--endpoint"):
        spot_of(name, ".", endpoint=None, variant=None)
    assert spot_of(name, ".", endpoint="churn", variant=None).endpoint == "churn"


def test_what_was_added_since_is_imported(home: Path, tmp_path: Path) -> None:
    source = tree(tmp_path / "in", one=line("a"))
    watchkeep("captures", "import", source)
    tree(tmp_path / "in", two=line("b"))

    told = watchkeep("captures", "import", source, "--json").document

    assert (told["files"], told["known"], told["written"]) == (2, 1, 1)
    assert events(home) == ["a", "b"]
    (source / "churn/A/2024/01/19/18/one.jsonl").write_text(line("a") + line("c"))
    assert watchkeep("captures", "import", source, "--json").document["known"] == 1
    assert events(home) == ["a", "b", "c"]


def test_compressed_files_are_read(home: Path, tmp_path: Path) -> None:
    folder = tree(tmp_path / "in") / "churn/A/2024/01/19/18"
    (folder / "x.jsonl.gz").write_bytes(gzip.compress(line("a").encode()))

    assert watchkeep("captures", "import", tmp_path / "in").code == 0
    assert watchkeep("captures", "export", "churn", "--out", tmp_path / "out").code == 0
    assert (tmp_path / "out/churn/A/2024/01/19/18/x.jsonl").read_text() == line("a")


def test_hours_that_expired_come_back_only_when_that_is_asked_for(home: Path, tmp_path: Path) -> None:
    source = tree(tmp_path / "in", one=line("a"))
    watchkeep("captures", "import", source)
    expired = watchkeep("captures", "expire", "--older", "30", "--json").document["expired"]

    again = watchkeep("captures", "import", source, "--json").document

    assert [(one["hours"], one["rows"]) for one in expired] == [(1, 1)]
    assert (again["known"], events(home)) == (1, [])
    assert watchkeep("captures", "list").out.startswith("Nothing is stored")
    assert watchkeep("captures", "import", source, "--again").code == 0
    assert events(home) == ["a"]


def test_requests_are_counted_once_though_they_are_brought_in_again(home: Path, tmp_path: Path) -> None:
    source = tree(tmp_path / "in", one=line("a") + line("b"))
    watchkeep("captures", "import", source)

    for _ in range(2):
        assert watchkeep("captures", "import", source, "--again").code == 0
        (told,) = watchkeep("captures", "list", "--json").document["captures"]
        assert (told["Invocations"], events(home)) == (2, ["a", "b"])
        watchkeep("captures", "compact", "--older", "0")


class KilledError(BaseException):
    """What a test kills an import with."""


class Mortal(Local):
    """A shelf whose user is killed at one of its writes or deletes."""

    left: int

    def write(self, name: str, content: bytes) -> None:
        self._count()
        super().write(name, content)

    def delete(self, name: str) -> None:
        self._count()
        super().delete(name)

    def _count(self) -> None:
        Mortal.left -= 1
        if Mortal.left < 0:
            raise KilledError


@pytest.mark.parametrize("fate", range(12))
def test_an_import_that_is_killed_leaves_nothing_to_be_seen(tmp_path: Path, fate: int) -> None:
    hours = [f"2024-01-19T{hour:02}:20:48Z" for hour in (17, 18, 19)]
    source = tree(tmp_path / "in", one="".join(line(f"{n}", at=at) for n, at in enumerate(hours)))
    arriving = list(trees(find(str(source)).members, str(source), endpoint=None, variant=None, at=None))
    shelf, now = Local(tmp_path / "home/captures"), datetime.now(UTC)
    shelf.write("_captures.json", b'{"version":1}')
    Mortal.left = fate

    with contextlib.suppress(KilledError):
        Importer(Mortal(shelf.folder), who="me").bring(arriving, now=now)
        Mortal.left = 99

    assert events(tmp_path / "home") == (["0", "1", "2"] if Mortal.left > 0 or fate > 8 else [])
    assert Importer(shelf, who="me").bring(arriving, now=now).files == 1
    assert events(tmp_path / "home") == ["0", "1", "2"]
    assert not [name for name in shelf.names("") if name.startswith("_importing")]
    assert len(list(shelf.folder.rglob("*.parquet"))) == 3


def test_an_import_that_fails_takes_back_what_it_brought(home: Path, tmp_path: Path) -> None:
    source = tree(tmp_path / "in", one=line("a"))
    later = source / "churn/A/2024/01/19/19"
    later.mkdir()
    (later / "bad.jsonl.gz").write_bytes(gzip.compress(line("b").encode() * 999)[:-20])

    told = watchkeep("captures", "import", source)

    assert told.is_one_sentence
    assert "bad.jsonl.gz" in told.err
    assert events(home) == []
    assert not list((home / "captures").rglob("*.parquet"))


ROWS = {
    "order": ["o1", "o2", "o3", None],
    "at": ["2024-01-19T18:00:01Z", "2024-01-19T19:00:01Z", "2024-02-01T00:00:00Z", "2024-01-19T18:30:00Z"],
    "age": [41, None, 7, 12],
    "city": ["Oslo", "Rome", 'a "b"', "ü"],
    "p": [0.5, 0.25, 1.0, 0.125],
}


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.jsonl"])
def test_rows_of_a_table_are_records(home: Path, tmp_path: Path, name: str) -> None:
    table = write(pa.table(ROWS), tmp_path / name)
    options = ("--endpoint", "churn", "--timestamp", "at", "--id", "order", "--score", "p")

    told = watchkeep("captures", "import", table, *options, "--json")
    again = watchkeep("captures", "import", table, *options, "--again", "--json")
    exported = watchkeep("captures", "export", "churn", "--out", tmp_path / "out")

    assert told.document["records"] == [{"endpoint": "churn", "variant": "AllTraffic", "records": 4}]
    assert again.code == exported.code == 0
    assert len(events(home)) == 4
    rows = queried(
        "SELECT capture_inference_id, age::VARCHAR, city, p::DOUBLE, capture_input::BLOB::VARCHAR FROM"
        f" read_parquet('{home}/captures/**/g-*.parquet', union_by_name=true) ORDER BY ALL"
    )
    assert set(rows[0][:4]) == {"o1", "41", "Oslo", 0.5}
    lines = [
        json.loads(text)
        for path in sorted((tmp_path / "out/churn/AllTraffic").rglob("*.jsonl"))
        for text in path.read_text().splitlines()
    ]
    assert [one["eventMetadata"].get("inferenceId") for one in lines] == ["o1", None, "o2", "o3"]
    first = lines[0]["captureData"]
    assert json.loads(first["endpointInput"]["data"])["age"] == 41
    assert json.loads(first["endpointInput"]["data"])["city"] == "Oslo"
    assert json.loads(first["endpointOutput"]["data"]) == {"p": 0.5}
    assert json.loads(lines[3]["captureData"]["endpointInput"]["data"])["city"] == 'a "b"'
    checked = watchkeep("captures", "list", "--json").document["captures"]
    assert (checked[0]["hours"], checked[0]["Invocations"]) == (3, 4)


def test_a_table_needs_a_time_and_a_name(home: Path, tmp_path: Path) -> None:
    table = write(pa.table(ROWS), tmp_path / "t.parquet")

    for options, said in (
        (("--endpoint", "churn"), "--timestamp"),
        (("--timestamp", "at"), "--endpoint"),
        (("--endpoint", "churn", "--timestamp", "att"), "did you mean 'at'"),
        (("--endpoint", "churn", "--timestamp", "at", "--score", "q"), "'q'"),
    ):
        told = watchkeep("captures", "import", table, *options)
        assert told.is_one_sentence
        assert said in told.err
    assert watchkeep("captures", "import", table, "--endpoint", "c", "--at", "2024-01-01").code == 0


def test_rows_without_an_id_are_known_by_their_place_and_content(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("age,at\n41,2024-01-19T18:00:01Z\n41,2024-01-19T18:00:01Z\nx,never\n")
    options = ("--endpoint", "churn", "--timestamp", "at")
    told = watchkeep("captures", "import", path, *options, "--json").document
    path.write_text(path.read_text() + "7,2024-01-19T18:00:01Z\n")
    watchkeep("captures", "import", path, *options)

    assert told["rejected"] == {"timestamp is not a time": 1}
    assert len(events(home)) == 3


def test_a_table_whose_rows_are_in_no_order_makes_a_file_an_hour(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchkeep.adapters.captures import by_hour, tabular

    monkeypatch.setattr(by_hour.ByHour.__init__, "__kwdefaults__", {"memory": 50_000})
    monkeypatch.setattr(tabular, "_ROWS", 500)
    micros = [1_705_688_400_000_000 + n * 7_919_000_000 % 86_400_000_000 for n in range(5000)]
    table = pa.table({"n": list(range(5000)), "at": pa.array(micros, pa.timestamp("us", tz="UTC"))})
    pq.write_table(table, tmp_path / "t.parquet")

    told = watchkeep(
        "captures", "import", tmp_path / "t.parquet", "--endpoint", "churn", "--timestamp", "at", "--json"
    )

    assert told.document["written"] == 25
    rows = queried(
        "SELECT n, epoch_us(capture_time), hour(capture_time AT TIME ZONE 'UTC') = capture_hour::INT FROM"
        f" read_parquet('{home}/captures/**/*.parquet', hive_partitioning=true) ORDER BY n"
    )
    assert rows == [(n, at, True) for n, at in enumerate(micros)]


def manifests(root: Path, *, outputs: dict[str, str], inputs: dict[str, str]) -> Path:
    """A batch transform's objects, and the manifests of them."""
    for kind, files, end in (("input", inputs, ""), ("output", outputs, ".out")):
        (root / f"bucket/{kind}s/deep").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (root / f"bucket/{kind}s/deep/{name}{end}").write_text(text)
        folder = root / f"capture/{kind}/2024/01/19/18"
        folder.mkdir(parents=True, exist_ok=True)
        listed: list[Any] = [{"prefix": f"s3://bucket/{kind}s/"}, *(f"deep/{name}{end}" for name in files)]
        (folder / "0f0b").write_text(json.dumps(listed))
    return root / "capture"


def imported(home: Path, source: Path, *more: object) -> list[dict[str, Any]]:
    rewrite = f"s3://bucket/={source.parent}/bucket/"
    told = watchkeep(
        "captures", "import", source, "--endpoint", "nightly", "--rewrite", rewrite, "--json", *more
    )
    assert told.code == 0, told.err
    tables = [pq.read_table(path, partitioning=None) for path in (home / "captures").rglob("*.parquet")]
    rows = pa.concat_tables(tables, promote_options="permissive").to_pylist()
    rows.sort(key=lambda row: (row["capture_time"], row["capture_inference_id"] or "", row["capture_row"]))
    return [row | {"told": told.document} for row in rows]


ID = "0b6e0f53-64a0-4ad2-93b5-25f0f4a1f1{:02}"


def test_outputs_of_batch_transforms_are_paired_with_their_inputs(home: Path, tmp_path: Path) -> None:
    source = manifests(
        tmp_path,
        inputs={"a.csv": "41,red\n7,blue\n", "b.csv": "1,x\n2,y\n3,z\n"},
        outputs={"a.csv": "0.5\n0.25\n", "b.csv": "0.1\n0.2\n"},
    )

    rows = imported(home, source)

    assert {(row["_c0"], row["_c1"], row["_c2"]) for row in rows} == {
        ("0.5", "41", "red"),
        ("0.25", "7", "blue"),
        ("0.1", None, None),
        ("0.2", None, None),
    }
    assert {f"{row['capture_time']:%Y-%m-%dT%H}" for row in rows} == {"2024-01-19T18"}
    (told,) = {json.dumps(row["told"]["rejected"]) for row in rows}
    assert json.loads(told) == {
        "input and output have different numbers of lines: stored without its input": 2
    }
    assert watchkeep(
        "captures", "import", source, "--endpoint", "nightly"
    ).is_one_sentence  # it is not in that bucket


def test_ids_that_a_transform_generated_are_those_of_its_records(home: Path, tmp_path: Path) -> None:
    joined = "".join(f"{age},red,0.{age},{ID.format(age)},2024-01-19T18:41:22Z\n" for age in (41, 42))
    lines = "".join(
        json.dumps(
            {"age": age, "SageMakerOutput": {"p": age / 100}, "SageMakerInferenceId": ID.format(age)}
            | {"SageMakerInferenceTime": "2024-01-19T18:41:23Z"}
        )
        + "\n"
        for age in (43, 44)
    )
    source = manifests(
        tmp_path, inputs={"a.csv": "41,red\n42,red\n"}, outputs={"a.csv": joined, "b.jsonl": lines}
    )

    rows = imported(home, source)

    assert [row["capture_inference_id"] for row in rows] == [ID.format(n) for n in (41, 42, 43, 44)]
    assert [f"{row['capture_time']:%M:%S}" for row in rows] == ["41:22", "41:22", "41:23", "41:23"]
    assert [(row["_c0"], row["_c1"], row["_c2"]) for row in rows[:2]] == [
        ("0.41", "41", "red"),
        ("0.42", "42", "red"),
    ]
    assert [(row["p"], row["age"]) for row in rows[2:]] == [(0.43, 43), (0.44, 44)]


def test_a_document_of_a_transform_is_one_record(home: Path, tmp_path: Path) -> None:
    document = json.dumps({"predictions": [{"p": 0.5}, {"p": 0.25}]}, indent=1)
    source = manifests(tmp_path, inputs={}, outputs={"a.json": document})

    rows = imported(home, source, "--at", "2024-03-01T00:00:00Z")

    assert [(row["p"], row["capture_row"], row["capture_rows"]) for row in rows] == [
        (0.5, 0, 2),
        (0.25, 1, 2),
    ]
    assert f"{rows[0]['capture_time']:%Y-%m}" == "2024-03"


def test_labels_are_no_captures(home: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(
        json.dumps({"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "a"}})
        + "\n"
    )

    told = watchkeep(
        "captures", "import", tmp_path / "labels.jsonl", "--endpoint", "churn", "--at", "2024-01-01"
    )

    assert told.is_one_sentence
    assert "watchkeep labels" in told.err


def test_one_process_at_a_time_changes_the_store(home: Path, tmp_path: Path) -> None:
    from watchkeep.app.upkeep import alone_in

    source = tree(tmp_path / "in", one=line("a"))
    with alone_in(home):
        for words in (
            ("import", source),
            ("compact",),
            ("expire", "--older", "1"),
            ("forget", "x", "--id", "y"),
        ):
            told = watchkeep("captures", *words)
            assert told.is_one_sentence, told.err
            assert "no other process" in told.err
    with pytest.raises(MissingSourceError):
        of_captures(f"captures:{home / 'captures'}#churn")
