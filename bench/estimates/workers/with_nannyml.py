"""NannyML: confidence-based estimates of classes (CBPE), direct loss estimation of numbers (DLE).

    python -m bench.estimates.workers.with_nannyml FOLDER

The folder holds reference.parquet, after.parquet and task.json; what was found is written to found.json.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

CLASSES = {
    "auc": "roc_auc",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
}
NUMBERS = {"mae": "mae", "mse": "mse", "rmse": "rmse"}


def main(folder: Path) -> None:
    """Estimate every window."""
    task = json.loads((folder / "task.json").read_text())
    reference, after = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "after"))
    names = NUMBERS if task["problem"] == "regression" else CLASSES
    begin = time.process_time()
    estimator = _estimator(task, list(names.values()))
    estimator.fit(reference)
    fitted = time.process_time()
    found = estimator.estimate(after).filter(period="analysis").to_df()
    done = time.process_time()
    ends = {"low": "lower_confidence_boundary", "high": "upper_confidence_boundary"}
    values = {
        name: {
            "value": found[(theirs, "value")].tolist(),
            **{ours: found[(theirs, end)].tolist() for ours, end in ends.items()},
        }
        for name, theirs in names.items()
    }
    out = {"fit": fitted - begin, "estimate": done - fitted, "values": values}
    (folder / "found.json").write_text(json.dumps(out))


def _estimator(task: dict[str, Any], metrics: list[str]) -> Any:
    shared = {"y_true": task["label"], "y_pred": task["prediction"], "metrics": metrics}
    if task["problem"] == "regression":
        return nannyml.DLE(feature_column_names=task["features"], chunk_size=task["window"], **shared)
    scores = task["scores"]
    chances = next(iter(scores.values())) if task["problem"] == "classification_binary" else scores
    return nannyml.CBPE(
        problem_type=task["problem"], y_pred_proba=chances, chunk_size=task["window"], **shared
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
