"""Categories stay the known ones."""

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import CATEGORIES, NEW_CATEGORY
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.frames.schema import ColumnType
from watchkeep.states.frequencies import Frequencies

FEW = 120
"""Categories up to which the list is a domain (`lowCardinalityHistogramThreshold` of Deequ)."""
ONCE = 0.1
"""Share of categories seen only once up to which the list looks whole."""


def category_range(column: BaselineColumn) -> Constraint | None:
    """Every value in the baseline's list, when the list is short and almost no category was seen only once.

    References:
        The rule CategoricalRange of Deequ.
    """
    listed = _list(column)
    if listed is None or len(listed.counts) > FEW or _seen_once(listed) > ONCE * len(listed.counts):
        return None
    return Constraint(
        check=CATEGORIES,
        measure="domain_match",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=1.0,
        rule="CategoricalRange",
        reason=f"{listed.total:,} values fall in {len(listed.counts)} categories",
        evidence={"categories": len(listed.counts), "seen_once": _seen_once(listed), "values": listed.total},
        domain=tuple(name for name, _ in listed.ranked()),
    )


def new_categories(column: BaselineColumn) -> Constraint | None:
    """As few values of new categories as one more row of the baseline would bring, when the list is no domain.

    The chance that the next row is of a category not seen before is about the share of categories seen once (Good
    and Turing); the limit is twice that, for a window comes later than the baseline. Not for lists so open that
    most rows are new.

    References:
        Good (1953), Biometrika 40, 237-264.
    """
    listed = _list(column)
    if listed is None or category_range(column) is not None:
        return None
    expected = _seen_once(listed) / listed.total
    if expected > 0.25:
        return None
    return Constraint(
        check=NEW_CATEGORY,
        measure="domain_match",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=round(1 - min(1.0, 2 * expected + 0.001), 6),
        rule="FewNewCategories",
        reason=f"{_seen_once(listed)} of {listed.total:,} values are the only one of their category",
        evidence={"categories": len(listed.counts), "seen_once": _seen_once(listed), "values": listed.total},
    )


def _list(column: BaselineColumn) -> Frequencies | None:
    listed = column.part("categories", Frequencies)
    if listed is None or not listed.exact or not listed.total or column.role.identifies:
        return None
    return listed if column.type in (ColumnType.STRING, ColumnType.BOOLEAN) else None


def _seen_once(listed: Frequencies) -> int:
    return sum(count == 1 for count in listed.counts.values())
