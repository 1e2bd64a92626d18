"""What was measured, as values: rows, floors, and the document for later comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.machine import Machine
from bench.measure import Cost, Job, Ratio, Samples, ratio
from bench.plan import DECODES

STARTS: Final = "start of "
"""How the names of jobs begin that only measure a start-up."""

LEAST_FLOOR: Final = 0.1
"""CPU seconds: a decode that takes less drowns in the noise of start-ups, and nothing is compared with it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One command at one size.

    Args:
        rows: of the file, or of each of the two files; 0 when the command reads none.
        name: of the job.
        wall: median seconds of the whole process.
        cpu: median CPU seconds of the whole process.
        start: the least CPU seconds of its start-up, if known.
        peak: bytes at the worst.
        times: CPU without start-up over the CPU of only decoding the same columns.
        runs: CPU seconds of each run.
        why: why there are no figures.
    """

    rows: int
    name: str
    wall: float | None = None
    cpu: float | None = None
    start: float | None = None
    peak: int | None = None
    times: Ratio | None = None
    runs: tuple[float, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything one run of the benchmark found.

    Args:
        date: when, ISO 8601, UTC.
        machine: where.
        rounds: how many were asked for; each row says how many runs it had.
        rows: one per command and size.
        facts: figures that are not of a command's whole process, by name: bytes, seconds.
        peers: name of a peer to its version, or to why it is not there.
    """

    date: str
    machine: Machine
    rounds: int
    rows: tuple[Row, ...]
    facts: Mapping[str, float]
    peers: Mapping[str, str]

    def find(self, name: str, rows: int) -> Row | None:
        """The figures of a command at a size, if it has any."""
        for row in self.rows:
            if (row.name, row.rows) == (name, rows) and row.why is None:
                return row
        return None

    def document(self) -> dict[str, object]:
        """The form it takes in JSON."""
        return asdict(self)


def rows_of(jobs: Sequence[Job], samples: Mapping[str, Samples], rows: int) -> list[Row]:
    """The figures of all jobs of one size, each compared with the cheapest decode of what it reads.

    Args:
        jobs: what was run.
        samples: their runs, by name.
        rows: the size.
    """
    start = samples.get(f"{STARTS}decode", Samples())
    start_cpu = start.least if start.costs else 0.0
    return [_row(job, samples, rows, start_cpu) for job in jobs]


def floor(samples: Mapping[str, Samples], side: str) -> Samples:
    """The runs of the cheapest way to decode; for "both", of the two files together.

    Args:
        samples: all runs of a size, by job.
        side: "current", "reference", "both" or "csv".

    Returns:
        Samples without costs when no decode was measured.
    """
    if side == "both":
        pairs = zip(floor(samples, "reference").costs, floor(samples, "current").costs, strict=False)
        return Samples(tuple(Cost(a.wall + b.wall, a.cpu + b.cpu, max(a.peak, b.peak)) for a, b in pairs))
    ways = ("decode_csv",) if side == "csv" else DECODES
    found = [samples[name] for way in ways if (name := f"{way} {side}") in samples and samples[name].costs]
    return min(found, key=lambda each: each.least, default=Samples())


def _row(job: Job, samples: Mapping[str, Samples], rows: int, decode_start: float) -> Row:
    own = samples[job.name]
    if not own.costs:
        return Row(rows, job.name, why=own.why or "not run")
    start = samples.get(job.start) if job.start else None
    times = None
    if start is not None and start.costs:
        least = floor(samples, job.side)
        least_start = decode_start * (2 if job.side == "both" else 1)
        if least.costs and least.least - least_start >= LEAST_FLOOR:
            times = ratio(own, least, top_start=start.least, bottom_start=least_start)
    return Row(
        rows,
        job.name,
        wall=own.wall,
        cpu=own.cpu,
        start=start.least if start and start.costs else None,
        peak=own.peak,
        times=times,
        runs=tuple(round(cost.cpu, 4) for cost in own.costs),
    )
