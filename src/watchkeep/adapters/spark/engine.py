"""Folds the parts of a source on a Spark cluster.

Executors are given descriptions of parts (files, and row groups of them) and read these themselves: no row passes
through the JVM. What consecutive parts gave is merged there too, in the tree that every engine merges in.
"""

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pyarrow as pa

from watchkeep.adapters.sources.files import sentence
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.adapters.sources.memory import PandasFrame, Tables
from watchkeep.adapters.sources.several import Several
from watchkeep.adapters.sources.spark_table import quiet, table_of
from watchkeep.adapters.sources.spool import Kept, Once
from watchkeep.adapters.spark.joining import join, label_parts
from watchkeep.adapters.spark.patience import USUAL, Waiting
from watchkeep.adapters.spark.tasks import ANSWER, Job, fold_parts, fold_table, merge_parts, opened
from watchkeep.core.errors import OptionError, UnreadableSourceError, WatchkeepError
from watchkeep.service.folding import FAN, Engine, Fold, Folded, Gathering
from watchkeep.service.ports import Ask, Progress, Source, parts_of
from watchkeep.service.rows import Where

M = TypeVar("M")
MANY: Final = FAN + 1
"""Parts of a table, which nobody counts before they are read."""


@dataclass(frozen=True, slots=True)
class Spark:
    """Reads on a Spark cluster.

    Args:
        session: of Spark, or of Spark Connect.
        skip: whether files that cannot be read are left out, named and counted.
        patience: seconds to wait for an executor; 0 for ever.
    """

    session: Any
    skip: bool = False
    patience: float = USUAL

    @property
    def name(self) -> str:
        """See `Engine`."""
        return "spark"

    def in_order(self, why: str) -> Engine:
        """See `Engine`."""
        raise OptionError(
            why, got="--engine spark", expected="--engine local: it needs the rows in their order"
        )

    def fold(self, source: Source, ask: Ask, fold: Fold[M], *, progress: Progress, what: str) -> M:
        """See `Engine`."""
        progress.start(what, rows=None)
        waiting = Waiting(self.session, progress.note, self.patience)
        try:
            gathering = Gathering(source, fold)
            job = _sent(Job(ask, fold, self.skip), source)
            held: list[Any] = []
            try:
                found, parts = self._planned(source, ask, job, held, waiting)
                for each, level in self._collected(found, parts, job, source, waiting):
                    progress.advance(each.rows)
                    gathering.add(each, level=level)
            finally:
                for frame in held:
                    frame.unpersist()
        finally:
            progress.stop()
        return gathering.whole()

    def _planned(
        self, source: Source, ask: Ask, job: bytes, held: list[Any], waiting: Waiting
    ) -> tuple[Any, int]:
        try:
            with quiet():
                return self._answers(source, ask, job, held, waiting)
        except WatchkeepError:
            raise
        except Exception as error:  # Spark has no class for it
            raise _failed(error, source) from error

    def _answers(
        self, source: Source, ask: Ask, job: bytes, held: list[Any], waiting: Waiting
    ) -> tuple[Any, int]:
        """A Spark frame of what parts give, and how many there are; `held` are frames that Spark keeps for it."""
        if isinstance(source, JoinedSource):
            _sent(source.predictions, source)
            joined = join(self.session, source, ask, run=lambda frame: self._run(frame, source, waiting))
            held += joined.held
            work = label_parts(job, joined, source.label_name)
            return joined.outcome.groupBy("part").applyInArrow(work, ANSWER), len(joined.parts)
        table = table_of(source)
        if table is not None:
            frame = table.frame(self.session)
            kind = self._run(frame.limit(0), source, waiting).schema
            if ask.columns is not None:
                frame = frame.select(*_tops(frame.columns, ask))
            found = frame.mapInArrow(fold_table(job, _sent(source, source), kind), ANSWER)
            return found, MANY
        parts = [_sent(part, source) for part in parts_of(source, ask)]
        rows = self.session.range(0, len(parts), 1, max(1, len(parts)))
        return rows.mapInArrow(fold_parts(job, parts), ANSWER), len(parts)

    def _collected(
        self, found: Any, parts: int, job: bytes, source: Source, waiting: Waiting
    ) -> Iterator[tuple[Folded[Any], int]]:
        """What parts gave, in their order; of many, what each `FAN` of them gave together, one level above."""
        together = parts > FAN
        if together:
            found = found.selectExpr(f"part div {FAN} as first", "part", "value")
            with quiet():
                found = found.groupBy("first").applyInArrow(merge_parts(job), ANSWER)
        for value in self._run(found, source, waiting).sort_by("part").column("value").to_pylist():
            yield opened(value), int(together)

    def _run(self, found: Any, source: Source, waiting: Waiting) -> pa.Table:
        """The rows of a Spark frame.

        Raises:
            UnreadableSourceError: Spark failed, or had no executor for too long.
        """
        try:
            with quiet(), waiting():
                return found.toArrow()
        except WatchkeepError:
            raise
        except Exception as error:  # Spark has no class for it
            raise _failed(error, source) from error


def _tops(columns: Sequence[str], ask: Ask) -> list[str]:
    """The columns of a table that hold what is asked for: `user`, where `user.age` is."""
    wanted = set(ask.columns or ()) | {ask.timestamp}
    held = [name for name in columns if any(one == name or str(one).startswith(f"{name}.") for one in wanted)]
    return [f"`{name.replace('`', '``')}`" for name in held or columns[:1]]


def _sent(what: object, source: Source) -> bytes:
    """Something as executors are sent it.

    Raises:
        OptionError: it is here, and nowhere else.
    """
    expected = "files or tables that Spark's executors can read; --engine local reads what is here"
    if _is_here(what):
        raise OptionError("source", got=source.name, expected=expected)
    try:
        return pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise OptionError("source", got=source.name, expected=expected) from error


def _is_here(what: object) -> bool:
    """Whether rows are in the memory of this process, or in a temporary file of this machine."""
    if isinstance(what, Where):
        return _is_here(what.source)
    if isinstance(what, Several):
        return any(map(_is_here, what.members))
    return isinstance(what, PandasFrame | Tables | Kept | Once)


def _failed(error: Exception, source: Source) -> WatchkeepError:
    """What a failure of Spark means."""
    said = str(error)
    missing = re.search(r"No module named '([^'.]+)", said)
    raised = re.search(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*(\S.*)", said)
    if missing is not None:
        why = (
            f"its executors lack {missing[1]}: install watchkeep there, name the Python that has it"
            " (spark.pyspark.python), or send an environment along (spark.archives)"
        )
    elif raised is not None:
        why = raised[1]
    elif "Cannot run program" in said or "PYTHON_VERSION_MISMATCH" in said:
        why = f"its executors lack this Python; name theirs by spark.pyspark.python ({sentence(error)})"
    else:
        why = sentence(error)
    return UnreadableSourceError(source.name, why=f"Spark failed: {why}")
