"""Segments: the rows that a rule tells apart, found in a batch column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.core.rule_text import parse_rule
from watchkeep.core.rules import Every, Not, Rule, Some, conditions
from watchkeep.frames.batches import Batch
from watchkeep.frames.segment_columns import Answer, SegmentColumn

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows for which a rule is true.

    A rule is a condition of SQL's WHERE: `region IN ('EU', 'UK') AND NOT (age < 30 OR income IS NULL)`. As in SQL
    a condition on a value that is not there is neither true nor false. NaN is no value. What a column is compared
    with says how it is read: beside a number, as numbers (text where it spells one, true as 1; other text is no
    value); beside a text, as text; beside TRUE or FALSE, as truth ("true" and "false" in any case). Times are
    compared with a text that is an ISO time, UTC unless it says otherwise; text with such a text as times too,
    where it is asked which comes first.

    Args:
        name: what people call it.
        rule: the rule as written.

    Raises:
        OptionError: the rule cannot be read; the sentence names the place.

    >>> import pyarrow as pa
    >>> young = Segment("young", "age < 30")
    >>> young.mask(Batch.of(pa.table({"age": [41, 7, None]}))).tolist()
    [False, True, False]
    """

    name: str
    rule: str
    tree: Rule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise OptionError("segment", got=self.rule, expected="a name before the colon")
        object.__setattr__(self, "tree", parse_rule(self.rule))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns its rule reads, each once, from left to right."""
        return tuple(dict.fromkeys(one.column for one in conditions(self.tree)))

    def require(self, available: Sequence[str]) -> None:
        """Check that the columns of the rule are there.

        Raises:
            MissingColumnError: one is not.
        """
        for one in conditions(self.tree):
            if one.column not in available:
                reader = f"the segment {self.name!r}, at place {one.at} of its rule,"
                raise MissingColumnError(one.column, reader=reader, available=available)

    def mask(self, batch: Batch) -> Mask:
        """Which rows of a batch are in the segment, shape (rows,).

        Raises:
            MissingColumnError: the batch lacks a column of the rule.
            OptionError: a column cannot be compared with what the rule names.
        """
        return masks((self,), batch)[0]


def parse_segment(text: str) -> Segment:
    """A segment as people write it: a rule, or a name, a colon and a rule.

    Raises:
        OptionError: the rule cannot be read.

    >>> parse_segment("young europeans: region = 'EU' and age < 30").name
    'young europeans'
    >>> parse_segment("region = 'EU: west'")
    Segment(name="region = 'EU: west'", rule="region = 'EU: west'")
    """
    quote = ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == ":":
            return Segment(text[:place].strip().strip("'\""), text[place + 1 :].strip())
    return Segment(text.strip() or "the segment", text.strip())


def masks(segments: Sequence[Segment], batch: Batch) -> list[Mask]:
    """Which rows of a batch are in each segment; every column is decoded, and read as numbers or times, once.

    Raises:
        MissingColumnError: the batch lacks a column of a rule.
        OptionError: a column cannot be compared with what a rule names.
    """
    if not batch.rows and not batch.names:  # a batch that only counts rows that were rejected
        return [np.zeros(0, np.bool_) for _ in segments]
    for segment in segments:
        segment.require(batch.names)
    columns = {
        name: SegmentColumn(name, batch.column(name))
        for name in {name for one in segments for name in one.columns}
    }
    return [_held(segment.tree, columns).yes for segment in segments]


def _held(rule: Rule, columns: dict[str, SegmentColumn]) -> Answer:
    if isinstance(rule, Not):
        answer = _held(rule.part, columns)
        return Answer(answer.no, answer.yes)
    if isinstance(rule, Every | Some):
        answers = [_held(part, columns) for part in rule.parts]
        every = isinstance(rule, Every)
        yes = (np.logical_and if every else np.logical_or).reduce([one.yes for one in answers])
        no = (np.logical_or if every else np.logical_and).reduce([one.no for one in answers])
        return Answer(yes, no)
    return columns[rule.column].answer(rule)
