"""What a document says of a model's several monitors, and what all of them answer together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from watchkeep.views.causes import PAGE
from watchkeep.views.columns import rank
from watchkeep.views.decisions import HEADS, Decided
from watchkeep.views.values import mapping, objects, real, text
from watchkeep.views.words import DASH, SYMBOLS, clip, listing, number, visible

_NOTABLE: Final = ("Changed", "Changed before", "Worth a look")
_CALM: Final = "Not changed"
_MOST_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Monitor:
    """One of the monitors of a model.

    Args:
        name, kind: its own.
        status: of its run.
        outcome: the worst thing to say of it, of its limits and of its answer, as an outcome.
        symbol, word: the same for people.
        told: what it found, in words; or why it could not be run.
        page: its report; empty when it has none.
        decided: its answer; None when it has none.
    """

    name: str
    kind: str
    status: str
    outcome: str
    symbol: str
    word: str
    told: str
    page: str
    decided: Decided | None = None


def monitors_of(value: object, *, budget: float | None = None) -> tuple[Monitor, ...]:
    """The monitors of a document; none when it is of one alone.

    Args:
        value: what stands under `monitors`.
        budget: unchanged windows that may ring, as a share.
    """
    return tuple(_monitor(one, budget) for one in objects(value))


def _monitor(given: Mapping[str, object], budget: float | None) -> Monitor:
    counts = {str(name): round(real(count) or 0.0) for name, count in mapping(given.get("outcomes")).items()}
    status, page = text(given.get("status"), "Unknown"), text(given.get("report"))
    judged = text(mapping(given.get("baseline")).get("judged"))
    decided = Decided.of(given.get("decision"), budget=budget, judged=judged)
    outcome = _of_limits(status, counts)
    symbol, word = SYMBOLS[outcome], outcome
    if decided is not None and decided.tone != "kept" and rank(decided.tone) <= rank(outcome) != 0:
        outcome, symbol = decided.tone, decided.symbol
        word = decided.head if decided.head in HEADS else "changed" if outcome == "violated" else "undecided"
    return Monitor(
        name=text(given.get("name")),
        kind=text(given.get("kind")),
        status=status,
        outcome=outcome,
        symbol=symbol,
        word=word.lower(),
        told=visible(text(given.get("why"))) or _told(counts, decided),
        page=page if PAGE.fullmatch(page) else "",
        decided=decided,
    )


def _of_limits(status: str, counts: Mapping[str, int]) -> str:
    """The worst thing to say of limits."""
    if not counts and status != "Failed":
        return "undecided"
    outcome = "failed" if status == "Failed" else "kept"
    outcome = next((name for name in ("violated", "failed") if counts.get(name)), outcome)
    if outcome == "kept" and counts.get("undecided", 0) > counts.get("kept", 0):
        return "undecided"
    return outcome


def _told(counts: Mapping[str, int], decided: Decided | None) -> str:
    checks = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if decided is None:
        return checks or DASH
    answer = f"{_CALM}." if decided.head == _CALM else decided.sentence
    return f"{answer} Checks: {checks}." if checks else answer


def together(monitors: Sequence[Monitor], gravest: Decided | None) -> Decided | None:
    """The decision of a report over several, in words that name every monitor with something to say.

    Args:
        monitors: all of them.
        gravest: the decision with the most evidence.
    """
    said = [(one.name, one.decided) for one in monitors if one.decided is not None]
    if gravest is None or len(said) < 2:
        return gravest
    heads = {head: [one for one in said if one[1].head == head] for head in HEADS}
    blind = heads["Too little data to tell"]
    parts = [f"{head} {_each(heads[head])}" for head in _NOTABLE if heads[head]]
    first = next((head for head in _NOTABLE if heads[head]), None)
    if first is None and heads[_CALM]:
        first = _CALM
        names = listing([clip(name, 40) for name, _ in heads[_CALM]], most=_MOST_NAMED)
        share = number(100 * max(one.level for _, one in heads[_CALM]), digits=2)
        parts.append(f"{_CALM} in {names}: the evidence is {share} % of what it takes to ring, at the most")
    if first is None and not blind:  # a document that is not ours
        return gravest
    if blind:
        first = first or "Too little data to tell"
        parts.append(f"Too little data to tell {_each(blind)}")
    assert first is not None  # noqa: S101 (one of the above)
    sentence = f"{'. '.join(parts)}."
    lead = sentence.removeprefix(first)[1:]
    like = heads[first][0][1]
    return replace(
        gravest,
        tone=like.tone,
        symbol=like.symbol,
        head=first,
        lead=lead[:1].upper() + lead[1:],
        sentence=sentence,
    )


def proofs(monitors: Sequence[Monitor], decided: Decided | None) -> tuple[tuple[str, Decided], ...]:
    """The evidence to show: whose it is, and what. Of one monitor that is its own, and has no name.

    Of several it is that of each with something to say, and if none has, of the one with the most evidence.
    """
    said = [(one.name, one.decided) for one in monitors if one.decided is not None]
    if not said:
        return () if decided is None else (("", decided),)
    notable = tuple(one for one in said if one[1].head in _NOTABLE)
    return notable or (max(said, key=lambda one: one[1].level),)


def _each(said: Sequence[tuple[str, Decided]]) -> str:
    """What is said of each, in a clause."""
    told = [f"in {clip(name, 40)}: {_clause(one)}" for name, one in said[:_MOST_NAMED]]
    more = [f"in {len(said) - _MOST_NAMED} more"] * (len(said) > _MOST_NAMED)
    return "; ".join([*told, *more])


def _clause(decided: Decided) -> str:
    return decided.sentence.removeprefix(decided.head).lstrip(":, ").rstrip(".")
