"""Categories under other names, thrown together, or replaced by a text that stands for no value."""

import math
from collections.abc import Iterator
from typing import Final

from watchkeep.causes.patterns.labels import Labels, Shares, short
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.quantities import is_null_text
from watchkeep.core.wording import percent

_BEGINNINGS: Final = """
mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec spr sum aut win fal q1 q2 q3 q4 hol wee
"""
SEASONS: Final = frozenset(_BEGINNINGS.split())
"""How names of days, months and seasons begin: a window may well hold only one."""


def null_texts(labels: Labels) -> Iterator[Guess]:
    """A text that stands for no value has a share of the rows."""
    found = [
        (share, label)
        for label, share in labels.now.items()
        if is_null_text(label) and not _usual_code(labels, label)
    ]
    if not found:
        return
    share, label = max(found)
    usual = labels.before.get(label, 0.0)
    gone = labels.missing_before - labels.missing
    filled = (
        labels.missing_before >= 0.02
        and labels.missing <= labels.missing_before / 4
        and abs((share - usual) * labels.held - gone) <= 0.25 * gone + 4 * math.sqrt(gone / labels.rows)
    )
    if share * labels.rows < 5 or share < 0.01 or not (usual <= 0.002 or filled):
        return
    before, now = _without(labels.before, label), _without(labels.now, label)
    left = labels.apart(before, now) if now else 0.0
    if now and left > labels.chance() / math.sqrt(1 - min(0.99, share)) + 0.04:
        return
    why = (
        f"and {percent(gone)} fewer are missing, as if it stood for no value"
        if filled
        else "as a text that stands for no value would"
    )
    how_many = f"{percent(share)} of the values are {short(label)}, {percent(usual)} in the baseline"
    sentence = f"{labels.name}: {how_many}, {why}."
    bug = Bug(
        Pattern.NULL_CODE,
        sentence,
        max(1e-6, min(1.0, (share - usual) * labels.held)),
        fit_of(max(labels.gap, share - usual), left * (1 - share)),
    )
    yield Guess(bug)


def _usual_code(labels: Labels, label: str) -> bool:
    """Whether a number means no more than others here, since most labels are numbers."""
    if not any(each.isdigit() for each in label) or label.strip().startswith("-"):
        return False
    numbers = sum(share for each, share in labels.before.items() if each.strip().lstrip("-").isdigit())
    return numbers > 0.5


def _without(shares: Shares, label: str) -> dict[str, float]:
    rest = {each: share for each, share in shares.items() if each != label}
    total = sum(rest.values())
    return {each: share / total for each, share in rest.items()} if total > 0 else {}


def merged(labels: Labels) -> Iterator[Guess]:
    """All categories, or several, have become one."""
    top = labels.top
    share, usual = labels.now[top], labels.before.get(top, 0.0)
    if share >= 0.98 and usual <= 0.5 and len(labels.before) >= 3 and top[:3].casefold() not in SEASONS:
        sentence = (
            f"{labels.name}: {percent(share)} of the values are {short(top)}, {percent(usual)} in the baseline,"
            " as if a default were written for all."
        )
        yield Guess(Bug(Pattern.MERGED, sentence, (share - usual) * labels.held, share), cost=0.02)
        return
    yield from _some_merged(labels)


def _some_merged(labels: Labels) -> Iterator[Guess]:
    gone, strangers = labels.gone, labels.strangers
    if len(gone) < 2 or not strangers or labels.blur:
        return
    new = max(strangers, key=strangers.__getitem__)
    total, share = sum(gone.values()), strangers[new]
    # Rare labels go unseen with the others.
    rare = sum(each for label, each in labels.before.items() if label not in labels.now and label not in gone)
    error = 4 * math.sqrt(share * (1 - share) * (1 / labels.rows + 1 / labels.rows_before))
    if share < 0.03 or not total - error <= share <= total + rare + error or share < 0.9 * labels.strange:
        return

    def name(label: str) -> str:
        return new if label in gone or label not in labels.now else label

    before: dict[str, float] = {}
    for label, each in labels.before.items():
        before[name(label)] = before.get(name(label), 0.0) + each
    left = labels.apart(before, labels.now)
    if left <= labels.chance(before) + 0.02 and fit_of(labels.gap, left) >= 0.6:
        first = ", ".join(short(label) for label in list(gone)[:3])
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        sentence = f"{labels.name}: {first}{more} are gone, and {short(new)} has their {percent(share)} of the values."
        yield Guess(Bug(Pattern.MERGED, sentence, share * labels.held, fit_of(labels.gap, left)), cost=0.02)


