"""The monitors there are, as the use cases meet them: a baseline is learned, windows are checked against it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Final, TypeAlias

from watchkeep.alarms.sightings import panel_of
from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.core.undefined import Undefined
from watchkeep.core.window import Window
from watchkeep.formats.foreign_quality import of_documents
from watchkeep.formats.quality_constraints import QualityConstraints
from watchkeep.formats.quality_limits import to_quality_constraints, to_quality_document
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.data_quality.evaluation import evaluate
from watchkeep.monitors.findings import Findings
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.evaluation import evaluate_quality, panel_of_quality
from watchkeep.monitors.model_quality.found_segments import found_segments
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.monitors.model_quality.scan import QualityScan
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.scan import Scan
from watchkeep.service import checking
from watchkeep.service.baselining import Learned
from watchkeep.service.joining import JoinAccount, Labelled
from watchkeep.service.ports import Progress, Source
from watchkeep.service.quality import QualityOptions, count_answers, learn_quality, require_answers
from watchkeep.service.reading import ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of

KINDS: Final = ("data-quality", "model-quality")
"""The monitors, as commands name them."""


@dataclass(frozen=True, slots=True, eq=False)
class QualityLearned:
    """A baseline of answers and its limits as a document.

    Args:
        baseline: the states; its constraints are those of the document.
        document: `constraints.json`: suggested, or edited since.
        suggested: what the rules suggested, by key.
    """

    baseline: QualityBaseline
    document: QualityConstraints
    suggested: Mapping[tuple[str, str, str, str], Constraint]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it knows: those of the answers, then the features."""
        plan = self.baseline.plan
        own = [name for name in plan.roles.named() if name not in {one.name for one in plan.features}]
        return (*own, *(one.name for one in plan.features))


AnyLearned: TypeAlias = Learned | QualityLearned
Fold: TypeAlias = Scan | QualityScan
"""Batches in, a profile out."""


def learn_answers(
    source: Source,
    roles: Roles,
    options: QualityOptions,
    *,
    dialect: Dialect,
    created: datetime,
    progress: Progress | None = None,
) -> QualityLearned:
    """Learn a baseline of model quality, see `learn_quality`."""
    baseline = learn_quality(source, roles, options, dialect=dialect, created=created, progress=progress)
    document = to_quality_document(baseline.plan.problem, baseline.constraints)
    return QualityLearned(baseline, document, {one.key: one for one in baseline.constraints})


def answers_in_force(learned: QualityLearned, dialect: Dialect) -> QualityBaseline:
    """The baseline with the limits of its document, as a dialect judges them."""
    baseline = learned.baseline
    constraints = to_quality_constraints(learned.document, learned.suggested)
    return replace(
        baseline,
        plan=replace(baseline.plan, dialect=dialect),
        constraints=constraints if baseline.known is None else of_documents(constraints),
    )


def check(
    learned: AnyLearned,
    source: Source,
    *,
    window: Window,
    policy: Policy,
    created: datetime,
    roles: Roles | None = None,
    progress: Progress | None = None,
    review: Review | None = None,
    search: bool = False,
) -> Findings:
    """Check one window, whatever the monitor: see `checking.check`.

    Args:
        learned: the baseline.
        source: the window's rows.
        window: keeps only rows of this time.
        policy: the standard.
        created: now.
        roles: which column is what, where it is not as the baseline says.
        progress: is told how it goes.
        review: is shown every batch, and lists the answers that are least certain; of model quality.
        search: whether to search for segments where answers are worse; of model quality, some seconds.
    """
    if isinstance(learned, Learned):
        if review is not None or search:
            raise OptionError(
                "review" if review is not None else "find-segments",
                got="a baseline of data-quality",
                expected="one of model-quality",
            )
        return checking.check(
            learned, source, window=window, policy=policy, created=created, roles=roles, progress=progress
        )
    started = perf_counter()
    baseline = answers_in_force(learned, policy.dialect)
    if roles is not None:
        baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.roles.under(roles)))
    source = rows_of(source, baseline.roles)
    ask = ask_of(source, baseline.roles, positional=baseline.plan.names or None, window=window)
    _fits(baseline, search=search)
    if roles is not None and not set(roles.ignored) <= set(baseline.plan.names):
        Roles(ignored=roles.ignored).require([*baseline.plan.names, *source.schema(ask).names])
    if roles is not None and roles.label is not None and not isinstance(source, Labelled):
        available = source.schema(ask).names
        if roles.label not in available:  # one that the baseline remembers may well come later
            raise MissingColumnError(roles.label, reader="the role label", available=available)
    if review is not None:
        review.begin(baseline.plan)
    scan = count_answers(
        baseline, source, ask, progress=progress, also=None if review is None else review.add
    )
    read = perf_counter()
    findings = evaluate_quality(
        baseline, scan.profile(), window=window, policy=policy, source=source.name, created=created
    )
    if isinstance(source, Labelled):
        account = source.account()
        findings = replace(findings, unmatched=account.unmatched, join=_told(account))
    if review is not None:
        findings = replace(findings, review=review.document())
    if search:
        findings = replace(findings, found=found_segments(baseline, scan.profile()))
    judged = perf_counter()
    timing = {"read_seconds": read - started, "judge_seconds": judged - read, "seconds": judged - started}
    return replace(findings, timing=timing)


