"""A column of categories as detectors see it: shares by label, before and now, and what chance may do to them."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from watchkeep.measures.columns import Column
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.presence import Presence

LEAST_ROWS: Final = 30
"""Values on either side with fewer of which no bug is told from chance."""

Shares = Mapping[str, float]
Rename = Callable[[str], str]


@dataclass(frozen=True)
class Labels:
    """The categories of a column, in the baseline and in the window.

    Args:
        name: the column.
        before, now: share of the values of that side by label, those that occur; what is counted without a name is
            left out.
        rows_before, rows: values of each side.
        missing_before, missing: shares of rows that hold no value.
        held: the share of the window's rows that hold a value.
        unnamed: the share of the window's values that are counted without a name.
        blur: by how much the share of a label that the baseline does not have may be too low.
    """

    name: str
    before: Shares
    now: Shares
    rows_before: int
    rows: int
    missing_before: float
    missing: float
    held: float
    unnamed: float
    blur: float

    @cached_property
    def top(self) -> str:
        """The window's most frequent label."""
        return max(self.now, key=self.now.__getitem__)

    @cached_property
    def strangers(self) -> Shares:
        """The labels that only the window has."""
        return {label: share for label, share in self.now.items() if label not in self.before}

    @cached_property
    def gone(self) -> Shares:
        """The labels that the window should have, and has hardly any of, by their share of the baseline."""
        return {
            label: share
            for label, share in self.before.items()
            if share * self.rows >= 8 and self.now.get(label, 0.0) <= 0.02 * share
        }

    @cached_property
    def novelty(self) -> float:
        """The share of values with new labels that is to be expected: as many as occur once in the baseline."""
        once = sum(1 for share in self.before.values() if share * self.rows_before < 1.5)
        return once / self.rows_before

    @cached_property
    def strange(self) -> float:
        """The share of the window's values with a label that the baseline does not have."""
        return sum(self.strangers.values()) + self.unnamed

    @cached_property
    def gap(self) -> float:
        """How far the two sides are apart: total variation."""
        known = sum(abs(share - self.now.get(label, 0.0)) for label, share in self.before.items())
        return min(1.0, (known + self.strange) / 2)

    def chance(self, before: Shares | None = None) -> float:
        """How far apart two samples are by chance at most, but for few times in 300: mean and three deviations.

        Args:
            before: the shares that both are drawn from; the baseline's by default.
        """
        scale = 1 / self.rows + 1 / self.rows_before
        shares = (self.before if before is None else before).values()
        typical = sum(math.sqrt(max(0.0, share * (1 - share))) for share in shares)
        return math.sqrt(scale) * (typical / math.sqrt(2 * math.pi) + 0.9)

    def apart(self, before: Shares, now: Shares) -> float:
        """The total variation of two sets of shares, each of which may be too low by `blur` in the second."""
        found = 0.0
        for label in {**before, **now}:
            first, second = before.get(label, 0.0), now.get(label, 0.0)
            found += max(0.0, first - second - self.blur, second - first)
        return min(1.0, found / 2)


def labels_of(column: Column) -> Labels | None:
    """A column's categories on both sides; None when it has none, too few values, or too many labels to list."""
    if not column.type.categorical or column.role.identifies:
        return None
    listed, counts = column.before("categories", Frequencies), column.now("category_counts", CategoryCounts)
    presence = column.before("presence", Presence)
    if listed is None or counts is None or presence is None or not listed.exact:
        return None
    if listed.total < LEAST_ROWS or counts.total < LEAST_ROWS:
        return None
    ranked = listed.ranked()
    now = {
        label: count / counts.total
        for (label, _), count in zip(ranked, counts.counts.tolist(), strict=True)
        if count
    }
    now |= {label: count / counts.total for label, count in counts.rest.ranked() if count > 0}
    if not now:
        return None  # so many new labels that none is counted by name
    seen = column.presence
    return Labels(
        column.name,
        {label: count / listed.total for label, count in ranked},
        now,
        listed.total,
        counts.total,
        presence.missing / presence.rows if presence.rows else 0.0,
        seen.missing / seen.rows if seen.rows else 0.0,
        min(1.0, counts.total / max(1, seen.rows)),
        max(0.0, 1 - sum(now.values())),
        counts.rest.error / counts.total,
    )


def renamed(shares: Shares, by: Rename) -> dict[str, float]:
    """The shares of labels after each is renamed; those that become the same are added.

    >>> renamed({"a": 0.5, "A": 0.25, "b": 0.25}, str.lower)
    {'a': 0.75, 'b': 0.25}
    """
    out: defaultdict[str, float] = defaultdict(float)
    for label, share in shares.items():
        out[by(label)] += share
    return dict(out)


def short(label: str) -> str:
    """A label in quotes, not too long to read.

    >>> short("EWR"), short("x" * 80)[-5:]
    ("'EWR'", "xxx…'")
    """
    return repr(label if len(label) <= 24 else f"{label[:23]}…")
