"""alibi-detect's TabularDrift: tests per column at .05 over the number of columns.

    python -m bench.alarms.workers.with_alibi_detect FOLDER

It takes no missing values: numbers that are missing are the baseline's median, categories one of their own.
Categories that the baseline lacks share a code.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from alibi_detect.cd import TabularDrift

from bench.alarms.workers.common import Level, Task, level, main, surprise

CHANCE = 0.05


def look(task: Task) -> list[dict[str, Level]]:
    """What it says of each window."""
    medians = task.reference[task.numeric].median()
    texts = task.reference[task.categorical].fillna("")
    known = {name: {value: code for code, value in enumerate(sorted(set(texts[name])))} for name in texts}

    def matrix(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
        numbers = frame[task.numeric].fillna(medians)
        codes = [frame[name].fillna("").map(codes).fillna(len(codes)) for name, codes in known.items()]
        return np.column_stack([numbers, *codes]).astype(np.float32)

    places = dict.fromkeys(range(len(task.numeric), len(task.columns)))
    detector = TabularDrift(matrix(task.reference), p_val=CHANCE, categories_per_feature=places)
    limit = surprise(CHANCE / len(task.columns))
    readings = []
    for number in range(task.count):
        found = detector.predict(matrix(task.window(number)), drift_type="batch")["data"]["p_val"]
        levels = {
            name: surprise(float(chance)) / limit for name, chance in zip(task.columns, found, strict=True)
        }
        readings.append({"alibi-tabular": level(levels)})
    return readings


if __name__ == "__main__":
    main(look)
