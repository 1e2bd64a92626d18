"""Treating groups alike: the command, what it writes, and that what it promises holds on rows held out."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.scenarios.people import FACETS, ROLES, people
from tests.scenarios.world import watchkeep, write

from watchkeep.stats.fairness import reweighing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("fair")
    data = write(people(6_000, 1, against=0.5), at / "train.parquet")
    assert watchkeep("baseline", "bias", data, *ROLES, *FACETS, "--out", at / "b").code == 0
    return at


def mitigate(at: Path, method: str, *options: object) -> Any:
    answer = watchkeep(
        "mitigate",
        at / "b",
        at / "train.parquet",
        "--method",
        method,
        "--facet",
        "sex",
        "--out",
        at / method,
        "--json",
        *options,
    )
    assert answer.code == 0, answer.err
    assert json.loads((at / method / "mitigation.json").read_text()) == answer.document
    return answer.document


def side(document: Any, measure: str, which: str, subject: str = "sex=Female") -> float:
    group = next(one for one in document["bias"] if one["subject"] == subject)
    found = next(one for one in group["measures"] if one["measure"] == measure)
    return float(found[which]["value"])


@pytest.mark.parametrize(
    ("parity", "measures"),
    [
        ("equalized_odds", ("RD", "SD")),
        ("demographic_parity", ("DPPL",)),
        ("true_positive_rate_parity", ("RD",)),
    ],
)
def test_thresholds_treat_groups_alike_on_rows_held_out(
    folder: Path, parity: str, measures: tuple[str, ...]
) -> None:
    document = mitigate(folder, "thresholds", "--parity", parity)

    assert abs(side(document, "RD", "before")) > 0.25
    for measure in measures:
        assert abs(side(document, measure, "after")) < 0.1, measure
    assert document["rows"]["learned"] + document["rows"]["held_out"] == 6_000
    assert document["quality"][0]["measure"] == "accuracy"
    told = json.loads((folder / "thresholds" / "thresholds.json").read_text())
    for group in told["groups"].values():
        assert sum(one["chance"] for one in group["thresholds"]) == pytest.approx(1)


def test_calibrated_odds_leave_the_group_that_pays_most_as_it_is(folder: Path) -> None:
    mitigate(folder, "calibrated")

    told = json.loads((folder / "calibrated" / "thresholds.json").read_text())["groups"]
    assert min(one["mixed"] for one in told.values()) == 0


def test_weights_are_of_every_row_and_make_group_and_label_independent(folder: Path) -> None:
    document = mitigate(folder, "reweighing")

    weights = pq.read_table(folder / "reweighing" / "weights.parquet").to_pandas()
    rows = pq.read_table(folder / "train.parquet").to_pandas()
    assert weights["id"].tolist() == rows["id"].tolist()
    women, hired = rows["sex"] == "Female", rows["hired"] == "yes"
    counts = np.array(
        [[(women & ~hired).sum(), (women & hired).sum()], [(~women & ~hired).sum(), (~women & hired).sum()]]
    )
    expected = reweighing(counts.astype(float))[np.where(women, 0, 1), hired.astype(int)]
    assert weights["weight"].to_numpy() == pytest.approx(expected)
    assert document["trained"]


def test_a_reduction_treats_groups_more_alike_and_its_model_can_be_used(folder: Path) -> None:
    document = mitigate(folder, "reduction", "--parity", "demographic_parity")

    assert abs(side(document, "DPPL", "after")) < abs(side(document, "DPPL", "before")) + 0.02
    assert abs(side(document, "DPPL", "after")) < 0.06
    model = pickle.loads((folder / "reduction" / "model.pkl").read_bytes())
    assert hasattr(model, "predict")


def test_the_same_seed_gives_the_same_and_another_one_another(folder: Path) -> None:
    first, again, other = (mitigate(folder, "thresholds", "--seed", seed) for seed in (3, 3, 4))

    assert first == again
    assert first["bias"] != other["bias"]


def test_the_table_tells_what_it_does_and_what_it_costs(folder: Path) -> None:
    answer = watchkeep(
        "mitigate",
        folder / "b",
        folder / "train.parquet",
        "--method",
        "thresholds",
        "--facet",
        "sex",
        "--out",
        folder / "t",
    )

    assert answer.code == 0
    for words in (
        "Thresholds of each group's own",
        "Before",
        "After",
        "recall difference RD",
        "What it costs",
    ):
        assert words in answer.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--method", "thresholds", "--facet", "dept"), "one that the baseline knows"),
        (("--method", "reweighing", "--parity", "demographic_parity"), "reweighing has a sense of its own"),
        (("--method", "thresholds", "--held-out", "1"), "a share between 0 and 1"),
        (("--method", "thresholds", "--held-out", "0.002"), "30 rows with both labels in each"),
    ],
)
def test_bad_input_is_one_sentence(folder: Path, options: tuple[str, ...], expected: str) -> None:
    answer = watchkeep("mitigate", folder / "b", folder / "train.parquet", *options, "--out", folder / "no")

    assert answer.is_one_sentence, answer.err
    assert expected in answer.err
    assert not (folder / "no").exists()


def test_without_scores_thresholds_are_set_on_those_of_a_model_that_is_trained(
    folder: Path, tmp_path: Path
) -> None:
    data = folder / "train.parquet"
    made = watchkeep(
        "baseline", "bias", data, "--label", "hired", "--facet", "sex=Female", "--out", tmp_path / "b"
    )
    assert made.code == 0
    words = ("--feature", "skill", "--feature", "years", "--method", "thresholds", "--json")
    answer = watchkeep("mitigate", tmp_path / "b", data, *words, "--out", tmp_path / "m")

    assert answer.code == 0, answer.err
    assert answer.document["trained"]
    assert abs(side(answer.document, "RD", "after")) < 0.12
    assert {path.name for path in (tmp_path / "m").iterdir()} == {
        "mitigation.json",
        "model.pkl",
        "thresholds.json",
    }


def test_only_bias_can_be_mended(folder: Path, tmp_path: Path) -> None:
    data = folder / "train.parquet"
    assert watchkeep("baseline", "data-quality", data, "--out", tmp_path / "d").code == 0

    answer = watchkeep("mitigate", tmp_path / "d", data, "--method", "thresholds", "--out", tmp_path / "o")

    assert answer.is_one_sentence
    assert "a baseline of bias" in answer.err


def test_without_torch_adversarial_debiasing_names_what_to_install(folder: Path) -> None:
    pytest.importorskip("fairlearn")
    try:
        import torch  # type: ignore[import-not-found] # noqa: F401
    except ImportError:
        answer = watchkeep(
            "mitigate",
            folder / "b",
            folder / "train.parquet",
            "--method",
            "adversarial",
            "--out",
            folder / "a",
        )
        assert answer.is_one_sentence
        assert "pip install 'watchkeep[adversarial]'" in answer.err
    else:
        assert mitigate(folder, "adversarial")["trained"]