def recoded(labels: Labels) -> Iterator[Guess]:
    """The shares are as before, but under other labels."""
    if labels.blur:
        return
    guess = _counted_on(labels) or _replaced(labels) or _permuted(labels)
    if guess is not None:
        yield guess


def _told(labels: Labels, pairs: dict[str, str], left: float, cost: float) -> Guess:
    """The guess that old labels have become new ones."""
    first = sorted(pairs, key=lambda old: -labels.before[old])[:3]
    told = ", ".join(f"{short(old)} as {short(pairs[old])}" for old in first)
    more = " and so on" if len(pairs) > 3 else ""
    sentence = f"{labels.name}: categories are under other names, with the shares they had: {told}{more}."
    share = min(1.0, sum(labels.now.get(new, 0.0) for new in pairs.values()) * labels.held)
    return Guess(Bug(Pattern.RECODED, sentence, share, fit_of(labels.gap, left)), cost)


def _left(labels: Labels, pairs: dict[str, str]) -> float:
    before = {pairs.get(label, label): share for label, share in labels.before.items()}
    return labels.apart(before, labels.now) if len(before) == len(labels.before) else 1.0


def _counted_on(labels: Labels) -> Guess | None:
    """Labels that are numbers are all one higher, or one lower."""
    whole = {label: int(label) for label in labels.before if label.isdecimal() and len(label) < 10}
    if len(whole) < len(labels.before) or len(whole) < 2:
        return None
    for step in (1, -1):
        pairs = {label: str(number + step) for label, number in whole.items()}
        left = _left(labels, pairs)
        if left <= labels.chance() + 0.02 and fit_of(labels.gap, left) >= 0.8 and labels.gap >= 0.15:
            return _told(labels, pairs, left, 0.02)
    return None


def _replaced(labels: Labels) -> Guess | None:
    """Labels are gone, and as many new ones have their shares."""
    gone = sorted(labels.gone.items(), key=lambda item: -item[1])
    new = sorted(labels.strangers.items(), key=lambda item: -item[1])
    total = sum(share for _, share in gone)
    if not gone or total < 0.1 or len(new) < len(gone):
        return None
    new, extra = new[: len(gone)], new[len(gone) :]
    if sum(share for _, share in extra) > 0.05 + sum(
        share
        for label, share in labels.before.items()
        if label not in labels.now and label not in labels.gone
    ):
        return None
    pairs = {old: label for (old, _), (label, _) in zip(gone, new, strict=True)}
    left = _left(labels, pairs)
    if len(gone) == 1:
        old, now = gone[0][1], new[0][1]
        error = math.sqrt(old * (1 - old) * (1 / labels.rows + 1 / labels.rows_before))
        if abs(old - now) > min(3 * error + 0.002, 0.1 * old) or now * labels.rows < 50:
            return None
    if left > labels.chance() + 0.03 or fit_of(labels.gap, left) < 0.8:
        return None
    return _told(labels, pairs, left, 0.12)


def _permuted(labels: Labels) -> Guess | None:
    """The same labels have changed places."""
    if labels.strange > 0.005 or labels.rows < 1000 or labels.novelty > 0.01:
        return None
    two = len(labels.before) == 2
    if labels.gap < (0.6 if two else 0.35) or (not two and len(labels.before) < 4):
        return None
    before = sorted(labels.before, key=lambda label: -labels.before[label])
    now = sorted(labels.before, key=lambda label: -labels.now.get(label, 0.0))
    pairs = {old: new for old, new in zip(before, now, strict=True) if old != new}
    left = _left(labels, pairs)
    if left > min(0.05, labels.chance()) or fit_of(labels.gap, left) < 0.9:
        return None
    return _told(labels, pairs, left, 0.05)
