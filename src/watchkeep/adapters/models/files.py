"""Tells by name and first bytes what a model file is, and opens it."""

import re
from pathlib import Path
from typing import Final

from watchkeep.adapters.models.lightgbm_model import lightgbm_file
from watchkeep.adapters.models.onnx_model import onnx_file
from watchkeep.adapters.models.pickles import PICKLES, SKOPS, pickled_model, skops_model
from watchkeep.adapters.models.xgboost_model import xgboost_file
from watchkeep.core.errors import ModelError
from watchkeep.service.attribution.models import Model

FORMS: Final = (
    "a LightGBM file (.txt, .lgb), an XGBoost file (.json, .ubj, .model, .xgb), a model of scikit-learn's kind "
    "(.pkl, .pickle, .joblib, .skops), ONNX (.onnx), a folder of MLflow, "
    '"module:function", "file.py:function" or the URL of an endpoint'
)
_HEAD: Final = 4096  # bytes that tell the form
_XGBOOST: Final = re.compile(rb'\s*\{(\s*"(learner|version)"|L.{8}(learner|version))', re.DOTALL)


def open_file(path: Path, name: str, *, trust: bool, features: tuple[str, ...] = ()) -> Model:
    """Opens a model file.

    Args:
        path: the file.
        name: where it comes from, for people.
        trust: whether code of the file may run, which pickles need.
        features: its columns, where it does not know them.

    Raises:
        ModelError: it cannot be read, or is no model that we know.
        OptionError: it needs trust.
        MissingExtraError: its library is not installed.
    """
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise ModelError(name, why=f"it cannot be read: {error.strerror}") from error
    if not head:
        raise ModelError(name, why="the file is empty")
    if suffix in PICKLES:
        return pickled_model(path, name, trust=trust, features=features)
    if suffix == SKOPS:
        return skops_model(path, name, trust=trust, features=features)
    if suffix == ".onnx":
        return onnx_file(path, name, features)
    if head.startswith(b"tree") or suffix == ".lgb":
        return lightgbm_file(path, name, features)
    if _XGBOOST.match(head) or (suffix == ".json" and b'"learner"' in path.read_bytes()):
        return xgboost_file(path, name, features)
    if suffix in (".ubj", ".xgb") or head.startswith(b"binf"):
        return xgboost_file(path, name, features)
    if head.startswith(b"\x80"):
        return pickled_model(path, name, trust=trust, features=features)
    raise ModelError(name, why=f"it is no model that we know by its name or first bytes; expected {FORMS}")
