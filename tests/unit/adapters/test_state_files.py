"""Shelves: files are there whole or not at all, in a folder and in a bucket alike."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.fs as pafs
import pytest
from tests.unit.states_store.shelves import KEY, Memory, bits, hour, profile, store

from watchkeep.adapters import state_files
from watchkeep.adapters.state_files import Local, Remote, open_shelf
from watchkeep.core.errors import OptionError, StoreError
from watchkeep.service.ports import Shelf
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_upkeep import compact, forget

WRITER = """
import os, signal, sys
from pathlib import Path
from watchkeep.adapters.state_files import Local
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
Local(Path(sys.argv[1])).write("hours/2024-03/one", b"new" * 1000)
"""


def in_memory(path: Path) -> Remote:
    return Remote("mock://bucket/states", pafs._MockFileSystem(), "bucket/states")


def on_disk(path: Path) -> Remote:
    return Remote("other://", pafs.SubTreeFileSystem(str(path), pafs.LocalFileSystem()), "states")


def local(path: Path) -> Local:
    return Local(path / "states")


@pytest.fixture(params=[local, in_memory, on_disk])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    make: Callable[[Path], Shelf] = request.param
    return make(tmp_path)


def test_a_file_is_read_as_it_was_written_and_listed_by_its_own_name(shelf: Shelf) -> None:
    shelf.write("mark", b"1")
    shelf.write("hours/2024-03/one", b"first")
    shelf.write("hours/2024-03/two", b"")
    shelf.write("hours/2024-03/one", b"second")

    assert sorted(shelf.names("")) == ["hours", "mark"]
    assert list(shelf.names("hours")) == ["2024-03"]
    assert sorted(shelf.names("hours/2024-03")) == ["one", "two"]
    assert shelf.read("hours/2024-03/one") == b"second"
    assert shelf.read("hours/2024-03/two") == b""


def test_what_is_not_there_is_no_name_cannot_be_read_and_can_be_taken_away(shelf: Shelf) -> None:
    assert list(shelf.names("days")) == []
    with pytest.raises(FileNotFoundError):
        shelf.read("hours/2024-03/one")
    shelf.delete("hours/2024-03/one")

    shelf.write("hours/2024-03/one", b"first")
    shelf.delete("hours/2024-03/one")
    shelf.delete("hours/2024-03/one")

    assert list(shelf.names("hours/2024-03")) == []
    with pytest.raises(FileNotFoundError):
        shelf.read("hours/2024-03/one")


ACTS: tuple[Callable[[StateStore], object], ...] = (
    compact,
    lambda states: forget(states, hour(24)),
    lambda states: states.replace(hour(30), profile(99)),
    compact,
)


def test_a_store_on_any_shelf_gives_the_same_answers(shelf: Shelf) -> None:
    plain = Memory()
    for number in range(60):
        assert StateStore(shelf, KEY).put(hour(number), profile(number))
        assert store(plain).put(hour(number), profile(number))
    for act in ACTS:
        act(StateStore(shelf, KEY))
        act(store(plain))
        assert bits(StateStore(shelf, KEY).over()) == bits(store(plain).over())

    folders = ("hours/2024-01", "days/2024-01")
    names = [f"{folder}/{name}" for folder in folders for name in shelf.names(folder)]
    assert sorted(names) == sorted(name for name in plain.files if name.startswith(folders))


def test_a_folder_that_is_not_there_holds_nothing_and_is_made_when_something_is_written(
    tmp_path: Path,
) -> None:
    shelf = open_shelf(tmp_path / "a" / "b")

    assert list(shelf.names("")) == []
    assert not (tmp_path / "a").exists()
    shelf.write("hours/2024-03/one", b"first")
    assert (tmp_path / "a" / "b" / "hours" / "2024-03" / "one").read_bytes() == b"first"


def test_a_writer_that_is_killed_leaves_the_old_file_and_nothing_that_is_listed(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path)
    shelf.write("hours/2024-03/one", b"old")

    done = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=False)

    assert done.returncode == -signal.SIGKILL
    assert shelf.read("hours/2024-03/one") == b"old"
    assert list(shelf.names("hours/2024-03")) == ["one"]
    (partial,) = (tmp_path / "hours" / "2024-03").glob(".*")
    assert partial.read_bytes() == b"new" * 1000
    assert shelf.tidy() == 0  # its writer may be at it
    os.utime(partial, (time.time() - 7200,) * 2)
    assert shelf.tidy() == 1
    assert list((tmp_path / "hours" / "2024-03").glob(".*")) == []


def test_an_error_while_writing_leaves_the_old_file_and_is_told_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = open_shelf(tmp_path)
    shelf.write("hours/2024-03/one", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="hours/2024-03/one: it cannot be written: No space left on device"):
        shelf.write("hours/2024-03/one", b"new")

    assert shelf.read("hours/2024-03/one") == b"old"
    assert list((tmp_path / "hours" / "2024-03").iterdir()) == [tmp_path / "hours" / "2024-03" / "one"]


def test_a_path_is_opened_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert open_shelf(f"file://{tmp_path}") == open_shelf(tmp_path) == open_shelf(str(tmp_path))
    with pytest.raises(OptionError, match=r"--states: .* expected a folder, and this is a file"):
        open_shelf(tmp_path / "file")
    with pytest.raises(OptionError, match=r"expected a folder, or a URL: s3://"):
        open_shelf("nowhere://bucket/states")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path)
    shelf.write("hours/2024-03/one", b"old")
    (tmp_path / "hours").chmod(0)

    with pytest.raises(StoreError, match=f"{tmp_path}/hours: it cannot be read: Permission denied"):
        shelf.names("hours")
    (tmp_path / "hours").chmod(0o700)


def test_folders_that_are_made_are_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(state_files, "_sync", synced.append)

    Local(tmp_path / "store").write("a/b/one", b"1")

    assert set(synced) >= {tmp_path, tmp_path / "store", tmp_path / "store/a", tmp_path / "store/a/b"}
