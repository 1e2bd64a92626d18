"""What admission finds is told in the records, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

from watchkeep.capture.admission import Admission
from watchkeep.capture.admission_columns import SIZE, UNKNOWN, Problem
from watchkeep.capture.exchange import TOO_LARGE, Capturing, Exchange
from watchkeep.capture.flags import ADMISSION, MORE, with_flag
from watchkeep.capture.record import Inference
from watchkeep.capture.traffic import Tallies

TOLD: Final = 8
"""Problems of one request that its record tells."""


@dataclass(frozen=True, slots=True, eq=False)
class Flagging:
    """Looks at requests after they were answered; see `Step`.

    Args:
        admission: what they must be like.
        limit: bytes of a body that is captured.
        names: of values that come without; None for those of the columns.
    """

    admission: Admission
    limit: int
    names: Sequence[str] | None = None

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        """All the records; those that are not as they must be say so."""
        return [
            flagged(one, problems, tallies) if (problems := self._problems(one)) else one for one in records
        ]

    def _problems(self, one: Inference) -> Sequence[Problem]:
        if one.input is not None:
            return self.admission.check(one.input, one.input_type, self.names)
        if TOO_LARGE in one.flags and self.limit >= self.admission.bytes:
            expected = f"at most {self.admission.bytes} bytes"
            return [Problem(None, "", SIZE, f"more than {self.limit} bytes", expected)]
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Tells in records what was found before they were made; see `Step`."""

    problems: Sequence[Problem]

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        """All the records, each of which says so."""
        return [flagged(one, self.problems, tallies) for one in records]


def flagged(one: Inference, problems: Sequence[Problem], tallies: Tallies) -> Inference:
    """A record that tells what is wrong with it, without the values: these stand in its body alone.

    Args:
        one: the record.
        problems: at least one.
        tallies: count them, by column and kind.
    """
    tallies.flag(one, {("" if each.what == UNKNOWN else each.column, each.what) for each in problems})
    told = [
        {"row": each.row, "column": each.column, "what": each.what, "expected": each.expected}
        for each in problems[:TOLD]
    ]
    flags = with_flag(one.flags, ADMISSION, told)
    if len(problems) > TOLD:
        flags = with_flag(flags, MORE, len(problems) - TOLD)
    return one._replace(flags=flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Capturing):
    """A request that was looked at before the model was asked, and what was found.

    Args:
        refused: whether it was answered without the model: it has no latency of the model, and what was answered is
            not kept.
        whole: whether its body was read to the end.
        spent: microseconds that the look took.
    """

    refused: bool = False
    whole: bool = True
    spent: int = -1

    @classmethod
    def of(
        cls,
        capturing: Capturing,
        problems: Sequence[Problem],
        *,
        refused: bool,
        whole: bool = True,
        spent: int = -1,
    ) -> Self:
        """The capturing of such a request, by that of others."""
        own = {part.name: getattr(capturing, part.name) for part in fields(Capturing)}
        own["steps"] = (Told(problems), *capturing.steps)
        return cls(**own, refused=refused, whole=whole, spent=spent)

    def __call__(self, exchange: Exchange, event_id: str) -> Inference:
        """Make the record of an exchange; see `Make`."""
        one = Capturing.__call__(self, exchange, event_id)
        if not self.refused:
            return one
        one = one._replace(latency=-1, overhead=self.spent, output=None, output_type="")
        return one if self.whole else one._replace(input=None, flags=with_flag(one.flags, "input", TOO_LARGE))
