"""Ground truth of a home's endpoints."""

from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

from watchkeep.adapters.captures.labelling import Taken, take_labels
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import labels_of
from watchkeep.capture.home import LABEL_SEGMENTS, start_sealer
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.service.ports import Source

_ROTATE: Final = 10.0
"""Seconds after which labels that were told one by one are made a file of."""
_SIZE: Final = 16 << 20


@cache
def intake_of(home: Path) -> Recorder:
    """Keeps labels that are told bit by bit, as `told_labels` makes records of them. A process has one of each home.

    Many who tell some at the same time wait for the disk together; whoever seals the home's captures makes files of
    what was told within some seconds.
    """
    opened = partial(start_sealer, home)
    return Recorder(Settings(folder=home / LABEL_SEGMENTS, rotate=_ROTATE, size=_SIZE, opened=opened))


def take(
    home: Path,
    endpoint: str,
    source: Source,
    *,
    id: str,  # noqa: A002 (the role's name)
    label: str,
    arrival: str | None,
    now: datetime | None = None,
) -> Taken:
    """Store the labels of a source.

    Args:
        home: whose.
        endpoint: whose inferences they are about.
        source: the labels; a ground-truth tree of SageMaker is known by its columns.
        id, label, arrival: its columns: what the inference is called, its outcome, and when that came to be known (the
            hour of the folders, or now, when none is named).
        now: the time.

    Raises:
        MissingColumnError: the source lacks a column.
        SourceError: it cannot be read.
        StoreError: the store cannot be written.
    """
    rows = LabelRows(source, id, label, arrival)
    return take_labels(open_shelf(labels_of(home)), endpoint, rows, now=now or datetime.now(UTC))