def _fits(baseline: QualityBaseline, *, search: bool) -> None:
    """Check that a baseline can do what is asked of it.

    Raises:
        OptionError: it cannot.
    """
    plan = baseline.plan
    if search and not plan.features:
        raise OptionError("find-segments", got=baseline.source, expected="a baseline of ours with features")
    if baseline.known is None:
        scored = plan.roles.score is not None and plan.problem is not Problem.REGRESSION
        if plan.roles.prediction is None and not scored:
            raise OptionError("prediction", got="nothing", expected="the column of the model's answers")
        return
    require_answers(plan.roles)
    if plan.problem is Problem.BINARY and plan.roles.score is not None and plan.bins is None:
        raise OptionError(
            "score",
            got=plan.roles.score,
            expected="to be named when the baseline is loaded",
        )


def _told(account: JoinAccount) -> dict[str, object]:
    """What became of predictions and labels, as JSON."""
    told: dict[str, object] = {
        name: getattr(account, name)
        for name in (
            "predictions",
            "matched",
            "unmatched",
            "labels",
            "duplicate_labels",
            "changed_labels",
            "unmatched_labels",
            "labels_without_id",
            "labels_without_value",
            "duplicate_predictions",
        )
    }
    rate, delay = account.match_rate, account.delay
    told["match_rate"] = rate.document() if isinstance(rate, Undefined) else rate
    told["delay"] = None if delay is None else asdict(delay)
    told["rejected_labels"] = dict(account.rejected_labels)
    return told


def in_force(learned: AnyLearned, dialect: Dialect) -> AnyLearned:
    """The baseline with the limits of its document, as a dialect judges them."""
    if isinstance(learned, Learned):
        return replace(learned, baseline=checking.in_force(learned, dialect))
    return replace(learned, baseline=answers_in_force(learned, dialect))


def fold(learned: AnyLearned, dialect: Dialect) -> Fold:
    """What counts a window's rows by a baseline that is in force."""
    if isinstance(learned, Learned):
        return Scan(learned.baseline.plan(dialect))
    _fits(learned.baseline, search=False)
    return QualityScan(learned.baseline.plan)


def scan(learned: AnyLearned, source: Source, *, window: Window, dialect: Dialect) -> Profile:
    """The states of a window's rows, counted by a baseline that is in force.

    Raises:
        EmptySourceError: no row is left to analyse.
        SourceError: the source cannot be read.
    """
    if isinstance(learned, Learned):
        return checking.scan_window(learned.baseline, source, window=window, dialect=dialect)
    _fits(learned.baseline, search=False)
    plan = learned.baseline.plan
    source = rows_of(source, plan.roles)
    ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
    return count_answers(learned.baseline, source, ask).profile()


def judge(
    learned: AnyLearned, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
) -> Findings:
    """Judge states against a baseline that is in force."""
    if isinstance(learned, Learned):
        return evaluate(
            learned.baseline, profile, window=window, policy=policy, source=source, created=created
        )
    return evaluate_quality(
        learned.baseline, profile, window=window, policy=policy, source=source, created=created
    )


def panel(learned: AnyLearned, *, false_alarms: float, margin: float = MARGIN) -> Panel:
    """What a watch over this baseline listens to."""
    if isinstance(learned, Learned):
        return panel_of(learned.baseline, false_alarms=false_alarms, margin=margin)
    return panel_of_quality(learned.baseline, false_alarms=false_alarms, margin=margin)
