"""Folders that MLflow wrote. What is inside is opened by its own library, so that MLflow need not be installed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import yaml

from watchkeep.adapters.models.files import open_file
from watchkeep.adapters.models.frames import frame_of
from watchkeep.adapters.models.libraries import Doubles, as_scores, heard, library, told
from watchkeep.adapters.models.matrix import chosen
from watchkeep.core.errors import ModelError, OptionError
from watchkeep.service.attribution.models import Model

CARD: Final = "MLmodel"
"""The file that such a folder has."""
_PATHS: Final = {"lightgbm": "data", "xgboost": "data", "onnx": "data", "sklearn": "pickled_model"}
"""Flavours that we open, and under which key each names its file."""


@dataclass(frozen=True, eq=False)
class MlflowModel:
    """A model that MLflow itself asks; see `Model`.

    Args:
        name: where it comes from.
        loaded: MLflow's `PyFuncModel`.
        features: its columns, by its signature.
        notes: what was said while it was loaded.
    """

    name: str
    loaded: Any
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    kind: str = "MLflow"

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: what it predicts."""
        names, columns = chosen(rows, self.features, self.name)
        if not rows.num_rows:
            return np.zeros((0, 1))
        schema = pa.schema([rows.schema.field(name) for name in names])
        given = frame_of(pa.Table.from_arrays(columns, schema=schema), self.name)
        try:
            with heard():
                found = self.loaded.predict(given)
        except Exception as error:  # what a flavour raises is its own business, and is told
            raise ModelError(self.name, why=f"it raised {told(error)}", answering=True) from error
        return as_scores(found, rows.num_rows, self.name)


def mlflow_folder(folder: Path, name: str, *, trust: bool, features: tuple[str, ...] = ()) -> Model:
    """Opens a folder with a file MLmodel.

    Args:
        folder: where it is.
        name: where it comes from, for people.
        trust: whether code of its files may run, which pickles and models of MLflow's own flavours need.
        features: its columns; else those of its signature.

    Raises:
        ModelError: it is damaged.
        OptionError: it needs trust.
        MissingExtraError: its library, or MLflow for a flavour that only it opens, is not installed.
    """
    try:
        card = yaml.safe_load((folder / CARD).read_text("utf-8"))
        flavours = dict(card["flavors"])
        features = features or _signed(card)
    except (
        yaml.YAMLError,
        OSError,
        UnicodeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise ModelError(name, why=f"its file {CARD} is damaged: {told(error)}") from error
    for flavour, key in _PATHS.items():
        if flavour in flavours:
            inside = _inside(folder, flavours[flavour], key, name)
            return open_file(inside, name, trust=trust, features=features)
    if not trust:
        why = f"MLflow runs code of a model of its flavours {', '.join(sorted(flavours))}"
        raise OptionError("model", got=name, expected=f"--trust-model beside it, as {why}")
    mlflow = library("mlflow.pyfunc", f"an MLflow model of the flavours {', '.join(sorted(flavours))}")
    try:
        with heard() as notes:
            loaded = mlflow.load_model(str(folder))
    except Exception as error:  # what a flavour raises is its own business, and is told
        raise ModelError(name, why=f"MLflow cannot load it: {told(error)}") from error
    return MlflowModel(name, loaded, features, tuple(notes))


def _inside(folder: Path, flavour: Any, key: str, name: str) -> Path:
    told_of = flavour.get(key) if isinstance(flavour, dict) else None
    path = folder / str(told_of)
    if told_of is None or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise ModelError(
            name, why=f"its file {CARD} names {told_of!r} as the model, which is not in the folder"
        )
    return path


def _signed(card: dict[str, Any]) -> tuple[str, ...]:
    inputs = json.loads((card.get("signature") or {}).get("inputs") or "[]")
    return tuple(str(each["name"]) for each in inputs if "name" in each)
