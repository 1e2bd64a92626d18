"""Explaining any model by asking it: Shapley values from rows mixed with a background, and partial dependence."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.service.models import Contributions, Doubles, Model
from watchkeep.stats.shapley import Design, Method, design

Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

BATCH: Final = 100_000
"""Rows a model is asked for at once; more only where the background alone has more."""
SURE: Final = 1e-9
"""Probabilities are held within [1e-9, 1 - 1e-9] before their log-odds are taken: at most 20.7 either way."""
BUCKETS: Final = 15
CATEGORIES: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledOptions:
    """How a model is explained by asking it.

    Args:
        method: how coalitions of features are chosen where not all are asked: see `stats.shapley`. Both are exact
            where all are, with 11 features or fewer unless `samples` are fewer.
        samples: coalitions of each row, at most; min(2 M + 2048, 2^M - 2) of M features if None.
        use_logit: explain log-odds, ln(p / (1 - p)), of scores that are probabilities, held within `SURE`.
        seed: of the coalitions drawn, >= 0. They are the same for every row.
        features_to_explain: the players; all if empty. The others keep the row's own values.
        budget: rows the model may be asked for in all, explaining and partial dependence together; no end if None.

    Raises:
        OptionError: one of them cannot be used.

    >>> SampledOptions(method="tree")
    Traceback (most recent call last):
    watchkeep.core.errors.OptionError: method: got 'tree', expected one of kernel, permutation
    """

    method: Method = "permutation"
    samples: int | None = None
    use_logit: bool = False
    seed: int = 0
    features_to_explain: tuple[str, ...] = ()
    budget: int | None = None

    def __post_init__(self) -> None:
        methods = get_args(Method)
        if self.method not in methods:
            raise OptionError(
                "method", got=self.method, expected=f"one of {', '.join(methods)}", choices=methods
            )
        if self.samples is not None and self.samples < 1:
            raise OptionError("samples", got=str(self.samples), expected="1 or more")
        if self.seed < 0:
            raise OptionError("seed", got=str(self.seed), expected="0 or more")
        if self.budget is not None and self.budget < 0:
            raise OptionError("budget", got=str(self.budget), expected="0 or more")
        if len(set(self.features_to_explain)) < len(self.features_to_explain):
            twice = next(
                name for name in self.features_to_explain if self.features_to_explain.count(name) > 1
            )
            raise OptionError("features_to_explain", got=twice, expected="each feature once")


class Metered:
    """A model that counts the rows it is asked for, refuses to pass a budget, and looks at what it answers.

    Args:
        model: who answers; if it is metered too, its budget holds as well.
        budget: rows, >= 0; no end if None.
    """

    def __init__(self, model: Model, budget: int | None = None) -> None:
        self._model, self._budget = model, budget
        self.spent = 0

    @property
    def name(self) -> str:
        """See `Model`."""
        return self._model.name

    @property
    def kind(self) -> str:
        """See `Model`."""
        return self._model.kind

    @property
    def features(self) -> tuple[str, ...]:
        """See `Model`."""
        return self._model.features

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Model`."""
        return self._model.labels

    @property
    def left(self) -> int:
        """Rows it may still be asked for; `sys.maxsize` where there is no end."""
        own = sys.maxsize if self._budget is None else self._budget - self.spent
        return min(own, self._model.left) if isinstance(self._model, Metered) else own

    def afford(self, rows: int) -> None:
        """See to it that so many rows can be asked for.

        Raises:
            ModelError: the budget does not hold them.
        """
        if rows > self.left:
            raise ModelError(
                self.name,
                why=f"this takes {rows:,} rows to be scored, and {self.left:,} are left of the budget",
            )

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: one row of finite numbers for each row asked for."""
        self.afford(rows.num_rows)
        self.spent += rows.num_rows
        scores = np.asarray(self._model.scores(rows), dtype=np.float64)
        if scores.ndim != 2 or len(scores) != rows.num_rows or not scores.shape[1]:
            raise ModelError(
                self.name, why=f"it gave scores of shape {scores.shape} for {rows.num_rows:,} rows"
            )
        if not np.isfinite(scores).all():
            raise ModelError(self.name, why="it gave a score that is no finite number")
        return scores


class Sampled:
    """Contributions to the scores of any model, found by asking it for rows mixed with a background.

    The worth of a coalition S of features, of a row x, is v(S) = mean over background rows b of
    score(x's values of S, b's values of the rest): the interventional game. Its Shapley values add up to
    score(x) - the mean score of the background. Each row takes (coalitions + 1) x background rows at most; the
    background is asked for once. A feature whose value all the background shares gets exactly 0.

    Results of a row depend on nothing but the row, the background and the options: rows may be explained in any order,
    together or apart.

    Of features that are not to be explained, values and errors are 0. The others then add up to
    score(x) - mean score(x's values of those left out, b's values of the rest), not to scores - expected.

    Args:
        model: who is asked. One that is `Metered` keeps its own budget too.
        background: rows that stand for "not known", of the columns that will be explained, 1 or more. The mean is
            over all of them, so a row that is to count twice stands there twice.
        options: see `SampledOptions`.

    Raises:
        OptionError: a feature to explain is not among the background's columns; too few samples for the method.
        ModelError: the background has no rows or no columns.

    References:
        Lundberg and Lee (2017), NeurIPS; Covert and Lee (2021), AISTATS; Castro and others (2009), Computers and
        Operations Research 36; Janzing and others (2020), AISTATS (why interventional).
    Conventions:
        With use_logit the log-odds are averaged over the background; `shap` takes those of the averaged score.

    >>> class Sum:
    ...     name, kind, features, labels = "a sum", "a function", ("a", "b"), ("label0",)
    ...     def scores(self, rows: pa.Table) -> Doubles:
    ...         return np.add(rows["a"], rows["b"], dtype=float)[:, None]
    >>> told = Sampled(Sum(), pa.table({"a": [0, 2], "b": [0, 0]})).contributions(pa.table({"a": [5], "b": [3]}))
    >>> told.values.tolist(), told.expected.tolist()
    ([[[4.0, 3.0]]], [1.0])
    """

    def __init__(self, model: Model, background: pa.Table, options: SampledOptions | None = None) -> None:
        options = options or SampledOptions()
        names = tuple(background.column_names)
        if not names or not background.num_rows:
            raise ModelError(model.name, why="explaining it needs a background of 1 row and 1 feature")
        for name in options.features_to_explain:
            if name not in names:
                raise OptionError("features_to_explain", got=name, expected="a feature", choices=names)
        explained = options.features_to_explain or names
        self._players = np.array([at for at, name in enumerate(names) if name in explained])
        self._design: Design = design(
            len(self._players), method=options.method, samples=options.samples, seed=options.seed
        )
        self._background, self._options = background, options
        self._members = _members(self._design.coalitions, self._players, len(names))
        self._model = Metered(model, options.budget)
        self._expected: Doubles | None = None

    @property
    def model(self) -> Metered:
        """The model on this budget; partial dependence that asks it counts as well."""
        return self._model

    @property
    def coalitions(self) -> int:
        """How many coalitions are asked for each row, besides nobody and everybody."""
        return len(self._design.coalitions)

    def rows_needed(self, rows: int) -> int:
        """Rows the model would be asked for to explain so many: coalitions, the rows, the background if not known."""
        return rows * self._of_each() + (self._background.num_rows if self._expected is None else 0)

    def affordable(self) -> int:
        """How many more rows can be explained within the budget; very many where there is none."""
        return max(0, self._model.left - self.rows_needed(0)) // self._of_each()

    def contributions(self, rows: pa.Table) -> Contributions:
        """Contributions to the scores of some rows, with standard errors; these are 0 where all coalitions are asked.

        Args:
            rows: the background's columns, in its order.

        Raises:
            ModelError: the budget does not hold what it takes (nothing has been asked then), the columns are others,
                or the model's answers cannot be used.
        """
        joined = self._joined(rows)
        self._model.afford(self.rows_needed(rows.num_rows))
        if self._expected is None:
            self._expected = _mean(self._all_asked(joined.slice(rows.num_rows))[None])[0]
        expected, labels = self._expected, len(self._expected)
        scores = self._all_asked(joined.slice(0, rows.num_rows)) if rows.num_rows else np.empty((0, labels))
        values = np.zeros((rows.num_rows, labels, rows.num_columns))
        errors = np.zeros_like(values)
        idle = _idle(joined, rows.num_rows)[:, self._players]
        for row, worth in self._worths(joined, rows.num_rows, labels):
            for label in range(labels):
                nobody = expected[label] if self._all_play() else worth[-1, label]
                phi, error = self._design.divide(
                    np.ascontiguousarray(worth[: self.coalitions, label]),
                    nobody=float(nobody),
                    everybody=float(scores[row, label]),
                    idle=idle[row],
                )
                values[row, label, self._players], errors[row, label, self._players] = phi, error
        return Contributions(values, scores, expected.copy(), errors)

    def _all_play(self) -> bool:
        return bool(len(self._players) == self._members.shape[1])

    def _of_each(self) -> int:
        rows: int = self._background.num_rows
        return len(self._members) * rows + 1

    def _joined(self, rows: pa.Table) -> pa.Table:
        """The rows, then the background, of the same types and without chunks."""
        if rows.column_names != self._background.column_names:
            raise ModelError(self._model.name, why="the columns to explain are not those of the background")
        background = self._background
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError):
            background = background.cast(rows.schema)  # where that fails, a type of both is found below
        try:
            joined = pa.concat_tables([rows, background], promote_options="permissive")
        except pa.ArrowException as error:
            raise ModelError(
                self._model.name, why=f"the background has columns of other types: {error}"
            ) from error
        return joined.unify_dictionaries().combine_chunks()

    def _all_asked(self, rows: pa.Table) -> Doubles:
        return np.concatenate(
            [self._asked(rows.slice(at, BATCH)) for at in range(0, rows.num_rows, BATCH)], dtype=np.float64
        )

    def _asked(self, rows: pa.Table) -> Doubles:
        """Scores on the scale that is explained."""
        scores = self._model.scores(rows)
        if self._expected is not None and scores.shape[1] != len(self._expected):
            raise ModelError(
                self._model.name, why="it gives scores of more labels at one time than at another"
            )
        if not self._options.use_logit:
            return scores
        if scores.min(initial=0.0) < 0 or scores.max(initial=0.0) > 1:
            raise ModelError(self._model.name, why="log-odds need scores in [0, 1]; do without use_logit")
        held = np.clip(scores, SURE, 1 - SURE)
        odds: Doubles = np.log(held) - np.log1p(-held)
        return odds

    def _worths(self, joined: pa.Table, rows: int, labels: int) -> Iterator[tuple[int, Doubles]]:
        """For each row the worth of each kind of synthetic row, shape (kinds, labels)."""
        members, kinds = self._members, len(self._members)
        at_once = max(1, BATCH // (joined.num_rows - rows))  # cells: pairs of a row and a kind
        block = max(1, at_once // max(1, kinds))
        for first in range(0, rows, block):
            some = min(block, rows - first)
            worths = np.empty((some * kinds, labels))
            for at in range(0, len(worths), at_once):
                part = np.arange(at, min(at + at_once, len(worths)))
                worths[part] = self._cells(joined, first + part // kinds, members[part % kinds], rows)
            for row in range(some):
                yield first + row, worths[row * kinds : (row + 1) * kinds]

    def _cells(self, joined: pa.Table, row: Ints, members: Mask, rows: int) -> Doubles:
        """The mean score of some cells, each a row and who of it is taken; shape (cells, labels)."""
        background = np.arange(rows, joined.num_rows)
        columns = [
            _chunk(column).take(pa.array(np.where(mine[:, None], row[:, None], background).ravel()))
            for column, mine in zip(joined.columns, members.T, strict=True)
        ]
        scores = self._asked(pa.table(columns, schema=joined.schema))
        return _mean(scores.reshape(len(row), len(background), -1))


def _members(coalitions: Mask, players: Ints, columns: int) -> Mask:
    """Which columns have the row's own value, in each kind of synthetic row; shape (kinds, columns).

    Where features are left out, the worth of nobody is another for each row, and comes last.
    """
    kinds = coalitions
    if len(players) < columns:
        kinds = np.concatenate([coalitions, np.zeros((1, len(players)), dtype=np.bool_)])
    members = np.ones((len(kinds), columns), dtype=np.bool_)
    members[:, players] = kinds
    return members


def _mean(scores: Doubles) -> Doubles:
    """Mean over the second axis, by halves: its bits do not depend on what else is in the batch."""
    total, several = scores, scores.shape[1]
    while total.shape[1] > 1:
        half = total.shape[1] // 2
        rest = total[:, 2 * half :]
        total = np.concatenate([total[:, :half] + total[:, half : 2 * half], rest], axis=1)
    mean: Doubles = total[:, 0] / several
    return mean


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _idle(joined: pa.Table, rows: int) -> Mask:
    """Which values are those of every background row, shape (rows, columns); never lists and the like."""
    idle = np.zeros((rows, joined.num_columns), dtype=np.bool_)
    for at, column in enumerate(joined.columns):
        try:
            codes = _codes(_chunk(column))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            continue  # what cannot be compared is asked for like any other
        if (codes[rows:] == codes[-1]).all():
            idle[:, at] = codes[:rows] == codes[-1]
    return idle


def _codes(column: pa.Array) -> Ints:
    """Equal where values are; -1 where there is none."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes: Ints = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return codes


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
    at, kind = rows.column_names.index(feature), rows.schema.field(feature).type
    values = grid.values
    if pa.types.is_integer(kind) and all(value.is_integer() for value in values.to_pylist()):
        values = values.cast(kind)
    means = []
    for value in values:
        total: Doubles | float = 0.0
        for start in range(0, rows.num_rows, BATCH):
            some = rows.slice(start, BATCH)
            total = total + metered.scores(
                some.set_column(at, feature, pa.repeat(value, some.num_rows)).combine_chunks()
            ).sum(axis=0)
        means.append(total / rows.num_rows)
    return np.array(means) if means else np.empty((0, 0))
