"""Joins predictions with labels that come in a source of their own, on a Spark cluster.

Executors read ids and times of predictions, and labels; Spark brings together what belongs together; then executors
read each part of the predictions again, each row with what was found for it. Features never leave the task that folds
them. It follows the rules of `adapters.sources.joined` and `matching`, which join on one machine.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.sources.joined import JoinedSource, Keys, LabelledRows
from watchkeep.adapters.sources.labels import LabelRows, LabelType
from watchkeep.adapters.sources.matching import Found, Slice
from watchkeep.adapters.sources.memory import Tables
from watchkeep.adapters.sources.spark_table import SparkTable, over, partition, table_of
from watchkeep.adapters.spark.tasks import Job, answers, opened, sealed
from watchkeep.core.errors import EmptySourceError, OptionError, WatchkeepError
from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.buffers import plain
from watchkeep.service.folding import folded
from watchkeep.service.joining import DelayQuantiles
from watchkeep.service.ports import Ask, Source

_PREDICTIONS: Final = "part long, row long, id string, moment long, told binary"
_LABELS: Final = "part long, row long, id string, label string, arrival long, told binary"
_TOLD: Final = -1
"""The row that tells what was counted, beside the rows themselves."""
_LATER: Final = "partition by id order by {moment} desc nulls last, part desc, row desc"
_SPELLED: Final = (
    "regexp_replace(case lower({0}) when 'true' then '1' when 'false' then '0' else {0} end,"
    r" '^(-?[0-9]+)\\.0+$', '$1')"
)
_DELAY: Final = (
    "case when arrival < moment and moment < arrival + {slack} then double(0)"
    " else (arrival - moment) / 1e6D end"
)


@dataclass(frozen=True, slots=True)
class Joined:
    """What was found for the rows of predictions.

    Args:
        outcome: rows (part, row, label, kept) of a Spark frame, and one for each part whose row is below 0.
        parts: of the predictions.
        keys: of each part.
        kind: the type of the labels.
        held: frames that Spark keeps until they are let go.
    """

    outcome: Any
    parts: Sequence[Source]
    keys: Sequence[Keys]
    kind: LabelType
    held: Sequence[Any]


@dataclass(frozen=True, slots=True)
class LabelledPart:
    """A part of the predictions, with what was found for its rows."""

    source: Source
    keys: Keys
    label: str
    kind: LabelType
    found: Slice

    @property
    def name(self) -> str:
        """That of the predictions."""
        return self.source.name

    def schema(self, ask: Ask) -> pa.Schema:
        """That of the predictions."""
        return self.source.schema(ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:  # noqa: ARG002 (the keys know what was asked)
        """The rows, with labels."""
        return LabelledRows(self.source, self.keys, self.label, self.kind, iter([self.found])).batches()


def join(session: Any, source: JoinedSource, ask: Ask, *, run: Callable[[Any], pa.Table]) -> Joined:
    """Match predictions with labels; the source keeps account of it.

    Args:
        session: of Spark.
        source: predictions and labels.
        ask: which predictions.
        run: gives the rows of a Spark frame.

    Raises:
        SourceError: one of the two cannot be read.
    """
    if table_of(source.predictions) is not None:
        raise OptionError(
            "--labels",
            got=source.predictions.name,
            expected="files of predictions; join a table with its labels by a view, and name that",
        )
    keys, labels = source.keys(ask), source.label_rows()
    parts = source.parts_of_predictions(ask)
    each = [keys.on(part) for part in parts]
    predicted = _read(session, each, _PREDICTIONS)
    table = table_of(labels.source)
    if table is not None:
        frame = table.frame(session)
        told = _read_table(frame, run(frame.limit(0)).schema, labels, _LABELS)
    else:
        told = _read(session, labels.parts(), _LABELS)
    each = _counted(run(predicted.where(f"row = {_TOLD}")))
    for one in _counted(run(told.where(f"row = {_TOLD}"))):
        labels.merge(one)
    later = _LATER.format(moment="moment")
    ours = predicted.where("row >= 0").selectExpr(
        "part", "row", "id", "moment", f"row_number() over ({later}) as place"
    )
    later = _LATER.format(moment="arrival")
    theirs = told.where("row >= 0").selectExpr(
        "id",
        "label",
        "arrival",
        f"row_number() over ({later}) as place",
        f"first_value(label) over ({later}) as winner",
    )
    delay = _DELAY.format(slack=labels.slack)
    matched = ours.where("place = 1").drop("place").join(theirs.where("place = 1").drop("place"), "id")
    found = matched.selectExpr("part", "row", "label", "true as kept", f"{delay} as delay").unionByName(
        ours.where("place > 1").selectExpr(
            "part", "row", "string(null) as label", "false as kept", "double(null) as delay"
        )
    )
    found = found.persist()
    total = keys.on(source.predictions)
    total.rows, total.without_id = sum(one.rows for one in each), sum(one.without_id for one in each)
    source.matched(total, labels, _found(run(_counts(found)), run(_replaced(theirs))))
    marks = session.range(0, len(parts), 1, max(1, len(parts))).selectExpr(
        "id as part", f"bigint({_TOLD}) as row", "string(null) as label", "false as kept"
    )
    outcome = found.select("part", "row", "label", "kept").unionByName(marks)
    outcome = outcome.repartition(max(1, len(parts)), "part")
    return Joined(outcome, parts, each, labels.type, (predicted, told, found))


def _read(session: Any, each: Sequence[Keys | LabelRows], schema: str) -> Any:
    """The rows of predictions or labels as a Spark frame."""
    packed = [sealed(one) for one in each]
    rows = session.range(0, len(packed), 1, max(1, len(packed)))
    return rows.mapInArrow(_rows_of(packed, schema), schema).persist()


def _rows_of(
    packed: Sequence[bytes], schema: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does that reads keys, or labels."""
    names = _names(schema)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for at in batch.column(0).to_pylist():
                yield from _told(at, opened(packed[at]), names)

    return run


