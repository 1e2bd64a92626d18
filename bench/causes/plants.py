"""What breaks features in the world: bugs of units, codes, sensors, joins and spellings, and honest drift.

A kind knows which columns it can befall, not how important they are to a model. A plant that alters fewer than one in
twenty rows is none: another column is chosen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.alarms.changes import Appeared, Moved, Shuffled, Vanished

NUMBERS: Final = "numbers"
TEXTS: Final = "texts"
ANY: Final = "any"

_LEAST: Final = 0.05
_LEVELS: Final = 10
_STUCK: Final = 0.4
_NEW: Final = 0.15
_OTHER: Final = ("categories merged", "categories recoded")

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a kind works on.

    Args:
        window: rows without a change.
        reference: the baseline's rows, which tell medians, ranges and ranks.
        partners: with how many other features each feature hangs together.
        rng: chance.
    """

    window: pd.DataFrame
    reference: pd.DataFrame
    partners: Mapping[str, int]
    rng: np.random.Generator


Break = Callable[[Rows, str], pd.DataFrame | None]
"""(rows, column) to the window with that column broken; None where this kind cannot befall it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which a feature breaks.

    Args:
        name: a slug.
        says: what the page says.
        takes: columns of `NUMBERS`, of `TEXTS` or of `ANY`.
        apply: breaks a column.
        patterns: names under which a report may rightly tell this bug; empty where any name is wrong, and None where
            names are not judged.
    """

    name: str
    says: str
    takes: str
    apply: Break
    patterns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """A window in which a feature is broken.

    Args:
        window: its rows.
        columns: those of which any is rightly told: the one, or the two that changed places.
        altered: the share of rows whose value of the first is another one, in [0.05, 1].
    """

    window: pd.DataFrame
    columns: tuple[str, ...]
    altered: float


def plant(kind: Kind, rows: Rows) -> Plant | None:
    """Break one column, chosen by lot among all that the kind can befall; None where there is none.

    >>> rows = pd.DataFrame({"n": np.arange(100.0), "c": pd.Categorical(["a", "b"] * 50)})
    >>> found = plant(KINDS[0], Rows(rows, rows, {}, np.random.default_rng(1)))
    >>> found.columns, found.window["n"].tolist()[-1], found.altered
    (('n',), 99000.0, 0.99)
    """
    names = [str(name) for name in rows.window.columns if kind.takes in (ANY, _type(rows.window[name]))]
    for at in rows.rng.permutation(len(names)):
        after = kind.apply(rows, names[at])
        if after is None:
            continue
        altered = {name: _altered(rows.window[name], after[name]) for name in names}
        if altered[names[at]] >= _LEAST:
            others = [name for name, share in altered.items() if share and name != names[at]]
            return Plant(after, (names[at], *others), altered[names[at]])
    return None


def _type(values: pd.Series) -> str:
    return NUMBERS if pd.api.types.is_numeric_dtype(values) else TEXTS


def _altered(before: pd.Series, after: pd.Series) -> float:
    """The share of rows with another value, in [0, 1]; two missing values are the same."""
    old, new = before.astype(object), after.astype(object)
    gone = before.isna().to_numpy() & after.isna().to_numpy()
    same = np.asarray((old == new).fillna(False), np.bool_)
    return float(1 - np.mean(same | gone))


def _some(rows: Rows, share: float) -> Bools:
    chosen: Bools = rows.rng.random(len(rows.window)) < share
    return chosen


def _whole_like(values: pd.Series, after: pd.Series) -> pd.Series:
    """Whole numbers where the column has whole numbers: its type is what writes it."""
    return after.round().astype(np.int64) if pd.api.types.is_integer_dtype(values) else after


def scaled(factor: float, plus: float = 0.0) -> Break:
    """Another unit: x * factor + plus. Whole numbers become decimals unless both are whole."""

    def apply(rows: Rows, column: str) -> pd.DataFrame:
        whole = float(factor).is_integer() and float(plus).is_integer()
        by = int(factor) if whole else factor
        return rows.window.assign(**{column: rows.window[column] * by + (int(plus) if whole else plus)})

    return apply


def moved_by_sd(count: float) -> Break:
    """A constant is added: so many standard deviations, up or down."""

    def apply(rows: Rows, column: str) -> pd.DataFrame:
        values = rows.window[column]
        by = rows.rng.choice([-1, 1]) * count * rows.reference[column].std()
        return rows.window.assign(**{column: _whole_like(values, values + by)})

    return apply


def coded(code: int, share: float) -> Break:
    """A number that stands for "not known" in a share of the rows."""

    def apply(rows: Rows, column: str) -> pd.DataFrame:
        return rows.window.assign(**{column: rows.window[column].mask(_some(rows, share), code)})

    return apply


def missing(share: float) -> Break:
    """Values are gone in a share of the rows."""

    def apply(rows: Rows, column: str) -> pd.DataFrame:
        return Vanished(column, share).apply(rows.window, rows.reference, rows.rng)

    return apply


def stuck(rows: Rows, column: str) -> pd.DataFrame:
    """Every row has one value: that of a row that the baseline has seen."""
    known = rows.reference[column].dropna()
    value = known.iloc[int(rows.rng.integers(len(known)))]
    values = rows.window[column]
    return rows.window.assign(**{column: pd.Series([value] * len(values), dtype=values.dtype)})


def filled(rows: Rows, column: str) -> pd.DataFrame:
    """The median stands in for the value in 40 % of the rows."""
    median = rows.reference[column].quantile(0.5, interpolation="nearest")
    return rows.window.assign(**{column: rows.window[column].mask(_some(rows, _STUCK), median)})


