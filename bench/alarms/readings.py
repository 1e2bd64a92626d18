"""What a tool says of a window, and what tools are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

import pandas as pd

from bench.alarms.streams import Look


@dataclass(frozen=True, slots=True)
class Reading:
    """What one tool says of one window.

    Args:
        level: the number it holds against its limit; the larger, the more has changed.
        columns: the same by column, or each column's share of it.
        named: the columns it names, first one first; None when it names those whose number reaches the limit.
    """

    level: float
    columns: Mapping[str, float] = field(default_factory=dict)
    named: tuple[str, ...] | None = None


Readings = Mapping[str, Reading]
"""By tool."""


class Observer(Protocol):
    """Looks at one window after the other."""

    def look(self, window: Look) -> Readings:
        """What each tool of the group says of a window."""
        ...


class Learner(Protocol):
    """A baseline, as tools of a group keep it."""

    def start(self) -> Observer:
        """Observe from the first window on: nothing is remembered of others."""
        ...


class Group(Protocol):
    """Tools that share their work, and so run together."""

    def fit(self, reference: pd.DataFrame, *, series: bool) -> Learner:
        """Learn a baseline.

        Args:
            reference: its rows.
            series: whether they have times, in the column `at`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A rule that rings.

    Args:
        group: the tools it runs with.
        says: what the page calls it.
        limit: it rings at this level and above, unless told otherwise.
        peer: whether it is a release of another project, run as it is.
    """

    group: str
    says: str
    limit: float
    peer: bool = False


P_05: Final = 1.3010299956639813
"""-log10 of 0.05."""

TOOLS: Final[Mapping[str, Tool]] = MappingProxyType(
    {
        "watchkeep": Tool("watchkeep", "**Watchkeep**, the watch", 1.0),
        "watchkeep-check": Tool("watchkeep", "Watchkeep, each check alone", 1.0),
        "psi": Tool("rules", "rule: PSI > 0.2 in any column", 0.2),
        "ks-chi2": Tool("rules", "rule: KS or chi-square p < .05 in any column", P_05),
        "bonferroni": Tool("rules", "rule: the same at .05 / columns", 1.0),
        "sagemaker-drift": Tool("rules", "rule: SageMaker's drift check", 0.1),
        "nannyml-js": Tool("nannyml", "NannyML, univariate Jensen-Shannon", 1.0, peer=True),
        "nannyml-pca": Tool("nannyml", "NannyML, PCA reconstruction", 1.0, peer=True),
        "evidently-column": Tool("evidently", "Evidently, any column", 1.0, peer=True),
        "evidently-dataset": Tool("evidently", "Evidently, half of the columns", 0.5, peer=True),
        "alibi-tabular": Tool("alibi-detect", "alibi-detect, TabularDrift", 1.0, peer=True),
        "whylogs-drift": Tool("whylogs", "whylogs, any column in drift", P_05, peer=True),
    }
)
"""In the page's order; rules are our words for what others do, peers are the others themselves."""
