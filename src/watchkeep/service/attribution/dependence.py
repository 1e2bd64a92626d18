"""Partial dependence: the mean score of some rows if a feature of all of them had this value, or that."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import doubles
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import is_text, is_textual
from watchkeep.service.attribution.metering import BATCH, Metered
from watchkeep.service.attribution.models import Doubles, Model

BUCKETS: Final = 15
CATEGORIES: Final = 15
_SLACK: Final = 1e-9
"""Of a bucket's width, by which the outermost edges are moved out: they are told by centres, which are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values of a feature that partial dependence is told for.

    Args:
        values: bucket centres of numbers, upwards; categories, the most frequent first. Shape (values,).
        numerical: which of the two.
        distribution: the share of rows in each bucket or category, of the rows that have a value; shape (values,).
    """

    values: pa.Array
    numerical: bool
    distribution: Doubles

    def shares(self, column: pa.ChunkedArray | pa.Array) -> Doubles:
        """The share of other rows in each bucket or category, of those that have a value; shape (values,).

        What lies in none of them is in no share: their sum is then less than 1. Text is read as the numbers it
        spells where the grid is one of numbers.

        >>> grid_of(pa.array([0, 1, 2, 10]), buckets=2).shares(pa.array([7, None, 3, 8, 11])).tolist()
        [0.25, 0.5]
        """
        if not self.numerical:
            found = _found(column.drop_null(), self.values)
            at = found.drop_null().to_numpy(zero_copy_only=False).astype(np.intp)
            return np.bincount(at, minlength=len(self.values)) / max(1, len(found))
        read = read_numbers(one_chunk(column))
        numbers, every = read.values, max(1, read.rows - read.missing)
        centres = self.values.to_numpy(zero_copy_only=False)
        if len(centres) < 2:
            return np.array([np.count_nonzero(numbers == centre) / every for centre in centres])
        width = centres[1] - centres[0]
        edges = np.append(centres - width / 2, centres[-1] + width / 2)
        edges[0], edges[-1] = edges[0] - _SLACK * width, edges[-1] + _SLACK * width
        counts: Doubles = np.histogram(numbers[np.isfinite(numbers)], edges)[0] / every
        return counts


def known_values(rows: pa.Table, feature: str) -> pa.Array:
    """A feature of some rows as its grid is made of it: text of unknown type as numbers, where all of it spells some.

    Args:
        rows: the features.
        feature: a column of them.
    """
    field, column = rows.schema.field(feature), one_chunk(rows.column(feature))
    if is_textual(field) and is_text(field.type):
        read = read_numbers(column)
        if len(read.values) and not read.string and not read.boolean:
            return doubles(read.values)
    return column


def grid_of(
    column: pa.ChunkedArray | pa.Array, *, buckets: int = BUCKETS, categories: int = CATEGORIES
) -> Grid:
    """Where to look at a feature: buckets of one width from its least number to its greatest, or its categories.

    Args:
        column: numbers (infinite ones and NaN are passed over), or values of any type that can be told apart.
        buckets: >= 1. A number that is always the same makes one.
        categories: how many at most, the most frequent; of equally frequent ones those that come first.

    Raises:
        OptionError: buckets or categories is not 1 or more, or the column holds lists, maps and the like.

    >>> grid = grid_of(pa.array([0, 1, 2, 10]), buckets=2)
    >>> grid.values.to_pylist(), grid.distribution.tolist()
    ([2.5, 7.5], [0.75, 0.25])
    """
    for option, got in (("buckets", buckets), ("categories", categories)):
        if got < 1:
            raise OptionError(option, got=str(got), expected="1 or more")
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.drop_null().cast(pa.float64()).to_numpy(zero_copy_only=False)
        return _buckets(numbers[np.isfinite(numbers)], buckets)
    try:
        counted = pc.value_counts(column.drop_null())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise OptionError("feature", got=str(kind), expected="numbers or categories") from error
    counts = counted.field("counts").to_numpy().astype(np.float64)
    order = np.argsort(-counts, kind="stable")[:categories]
    return Grid(counted.field("values").take(pa.array(order)), False, counts[order] / max(1.0, counts.sum()))


def _buckets(numbers: Doubles, buckets: int) -> Grid:
    if not len(numbers):
        return Grid(pa.array([], pa.float64()), True, np.empty(0))
    if numbers.min() == numbers.max():
        return Grid(pa.array(numbers[:1]), True, np.ones(1))
    counts, edges = np.histogram(numbers, buckets)
    return Grid(pa.array(edges[:-1] / 2 + edges[1:] / 2), True, counts / float(len(numbers)))


def partial_dependence(model: Model, rows: pa.Table, feature: str, grid: Grid) -> Doubles:
    """The mean score of all rows if a feature had this value, for each value of a grid: PD(g) = mean score(x, x_j = g).

    Args:
        model: who is asked, for len(grid.values) x rows; `Sampled.model` to ask on its budget.
        rows: the features, 1 row or more.
        feature: a column of them. Where it holds whole numbers and the grid's are not, it becomes one of fractions.
        grid: see `grid_of`.

    Returns:
        Shape (values, labels), scores as the model gives them, never log-odds; (0, 0) of an empty grid.

    Raises:
        OptionError: there is no such feature.
        ModelError: there are no rows, the budget does not hold what it takes (nothing has been asked then), or the
            model's answers cannot be used.

    References:
        Friedman (2001), Annals of Statistics 29, 1189-1232.

    >>> class Square:
    ...     name, kind, features, labels = "a square", "a function", ("a",), ("label0",)
    ...     def scores(self, rows: pa.Table) -> Doubles:
    ...         return np.square(rows["a"], dtype=float)[:, None]
    >>> rows = pa.table({"a": [0.0, 4.0]})
    >>> partial_dependence(Square(), rows, "a", grid_of(rows["a"], buckets=2)).tolist()
    [[1.0], [9.0]]
    """
    if feature not in rows.column_names:
        raise OptionError("feature", got=feature, expected="a column", choices=rows.column_names)
    if not rows.num_rows:
        raise ModelError(model.name, why="partial dependence needs 1 row, has 0")
    metered = model if isinstance(model, Metered) else Metered(model)
    metered.afford(len(grid.values) * rows.num_rows)
    at, field = rows.column_names.index(feature), rows.schema.field(feature)
    values = _typed(grid, field.type)
    means = []
    for value in values:
        total: Doubles | float = 0.0
        for start in range(0, rows.num_rows, BATCH):
            some = rows.slice(start, BATCH)
            column = pa.repeat(value, some.num_rows)
            same = field if column.type == field.type else feature
            total = total + metered.scores(some.set_column(at, same, column).combine_chunks()).sum(axis=0)
        means.append(total / rows.num_rows)
    return np.array(means) if means else np.empty((0, 0))


def _typed(grid: Grid, kind: pa.DataType) -> pa.Array:
    """A grid's values as a column of this type would hold them: whole where all of them are, text where numbers are."""
    values = grid.values
    if pa.types.is_integer(kind) and all(
        isinstance(value, float) and value.is_integer() for value in values.to_pylist()
    ):
        return values.cast(kind)
    return values.cast(pa.string()) if grid.numerical and is_text(kind) else values


def _found(column: pa.ChunkedArray | pa.Array, values: pa.Array) -> pa.Array:
    """Where each value stands among categories; null where it is none of them, whatever type it has."""
    try:
        texts = _texts(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):  # lists and the like
        return pa.nulls(len(column), pa.int32())
    return pc.index_in(texts, value_set=_texts(values))


def _texts(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Categories as texts, so that those of two samples are found whatever they are stored as."""
    column = one_chunk(column)
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column.cast(pa.string())
