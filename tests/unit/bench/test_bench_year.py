"""The year of stored hours: the same hours for everybody, and a table of what they cost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench import year


def test_an_hour_is_the_same_whoever_makes_it_and_no_two_are_alike() -> None:
    assert year.rows_of(7).equals(year.rows_of(7))
    assert not year.rows_of(7).equals(year.rows_of(8))
    assert (year.rows_of(0).num_rows, year.rows_of(0).num_columns) == (1_000, 100)
    kinds = [str(kind) for kind in year.rows_of(0).schema.types]
    assert [kinds.count(kind) for kind in ("double", "int64", "string")] == [60, 20, 20]


def test_the_exponent_is_that_of_the_power_that_cost_follows() -> None:
    rows = [{"hours": hours, "x": 3.0 * hours**0.25, "y": 2.0} for hours in (24.0, 168.0, 8_760.0)]

    assert year.exponent(rows, "x") == pytest.approx(0.25)
    assert year.exponent(rows, "y") == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_a_day_is_stored_measured_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.year",
        "--folder",
        str(tmp_path),
        "--hours",
        "24",
        "--different",
        "2",
    ]

    done = subprocess.run(command, check=True, capture_output=True, text=True)

    told = json.loads(done.stderr.splitlines()[-1])
    assert told["hours"] == 24
    assert told["merged"] == 1
    assert "used again and again" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("| 24 | 29 |")  # a mark, 24 and three more hours, a day
    assert year.opened(tmp_path)[1].over().rows == 27_000
    assert year.grown(tmp_path, 24, 2) == []
