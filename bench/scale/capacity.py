"""A million requests a second on paper, and a simulation that backs it: what a cluster of so many cores would do.

Nothing here is measured: it reckons with constants that were (see `bench.scale.constants`), on made-up traffic.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

PART: Final = 128 * 1024 * 1024
"""Bytes of a part, as files are cut."""
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Constants:
    """What was measured, in CPU seconds of one core.

    Args:
        row: of a row, all monitors together.
        task: of starting a task that folds a part.
        merge: of merging what one part gave.
        judge: of judging a window, all monitors together.
        bytes_per_row: of the captured rows.
        state_bytes: of one window's states.
    """

    row: float
    task: float
    merge: float
    judge: float
    bytes_per_row: float
    state_bytes: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who asks for how much.

    Args:
        requests: a second, over all endpoints.
        endpoints: with one hourly window each.
        skew: how much more the first are asked than the last: traffic goes as rank to the power of -skew.
        rows: of a request.
        jitter: standard deviation of the logarithm of how long a task takes, beside what its rows explain.
        failing: the share of tasks that fail once and are tried again.
    """

    requests: float = 1_000_000
    endpoints: int = 100_000
    skew: float = 1.1
    rows: float = 1.0
    jitter: float = 0.25
    failing: float = 0.01

    def shares(self) -> list[float]:
        """The share of the requests of each endpoint."""
        weights = [rank**-self.skew for rank in range(1, self.endpoints + 1)]
        total = sum(weights)
        return [weight / total for weight in weights]


@dataclass(frozen=True, slots=True)
class Hour:
    """What became of one hour's windows.

    Args:
        cores: that worked.
        busy: core-seconds of work.
        half, most, last: seconds after the hour when half, 99 in 100, and all of the windows were judged.
        tasks: that were run.
    """

    cores: int
    busy: float
    half: float
    most: float
    last: float
    tasks: int


def demand(constants: Constants, traffic: Traffic) -> dict[str, float]:
    """What an hour takes, by reckoning: core-seconds, and bytes."""
    rows = traffic.requests * traffic.rows * HOUR
    shares = traffic.shares()
    parts = sum(_parts(rows * share, constants) for share in shares)
    return {
        "rows": rows,
        "bytes": rows * constants.bytes_per_row,
        "parts": float(parts),
        "fold": rows * constants.row,
        "tasks": parts * constants.task,
        "merge": parts * constants.merge,
        "judge": traffic.endpoints * constants.judge,
        "states": traffic.endpoints * constants.state_bytes,
    }


def simulate(constants: Constants, traffic: Traffic, cores: int, *, seed: int = 1) -> Hour:
    """One hour's windows, worked off by so many cores, largest endpoints first.

    Tasks are started as cores become free; the task that judges a window starts when its last part is folded.

    Args:
        constants: what work takes.
        traffic: what there is to do.
        cores: that do it.
        seed: of the chance in it.
    """
    chance = random.Random(seed)
    rows = traffic.requests * traffic.rows * HOUR
    free = [0.0] * cores
    heapq.heapify(free)
    waiting: list[tuple[float, int]] = []  # windows whose parts are folded, by when
    judged: list[float] = []
    busy, tasks = 0.0, 0

    def run(ready: float, length: float) -> float:
        nonlocal busy, tasks
        start = max(ready, heapq.heappop(free))
        length *= chance.lognormvariate(0.0, traffic.jitter)
        if chance.random() < traffic.failing:
            length *= 2  # it failed at its end, and was run again
        heapq.heappush(free, start + length)
        busy, tasks = busy + length, tasks + 1
        return start + length

    for place, share in enumerate(traffic.shares()):
        parts = _parts(rows * share, constants)
        folded = 0.0
        for size in _sizes(rows * share, parts):
            folded = max(folded, run(0.0, constants.task + size * constants.row))
        heapq.heappush(waiting, (folded, place))
        while waiting and waiting[0][0] <= free[0]:
            ready, _ = heapq.heappop(waiting)
            judged.append(run(ready, constants.merge + constants.judge))
    while waiting:
        ready, _ = heapq.heappop(waiting)
        judged.append(run(ready, constants.merge + constants.judge))
    judged.sort()
    return Hour(
        cores, busy, judged[len(judged) // 2], judged[ceil(0.99 * len(judged)) - 1], judged[-1], tasks
    )


def _parts(rows: float, constants: Constants) -> int:
    return max(1, ceil(rows * constants.bytes_per_row / PART))


def _sizes(rows: float, parts: int) -> Iterator[float]:
    return (rows / parts for _ in range(parts))
