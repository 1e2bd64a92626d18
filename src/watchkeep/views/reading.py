"""What a document says, whatever it leaves out: typed, sorted and grouped for every way of drawing it.

Older files lack keys and damaged ones hold the wrong types; both read as absent, so that whatever is there
is still drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.constraints.checks import DAMAGED_FILES
from watchkeep.views.attribution import Attribution
from watchkeep.views.bias import Bias, sizes
from watchkeep.views.causes import Cause, causes_of
from watchkeep.views.columns import OUTCOMES, Column, Judged, Rule, column_of, rank, rules
from watchkeep.views.decisions import Decided
from watchkeep.views.judged_answers import of_answers, of_promise, out_of_limits, telling
from watchkeep.views.monitors import Monitor, monitors_of, proofs, together
from watchkeep.views.quality import Quality, kind_words
from watchkeep.views.values import mapping, objects, pairs, real, text, whole
from watchkeep.views.words import amount, clip, count, headline, listing, moment, percent, span

_FILES: Final = 5
"""Files that are named of those left out."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report document, read."""

    monitor: str
    kind: str
    status: str
    source: str
    created: str
    window: str
    baseline: Mapping[str, object]
    rows: Mapping[str, object]
    rejected: tuple[tuple[str, int], ...]
    outside: tuple[tuple[str, int], ...]
    skipped: tuple[tuple[str, str], ...]
    outcomes: Mapping[str, int]
    verdicts: tuple[Judged, ...]
    causes: tuple[Cause, ...]
    monitors: tuple[Monitor, ...]
    columns: tuple[Column, ...]
    measures: Mapping[str, Mapping[str, object]]
    policy: Mapping[str, object]
    timing: Mapping[str, object]
    decision: Decided | None
    proofs: tuple[tuple[str, Decided], ...]
    quality: Quality | None
    bias: Bias | None
    attribution: Attribution | None

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Self:
        """The report in a document."""
        verdicts = _ranked([Judged.of(verdict) for verdict in objects(document.get("verdicts"))])
        whole_verdicts = [verdict for verdict in verdicts if verdict.subject == "dataset"]
        quality = Quality.of(document.get("quality"), whole_verdicts)
        if quality is not None:
            verdicts = tuple(map(of_answers, verdicts))
        window, rows = mapping(document.get("window")), mapping(document.get("rows"))
        measures: dict[str, dict[str, object]] = {}
        for measure in objects(document.get("measures")):
            subject = text(measure.get("subject"), "dataset")
            measures.setdefault(subject, {})[text(measure.get("measure"))] = measure.get("value")
        kind = text(document.get("kind"), "report")
        policy = mapping(document.get("policy"))
        monitors = monitors_of(document.get("monitors"), budget=real(policy.get("false_alarms")))
        decision = Decided.of(
            document.get("decision"),
            budget=real(policy.get("false_alarms")),
            kinds=_kinds(document),
            judged=text(mapping(document.get("baseline")).get("judged")),
        )
        return cls(
            monitor=text(document.get("monitor"), kind),
            kind=kind,
            status=text(document.get("status"), "Unknown"),
            source=text(document.get("source")),
            created=moment(document.get("created")),
            window=span(window.get("start"), window.get("end")),
            baseline=mapping(document.get("baseline")),
            rows=rows,
            rejected=tuple((str(name), whole(n)) for name, n in mapping(rows.get("rejected")).items()),
            outside=tuple((str(name), whole(n)) for name, n in mapping(rows.get("outside")).items()),
            skipped=tuple((str(name), text(why)) for name, why in mapping(rows.get("skipped")).items()),
            outcomes=_outcomes(document.get("outcomes"), verdicts),
            verdicts=verdicts,
            causes=causes_of(document.get("causes"), whole_is_told=quality is not None),
            monitors=monitors,
            columns=_columns(document, verdicts, measures),
            measures=measures,
            policy=policy,
            timing=mapping(document.get("timing")),
            decision=together(monitors, decision),
            proofs=proofs(monitors, decision),
            quality=quality,
            bias=Bias.of(document.get("bias")),
            attribution=Attribution.of(document.get("attribution")),
        )

    @property
    def named_apart(self) -> bool:
        """Whether the names of monitors are other than their kinds."""
        return any(one.kind != one.name for one in self.monitors)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on files that could not be read: how many there are, and the first few."""
        if not self.skipped:
            return ()
        few = [f"{clip(name, 80)}: {clip(why, 120)}" for name, why in self.skipped[:_FILES]]
        more = len(self.skipped) - _FILES
        they = "it" if len(self.skipped) == 1 else "they"
        files = mapping(self.rows.get("files"))
        met, lost = whole(files.get("met")), whole(files.get("left_out"))
        told = amount(len(self.skipped), "file")
        if met and lost:
            size, gone = whole(files.get("bytes")), whole(files.get("bytes_left_out"))
            bytes_too = f", with {percent(gone / size)} of the bytes" if gone * met > lost * size else ""
            told = f"{count(lost)} of {amount(met, 'file')} ({percent(lost / met)}{bytes_too})"
        said = f"{told} left out, as {they} cannot be read"
        return (said, *few, *([f"and {more} more"] if more > 0 else []))

    @property
    def weighing(self) -> tuple[str, ...]:
        """How rows counted that stand for others which a sample left out, in a sentence; nothing where none do."""
        weights = mapping(self.rows.get("weights"))
        if not weights:
            return ()
        column = clip(text(weights.get("column")), 40)
        if weights.get("even"):
            return (f"some were left out so that each stands for the same number ({column})",)
        if weights.get("used"):
            return (f"each counted as as many as it stands for ({column})",)
        return (f"each counted once, though some stand for others that were left out ({column})",)

    @property
    def outcome(self) -> str:
        """The worst thing that can be said of the run, as an outcome: the colour of its badge."""
        if self.status == "Failed":
            return "failed"
        worst = next((outcome for outcome in ("violated", "failed") if self.outcomes[outcome]), "kept")
        return worst if (self.outcomes["kept"] and not self._unread) or worst != "kept" else "undecided"

    @property
    def _unread(self) -> list[Judged]:
        """What says that too many files were left out, one for each monitor."""
        return [one for one in self.verdicts if one.check == DAMAGED_FILES and one.outcome == "undecided"]

    @property
    def headline(self) -> str:
        """What happened, in one sentence: the decision, or what is outside its limits if there is none."""
        return self.limits if self.decision is None else self.decision.sentence

    @property
    def limits(self) -> str:
        """What is outside its limits, in one sentence."""
        violated = self.having("violated")
        if self.quality is None:
            subjects = (
                [cause.subject for cause in self.causes if cause.checks] if self.outcomes["violated"] else []
            )
            subjects += [verdict.subject for verdict in violated]
        else:
            subjects = [verdict.subject for verdict in telling(violated)]
        unread = self._unread
        told = headline(
            status=self.status,
            subjects=list(dict.fromkeys(subjects)),
            outcomes={**self.outcomes, "undecided": max(0, self.outcomes["undecided"] - len(unread))},
            analysed=real(self.rows.get("analysed")),
        )
        if unread:
            told = f"{unread[0].sentence.removeprefix('dataset: ')}: this is told of the rest. {told}"
        missing = [one.name for one in self.monitors if one.status == "Failed"]
        if missing:
            what = "monitor" if len(missing) == 1 else "monitors"
            rest = "" if self.status == "Failed" and not self.outcomes["violated"] else f" {told}"
            return f"The {what} {listing(missing)} could not be run.{rest}"
        return told if self.quality is None else out_of_limits(violated, told)

    def having(self, outcome: str) -> list[Judged]:
        """The verdicts of one outcome, worst first."""
        return [verdict for verdict in self.verdicts if verdict.outcome == outcome]

    @property
    def undecided(self) -> list[tuple[str, list[Judged]]]:
        """The undecided verdicts by reason, the commonest reason first."""
        groups: dict[str, list[Judged]] = {}
        for verdict in self.having("undecided"):
            groups.setdefault(verdict.reason, []).append(verdict)
        return sorted(groups.items(), key=lambda group: -len(group[1]))


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline document, read."""

    kind: str
    source: str
    created: str
    rows: int
    rejected: tuple[tuple[str, int], ...]
    judged: str
    dialect: str
    roles: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    constraints: tuple[Rule, ...]
    quality: Quality | None
    bias: Bias | None
    attribution: Attribution | None

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Self:
        """The baseline in a document."""
        promises = rules(document.get("constraints"))
        quality = Quality.of(document.get("quality"), promises=promises)
        return cls(
            kind=text(document.get("kind"), "unknown"),
            source=text(document.get("source")),
            created=moment(document.get("created")),
            rows=whole(document.get("rows")),
            rejected=tuple((str(name), whole(n)) for name, n in mapping(document.get("rejected")).items()),
            judged=text(document.get("judged")),
            dialect=text(document.get("dialect")),
            roles=pairs(document.get("roles")),
            columns=tuple(column_of(column, [], {}) for column in objects(document.get("columns"))),
            constraints=promises if quality is None else tuple(map(of_promise, promises)),
            quality=quality,
            bias=Bias.of(document.get("bias")),
            attribution=Attribution.of(document.get("attribution")),
        )

    @property
    def total(self) -> int:
        """How many constraints it holds."""
        return len(self.constraints) + sum(len(column.constraints) for column in self.columns)

    @property
    def headline(self) -> str:
        """What it is, in one sentence."""
        if self.quality is not None:
            return self._answering(self.quality)
        if self.bias is not None:
            return self._treating(self.bias)
        if self.attribution is not None:
            features = max((len(one.features) for one in self.attribution.places), default=0)
            return (
                f"{self._article} {clip(self.kind, 40)} baseline of {amount(self.rows, 'row')}:"
                f" {amount(features, 'feature')}; {amount(self.total, 'constraint')}."
            )
        learned = f"{amount(len(self.columns), 'column')} and {amount(self.total, 'constraint')}"
        return f"{self._article} {clip(self.kind, 40)} baseline of {amount(self.rows, 'row')}: {learned}."

    @property
    def _article(self) -> str:
        return "An" if self.kind[:1].lower() in tuple("aeiou") else "A"

    def _treating(self, bias: Bias) -> str:
        crossed = f", {count(len(bias.crossed))} of two facets together" if bias.crossed else ""
        return (
            f"{self._article} {clip(self.kind, 40)} baseline of {amount(self.rows, 'row')}: {sizes(bias.groups)} by"
            f" {listing(bias.facets)}{crossed}; {amount(self.total, 'constraint')}."
        )

    def _answering(self, quality: Quality) -> str:
        good = f" with {quality.good}" if quality.good else ""
        return (
            f"{self._article} {clip(self.kind, 40)} baseline of {amount(self.rows, 'row')}: the model"
            f" {kind_words(quality.problem, quality.classes)}{good}; {amount(self.total, 'constraint')}."
        )


