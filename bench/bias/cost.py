"""Processes that are measured: counting groups by fairlearn, decoding, and the rows both read."""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FACETS: Final = ("region", "age_band", "origin")
VALUES: Final = 8
_GROUP: Final = 500_000
_SHARES: Final = (0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02)


def write(path: Path, rows: int) -> None:
    """People of three facets of eight values, a label and an answer, with a seed."""
    random = np.random.default_rng(5)
    names = {one: pa.array([f"{one}-{at}" for at in range(VALUES)]) for one in FACETS}
    part, writer = path.with_name(f"{path.name}.part"), None
    for start in range(0, rows, _GROUP):
        n = min(_GROUP, rows - start)
        columns = {one: names[one].take(pa.array(random.choice(VALUES, n, p=_SHARES))) for one in FACETS}
        label = random.random(n) < 0.3
        answer = random.random(n) < np.where(label, 0.7, 0.2)
        columns |= {"label": pa.array(label.astype(np.int8)), "answer": pa.array(answer.astype(np.int8))}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(part, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    part.replace(path)


def decode(path: Path) -> None:
    """Only read the columns, on one thread, strings as dictionaries."""
    file = pq.ParquetFile(path, read_dictionary=list(FACETS))
    for group in range(file.num_row_groups):
        file.read_row_group(group, use_threads=False)


def count(path: Path) -> None:
    """What a check does with rows: count them by the baseline that lies beside them, saved by the benchmark."""
    import watchkeep as wk
    from watchkeep.adapters.sources import open_source
    from watchkeep.core.window import Window
    from watchkeep.frames.text_values import Dialect

    learned = wk.load(path.with_name("bias-baseline")).learned.in_force(Dialect.DEFAULT)
    assert learned.scan(open_source(str(path)), window=Window(), dialect=Dialect.DEFAULT).rows


def fairlearn(path: Path) -> None:
    """The same groups, and their pairs, by fairlearn's MetricFrame: rows, selection, and both error rates."""
    from itertools import combinations

    from fairlearn.metrics import MetricFrame, count, false_positive_rate, selection_rate, true_positive_rate

    rows = pq.read_table(path).to_pandas()
    metrics = {
        "count": count,
        "selected": selection_rate,
        "recall": true_positive_rate,
        "fpr": false_positive_rate,
    }
    for facets in (*((one,) for one in FACETS), *combinations(FACETS, 2)):
        frame = MetricFrame(
            metrics=metrics,
            y_true=rows["label"],
            y_pred=rows["answer"],
            sensitive_features=rows[list(facets)],
        )
        assert len(frame.by_group)


if __name__ == "__main__":
    {"decode": decode, "count": count, "fairlearn": fairlearn}[sys.argv[1]](Path(sys.argv[2]))
