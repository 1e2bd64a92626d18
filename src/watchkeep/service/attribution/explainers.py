"""How a model is explained: by itself where its library can, in closed form where it is linear, by sampling else."""

from dataclasses import dataclass, replace
from typing import Final, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import ModelError
from watchkeep.frames.numbers import read_numbers
from watchkeep.service.attribution.explaining import Sampled, SampledOptions
from watchkeep.service.attribution.metering import Metered
from watchkeep.service.attribution.models import Contributions, Doubles, Explaining, Model

OF_EACH_FEATURE: Final = 8
"""Coalitions of each row that are asked, to each feature, where permutations are drawn."""
FOR_CURVES: Final = 20
"""One in so many rows of a budget is not spent on explaining rows: curves of partial dependence come after it."""


@runtime_checkable
class Linear(Protocol):
    """A model that may be a weighted sum of its features."""

    def linear(self) -> tuple[Doubles, Doubles] | None:
        """Coefficients, shape (labels, features), and intercepts, shape (labels,); None when it is no such sum."""
        ...


class Method(Protocol):
    """A way to explain rows, see `watchkeep.monitors.attribution.scan.Explainer`."""

    @property
    def name(self) -> str:
        """The way, for people. Rows that were explained in different ways are not compared."""
        ...

    @property
    def asked(self) -> Metered | None:
        """The model, on what is left of its budget; None where there is nobody to ask."""
        ...

    def affordable(self) -> int | None:
        """How many more rows may be explained; None for any number."""
        ...

    def contributions(self, rows: pa.Table) -> Contributions:
        """Contributions to the scores of rows."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """Exact contributions, told by the model's own library."""

    model: Explaining
    asked: Metered

    @property
    def name(self) -> str:
        """See `Method`."""
        return f"exact contributions by {self.asked.kind}"

    def affordable(self) -> None:
        """See `Method`."""

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Method`."""
        return self.model.contributions(rows)


@dataclass(frozen=True, slots=True, eq=False)
class ClosedForm:
    """Contributions to a weighted sum: coefficient times how far the feature is from its mean.

    phi_j = w_j (x_j - mean of x_j over the background), which are the Shapley values of a linear model.

    Args:
        asked: the model.
        coefficients: shape (labels, features).
        intercepts: shape (labels,).
        means: of the background rows, shape (features,).
    """

    asked: Metered
    coefficients: Doubles
    intercepts: Doubles
    means: Doubles

    @property
    def name(self) -> str:
        """See `Method`."""
        return "exact contributions to a weighted sum"

    def affordable(self) -> None:
        """See `Method`."""

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Method`."""
        matrix = matrix_of(rows, self.asked.name)
        expected = self.coefficients @ self.means + self.intercepts
        values = (matrix - self.means)[:, None, :] * self.coefficients[None]
        return Contributions(values, matrix @ self.coefficients.T + self.intercepts, expected)


class Asked:
    """Contributions found by asking the model for mixtures of rows; see `Sampled`.

    Of permutations fewer coalitions are asked than SageMaker Clarify's rule says, unless somebody says how many: what
    is compared are means over rows, so that more rows tell more than more coalitions of each.

    Args:
        model: who is asked.
        background: rows that stand for "not knowing a feature".
        options: of sampling.
    """

    def __init__(self, model: Model, background: pa.Table, options: SampledOptions) -> None:
        if options.samples is None and options.method == "permutation":
            options = replace(options, samples=OF_EACH_FEATURE * background.num_columns)
        self._sampled = Sampled(model, background, options)
        scale = " of log-odds" if options.use_logit else ""
        self.name: Final = (
            f"{options.method} SHAP{scale}, {self._sampled.coalitions} coalitions of each row against"
            f" {background.num_rows} reference row{'s' * (background.num_rows != 1)}"
        )
        self._spare = None if options.budget is None else options.budget // FOR_CURVES

    @property
    def asked(self) -> Metered:
        """See `Method`."""
        return self._sampled.model

    def affordable(self) -> int | None:
        """See `Method`."""
        return None if self._spare is None else self._sampled.affordable(spare=self._spare)

    def contributions(self, rows: pa.Table) -> Contributions:
        """See `Method`."""
        return self._sampled.contributions(rows)


def matrix_of(rows: pa.Table, model: str) -> Doubles:
    """Columns as numbers, shape (rows, features).

    Raises:
        ModelError: a value is no number.
    """
    out = np.empty((rows.num_rows, rows.num_columns), order="F")
    for at, name in enumerate(rows.column_names):
        read = read_numbers(rows.column(name).combine_chunks())
        if read.where is not None and not read.where.all():
            why = f"it needs a number in every row of {name!r}; {rows.num_rows - len(read.values)} have none"
            raise ModelError(model, why=why)
        out[:, at] = read.values
    return out


def method_of(model: Model, background: pa.Table | None, options: SampledOptions) -> Method:
    """How a model is explained.

    Args:
        model: who answers.
        background: rows that stand for "not knowing a feature": its columns are the model's features.
        options: of sampling, where it comes to that.

    Raises:
        ModelError: rows of the background would be needed, and there are none.
    """
    metered = Metered(model, options.budget)
    if isinstance(model, Explaining):
        return Native(model, metered)
    if background is None:
        raise ModelError(model.name, why="to sample its features, a baseline has to hold some rows")
    told = model.linear() if isinstance(model, Linear) else None
    if told is not None:
        return ClosedForm(metered, *told, matrix_of(background, model.name).mean(axis=0))
    return Asked(model, background, options)
