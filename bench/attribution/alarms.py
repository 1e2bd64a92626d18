"""False alarms on windows in which nothing has changed, and what is seen of changes, beside SageMaker's rule."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

import watchkeep as wk
from bench.attribution.tables import Subject, table_of
from watchkeep.core.undefined import Undefined
from watchkeep.monitors.attribution.limits import SAGEMAKER_LEAST

SIZES: Final = (500, 2_000)
_A_ROUND: Final = 40
"""Windows of one size with one baseline, at most."""


@dataclass(slots=True)
class Tally:
    """What windows of one kind said.

    Args:
        windows: how many.
        violating: with any limit violated.
        ringing: that ring by themselves.
        rule: in which NDCG is below 0.90.
    """

    windows: int = 0
    violating: int = 0
    ringing: int = 0
    rule: int = 0

    def add(self, report: wk.Report) -> None:
        """Count a window."""
        ndcg = report.measures["ndcg", "dataset"]
        assert not isinstance(ndcg, Undefined)
        self.windows += 1
        self.violating += bool(report.violations)
        self.ringing += report.decision.alarm
        self.rule += ndcg < SAGEMAKER_LEAST


@dataclass(frozen=True, slots=True)
class Change:
    """What may happen to a window.

    Args:
        about: the places of the columns it happens to, by attribution, among all features or among the numbers.
        apply: (values of one column, chance) to values.
        numbers: whether it needs numbers.
    """

    about: slice
    apply: Callable[[pd.Series, np.random.Generator], pd.Series]
    numbers: bool = False

    def columns(self, subject: Subject) -> tuple[str, ...]:
        """The columns of a table that it happens to; none where the table has no such column."""
        features = [name for name in subject.features if not self.numbers or _number(subject.rows[name])]
        return tuple(features[self.about])


def _number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and int(values.nunique()) > 2


def _shuffled(values: pd.Series, rng: np.random.Generator) -> pd.Series:
    return values.iloc[rng.permutation(len(values))].reset_index(drop=True)


def _missing(share: float) -> Callable[[pd.Series, np.random.Generator], pd.Series]:
    return lambda values, rng: values.mask(rng.random(len(values)) < share)


def _times(factor: float) -> Callable[[pd.Series, np.random.Generator], pd.Series]:
    return lambda values, _: values * factor


def _stuck(values: pd.Series, _: np.random.Generator) -> pd.Series:
    return values * 0 + values.median()


_FIRST, _SECOND, _ALL = slice(1), slice(1, 2), slice(None)

CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "first feature shuffled among rows": Change(_FIRST, _shuffled),
        "third feature shuffled among rows": Change(slice(2, 3), _shuffled),
        "first feature missing in a fifth of rows": Change(_FIRST, _missing(0.2)),
        "first feature missing": Change(_FIRST, _missing(1.0)),
        "five first features missing": Change(slice(5), _missing(1.0)),
        "first number times 1.1": Change(_FIRST, _times(1.1), numbers=True),
        "first number times 2": Change(_FIRST, _times(2.0), numbers=True),
        "first number stuck at its median": Change(_FIRST, _stuck, numbers=True),
        "second number times 2": Change(_SECOND, _times(2.0), numbers=True),
        "second number stuck at its median": Change(_SECOND, _stuck, numbers=True),
        "every number times 10": Change(_ALL, _times(10.0), numbers=True),
        "every number 0": Change(_ALL, _times(0.0), numbers=True),
    }
)


def unchanged(subject: Subject, windows: int) -> dict[int, Tally]:
    """So many windows of each size in which nothing has changed."""
    tallies = {size: Tally() for size in SIZES}
    for baseline, rest in _rounds(subject, np.random.default_rng(17)):
        for size, tally in tallies.items():
            for rows in _cut(rest, size, min(_A_ROUND, windows - tally.windows)):
                report = baseline.check(table_of(rows))
                if not tally.windows:
                    _same(subject, baseline, report, rows)
                tally.add(report)
        print(tallies, file=sys.stderr, flush=True)
        if all(tally.windows >= windows for tally in tallies.values()):
            break
    return tallies


def changed(subject: Subject, name: str, windows: int) -> dict[int, Tally]:
    """So many windows of each size with a change, two against each baseline."""
    change, tallies = CHANGES[name], {size: Tally() for size in SIZES}
    columns = change.columns(subject)
    if not columns:
        return tallies
    random = np.random.default_rng([18, list(CHANGES).index(name)])
    for baseline, rest in _rounds(subject, random):
        for size, tally in tallies.items():
            for rows in _cut(rest, size, min(2, windows - tally.windows)):
                moved = rows.assign(**{column: change.apply(rows[column], random) for column in columns})
                tally.add(baseline.check(table_of(moved)))
        if all(tally.windows >= windows for tally in tallies.values()):
            break
    return tallies


def _cut(rows: pd.DataFrame, size: int, most: int) -> Iterator[pd.DataFrame]:
    for at in range(min(most, len(rows) // size)):
        yield rows.iloc[size * at : size * (at + 1)].reset_index(drop=True)


def _same(subject: Subject, baseline: wk.Baseline, report: wk.Report, rows: pd.DataFrame) -> None:
    """Check that looking contributions up changes nothing."""
    asked = baseline.check(table_of(rows), model=subject.model)
    if dict(asked.measures) != dict(report.measures) or asked.decision.level != report.decision.level:
        raise ValueError("contributions that were looked up are not those of the model")


def _rounds(subject: Subject, random: np.random.Generator) -> Iterator[tuple[wk.Baseline, pd.DataFrame]]:
    """Baselines of rows that are shuffled anew for each, and the other rows."""
    first = subject.recipe.baseline
    while True:
        order = random.permutation(len(subject.rows))
        reference, rest = (
            subject.rows.iloc[part].reset_index(drop=True) for part in (order[:first], order[first:])
        )
        yield wk.Attribution(model=subject.remembered).baseline(table_of(reference)), rest
