import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from watchkeep.adapters import folders
from watchkeep.adapters.folders import Made, whole_folder
from watchkeep.core.errors import BadInputError, OptionError

REPORT = Made("a report", "report.json", frozenset({"report.json", "parts"}))
WRITER = """
import sys, time
from pathlib import Path
from watchkeep.adapters.folders import Made, whole_folder

made = Made("a report", "report.json", frozenset({"report.json", "parts"}))
with whole_folder(Path(sys.argv[1]), made) as folder:
    (folder / "report.json").write_text("new")
    print("half", flush=True)
    time.sleep(60)
"""


def write(path: Path, content: str) -> None:
    with whole_folder(path, REPORT) as folder:
        (folder / "report.json").write_text(content)
        (folder / "parts").mkdir()
        (folder / "parts" / "one").write_text(content)


def fail_half_way(path: Path, error: Exception) -> None:
    with whole_folder(path, REPORT) as folder:
        (folder / "report.json").write_text("new")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture(params=[True, False], ids=["exchange", "rename"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(folders, "_exchange", lambda *_: False)


@pytest.mark.usefixtures("either_way")
def test_a_folder_is_made_and_then_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "above" / "report"

    write(target, "old")
    (target / "parts" / "left over").touch()
    write(target, "new")

    assert names(target) == ["parts", "report.json"]
    assert names(target / "parts") == ["one"]
    assert (target / "parts" / "one").read_text() == "new"
    assert names(target.parent) == ["report"]


@pytest.mark.usefixtures("either_way")
def test_an_error_leaves_the_old_folder_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "report"
    write(target, "old")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way(target, RuntimeError("half way"))

    assert (target / "report.json").read_text() == "old"
    assert names(tmp_path) == ["report"]


def test_the_old_folder_is_seen_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "report"
    write(target, "old")

    with whole_folder(target, REPORT) as folder:
        (folder / "report.json").write_text("new")
        assert (target / "report.json").read_text() == "old"

    assert (target / "report.json").read_text() == "new"


def test_a_killed_writer_leaves_the_old_folder_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    target = tmp_path / "report"
    write(target, "old")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL

    assert (target / "report.json").read_text() == "old"
    assert len(names(tmp_path)) == 2

    write(target, "newer")
    assert (target / "report.json").read_text() == "newer"
    assert names(tmp_path) == ["report"]


def test_what_a_living_writer_has_half_written_is_let_be(tmp_path: Path) -> None:
    target = tmp_path / "report"

    with whole_folder(target, REPORT) as slow:
        (slow / "report.json").write_text("slow")
        write(target, "fast")
        assert (slow / "report.json").read_text() == "slow"
        assert (target / "report.json").read_text() == "fast"

    assert (target / "report.json").read_text() == "slow"


@pytest.mark.parametrize("content", ["report.json", None])
def test_what_we_wrote_and_what_is_empty_may_be_replaced(tmp_path: Path, content: str | None) -> None:
    target = tmp_path / "out"
    target.mkdir()
    if content:
        (target / content).touch()

    write(target, "new")

    assert (target / "report.json").read_text() == "new"


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(
        OptionError,
        match=r"--out: got .* one that holds a report and nothing else; this one holds 'thesis\.tex'",
    ):
        write(tmp_path, "new")

    assert names(tmp_path) == ["thesis.tex"]


def test_a_file_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("x")

    with pytest.raises(OptionError, match="expected a folder, and this is a file"):
        write(target, "new")
    with pytest.raises(BadInputError, match="cannot be written"):
        write(target / "below", "new")


def test_a_link_goes_on_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "latest").symlink_to("real")

    write(tmp_path / "latest", "new")

    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "real" / "report.json").read_text() == "new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_is_a_clear_error_and_the_old_folder_stays(tmp_path: Path, code: int) -> None:
    target = tmp_path / "report"
    write(target, "old")

    with pytest.raises(BadInputError, match=os.strerror(code)):
        fail_half_way(target, OSError(code, os.strerror(code)))

    assert (target / "report.json").read_text() == "old"
    assert names(tmp_path) == ["report"]


def test_a_failing_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report"
    write(target, "old")
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    rename = Path.rename

    def fail_to_finish(self: Path, to: Path) -> Path:
        if to == target and "-old" not in self.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail_to_finish)
    with pytest.raises(BadInputError, match="No space left on device"):
        write(target, "new")

    assert (target / "report.json").read_text() == "old"


def test_a_system_that_cannot_exchange_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())

    assert folders._exchange(tmp_path, tmp_path) is False


@pytest.mark.parametrize(("code", "answer"), [(errno.EINVAL, False), (errno.EIO, None)])
def test_a_file_system_that_cannot_exchange_is_told_from_one_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, answer: bool | None
) -> None:
    class Library:
        @staticmethod
        def renameat2(*_: object) -> int:
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Library)
    monkeypatch.setattr("ctypes.get_errno", lambda: code)
    if answer is None:
        with pytest.raises(OSError, match=os.strerror(code)):
            folders._exchange(tmp_path, tmp_path)
    else:
        assert folders._exchange(tmp_path, tmp_path) is answer


def test_a_process_of_somebody_else_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", deny)
    assert folders._lives(1)
