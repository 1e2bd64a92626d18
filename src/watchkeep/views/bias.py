"""What a document says of groups: how large each is, how it is treated beside the others, and whether that may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.views.forest import Forest, Gap, Scale
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import amount, bound, clip, count, figure, listing, number, percent, why

FIRST: Final = ("DPL", "DPPL", "DI", "RD", "SD", "AD", "CDDL", "CDDPL", "CG")
"""Measures that are read first, in this order; the other ones of a group follow."""
_WORST_FIRST: Final = ("violated", "failed", "undecided", "kept", "")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a group, ready to be shown.

    Args:
        name, title: in short, and in words.
        told, error: the value and its standard error; a dash where there is none, and `why`.
        before: the baseline's value; empty where nobody knows it.
        allowed: its range; empty without one.
        among: rows that it is a mean over, of the smaller side.
        outcome: of its verdicts, the worst; empty without one.
        unfair: whether the baseline itself is outside the range in which groups count as treated alike.
        noise: whether it is past its limit by no more than chance makes it.
        estimate: what is expected before labels come, with its band; empty where nothing is.
        size: how far it is from treating both alike.
        forest: where it stands on the common scale; None where it has no number or no scale.
    """

    name: str
    title: str
    told: str
    error: str
    why: str
    before: str
    allowed: str
    among: int | None
    outcome: str
    unfair: bool
    noise: bool
    estimate: str
    size: float
    forest: Forest | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group, beside the others.

    Args:
        subject: as verdicts call it; `facet` and `name` are its parts.
        rows, others, missing: see the document.
        measures: those to read first; `more`: the others.
        outcome: the worst of its measures.
        crossed: whether it is of two facets together.
    """

    subject: str
    facet: str
    name: str
    rows: int
    others: int
    missing: int
    measures: tuple[Measure, ...]
    more: tuple[Measure, ...]
    outcome: str
    crossed: bool

    @property
    def sizes(self) -> str:
        """How many rows are compared with how many."""
        if not self.rows and not self.others:
            return "sizes not known"
        told = f"{amount(self.rows, 'row')} beside {amount(self.others, 'other')}"
        if self.rows + self.others:
            told += f" ({percent(self.rows / (self.rows + self.others))})"
        return told + (f"; {amount(self.missing, 'row')} without a value" if self.missing else "")

    @property
    def every(self) -> tuple[Measure, ...]:
        """All measures."""
        return (*self.measures, *self.more)

    def measure(self, name: str) -> Measure | None:
        """The measure of that name."""
        return next((one for one in self.every if one.name == name), None)

    @property
    def past(self) -> list[str]:
        """The measures that are past their limit, within noise."""
        return [one.name for one in self.every if one.noise]

    @property
    def blanks(self) -> list[tuple[str, list[str]]]:
        """Why some measures are missing: each reason once, with the measures it holds for."""
        found: dict[str, list[str]] = {}
        for one in self.every:
            if one.why:
                found.setdefault(one.why, []).append(one.name)
        return list(found.items())


@dataclass(frozen=True, slots=True)
class Bias:
    """What stands under `bias`, read.

    Args:
        outcomes: what labels and answers are, in a sentence.
        groups: of facets, in the document's order; `crossed`: of two facets together, the worst first.
        compared: whether a baseline stands beside the window.
        notes: what rows are in no group, and which facets are not crossed, in sentences.
        estimates: what estimates are, in a sentence; empty without one.
    """

    outcomes: str
    groups: tuple[Group, ...]
    crossed: tuple[Group, ...]
    compared: bool
    notes: tuple[str, ...]
    estimates: str

    @classmethod
    def of(cls, value: object) -> Self | None:
        """The groups of a document; None if it tells of none."""
        given = mapping(value)
        if not given:
            return None
        listed = objects(given.get("groups"))
        words, neutral = mapping(given.get("titles")), mapping(given.get("neutral"))
        scale = Scale.of([_gap(one, neutral) for group in listed for one in objects(group.get("measures"))])
        groups = [_group(one, scale, words, neutral) for one in listed]
        crossed = [one for one in groups if one.crossed]
        return cls(
            outcomes=_outcomes(given),
            groups=tuple(one for one in groups if not one.crossed),
            crossed=tuple(sorted(crossed, key=_order)),
            compared=given.get("compared") is True,
            notes=_notes(given),
            estimates=text(mapping(given.get("estimates")).get("sentence")),
        )

    @property
    def facets(self) -> list[str]:
        """The columns that tell groups apart."""
        return list(dict.fromkeys(one.facet for one in self.groups))

    @property
    def names(self) -> list[str]:
        """The measures of a short table."""
        held = {one.name for group in self.groups for one in group.measures}
        return [name for name in FIRST if name in held]

    @property
    def titles(self) -> dict[str, str]:
        """All measures in words, in the order of the groups."""
        return {one.name: one.title for group in self.groups for one in group.every}

    @property
    def crossed_names(self) -> list[str]:
        """The measures of crossings that have limits."""
        limited = {one.name for group in self.crossed for one in group.every if one.allowed}
        return [name for name in FIRST if name in limited] or self.names[:4]

    @property
    def unfair(self) -> str:
        """Which groups a baseline's rows do not treat alike, in a sentence; empty if there are none, or in a report."""
        told = []
        for group in self.groups:
            names = [f"{one.name} {one.told}" for one in group.measures if one.unfair]
            if names:
                told.append(f"{clip(group.subject, 60)} ({listing(names)})")
        if not told or self.compared:
            return ""
        return (
            f"In the reference data already not treated alike: {'; '.join(told[:6])}"
            + (f"; and {amount(len(told) - 6, 'more group')}" if len(told) > 6 else "")
            + ". Windows may not be farther out than that."
        )


