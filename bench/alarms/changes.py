"""Changes that are put into windows: values that say what they do, how strongly, and to which column."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from bench.alarms.columns import Reals, numbers

NEW: Final = "new category"
UNIT: Final = 1000

Mask = npt.NDArray[np.bool_]


class Change(Protocol):
    """A change of given strength in given columns."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to be named; empty when the change is one of all columns."""
        ...

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """The window with the change in it; the argument is not changed.

        Args:
            window: rows without a change.
            reference: rows that tell ranks and shares: the baseline's.
            rng: chance.
        """
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """Normal scores of a column's ranks, times `widen`, plus `shift`; the values are those of the new ranks."""

    column: str
    shift: float = 0.0
    widen: float = 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """All rows that have a value are moved."""
        return window.assign(**{self.column: self.values(window[self.column], reference, rng)})

    def values(self, series: pd.Series, reference: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
        """The moved values."""
        known = np.sort(numbers(reference[self.column].dropna()))
        old = numbers(series)
        # Equal values share their ranks by lot, so that a change moves the right share of them.
        low, high = np.searchsorted(known, old, "left"), np.searchsorted(known, old, "right")
        ranks = (low + rng.random(len(old)) * (high - low)) / len(known)
        half = 0.5 / len(known)
        scores = self.widen * ndtri(np.clip(ranks, half, 1 - half)) + self.shift
        places = np.clip((ndtr(scores) * len(known)).astype(np.intp), 0, len(known) - 1)
        return _like(series, np.where(np.isnan(old), np.nan, known[places]))


@dataclass(frozen=True, slots=True)
class MovedWithin:
    """A column moved in one subgroup only: rows of a category, or rows at the top of another column of numbers."""

    moved: Moved
    group: str
    category: object = None
    above: float = np.inf

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that moves; the subgroup's column does not."""
        return self.moved.columns

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Only rows of the subgroup are moved."""
        values = window[self.group]
        inside = (
            numbers(values) > self.above
            if self.category is None
            else (values == self.category).to_numpy(np.bool_, na_value=False)
        )
        after = self.moved.values(window[self.moved.column], reference, rng)
        return window.assign(**{self.moved.column: after.where(inside, window[self.moved.column])})


@dataclass(frozen=True, slots=True)
class Rated:
    """A category that has more rows: so many of all rows are moved to it from the others."""

    column: str
    category: object
    share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Rows of other categories take this one by lot."""
        own = float((reference[self.column] == self.category).mean())
        values = window[self.column]
        picked = rng.random(len(window)) * (1 - own) < self.share
        picked &= (values != self.category).to_numpy(np.bool_, na_value=False)
        return window.assign(**{self.column: values.mask(picked, self.category)})


@dataclass(frozen=True, slots=True)
class Appeared:
    """A category that the baseline does not know, in a share of the rows."""

    column: str
    share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Rows take it by lot."""
        del reference
        values = window[self.column].cat.add_categories([NEW])
        return window.assign(**{self.column: values.mask(rng.random(len(window)) < self.share, NEW)})


@dataclass(frozen=True, slots=True)
class Vanished:
    """A share of a column's values that are missing now."""

    column: str
    share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Rows lose their value by lot; whole numbers stay whole numbers."""
        del reference
        values = window[self.column]
        values = values.astype("Int64") if pd.api.types.is_integer_dtype(values) else values
        return window.assign(**{self.column: values.mask(rng.random(len(window)) < self.share)})


@dataclass(frozen=True, slots=True)
class Misread:
    """A wrong unit: a share of a column's values is a thousand times as large."""

    column: str
    share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Rows are multiplied by lot."""
        del reference
        values = window[self.column]
        picked = rng.random(len(window)) < self.share
        return window.assign(**{self.column: values.mask(picked, values * UNIT)})


@dataclass(frozen=True, slots=True)
class Shuffled:
    """A column that no longer belongs to its row, in a share of the rows: every column alone stays as it is."""

    column: str
    share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Values of rows drawn by lot change places among each other."""
        del reference
        places = np.arange(len(window))
        picked = places[rng.random(len(window)) < self.share]
        places[picked] = rng.permutation(picked)
        values = window[self.column]
        return window.assign(**{self.column: values.take(places).set_axis(window.index)})


@dataclass(frozen=True, slots=True)
class Likelier:
    """A label that is positive more often: rows without it are replaced by rows of the window that have it."""

    column: str
    positive: object
    raised: float

    @property
    def columns(self) -> tuple[str, ...]:
        """None: all columns that hang together with the label change with it."""
        return ()

    def apply(self, window: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Rows without the label are replaced by lot, so that what belongs to a label stays with it."""
        positive = (window[self.column] == self.positive).to_numpy(np.bool_, na_value=False)
        rate = float((reference[self.column] == self.positive).mean())
        replaced = np.flatnonzero(~positive & (rng.random(len(window)) * (1 - rate) < self.raised))
        donors = np.flatnonzero(positive)
        if not len(donors):
            return window
        places = np.arange(len(window))
        places[replaced] = rng.choice(donors, len(replaced))
        return window.take(places).set_axis(window.index)


def _like(series: pd.Series, values: Reals) -> pd.Series:
    """Values in the type of a column, so far as it can hold them."""
    if pd.api.types.is_integer_dtype(series) and not np.isnan(values).any():
        return pd.Series(values.astype(np.int64), index=series.index)
    return pd.Series(values, index=series.index)
