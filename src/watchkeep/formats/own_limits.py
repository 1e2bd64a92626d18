"""Limits of ours in documents that SageMaker has another form for: under a key of our own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.formats.places import Place

OURS: Final = "watchkeep"
"""The key."""
CONSTRAINTS: Final = "constraints"
_KEYS: Final = ("measure", "subject", "at_least", "at_most", "rule", "reason")


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """One limit of ours.

    Args:
        measure: what it limits.
        subject: of whom or what.
        side: which side of the limit is allowed.
        limit: in the measure's unit.
        rule, reason: where it comes from.
    """

    measure: str
    subject: str
    side: Side
    limit: float
    rule: str = "written by hand"
    reason: str = ""

    @classmethod
    def read(cls, place: Place) -> Self:
        """From one item of the list.

        Raises:
            DocumentError: it does not follow the schema.
        """
        for key in place.mapping():
            if key not in _KEYS:
                raise place.refuse(f"an object without the key {key!r}; its keys are {', '.join(_KEYS)}")
        sides = [(side, found) for side in Side if (found := place.child(str(side))) is not None]
        if len(sides) != 1:
            raise place.refuse("an object with exactly one of the keys 'at_least' and 'at_most'")
        rule, reason = place.child("rule"), place.child("reason")
        return cls(
            place.need("measure").text(),
            place.need("subject").text(),
            sides[0][0],
            sides[0][1].number(),
            "written by hand" if rule is None else rule.text(),
            "" if reason is None else reason.text(),
        )

    @classmethod
    def of(cls, one: Constraint) -> Self:
        """The limit that a constraint sets."""
        return cls(one.measure, one.subject, one.side, one.limit, one.rule, one.reason)

    def document(self) -> dict[str, object]:
        """The JSON object."""
        told = {"measure": self.measure, "subject": self.subject, str(self.side): self.limit}
        return told | {"rule": self.rule, "reason": self.reason}


def own_limits(top: Place) -> tuple[OwnLimit, ...] | None:
    """The limits of ours in a document; None where it has no list of them.

    Raises:
        DocumentError: the list does not follow the schema.
    """
    ours = top.child(OURS)
    listed = None if ours is None else ours.child(CONSTRAINTS)
    return None if listed is None else tuple(OwnLimit.read(item) for item in listed.array())


def constraints_of(
    limits: Iterable[OwnLimit],
    check_of: Callable[[OwnLimit], str],
    suggested: Mapping[tuple[str, str, str, str], Constraint] | None = None,
) -> tuple[Constraint, ...]:
    """Limits as constraints; one that is as it was suggested has its reason and evidence.

    Args:
        limits: of a document.
        check_of: the check that a limit belongs to.
        suggested: what the baseline suggested, by key.
    """
    found = []
    for one in limits:
        limit = Constraint(
            check=check_of(one),
            measure=one.measure,
            subject=one.subject,
            side=one.side,
            limit=one.limit,
            rule=one.rule,
            reason=one.reason,
        )
        known = (suggested or {}).get(limit.key)
        if known is not None:
            own = {name: item for name, item in known.evidence.items() if name != "own"}
            limit = known if known.limit == limit.limit else replace(limit, evidence=own)
        found.append(limit)
    return tuple(found)
