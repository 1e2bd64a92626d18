"""Processes that import, compact and forget are killed with SIGKILL at random moments, while others read."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.unit.capture.stores import record, sealed, seen

from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.core.errors import SourceError
from watchkeep.service.ports import Ask

HOURS, FILES, RECORDS = 30, 5, 4


def start(home: Path, *words: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "watchkeep", "captures", *map(str, words), "--home", str(home), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


def killed(home: Path, *words: object, after: float) -> None:
    """Run a command, and kill it some seconds later."""
    process = start(home, *words)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def ended(home: Path, *words: object) -> "subprocess.Popen[bytes]":
    process = start(home, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, (out, err)
    return process


def filled(home: Path, seed: int) -> tuple[Path, list[tuple[object, ...]]]:
    """A store of many small files, some of whose events come from elsewhere, and twice."""
    chance = random.Random(1)
    for number in range(FILES):
        several = []
        for place in range(HOURS * RECORDS):
            hour, n = divmod(place, RECORDS)
            rows = [{"user": f"u{chance.randrange(9)}", "at": at} for at in range(1 + n % 2)]
            several.append(record(f"e{number}-{hour}-{n}", rows, hour=hour))
        sealed(home, several, *[several] * (number == 1), given=number == 1)
    store = home / "captures"
    return store, seen(store, ["user"])


def test_no_row_is_lost_or_doubled_by_a_compaction_that_is_killed(tmp_path: Path) -> None:
    store, before = filled(tmp_path, 1)
    chance = random.Random(1)
    for _ in range(5):
        killed(tmp_path, "compact", "--older", "0", after=chance.uniform(0.4, 1.6))
        assert seen(store, ["user"]) == before

    ended(tmp_path, "compact", "--older", "0")

    assert seen(store, ["user"]) == before
    assert len(list(store.rglob("*.parquet"))) == HOURS


def test_who_reads_while_others_compact_sees_every_row_once(tmp_path: Path) -> None:
    store, before = filled(tmp_path, 7)
    reads = 0
    with ThreadPoolExecutor(1) as pool:
        compacting = pool.submit(lambda: [ended(tmp_path, "compact", "--older", "0") for _ in range(2)])
        while not compacting.done():
            assert seen(store, ["user"]) == before
            reads += 1
        compacting.result()
    assert reads > 1
    assert seen(store, ["user"]) == before


def test_only_the_subject_goes_when_forgetting_is_killed(tmp_path: Path) -> None:
    store, before = filled(tmp_path, 1)
    others = [row for row in before if row[2] != "u3"]
    chance = random.Random(1)
    for _ in range(4):
        killed(tmp_path, "forget", "churn", "--id", "u3", "--column", "user", after=chance.uniform(0.5, 1.8))
        found = seen(store, ["user"])
        assert [row for row in found if row[2] != "u3"] == others
        assert set(found) <= set(before)
        killed(tmp_path, "compact", "--older", "0", after=chance.uniform(0.5, 1.5))

    ended(tmp_path, "forget", "churn", "--id", "u3", "--column", "user")

    assert seen(store, ["user"]) == others
    assert not list(store.rglob("_was-*"))


def lines(number: int) -> str:
    text = ""
    for n in range(1500):
        data = f"{number},{n},{n % 7 / 7}"
        side = {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"}
        event = {"eventId": f"{number}-{n}", "inferenceTime": f"2024-01-19T18:{n % 60:02}:00Z"}
        text += json.dumps({"captureData": {"endpointInput": side}, "eventMetadata": event}) + "\n"
    return text


def events(home: Path) -> Sequence[str]:
    try:
        source = of_captures(f"captures:{home / 'captures'}#churn")
        batches = list(source.batches(Ask(columns=["eventId"])))
    except SourceError:
        return []
    return [one for batch in batches if batch.rows for one in batch.column("eventId").to_pylist()]


def test_an_import_that_is_killed_is_all_there_or_not_at_all(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / f"in/churn/v{number % 3}/2024/01/19/{number:02}"
        folder.mkdir(parents=True)
        (folder / "00-00-000-x.jsonl").write_text(lines(number))
    chance = random.Random(3)
    for _ in range(4):
        killed(tmp_path, "import", tmp_path / "in", after=chance.uniform(0.6, 1.6))
        found = events(tmp_path)
        assert (len(found), len(set(found))) in ((0, 0), (18_000, 18_000))

    ended(tmp_path, "import", tmp_path / "in")

    found = events(tmp_path)
    assert len(found) == len(set(found)) == 18_000
    assert not [path for path in (tmp_path / "captures").iterdir() if path.name.startswith("_importing")]


def test_nothing_of_what_an_export_gives_is_lost_by_upkeep(tmp_path: Path) -> None:
    folder = tmp_path / "in/churn/A/2024/01/19/18"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}0-00-000-x.jsonl").write_text(lines(number))
    ended(tmp_path, "import", tmp_path / "in")
    for after in (0.7, 0.9, 1.1):
        killed(tmp_path, "compact", "--older", "0", after=after)
    ended(tmp_path, "compact", "--older", "0")

    ended(tmp_path, "export", "churn", "--out", tmp_path / "out")

    for number in range(3):
        name = f"{number}0-00-000-x.jsonl"
        assert (tmp_path / "out/churn/A/2024/01/19/18" / name).read_bytes() == (folder / name).read_bytes()
