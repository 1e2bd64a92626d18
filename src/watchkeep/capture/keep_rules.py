"""Rules that tell which inferences are kept in any case: conditions on the record, and on the rows of its bodies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.capture.body_rows import BodyRows, Pair
from watchkeep.capture.conditions import Test, holding
from watchkeep.capture.flags import problems_of
from watchkeep.capture.record import Inference
from watchkeep.core.errors import OptionError
from watchkeep.core.rule_text import parse_rule
from watchkeep.core.rules import Compare, Like, Null, OneOf, Rule, Span, conditions

RECORD: Final[dict[str, Callable[[Inference], object]]] = {
    "status": lambda one: one.status,
    "latency": lambda one: None if one.latency < 0 else one.latency,
    "overhead": lambda one: None if one.overhead < 0 else one.overhead,
    "variant": lambda one: one.variant,
    "problems": lambda one: problems_of(one.flags),
}
"""Names that are about the record. All others are columns of its bodies."""
TIMES: Final = ("latency", "overhead")
"""Those of them that are spans of time."""


@dataclass(frozen=True, slots=True, eq=False)
class KeepRule:
    """A rule: conditions as SQL's WHERE has them, on one row of a request.

    `status`, `latency`, `overhead`, `variant` and `problems` (how many admission found) are the record's. Every other
    name is a column of the answer, or else of the request, as captures are stored: `_c0`, `_c1`, ... where values have
    no names, those of the answer first. As with segments, what a column is compared with says how it is read, and a
    condition on a value that is not there does not hold.

    Args:
        text: as it is written.
        test: the rule.
        looks_inside: whether it names a column, so that bodies are read.
    """

    text: str
    test: Test
    looks_inside: bool

    @classmethod
    def of(cls, text: str) -> Self:
        """The rule that a text spells.

        Raises:
            OptionError: it spells none.

        >>> KeepRule.of("status >= 400").looks_inside
        False
        >>> KeepRule.of("latncy > 50ms")
        Traceback (most recent call last):
        ...
        watchkeep.core.errors.OptionError: keep rule 'latncy > 50ms': got 'latncy', expected latency or overhead
        before a span of time; did you mean 'latency'?
        """
        tree = parse_rule(text, option="keep rule", bare=True)
        for one in conditions(tree):
            _require_units(one, text)
        return cls(text, holding(tree, _inside), _inside(tree))

    def fits(self, one: Inference, rows: "BodyRows") -> bool:
        """Whether it holds for a record, or for any row of it.

        Args:
            one: the record.
            rows: of its bodies.
        """

        def of_record(name: str) -> object:
            return RECORD[name](one)

        if not self.looks_inside:
            return self.test(of_record) is True
        for pair in rows.pairs():

            def look(name: str, pair: Pair = pair) -> object:
                return of_record(name) if name in RECORD else pair.value(name)

            if self.test(look) is True:
                return True
        return False


def _require_units(one: Compare | OneOf | Like | Null, rule: str) -> None:
    """Check that times, and they alone, are compared with spans of time."""
    if not isinstance(one, Compare | OneOf):
        return
    values = one.values if isinstance(one, OneOf) else (one.value,)
    for value in values:
        if isinstance(value, Span) and one.column not in TIMES:
            expected = f"{' or '.join(TIMES)} before a span of time"
            raise OptionError(f"keep rule {rule!r}", got=one.column, expected=expected, choices=TIMES)
        if one.column in TIMES and not isinstance(value, Span):
            expected = f"a span of time for {one.column}, such as 50ms"
            raise OptionError(f"keep rule {rule!r}", got=str(value), expected=expected)


def _inside(rule: Rule) -> bool:
    return any(one.column not in RECORD for one in conditions(rule))
