"""Rows that stand for others: whether they count as many."""

from dataclasses import replace
from typing import TypeVar

from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.monitors.findings import Findings, Weighing
from watchkeep.service.ports import EVER, Ask, Source, Weights, weights_of

F = TypeVar("F", bound=Findings)


def with_own_weight(source: Source, roles: Roles, window: Window = EVER) -> Roles:
    """The roles, and the column of weights that a source has of its own, where they name none."""
    weights = own_weights(source, roles, window)
    return roles if weights is None else replace(roles, weight=weights.column)


def own_weights(source: Source, roles: Roles, window: Window) -> Weights | None:
    """The weights that a source has of its own, where no role names some; None where there are none.

    Args:
        source: the window's rows.
        roles: which column is what.
        window: only rows of this time.
    """
    if roles.weight is not None:
        return None
    return weights_of(source, Ask(timestamp=roles.timestamp, window=window))


def weighed(findings: F, weights: Weights | None, *, used: bool = True, even: bool = False) -> F:
    """Findings that say how rows counted.

    Args:
        findings: of a window.
        weights: the source's own; None where it has none.
        used: whether rows counted by them.
        even: whether they did by leaving rows out, so that all the others stand for the same number.
    """
    if weights is None:
        return findings
    even = even and used and weights.least < weights.most
    return replace(findings, weighing=Weighing(weights.column, used, even))
