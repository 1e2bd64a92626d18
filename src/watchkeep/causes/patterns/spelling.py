"""Categories that are the same but written otherwise: case, blanks, zeros, accents, prefixes, texts cut short."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from watchkeep.causes.patterns.labels import Labels, Rename, Shares, renamed, short
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.core.wording import percent

LEAST: Final = 0.02
"""The smallest share of values with new labels that is looked into."""
MOST: Final = 0.8
"""The share of them that one way of writing has to explain."""
LOOSE: Final = 0.06
"""What shares may differ by after it, beyond chance: that texts became others by chance is out of question."""


def _plain_accents(label: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", label) if not unicodedata.combining(each))


def _decoded(label: str) -> str:
    """A label as it was before UTF-8 was read as Latin-1."""
    for code in ("cp1252", "latin-1"):
        try:
            return label.encode(code).decode("utf-8")
        except UnicodeError:
            continue
    return label


def _ascii(label: str) -> str:
    return "".join(each if each < "\x80" else "?" for each in label.replace("\ufffd", "?"))


def _joined(label: str) -> str:
    return re.sub(r"[\s_\-./]+", "", label)


def _unpadded(label: str) -> str:
    return label.lstrip("0") or "0"


def _whole(label: str) -> str:
    return label.removesuffix(".0")


def _unquoted(label: str) -> str:
    return label.strip("\"'`")


def _folded(label: str) -> str:
    return _joined(_plain_accents(label)).casefold()


WRITINGS: Final[tuple[tuple[str, Rename], ...]] = (
    ("in capital or small letters", str.casefold),
    ("with other blanks around them", str.strip),
    ("with leading zeros more or fewer", _unpadded),
    ("with or without '.0', as numbers with a fraction are", _whole),
    ("with or without quotes", _unquoted),
    ("with other blanks, hyphens or underscores", _joined),
    ("in a broken encoding", _decoded),
    ("without their accents", _plain_accents),
    ("in a character set that lacks some letters", _ascii),
    ("with other letters' case, blanks and accents", _folded),
)
"""Ways in which one text is written as another; each function gives what they have in common."""


def spellings(labels: Labels) -> Iterator[Guess]:
    """New labels are old ones written otherwise."""
    if not _strange(labels):
        return
    for told, of in WRITINGS:
        known = {of(label): label for label in sorted(labels.before, key=labels.before.__getitem__)}
        found = {label: known[of(label)] for label in labels.strangers if of(label) in known}
        guess = _guess(labels, Pattern.SPELLING, found, of, f"categories are written {told}")
        if guess is not None:
            yield guess
            return


def _strange(labels: Labels) -> bool:
    return labels.strange >= LEAST + 3 * labels.novelty and labels.strange * labels.rows >= 5


def _guess(
    labels: Labels, pattern: Pattern, found: dict[str, str], of: Rename, told: str, *, cost: float = 0.0
) -> Guess | None:
    """A bug that writes old labels as these new ones, if that explains most of the new ones, and shares are as before.

    Args:
        labels: the column.
        pattern: the bug.
        found: the old label of each new one.
        of: what the two have in common.
        told: what happened, for people.
        cost: of the guess.
    """
    named = sum(labels.strangers.values())
    rows = sum(labels.now[label] for label in found)
    if not found or rows < MOST * named:
        return None
    before, now = renamed(labels.before, of), renamed(labels.now, of)
    left = min(1.0, labels.apart(before, now))
    if left > labels.chance(before) + LOOSE or fit_of(labels.gap, left) < 0.5:
        return None
    new = max(found, key=labels.now.__getitem__)
    rest = "" if rows + labels.unnamed > 0.98 else f" in {percent(rows + labels.unnamed, 0)} of the values"
    sentence = f"{labels.name}: {told}{rest}: {short(found[new])} is now {short(new)}."
    share = min(1.0, (rows + labels.unnamed) * labels.held)
    return Guess(Bug(pattern, sentence, share, fit_of(labels.gap, left)), cost)


def affixes(labels: Labels) -> Iterator[Guess]:
    """New labels are old ones with the same text before or after them, or without it."""
    if not _strange(labels):
        return
    weights: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for new, share in labels.strangers.items():
        for old in labels.before:
            for key in _between(old, new):
                if found.setdefault(key, {}).setdefault(new, old) == old:
                    weights[key] += int(1e9 * share)
    for (kind, text), _ in weights.most_common(4):
        pairs = found[kind, text]
        if len(pairs) < 2 or not text.strip():
            continue
        told = f"categories {kind} {short(text)}"
        guess = _guess(labels, Pattern.AFFIX, pairs, partial(_looked_up, pairs), told, cost=0.02)
        if guess is not None:
            yield guess
            return


def _looked_up(pairs: Mapping[str, str], label: str) -> str:
    return pairs.get(label, label)


def _between(old: str, new: str) -> Iterator[tuple[str, str]]:
    """What was put before or after a text, or taken from it."""
    if old and new != old:
        if new.endswith(old):
            yield "now begin with", new[: -len(old)]
        if new.startswith(old):
            yield "now end in", new[len(old) :]
    if new and new != old:
        if old.endswith(new):
            yield "lost their beginning", old[: -len(new)]
        if old.startswith(new):
            yield "lost their end", old[len(new) :]


def cuts(labels: Labels) -> Iterator[Guess]:
    """All labels are as long as so many characters at most, and were longer."""
    if not _strange(labels):
        return
    longest = max(map(len, labels.now))
    if not 0 < longest < max(map(len, labels.before)):
        return

    def cut(label: str) -> str:
        return label[:longest]

    known: dict[str, str] = {}
    for label in sorted(labels.before, key=labels.before.__getitem__):
        if len(label) > longest:
            known[cut(label)] = label
    found = {label: known[label] for label in labels.strangers if label in known}
    if len(found) < 2 and _weight(labels.strangers, found) < 0.1:
        return
    guess = _guess(
        labels, Pattern.TRUNCATED, found, cut, f"categories are cut to {longest} characters", cost=0.01
    )
    if guess is not None:
        yield guess


def _weight(shares: Shares, chosen: dict[str, str]) -> float:
    return sum(shares[label] for label in chosen)
