"""Processes that are killed and disks that are full: whoever looks sees the old folder or the new one, whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.scenarios.world import baseline, rows, watchkeep, write

TRAIN = rows(2000, seed=1)
PARTS = {
    "b": ("baseline.arrow", "constraints.json", "statistics.json"),
    "r": ("constraint_violations.json", "constraints.json", "report.html", "report.json", "statistics.json"),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("out", ["b", "r"])
def test_a_kill_at_any_moment_leaves_a_whole_folder(tmp_path: Path, out: str) -> None:
    known = baseline(tmp_path, TRAIN)
    data = write(TRAIN, tmp_path / "w.parquet")
    command = {"b": ("baseline", "data-quality", data), "r": ("check", known, data)}[out]
    arguments = [*map(str, command), "--out", str(tmp_path / out)]
    assert watchkeep(*arguments).code == 0
    old = contents(tmp_path / out)

    for hundredths in (30, 45, 50, 55, 60):
        process = subprocess.Popen(
            [sys.executable, "-m", "watchkeep", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(hundredths / 100)
        process.send_signal(signal.SIGKILL)
        process.wait()
        new = contents(tmp_path / out)
        assert tuple(sorted(new)) == PARTS[out]
        assert new == old or all(new.values())
        old = new

    assert watchkeep(*arguments).code == 0
    assert not list(tmp_path.glob(".*partial"))  # the next one cleans up


def test_a_kill_between_two_files_leaves_the_old_folder(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN)
    old = contents(known)
    script = (
        "import os, signal, pathlib\n"
        "write = pathlib.Path.write_text\n"
        "def die(path, *args, **kwargs):\n"
        "    if path.name == 'constraints.json':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return write(path, *args, **kwargs)\n"
        "pathlib.Path.write_text = die\n"
        "from watchkeep.cli import run\n"
        f"run(['baseline', 'data-quality', {str(tmp_path / 'train.parquet')!r}, '--out', {str(known)!r}])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)

    assert done.returncode == -signal.SIGKILL
    assert contents(known) == old
    assert len(list(tmp_path.glob(".baseline*partial"))) == 1
    assert watchkeep("baseline", "data-quality", tmp_path / "train.parquet", "--out", known).code == 0
    assert not list(tmp_path.glob(".baseline*partial"))


def test_an_error_while_writing_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = baseline(tmp_path, TRAIN)
    old = contents(known)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = watchkeep("baseline", "data-quality", tmp_path / "train.parquet", "--out", known)

    assert answer.is_one_sentence
    assert "No space left on device" in answer.err
    assert contents(known) == old
    assert not list(tmp_path.glob(".*partial"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A disk of 64 KB, where this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine mounts no disks")
    return disk


def test_a_full_disk_is_one_sentence(tmp_path: Path, small_disk: Path) -> None:
    try:
        data = write(TRAIN, tmp_path / "train.parquet")
        (small_disk / "filler").write_bytes(b"x" * 50_000)

        answer = watchkeep("baseline", "data-quality", data, "--out", small_disk / "b")

        assert answer.is_one_sentence, answer
        assert "No space left on device" in answer.err
        assert [entry.name for entry in small_disk.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    data = write(TRAIN, tmp_path / "train.parquet")
    if os.geteuid() == 0:  # nothing is forbidden to root but what the kernel itself guards
        place = Path("/proc/self/nowhere")
    else:
        place = tmp_path / "locked" / "b"
        place.parent.mkdir(mode=0o500)

    assert watchkeep("baseline", "data-quality", data, "--out", place).is_one_sentence
