"""One ranking of what lies behind a window's verdicts: what moved, among what the model uses, and what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from watchkeep.alarms.sentences import KINDS
from watchkeep.alarms.witness import Change
from watchkeep.causes.clues import Clues, Effect
from watchkeep.constraints import checks
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import Outcome, Verdict

NOT_COMPARED: Final = Undefined("its values were not compared")
NO_MODEL: Final = Undefined("no baseline of attribution tells how much answers rest on it")
NO_FEATURE: Final = Undefined("it is no feature of the model")
NO_EFFECT: Final = Undefined("no monitor of model quality found worse answers to explain")
SAME_MIX: Final = Undefined("its mix of values is as in the baseline")
NOT_RANKED: Final = Undefined("it is what a change did, not what it came from")
NOT_MOVED: Final = "nothing that answers rest on has moved"
MODEL: Final = "model"
"""The subject of what is said of the model itself."""
_LONGEST: Final = 200  # characters of a name that its place is called by
_SURE: Final = 2.0  # standard errors from which on an effect counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A subject that a window's difference comes from: what to look at, the gravest first.

    Args:
        subject: a column, the dataset, or what a violated check is about.
        share: its share of all that is ranked, in [0, 1]: see `causes`. Undefined where nothing that is ranked moved.
        sentence: what is wrong with it, in words.
        pattern: the data bug it looks like, see `Pattern`; empty when it looks like none.
        drift: the share of its rows that lie elsewhere than in the baseline, beyond chance, in [0, 1].
        importance: its share of all attribution, in [0, 1].
        effect: by how much its mix changed the mean loss; above 0 is worse.
        segments: slices of the rows that carry the change.
        severity: the sum over its violated checks.
        checks: the violated checks.
        chart: the place in the report that draws it; empty where none does.
    """

    subject: str
    share: Value
    sentence: str
    pattern: str = ""
    drift: Value = NOT_COMPARED
    importance: Value = NO_MODEL
    effect: Value = NO_EFFECT
    segments: tuple[str, ...] = ()
    severity: float = 0.0
    checks: tuple[str, ...] = ()
    chart: str = ""


def causes(
    verdicts: Sequence[Verdict], clues: Clues, charts: Mapping[str, str] = MappingProxyType({})
) -> tuple[Cause, ...]:
    """What lies behind a window's verdicts, the first to look at first.

    Ranked are the subjects of violations, columns that changed for sure, and features whose mix made the loss larger.
    The weight of a column is its drift times its importance or, where no model tells that, its drift. Where the mix
    of features made the loss larger, half of a column's share is its share of the weight, and half that of the harm.
    What has no weight (a measure of answers, a group of people: what a change did, not what it came from) follows,
    by severity.

    Args:
        verdicts: of one window, of any monitors.
        clues: of the same.
        charts: where a report draws a column, by its name.
    """
    harmful = [name for name, effect in clues.effects.items() if _harm(effect)]
    found: dict[str, list[Verdict]] = {name: [] for name in (*clues.named, *harmful)}
    for verdict in verdicts:
        if verdict.outcome is Outcome.VIOLATED:
            found.setdefault(clues.parts.get(verdict.subject, verdict.subject), []).append(verdict)
    weights = {name: _weight(name, listed, clues) for name, listed in found.items()}
    harm = {name: _harm(clues.effects.get(name)) for name in found}
    shares = _shares(weights, harm)
    ranked = [_cause(name, listed, clues, shares, charts.get(name, "")) for name, listed in found.items()]
    if clues.model and not clues.named:
        most = max((one.severity for one in ranked), default=0.0)
        ranked.append(
            Cause(subject=MODEL, share=Undefined(NOT_MOVED), sentence=clues.model, severity=most + 1)
        )
    return tuple(sorted(ranked, key=_order))


