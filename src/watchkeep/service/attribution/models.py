"""What explaining a model needs of it: scores of rows and, where it can tell them itself, exact contributions."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Doubles = npt.NDArray[np.float64]


@runtime_checkable
class Model(Protocol):
    """A model that is asked for scores."""

    @property
    def name(self) -> str:
        """Where it comes from, for people: a path, a URL, "module:function"."""
        ...

    @property
    def kind(self) -> str:
        """What it is, for people: "LightGBM", "scikit-learn", "an endpoint"."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """The columns it reads, in its order; none when it does not know their names."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """What its scores are called, one of each; none when it does not say."""
        ...

    def scores(self, rows: pa.Table) -> Doubles:
        """Scores of some rows.

        Args:
            rows: its features, in the order it wants, one column each; without chunks, and text as it was read.

        Returns:
            Shape (rows, labels): probabilities, margins or values, as the model gives them. Of two classes only the
            score of the positive one.

        Raises:
            ModelError: it cannot be asked, or gave no such scores.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """How much each feature adds to the score of each row.

    Local accuracy: `values.sum(axis=2) == scores - expected`, to rounding or to `error`.

    Args:
        values: shape (rows, labels, features).
        scores: what is explained, on the scale of the contributions (log-odds of tree ensembles that classify),
            shape (rows, labels).
        expected: the mean score that contributions are counted from, shape (labels,).
        error: the standard error of each value where features were sampled, of the same shape; None when exact.
    """

    values: Doubles
    scores: Doubles
    expected: Doubles
    error: Doubles | None = None


@runtime_checkable
class Explaining(Protocol):
    """A model whose library tells exact contributions by itself."""

    def contributions(self, rows: pa.Table) -> Contributions:
        """Contributions to the scores of some rows; see `Model.scores` for the arguments.

        Raises:
            ModelError: it cannot explain these rows.
        """
        ...
