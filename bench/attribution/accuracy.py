"""Whether contributions add up to scores, and whether what sampling states of its error is true."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression

from bench.attribution.budget import NAMES as FEW
from bench.attribution.budget import people, score
from bench.attribution.cost import LIBRARIES, NAMES, TRAINED, TREES, answers, drawn, table_of
from watchkeep.adapters.models.opening import open_model
from watchkeep.service.attribution.explainers import method_of
from watchkeep.service.attribution.explaining import Sampled, SampledOptions
from watchkeep.service.attribution.models import Doubles
from watchkeep.stats.shapley import Method

ROWS: Final = 2_000
DRAWS: Final = 100
"""Seeds of coalitions."""
SAMPLED_ROWS: Final = 20
BACKGROUND: Final = 12
SAMPLES: Final[Mapping[Method, tuple[int, ...]]] = {"permutation": (80, 160, 320), "kernel": (80, 160, 320)}
_FITTED: Final = 5_000


@dataclass(frozen=True, slots=True)
class Added:
    """How well the contributions of a model add up.

    Args:
        model: what it is.
        method: how the product explained it, in its words.
        rows: explained.
        apart: the largest |sum of contributions + expected - score|.
        scores: the largest |the product's score - the library's own|.
        largest: the largest |score|.
        single: whether the library reckons in single precision.
    """

    model: str
    method: str
    rows: int
    apart: float
    scores: float
    largest: float
    single: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """What sampling states of its error beside its error.

    Args:
        method: how coalitions were chosen.
        samples: of each row, at the most; of 1,022 in all.
        values: how many were looked at.
        error: the root of the mean squared distance to the truth.
        stated: the same mean of the standard errors it states.
        within: share of the values at most two stated standard errors from the truth.
        size: the mean size of a true contribution.
        apart: the largest |sum of contributions + expected - score|.
    """

    method: str
    samples: int
    values: int
    error: float
    stated: float
    within: float
    size: float
    apart: float


class Curve:
    """The curved score of ten features, as a model; see `watchkeep.service.attribution.models.Model`."""

    name, kind, features, labels = "a curve", "a function", FEW, ("label0",)

    def scores(self, rows: pa.Table) -> Doubles:
        return score(_matrix(rows))[:, None]


@dataclass(frozen=True)
class Case:
    """A model, and its scores by its own library.

    Args:
        says: what the page calls it.
        path: its file.
        own: (matrix) to scores on the scale that is explained, shape (rows,).
        single: see `Added`.
    """

    says: str
    path: Path
    own: Callable[[Doubles], npt.NDArray[Any]]
    single: bool = False

    @cached_property
    def added(self) -> Added:
        """Measured through the file, as the product opens it."""
        matrix = drawn(ROWS, 3)
        model = open_model(str(self.path), trust=True, features=NAMES)
        method = method_of(model, table_of(drawn(BACKGROUND, 4)), SampledOptions())
        told = method.contributions(table_of(matrix))
        apart = np.abs(told.values.sum(axis=2) + told.expected - told.scores).max()
        scores = told.scores[:, -1]
        assert told.values.shape == (ROWS, 1, len(NAMES))
        assert np.abs(told.values).max() > 0.01
        distance = np.abs(scores - np.asarray(self.own(matrix), float)).max()
        return Added(
            self.says,
            method.name,
            ROWS,
            float(apart),
            float(distance),
            float(np.abs(scores).max()),
            self.single,
        )


def added_up(folder: Path) -> list[Added]:
    """Every kind of model, and a function by sampling."""
    return [case.added for case in (*_boosters(folder), *_estimators(folder))] + _functions()


def _functions() -> list[Added]:
    rows = people(200, 3)
    out = []
    for method in SAMPLES:
        options = SampledOptions(method=method, samples=200)
        asked = method_of(Curve(), people(BACKGROUND, 4), options)
        told = asked.contributions(rows)
        apart = float(np.abs(told.values.sum(axis=2) + told.expected - told.scores).max())
        scores = told.scores[:, 0]
        distance = float(np.abs(scores - score(_matrix(rows))).max())
        says = "a function of ten features"
        out.append(
            Added(says, asked.name, len(scores), apart, distance, float(np.abs(scores).max()), single=False)
        )
    return out


def _boosters(folder: Path) -> list[Case]:
    import lightgbm
    import xgboost

    matrix = drawn(TRAINED, 0)
    paths = {}
    for name, library in LIBRARIES.items():
        paths[name] = folder / f"{name}-0-{TREES}{library.suffix}"
        if not paths[name].exists():
            library.train(matrix, answers(matrix), 0, paths[name])
    light = lightgbm.Booster(model_file=str(paths["lightgbm"]))
    extreme = xgboost.Booster(model_file=str(paths["xgboost"]))

    def of_light(rows: Doubles) -> npt.NDArray[Any]:
        return np.asarray(light.predict(rows, raw_score=True))

    def of_extreme(rows: Doubles) -> npt.NDArray[Any]:
        data = xgboost.DMatrix(rows, feature_names=list(NAMES))
        return np.asarray(extreme.predict(data, output_margin=True))

    return [
        Case(f"LightGBM, {TREES} trees", paths["lightgbm"], of_light),
        Case(f"XGBoost, {TREES} trees", paths["xgboost"], of_extreme, single=True),
    ]


def _estimators(folder: Path) -> list[Case]:
    matrix = drawn(_FITTED, 5)
    told = answers(matrix, 5)
    classes = (told > 0).astype(int)

    def case(says: str, fitted: Any, method: str) -> Case:
        path = folder / f"{type(fitted).__name__}.joblib"
        joblib.dump(fitted, path)

        def own(rows: Doubles) -> npt.NDArray[Any]:
            found = np.asarray(getattr(fitted, method)(rows))
            return found[:, 1] if found.ndim == 2 else found

        return Case(says, path, own)

    forests = {"n_estimators": 100, "max_depth": 8, "random_state": 0}
    boosting = GradientBoostingRegressor(n_estimators=100, random_state=0)
    fast = HistGradientBoostingClassifier(random_state=0)
    return [
        case(
            "scikit-learn: RandomForestClassifier",
            RandomForestClassifier(**forests).fit(matrix, classes),
            "predict_proba",
        ),
        case(
            "scikit-learn: RandomForestRegressor",
            RandomForestRegressor(**forests).fit(matrix, told),
            "predict",
        ),
        case("scikit-learn: GradientBoostingRegressor", boosting.fit(matrix, told), "predict"),
        case("scikit-learn: HistGradientBoostingClassifier", fast.fit(matrix, classes), "decision_function"),
        case("scikit-learn: LinearRegression", LinearRegression().fit(matrix, told), "predict"),
        case(
            "scikit-learn: LogisticRegression", LogisticRegression().fit(matrix, classes), "decision_function"
        ),
    ]


def sampled() -> list[Sampling]:
    """Sampling beside the truth, which is all 1,024 coalitions, added up here by the definition."""
    background = people(BACKGROUND, 4)
    rows = people(SAMPLED_ROWS, 5)
    truth = by_definition(_matrix(rows), _matrix(background))
    out = []
    for method, sizes in SAMPLES.items():
        out += [_sampling(method, samples, rows, background, truth) for samples in sizes]
    return out


def _sampling(method: Method, samples: int, rows: pa.Table, background: pa.Table, truth: Doubles) -> Sampling:
    distances, stated, apart = [], [], 0.0
    for seed in range(DRAWS):
        options = SampledOptions(method=method, samples=samples, seed=seed)
        told = Sampled(Curve(), background, options).contributions(rows)
        assert told.error is not None
        distances.append(told.values[:, 0] - truth)
        stated.append(told.error[:, 0])
        apart = max(apart, float(np.abs(told.values.sum(axis=2) + told.expected - told.scores).max()))
    off, error = np.array(distances), np.array(stated)
    return Sampling(
        method=method,
        samples=samples,
        values=off.size,
        error=float(np.sqrt(np.mean(off**2))),
        stated=float(np.sqrt(np.mean(error**2))),
        within=float(np.mean(np.abs(off) <= 2 * error + 1e-12)),
        size=float(np.abs(truth).mean()),
        apart=apart,
    )


def by_definition(rows: Doubles, background: Doubles) -> Doubles:
    """Shapley values of the curve by their definition, shape (rows, features).

    phi_j = sum over S without j of |S|! (M - |S| - 1)! / M! (v(S and j) - v(S)), where v(S) is the mean score of the
    background with the row's own values of S.
    """
    players = rows.shape[1]
    worth = {}
    for size in range(players + 1):
        for chosen in combinations(range(players), size):
            mixed = np.broadcast_to(background, (len(rows), *background.shape)).copy()
            mixed[:, :, list(chosen)] = rows[:, None, list(chosen)]
            worth[frozenset(chosen)] = score(mixed.reshape(-1, players)).reshape(len(rows), -1).mean(axis=1)
    found = np.zeros_like(rows)
    for members, value in worth.items():
        rest = set(range(players)) - members
        for player in rest:
            share = factorial(len(members)) * factorial(len(rest) - 1) / factorial(players)
            found[:, player] += share * (worth[members | {player}] - value)
    return found


def _matrix(rows: pa.Table) -> Doubles:
    return np.stack([column.to_numpy() for column in rows.columns], axis=1).astype(float)
