"""Decisions in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from watchkeep.alarms.decision import Decision, Outcome
from watchkeep.alarms.witness import Change
from watchkeep.core.window import iso

KINDS: Final[Mapping[str, str]] = {
    Change.LOCATION: "higher or lower",
    Change.SPREAD: "wider or narrower",
    Change.SHAPE: "distributed otherwise",
    Change.CATEGORY: "other shares of its categories",
    Change.MISSING: "other share of missing values",
    Change.OUTSIDE: "values outside the baseline's range",
    Change.FAR: "values far outside the baseline's range",
    Change.STRANGE: "values the baseline never had",
    Change.RELATION: "related otherwise to the other columns",
    Change.MEAN: "worse",
    Change.WEIGHT: "other weight",
    Change.GAP: "treated otherwise, beside the others",
    Change.SIZE: "a larger or smaller share of the rows",
}
"""What each kind of change looks like."""
_NAMED = 4


def sentence(decision: Decision) -> str:
    """A decision in words.

    >>> decision = Decision(key="k", digest="d", number=0, start=None, end=None, rows=900, outcome=Outcome.UNCHANGED,
    ...     level=0.02, alarm=False, warning=False, open=None)
    >>> sentence(decision)
    'Not changed: the evidence is 2 % of what it takes to ring.'
    """
    if decision.outcome is Outcome.TOO_LITTLE:
        return f"Too little data to tell: {decision.why}."
    if decision.alarm:
        return f"Changed: {_named(decision)}{_since(decision)}."
    share = f"{100 * decision.level:.2g} % of what it takes to ring"
    if decision.outcome is Outcome.CHANGED:
        return f"Changed before, in {_window(decision.open)}; the evidence of a further change is {share}."
    watched = (
        f"Worth a look: {_named(decision)}{_since(decision)}; the" if decision.warning else "Not changed: the"
    )
    return f"{watched} evidence is {share}.{_silence(decision)}"


def _named(decision: Decision) -> str:
    if not decision.named:
        return "nothing by itself"
    parts = [
        f"{name} ({KINDS.get(decision.changes.get(name, ''), 'changed')})" for name in decision.named[:_NAMED]
    ]
    more = len(decision.named) - _NAMED
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def _since(decision: Decision) -> str:
    if decision.windows < 2:
        return ""
    begin = f", since {iso(decision.since)}" if isinstance(decision.since, datetime) else ""
    return f"{begin} ({decision.windows} windows)"


def _silence(decision: Decision) -> str:
    if decision.warning or not decision.shift:
        return ""
    lasting = f", had it lasted for {decision.lasting} windows" if decision.lasting > 1 else ""
    return (
        f" A shift of {decision.shift:.2g} standard deviations in one column would have been seen{lasting}."
    )


def _window(key: str | None) -> str:
    return "an earlier window" if key is None or "/" not in key else f"the window {key}"
