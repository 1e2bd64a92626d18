"""The cases, who takes which setup, and what came of them."""

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from bench.causes import ways
from bench.causes.plants import KINDS, Plant, Rows, plant
from bench.causes.relations import partners
from bench.causes.tables import TABLES, WINDOW, Setup, arrow, setup, whole

_KEPT: Final = 5
_PROBED: Final = 20_000
_QUIET: Final = 25
"""Setups of a table, at the most, that have windows without a plant."""
_EACH: Final = 10
"""Windows without a plant, at the most, that share a baseline."""
_BY_NAME: Final = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with one setup.

    Args:
        table: a key of `TABLES`.
        number: the setup's seed.
        kinds: those planted in it, each once.
        quiet: how many windows of it are left as they are.
    """

    table: str
    number: int
    kinds: tuple[str, ...]
    quiet: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way told of one window.

    Args:
        place: that of the broken column among the columns that are told, from 1; None when it is not told.
        pattern: the bug that is named of it; "" when none is.
        causes: how many subjects are told.
        bugs: of how many a bug is named.
        others: of how many that are not the broken column.
        told: the first five, with their bugs.
    """

    place: int | None
    pattern: str
    causes: int
    bugs: int
    others: int
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One window.

    Args:
        kind: what was planted; "" in a window that was left as it is.
        table, number: its setup.
        columns: those of which any is rightly told.
        altered: the share of rows that the plant altered.
        answers: by way.
        peers: the broken column's place, by plain ranking.
    """

    kind: str
    table: str
    number: int
    columns: tuple[str, ...]
    altered: float
    answers: dict[str, Answer]
    peers: dict[str, int]


def jobs(folder: Path, *, seeds: int, quiet: int, kinds: Sequence[str]) -> list[Job]:
    """All that there is to do, the longest first.

    Each kind is planted `seeds` times, in the tables that have a column for it in turn. The windows that are left as
    they are come from all tables, and no two of a setup share a row.

    Args:
        folder: downloads.
        seeds: cases of each kind.
        quiet: windows without a plant.
        kinds: names.

    Raises:
        CommandError: a table cannot be had.
    """
    planned: dict[tuple[str, int], list[str]] = {}
    befallen = {name: _kinds_of(name, folder) for name in TABLES}
    for kind in kinds:
        tables = [name for name in TABLES if kind in befallen[name]]
        for seed in range(seeds):
            at = (tables[seed % len(tables)], seed // len(tables))
            planned.setdefault(at, []).append(kind)
    windows = _left_alone(folder, quiet)
    every = {*planned, *windows}
    found = [Job(*at, tuple(planned.get(at, ())), windows.get(at, 0)) for at in every]
    return sorted(found, key=lambda job: (-len(job.kinds) - job.quiet, job.table, job.number))


def _left_alone(folder: Path, quiet: int) -> dict[tuple[str, int], int]:
    """How many windows of each setup are left as they are: as many of each table, as far as its rows reach."""
    fit = {name: min(_EACH, len(setup(name, 0, folder).rest) // WINDOW) for name in TABLES}
    windows: dict[tuple[str, int], int] = {}
    for at, name in enumerate(sorted(fit, key=lambda name: fit[name])):
        share = -(-(quiet - sum(windows.values())) // (len(fit) - at))
        for number in range(min(_QUIET, -(-share // fit[name]))):
            windows[name, number] = min(fit[name], share - number * fit[name])
    return windows


def outcomes(todo: Sequence[Job], folder: Path, *, processes: int) -> Iterator[list[Outcome]]:
    """What comes of each job, in their order; each process has one thread."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(done, todo, [folder] * len(todo))


def done(job: Job, folder: Path) -> list[Outcome]:
    """All windows of one setup."""
    cut = setup(job.table, job.number, folder)
    hangs = partners(cut.reference)
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-causes-") as scratch:
        judges = ways.Judges.learn(cut, Path(scratch))
        for at in range(job.quiet):
            window = cut.rest[at * WINDOW : (at + 1) * WINDOW].reset_index(drop=True)
            found.append(_outcome(judges, cut, "", Plant(window, (), 0.0)))
        for kind in job.kinds:
            planted = _planted(cut, kind, hangs)
            assert planted is not None, f"{job.table} has no column for {kind}"
            found.append(_outcome(judges, cut, kind, planted))
    return found


def _planted(cut: Setup, kind: str, hangs: dict[str, int]) -> Plant | None:
    # A case's chance is its own: it does not hang on which other kinds are measured.
    seed = (list(TABLES).index(cut.table), cut.number, list(_BY_NAME).index(kind), 1)
    rng = np.random.default_rng(seed)
    window = cut.rest.take(rng.permutation(len(cut.rest))[:WINDOW]).reset_index(drop=True)
    return plant(_BY_NAME[kind], Rows(window, cut.reference, hangs, rng))


def _kinds_of(name: str, folder: Path) -> set[str]:
    """The kinds that can befall a column of a table, tried on some of its rows."""
    rows = whole(name, folder)[:_PROBED].drop(columns="label")
    window, hangs = rows[:WINDOW], partners(rows)
    return {kind.name for kind in KINDS if plant(kind, Rows(window, rows, hangs, np.random.default_rng(0)))}


def _outcome(judges: ways.Judges, cut: Setup, kind: str, planted: Plant) -> Outcome:
    rows, features = arrow(planted.window), set(planted.window.columns)
    answers = {}
    try:
        for way in ways.available():
            answers[way] = _answer(ways.ranked(way, judges, rows), planted.columns, features)
        peers = {
            name: _place(rank(judges, planted.window), planted.columns) or 0
            for name, rank in ways.PEERS.items()
            if kind
        }
    except Exception as error:
        error.add_note(f"{kind or 'no plant'} in {planted.columns} of {cut.table}, setup {cut.number}")
        raise
    return Outcome(kind, cut.table, cut.number, planted.columns, planted.altered, answers, peers)


def _answer(told: ways.Told, columns: Sequence[str], features: Collection[str]) -> Answer:
    # The data set as a whole is no column: it is no answer to "which one?", neither a right one nor a wrong one.
    named = [(subject, pattern) for subject, pattern in told if subject in features]
    return Answer(
        place=_place([subject for subject, _ in named], columns),
        pattern=next((pattern for subject, pattern in named if subject in columns), ""),
        causes=len(told),
        bugs=sum(bool(pattern) for _, pattern in told),
        others=sum(bool(pattern) and subject not in columns for subject, pattern in told),
        told=tuple(told[:_KEPT]),
    )


def _place(ranking: Sequence[str], columns: Sequence[str]) -> int | None:
    return next((at for at, name in enumerate(ranking, start=1) if name in columns), None)
