"""Which inferences are kept: some by chance, and some in any case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, Self

from watchkeep.capture.body_rows import BodyRows
from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.keep_rules import KeepRule
from watchkeep.capture.record import Inference
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import OptionError

SAMPLED_OUT: Final = "left out of the sample"
PERSON: Final = b"watchkeep sample"
"""Keeps these numbers apart from others that are made of the same ids."""
_OPTIONS: Final = ("percentage", "variants", "keep", "names")
_ALL: Final = 2**64
_EXPECTED: Final = "a number from 0 to 100"


def number_of_id(name: str) -> int:
    """The number of an id: a whole number below 2**64, each as likely as any other.

    It is the first 8 bytes of BLAKE2b of the id's UTF-8, personalised by `PERSON`, most significant byte first. It
    never changes: neither from process to process nor from release to release.

    >>> number_of_id("a"), number_of_id("b")
    (14653104997303397882, 11278567075158300525)
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, person=PERSON).digest()
    return int.from_bytes(digest, "big")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampling:
    """Which inferences are kept, and how many each of them stands for. Make one by `of`.

    An inference is in the sample when the number of its inference id (of its event id, where it has none) is below
    the percentage of 2**64. So the same id is in or out everywhere and always, whoever asks, and what is in at 10 % is
    in at 20 %.

    One that a rule keeps weighs 1; one that chance keeps weighs 100 / percentage. These are the weights of Horvitz and
    Thompson: 1 over the probability that it is kept, as its content alone tells it. That is 1 where a rule fits,
    whatever chance said, and percentage / 100 where none does. The sum over the kept of weight times value has the
    expectation sum(p * value / p) over all, which is the sum over all inferences, for any value and any rules. (A
    record that both kept would be counted too often with the weight of chance: p * 100 / percentage more than once.)

    Args:
        percentage: of the inferences, that chance keeps.
        variants: the same for single variants.
        keep: rules that keep an inference in any case.
        names: of values that come without, the answer's first.
        columns: the same, by side.

    References:
        Horvitz, Thompson (1952), J. Am. Stat. Assoc. 47, 663-685.
    """

    percentage: float = 100.0
    variants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    keep: tuple[KeepRule, ...] = ()
    names: tuple[str, ...] = ()
    columns: ColumnNames = UNNAMED

    @classmethod
    def of(cls, options: Mapping[str, Any], *, columns: ColumnNames = UNNAMED) -> Self:
        """The sampling that some options describe.

        Args:
            options: `percentage`, 0 to 100; `variants`, percentages of single variants by name; `keep`, a list of
                rules, see `KeepRule`; `names`, what values are called that come without names, the answer's first.
            columns: what they are called at this endpoint anyway.

        Raises:
            OptionError: an option, a value or a rule is none of these.

        >>> sampling = Sampling.of({"percentage": 20, "variants": {"B": 100}, "keep": ["status >= 400"]})
        >>> sampling.percentage, sampling.variants["B"], sampling.keep[0].text
        (20.0, 100.0, 'status >= 400')
        >>> Sampling.of({"percentige": 20})
        Traceback (most recent call last):
        ...
        watchkeep.core.errors.OptionError: sampling: got 'percentige', expected one of percentage, variants, keep,
        names; did you mean 'percentage'?
        """
        if not isinstance(options, Mapping):
            raise OptionError("sampling", got=str(options), expected=f"a mapping of {', '.join(_OPTIONS)}")
        for name in options:
            if name not in _OPTIONS:
                expected = f"one of {', '.join(_OPTIONS)}"
                raise OptionError("sampling", got=str(name), expected=expected, choices=_OPTIONS)
        variants = options.get("variants", {})
        if not isinstance(variants, Mapping):
            raise OptionError("sampling: variants", got=str(variants), expected="percentages by variant")
        rules = _texts("keep", options.get("keep", ()), "a list of rules")
        ordered = sorted((KeepRule.of(rule) for rule in rules), key=lambda rule: rule.looks_inside)
        return cls(
            percentage=_percentage("percentage", options.get("percentage", 100)),
            variants=MappingProxyType(
                {str(name): _percentage(f"variants.{name}", share) for name, share in variants.items()}
            ),
            keep=tuple(ordered),
            names=_texts("names", options.get("names", ()), "a list of names"),
            columns=columns,
        )

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        """Those of some records that are kept, with their weights; see `Step`."""
        kept: list[Inference] = []
        for one in records:
            weight = self.weight(one)
            if weight == 1.0:
                kept.append(one)
            elif weight:
                kept.append(one._replace(weight=one.weight * weight))
            else:
                tallies.leave_out(one, SAMPLED_OUT)
        return kept

    def weight(self, one: Inference) -> float:
        """How many inferences one stands for; 0 when it is left out."""
        percentage = self.variants.get(one.variant, self.percentage)
        if percentage == 100:
            return 1.0
        if self.keep:
            rows = BodyRows(one, self.names, self.columns)
            for rule in self.keep:
                if rule.fits(one, rows):
                    return 1.0
        if number_of_id(one.inference_id or one.event_id) < percentage / 100 * _ALL:
            return 100 / percentage
        return 0.0


def _percentage(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionError(f"sampling: {name}", got=repr(value), expected=_EXPECTED)
    if not (isfinite(value) and 0 <= value <= 100):
        raise OptionError(f"sampling: {name}", got=str(value), expected=_EXPECTED)
    return float(value)


def _texts(name: str, value: object, expected: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise OptionError(f"sampling: {name}", got=repr(value), expected=expected)
    for one in value:
        if not isinstance(one, str):
            raise OptionError(f"sampling: {name}", got=repr(one), expected="a text")
    return tuple(value)
