"""What executors do: they fold parts, and merge what parts gave. Sent to them by name: they have this package too."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.spark_table import over, partition
from watchkeep.core.errors import WatchkeepError
from watchkeep.core.version import __version__
from watchkeep.service.folding import Fold, Folded, folded
from watchkeep.service.ports import Ask, Source

ANSWER: Final = "part long, value binary"
"""What a task gives, as Spark spells it: which part, and what it gave, pickled."""
SCHEMA: Final = pa.schema([("part", pa.int64()), ("value", pa.binary())])


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with the parts of a source.

    Args:
        ask: which rows.
        fold: what is done with them.
        skip: whether files that cannot be read are left out.
        version: of this package where the job was made.
    """

    ask: Ask
    fold: Fold[Any]
    skip: bool
    version: str = __version__

    def check(self) -> None:
        """Check that this is the version that made it: states of others may not merge.

        Raises:
            WatchkeepError: it is not.
        """
        if __version__ != self.version:
            raise WatchkeepError(
                f"Spark's executors have watchkeep {__version__}, and the job is of {self.version}; "
                "install the same version on both"
            )


def answers(part: int, work: Callable[[], object]) -> pa.RecordBatch:
    """What some work gave, or the error that it met; Spark would try the work again and tell less of the error."""
    try:
        found = work()
    except WatchkeepError as error:
        found = error
    return pa.record_batch([[part], [sealed(found)]], schema=SCHEMA)


def sealed(what: object) -> bytes:
    """Something as the bytes that are sent."""
    packed = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    return len(packed).to_bytes(8, "little") + bytes(pa.compress(packed, codec="zstd", asbytes=True))


def opened(value: bytes) -> Any:
    """What was sent.

    Raises:
        WatchkeepError: it is an error that a task met.
    """
    size = int.from_bytes(value[:8], "little")
    found = pickle.loads(pa.decompress(value[8:], size, codec="zstd", asbytes=True))  # noqa: S301 (our own said it)
    if isinstance(found, WatchkeepError):
        raise found
    return found


def fold_parts(
    job: bytes, parts: Sequence[bytes]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does with the numbers of parts that it is given."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        own: Job = pickle.loads(job)  # noqa: S301 (our own)
        for batch in batches:
            for at in batch.column(0).to_pylist():
                part: Source = pickle.loads(parts[at])  # noqa: S301

                def work(part: Source = part, at: int = at) -> Folded[Any]:
                    own.check()
                    return folded(part, at, own.ask, own.fold, skip=own.skip)

                yield answers(at, work)

    return run


def fold_table(
    job: bytes, source: bytes, kind: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does with the rows of one partition of a table."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        own: Job = pickle.loads(job)  # noqa: S301 (our own)
        at = partition()
        part = over(pickle.loads(source), batches, kind)  # noqa: S301

        def work() -> Folded[Any]:
            own.check()
            return folded(part, at, own.ask, own.fold, skip=False)

        yield answers(at, work)
        for _ in batches:  # where an error ended it, the rest is still to be taken
            pass

    return run


def merge_parts(job: bytes) -> Callable[[pa.Table], pa.Table]:
    """What a task does with what consecutive parts gave."""

    def run(given: pa.Table) -> pa.Table:
        own: Job = pickle.loads(job)  # noqa: S301 (our own)
        ordered = given.sort_by("part")
        first = ordered.column("part")[0].as_py()

        def work() -> Folded[Any]:
            return gathered(own.fold, [opened(value) for value in ordered.column("value").to_pylist()])

        return pa.Table.from_batches([answers(first, work)])

    return run


def gathered(fold: Fold[Any], several: Sequence[Folded[Any]]) -> Folded[Any]:
    """What consecutive parts gave, as that of one."""
    empty = several[0].empty if all(one.empty for one in several) else None
    return Folded(fold.merge([one.value for one in several]), sum(one.rows for one in several), empty)
