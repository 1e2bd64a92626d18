"""Fitting models and thresholds through fairlearn and scikit-learn."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import MissingExtraError
from watchkeep.service.mitigating import Model, Parity
from watchkeep.service.training_rows import TrainingRows
from watchkeep.stats.fairness import Decision

try:
    import cloudpickle
    from fairlearn.adversarial import AdversarialFairnessClassifier
    from fairlearn.postprocessing import ThresholdOptimizer
    from fairlearn.reductions import (
        DemographicParity,
        EqualizedOdds,
        ExponentiatedGradient,
        FalsePositiveRateParity,
        TruePositiveRateParity,
    )
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from threadpoolctl import threadpool_limits
except ImportError as error:
    raise MissingExtraError("watchkeep mitigate", extra="fairness") from error

Doubles = npt.NDArray[np.float64]

_MOMENTS: Final = {
    Parity.EQUALIZED_ODDS: EqualizedOdds,
    Parity.DEMOGRAPHIC_PARITY: DemographicParity,
    Parity.TRUE_POSITIVE_RATE: TruePositiveRateParity,
    Parity.FALSE_POSITIVE_RATE: FalsePositiveRateParity,
}
_ROUNDS: Final = 12  # models that a reduction is made of, at most
_TREES: Final = 40
_THREADS: Final = 1  # trees are small: threads that wait for each other cost a hundred times what they bring
_GRID: Final = ((40, 0.03), (40, 0.1), (80, 0.1), (80, 0.3))
"""Epochs, and how strong the adversary is: training of two networks against each other may settle anywhere."""
_CHOSEN_BY: Final = 0.25  # share of the rows by which one of them is chosen
_MAY_COST: Final = 0.03  # accuracy that parity may cost there, beside the most accurate one


class _Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn publishes no types
    """A model that answers with the score it is given."""

    def fit(self, rows: Doubles, labels: object = None) -> "_Scores":  # noqa: ARG002 (scikit-learn's signature)
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, rows: Doubles) -> Doubles:
        return np.asarray(rows)[:, 0]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model of scikit-learn's kind; see `Model`."""

    model: Any
    seed: int | None = None

    def decide(self, rows: TrainingRows) -> npt.NDArray[np.intp]:
        """See `Model`."""
        told = {} if self.seed is None else {"random_state": self.seed}
        with _alone():
            answers = np.asarray(self.model.predict(rows.features, **told))
        found: npt.NDArray[np.intp] = answers.ravel().astype(np.intp)
        return found

    def scores(self, rows: TrainingRows) -> Doubles:
        """See `Model`."""
        with _alone():
            found: Doubles = np.asarray(self.model.predict_proba(rows.features), np.float64)[:, 1]
        return found

    def packed(self) -> bytes:
        """See `Model`."""
        found: bytes = cloudpickle.dumps(self.model)  # networks are of classes that plain pickle cannot find
        return found


