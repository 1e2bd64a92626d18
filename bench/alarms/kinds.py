"""The kinds of change and their strengths, and how a change is drawn for a table: which column, which category."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from bench.alarms.changes import (
    Appeared,
    Change,
    Likelier,
    Misread,
    Moved,
    MovedWithin,
    Rated,
    Shuffled,
    Vanished,
)
from bench.alarms.columns import associations, categorical, graded, numbers

ASSOCIATED: Final = 0.2
"""Rank correlation that a column must have with another one, for its shuffling to be a change."""

Draw = Callable[[pd.DataFrame, str | None, float, np.random.Generator], Change | None]
"""(reference, label, strength, rng) to a change in a column drawn by lot; None where the table has no such column."""


def _one(names: list[str], rng: np.random.Generator) -> str | None:
    return names[int(rng.integers(len(names)))] if names else None


def _location(
    reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator
) -> Change | None:
    name = _one(graded(reference), rng)
    return None if name is None else Moved(name, shift=strength)


def _spread(
    reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator
) -> Change | None:
    name = _one(graded(reference), rng)
    return None if name is None else Moved(name, widen=strength)


def _categories(reference: pd.DataFrame, low: float, high: float) -> list[tuple[str, object]]:
    """Columns and categories that have between so many and so many of the rows."""
    return [
        (name, category)
        for name in categorical(reference)
        for category, share in reference[name].value_counts(normalize=True).items()
        if low <= share <= high
    ]


def _rate(reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator) -> Change | None:
    found = _categories(reference, 0.01, 0.5)
    name = _one(list(dict.fromkeys(each for each, _ in found)), rng)
    if name is None:
        return None
    own = [category for each, category in found if each == name]
    return Rated(name, own[int(rng.integers(len(own)))], strength)


def _new(reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator) -> Change | None:
    name = _one([each for each in reference.columns if reference[each].dtype == "category"], rng)
    return None if name is None else Appeared(name, strength)


def _missing(
    reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator
) -> Change | None:
    return Vanished(_one(list(reference.columns), rng) or "", strength)


def _unit(reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator) -> Change | None:
    name = _one(graded(reference), rng)
    return None if name is None else Misread(name, strength)


def _shuffle(
    reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator
) -> Change | None:
    name = _one([each for each, most in associations(reference).items() if most >= ASSOCIATED], rng)
    return None if name is None else Shuffled(name, strength)


def _subgroup(
    reference: pd.DataFrame, _: str | None, strength: float, rng: np.random.Generator
) -> Change | None:
    name = _one(graded(reference), rng)
    if name is None:
        return None
    groups = [each for each in _categories(reference, 0.1, 0.25) if each[0] != name]
    others = [each for each in graded(reference) if each != name]
    if groups:
        group, category = groups[int(rng.integers(len(groups)))]
        return MovedWithin(Moved(name, shift=strength), group, category=category)
    if not others:
        return None
    group = others[int(rng.integers(len(others)))]
    cut = float(np.nanquantile(numbers(reference[group]), 1 - rng.uniform(0.1, 0.25)))
    return MovedWithin(Moved(name, shift=strength), group, above=cut)


def _label(
    reference: pd.DataFrame, label: str | None, strength: float, _: np.random.Generator
) -> Change | None:
    if label is None:
        return None
    return Likelier(label, max(reference[label].dropna().unique()), strength)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change, at graded strengths.

    Args:
        says: the strengths' unit, for the page.
        strengths: from weak to strong.
        draw: makes one.
    """

    says: str
    strengths: tuple[float, ...]
    draw: Draw


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "location": Kind("sigmas of normal scores", (0.05, 0.1, 0.2, 0.4), _location),
        "spread": Kind("times the sigma of normal scores", (1.1, 1.25, 1.5), _spread),
        "category rate": Kind("share of rows moved to a category", (0.02, 0.05, 0.1), _rate),
        "new category": Kind("share of rows", (0.002, 0.01, 0.05), _new),
        "missing": Kind("share of rows", (0.005, 0.02, 0.1), _missing),
        "wrong unit": Kind("share of rows a thousand times as large", (0.005, 0.05, 1.0), _unit),
        "shuffled": Kind("share of rows whose value is another row's", (0.3, 0.6, 1.0), _shuffle),
        "subgroup": Kind("sigmas, in 10 to 25 % of the rows", (0.25, 0.5, 1.0), _subgroup),
        "label": Kind("added to the share of positive labels", (0.05, 0.1, 0.2), _label),
    }
)