def _read_table(frame: Any, kind: pa.Schema, labels: LabelRows, schema: str) -> Any:
    """The rows of labels that Spark alone can read, as a Spark frame of ids and labels."""
    names, packed = _names(schema), sealed(labels)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        own: LabelRows = opened(packed)
        yield from _told(partition(), replace(own, source=over(own.source, batches, kind)), names)
        for _ in batches:  # where an error ended it, the rest is still to be taken
            pass

    return frame.mapInArrow(run, schema).persist()


def _told(at: int, one: Keys | LabelRows, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a part, and at last what was counted on the way, or the error that was met."""
    try:
        yield from _records(at, one.tables(), names)
    except EmptySourceError:
        told = sealed(_bare(one))
    except WatchkeepError as error:
        told = sealed(error)
    else:
        told = sealed(_bare(one))
    last = {"part": [at], **{name: [None] for name in names}, "row": [_TOLD], "told": [told]}
    yield pa.RecordBatch.from_pydict(last, schema=_arrow(names))


def _bare(one: Keys | LabelRows) -> Keys | LabelRows:
    """What was counted, without rows that Spark has read."""
    if isinstance(one, LabelRows) and isinstance(one.source, Tables):
        return replace(one, source=SparkTable(one.source.name))
    return one


def _names(schema: str) -> list[str]:
    """The columns of a schema as Spark spells it, but for the part and what was counted."""
    return [field.split(" ")[0] for field in schema.split(", ")][1:-1]


def _records(part: int, tables: Iterable[pa.Table], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        columns = {name: one_chunk(table.column(name)) for name in names}
        rows = table.num_rows
        schema = _arrow(names)
        arrays = [
            pa.array(np.full(rows, part)),
            *(columns[name].cast(schema.field(name).type) for name in names),
            pa.nulls(rows, pa.binary()),
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _arrow(names: Sequence[str]) -> pa.Schema:
    texts = {"id", "label"}
    middle = [(name, pa.string() if name in texts else pa.int64()) for name in names]
    return pa.schema([("part", pa.int64()), *middle, ("told", pa.binary())])


def _counted(told: pa.Table) -> list[Any]:
    """What tasks counted, in the order of the parts.

    Raises:
        WatchkeepError: one met an error.
    """
    return [opened(value) for value in told.sort_by("part").column("told").to_pylist()]


def _counts(found: Any) -> Any:
    return found.selectExpr(
        "count_if(kept) as matched",
        "count_if(not kept) as stale",
        "count(delay) as timed",
        "count_if(delay < 0) as negative",
        "percentile_disc(0.5) within group (order by delay) as median",
        "percentile_disc(0.95) within group (order by delay) as p95",
        "max(delay) as longest",
    )


def _replaced(theirs: Any) -> Any:
    same = f"{_SPELLED.format('label')} = {_SPELLED.format('winner')}"
    return theirs.where("place > 1").selectExpr(f"count_if({same}) as same", "count(*) as replaced")


def _found(counts: pa.Table, replaced: pa.Table) -> Found:
    (one,), (other,) = counts.to_pylist(), replaced.to_pylist()
    delay = None
    if one["timed"]:
        delay = DelayQuantiles(
            rows=one["timed"],
            median=one["median"],
            p95=one["p95"],
            max=one["longest"],
            negative=one["negative"],
        )
    return Found(one["matched"], one["stale"], other["same"], other["replaced"] - other["same"], delay)


def label_parts(job: bytes, joined: Joined, label: str) -> Callable[[pa.Table], pa.Table]:
    """What a task does with what was found for the rows of one part: it reads them, and folds them."""
    parts = [sealed((part, keys)) for part, keys in zip(joined.parts, joined.keys, strict=True)]
    kind = joined.kind

    def run(given: pa.Table) -> pa.Table:
        own: Job = pickle.loads(job)  # noqa: S301 (our own)
        at = given.column("part")[0].as_py()
        part, keys = opened(parts[at])
        found = given.filter(pa.compute.field("row") >= 0).sort_by("row").combine_chunks()
        rows = plain(one_chunk(found.column("row")))
        kept = plain(one_chunk(found.column("kept")).cast(pa.uint8())).astype(np.bool_)
        labels = one_chunk(found.column("label")).cast(pa.large_string())
        labelled = LabelledPart(part, keys, label, kind, Slice(rows, labels, kept))

        def work() -> object:
            own.check()
            return folded(labelled, at, own.ask, own.fold, skip=False)

        return pa.Table.from_batches([answers(at, work)])

    return run