def clipped(rows: Rows, column: str) -> pd.DataFrame | None:
    """Nothing is above the 75th percentile. A cap at the least value would be a stuck column."""
    cap = rows.reference[column].quantile(0.75, interpolation="nearest")
    if cap <= rows.reference[column].min():
        return None
    return rows.window.assign(**{column: rows.window[column].clip(upper=cap)})


def rounded(rows: Rows, column: str) -> pd.DataFrame:
    """About ten values are left: multiples of a tenth of what lies between the 1st and 99th percentiles."""
    values = rows.window[column]
    low, high = rows.reference[column].quantile([0.01, 0.99])
    step = (high - low) / _LEVELS
    if pd.api.types.is_integer_dtype(values):
        step = max(round(step), 1)
    if step == 0:
        return rows.window
    return rows.window.assign(**{column: _whole_like(values, (values / step).round() * step)})


def noisy(rows: Rows, column: str) -> pd.DataFrame:
    """Normal noise as wide as the column itself is added."""
    values = rows.window[column]
    noise = rows.rng.normal(0, rows.reference[column].std(), len(values))
    return rows.window.assign(**{column: _whole_like(values, values + noise)})


def shuffled(rows: Rows, column: str) -> pd.DataFrame | None:
    """The column belongs to other rows; it alone looks as before. Only where it hangs together with another one."""
    if not rows.partners[column]:
        return None
    return Shuffled(column, 1.0).apply(rows.window, rows.reference, rows.rng)


def swapped(rows: Rows, column: str) -> pd.DataFrame | None:
    """Two columns of a type change places."""
    window = rows.window
    own = _type(window[column])
    others = [str(name) for name in window.columns if name != column and _type(window[name]) == own]
    if not others:
        return None
    other = others[int(rows.rng.integers(len(others)))]
    return window.assign(**{column: window[other], other: window[column]})


def spelt(*ways: Callable[[str], str]) -> Break:
    """All texts are written in another way: the first that changes something, in an order by lot."""

    def apply(rows: Rows, column: str) -> pd.DataFrame:
        values = rows.window[column].astype(object)
        for at in rows.rng.permutation(len(ways)):
            after = values.map(ways[at], na_action="ignore")
            if _altered(values, after) >= _LEAST:
                break
        return rows.window.assign(**{column: after})

    return apply


def lumped(rows: Rows, column: str) -> pd.DataFrame:
    """A third of the categories, chosen by lot, are all called "other"."""
    known = [str(one) for one in rows.reference[column].dropna().unique()]
    gone = set(rows.rng.permutation(known)[: max(1, round(len(known) / 3))])
    values = rows.window[column].astype(object)
    return rows.window.assign(**{column: values.mask(values.isin(gone), "other")})


def appeared(rows: Rows, column: str) -> pd.DataFrame:
    """A category that nobody knew, in 15 % of the rows."""
    return Appeared(column, _NEW).apply(rows.window, rows.reference, rows.rng)


def drifted(rows: Rows, column: str) -> pd.DataFrame:
    """The world moves: half a standard deviation in normal scores of ranks, up or down."""
    shift = float(rows.rng.choice([-0.5, 0.5]))
    return Moved(column, shift).apply(rows.window, rows.reference, rows.rng)


KINDS: Final[Sequence[Kind]] = (
    Kind("times-1000", "multiplied by 1000", NUMBERS, scaled(1000), ("unit change",)),
    Kind("times-2.54", "multiplied by 2.54", NUMBERS, scaled(2.54), ("unit change",)),
    Kind("fahrenheit", "x * 1.8 + 32", NUMBERS, scaled(1.8, 32), ("unit change",)),
    Kind("sign", "sign flipped", NUMBERS, scaled(-1), ("sign flipped",)),
    Kind("offset", "3 sd added or taken off", NUMBERS, moved_by_sd(3), ("constant offset",)),
    Kind("code-999", "-999 in 10 % of rows", NUMBERS, coded(-999, 0.1), ("new null code",)),
    # Where 0 is a value like others, it is no new one.
    Kind("code-0", "0 in 20 % of rows", NUMBERS, coded(0, 0.2), ("new null code", "one value repeated")),
    Kind("missing", "20 % missing", ANY, missing(0.2), ("values gone missing",)),
    Kind("stuck", "stuck at one value", ANY, stuck, ("stuck at one value",)),
    Kind("filled", "the median in 40 % of rows", NUMBERS, filled, ("one value repeated",)),
    Kind("clipped", "clipped at the 75th percentile", NUMBERS, clipped, ("values clipped",)),
    Kind("rounded", "rounded to about ten values", NUMBERS, rounded, ("decimals cut",)),
    Kind("noise", "noise of 1 sd added", NUMBERS, noisy, ("noise added",)),
    Kind("shuffled", "shuffled among rows", ANY, shuffled, ()),
    Kind("swapped", "swapped with another column", ANY, swapped, ("columns swapped",)),
    Kind("truncated", "cut to 2 letters", TEXTS, spelt(lambda text: text[:2]), ("texts cut short",)),
    Kind("case", "other letter case", TEXTS, spelt(str.lower, str.upper), ("spelling changed",)),
    # A third of four categories is one: that one has another name then.
    Kind("lumped", 'a third of categories become "other"', TEXTS, lumped, _OTHER),
    # It may be a bug, and it may be news: no name is right or wrong.
    Kind("new", "a new category in 15 % of rows", TEXTS, appeared, None),
    Kind("drift", "drift: 0.5 sd of ranks", NUMBERS, drifted, ()),
)
"""All of them, in the page's order."""