def _order(group: Group) -> tuple[int, float]:
    rank = _WORST_FIRST.index(group.outcome) if group.outcome in _WORST_FIRST else len(_WORST_FIRST)
    return rank, -max((one.size for one in group.measures if one.name in ("DPPL", "DPL")), default=0.0)


def _group(
    given: Mapping[str, object], scale: Scale, words: Mapping[str, object], neutral: Mapping[str, object]
) -> Group:
    measures = [_measure(one, _gap(one, neutral), scale, words) for one in objects(given.get("measures"))]
    first = [one for one in measures if one.name in FIRST or one.allowed]
    order = {name: at for at, name in enumerate(FIRST)}
    outcomes = [one.outcome for one in measures if one.outcome]
    return Group(
        subject=text(given.get("subject")),
        facet=text(given.get("facet")),
        name=text(given.get("group")),
        rows=whole(given.get("rows")),
        others=whole(given.get("others")),
        missing=whole(given.get("missing")),
        measures=tuple(sorted(first, key=lambda one: order.get(one.name, len(order)))),
        more=tuple(one for one in measures if one not in first),
        outcome=min(outcomes, key=_WORST_FIRST.index, default=""),
        crossed=given.get("crossed") is True,
    )


def _gap(given: Mapping[str, object], neutral: Mapping[str, object]) -> Gap:
    name = text(given.get("measure"))
    return Gap(
        name=name,
        neutral=real(neutral.get(name)) or 0.0,
        value=real(given.get("value")),
        low=real(given.get("low")),
        high=real(given.get("high")),
        at_least=real(given.get("at_least")),
        at_most=real(given.get("at_most")),
        before=real(given.get("before")),
        reach=_pair(given.get("reach")),
    )


