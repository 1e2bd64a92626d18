"""Explaining any model by asking it: Shapley values from rows mixed with a background."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.service.attribution.metering import BATCH, Metered
from watchkeep.service.attribution.models import Contributions, Doubles, Model
from watchkeep.stats.shapley import Design, Method, design

Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

SURE: Final = 1e-9
"""Probabilities are held within [1e-9, 1 - 1e-9] before their log-odds are taken: at most 20.7 either way."""


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

    def affordable(self, *, spare: int = 0) -> int:
        """How many more rows can be explained within the budget, `spare` rows of it left; very many without end."""
        return max(0, self._model.left - spare - self.rows_needed(0)) // self._of_each()

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
                self._model.name, why=f"these rows have columns of other types than the baseline: {error}"
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
