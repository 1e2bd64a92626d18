"""Estimators out of files of pickle, joblib, cloudpickle and skops."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from watchkeep.adapters.models.estimators import Estimator, model_of
from watchkeep.adapters.models.libraries import heard, library, told
from watchkeep.adapters.models.lightgbm_model import LightGbm
from watchkeep.adapters.models.xgboost_model import XGBoost
from watchkeep.core.errors import MissingExtraError, ModelError, OptionError

PICKLES: Final = (".pkl", ".pickle", ".joblib")
SKOPS: Final = ".skops"


def pickled_model(
    path: Path, name: str, *, trust: bool, features: tuple[str, ...] = ()
) -> Estimator | LightGbm | XGBoost:
    """Opens an estimator that pickle, joblib or cloudpickle wrote.

    Args:
        path: the file.
        name: where it comes from.
        trust: whether code of the file may run.
        features: its columns, where it does not know them.

    Raises:
        OptionError: it is not trusted.
        ModelError: it is damaged, holds no model, or needs what is not installed.
        MissingExtraError: joblib is not installed.
    """
    if not trust:
        raise _untrusted(name, "reading this file runs whatever code is in it")
    if path.suffix == ".joblib":
        joblib = library("joblib", "a model that joblib wrote")
        return _loaded(lambda: joblib.load(path), name, features)
    return _loaded(lambda: _unpickled(path), name, features)


def skops_model(
    path: Path, name: str, *, trust: bool, features: tuple[str, ...] = ()
) -> Estimator | LightGbm | XGBoost:
    """Opens an estimator that skops wrote; see `pickled_model`. Types that skops knows need no trust."""
    skops = library("skops.io", "a model that skops wrote")
    try:
        strange = list(skops.get_untrusted_types(file=path))
    except (zipfile.BadZipFile, ValueError, LookupError, OSError, TypeError, AttributeError) as error:
        raise ModelError(name, why=f"skops cannot read it: {told(error)}") from error
    if strange and not trust:
        raise _untrusted(name, f"it holds types that skops does not know to be safe: {', '.join(strange)}")
    return _loaded(lambda: skops.load(path, trusted=strange), name, features)


def _untrusted(name: str, why: str) -> OptionError:
    return OptionError("model", got=name, expected=f"--trust-model beside it, as {why}")


def _unpickled(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        if start.startswith(b"\x80") or not start.startswith((b"\x1f\x8b", b"x")):
            return pickle.load(file)  # noqa: S301 (its owner said that it is to be trusted)
    # joblib's compressed files are often named as pickles
    return library("joblib", "a model that joblib wrote").load(path)


def _loaded(load: Callable[[], Any], name: str, features: tuple[str, ...]) -> Estimator | LightGbm | XGBoost:
    notes: list[str] = []
    try:
        with heard() as notes:
            fitted = load()
    except ModuleNotFoundError as error:
        why = f"it needs the module {error.name!r}, which is not installed"
        raise ModelError(name, why=why) from error
    except MissingExtraError:
        raise
    except Exception as error:  # unpickling may raise anything
        # A note of another version says more than what it led to.
        versions = "".join(f"; {note}" for note in notes if "version" in note)
        raise ModelError(name, why=f"it cannot be loaded: {told(error)}{versions}") from error
    return model_of(fitted, name, features, tuple(notes))