def _pair(value: object) -> tuple[float, float] | None:
    ends = [real(end) for end in value] if isinstance(value, list) else []
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _measure(given: Mapping[str, object], gap: Gap, scale: Scale, words: Mapping[str, object]) -> Measure:
    error = real(given.get("error"))
    told = mapping(given.get("estimate"))
    estimate = real(told.get("value"))
    band = [real(told.get(side)) for side in ("low", "high")]
    among = given.get("among")
    return Measure(
        name=gap.name,
        title=clip(text(words.get(gap.name), gap.name), 80),
        told=_short(given.get("value")),
        error="" if error is None else number(error, digits=2) if error >= 0.001 else "<0.001",
        why=why(given.get("value")) or "",
        before=_short(given.get("before")),
        allowed=_allowed(gap),
        among=None if among is None else whole(among),
        outcome=text(given.get("outcome")),
        unfair=given.get("unfair") is True,
        noise=given.get("noise") is True,
        estimate=""
        if estimate is None
        else " to ".join(number(end, digits=2) for end in band if end is not None)
        or number(estimate, digits=3),
        size=0.0 if gap.value is None else abs(gap.value - gap.neutral),
        forest=scale.drawn(gap),
    )


def _short(value: object) -> str:
    """Three decimals of what is below 10: enough beside its error, and one under the other.

    >>> _short(0.19512), _short(-0.00001), _short(12.345), _short(None)
    ('0.195', '0.000', '12.3', '–')
    """
    known = real(value)
    if known is None:
        return figure(value)
    return f"{known + 0.0:.3f}".replace("-0.000", "0.000") if abs(known) < 10 else number(known, digits=3)


def _allowed(gap: Gap) -> str:
    if gap.at_least is not None and gap.at_most is not None:
        return f"{number(gap.at_least, digits=3)} to {number(gap.at_most, digits=3)}"
    if gap.at_least is not None:
        return bound(gap.at_least, "at_least")
    return "" if gap.at_most is None else bound(gap.at_most, "at_most")


def _outcomes(given: Mapping[str, object]) -> str:
    label, positive = given.get("label"), clip(text(given.get("positive")), 80)
    above = "above " if given.get("above") is True else ""
    told = []
    if isinstance(label, str):
        told.append(f"{clip(label, 40)} is positive where it is {above}{positive}")
    answers, threshold = given.get("prediction"), real(given.get("threshold"))
    if isinstance(answers, str):
        where = f"above {number(threshold)}" if threshold is not None else f"{above}{positive}"
        told.append(f"the answer {clip(answers, 40)} where it is {where}")
    stratum = given.get("stratum")
    if isinstance(stratum, str):
        told.append(f"disparity is told within {clip(stratum, 40)}")
    sentence = "; ".join(told)
    return f"{sentence}." if sentence else ""


def _notes(given: Mapping[str, object]) -> tuple[str, ...]:
    told = []
    rows, labelled = real(given.get("rows")), real(given.get("labelled"))
    if rows is not None and labelled is not None and labelled < rows and isinstance(given.get("label"), str):
        told.append(f"{count(labelled)} of {amount(round(rows), 'row')} have a label.")
    if given.get("prediction") is None and isinstance(given.get("label"), str):
        told.append("Labels alone are measured: with --prediction or --score, so are the model's answers.")
    for one in objects(given.get("levels")):
        name, missing, new = (
            clip(text(one.get("facet")), 40),
            whole(one.get("missing")),
            whole(one.get("new")),
        )
        if missing:
            told.append(f"{amount(missing, 'row')} without a value of {name}, in no group.")
        if new:
            told.append(
                f"{amount(new, 'row')} with a value of {name} that the reference rows never had: among the others."
            )
    pairs = given.get("not_crossed")
    if isinstance(pairs, list) and pairs:
        told.append(f"Too many groups to be crossed: {listing([str(pair) for pair in pairs], most=6)}.")
    return tuple(told)


def sizes(groups: Sequence[Group]) -> str:
    """How many groups there are, in words.

    >>> sizes([])
    '0 groups'
    """
    return f"{count(len(groups))} group{'' if len(groups) == 1 else 's'}"
