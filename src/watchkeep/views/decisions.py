"""What a document says of its decision: the answer, the evidence for it, the windows before, what could be seen.

Documents written before there were decisions have none, and are drawn without.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.alarms.decision import COLUMNS, FEATURES, GROUPS, MEASURES
from watchkeep.alarms.sentences import KINDS
from watchkeep.views.columns import brief
from watchkeep.views.detectable import Detectable, detectable_of, explained
from watchkeep.views.history import Level, Note, Track, level_of, note_of, track_of
from watchkeep.views.measure_words import label
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import amount, clip, count, moment, number, percent

HEADS: Final = ("Changed", "Changed before", "Not changed", "Worth a look", "Too little data to tell")
"""What a sentence of a decision begins with."""

_TIME: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TONES: Final = {"changed": "violated", "not changed": "kept"}
_SYMBOLS: Final = {"violated": "▲", "kept": "✓"}
_NOUNS: Final = {COLUMNS: "column", MEASURES: "measure", GROUPS: "group", FEATURES: "feature"}
_MOST_SHARES: Final = 8
_LEAST: Final = 0.005  # a share of the evidence below which a column that is not named is not worth its line


@dataclass(frozen=True, slots=True)
class Share:
    """A column's, measure's or group's share of the evidence, and what changed in it, if that is known."""

    name: str
    change: str
    share: float
    named: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, read.

    Args:
        tone: the outcome of a check that has its colour.
        head, lead: its sentence, parted: the answer, and what is said of it.
        level: 1 rings.
        number: of the window, from 1; `windows`: how many of the last seem changed; `since` when.
        about: what it is about, as `Decision.about` spells it; `noun`: one by one, a column or a measure.
        shares: those by their share of the evidence, the named ones first.
        left: those with evidence that are not among them.
        horizons: windows, for each of which `detectable` tells a size; `unlisted` are not among them.
        history: the windows of a watch, oldest first; empty without a watch.
        alarms: how often it rang; None without a watch.
        budget: unchanged windows that may ring, as a share, if that is known.
        judged: what the window was held against, for people; empty if that is not known.
    """

    tone: str
    symbol: str
    head: str
    lead: str
    sentence: str
    level: float
    alarm: bool
    warning: bool
    open: bool
    number: int
    since: str
    windows: int
    about: str
    noun: str
    shares: tuple[Share, ...]
    left: int
    horizons: tuple[int, ...]
    detectable: tuple[Detectable, ...]
    unlisted: int
    history: tuple[Level, ...]
    notes: tuple[Note, ...]
    track: tuple[Track, ...]
    alarms: int | None
    budget: float | None
    judged: str

    @classmethod
    def of(
        cls,
        value: object,
        *,
        budget: float | None = None,
        kinds: Mapping[str, str] | None = None,
        judged: str = "",
    ) -> Self | None:
        """The decision in a document; None if there is none.

        Args:
            value: what stands under `decision`.
            budget: unchanged windows that may ring, as a share, unless the decision says.
            kinds: of charts, by column: tells in which unit a change is small, where the decision itself does not.
            judged: what the window was held against, for people.
        """
        given = mapping(value)
        outcome = text(given.get("outcome"))
        if not outcome:
            return None
        alarm, warning = given.get("alarm") is True, given.get("warning") is True
        named = [str(name) for name in _list(given.get("named"))]
        about = text(given.get("subjects"), COLUMNS)
        sentence = _sentence(given, outcome, named, about=about)
        head, lead = _parted(sentence)
        lead = lead if named else lead[:1].upper() + lead[1:]  # a name stays as it is
        tone = _TONES.get(outcome, "undecided")
        if tone == "kept" and warning:
            tone = "undecided"
        shares, left = _shares(given, named, about=about)
        horizons, detectable, unlisted = detectable_of(
            given.get("detectable"), kinds or {}, about=about, parts=given.get("parts")
        )
        told = real(given.get("false_alarms"))
        rang = real(given.get("alarms"))
        return cls(
            tone=tone,
            symbol=_SYMBOLS.get(tone, "△" if warning else "◌"),
            head=head,
            lead=lead,
            sentence=sentence,
            level=max(0.0, real(given.get("level")) or 0.0),
            alarm=alarm,
            warning=warning,
            open=given.get("open") is not None,
            number=whole(given.get("number")) + 1,
            since=_since(given),
            windows=whole(given.get("windows")),
            about=about,
            noun=_NOUNS.get(about, "column"),
            shares=shares,
            left=left,
            horizons=horizons,
            detectable=detectable,
            unlisted=unlisted,
            history=tuple(level_of(one) for one in objects(given.get("history"))),
            notes=tuple(note_of(one) for one in objects(given.get("notes"))),
            track=tuple(track_of(one) for one in objects(given.get("track"))),
            alarms=None if rang is None else round(rang),
            budget=budget if told is None else told,
            judged=clip(judged, 200),
        )

    @property
    def counted(self) -> str:
        """The windows and alarms of a watch, in words; empty without a watch."""
        if self.alarms is None:
            return ""
        return f"{amount(self.number, 'window')}, {amount(self.alarms, 'alarm')}"

    @property
    def rang(self) -> str:
        """The window whose alarm is open, in words; empty when none is, or when it is this or not on record."""
        last = next((one for one in reversed(self.history) if one.alarm), None)
        return last.label if self.open and not self.alarm and last is not None else ""

    @property
    def lasting(self) -> str:
        """Since when it seems changed, in words; empty when it does not, or without a watch."""
        if self.windows < 1 or not self.since or self.alarms is None:
            return ""
        return f"since {self.since}" + (f" ({amount(self.windows, 'window')})" if self.windows > 1 else "")

    @property
    def faint(self) -> bool:
        """Whether the evidence is so little that its shares are mostly chance."""
        return not (self.alarm or self.warning or self.open)

    @property
    def silence(self) -> str:
        """What the sizes of `detectable` mean, in sentences."""
        return explained(self.detectable, about=self.about)

    @property
    def promise(self) -> str:
        """The budget of false alarms, in words; empty when it is not known."""
        return "" if self.budget is None else promise(self.budget)


def promise(budget: float) -> str:
    """A budget of false alarms in words.

    >>> promise(0.001), promise(0.4)
    ('at most one unchanged window in 1,000 rings', 'at most 40 % of unchanged windows ring')
    """
    if not 0 < budget <= 1:
        return ""
    each = 1 / budget
    if abs(each - round(each)) > 0.01 * each:
        return f"at most {percent(budget)} of unchanged windows ring"
    return f"at most one unchanged window in {count(each)} rings"


def strength(level: float) -> str:
    """A level of evidence for people: two digits, and no more than they can mean.

    >>> [strength(level) for level in (0, 0.00004, 0.012555, 0.96, 3.21, 1e9)]
    ['0', 'under 0.001', '0.013', '0.96', '3.2', 'over 1,000']
    """
    if 0 < level < 0.001:
        return "under 0.001"
    return "over 1,000" if level > 1000 else number(level, digits=2)


def _sentence(given: Mapping[str, object], outcome: str, named: Sequence[str], *, about: str) -> str:
    sentence = text(given.get("sentence"))
    for name in sorted(named, key=len, reverse=True):
        sentence = brief(sentence, name)
        if about == MEASURES:
            sentence = sentence.replace(f"{name} (", f"{label(name)} (")
    sentence = _TIME.sub(lambda found: moment(found.group()), sentence)
    return clip(sentence, 1000) if sentence else outcome.capitalize()


def _parted(sentence: str) -> tuple[str, str]:
    """The answer, and what is said of it; all is the answer if it begins as none that is known."""
    for head in sorted(HEADS, key=len, reverse=True):
        rest = sentence.removeprefix(head)
        if rest != sentence and rest[:2] in (": ", ", "):
            return head, rest[2:]
    return sentence, ""


def _since(given: Mapping[str, object]) -> str:
    """When it began: a time, or the number of a window where windows have no bounds."""
    windows = whole(given.get("windows"))
    if windows < 1:
        return ""
    at = moment(given.get("since"))
    first = max(0, whole(given.get("number")) - windows + 1)
    return at if at.endswith(" UTC") else f"window {count(first + 1)}"


def _shares(
    given: Mapping[str, object], named: Sequence[str], *, about: str
) -> tuple[tuple[Share, ...], int]:
    changes = mapping(given.get("changes"))
    evidence = {
        str(name): min(max(real(share) or 0.0, 0.0), 1.0)
        for name, share in mapping(given.get("evidence")).items()
    }
    ranked = sorted(evidence, key=lambda name: -evidence[name])
    names = list(dict.fromkeys([*named, *(name for name in ranked if evidence[name] >= _LEAST)]))
    shown = names[:_MOST_SHARES]
    told = tuple(
        Share(
            name=label(name) if about == MEASURES else name,
            change=KINDS.get(kind, clip(kind, 60)) if (kind := text(changes.get(name))) else "",
            share=evidence.get(name, 0.0),
            named=name in named,
        )
        for name in shown
    )
    return told, len(names) - len(shown)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
