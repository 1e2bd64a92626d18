"""Tables that only Spark can read: `spark.table:catalog.schema.name`."""

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.files import sentence
from watchkeep.adapters.sources.memory import Tables
from watchkeep.adapters.sources.tables import leaves, schema_of
from watchkeep.core.errors import MissingSourceError, OptionError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Source
from watchkeep.service.rows import Where

SCHEME: Final = "spark.table:"


def active() -> Any:
    """The session that is active; None when there is none."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return None
    return SparkSession.getActiveSession()


@contextmanager
def quiet() -> Iterator[None]:
    """Without what PySpark warns of that is no matter of ours, such as the version of pandas."""
    logs = logging.getLogger("SQLQueryContextLogger")  # it prints what is going to be raised
    before, logs.disabled = logs.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.disabled = before


@dataclass(frozen=True, slots=True)
class SparkTable:
    """A table of Spark's catalog. Its rows are folded where Spark reads them; nobody else can.

    Args:
        table: as Spark SQL names it; a path is one too: parquet.`/data/folder`.
    """

    table: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{SCHEME}{self.table}"

    def frame(self, session: Any) -> Any:
        """The table as a Spark frame.

        Raises:
            MissingSourceError: there is none.
            UnreadableSourceError: Spark cannot read it.
        """
        try:
            with quiet():
                frame = session.table(self.table)
                frame.schema  # noqa: B018 (to look is to look it up, even over Spark Connect)
        except Exception as error:  # Spark has no class for it
            if "NOT_FOUND" in str(error) or "PATH_NOT_FOUND" in str(error):
                raise MissingSourceError(self.name, looked_for="a table of Spark's catalog") from error
            raise UnreadableSourceError(self.name, why=sentence(error)) from error
        return frame

    def schema(self, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns, flattened."""
        with quiet():
            kind = self.frame(self._session()).limit(0).toArrow().schema
        return schema_of({name: leaf.type for name, leaf in leaves(kind, source=self.name).items()})

    def batches(self, ask: Ask) -> Iterator[Batch]:  # noqa: ARG002 (part of the port)
        """Nothing: its rows do not come here.

        Raises:
            OptionError: always.
        """
        raise OptionError(
            "source", got=self.name, expected="--engine spark beside it: Spark alone can read a table"
        )

    def _session(self) -> Any:
        session = active()
        if session is None:
            raise OptionError(
                "source", got=self.name, expected="--engine spark beside it: Spark alone can read a table"
            )
        return session


def partition() -> int:
    """The number of the partition that this task reads."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return 0 if context is None else int(context.partitionId())


def table_of(source: Source) -> SparkTable | None:
    """The table that a source's rows come from; None when they come from elsewhere."""
    while isinstance(source, Where):
        source = source.source
    return source if isinstance(source, SparkTable) else None


def over(source: Source, records: Iterable[pa.RecordBatch], kind: pa.Schema) -> Source:
    """A source of a table, over record batches that Spark has read of it."""
    if isinstance(source, Where):
        return replace(source, source=over(source.source, records, kind))
    return Tables(source.name, kind, lambda: records)
