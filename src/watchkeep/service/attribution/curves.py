"""The curves of the features that answers rest on most, as far as the budget goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.core.undefined import Undefined
from watchkeep.frames.buffers import positions
from watchkeep.frames.schema import column_type
from watchkeep.monitors.attribution.dependence import FEATURES, ROWS, Category, Curve, Dependence
from watchkeep.monitors.attribution.measures import Attributed
from watchkeep.monitors.attribution.plan import Place
from watchkeep.service.attribution.dependence import Grid, grid_of, known_values, partial_dependence
from watchkeep.service.attribution.metering import Metered

LEAST: Final = 30
"""Rows a curve is the mean over, at the least: with fewer it is left out, for it would tell of these rows."""


def largest(features: Sequence[str], *sides: Mapping[Place, Attributed]) -> tuple[str, ...]:
    """The features with the largest share of all attribution on any side, over all rows; `FEATURES` at the most."""
    shares = np.zeros(len(features))
    for side in sides:
        of_labels = [one.shares for place, one in side.items() if place.segment is None]
        if of_labels:
            shares = np.maximum(shares, np.sum(of_labels, axis=0))
    order = np.argsort(-shares, kind="stable")[:FEATURES]
    return tuple(features[at] for at in order.tolist())


def spread(rows: pa.Table, most: int) -> pa.Table:
    """Some of many rows, evenly from the first to the last.

    >>> spread(pa.table({"age": [1, 2, 3, 4, 5]}), 3)["age"].to_pylist()
    [1, 3, 5]
    """
    if rows.num_rows <= most:
        return rows.combine_chunks()
    at = np.linspace(0, rows.num_rows - 1, most).round().astype(np.intp)
    return rows.take(positions(at)).combine_chunks()


def curves(
    asked: Metered,
    features: Sequence[str],
    kept: pa.Table,
    window: pa.Table | Undefined | None = None,
    *,
    known: Sequence[Dependence] = (),
) -> tuple[Dependence, ...]:
    """The curves of some features, those that matter most first, until the budget is spent.

    Each is the mean over `ROWS` rows, or over fewer where all of them are affordable then. One that cannot be drawn
    tells why; once a model does not answer, it is asked no more.

    Args:
        asked: the model, on what is left of the budget.
        features: the largest attribution first.
        kept: rows of the baseline: all the model's features.
        window: rows of the window, or why there are none; None for a baseline by itself.
        known: curves of the baseline that were told before; they are not asked for again.
    """
    before = {one.feature: one.baseline for one in known if isinstance(one.baseline, Curve)}
    asking = _Asking(asked, kept, window, before)
    grids = {name: asking.grid(name) for name in features}
    asking.share_out(list(grids.items()))
    return tuple(asking.both(name, grid) for name, grid in grids.items())


def left_out(features: Sequence[str], kept: pa.Table | None, why: Undefined) -> tuple[Dependence, ...]:
    """No curve of these features, and why.

    >>> left_out(["age"], pa.table({"age": [41]}), Undefined("nobody answers"))[0].numerical
    True
    """
    numbers = set() if kept is None else {one.name for one in kept.schema if column_type(one.type).numeric}
    return tuple(Dependence(name, name in numbers, (), why) for name in features)


@dataclass(slots=True, eq=False)
class _Asking:
    """Curves that are asked for one after the other.

    Args:
        asked, kept, window: see `curves`.
        known: the baseline's curves that were told before, by feature.
        rows: how many a curve is the mean over, at the most.
        silent: why nobody is asked any more.
    """

    asked: Metered
    kept: pa.Table
    window: pa.Table | Undefined | None
    known: Mapping[str, Curve]
    rows: int = ROWS
    silent: Undefined | None = None

    def grid(self, feature: str) -> Grid | Undefined:
        """The baseline's grid of a feature, or why it has none."""
        try:
            grid = grid_of(known_values(self.kept, feature))
        except OptionError as error:
            return Undefined(f"its values are {error.got}, {error.expected} are needed")
        return grid if len(grid.values) else Undefined("no row of the baseline has a value")

    def share_out(self, grids: Sequence[tuple[str, Grid | Undefined]]) -> None:
        """Take fewer rows for each curve where the budget does not hold the most for all."""
        of_window = isinstance(self.window, pa.Table)
        sides = sum(
            len(grid.values) * (of_window + (name not in self.known))
            for name, grid in grids
            if isinstance(grid, Grid)
        )
        self.rows = min(ROWS, max(LEAST, self.asked.left // max(1, sides)))

    def both(self, feature: str, grid: Grid | Undefined) -> Dependence:
        """A feature's curves."""
        if isinstance(grid, Undefined):
            numerical = column_type(self.kept.schema.field(feature).type).numeric
            return Dependence(feature, numerical, (), grid, None if self.window is None else grid)
        before = self.known.get(feature) or self.curve(self.kept, feature, grid)
        now = self.curve(self.window, feature, grid) if isinstance(self.window, pa.Table) else self.window
        return Dependence(feature, grid.numerical, _listed(grid), before, now)

    def curve(self, rows: pa.Table, feature: str, grid: Grid) -> Curve | Undefined:
        """The curve of some rows, or why there is none."""
        if self.silent is not None:
            return self.silent
        some, shares = spread(rows, self.rows), grid.shares(rows.column(feature))
        try:
            means = partial_dependence(self.asked, some, feature, grid)
        except ModelError as error:
            why = Undefined(error.why)
            self.silent = why if error.answering else None
            return why
        except Exception as error:  # noqa: BLE001 (a model's own, whatever it is: the report does not fail by it)
            self.silent = Undefined(f"the model raised {type(error).__name__}: {error}")
            return self.silent
        return Curve(means.T, shares, some.num_rows)


def _listed(grid: Grid) -> tuple[Category, ...]:
    if grid.numerical:
        return tuple(float(f"{value:.12g}") for value in grid.values.to_pylist())
    return tuple(
        value if isinstance(value, str | bool | int) else str(value) for value in grid.values.to_pylist()
    )
