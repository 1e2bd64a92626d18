"""One machine: cost by rows, by columns, by monitors, and with one process or two."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from bench.measure import Cost, Job, run

WATCHKEEP = (sys.executable, "-m", "watchkeep")


@dataclass(frozen=True, slots=True)
class Point:
    """What a size took.

    Args:
        size: rows, columns or monitors.
        cpu: the least CPU seconds of all rounds, start-up apart.
        wall: the least seconds.
        peak: bytes.
    """

    size: float
    cpu: float
    wall: float
    peak: int


def exponent(points: Sequence[Point]) -> float:
    """How cost grows: the slope of its logarithm over that of the size, by least squares.

    >>> round(exponent([Point(10, 1.0, 0, 0), Point(100, 10.0, 0, 0), Point(1000, 100.0, 0, 0)]), 6)
    1.0
    """
    xs, ys = [log(one.size) for one in points], [log(max(one.cpu, 1e-9)) for one in points]
    mean, level = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean) * (y - level) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - mean) ** 2 for x in xs
    )


def some(folder: Path, files: int) -> Path:
    """A folder with the first so many files of another."""
    held = folder.parent / f"{folder.name}-{files}"
    held.mkdir(exist_ok=True)
    for path in sorted(folder.glob("part-*.parquet"))[:files]:
        link = held / path.name
        if not link.exists():
            link.hardlink_to(path)
    return held


def checked(
    known: Path,
    source: Path,
    *,
    threads: int,
    scratch: Path,
    rounds: int,
    cold: bool = False,
    extra: Sequence[str] = (),
) -> list[Cost]:
    """Costs of `watchkeep check`, round by round; `cold`: of files that are on the disk alone."""
    command = (*WATCHKEEP, "check", str(known), str(source), "--out", "{out}", "--json")
    job = Job(
        name=source.name,
        command=(*command, "--threads", str(threads), *extra),
        good=frozenset({0, 1}),
        writes="report.json",
        limit=3600.0,
    )
    costs = []
    for _ in range(rounds):
        if cold:
            forgotten(source)
        costs.append(run(job, scratch=scratch))
    return costs


def forgotten(folder: Path) -> None:
    """Have the kernel's cache forget the files of a folder."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def learned(kind: str, source: Path, out: Path, *roles: str) -> Path:
    """A baseline."""
    if not out.exists():
        run(
            Job(name=kind, command=(*WATCHKEEP, "baseline", kind, str(source), "--out", str(out), *roles)),
            scratch=out.parent,
        )
    return out


def point(size: float, costs: Sequence[Cost], start: float) -> Point:
    """What a size took, start-up apart."""
    return Point(
        size,
        min(cost.cpu for cost in costs) - start,
        min(cost.wall for cost in costs),
        max(cost.peak for cost in costs),
    )
