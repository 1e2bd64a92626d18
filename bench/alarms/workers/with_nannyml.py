"""NannyML: Jensen and Shannon's distance per column, and PCA reconstruction, with the thresholds they learn.

    python -m bench.alarms.workers.with_nannyml FOLDER

A level is the value over its threshold; of the reconstruction, which has two, the distance from their middle over
half of the distance between them.
"""

import nannyml

from bench.alarms.workers.common import Level, Task, level, main


def look(task: Task) -> list[dict[str, Level]]:
    """What both calculators say of each window."""
    windows = task.windows()
    columns = nannyml.UnivariateDriftCalculator(
        column_names=task.columns,
        treat_as_categorical=task.categorical,
        continuous_methods=["jensen_shannon"],
        categorical_methods=["jensen_shannon"],
        chunk_size=task.rows,
    )
    found = columns.fit(task.reference).calculate(windows).filter(period="analysis").to_df()
    together = nannyml.DataReconstructionDriftCalculator(column_names=task.columns, chunk_size=task.rows)
    rebuilt = together.fit(task.reference).calculate(windows).filter(period="analysis").to_df()
    error = rebuilt["reconstruction_error"]
    middle = (error["upper_threshold"] + error["lower_threshold"]) / 2
    half = (error["upper_threshold"] - error["lower_threshold"]) / 2
    apart = (error["value"] - middle).abs() / half.clip(lower=1e-12)
    readings = []
    for number in range(task.count):
        own = {name: found[name]["jensen_shannon"].iloc[number] for name in task.columns}
        levels = {
            name: each["value"] / max(each["upper_threshold"], 1e-12)
            for name, each in own.items()
            if each["upper_threshold"] == each["upper_threshold"]  # NaN when no threshold could be learned
        }
        pca = {"level": min(float(apart.iloc[number]), 1e12), "columns": {}}
        readings.append({"nannyml-js": level(levels), "nannyml-pca": pca})
    return readings


if __name__ == "__main__":
    main(look)
