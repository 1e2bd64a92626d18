"""Ground truth of a home's endpoints."""

from datetime import UTC, datetime
from pathlib import Path

from watchkeep.adapters.captures.labelling import Taken, take_labels
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import labels_of
from watchkeep.service.ports import Source


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
