"""Labels that are told bit by bit: kept in segments as they come, and sealed into files of the store together.

What is told at once is a record of a segment: its endpoint, the name of the outcome in place of a variant, when it was
told, and the labels as its input. So it is on the disk, checked, synced and encrypted as captures are.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa

from watchkeep.adapters.captures.labelling import take_labels
from watchkeep.adapters.captures.sealing import Sealed, keep_torn
from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.sources.stored.labels import ARRIVAL, ID
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.segment import blocks_of, complete, pending
from watchkeep.core.errors import StoreError
from watchkeep.service.ports import Shelf

Outcome: TypeAlias = "bool | int | float | str"
Label: TypeAlias = "tuple[str, Outcome, int | None]"
"""What the inference is called, its outcome, and when that came to be known: microseconds since 1970, or None."""
_JSON: Final = "application/json"
_WHOLE: Final = range(-(2**63), 2**63)


def told_labels(endpoint: str, name: str, labels: Sequence[Label], *, now: int) -> Inference:
    """Labels as a record of a segment.

    Args:
        endpoint: whose inferences they are about.
        name: what the outcome is called.
        labels: some of them.
        now: when they were told, microseconds since 1970: when those came to be known that do not say so.
    """
    body = json.dumps(labels, separators=(",", ":"), allow_nan=False).encode()
    return Inference(endpoint, name, "", "", now, -1, -1, 200, 1.0, "", "", _JSON, "", body, None)


def labels_waiting(segments: Path, endpoint: str, ids: Collection[str]) -> int:
    """How many labels of some inferences are in segments that others write or seal.

    Raises:
        OSError: a segment cannot be read.
        StoreError: one is encrypted with a key that is not in the environment.
    """
    count, whole = 0, {one for one in ids if "\x1f" not in one}
    for path, _ in pending(segments):
        try:
            blocks, _ = blocks_of(path)
        except FileNotFoundError:  # sealed just now
            continue
        for block in blocks:
            for one in records_of(block):
                if one.endpoint == endpoint:
                    names = [label[0] for label in json.loads(one.input or b"[]")]
                    count += sum(name in ids or name.partition("\x1f")[0] in whole for name in names)
    return count


def is_outcome(value: Outcome) -> bool:
    """Whether a value tells an outcome: an empty text and what is no number tell none.

    >>> is_outcome(False), is_outcome(""), is_outcome(float("nan"))
    (True, False, False)
    """
    return value != "" and not (isinstance(value, float) and not isfinite(value))


@dataclass(frozen=True, slots=True)
class LabelSealer:
    """Seals the segments of labels of a folder. A segment whose sealing was broken off gives the same files again.

    Args:
        segments: the folder.
        shelf: the store of labels.
    """

    segments: Path
    shelf: Shelf

    def seal(self) -> Sealed:
        """Seal what is complete.

        Raises:
            StoreError: the store cannot be written; what is sealed so far is, and the rest is still there. Or a segment
                is encrypted with a key that is not in the environment; the others are sealed.
            OSError: a segment cannot be read.
        """
        told = Sealed()
        closed: StoreError | None = None
        for path in complete(self.segments):
            try:
                blocks, torn = blocks_of(path)
            except StoreError as error:
                closed = closed or error
                continue
            if torn:
                told.torn += torn
                keep_torn(path, torn)
            for endpoint, name, table in _tables(one for block in blocks for one in records_of(block)):
                taken = take_labels(
                    self.shelf, endpoint, LabelRows(open_source(table), ID, name, ARRIVAL), now=_NEVER
                )
                told.labels += taken.labels
                told.files += taken.files
            path.unlink()
            told.segments += 1
        if closed is not None:
            raise closed
        return told


_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""All of these tell when they came to be known."""


def _tables(records: Iterable[Inference]) -> Iterator[tuple[str, str, pa.Table]]:
    """The labels of each endpoint, outcome and type. What is told once more within a segment is there once."""
    groups: dict[tuple[str, str, type], dict[tuple[str, Outcome, int | None], int]] = {}
    for one in records:
        for id_, value, arrival in json.loads(one.input or b"[]"):
            kind = type(value)
            if kind is int and value not in _WHOLE:  # more digits than a column of numbers holds
                kind, value = str, str(value)
            key = id_, value, arrival
            groups.setdefault((one.endpoint, one.variant, kind), {})[key] = (
                one.time if arrival is None else arrival
            )
    for (endpoint, name, _), several in groups.items():
        yield (
            endpoint,
            name,
            pa.table(
                {
                    ID: [key[0] for key in several],
                    name: pa.array([key[1] for key in several]),
                    ARRIVAL: pa.array(several.values(), pa.timestamp("us", tz="UTC")),
                }
            ),
        )
