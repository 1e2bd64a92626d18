"""Some of the rows of a source: those of which a rule holds."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import Segment, parse_segment
from watchkeep.monitors.findings import Findings
from watchkeep.service.chosen import Chosen
from watchkeep.service.joining import Labelled
from watchkeep.service.ports import RULE, Ask, Source, Weights, weights_of

F = TypeVar("F", bound=Findings)


@dataclass(frozen=True, slots=True)
class Where(Chosen):
    """The rows of a segment. Those outside are not analysed; they are counted, and are no rejected rows.

    Args:
        source: all the rows.
        segment: which of them.
    """

    segment: Segment

    @property
    def needed(self) -> Collection[str]:
        """The columns of the rule."""
        return self.segment.columns

    @property
    def name(self) -> str:
        """The source's, and the rule."""
        return f"{self.source.name} where {self.segment.rule}"

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns of the source.

        Raises:
            MissingColumnError: it lacks a column of the rule.
        """
        self.segment.require(self.source.schema(replace(ask, columns=None)).names)
        return self.source.schema(ask)

    def weights(self, ask: Ask) -> Weights | None:
        """Those of the source; see `Weighted`."""
        return weights_of(self.source, ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows of which the rule holds.

        Raises:
            MissingColumnError: a part of the source lacks a column of the rule.
            OptionError: a column cannot be compared with what the rule names.
        """
        wanted = ask.columns
        for batch in self.source.batches(self.asked(ask)):
            found = _inside(batch, self.segment)
            names = found.names if wanted is None else [name for name in found.names if name in wanted]
            yield replace(found, names=tuple(names))


def rows_of(source: Source, roles: Roles) -> Source:
    """The rows of a source that count: those of which the roles' rule holds, or all when they have none.

    Predictions that labels were joined to were chosen before.

    Raises:
        OptionError: the rule cannot be read.
    """
    if roles.where is None or isinstance(source, Where | Labelled):
        return source
    return Where(source, parse_segment(roles.where))


def chosen_otherwise(findings: F, rule: str | None, before: str | None) -> F:
    """Findings that do not wonder why rows differ that were chosen by another rule than the baseline's.

    Args:
        findings: of the window.
        rule: that its rows were chosen by.
        before: that of the baseline.

    Raises:
        OptionError: the rule cannot be read.
    """
    if rule is None or rule == before:
        return findings
    than = "all rows" if before is None else f"those where {before}"
    why = f"the rows are those where {rule}, and the baseline's are {than}"
    clues = findings.clues.chosen(parse_segment(rule).columns, why)
    return replace(findings, clues=clues)


def kept(batch: Batch, roles: Roles) -> Batch:
    """The rows of a batch that count.

    Raises:
        MissingColumnError: it lacks a column of the rule.
    """
    if roles.where is None:
        return batch
    return _inside(batch, parse_segment(roles.where))


def _inside(batch: Batch, segment: Segment) -> Batch:
    return batch.filter(segment.mask(batch), outside=RULE) if batch.rows else batch
