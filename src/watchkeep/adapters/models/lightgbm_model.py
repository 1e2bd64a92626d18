"""Models of LightGBM: scores, and the exact contributions its library tells."""

import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.libraries import Doubles, as_scores, as_texts, library, short
from watchkeep.adapters.models.matrix import Categories, chosen, matrix_of
from watchkeep.core.errors import ModelError
from watchkeep.frames.schema import is_text
from watchkeep.service.attribution.models import Contributions

_WHAT: Final = "a LightGBM model"


@dataclass(frozen=True, eq=False)
class LightGbm:
    """A booster of LightGBM; see `Model`. Of one score, it is that of the positive class.

    Args:
        name: where it comes from.
        booster: the library's `Booster`.
        features: its columns; none when it was trained without names.
        labels: names of the classes; none when there is one score.
        lists: the categories of the columns that were categories of pandas, in their order.
        places: the columns that it splits by category.
        notes: what the library said when it was loaded.
    """

    name: str
    booster: Any
    features: tuple[str, ...]
    labels: tuple[str, ...]
    lists: tuple[Categories, ...] = ()
    places: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    kind: str = "LightGBM"

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: probabilities of classes, else values."""
        matrix = self._matrix(rows)
        if not len(matrix):
            return np.zeros((0, self._width))
        return as_scores(self._ask(matrix), len(matrix), self.name)

    @property
    def _width(self) -> int:
        return int(self.booster.num_model_per_iteration())

    def _matrix(self, rows: pa.Table) -> Doubles:
        names, columns = chosen(rows, self.features, self.name, count=self.booster.num_feature())
        categories = self._categories([is_text(column.type) for column in columns])
        # LightGBM reads a matrix of either order without a copy.
        return matrix_of(names, columns, self.name, categories=categories, order="F")

    def _categories(self, texts: list[bool]) -> Mapping[int, Categories]:
        # The file tells the categories of pandas' columns in their order, but not which columns these were: those
        # that are split by category, unless a column had an order or was listed as a category of whole numbers.
        places = self.places
        if len(places) != len(self.lists):
            places = tuple(at for at, text in enumerate(texts) if text)
        if len(places) != len(self.lists):
            if not self.lists:
                return {}
            why = f"it has {len(self.lists)} columns of categories, and the rows have {len(places)} of text"
            raise ModelError(self.name, why=why)
        return dict(zip(places, self.lists, strict=True))

    def _ask(self, matrix: Doubles, **how: bool) -> Any:
        try:
            return self.booster.predict(matrix, **how)
        except (library("lightgbm", _WHAT).basic.LightGBMError, ValueError) as error:
            raise ModelError(self.name, why=f"LightGBM cannot read these rows: {short(error)}") from error


@dataclass(frozen=True, eq=False)
class LightGbmTrees(LightGbm):
    """A booster whose leaves are constants, so that LightGBM tells contributions; see `Explaining`."""

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Explaining`: of margins, which are log-odds of classes, or values before the link of a regression."""
        matrix = self._matrix(rows)
        count, width, features = len(matrix), self._width, matrix.shape[1]
        if not count:
            return Contributions(np.zeros((0, width, features)), np.zeros((0, width)), np.zeros(width))
        told = np.asarray(self._ask(matrix, pred_contrib=True)).reshape(count, width, features + 1)
        margins = as_scores(self._ask(matrix, raw_score=True), count, self.name)
        return Contributions(told[:, :, :-1], margins, told[0, :, -1].copy())


def lightgbm_file(path: Path, name: str, features: tuple[str, ...] = ()) -> LightGbm:
    """Opens a model that `Booster.save_model` wrote.

    Raises:
        ModelError: it is damaged, or of a newer version.
        MissingExtraError: LightGBM is not installed.
    """
    lightgbm = library("lightgbm", _WHAT)
    written = path.read_bytes()
    if not _whole(written):
        raise ModelError(name, why="it starts as a LightGBM model and is damaged, or cut off")
    try:
        with redirect_stdout(StringIO()):  # where LightGBM prints what it raises
            booster = lightgbm.Booster(model_str=written.decode("utf-8", "replace"))
    except (lightgbm.basic.LightGBMError, ValueError, KeyError) as error:
        version = re.search(rb"^version=(\S+)", written, re.MULTILINE)
        of = version[1].decode("utf-8", "replace") if version else "unknown"
        why = f"LightGBM {lightgbm.__version__} cannot read it, a file of format {of}: {short(error)}"
        raise ModelError(name, why=why) from error
    return lightgbm_of(booster, name, features)


def lightgbm_of(
    booster: Any,
    name: str,
    features: tuple[str, ...] = (),
    *,
    labels: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> LightGbm:
    """A booster as a model.

    Args:
        booster: the library's `Booster`.
        name: where it comes from.
        features: its columns, where it does not know them.
        labels: names of its classes, else their numbers.
        notes: what the library said when it was loaded.
    """
    own = tuple(booster.feature_name())
    if own == tuple(f"Column_{at}" for at in range(len(own))):  # what it calls columns without a name
        own = features
    classes = int(booster.num_model_per_iteration())
    infos = booster.dump_model(num_iteration=1)["feature_infos"]
    places = tuple(at for at, each in enumerate(booster.feature_name()) if infos.get(each, {}).get("values"))
    # LightGBM tells no contributions of trees that hold linear models.
    linear = "\nis_linear=1" in booster.model_to_string(num_iteration=1)
    return (LightGbm if linear else LightGbmTrees)(
        name=name,
        booster=booster,
        features=own,
        labels=labels or (as_texts(range(classes)) if classes > 1 else ()),
        lists=tuple(tuple(each) for each in booster.pandas_categorical or ()),
        places=places,
        notes=notes,
    )


def _whole(written: bytes) -> bool:
    """Whether every tree starts where the header says; a file that is cut off ends the whole process in LightGBM."""
    sizes = re.search(rb"^tree_sizes=([\d ]*)", written, re.MULTILINE)
    end = written.find(b"end of trees")
    if sizes is None:
        return end >= 0
    at = written.find(b"\nTree=0") + 1
    for number, size in enumerate(sizes[1].split()):
        if not written.startswith(b"Tree=%d\n" % number, at):
            return False
        at += int(size)
    return end >= 0 and written[at : at + len(b"end of trees")] == b"end of trees"
