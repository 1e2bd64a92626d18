"""The benchmark of estimates, on small made-up tables."""

import numpy as np
import pandas as pd
import pytest
from bench.estimates.__main__ import main
from bench.estimates.data import TABLES, Table
from bench.estimates.ours import estimates
from bench.estimates.truth import truths


def _table(problem: str, scores: dict[str, str]) -> Table:
    return Table("made up", problem, lambda _: (), "y", "answer", scores, ("id",), window=500)  # type: ignore[arg-type, return-value]


def _frame(seed: int, rows: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score, kind = rng.random(rows), rng.choice(["a", "b"], rows)
    y = (rng.random(rows) < score).astype(int)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": np.where(rng.random(rows) < 0.01, np.nan, rng.normal(size=rows)),
            "kind": pd.Categorical(kind),
            "score": score,
            "answer": (score > 0.5).astype(int),
            "y": y,
        }
    )


@pytest.mark.parametrize("features", [True, False])
def test_estimates_of_two_classes_are_near_the_truth(*, features: bool) -> None:
    table, after = _table("classification_binary", {"1": "score"}), _frame(2)
    found, real = estimates(table, _frame(1), after, features=features).found, truths(table, after)

    assert len(found) == 6
    for name in ("auc", "accuracy", "f1", "brier"):
        assert [each[name].value for each in found] == pytest.approx(real[name], abs=0.08), name


def test_estimates_of_several_classes_are_near_the_truth() -> None:
    table = _table("classification_multiclass", {"0": "other", "1": "score"})
    frames = [_frame(seed).assign(other=lambda rows: 1 - rows["score"]) for seed in (1, 2)]
    frames = [frame.assign(y=frame["y"].astype(str), answer=frame["answer"].astype(str)) for frame in frames]
    found, real = estimates(table, frames[0], frames[1]).found, truths(table, frames[1])

    assert [each["accuracy"].value for each in found] == pytest.approx(real["accuracy"], abs=0.06)
    assert [each["macro_f1"].value for each in found] == pytest.approx(real["macro_f1"], abs=0.06)


def test_estimates_of_numbers_are_near_the_truth() -> None:
    table = _table("regression", {})
    frames = [_frame(seed).assign(y=lambda rows: rows["y"] * 2.0) for seed in (1, 2)]
    frames = [frame.assign(answer=frame["score"] * 2) for frame in frames]
    found, real = estimates(table, frames[0], frames[1]).found, truths(table, frames[1])

    assert [each["mae"].value for each in found] == pytest.approx(real["mae"], rel=0.1)
    assert [each["r2"].value for each in found] == pytest.approx(real["r2"], abs=0.1)


def test_every_table_names_its_goals_among_its_measures() -> None:
    goals = {"classification_binary": {"auc", "accuracy"}, "regression": {"mae", "rmse"}}

    assert all(set(table.goals) <= goals.get(table.problem, set()) for table in TABLES.values())


def test_an_unknown_table_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tables", "ships"])

    assert "no table is called ships" in capsys.readouterr().err