def told_elsewhere(subject: str, words: str, what: str, *, chart: str) -> Cause:
    """What changed, told as what a change did: it is not ranked.

    Args:
        subject: a measure of answers, a group of people.
        words: the same for people.
        what: changed in it, in words.
        chart: where its evidence is.

    >>> told_elsewhere("true_negative_rate", "true negative rate", "worse", chart="#evidence").sentence
    'true negative rate: worse'
    """
    return Cause(subject=subject, share=NOT_RANKED, sentence=f"{words}: {what}", chart=chart)


def chart_of(column: str) -> str:
    """The place in a report's page that draws a column.

    >>> chart_of("hours per week")
    '#column-hours%20per%20week'
    """
    return f"#column-{quote(column[:_LONGEST], safe='', errors='backslashreplace')}"


def _order(cause: Cause) -> tuple[float, float, str]:
    share = -1.0 if isinstance(cause.share, Undefined) else cause.share
    return -share, -cause.severity, cause.subject


def _weight(name: str, listed: Sequence[Verdict], clues: Clues) -> float:
    drift = _drift(name, clues)
    # Where attribution alone is violated, what moved is something else.
    own = name in clues.named or any(verdict.check not in checks.OF_ATTRIBUTION for verdict in listed)
    if isinstance(drift, Undefined) or not own:
        return 0.0
    return drift * clues.importance.get(name, 0.0) if clues.importance else drift


def _drift(name: str, clues: Clues) -> Value:
    if name not in clues.drifts:
        return NOT_COMPARED
    alone = set(clues.named.values()) == {Change.RELATION}  # no column's own values have moved
    if alone and name in clues.named:
        return max(clues.drifts[name], clues.evidence.get(name, 0.0))
    return clues.drifts[name]


def _harm(effect: Effect | None) -> float:
    return 0.0 if effect is None or effect.change < _SURE * effect.error else effect.change


def _shares(weights: Mapping[str, float], harm: Mapping[str, float]) -> dict[str, float]:
    parts = [part for part in (weights, harm) if sum(part.values()) > 0]
    return {
        name: sum(part[name] / sum(part.values()) for part in parts) / len(parts) for name in weights if parts
    }


def _cause(
    name: str, listed: Sequence[Verdict], clues: Clues, shares: Mapping[str, float], chart: str
) -> Cause:
    importance: Value = NO_MODEL
    if clues.importance:
        importance = clues.importance.get(name, NO_FEATURE)
    effect, bug = clues.effects.get(name), clues.bugs.get(name)
    why = Undefined(NOT_MOVED)
    return Cause(
        subject=name,
        share=shares.get(name, why),
        sentence=_sentence(name, listed, clues),
        pattern="" if bug is None else str(bug.pattern),
        drift=_drift(name, clues),
        importance=importance,
        effect=effect.change if effect is not None else SAME_MIX if clues.loss else NO_EFFECT,
        segments=clues.segments.get(name, ()),
        severity=sum(each.severity for each in listed),
        checks=tuple(dict.fromkeys(verdict.check for verdict in listed)),
        chart=chart,
    )


def _sentence(name: str, listed: Sequence[Verdict], clues: Clues) -> str:
    """The data bug, or else the gravest violation, or else the kind of change; and what more is known."""
    bug = clues.bugs.get(name)
    told, more = name, []
    if bug is not None:
        told = bug.sentence.rstrip(".")
    elif name in clues.sentences:
        told = clues.sentences[name].rstrip(".")
    elif listed:
        told = listed[0].sentence.rstrip(".")
    elif clues.named.get(name):
        more.append(KINDS.get(clues.named[name], "changed"))
    if clues.importance.get(name):
        more.append(f"it has {100 * clues.importance[name]:.2g} % of all attribution")
    effect = clues.effects.get(name)
    if effect is not None and _harm(effect):
        more.append(f"its mix of values adds {effect.change:.2g} to the {clues.loss}")
    if clues.segments.get(name):
        more.append(f"mostly where {', or '.join(clues.segments[name])}")
    if told == name:
        return f"{name}: {'; '.join(more)}"
    return "; ".join([told, *more])
