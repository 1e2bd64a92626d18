"""Models of scikit-learn's kind: anything with `predict`, or with `predict_proba`."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.frames import frame_of
from watchkeep.adapters.models.libraries import Doubles, as_scores, as_texts, library, told
from watchkeep.adapters.models.lightgbm_model import LightGbm, lightgbm_of
from watchkeep.adapters.models.matrix import chosen, matrix_of
from watchkeep.adapters.models.xgboost_model import XGBoost, xgboost_of
from watchkeep.core.errors import ModelError
from watchkeep.service.attribution.models import Contributions

_FAULTS: Final = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError)
"""What estimators raise when they are asked for what they cannot do."""
_FORESTS: Final = frozenset(
    {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"}
    | {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
)
_LINEAR: Final = frozenset(
    {"LinearRegression", "Ridge", "RidgeCV", "RidgeClassifier", "Lasso", "LassoCV", "ElasticNet"}
    | {"ElasticNetCV", "LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "SGDRegressor"}
)


@dataclass(frozen=True, eq=False)
class Estimator:
    """A fitted estimator; see `Model`. Of two classes, its score is the probability of the second.

    Args:
        name: where it comes from.
        fitted: the estimator.
        features: its columns; none when it was fitted without names.
        notes: what its libraries said when it was loaded.
    """

    name: str
    fitted: Any
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    kind: str = "scikit-learn"

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Model`."""
        classes = getattr(self.fitted, "classes_", None)
        if classes is None or isinstance(classes, list):  # a list of arrays: of several outputs
            return ()
        return as_texts(classes[1:] if len(classes) == 2 else classes)

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: probabilities, else margins, else values."""
        given = self._given(rows)
        if not rows.num_rows:
            return np.zeros((0, len(self.labels) or 1))
        for method in ("predict_proba", "decision_function", "predict"):
            if hasattr(self.fitted, method):
                return self._asked(method, given, rows.num_rows)
        raise ModelError(self.name, why="it has no method that predicts")

    def linear(self) -> tuple[Doubles, Doubles] | None:
        """The coefficients, shape (labels, features), and intercepts, shape (labels,), of a linear model.

        They give its margin: log-odds of a logistic regression, else values. None when it is of another kind.
        """
        kind = type(self.fitted)
        if kind.__name__ not in _LINEAR or not kind.__module__.startswith("sklearn."):
            return None
        slopes = np.atleast_2d(np.asarray(self.fitted.coef_, np.float64))
        bases = np.broadcast_to(np.asarray(self.fitted.intercept_, np.float64).ravel(), len(slopes))
        return slopes, bases.copy()

    def _given(self, rows: pa.Table) -> Any:
        names, columns = chosen(
            rows, self.features, self.name, count=getattr(self.fitted, "n_features_in_", None)
        )
        if hasattr(self.fitted, "feature_names_in_"):
            schema = pa.schema([rows.schema.field(name) for name in names])
            return frame_of(pa.Table.from_arrays(columns, schema=schema), self.name)
        return matrix_of(names, columns, self.name)

    def _asked(self, method: str, given: Any, rows: int) -> Doubles:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # of names, versions and threads: nothing that rows could mend
                found = getattr(self.fitted, method)(given)
        except _FAULTS as error:
            raise ModelError(self.name, why=f"{method} failed: {told(error)}") from error
        if isinstance(found, list):
            raise ModelError(self.name, why="it predicts several outputs of classes; expected one")
        scores = as_scores(found, rows, self.name)
        return scores[:, 1:] if method == "predict_proba" and scores.shape[1] == 2 else scores


@dataclass(frozen=True, eq=False)
class TreeEstimator(Estimator):
    """Trees of scikit-learn, which the library shap explains exactly; see `Explaining`."""

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Explaining`.

        They explain what the trees add up to: probabilities of forests and single trees, and margins of boosting
        (log-odds of classes, and the logarithm of what a regression of counts gives).
        """
        given, explainer = self._given(rows), self._explainer
        base = np.atleast_1d(np.asarray(explainer.expected_value, np.float64))
        narrow = slice(1, None) if hasattr(self.fitted, "predict_proba") and len(base) == 2 else slice(None)
        base = base[narrow]
        if not rows.num_rows:
            count = self.fitted.n_features_in_
            return Contributions(np.zeros((0, len(base), count)), np.zeros((0, len(base))), base)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # The sums are compared by who asks; shap's own comparison is with its own trees.
                found = np.asarray(explainer.shap_values(given, check_additivity=False), np.float64)
        except _FAULTS as error:
            raise ModelError(self.name, why=f"shap cannot explain it: {told(error)}") from error
        values = found[:, None, :] if found.ndim == 2 else found.transpose(0, 2, 1)[:, narrow]
        return Contributions(values, self._raw(given, rows.num_rows), base)

    @cached_property
    def _explainer(self) -> Any:
        shap = library("shap", "explaining a tree model of scikit-learn")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return shap.TreeExplainer(self.fitted)
        except (*_FAULTS, library("shap.utils._exceptions", "explaining").InvalidModelError) as error:
            raise ModelError(self.name, why=f"shap cannot explain it: {told(error)}") from error

    def _raw(self, given: Any, rows: int) -> Doubles:
        for method in ("decision_function", "predict_proba"):
            if hasattr(self.fitted, method):
                return self._asked(method, given, rows)
        found = self._asked("predict", given, rows)
        return (
            np.log(found)
            if getattr(self.fitted, "loss", "") in ("poisson", "gamma") and _boosted(self.fitted)
            else found
        )


