"""A small world for scenarios: rows, files of every format, and the command line."""

import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq

from watchkeep.cli import run

COLUMNS = ("age", "income", "color", "maybe", "at")


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out, parse_constant=_no_such_number)

    @property
    def is_one_sentence(self) -> bool:
        """Bad input as it is promised: exit code 2, one line on stderr, no traceback."""
        lines = self.err.splitlines()
        return (
            self.code == 2
            and not self.out
            and len(lines) == 1
            and lines[0].startswith("watchkeep: ")
            and "Traceback" not in self.err
            and "fault of ours" not in self.err
        )


def _no_such_number(token: str) -> float:
    raise AssertionError(f"{token} in a document of ours")


def watchkeep(*arguments: object) -> Answer:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


def program(*arguments: object, cwd: Path, given: bytes = b"") -> Answer:
    """Run a command line as a program of its own, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "watchkeep", *map(str, arguments)],
        cwd=cwd,
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def rows(n: int, *, seed: int, income: float = 10.0) -> pa.Table:
    """People over a week of March 2024."""
    random = np.random.default_rng(seed)
    seconds = np.sort(random.integers(0, 7 * 86_400, n)) * 1_000_000
    return pa.table(
        {
            "age": pa.array(random.integers(18, 90, n)),
            "income": pa.array(random.lognormal(income, 1.0, n)),
            "color": pa.array(random.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2])),
            "maybe": pa.array([None if x < 0.2 else float(x) for x in random.random(n)]),
            "at": pa.array(np.datetime64("2024-03-01", "us") + seconds.astype("timedelta64[us]")).cast(
                pa.timestamp("us", "UTC")
            ),
        }
    )


def write(table: pa.Table, path: Path) -> Path:
    """Write a table in the format its name tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    if path.name.endswith(".parquet"):
        pq.write_table(table, path)
    elif path.name.endswith(".arrow"):
        feather.write_feather(table, path, compression="uncompressed")
    elif path.name.endswith(".jsonl"):
        lines = (json.dumps(row, default=lambda value: value.isoformat()) for row in table.to_pylist())
        path.write_text("\n".join(lines) + "\n")
    else:
        pacsv.write_csv(table, text, pacsv.WriteOptions(include_header="bare" not in path.name))
        path.write_bytes(gzip.compress(text.getvalue()) if path.suffix == ".gz" else text.getvalue())
    return path


def baseline(folder: Path, table: pa.Table, *options: object) -> Path:
    """A baseline learned from a table, by the command."""
    data = write(table, folder / "train.parquet")
    answer = watchkeep("baseline", "data-quality", data, "--out", folder / "baseline", *options)
    assert answer.code == 0, answer.err
    return folder / "baseline"


def check(at: Path, table: pa.Table, *options: object) -> Any:
    """The report of a table, by the command."""
    data = write(table, at.parent / "window.parquet")
    answer = watchkeep("check", at, data, "--out", at.parent / "report", "--json", *options)
    assert answer.code in (0, 1), answer.err
    return answer.document


def found(report: Any) -> dict[tuple[str, str], str]:
    """Outcome by (check, subject)."""
    return {(one["check"], one["subject"]): one["outcome"] for one in report["verdicts"]}


def violated(report: Any) -> set[tuple[str, str]]:
    """The violated ones, as (check, subject)."""
    return {key for key, outcome in found(report).items() if outcome == "violated"}


def essence(report: Any) -> dict[str, object]:
    """What two reports of the same rows must share, however the rows came: all but names, times and exact floats."""
    keys = ("status", "rows", "outcomes")
    told: dict[str, object] = {key: report[key] for key in keys}
    told["found"] = found(report)
    told["measures"] = {
        (one["measure"], one["subject"]): float(f"{one['value']:.9g}")
        if isinstance(one["value"], float)
        else str(one["value"])
        for one in report["measures"]
    }
    return told
