"""Output that nobody reads to its end is no violation."""

import subprocess
import sys
from pathlib import Path

from tests.scenarios.world import baseline, rows, write


def test_a_pipe_that_closes_early_has_a_code_of_its_own(tmp_path: Path) -> None:
    known = baseline(tmp_path, rows(2_000, seed=1))
    data = write(rows(2_000, seed=2), tmp_path / "w.parquet")
    words = [sys.executable, "-m", "watchkeep", "check", str(known), str(data), "--out", str(tmp_path / "r")]

    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait()

    assert code == 141
    assert b"Traceback" not in said
    assert (tmp_path / "r" / "report.json").exists()
