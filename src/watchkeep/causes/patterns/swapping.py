"""Two columns in each other's place."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from watchkeep.causes.patterns.labels import Labels
from watchkeep.causes.patterns.pairs import Pair, log_gap
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.pieces import gap, vagueness

APART: Final = 0.2
"""How far each window is from its own baseline at least: else the two columns are too alike to tell."""


def swaps(pairs: Sequence[Pair], labels: Sequence[Labels]) -> Iterator[tuple[str, Guess]]:
    """For each of two columns whose windows look like the other's baseline: the column, and the guess."""
    moved = [pair for pair in pairs if pair.gap > max(APART, 2 * pair.chance)]
    for one, two in combinations(moved, 2):
        if _like(one, two) and _like(two, one):
            left = (_left(one, two), _left(two, one))
            if left[0] <= one.chance + 0.05 and left[1] <= two.chance + 0.05:
                yield from _told((one.name, two.name), (one.held, two.held), (one.gap, two.gap), left)
    texts = [each for each in labels if each.gap > max(APART, 2 * each.chance())]
    for first, second in combinations(texts, 2):
        if first.top not in second.before or second.top not in first.before:
            continue
        far = (first.apart(second.before, first.now), second.apart(first.before, second.now))
        if far[0] <= first.chance(second.before) + 0.05 and far[1] <= second.chance(first.before) + 0.05:
            yield from _told(
                (first.name, second.name), (first.held, second.held), (first.gap, second.gap), far
            )


def _like(one: Pair, two: Pair) -> bool:
    """Whether mean and spread of one column's window are about those of the other's baseline."""
    spread = two.before.deviation
    if abs(one.now.mean - two.before.mean) > 0.5 * spread:
        return False
    if not spread or not one.now.deviation:
        return spread == one.now.deviation
    return log_gap(one.now.deviation, spread) < 0.7


def _left(one: Pair, two: Pair) -> float:
    if vagueness(two.before.pieces, one.now.pieces) > 0.3:
        return 1.0
    return gap(two.before.pieces, one.now.pieces)


def _told(
    names: tuple[str, str], held: tuple[float, float], before: tuple[float, float], left: tuple[float, float]
) -> Iterator[tuple[str, Guess]]:
    fits = [fit_of(gap_before, gap_after) for gap_before, gap_after in zip(before, left, strict=True)]
    if min(fits) < 0.75:
        return
    for place in (0, 1):
        name, other = names[place], names[1 - place]
        sentence = (
            f"{name}: values look like those of {other} in the baseline, and the other way round:"
            " the two seem swapped."
        )
        yield name, Guess(Bug(Pattern.SWAPPED, sentence, held[place], fits[place], other))