@dataclass(frozen=True)
class Fairlearn:
    """Fits through fairlearn; see `Fairness`.

    Args:
        seed: the same one gives the same fits.
    """

    seed: int = 0

    def thresholds(self, rows: TrainingRows, parity: Parity) -> dict[int, Decision]:
        """See `Fairness`."""
        assert rows.scores is not None  # noqa: S101 (the caller looked)
        optimizer = ThresholdOptimizer(
            estimator=_Scores().fit(rows.features),
            constraints=str(parity),
            prefit=True,
            predict_method="predict",
        )
        with _alone():
            optimizer.fit(rows.scores[:, None], rows.labels, sensitive_features=rows.groups)
        found = optimizer.interpolated_thresholder_.interpolation_dict
        return {int(group): _decision(one) for group, one in found.items()}

    def plain(self, rows: TrainingRows, weights: Doubles | None) -> Model:
        """See `Fairness`: gradient-boosted trees."""
        model = self._trees(rows)
        with _alone():
            model.fit(rows.features, rows.labels, sample_weight=weights)
        return Fitted(model)

    def reduction(self, rows: TrainingRows, parity: Parity) -> Model:
        """See `Fairness`: the exponentiated gradient over the same trees."""
        model = ExponentiatedGradient(self._trees(rows), _MOMENTS[parity](), max_iter=_ROUNDS)
        with _alone():
            model.fit(rows.features, rows.labels, sensitive_features=rows.groups)
        return Fitted(model, self.seed)

    def adversarial(self, rows: TrainingRows, parity: Parity) -> Model:
        """See `Fairness`: two networks of PyTorch."""
        categories = np.flatnonzero(rows.kinds)
        numbers = np.flatnonzero(~rows.kinds)
        prepared = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        )
        learn, held = rows.parted(_CHOSEN_BY, seed=self.seed)
        with _alone():
            features = prepared.fit_transform(learn.features)
            fits = [self._networks(parity, learn, features, epochs, strength) for epochs, strength in _GRID]
        models = [Fitted(make_pipeline(prepared, networks)) for networks in fits]
        judged = [_judged(held, model.decide(held), parity) for model in models]
        enough = max(right for right, _ in judged) - _MAY_COST
        return min(
            (gap, at, model)
            for at, (model, (right, gap)) in enumerate(zip(models, judged, strict=True))
            if right >= enough
        )[2]

    def _networks(
        self, parity: Parity, rows: TrainingRows, features: Doubles, epochs: int, strength: float
    ) -> AdversarialFairnessClassifier:
        try:
            networks = AdversarialFairnessClassifier(
                backend="torch",
                predictor_model=[64, "leaky_relu"],
                adversary_model=[16, "leaky_relu"],
                constraints=str(parity),
                epochs=epochs,
                alpha=strength,
                batch_size=512,
                learning_rate=0.001,
                shuffle=True,
                random_state=self.seed,
            )
            return networks.fit(features, rows.labels, sensitive_features=rows.groups)
        except (ImportError, RuntimeError) as error:
            if isinstance(error, ImportError) or "torch" in str(error).lower():
                raise MissingExtraError("adversarial debiasing", extra="adversarial") from error
            raise

    def _trees(self, rows: TrainingRows) -> Any:
        kinds = rows.kinds if rows.kinds.any() else None
        return HistGradientBoostingClassifier(
            categorical_features=kinds, max_iter=_TREES, random_state=self.seed, early_stopping=False
        )


@contextmanager
def _alone() -> Iterator[None]:
    """On one thread, and without the warnings that libraries have for each other."""
    with warnings.catch_warnings(), threadpool_limits(_THREADS):
        warnings.simplefilter("ignore")
        yield


def _judged(rows: TrainingRows, answers: npt.NDArray[np.intp], parity: Parity) -> tuple[float, float]:
    """The share of right answers, and the largest gap between groups that parity speaks of."""
    kinds = [rows.labels == 1, rows.labels == 0]
    if parity is Parity.DEMOGRAPHIC_PARITY:
        kinds = [np.ones(len(rows), np.bool_)]
    gaps = []
    for kind in kinds:
        rates = [
            float(answers[kind & (rows.groups == group)].mean())
            for group in range(len(rows.names))
            if (kind & (rows.groups == group)).any()
        ]
        gaps.append(max(rates) - min(rates))
    return float(np.mean(answers == rows.labels)), max(gaps)


def _decision(told: dict[str, Any]) -> Decision:
    """What fairlearn tells of a group's thresholds."""
    pairs = [(told["operation0"], told["p0"]), (told["operation1"], told["p1"])]
    thresholds = tuple(
        (_threshold(operation), float(chance)) for operation, chance in pairs if float(chance) > 0
    )
    return Decision(thresholds, float(told.get("p_ignore", 0.0)), float(told.get("prediction_constant", 0.0)))


def _threshold(operation: Any) -> float:
    """The score that rows are positive above; fairlearn turns a rule round only when it is told to."""
    return float(operation.threshold)
