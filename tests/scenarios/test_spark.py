"""A Spark cluster reads what this machine would have read, and says the same, whatever happens to it."""

import os
import re
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scenarios.cluster import Cluster, cluster, java
from tests.scenarios.people import FACETS, ROLES, people
from tests.scenarios.world import Answer, program, rows, watchkeep, write
from tests.unit.capture.stores import record, sealed

from watchkeep.adapters.sources import file_source
from watchkeep.adapters.spark.session import session_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("spark"),
    pytest.mark.skipif(
        java() is None and not os.environ.get("CI"), reason="Spark needs Java 17 or newer, and there is none"
    ),
]
FILES = 36
"""More than are merged at a time, so that executors merge, too."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
        released()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a part of its own."""
    monkeypatch.setattr(file_source, "PART", 1)


def folder_of(table: pa.Table, folder: Path, *, files: int = FILES) -> Path:
    """A table in so many files, one of them empty."""
    step = -(-table.num_rows // (files - 1))
    for at in range(files):
        write(table.slice(at * step, step), folder / f"part-{at:03}.parquet")
    return folder


def report(answer: Answer) -> dict[str, Any]:
    """What a check said, but for the clock."""
    assert answer.code in (0, 1), answer.err
    document: dict[str, Any] = answer.document
    del document["timing"], document["created"]
    return document


def both(spark: Cluster, *words: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of this machine, and that of the cluster."""
    out = words[words.index("--out") + 1]
    here = report(watchkeep(*words, "--json", "--threads", 1))
    files = documents(Path(str(out)))
    there = report(watchkeep(*words, "--json", "--engine", "spark", *spark.options()))
    assert documents(Path(str(out))) == files
    return here, there


def documents(folder: Path) -> dict[str, str]:
    """The documents beside a report, but for the clock; and twelve digits of numbers.

    Labels are joined here in one piece and there part by part, so the last digits of sums differ.
    """
    texts = {path.name: path.read_text() for path in folder.glob("*.json") if path.name != "report.json"}
    timeless = {name: re.sub(r'"evaluation_time": "[^"]*"', "", text) for name, text in texts.items()}
    return {name: re.sub(r"\d+\.\d{12,}", rounded, text) for name, text in timeless.items()}


def rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.12g}"


def test_data_quality_is_the_same(spark: Cluster, tmp_path: Path) -> None:
    data = folder_of(rows(6000, seed=1), tmp_path / "train")
    window = folder_of(rows(5000, seed=2, income=10.6), tmp_path / "data")
    known = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0

    here, there = both(spark, "check", known, window, "--out", tmp_path / "r")

    assert here == there
    assert there["rows"]["analysed"] == 5000
    assert there["status"] == "CompletedWithViolations"


def test_a_part_of_the_time_is_the_same(spark: Cluster, tmp_path: Path) -> None:
    data = folder_of(rows(6000, seed=1), tmp_path / "train", files=6)
    known = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0
    window = ("--start", "2024-03-02T06:00:00Z", "--end", "2024-03-04T00:00:00Z", "--where", "color = 'red'")

    here, there = both(spark, "check", known, data, *window, "--out", tmp_path / "r")

    assert here == there
    outside = there["rows"]["outside"]
    assert there["rows"]["analysed"] + outside["window"] + outside["rule"] == 6000


@pytest.mark.parametrize("kind", ["data-quality", "model-quality", "bias"])
def test_a_baseline_is_the_same(spark: Cluster, tmp_path: Path, kind: str) -> None:
    data = folder_of(people(4000, 1), tmp_path / "train", files=6)
    options = [*ROLES, *(FACETS if kind == "bias" else ()), "--out", tmp_path / "b"]
    if kind == "model-quality":
        options += ["--segment", "young: age < 30"]
    here = watchkeep("baseline", kind, data, *options, "--threads", 1, "--json")
    files = {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    there = watchkeep("baseline", kind, data, *options, "--json", "--engine", "spark", *spark.options())

    assert here.code == there.code == 0, there.err
    first, second = here.document, there.document
    for document in (first, second):
        for key in [key for key in document if key in ("created", "id")]:
            del document[key]
    assert first == second
    assert (tmp_path / "b" / "constraints.json").read_bytes() == files["constraints.json"]


def late(labels: pa.Table, seed: int) -> pa.Table:
    """Labels as they come: some missing, some twice, some changed, some for nobody, in no order."""
    random = np.random.default_rng(seed)
    some = labels.take(random.permutation(labels.num_rows)[: labels.num_rows * 3 // 4])
    again = some.take(random.integers(0, some.num_rows, 60))
    other = pa.table({"id": again["id"].slice(0, 30), "hired": ["no"] * 30})
    strangers = pa.table({"id": [f"x{at}" for at in range(20)], "hired": ["yes"] * 20})
    return pa.concat_tables([some.select(["id", "hired"]), again.select(["id", "hired"]), other, strangers])


def test_labels_are_joined_there_too(spark: Cluster, tmp_path: Path) -> None:
    known = tmp_path / "known"
    train = write(people(4000, 1), tmp_path / "train.parquet")
    assert watchkeep("baseline", "bias", train, *ROLES, *FACETS, "--out", known).code == 0
    served = people(3000, 2, against=0.5)
    twice = pa.concat_tables([served, served.slice(0, 40)]).drop_columns(["hired"])
    window = folder_of(twice, tmp_path / "data", files=6)
    labels = folder_of(late(served, 3), tmp_path / "labels", files=3)

    here, there = both(spark, "check", known, window, "--labels", labels, "--out", tmp_path / "r")

    assert here == there
    options = ("--json", "--engine", "spark", *spark.options())
    table = f"spark.table:parquet.`{labels}`"
    again = report(watchkeep("check", known, window, "--labels", table, "--out", tmp_path / "r", *options))
    assert (again["rows"], again["outcomes"]) == (here["rows"], here["outcomes"])
    section = there["bias"]
    assert section["join"]["duplicate_predictions"] == 40
    assert section["join"]["changed_labels"] > 0
    assert section["join"]["unmatched_labels"] == 20
    assert there["rows"]["unmatched"] > 0


def test_attributions_are_the_same(spark: Cluster, tmp_path: Path) -> None:
    from lightgbm import LGBMRegressor

    train, window = rows(3000, seed=1), rows(3000, seed=2, income=11.0)
    features = ["age", "income"]
    model = LGBMRegressor(n_estimators=20, min_child_samples=5, verbose=-1)
    model.fit(
        train.select(features).to_pandas(), np.asarray(train["age"]) * 2.0 + np.asarray(train["income"])
    )
    model.booster_.save_model(tmp_path / "model.txt")
    roles = ("--feature", "age", "--feature", "income", "--model", tmp_path / "model.txt")
    data, train_files = (
        folder_of(one, tmp_path / name, files=6) for one, name in ((window, "w"), (train, "t"))
    )
    for explained in (500, 0):
        known = tmp_path / f"known-{explained}"
        words = ("baseline", "attribution", train_files, *roles, "--explain-rows", explained, "--out", known)
        assert watchkeep(*words, "--threads", 1).code == 0

        here, there = both(spark, "check", known, data, *roles[-2:], "--out", tmp_path / "r")

        assert here == there
        assert there["attribution"]["places"][0]["explained"] == (explained or 3000)


def test_rows_that_only_spark_has_are_folded_there(spark: Cluster, tmp_path: Path) -> None:
    data = folder_of(rows(6000, seed=1), tmp_path / "data", files=6)
    known = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0
    table = f"spark.table:parquet.`{data}`"

    out = ("--out", tmp_path / "r")
    here = report(watchkeep("check", known, data, *out, "--json"))
    there = report(watchkeep("check", known, table, *out, "--json", "--engine", "spark", *spark.options()))
    nobody = watchkeep("check", known, table, "--out", tmp_path / "r")

    assert there["rows"] == here["rows"]
    assert there["outcomes"] == here["outcomes"]
    for one, other in zip(here["measures"], there["measures"], strict=True):
        if isinstance(one["value"], float):
            assert other["value"] == pytest.approx(one["value"], rel=1e-9, abs=1e-12), one
        else:
            assert other == one
    assert nobody.is_one_sentence
    assert "--engine spark" in nobody.err


def damaged(folder: Path, at: int = 17) -> Path:
    """Spoil the middle of a file."""
    path = folder / f"part-{at:03}.parquet"
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = os.urandom(len(content) // 2 - 4)
    path.write_bytes(content)
    return path


def test_a_damaged_file_is_named_or_left_out_and_counted(spark: Cluster, tmp_path: Path) -> None:
    known = tmp_path / "known"
    data = folder_of(rows(6000, seed=1), tmp_path / "data")
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0
    broken = damaged(data)
    (data / "part-029.parquet").write_bytes(b"PAR1 no footer PAR1")
    held = pq.read_metadata(broken).num_rows

    for options in ((), ("--engine", "spark", *spark.options())):
        failed = watchkeep("check", known, data, "--out", tmp_path / "f", *options)
        assert failed.is_one_sentence
        assert "part-017" in failed.err
        assert not (tmp_path / "f").exists()

    here, there = both(spark, "check", known, data, "--damaged", "skip", "--out", tmp_path / "r")

    assert here == there
    assert sorted(Path(name).name for name in there["rows"]["skipped"]) == [
        "part-017.parquet",
        "part-029.parquet",
    ]
    assert there["rows"]["rejected"] == {"in a file that cannot be read": held}
    assert there["rows"]["analysed"] == 6000 - held - pq.read_metadata(data / "part-028.parquet").num_rows


def test_files_may_differ_in_their_columns(spark: Cluster, tmp_path: Path) -> None:
    known, table = tmp_path / "known", rows(6000, seed=1)
    data = folder_of(table, tmp_path / "data")
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0
    for at in range(20):
        path = data / f"part-{at:03}.parquet"
        own = pq.read_table(path)
        write(own.drop_columns(["maybe"]).append_column("more", own["age"]), path)
        write(own.set_column(0, "age", own["age"].cast(pa.string())), data / f"part-{at + 15:03}.parquet")

    here, there = both(spark, "check", known, data, "--out", tmp_path / "r")

    assert here == there


def test_a_killed_driver_leaves_nothing_behind_and_a_killed_executor_changes_nothing(
    spark: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "known"
    data = folder_of(rows(400_000, seed=1), tmp_path / "data", files=40)
    assert watchkeep("baseline", "data-quality", data, "--timestamp", "at", "--out", known).code == 0
    words = ("check", known, data, "--out", tmp_path / "r", "--json", "--engine", "spark", *spark.options())
    # Executors run the Python that runs the command, also where nobody activated its environment.
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    monkeypatch.setenv("PATH", without_ours(), prepend=None)
    released()
    running = start(*words)
    kill_an_executor(running, kill=False)
    running.kill()
    running.communicate()
    assert not (tmp_path / "r").exists()

    here = report(watchkeep("check", known, data, "--out", tmp_path / "r", "--json", "--threads", 1))
    again = start(*words)
    killed = kill_an_executor(again)

    assert finished(again) == here
    assert killed


def released() -> None:
    """End this process's session, which holds all cores of the cluster."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


def start(*words: object) -> "subprocess.Popen[bytes]":
    """A command that runs beside us."""
    script = (
        "from watchkeep.adapters.sources import file_source; file_source.PART = 1;"
        "from watchkeep.cli import main; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finished(running: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What such a command reported."""
    out, err = running.communicate(timeout=300)
    return report(Answer(running.returncode, out.decode(), err.decode()))


def kill_an_executor(running: "subprocess.Popen[bytes]", *, kill: bool = True) -> bool:
    """Wait until a Python of an executor works, and kill its executor, JVM and all; or only wait."""
    while running.poll() is None:
        found = [pid for pid in processes() if is_executor(pid)]
        if found and any("pyspark.daemon" in " ".join(command(child)) for child in children(found)):
            if kill:
                os.kill(found[0], signal.SIGKILL)
            return True
        time.sleep(0.05)
    return False


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def is_executor(pid: int) -> bool:
    return "org.apache.spark.executor.CoarseGrainedExecutorBackend" in command(pid)


def children(of: list[int]) -> list[int]:
    """Processes whose parent is one of some."""
    found = []
    for pid in processes():
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        found += [pid] if parent in of else []
    return found


def test_a_python_that_lacks_packages_is_told(
    spark: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = folder_of(rows(2000, seed=1), tmp_path / "train", files=3)
    words = ("baseline", "data-quality", data, "--out", tmp_path / "b", "--json", "--engine", "spark")
    local = {"spark.master": "local[1]", "spark.pyspark.python": bare_python(tmp_path / "bare")}
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)

    answer = program(*words, *spark.options(**local), cwd=tmp_path)

    assert answer.code == 2
    assert "its executors lack " in answer.err.splitlines()[-1]


def without_ours() -> str:
    """The path for programs, less the folder of this Python: an environment that nobody activated."""
    ours = Path(sys.executable).parent
    return os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != ours)


def bare_python(folder: Path) -> str:
    """A Python without any package."""
    venv.create(folder, symlinks=True, with_pip=False)
    return str(folder / "bin" / "python")


def test_what_only_this_machine_can_do_is_told(spark: Cluster, tmp_path: Path) -> None:
    train = write(people(2000, 1), tmp_path / "train.parquet")
    known = tmp_path / "known"
    assert watchkeep("baseline", "model-quality", train, *ROLES, "--out", known).code == 0
    options = ("--engine", "spark", *spark.options())

    review = watchkeep(
        "check", known, train, "--review", tmp_path / "l.csv", "--out", tmp_path / "r", *options
    )
    threads = watchkeep("check", known, train, "--threads", 2, "--out", tmp_path / "r", *options)
    setting = watchkeep(
        "check", known, train, "--spark", "master=x", "--engine", "spark", "--out", tmp_path / "r"
    )
    here = watchkeep("check", known, train, "--spark", "spark.master=x", "--out", tmp_path / "r")

    assert all(answer.is_one_sentence for answer in (review, threads, setting, here))
    assert "review" in review.err
    assert "--engine spark" in here.err


def test_it_reads_stored_captures_without_us(spark: Cluster, tmp_path: Path) -> None:
    hours: list[dict[str, Any]] = [
        {"age": 41, "gone": True},
        {"age": None, "new": "x"},
        {"age": 42, "new": "y"},
    ]
    store = sealed(tmp_path, *[[record(f"e{hour}", [row], hour=hour)] for hour, row in enumerate(hours)])
    session = session_of(spark.settings())

    read = session.read.option("mergeSchema", "true").parquet(str(store))

    found = read.select("capture_event_id", "age", "gone", "new", "capture_endpoint").coalesce(1).collect()
    assert [tuple(row)[1:] for row in sorted(found)] == [
        (41, True, None, "churn"),
        (None, None, "x", "churn"),
        (42, None, "y", "churn"),
    ]


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    train = write(rows(500, seed=1), tmp_path / "train.parquet")
    known = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", train, "--out", known).code == 0
    words = ("check", known, train, "--engine", "spark", "--spark", "spark.remote=sc://127.0.0.1:9")

    answer = program(*words, "--out", tmp_path / "r", cwd=tmp_path)

    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith("watchkeep: Spark: ")
    assert not (tmp_path / "r").exists()
