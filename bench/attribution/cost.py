"""A process that is measured: rows explained by the library itself, by the product's model, and by its scan.

They take turns on the same rows, piece by piece, in one process, so that what else the machine does meets all alike.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import watchkeep as wk
from watchkeep.adapters.models.opening import open_model
from watchkeep.frames.batches import Batch
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.measures import attributed
from watchkeep.monitors.attribution.plan import Place
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.attribution.models import Explaining

FEATURES: Final = 30
TREES: Final = 500
NAMES: Final = tuple(f"x{at}" for at in range(FEATURES))
LEARNED: Final = 2_000
TRAINED: Final = 20_000
TURNS: Final = ("native", "model", "scan")
"""The library's own call; `Model.contributions` of the product; its `AttributionScan` over the same rows."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is measured.

    Args:
        library: "lightgbm" or "xgboost".
        depth: of the trees, at most; 0 for the library's own defaults.
        rows: in all.
        piece: rows of one turn.
        turns: who takes turns, of `TURNS`.
        seconds: after which no further piece is begun.
    """

    library: str
    depth: int
    rows: int
    piece: int
    turns: tuple[str, ...] = TURNS
    seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of one turn.

    Args:
        wall: from start to end.
        cpu: of all threads of the process.
    """

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Library:
    """A library, as this benchmark meets it.

    Args:
        suffix: of the files of its models.
        train: (rows, answers, depth, path) writes a model.
        native: (path) opens it; gives what prepares rows, and what explains them.
    """

    suffix: str
    train: Callable[[Doubles, Doubles, int, Path], None]
    native: Callable[[Path], tuple[Callable[[Doubles], Any], Callable[[Any], Doubles]]]


def drawn(rows: int, seed: int) -> Doubles:
    """Normal numbers, shape (rows, features)."""
    return np.random.default_rng([7, seed]).standard_normal((rows, FEATURES))


def answers(matrix: Doubles, seed: int = 0) -> Doubles:
    """What is to be learned: ten features, two of them together, and noise; shape (rows,)."""
    noise = np.random.default_rng([8, seed]).standard_normal(len(matrix))
    found: Doubles = matrix[:, :10] @ np.linspace(2.0, 0.2, 10) + matrix[:, 0] * matrix[:, 1] + noise
    return found


def table_of(matrix: Doubles) -> pa.Table:
    """Rows as the product gets them."""
    return pa.table({name: np.ascontiguousarray(matrix[:, at]) for at, name in enumerate(NAMES)})


def measured(task: Task, folder: Path) -> dict[str, list[Spent]]:
    """Seconds of each turn, by who took it.

    Args:
        task: what.
        folder: where the model is kept.

    Raises:
        ValueError: library and product did not find the same attributions.
    """
    library = LIBRARIES[task.library]
    path = folder / f"{task.library}-{task.depth}-{TREES}{library.suffix}"
    if not path.exists():
        matrix = drawn(TRAINED, 0)
        library.train(matrix, answers(matrix), task.depth, path)
    prepare, explain = library.native(path)
    model = open_model(str(path))
    assert isinstance(model, Explaining)
    made = wk.Attribution(model=model, explained=0).baseline(table_of(drawn(LEARNED, 1)))
    scan = made.learned.in_force(Dialect.DEFAULT).begin(Dialect.DEFAULT)(0)
    total = np.zeros(FEATURES)

    def ready(name: str, matrix: Doubles) -> Callable[[], object]:
        if name == "native":
            return partial(explain, prepare(matrix))
        table = table_of(matrix)
        return partial(model.contributions, table) if name == "model" else partial(scan.add, Batch.of(table))

    spent: dict[str, list[Spent]] = {name: [] for name in task.turns}
    rows, begun = 0, time.perf_counter()
    for number, matrix in enumerate(_pieces(task)):
        if time.perf_counter() - begun > task.seconds:
            break
        rows += len(matrix)
        turns = {name: ready(name, matrix) for name in task.turns}
        order = task.turns if number % 2 == 0 else tuple(reversed(task.turns))
        for name in order:
            told, cost = _timed(turns[name])
            spent[name].append(cost)
            if isinstance(told, np.ndarray):
                total += np.abs(told[:, :FEATURES]).sum(axis=0, dtype=np.float64)
        print(number, {name: each[-1] for name, each in spent.items()}, file=sys.stderr, flush=True)
    profile = scan.profile()
    assert isinstance(made.learned, AttributionLearned)
    found = attributed(made.learned.baseline.plan, profile, Place(0))
    if (
        found is None
        or found.rows != task.rows
        or not np.allclose(found.values, total / task.rows, rtol=1e-6)
    ):
        raise ValueError("the library and the scan did not find the same attributions")
    return spent


def _pieces(task: Task) -> Iterator[Doubles]:
    for number, start in enumerate(range(0, task.rows, task.piece)):
        yield drawn(min(task.piece, task.rows - start), 2 + number)


def _timed(turn: Callable[[], object]) -> tuple[object, Spent]:
    wall, cpu = time.perf_counter(), time.process_time()
    told = turn()
    return told, Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _train_lightgbm(matrix: Doubles, told: Doubles, depth: int, path: Path) -> None:
    import lightgbm

    shape = {"num_leaves": 2**depth, "max_depth": depth} if depth else {}
    data = lightgbm.Dataset(matrix, told, feature_name=list(NAMES))
    lightgbm.train({"objective": "regression", "verbose": -1, **shape}, data, TREES).save_model(str(path))


def _native_lightgbm(path: Path) -> tuple[Callable[[Doubles], Any], Callable[[Any], Doubles]]:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))

    def explain(ready: Any) -> Doubles:
        return np.asarray(booster.predict(ready, pred_contrib=True))

    return lambda matrix: matrix, explain


def _train_xgboost(matrix: Doubles, told: Doubles, depth: int, path: Path) -> None:
    import xgboost

    shape = {"max_depth": depth} if depth else {}
    data = xgboost.DMatrix(matrix, told, feature_names=list(NAMES))
    xgboost.train({"verbosity": 0, **shape}, data, TREES).save_model(str(path))


def _native_xgboost(path: Path) -> tuple[Callable[[Doubles], Any], Callable[[Any], Doubles]]:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(str(path))

    def explain(ready: Any) -> Doubles:
        return np.asarray(booster.predict(ready, pred_contribs=True))

    return lambda matrix: xgboost.DMatrix(matrix, feature_names=list(NAMES)), explain


LIBRARIES: Final = {
    "lightgbm": Library(".txt", _train_lightgbm, _native_lightgbm),
    "xgboost": Library(".json", _train_xgboost, _native_xgboost),
}


def main(words: list[str]) -> None:
    """Measure one task, given as JSON, and print what was spent as JSON."""
    given = json.loads(words[0])
    task = Task(**{**given, "turns": tuple(given["turns"])})
    spent = measured(task, Path(words[1]))
    print(json.dumps({name: [asdict(one) for one in each] for name, each in spent.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
