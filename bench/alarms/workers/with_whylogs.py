"""whylogs' drift scores: p-values of profiles, in drift below .05.

python -m bench.alarms.workers.with_whylogs FOLDER
"""

import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

from bench.alarms.workers.common import Level, Task, level, main, surprise


def look(task: Task) -> list[dict[str, Level]]:
    """What it says of each window."""
    reference = whylogs.log(pandas=task.reference[task.columns]).view()
    readings = []
    for number in range(task.count):
        view = whylogs.log(pandas=task.window(number)[task.columns]).view()
        scores = calculate_drift_scores(target_view=view, reference_view=reference, with_thresholds=True)
        told = {name: score for name, score in scores.items() if score and score["pvalue"] is not None}
        readings.append(
            {"whylogs-drift": level({name: surprise(score["pvalue"]) for name, score in told.items()})}
        )
    return readings


if __name__ == "__main__":
    main(look)
