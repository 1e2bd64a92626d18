"""Rows that stand for others: whether they count as many."""

from dataclasses import replace
from typing import TypeVar

from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.monitors.findings import Findings, Weighing
from watchkeep.service.ports import EVER, Ask, Source, weight_of

F = TypeVar("F", bound=Findings)


def with_own_weight(source: Source, roles: Roles, window: Window = EVER) -> Roles:
    """The roles, and the column of weights that a source has of its own, where they name none."""
    weight = own_weight(source, roles, window)
    return roles if weight is None else replace(roles, weight=weight)


def own_weight(source: Source, roles: Roles, window: Window) -> str | None:
    """The column of weights that a source has of its own, where no role names one; None where there is none.

    Args:
        source: the window's rows.
        roles: which column is what.
        window: only rows of this time.
    """
    if roles.weight is not None:
        return None
    return weight_of(source, Ask(timestamp=roles.timestamp, window=window))


def weighed(findings: F, column: str | None, *, used: bool) -> F:
    """Findings that say how rows counted.

    Args:
        findings: of a window.
        column: of the source's own weights; None where it has none.
        used: whether rows counted by them.
    """
    return findings if column is None else replace(findings, weighing=Weighing(column, used))
