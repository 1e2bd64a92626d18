"""Whole processes, measured: wall, CPU and peak memory of commands that take turns.

The kernel counts what a child needed (`wait4`): user and system seconds of the process and of those it
waited for, and the greatest resident set of any one of them. A child starts as a copy of this process, and
the kernel counts that too, so this module and all it imports stay small: no numerics here.
"""

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The repository: what `python -m bench...` is started from."""

_UNCOMPILED: Final = "PYTHONDONTWRITEBYTECODE"  # with it every start compiles our modules anew
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes


class CommandError(Exception):
    """A command did not do what it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of one command needed.

    Args:
        wall: seconds from start to end.
        cpu: user and system seconds.
        peak: resident memory at its greatest, bytes.
        output: the end of what it printed.
    """

    wall: float
    cpu: float
    peak: int
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command to measure.

    Args:
        name: what the tables call it.
        command: its words; `{out}` stands for a path that does not exist yet and is removed afterwards.
        start: the job that is this one's start-up, if it is known.
        side: what it reads, so which decode it is compared with: "current", "reference", "both" or "csv".
        good: exit codes that mean success. With another code than 0 a traceback is a failure all the same:
            Python's own code for that is 1, which Watchkeep says when it found violations.
        writes: what must be there when it is done, relative to `{out}`; "" for `{out}` itself.
        at_most: rounds it takes part in, for commands that take minutes; None for all.
        limit: seconds after which it is ended.
        environment: variables to set; None to inherit ours as they are.
    """

    name: str
    command: tuple[str, ...]
    start: str | None = None
    side: str = "current"
    good: frozenset[int] = frozenset({0})
    writes: str | None = None
    at_most: int | None = None
    limit: float = 600.0
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """All runs of one job, in order; or why there are none.

    >>> samples = Samples((Cost(2.0, 1.0, 10), Cost(8.0, 3.0, 30), Cost(3.0, 1.5, 20)))
    >>> samples.wall, samples.cpu, samples.peak
    (3.0, 1.5, 30)
    """

    costs: tuple[Cost, ...] = ()
    why: str | None = None

    @property
    def wall(self) -> float:
        """Median seconds."""
        return statistics.median(cost.wall for cost in self.costs)

    @property
    def cpu(self) -> float:
        """Median CPU seconds."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def least(self) -> float:
        """The least CPU seconds: what else a machine does only adds to them."""
        return min(cost.cpu for cost in self.costs)

    @property
    def peak(self) -> int:
        """Bytes of the worst run: a limit of memory that is kept half of the time is not kept."""
        return max(cost.peak for cost in self.costs)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as much.

    Args:
        least: of the least that either took: what else a machine does only adds to them.
        median, low, high: the median over the rounds, and the smallest and greatest of them.
    """

    least: float
    median: float
    low: float
    high: float


def ratio(
    top: Samples, bottom: Samples, *, top_start: float = 0.0, bottom_start: float = 0.0
) -> Ratio | None:
    """CPU of one job over CPU of another, each less its start-up: of the least of all rounds, and round by round.

    Args:
        top: the job that is judged.
        bottom: the job it is compared with.
        top_start: CPU seconds of the first job's start-up.
        bottom_start: CPU seconds of the second one's.

    Returns:
        None when either has no runs, or when nothing is left of the second one without its start-up.

    >>> ratio(Samples((Cost(0, 5.0, 0), Cost(0, 7.0, 0))), Samples((Cost(0, 2.0, 0),) * 2), top_start=1.0)
    Ratio(least=2.0, median=2.5, low=2.0, high=3.0)
    """
    pairs = list(zip(top.costs, bottom.costs, strict=False))  # a slow job sits out the later rounds
    rounds = [
        (over.cpu - top_start) / (under.cpu - bottom_start)
        for over, under in pairs
        if under.cpu > bottom_start
    ]
    if not rounds or bottom.least <= bottom_start:
        return None
    least = (top.least - top_start) / (bottom.least - bottom_start)
    return Ratio(least, statistics.median(rounds), min(rounds), max(rounds))


def run(job: Job, *, scratch: Path) -> Cost:
    """Run a job once.

    Raises:
        CommandError: it cannot be started, takes too long or ends with another code than it may.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        out, said = Path(folder, "out"), Path(folder, "said")
        words = [word.replace("{out}", str(out)) for word in job.command]
        environment = {name: value for name, value in os.environ.items() if name != _UNCOMPILED}
        environment |= job.environment or {}
        with said.open("wb") as stream:
            begin = time.perf_counter()
            try:
                child = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    cwd=ROOT,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise CommandError(f"{words[0]} cannot be started: {error.strerror}") from error
            ended_by_us, usage = _wait(child, job.limit)
            wall = time.perf_counter() - begin
        output = said.read_text(errors="replace")[-20_000:]
        written = job.writes is None or (out / job.writes).exists()
    if ended_by_us:
        raise CommandError(f"ended after {job.limit:.0f} s")
    if child.returncode not in job.good or (child.returncode and "Traceback (most recent" in output):
        last = output.strip().splitlines()[-1:] or ["and printed nothing"]
        raise CommandError(f"exit code {child.returncode}: {last[0][:160]}")
    if not written:
        raise CommandError(f"it did not write {job.writes or 'its output'}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT, output)


def alternate(jobs: Sequence[Job], *, rounds: int, scratch: Path) -> dict[str, Samples]:
    """Run every job once a round, in turns, so that what the machine does meanwhile meets all of them alike.

    Every second round goes backwards. A job that fails is not run again. Nothing is dropped.

    Returns:
        The runs of each job, by its name.
    """
    costs: dict[str, list[Cost]] = {job.name: [] for job in jobs}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for job in jobs if number % 2 == 0 else reversed(jobs):
            if job.name in failed or (job.at_most is not None and number >= job.at_most):
                continue
            try:
                costs[job.name].append(run(job, scratch=scratch))
            except CommandError as error:
                failed[job.name] = str(error)
    return {
        name: Samples(why=failed[name]) if name in failed else Samples(tuple(runs))
        for name, runs in costs.items()
    }


def _wait(child: "subprocess.Popen[bytes]", limit: float) -> tuple[bool, "resource.struct_rusage"]:
    """Wait for a child, ending it and the processes it started when time is up."""
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(child.pid, signal.SIGKILL)  # its own session, so its own group

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:  # an interrupt: leave nothing behind
        os.killpg(child.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)  # Popen did not wait itself
    return late.is_set(), usage
