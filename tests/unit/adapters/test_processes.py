"""Processes that read parts: killed, failing, talkative, or not to be had."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from watchkeep.adapters.processes import FEWEST, Processes
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.service.folding import HERE, Engine, Fold
from watchkeep.service.ports import Ask, Silent, Source


@dataclass(frozen=True)
class Part:
    """A part of one row, and something that happens when it is read."""

    at: int
    does: Callable[["Part"], None] | None = None
    marks: Path | None = None
    name: str = "some parts"

    def schema(self, ask: Ask) -> pa.Schema:
        return pa.schema([("n", pa.int64())])

    def batches(self, ask: Ask) -> Iterator[Batch]:
        if self.does is not None:
            self.does(self)
        yield Batch.of(pa.table({"n": [self.at]}))


@dataclass(frozen=True)
class Parts(Part):
    """All of them as one source."""

    many: int = 12

    def parts(self, ask: Ask) -> list[Source]:
        return [Part(at, self.does, self.marks) for at in range(self.many)]


class Who:
    """Which process read which parts, in their order."""

    def __init__(self) -> None:
        self.read: list[tuple[int, int]] = []

    def add(self, batch: Batch) -> None:
        self.read += [(os.getpid(), n) for n in batch.column("n").to_pylist()]

    def merge(self, *others: "Who") -> "Who":
        for other in others:
            self.read += other.read
        return self


def read(parts: Parts, engine: Engine, make: Callable[[], Any] = Who) -> list[tuple[int, int]]:
    fold = Fold.surveying(make)
    found: list[tuple[int, int]] = engine.fold(parts, Ask(), fold, progress=Silent(), what="Reading").read
    return found


def ended_once(part: Part) -> None:
    assert part.marks is not None
    if part.at == 5 and not part.marks.exists():
        part.marks.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def ended(part: Part) -> None:
    if part.at == 5:
        os.kill(os.getpid(), signal.SIGKILL)


def unreadable(part: Part) -> None:
    if part.at >= 5:
        raise UnreadableSourceError(f"part {part.at}", why="it is broken")


def faulty(part: Part) -> None:
    if part.at == 3:
        raise ZeroDivisionError("one by nothing")


def empty(part: Part) -> None:
    raise EmptySourceError(f"part {part.at}")


def talks(part: Part) -> None:
    print("a library says", part.at, flush=True)  # noqa: T201


def test_parts_are_read_by_others_and_come_in_their_order() -> None:
    found = read(Parts(0), Processes(2))

    assert [n for _, n in found] == list(range(12))
    assert os.getpid() not in {pid for pid, _ in found}


@pytest.mark.parametrize("parts", [Parts(0, many=FEWEST - 1), Parts(0, lambda part: None)])
def test_few_parts_and_those_that_cannot_be_sent_are_read_here(parts: Parts) -> None:
    found = read(parts, Processes(2))

    assert {pid for pid, _ in found} == {os.getpid()}
    assert len(found) == parts.many


def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    found = read(Parts(0, ended_once, tmp_path / "killed"), Processes(2))

    assert (tmp_path / "killed").exists()
    assert [n for _, n in found] == list(range(12))


def test_one_that_is_killed_twice_is_told() -> None:
    with pytest.raises(
        UnreadableSourceError, match=r"some parts: .*part 6 of it was ended twice \(signal 9\)"
    ):
        read(Parts(0, ended), Processes(2))


def test_the_first_error_is_told_as_it_was() -> None:
    for engine in (HERE, Processes(3)):
        with pytest.raises(UnreadableSourceError, match="part 5: it is broken") as error:
            read(Parts(0, unreadable), engine)
        assert (error.value.source, error.value.why) == ("part 5", "it is broken")


def test_a_fault_of_ours_is_told_with_where_it_was() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)faulty.*ZeroDivisionError: one by nothing"):
        read(Parts(0, faulty), Processes(2))


def test_parts_that_are_all_empty_are_an_empty_source() -> None:
    for engine in (HERE, Processes(2)):
        with pytest.raises(EmptySourceError, match="some parts: all its files are empty"):
            read(Parts(0, empty), engine)


def test_what_libraries_print_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    found = read(Parts(0, talks), Processes(2))

    said = capfd.readouterr()
    assert len(found) == 12
    assert not said.out
    assert "a library says 11" in said.err


def test_no_process_is_left() -> None:
    before = children()
    read(Parts(0), Processes(2))
    with pytest.raises(UnreadableSourceError):
        read(Parts(0, unreadable), Processes(2))

    assert children() == before


def children() -> set[int]:
    found = set()
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            found |= {int(path.name)} if parent == os.getpid() else set()
    return found


def test_what_another_process_cannot_load_is_told_as_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a process that reads failed.*nobody can load this"):
        read(Parts(0, marks=Unloadable()), Processes(2))  # type: ignore[arg-type] # whatever it is, it travels


class Unloadable:
    """Can be sent, and not be received."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return fails, ("nobody can load this",)


def fails(why: str) -> None:
    raise ValueError(why)
