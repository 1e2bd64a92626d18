"""Who seals segments as they come goes on while the store is out of reach."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.capture.stores import record, seen, segment

from watchkeep.adapters import state_files
from watchkeep.app import captures
from watchkeep.capture.home import SEGMENTS, hold_sealing
from watchkeep.core.errors import OptionError, StoreError
from watchkeep.service.ports import Shelf


def test_a_store_that_cannot_be_opened_is_opened_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries: list[str | Path] = []

    def open_shelf(where: str | Path) -> Shelf:
        tries.append(where)
        if len(tries) < 6:
            raise StoreError(str(where), why="it cannot be opened")
        return state_files.open_shelf(where)

    monkeypatch.setattr(captures, "open_shelf", open_shelf)
    monkeypatch.setattr(captures, "_OFTEN", 0.01)
    monkeypatch.setattr(captures, "_IDLE", 0.1)
    monkeypatch.delenv(captures.STORE_URL, raising=False)
    segment(tmp_path / SEGMENTS, [record("e", [{"age": 41}])])

    assert captures.follow(tmp_path).records == 1
    assert seen(tmp_path / "captures", ["age"]) == [("e", 0, 41)]
    assert len(set(capsys.readouterr().out.splitlines())) == 2


def test_a_bucket_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str) -> None:
        raise OSError("When resolving region for bucket 'kept': network error")

    monkeypatch.setattr(
        state_files, "pafs", SimpleNamespace(FileSystem=SimpleNamespace(from_uri=unreachable))
    )
    with pytest.raises(StoreError, match="s3://kept/x: it cannot be opened: When resolving"):
        state_files.open_shelf("s3://kept/x")


def test_whoever_asks_to_seal_waits_for_the_process_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(captures.STORE_URL, raising=False)
    path = segment(tmp_path / SEGMENTS, [record("e", [{"age": 41}])])
    lock = hold_sealing(tmp_path)
    assert lock is not None
    told: list[str] = []
    with pytest.raises(OptionError, match=rf"process {os.getpid()} .*1 of its segments still wait"):
        captures.seal(tmp_path, patience=0, waits=told.append)
    assert told == [f"process {os.getpid()} seals what is recorded, within about a minute: waiting for it."]

    def gone(_: str) -> None:
        path.unlink()

    assert captures.seal(tmp_path, waits=gone).segments == 0
    segment(tmp_path / SEGMENTS, [record("e", [{"age": 41}])])
    assert captures.seal(tmp_path, waits=lambda _: os.close(lock)).records == 1
