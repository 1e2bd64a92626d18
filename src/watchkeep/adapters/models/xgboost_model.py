"""Models of XGBoost: scores, and the exact contributions its library tells."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.libraries import Doubles, as_scores, as_texts, library, short
from watchkeep.adapters.models.matrix import Categories, chosen, matrix_of
from watchkeep.core.errors import ModelError
from watchkeep.frames.schema import is_text
from watchkeep.service.attribution.models import Contributions

_WHAT: Final = "an XGBoost model"
_ERRORS: Final = (ValueError, TypeError)  # its own error is a ValueError


@dataclass(frozen=True, eq=False)
class XGBoost:
    """A booster of XGBoost; see `Model` and `Explaining`. Of one score, it is that of the positive class.

    XGBoost reads and computes single precision. Of some hundred trees, contributions add up to the margin to about
    1e-6 of the largest number that is added up, and not to the rounding of doubles.

    Args:
        name: where it comes from.
        booster: the library's `Booster`.
        features: its columns; none when it was trained without names.
        labels: names of the classes; none when there is one score.
        width: how many scores it gives for a row.
        categories: what the columns that it splits by category hold, by their place.
        unlisted: columns that it splits by category and has no list for: they hold positions.
        softmax: whether its answer is a class, so that probabilities are made of its margins.
        trees: whether it is made of trees, not of a linear model.
        rounds: of boosting that are asked; 0 for all.
        absent: the number that stands for no value, beside NaN.
        notes: what the library said when it was loaded.
    """

    name: str
    booster: Any
    features: tuple[str, ...]
    labels: tuple[str, ...]
    width: int
    categories: Mapping[int, Categories] = field(default_factory=dict)
    unlisted: tuple[int, ...] = ()
    softmax: bool = False
    trees: bool = True
    rounds: int = 0
    absent: float = math.nan
    notes: tuple[str, ...] = ()
    kind: str = "XGBoost"

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: probabilities of classes, else values."""
        matrix = self._matrix(rows)
        if not len(matrix):
            return np.zeros((0, self.width))
        if not self.trees:
            return as_scores(self._ask(matrix, output_margin=self.softmax), len(matrix), self.name)
        try:  # without the copy that a DMatrix is
            found = self.booster.inplace_predict(
                matrix,
                iteration_range=(0, self.rounds),
                predict_type="margin" if self.softmax else "value",
                validate_features=False,
            )
        except _ERRORS as error:
            raise self._refused(error) from error
        scores = as_scores(found, len(matrix), self.name)
        return _softmax(scores) if self.softmax else scores

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Explaining`: of margins, which are log-odds of classes, or values before the link of a regression."""
        matrix = self._matrix(rows)
        count, width, features = len(matrix), self.width, matrix.shape[1]
        if not count:
            return Contributions(np.zeros((0, width, features)), np.zeros((0, width)), np.zeros(width))
        data = self._data(matrix)
        told = np.asarray(self._ask(data, pred_contribs=True), np.float64).reshape(count, width, features + 1)
        margins = as_scores(self._ask(data, output_margin=True), count, self.name)
        return Contributions(told[:, :, :-1], margins, told[0, :, -1].copy())

    def _refused(self, error: Exception) -> ModelError:
        return ModelError(self.name, why=f"XGBoost cannot read these rows: {short(error)}")

    def _matrix(self, rows: pa.Table) -> Doubles:
        names, columns = chosen(rows, self.features, self.name, count=self.booster.num_features())
        for at in self.unlisted:
            if is_text(columns[at].type):
                why = (
                    f"it splits column {names[at]!r} by category and does not hold its categories, as models do that "
                    f"XGBoost before 3.1 wrote; give their positions as numbers, or save the model again"
                )
                raise ModelError(self.name, why=why)
        # XGBoost itself takes a category that it has not seen for another one, or refuses it, by its version.
        matrix = matrix_of(names, columns, self.name, categories=self.categories)
        if not math.isnan(self.absent):
            matrix[matrix == self.absent] = np.nan
        return matrix

    def _data(self, matrix: Doubles) -> Any:
        try:
            return library("xgboost", _WHAT).DMatrix(
                matrix, feature_names=self.booster.feature_names, feature_types=self.booster.feature_types
            )
        except _ERRORS as error:
            raise self._refused(error) from error

    def _ask(self, data: Any, **how: bool) -> Any:
        try:
            asked = self._data(data) if isinstance(data, np.ndarray) else data
            return self.booster.predict(asked, iteration_range=(0, self.rounds), **how)
        except _ERRORS as error:
            raise self._refused(error) from error


def xgboost_file(path: Path, name: str, features: tuple[str, ...] = ()) -> XGBoost:
    """Opens a model that `Booster.save_model` wrote, as JSON or as UBJSON.

    Raises:
        ModelError: it is damaged, of a newer version, or in the binary form that XGBoost 3.1 gave up.
        MissingExtraError: XGBoost is not installed.
    """
    xgboost = library("xgboost", _WHAT)
    written = path.read_bytes()
    booster = xgboost.Booster()
    try:  # of bytes XGBoost looks at what they are; of a file, at its name
        booster.load_model(bytearray(written))
    except ValueError as error:  # XGBoostError is one; so is that its message holds bytes that are no text
        version = re.search(rb'"version"\s*:\s*\[(\d+),\s*(\d+),\s*(\d+)\]', written)
        versions = ""
        if version:
            of = ".".join(part.decode() for part in version.groups())
            versions = f" (written by XGBoost {of}, read by {xgboost.__version__})"
        reason = "it is damaged, or cut off" if isinstance(error, UnicodeError) else short(error)
        raise ModelError(name, why=f"XGBoost cannot read it: {reason}{versions}") from error
    return xgboost_of(booster, name, features)


def xgboost_of(
    booster: Any,
    name: str,
    features: tuple[str, ...] = (),
    *,
    labels: tuple[str, ...] = (),
    rounds: int = 0,
    absent: float = math.nan,
    notes: tuple[str, ...] = (),
) -> XGBoost:
    """A booster as a model; see `XGBoost`, and `features` and `labels` are taken where it does not know them."""
    learner = json.loads(booster.save_config())["learner"]
    shape = learner["learner_model_param"]
    width = max(int(shape.get("num_class", 0)), int(shape.get("num_target", 1)), 1)
    types = booster.feature_types or []
    lists = _categories(booster)
    return XGBoost(
        name=name,
        booster=booster,
        features=tuple(booster.feature_names or features),
        labels=labels or (as_texts(range(width)) if width > 1 else ()),
        width=width,
        categories=lists,
        unlisted=tuple(at for at, kind in enumerate(types) if kind == "c" and at not in lists),
        softmax=learner["objective"]["name"] == "multi:softmax",
        trees=learner["gradient_booster"]["name"] != "gblinear",
        rounds=rounds,
        absent=absent,
        notes=notes,
    )


def _categories(booster: Any) -> dict[int, Categories]:
    if "c" not in (booster.feature_types or ()) or not hasattr(
        booster, "get_categories"
    ):  # since XGBoost 3.1
        return {}
    stored = booster.get_categories(export_to_arrow=True).to_arrow()
    return {
        at: tuple(each.to_pylist()) for at, (_, each) in enumerate(stored) if each is not None and len(each)
    }


def _softmax(margins: Doubles) -> Doubles:
    found: Doubles = np.exp(margins - margins.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    return found
