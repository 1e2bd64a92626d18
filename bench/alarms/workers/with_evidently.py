"""Evidently's DataDriftPreset: each column by the method and threshold it chooses, and the share of drifted columns.

python -m bench.alarms.workers.with_evidently FOLDER
"""

from typing import Any

from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from bench.alarms.workers.common import Level, Task, level, main, surprise


def look(task: Task) -> list[dict[str, Level]]:
    """What it says of each window."""
    roles = DataDefinition(numerical_columns=task.numeric, categorical_columns=task.categorical)
    reference = Dataset.from_pandas(task.reference[task.columns], data_definition=roles)
    readings = []
    for number in range(task.count):
        current = Dataset.from_pandas(task.window(number)[task.columns], data_definition=roles)
        metrics = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
        readings.append(_levels(metrics))
    return readings


def _levels(metrics: list[dict[str, Any]]) -> dict[str, Level]:
    columns: dict[str, float] = {}
    share = 0.0
    for metric in metrics:
        config, value = metric["config"], metric["value"]
        if "column" not in config:
            share = float(value["share"])
        elif "p_value" in config["method"]:
            columns[config["column"]] = surprise(float(value)) / surprise(config["threshold"])
        else:
            columns[config["column"]] = float(value) / config["threshold"]
    any_column = level(columns)
    drifted = {name: value for name, value in any_column["columns"].items() if value >= 1}
    return {"evidently-column": any_column, "evidently-dataset": {"level": share, "columns": drifted}}


if __name__ == "__main__":
    main(look)
