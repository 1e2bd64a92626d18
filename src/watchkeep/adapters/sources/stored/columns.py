"""The columns of stored captures that are about a record, and not of its bodies."""

from collections.abc import Collection
from typing import Final

import pyarrow as pa

PREFIX: Final = "capture_"
"""How the columns begin that are about a record, and not of its bodies."""
EVENT_ID: Final = "capture_event_id"
INFERENCE_ID: Final = "capture_inference_id"
TIME: Final = "capture_time"
ROW: Final = "capture_row"
ROWS: Final = "capture_rows"
WEIGHT: Final = "capture_weight"
PROBLEM: Final = "capture_problem"
INPUT: Final = "capture_input"
OUTPUT: Final = "capture_output"
FLAGS: Final = "capture_flags"
ATTRIBUTES: Final = "capture_attributes"
INPUT_TYPE: Final = "capture_input_type"
OUTPUT_TYPE: Final = "capture_output_type"
STATUS: Final = "capture_status"
FILE: Final = "capture_file"
LINE: Final = "capture_line"
SPELLING: Final = "capture_spelling"

OWN: Final = pa.schema(
    [
        (EVENT_ID, pa.string()),
        (INFERENCE_ID, pa.string()),
        (TIME, pa.timestamp("us", tz="UTC")),
        (ROW, pa.int32()),
        (ROWS, pa.int32()),
        ("capture_status", pa.int16()),
        ("capture_model_latency", pa.int64()),
        ("capture_overhead_latency", pa.int64()),
        (WEIGHT, pa.float64()),
        (PROBLEM, pa.string()),
        ("capture_flags", pa.string()),
        ("capture_attributes", pa.string()),
        ("capture_input_type", pa.string()),
        ("capture_output_type", pa.string()),
        (INPUT, pa.large_binary()),
        (OUTPUT, pa.large_binary()),
    ]
)
"""The columns of every record. Latencies are microseconds. `capture_row` of `capture_rows` is the row's place in its
record, and the first row has the bodies."""

OF_LINES: Final = pa.schema([(FILE, pa.string()), (LINE, pa.int64()), (SPELLING, pa.string())])
"""Further columns of records that were imported from SageMaker's captures, so that they can be exported as they were:
the file below its variant, the line in it, and how the line says what the other columns hold (`formats.capture_lines`).
The first row of a record has the spelling."""


def free_name(name: str, side: str, taken: Collection[str]) -> str:
    """What a column of bodies is called whose name may be taken, or be as one of ours.

    Args:
        name: as it is in the body.
        side: `input` or `output`.
        taken: what columns are called already.

    >>> free_name("age", "input", {"age"}), free_name("capture_x", "input", ())
    ('age_input', 'input_capture_x')
    """
    free = name if name not in taken else f"{name}_{side}"
    if free.startswith(PREFIX):
        free = f"{side}_{name}"
    while free in taken:
        free = f"{free}_{side}"
    return free
