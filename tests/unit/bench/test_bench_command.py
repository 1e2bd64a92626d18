import doctest
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import bench
import pytest
from bench.__main__ import _options, main
from bench.measure import ROOT

MODULES = [each.name for each in pkgutil.iter_modules(bench.__path__) if not each.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docs_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"bench.{name}")).failed == 0


def test_the_process_that_measures_imports_no_numerics() -> None:
    heavy = "numpy|pandas|pyarrow|duckdb|watchkeep"
    program = (
        f"import sys, bench.__main__; print([name for name in sys.modules if name in '{heavy}'.split('|')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert done.stdout == "[]\n"


def test_sizes_are_sorted_and_named_once() -> None:
    assert _options(["--rows", "1_000_000,100000,100000"]).rows == (100_000, 1_000_000)


@pytest.mark.parametrize("rows", ["10", "100,x", ""])
def test_sizes_that_cannot_be_are_refused(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        _options(["--rows", rows])

    assert stopped.value.code == 2
    assert "--rows" in capsys.readouterr().err


def test_quick_asks_no_peers_and_writes_no_file() -> None:
    quick, whole = _options(["--quick"]), _options([])

    assert (quick.peers, quick.out, quick.repeat) == (False, "-", 2)
    assert (whole.peers, Path(whole.out).name, whole.repeat) == (True, "RESULTS.md", 5)
    assert _options(["--quick", "--peers"]).peers is True


@pytest.mark.slow
def test_the_whole_benchmark_writes_its_page_and_its_document(tmp_path: Path) -> None:
    out = tmp_path / "out" / "PAGE.md"
    words = ["--quick", "--rows", "500", "--repeat", "1", "--data", str(tmp_path / "data"), "--out", str(out)]

    code = main(words)

    document = json.loads((out.parent / "results.json").read_text())
    rows = {row["name"]: row for row in document["rows"] if row["rows"] == 500}
    assert code in {0, 1}
    assert "## 500 rows" in out.read_text()
    assert rows["decode_columns current"]["peak"] > 0
    for name in ("check", "baseline"):
        assert rows[name]["why"] is None
