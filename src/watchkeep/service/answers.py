"""Model quality, as the use cases meet it: a baseline of answers is learned, windows are checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import Self

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import BaselineError, OptionError
from watchkeep.core.window import Window
from watchkeep.formats import constraints, statistics, violations
from watchkeep.formats.foreign_quality import of_documents
from watchkeep.formats.quality_archive import pack_quality, quality_identity, quality_states_identity
from watchkeep.formats.quality_constraints import QualityConstraints
from watchkeep.formats.quality_limits import to_quality_constraints, to_quality_document
from watchkeep.formats.quality_report import (
    quality_baseline_document,
    quality_document,
    quality_statistics,
    quality_violations,
)
from watchkeep.formats.report import report_document
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.findings import Findings
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.evaluation import QualityFindings, evaluate_quality, panel_of_quality
from watchkeep.monitors.model_quality.found_segments import found_segments
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.monitors.model_quality.scan import QualityScan
from watchkeep.profiles.profile import Profile
from watchkeep.service.folding import HERE, Engine, fresh
from watchkeep.service.joining import Labelled, account_of
from watchkeep.service.learned import Begin, require_known, timed
from watchkeep.service.ports import Progress, Source
from watchkeep.service.quality import QualityOptions, count_answers, learn_quality, require_answers
from watchkeep.service.reading import ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of
from watchkeep.service.weighing import own_weights, weighed, with_own_weight


@dataclass(frozen=True, eq=False)
class QualityLearned:
    """A baseline of answers and its limits as a document; see `Learned`.

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
        """See `Learned`: those of the answers, then the features."""
        plan = self.baseline.plan
        own = [name for name in plan.roles.named() if name not in {one.name for one in plan.features}]
        return (*own, *(one.name for one in plan.features))

    @property
    def names(self) -> tuple[str, ...]:
        """See `Learned`."""
        return self.baseline.plan.names

    @cached_property
    def id(self) -> str:
        """See `Learned`."""
        return quality_identity(self.baseline)

    @cached_property
    def states_id(self) -> str:
        """See `Learned`."""
        return quality_states_identity(self.baseline)

    def packed(self) -> bytes:
        """See `Learned`."""
        if self.baseline.known is not None:
            why = "its two files are the baseline; there is nothing more to write"
            raise BaselineError(self.baseline.source, why=why)
        return pack_quality(self.baseline, tuple(self.suggested.values()))

    def files(self) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        answers = self.baseline
        return {
            statistics.DOCUMENT: quality_statistics(
                answers.quality, answers.plan, at=answers.created
            ).document(),
            constraints.DOCUMENT: self.document.document(),
        }

    def told(self) -> dict[str, object]:
        """See `Learned`."""
        return quality_baseline_document(self.baseline)

    def files_of(self, findings: Findings) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        assert isinstance(findings, QualityFindings)  # noqa: S101 (they are ours)
        told = quality_statistics(findings.quality, findings.against.plan, at=findings.created)
        return {
            statistics.DOCUMENT: told.document(),
            constraints.DOCUMENT: self.document.document(),
            violations.DOCUMENT: quality_violations(findings).document(),
        }

    def report(self, findings: Findings) -> dict[str, object]:
        """See `Learned`."""
        assert isinstance(findings, QualityFindings)  # noqa: S101 (they are ours)
        return report_document(findings, baseline_id=self.id, quality=quality_document(findings))

    def in_force(self, dialect: Dialect) -> Self:
        """See `Learned`."""
        baseline = self.baseline
        limits = to_quality_constraints(self.document, self.suggested)
        return replace(
            self,
            baseline=replace(
                baseline,
                plan=replace(baseline.plan, dialect=dialect),
                constraints=limits if baseline.known is None else of_documents(limits),
            ),
        )

    def begin(self, dialect: Dialect) -> Begin:  # noqa: ARG002 (its plan knows the dialect in force)
        """See `Learned`."""
        _fits(self.baseline, search=False)
        return fresh(QualityScan, self.baseline.plan)

    def scan(
        self,
        source: Source,
        *,
        window: Window,
        dialect: Dialect,  # noqa: ARG002 (as above)
        engine: Engine = HERE,
    ) -> Profile:
        """See `Learned`."""
        _fits(self.baseline, search=False)
        plan = self.baseline.plan
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        return count_answers(self.baseline, source, ask, engine=engine)

    def judge(
        self, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
    ) -> QualityFindings:
        """See `Learned`."""
        return evaluate_quality(
            self.baseline, profile, window=window, policy=policy, source=source, created=created
        )

    def panel(self, *, false_alarms: float, margin: float = MARGIN) -> Panel:
        """See `Learned`."""
        return panel_of_quality(self.baseline, false_alarms=false_alarms, margin=margin)

    def check(
        self,
        source: Source,
        *,
        window: Window,
        policy: Policy,
        created: datetime,
        roles: Roles | None = None,
        progress: Progress | None = None,
        review: Review | None = None,
        search: bool = False,
        engine: Engine = HERE,
    ) -> Findings:
        """See `Learned`."""
        started = perf_counter()
        baseline = self.in_force(policy.dialect).baseline
        if roles is not None:
            baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.roles.under(roles)))
        source = rows_of(source, baseline.roles)
        weights = own_weights(source, baseline.roles, window)
        if weights is not None:
            own = replace(baseline.roles, weight=weights.column)
            baseline = replace(baseline, plan=replace(baseline.plan, roles=own))
        ask = ask_of(source, baseline.roles, positional=baseline.plan.names or None, window=window)
        _fits(baseline, search=search)
        require_known(roles, baseline.plan.names, source, ask)
        if review is not None:
            review.begin(baseline.plan)
        profile = count_answers(baseline, source, ask, engine=engine, progress=progress, review=review)
        read = perf_counter()
        findings = evaluate_quality(
            baseline, profile, window=window, policy=policy, source=source.name, created=created
        )
        if isinstance(source, Labelled):
            findings = replace(findings, unmatched=source.account().unmatched, join=account_of(source))
        if review is not None:
            findings = replace(findings, review=review.document())
        if search:
            findings = replace(findings, found=found_segments(baseline, profile))
        return timed(weighed(findings, weights), started, read)


def learn_answers(
    source: Source,
    roles: Roles,
    options: QualityOptions,
    *,
    dialect: Dialect,
    created: datetime,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> QualityLearned:
    """Learn a baseline of model quality, see `learn_quality`."""
    roles = with_own_weight(rows_of(source, roles), roles)
    baseline = learn_quality(
        source, roles, options, dialect=dialect, created=created, engine=engine, progress=progress
    )
    document = to_quality_document(baseline.plan.problem, baseline.constraints)
    return QualityLearned(baseline, document, {one.key: one for one in baseline.constraints})


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
