"""Waiting for a cluster's executors, and the settings of a session that is there, without Spark."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from watchkeep.adapters.spark.patience import USUAL, Waiting, patience_of
from watchkeep.adapters.spark.session import require_same
from watchkeep.core.errors import OptionError, UnreadableSourceError


class Context:
    """What is asked of a Spark context.

    Args:
        counts: how many executors there are, each time that somebody looks; the last number stays.
    """

    master = "spark://host:7077"

    def __init__(self, counts: Sequence[int], **settings: str) -> None:
        self._counts: Iterator[int] = chain(counts, repeat(counts[-1]))
        self.settings = {f"spark.executor.{name}": value for name, value in settings.items()}
        self.tags: list[str] = []
        self.looked = 0
        self.enough = Event()
        self.cancelled = Event()

    @property
    def _jsc(self) -> Any:
        return SimpleNamespace(sc=lambda: SimpleNamespace(statusTracker=lambda: self))

    def getExecutorInfos(self) -> Iterable[int]:  # noqa: N802 (as Spark spells it)
        self.looked += 1
        if self.looked >= 8:
            self.enough.set()
        return [0] * (next(self._counts) + 1)

    def getConf(self) -> Any:  # noqa: N802
        return SimpleNamespace(getAll=lambda: list(self.settings.items()), get=self.settings.get)

    def addJobTag(self, tag: str) -> None:  # noqa: N802
        self.tags.append(tag)

    def removeJobTag(self, tag: str) -> None:  # noqa: N802
        self.tags.remove(tag)

    def cancelJobsWithTag(self, tag: str) -> None:  # noqa: N802
        assert tag in self.tags
        self.cancelled.set()


def waiting(context: Context, notes: list[str], patience: float) -> Waiting:
    session = SimpleNamespace(sparkContext=context)
    return Waiting(session, notes.append, patience, soon=0.003, step=0.001)


def test_who_gets_no_executor_is_told_and_called_off() -> None:
    context, notes = Context([0], memory="10g", cores="4"), list[str]()

    def cancelled() -> None:
        with waiting(context, notes, 0.006)():
            assert context.cancelled.wait(60)
            raise RuntimeError("the job was cancelled")

    with pytest.raises(UnreadableSourceError) as raised:
        cancelled()
    asked = "spark.executor.memory=10g, spark.executor.cores=4"
    need = f"no worker of spark://host:7077 has free what an executor asks for ({asked})"
    assert notes == [f"Spark has given no executor for 0.003 seconds: {need}"]
    assert str(raised.value).startswith("Spark: no executor came within 0.006 seconds: ")
    assert asked in str(raised.value)
    assert str(raised.value).endswith("wait longer (spark.watchkeep.patience, in seconds; 0 for ever)")
    assert context.tags == []


def test_executors_that_come_end_the_wait_and_who_waits_for_ever_is_told_once() -> None:
    came, never, notes = Context([0, 0, 1]), Context([0]), list[str]()

    with waiting(came, notes, 0.006)():
        assert came.enough.wait(60)
    assert notes == []
    with waiting(never, notes, 0)():
        assert never.enough.wait(60)
    assert len(notes) == 1
    assert not came.cancelled.is_set()
    assert not never.cancelled.is_set()


def test_a_failure_of_another_kind_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="a task failed"), waiting(Context([1]), [], 60)():
        raise RuntimeError("a task failed")


@pytest.mark.parametrize("session", [SimpleNamespace(), SimpleNamespace(sparkContext=None)])
def test_of_spark_connect_nobody_can_tell(session: Any) -> None:
    with Waiting(session, pytest.fail)():
        pass


def test_on_this_machine_alone_there_is_nothing_to_wait_for() -> None:
    context = Context([0])
    context.master = "local[4]"

    with waiting(context, [], 0.001)():
        pass

    assert context.looked == 0


@pytest.mark.parametrize("told", ["soon", "-1", "nan", "inf"])
def test_a_patience_is_a_number_of_seconds(told: str) -> None:
    with pytest.raises(OptionError, match=f"spark.watchkeep.patience={told}"):
        patience_of({"spark.watchkeep.patience": told})


def test_a_session_may_know_how_long_to_wait() -> None:
    session = SimpleNamespace(conf=SimpleNamespace(get=lambda _, default: default or "30"))

    assert patience_of({}, session) == 30.0
    assert patience_of({"spark.watchkeep.patience": "0"}, session) == 0.0
    assert patience_of({}, SimpleNamespace()) == USUAL


def test_a_session_that_is_there_is_not_taken_for_another() -> None:
    session = SimpleNamespace(sparkContext=Context([1], memory="1g"))
    require_same(session, {"spark.executor.memory": "1g", "spark.sql.shuffle.partitions": "4"})
    require_same(SimpleNamespace(), {"spark.master": "spark://a:1"})  # of Spark Connect

    with pytest.raises(
        OptionError, match=r"got 'spark.executor.memory=2g', expected .* which has spark.executor.memory=1g"
    ):
        require_same(session, {"spark.executor.memory": "2g"})
    with pytest.raises(
        OptionError, match=r"got 'spark.master=spark://a:1', expected .* which has no such setting"
    ):
        require_same(session, {"spark.master": "spark://a:1"})
