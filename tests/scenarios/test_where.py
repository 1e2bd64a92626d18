"""Any monitor over a segment: what is outside changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import watchkeep, write

import watchkeep as wk

RULE = "region = 'EU' and age < 40"


def people(n: int, seed: int, *, richer: float = 0.0, everywhere: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    region, age = rng.choice(["EU", "US"], n), rng.uniform(18, 80, n)
    mine = (region == "EU") & (age < 40)
    score = rng.random(n)
    return pa.table(
        {
            "region": region,
            "age": age,
            "pay": rng.normal(size=n) + richer * (mine if not everywhere else ~mine),
            "p": score,
            "y": (rng.random(n) < score).astype(int),
        }
    )


def rows_of(report: wk.Report) -> dict[str, Any]:
    """The account of a report's rows."""
    rows = report.document()["rows"]
    assert isinstance(rows, dict)
    return rows


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_segment_is_watched_by_itself(suffix: str, tmp_path: Path) -> None:
    train = write(people(6_000, 1), tmp_path / f"train.{suffix}")
    inside = write(people(3_000, 2, richer=1.0), tmp_path / f"inside.{suffix}")
    outside = write(people(3_000, 3, richer=1.0, everywhere=True), tmp_path / f"outside.{suffix}")
    made = watchkeep("baseline", "data-quality", train, "--where", RULE, "--out", tmp_path / "b", "--json")
    assert made.code == 0, made.err

    found, none = (
        watchkeep("check", tmp_path / "b", source, "--out", tmp_path / "r", "--json")
        for source in (inside, outside)
    )

    assert made.document["rows"] == len(people(6_000, 1).to_pandas().query("region == 'EU' and age < 40"))
    assert found.document["decision"]["named"] == ["pay"]
    assert none.document["decision"]["outcome"] == "not changed"
    assert RULE in none.document["source"]
    rows = none.document["rows"]
    assert rows["analysed"] + rows["outside"]["rule"] == 3_000
    assert f"{rows['outside']['rule']:,} outside the rule" in watchkeep("show", tmp_path / "r").out


def test_a_check_may_ask_for_other_rows_than_its_baseline(tmp_path: Path) -> None:
    table = people(2_000, 5)
    baseline = wk.DataQuality().baseline(wk.read(table, where=RULE))
    frame = table.to_pandas()

    own, other = (
        rows_of(baseline.check(table)),
        rows_of(baseline.check(wk.read(table, where="region = 'US'"))),
    )
    assert own["analysed"] == len(frame.query("region == 'EU' and age < 40"))
    assert other["analysed"] == len(frame.query("region == 'US'"))
    assert other["outside"] == {"rule": len(frame.query("region == 'EU'"))}

    baseline.save(tmp_path / "b")
    again = wk.load(tmp_path / "b")
    assert again.scan(table).rows == own["analysed"]
    assert rows_of(again.judge(again.scan(table.slice(0, 900)).merge(again.scan(table.slice(900))))) == own


def test_labels_are_joined_to_the_rows_of_the_rule(tmp_path: Path) -> None:
    table = people(3_000, 6).append_column("id", pa.array(range(3_000)))
    baseline = wk.ModelQuality().baseline(wk.read(people(3_000, 7), label="y", score="p", where=RULE))
    mine = len(table.to_pandas().query("region == 'EU' and age < 40"))

    report = baseline.check(
        wk.read(table.drop_columns(["y"]), id="id"), labels=table.select(["id", "y"]).slice(0, 1_500)
    )
    rows = rows_of(report)
    assert (rows["analysed"], rows["outside"]) == (mine, {"rule": 3_000 - mine})
    assert 0 < rows["unmatched"] < mine


def test_answers_of_a_segment_are_those_of_its_rows(tmp_path: Path) -> None:
    table = people(5_000, 4)
    mine = table.to_pandas().query("region == 'EU' and age < 40")

    sliced = wk.ModelQuality().baseline(wk.read(table, label="y", score="p", where=RULE))
    alone = wk.ModelQuality().baseline(wk.read(mine, label="y", score="p"))

    assert sliced.rows == alone.rows == len(mine)
    assert [(one.key, one.limit) for one in sliced.constraints] == [
        (one.key, one.limit) for one in alone.constraints
    ]


@pytest.mark.parametrize(
    ("rule", "word"),
    [("regoin = 'EU'", "regoin"), ("age <", "age <"), ("age < 'old'", "age"), ("age > 1000", "no rows")],
)
def test_a_rule_that_cannot_be_used_is_refused(rule: str, word: str, tmp_path: Path) -> None:
    train = write(people(500, 1), tmp_path / "train.parquet")

    answer = watchkeep("baseline", "data-quality", train, "--where", rule, "--out", tmp_path / "b")

    assert answer.code == 2
    assert word in answer.err
    assert not (tmp_path / "b").exists()


def test_a_rule_of_the_window_is_no_data_bug(tmp_path: Path) -> None:
    """Who chooses the rows by a column knows why that column differs."""
    known = wk.DataQuality().baseline(people(4_000, 1))
    window = wk.read(people(4_000, 2), where="region = 'EU'")

    report = known.check(window)

    (cause,) = [one for one in report.causes if one.subject == "region"]
    assert cause.pattern == ""
    assert cause.sentence == "region: the rows are those where region = 'EU', and the baseline's are all rows"
    same = wk.DataQuality().baseline(wk.read(people(4_000, 1), where="region = 'EU'"))
    assert [one.subject for one in same.check(people(4_000, 2)).causes] == []
