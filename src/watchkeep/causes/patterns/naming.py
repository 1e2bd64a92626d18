"""Names the data bugs of a window's columns: every detector is asked, and the best explanation is told."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from watchkeep.causes.patterns.absences import absences, types
from watchkeep.causes.patterns.blends import mixed_signs, mixed_units, noises
from watchkeep.causes.patterns.curves import curves, standardised
from watchkeep.causes.patterns.digits import roundings
from watchkeep.causes.patterns.labels import Labels, labels_of
from watchkeep.causes.patterns.pairs import Pair, pair_of
from watchkeep.causes.patterns.pattern import Bug, Guess
from watchkeep.causes.patterns.recoding import merged, null_texts, recoded
from watchkeep.causes.patterns.recounting import recountings
from watchkeep.causes.patterns.scaling import offsets, signs, temperatures, unit_changes
from watchkeep.causes.patterns.spelling import affixes, cuts, spellings
from watchkeep.causes.patterns.stand_ins import clippings, stand_ins
from watchkeep.causes.patterns.swapping import swaps
from watchkeep.measures.columns import Column

OF_NUMBERS: Final[tuple[Callable[[Pair], Iterator[Guess]], ...]] = (
    clippings,
    curves,
    mixed_signs,
    mixed_units,
    noises,
    offsets,
    recountings,
    roundings,
    signs,
    stand_ins,
    standardised,
    temperatures,
    unit_changes,
)
"""The detectors of columns of numbers."""
OF_LABELS: Final[tuple[Callable[[Labels], Iterator[Guess]], ...]] = (
    affixes,
    cuts,
    merged,
    null_texts,
    recoded,
    spellings,
)
"""The detectors of columns of categories."""


def bugs_of(columns: Sequence[Column], changed: Collection[str], *, local: bool = False) -> dict[str, Bug]:
    """The data bug that explains each changed column best; columns that look like no known bug have none.

    A bug is named where the baseline's rows with the bug are as far from the window as chance allows, and the
    baseline's rows as they are are not; of several the one with the best fit, a plainer one first. A change that a
    population may go through, such as another mean, other shares or a new category, is no bug.

    Args:
        columns: columns of a window beside their baseline.
        changed: names of those that are known to have changed; others are not looked at.
        local: whether the rows are of a slice which alone has changed: a whole population seldom changes so.

    Returns:
        Column to bug.

    >>> bugs_of([], ["wait"])
    {}
    """
    with np.errstate(all="ignore"):
        return _best([column for column in columns if column.name in changed], local=local)


def _best(columns: Sequence[Column], *, local: bool) -> dict[str, Bug]:
    guesses: defaultdict[str, list[Guess]] = defaultdict(list)
    pairs: list[Pair] = []
    labels: list[Labels] = []
    for column in columns:
        found = guesses[column.name]
        pair, names = pair_of(column), labels_of(column)
        if pair is not None:
            pair = replace(pair, local=local)
            pairs.append(pair)
            for of_numbers in OF_NUMBERS:
                found += of_numbers(pair)
        if names is not None:
            labels.append(names)
            for of_labels in OF_LABELS:
                found += of_labels(names)
        moved = _moved(pair, names)
        found += [*absences(column, moved), *types(column, moved)]
    for name, guess in swaps(pairs, labels):
        guesses[name].append(guess)
    return {name: max(found, key=lambda guess: guess.worth).bug for name, found in guesses.items() if found}


def _moved(pair: Pair | None, labels: Labels | None) -> float:
    """How far a column's values are from the baseline's, beyond chance."""
    if pair is not None:
        return max(0.0, pair.gap - pair.chance)
    return 0.0 if labels is None else max(0.0, labels.gap - labels.chance())