def _ranked(verdicts: Sequence[Judged]) -> tuple[Judged, ...]:
    return tuple(sorted(verdicts, key=lambda verdict: (rank(verdict.outcome), -verdict.severity)))


def _outcomes(value: object, verdicts: Sequence[Judged]) -> dict[str, int]:
    told = mapping(value)
    if told:
        return {outcome: whole(told.get(outcome)) for outcome in OUTCOMES}
    return {outcome: sum(verdict.outcome == outcome for verdict in verdicts) for outcome in OUTCOMES}


def _kinds(document: Mapping[str, object]) -> dict[str, str]:
    """The kind of each column's chart: numbers are told in other units than categories."""
    columns = objects(document.get("columns"))
    return {text(one.get("name")): text(mapping(one.get("chart")).get("kind")) for one in columns}


def _columns(
    document: Mapping[str, object], verdicts: Sequence[Judged], measures: Mapping[str, Mapping[str, object]]
) -> tuple[Column, ...]:
    judged: dict[str, list[Judged]] = {}
    for verdict in verdicts:
        judged.setdefault(verdict.subject, []).append(verdict)
    columns = []
    for column in objects(document.get("columns")):
        name = text(column.get("name"))
        columns.append(column_of(column, judged.get(name, []), measures.get(name, {})))
    return tuple(sorted(columns, key=lambda column: (rank(column.outcome), -column.severity)))