def model_of(
    fitted: Any, name: str, features: tuple[str, ...] = (), notes: tuple[str, ...] = ()
) -> Estimator | LightGbm | XGBoost:
    """An object that was loaded, as a model.

    Args:
        fitted: an estimator of scikit-learn, or a booster or an estimator of LightGBM or XGBoost.
        name: where it comes from.
        features: its columns, where it does not know them.
        notes: what was said while it was loaded.

    Raises:
        ModelError: it is none of these, or is not fitted.
    """
    try:
        booster = _booster(fitted, name, features, notes)
    except _FAULTS as error:
        raise ModelError(name, why=f"it holds a model that cannot be asked: {told(error)}") from error
    if booster is not None:
        return booster
    if not any(callable(getattr(fitted, method, None)) for method in ("predict", "predict_proba")):
        kind = f"{type(fitted).__module__}.{type(fitted).__qualname__}"
        raise ModelError(name, why=f"it holds an object of {kind}, which has no method 'predict'")
    own = tuple(str(each) for each in getattr(fitted, "feature_names_in_", ())) or features
    return (TreeEstimator if _explained(fitted) else Estimator)(name, fitted, own, notes)


def _booster(
    fitted: Any, name: str, features: tuple[str, ...], notes: tuple[str, ...]
) -> LightGbm | XGBoost | None:
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(fitted).__mro__}
    classes = getattr(fitted, "classes_", ()) if kinds & {"lightgbm.LGBMModel", "xgboost.XGBModel"} else ()
    labels = as_texts(classes[1:] if len(classes) == 2 else classes)
    if "lightgbm.LGBMModel" in kinds:
        return lightgbm_of(fitted.booster_, name, features, labels=labels, notes=notes)
    if "lightgbm.Booster" in kinds:
        return lightgbm_of(fitted, name, features, notes=notes)
    if "xgboost.XGBModel" in kinds:
        # Stopped early, it is asked for its best rounds, as its own predict does.
        attributes = fitted.get_booster().attributes()
        rounds = int(attributes["best_iteration"]) + 1 if "best_iteration" in attributes else 0
        return xgboost_of(
            fitted.get_booster(),
            name,
            features,
            labels=labels,
            rounds=rounds,
            absent=float(fitted.missing),
            notes=notes,
        )
    return xgboost_of(fitted, name, features, notes=notes) if "xgboost.Booster" in kinds else None


def _boosted(fitted: Any) -> bool:
    return type(fitted).__name__ in {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"}


def _explained(fitted: Any) -> bool:
    """Whether shap explains these trees exactly."""
    kind = type(fitted).__name__
    if not type(fitted).__module__.startswith("sklearn."):
        return False
    if kind in _FORESTS:
        return int(getattr(fitted, "n_outputs_", 1)) == 1
    if _boosted(fitted):  # shap takes a split by category for one by a threshold
        return getattr(fitted, "is_categorical_", None) is None
    if kind == "GradientBoostingClassifier":  # of two classes only, and counted from their shares
        return int(fitted.n_classes_) == 2 and fitted.init is None
    return kind == "GradientBoostingRegressor" and fitted.init is None
