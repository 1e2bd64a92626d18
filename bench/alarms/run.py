"""A cell, run: streams are drawn, tools look at them, and what they say is summed up."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pyarrow as pa

from bench.alarms import data, peers, streams
from bench.alarms.cells import OURS, Cell
from bench.alarms.keep import Kept, source
from bench.alarms.measure import Found, Quiet
from bench.alarms.readings import TOOLS, Group, Reading, Readings
from bench.alarms.rules import Rules
from bench.alarms.streams import BEFORE, Look
from bench.alarms.tools import Watchkeep
from bench.measure import CommandError

GROUPS: dict[str, Callable[[], Group]] = {"rules": Rules, "watchkeep": Watchkeep}
CHANGED_SEEDS = 1_000_000
"""Seeds of changed streams start here: no baseline of theirs is one that the limits were matched on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are.

    Args:
        data: downloads and tables.
        pythons: interpreters of peers, by group.
        scratch: a folder for what peers read and write.
        limit: seconds that a peer may take for the streams of one baseline.
    """

    data: Path
    pythons: dict[str, Path]
    scratch: Path
    limit: float


Told = list[list[Readings]]
"""Readings of the windows of several streams of one baseline."""


def run(cell: Cell, place: Place, *, workers: int, progress: Callable[[int], None]) -> Kept:
    """Run a cell.

    Args:
        cell: which.
        place: where things are.
        workers: processes.
        progress: is told how many baselines are done.
    """
    begin = time.perf_counter()
    ours = source() if cell.group == "watchkeep" else ""
    quiet: dict[str, list[Quiet]] = {}
    found: dict[str, list[Found]] = {}
    why = ""
    try:
        data.load(cell.table, place.data)  # once, before there are several who would
        for done, each in enumerate(_spread(cell, place, workers), start=1):
            for tool, streams_of in each[0].items():
                quiet.setdefault(tool, []).extend(streams_of)
            for tool, changes_of in each[1].items():
                found.setdefault(tool, []).extend(changes_of)
            progress(done)
    except CommandError as error:
        quiet, found, why = {}, {}, str(error)
    return Kept(cell, time.perf_counter() - begin, ours, quiet, found, why)


Summed = tuple[dict[str, list[Quiet]], dict[str, list[Found]]]


def _spread(cell: Cell, place: Place, workers: int) -> Iterator[Summed]:
    if workers == 1:
        yield from (_one(cell, place, seed) for seed in range(cell.streams))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_alone) as pool:
        tasks = [pool.submit(_one, cell, place, seed) for seed in range(cell.streams)]
        try:
            yield from (task.result() for task in tasks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _alone() -> None:
    """Workers do not fight for cores: one thread each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    pa.set_cpu_count(1)


def _one(cell: Cell, place: Place, seed: int) -> Summed:
    """All streams of one baseline."""
    if cell.part == "changed":
        return {}, _changed(cell, place, seed + CHANGED_SEEDS)
    if cell.part == "exchanged":
        reference, windows = _exchanged(cell, place, seed)
    else:
        table = _table(cell.table, place.data)
        reference = streams.baseline(table, cell.table, seed, rows=cell.baseline)
        windows = streams.unchanged(table, cell.table, seed, rows=cell.rows, windows=cell.windows)
    (readings,) = _read(cell, place, reference, [windows], of=cell.windows)
    return {tool: [Quiet.of(own, TOOLS[tool].limit)] for tool, own in _by_tool(readings)}, {}


def _exchanged(cell: Cell, place: Place, seed: int) -> tuple[pd.DataFrame, Iterator[Look]]:
    """A series with its blocks exchanged: the first year at most is the baseline, and as many windows follow."""
    days = data.RECIPES[cell.table].block
    series = streams.exchanged(_table(cell.table, place.data), cell.table, seed, days=days)
    every = list(streams.in_blocks(series, days=days))
    known = min(365, len(every) - cell.windows)
    reference = pd.concat([look.rows for look in every[:known]], ignore_index=True)
    return reference, iter(every[known : known + cell.windows])


def _changed(cell: Cell, place: Place, seed: int) -> dict[str, list[Found]]:
    table, label = _table(cell.table, place.data), data.RECIPES[cell.table].label
    reference = streams.baseline(table, cell.table, seed, rows=cell.baseline)
    drawn = list(streams.changes(reference, cell.table, seed, label))
    windows = [
        streams.changed(table, cell.table, seed, rows=cell.rows, change=change, reference=reference)
        for _, _, change in drawn
    ]
    out: dict[str, list[Found]] = {}
    told = _read(cell, place, reference, windows, of=len(windows) * streams.AFTER)
    for (kind, strength, change), readings in zip(drawn, told, strict=True):
        for tool, own in _by_tool(readings):
            out.setdefault(tool, []).append(Found.of(kind, strength, change.columns, own))
    return out


def _read(
    cell: Cell, place: Place, reference: pd.DataFrame, windows: list[Iterator[Look]], *, of: int
) -> Iterator[list[Readings]]:
    """What the tools say of the windows of each stream; of changed ones, from the change on."""
    skipped = BEFORE if cell.part == "changed" else 0
    if cell.group in OURS:
        learner = GROUPS[cell.group]().fit(reference, series=cell.part == "exchanged")
        for stream in windows:
            observer = learner.start()
            yield [observer.look(window) for window in stream][skipped:]
        return
    # Peers remember no window, so they need not see those before the change.
    each = of // len(windows)
    rows = (look.rows for stream in windows for look in islice(stream, skipped, None))
    told = peers.ask(cell.group, place.pythons, reference, rows, scratch=place.scratch, limit=place.limit)
    for begin in range(0, of, each):
        yield told[begin : begin + each]


def _by_tool(readings: list[Readings]) -> Iterator[tuple[str, list[Reading]]]:
    for tool in readings[0]:
        yield tool, [each[tool] for each in readings]


@cache
def _table(name: str, folder: Path) -> pd.DataFrame:
    return data.load(name, folder)
