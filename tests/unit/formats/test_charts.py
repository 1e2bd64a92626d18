"""Charts in documents: edges that people can read."""

from typing import Any

import pyarrow as pa

import watchkeep as wk


def test_the_edge_after_zeros_reads_as_zero() -> None:
    baseline = wk.DataQuality().baseline(pa.table({"flag": [0, 1] * 400}))

    document: Any = baseline.check(pa.table({"flag": [0, 1, 1] * 40})).document()

    [column] = document["columns"]
    assert column["chart"]["edges"] == [0.0, 0.0, 1.0, 1.0]
    assert column["chart"]["baseline"] == [0.5, 0.0, 0.5]
