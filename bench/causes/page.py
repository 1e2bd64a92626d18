"""The page: who ranks the broken feature where, what bugs are named, and what is told where nothing broke."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scipy.stats import beta

from bench.causes.plants import KINDS, Kind
from bench.causes.run import Answer, Outcome
from bench.causes.tables import TABLES
from bench.causes.ways import BOTH, DATA, PEERS, WAYS

FIRST: Final = 0.90
TOP: Final = 0.99
_TOP: Final = 3
_SAYS: Final = {"data": "data quality", "attribution": "attribution", "both": "both together"}
_BY_NAME: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}

_METHOD = """\
Written by `python -m bench.causes`, not by hand.

**Windows.** A setup is one shuffle of one table: a LightGBM model of 60 trees learns the label from up to 10,000 rows,
baselines are learned from up to 10,000 others, and windows have 2,000 of the rest. In each window one feature is
broken, chosen by lot among all that the kind can befall, however little the model uses it; *shuffled* only befalls
features that hang together with another one (|rank correlation| or Cramér's V of 0.3 or more). A plant alters at least
one row in twenty, or another feature is taken. Labels are not in the windows.

**Ranked.** The place of the broken feature among the columns that the report's causes tell; of two columns that were
swapped either counts. *Named*: the bug is told of that feature under its own name; in brackets under another one.
Nothing is to be named of a shuffle or of drift. Bounds are 95 % Clopper-Pearson intervals, as if cases were
independent: those of one table share its rows.

**Plain rankings** see the same windows: the smallest p-value (Kolmogorov-Smirnov, chi-square; equal ones by their
distances), the largest population stability index (ten bins, and one of missing values), and the largest change of
the mean |SHAP| value."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of so many."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """In [0, 1]; 0 of none."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.hits}" if self.of else "–"


def counted(yes: Iterable[bool]) -> Count:
    """How many are true, of how many.

    >>> str(counted([True, False])), counted([]).share
    ('1', 0.0)
    """
    listed = list(yes)
    return Count(sum(listed), len(listed))


def bounds(count: Count, level: float = 0.95) -> tuple[float, float]:
    """The Clopper-Pearson interval of a share.

    >>> [round(one, 4) for one in bounds(Count(9, 10))]
    [0.555, 0.9975]
    """
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, count.hits, count.of - count.hits + 1)) if count.hits else 0.0
    high = float(beta.ppf(1 - tail, count.hits + 1, count.of - count.hits)) if count.hits < count.of else 1.0
    return low, high


def judged_way(found: Sequence[Outcome]) -> str:
    """The way that the goals are about: both together, or data quality where there is no such way."""
    return BOTH if any(BOTH in one.answers for one in found) else DATA


def met(found: Sequence[Outcome]) -> bool:
    """Whether the goals are reached."""
    first, top, _ = _totals(_broken(found), judged_way(found))
    return first.share >= FIRST and top.share >= TOP


def page(found: Sequence[Outcome], where: str, seconds: float) -> str:
    """The page of all outcomes.

    Args:
        found: windows with a plant, and without.
        where: the date and the machine.
        seconds: what it took.
    """
    broken, quiet = _broken(found), [one for one in found if not one.kind]
    parts = ["# Causes, measured", f"{where}; {seconds / 60:.0f} minutes.", _METHOD]
    if broken:
        parts += ["## One broken feature", _kinds(broken), "## Totals", _summary(found)]
        parts += ["## Tables", _tables(broken), "## Plain rankings", _peers(broken)]
    parts += ["## False namings", _false(broken, quiet)]
    return "\n\n".join(parts) + "\n"


def _broken(found: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in found if one.kind]


def _ways(found: Sequence[Outcome]) -> list[str]:
    return [way for way in WAYS if any(way in one.answers for one in found)]


def _within(answer: Answer, top: int) -> bool:
    return answer.place is not None and answer.place <= top


def _totals(broken: Sequence[Outcome], way: str) -> tuple[Count, Count, Count]:
    """First, in the top three, and named as it should be."""
    answers = [(one, one.answers[way]) for one in broken]
    named = [
        answer.pattern in patterns for one, answer in answers if (patterns := _BY_NAME[one.kind].patterns)
    ]
    return (
        counted(_within(answer, 1) for _, answer in answers),
        counted(_within(answer, _TOP) for _, answer in answers),
        counted(named),
    )


def _misnamed(broken: Sequence[Outcome], way: str) -> Counter[str]:
    """The wrong names of broken columns."""
    wrong: Counter[str] = Counter()
    for one in broken:
        patterns, told = _BY_NAME[one.kind].patterns, one.answers[way].pattern
        if patterns is not None and told and told not in patterns:
            wrong[told] += 1
    return wrong


def _kinds(broken: Sequence[Outcome]) -> str:
    ways = _ways(broken)
    heads = [f"{_SAYS[way]}: first | top three | named" for way in ways]
    lines = [f"| what broke | n | {' | '.join(heads)} |", "|---|---|" + "---|" * 3 * len(ways)]
    for kind in KINDS:
        cases = [one for one in broken if one.kind == kind.name]
        if not cases:
            continue
        cells = []
        for way in ways:
            first, top, named = _totals(cases, way)
            other = sum(_misnamed(cases, way).values())
            cells += [str(first), str(top), f"{named} ({other})" if other else str(named)]
        lines.append(f"| {kind.says} | {len(cases)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _summary(found: Sequence[Outcome]) -> str:
    broken = _broken(found)
    lines = ["| | first | top three | named, of what has a name |", "|---|---|---|---|"]
    lines += [
        f"| {_SAYS[way]} | {' | '.join(_told(one) for one in _totals(broken, way))} |"
        for way in _ways(broken)
    ]
    way = judged_way(found)
    first, top, _ = _totals(broken, way)
    verdicts = [
        f"{name} at least {must:.0%}: {'met' if one.share >= must else '**missed**'}"
        for name, must, one in (("first", FIRST, first), ("in the top three", TOP, top))
    ]
    return "\n".join([*lines, "", f"Must, of {_SAYS[way]}: {'; '.join(verdicts)}."])


def _tables(broken: Sequence[Outcome]) -> str:
    ways = _ways(broken)
    heads = [f"{_SAYS[way]}: first | top three" for way in ways]
    lines = [f"| table | n | {' | '.join(heads)} |", "|---|---|" + "---|" * 2 * len(ways)]
    for name, table in TABLES.items():
        cases = [one for one in broken if one.table == name]
        if cases:
            cells = [f"{one.share:.1%}" for way in ways for one in _totals(cases, way)[:2]]
            lines.append(f"| {name}: {table.says} | {len(cases)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _peers(broken: Sequence[Outcome]) -> str:
    lines = ["| | first | top three |", "|---|---|---|"]
    for name in PEERS:
        found = [counted(0 < one.peers[name] <= top for one in broken) for top in (1, _TOP)]
        lines.append(f"| {name} | {' | '.join(_told(one) for one in found)} |")
    names = list(PEERS)
    lines += ["", f"First, by kind: {', '.join(names)}.", "", f"| what broke | {' | '.join(names)} |"]
    lines.append("|---|" + "---|" * len(names))
    for kind in KINDS:
        cases = [one for one in broken if one.kind == kind.name]
        if cases:
            cells = [str(counted(one.peers[name] == 1 for one in cases)) for name in names]
            lines.append(f"| {kind.says} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _false(broken: Sequence[Outcome], quiet: Sequence[Outcome]) -> str:
    lines = []
    if quiet:
        lines += [
            f"In {len(quiet):,} windows of which nothing is broken:",
            "",
            "| | windows with a cause | causes | windows with a bug | bugs |",
            "|---|---|---|---|---|",
        ]
    for way in _ways(quiet):
        answers = [one.answers[way] for one in quiet]
        causes, bugs = (
            counted(bool(one) for one in each) for each in zip(*map(_told_of, answers), strict=True)
        )
        sums = [sum(each) for each in zip(*map(_told_of, answers), strict=True)]
        lines.append(f"| {_SAYS[way]} | {_told(causes)} | {sums[0]} | {_told(bugs)} | {sums[1]} |")
    if broken:
        lines += [
            "",
            "In windows with one broken feature, the wrong names of it, and bugs named of other columns:",
            "",
        ]
        lines += ["| | wrong names | bugs of others |", "|---|---|---|"]
    for way in _ways(broken):
        wrong = _misnamed(broken, way)
        told = ", ".join(f"{name} {count}" for name, count in wrong.most_common()) or "none"
        others = sum(one.answers[way].others for one in broken)
        lines.append(f"| {_SAYS[way]} | {told} | {others} |")
    return "\n".join(lines)


def _told_of(answer: Answer) -> tuple[int, int]:
    return answer.causes, answer.bugs


def _told(count: Count) -> str:
    if not count.of:
        return "–"
    low, high = bounds(count)
    return f"{count.hits:,} of {count.of:,}: {count.share:.1%} ({low:.1%} to {high:.1%})"
