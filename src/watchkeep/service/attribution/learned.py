"""Attribution, as the use cases meet it: what answers rest on is learned, windows are checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Self

import pyarrow as pa

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import BaselineError, EmptySourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.formats import constraints, explanations, statistics, violations
from watchkeep.formats.attribution_archive import (
    attribution_identity,
    attribution_states_identity,
    pack_attribution,
)
from watchkeep.formats.attribution_constraints import (
    AttributionConstraints,
    to_attribution_constraints,
    to_attribution_document,
)
from watchkeep.formats.attribution_report import (
    attribution_baseline_document,
    attribution_document,
    attribution_violations,
)
from watchkeep.formats.dependence import pdp
from watchkeep.formats.report import report_document
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.choice import joined
from watchkeep.monitors.attribution.evaluation import AttributionFindings, evaluate_attribution
from watchkeep.monitors.attribution.limits import suggest
from watchkeep.monitors.attribution.listening import panel_of_attribution
from watchkeep.monitors.attribution.plan import EXPLAINED, Aggregation, AttributionPlan
from watchkeep.monitors.attribution.scan import AttributionScan
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.service.attribution.captured import Captured
from watchkeep.service.attribution.checking import check_attribution
from watchkeep.service.attribution.explained import of_part, scanned, way_of
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.service.attribution.learning import fitted, reference_of
from watchkeep.service.attribution.models import Model
from watchkeep.service.evenly import evenly
from watchkeep.service.folding import HERE, Engine
from watchkeep.service.learned import Begin, only_answers, require_known
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import chosen_otherwise, rows_of
from watchkeep.service.weighing import own_weights, weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionOptions:
    """What a user may say of how a baseline of attribution is made.

    Args:
        explained: rows of the reference data and of windows that are explained at the most; 0 for every one.
        segments: slices of the rows to be summed apart.
        aggregation: what the attribution of a feature is.
        explain: how rows are explained by models that cannot do it themselves.

    Raises:
        OptionError: a number is out of its range.
    """

    explained: int = EXPLAINED
    segments: tuple[Segment, ...] = ()
    aggregation: Aggregation = Aggregation.MEAN_ABS
    explain: SampledOptions = SampledOptions()  # noqa: RUF009 (it never changes)

    def __post_init__(self) -> None:
        if self.explained < 0:
            raise OptionError("explain-rows", got=str(self.explained), expected="0 for every row, or more")


@dataclass(frozen=True, eq=False)
class AttributionLearned:
    """A baseline of attribution and its limits as a document; see `Learned`.

    Args:
        baseline: the states; its constraints are those of the document.
        document: `constraints.json`: suggested, or edited since.
        suggested: what the rules suggested, by key.
        model: who answers, or where attributions are that were captured; None when only sums are judged.
        options: how rows are explained by models that cannot do it themselves.
    """

    baseline: AttributionBaseline
    document: AttributionConstraints
    suggested: Mapping[tuple[str, str, str, str], Constraint]
    model: Model | Captured | None = None
    options: SampledOptions = SampledOptions()  # noqa: RUF009 (it never changes)

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Learned`: the features."""
        return self.baseline.plan.features

    @property
    def names(self) -> tuple[str, ...]:
        """See `Learned`."""
        return self.baseline.plan.names

    @cached_property
    def id(self) -> str:
        """See `Learned`."""
        return attribution_identity(self.baseline)

    @cached_property
    def states_id(self) -> str:
        """See `Learned`."""
        return attribution_states_identity(self.baseline)

    def packed(self) -> bytes:
        """See `Learned`."""
        if self.baseline.known is not None:
            raise BaselineError(
                self.baseline.source, why="its file is the baseline; there is nothing more to write"
            )
        return pack_attribution(self.baseline, tuple(self.suggested.values()))

    def files(self) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        baseline = self.baseline
        plan = baseline.plan
        curves = pdp(baseline.dependence, plan.labels, window=False)
        analysis = explanations.explanations(plan, baseline.attributed, baseline.expected, curves)
        return {
            explanations.DOCUMENT: analysis,
            statistics.DOCUMENT: analysis,
            constraints.DOCUMENT: self.document.document(),
        }

    def told(self) -> dict[str, object]:
        """See `Learned`."""
        return attribution_baseline_document(self.baseline)

    def files_of(self, findings: Findings) -> Mapping[str, dict[str, object] | str]:
        """See `Learned`; with the attributions of each row that was explained, where they were kept."""
        assert isinstance(findings, AttributionFindings)  # noqa: S101 (they are ours)
        baseline = findings.against
        curves = pdp(findings.dependence, baseline.plan.labels, window=True)
        analysis = explanations.explanations(baseline.plan, findings.attributed, baseline.expected, curves)
        told: dict[str, dict[str, object] | str] = {
            explanations.DOCUMENT: analysis,
            statistics.DOCUMENT: analysis,
            constraints.DOCUMENT: self.document.document(),
            violations.DOCUMENT: attribution_violations(findings),
        }
        if findings.values is not None:
            told[explanations.LOCAL] = explanations.local_values(baseline.plan, findings.values)
        return told

    def report(self, findings: Findings) -> dict[str, object]:
        """See `Learned`."""
        assert isinstance(findings, AttributionFindings)  # noqa: S101 (they are ours)
        return report_document(findings, baseline_id=self.id, attribution=attribution_document(findings))

    def in_force(self, dialect: Dialect) -> Self:
        """See `Learned`."""
        baseline = self.baseline
        limits = to_attribution_constraints(
            self.document, baseline.plan, self.suggested, sagemaker=dialect.sagemaker
        )
        plan = replace(baseline.plan, dialect=dialect)
        return replace(self, baseline=replace(baseline, plan=plan, constraints=limits))

    def begin(self, dialect: Dialect) -> Begin:  # noqa: ARG002 (its plan knows the dialect in force)
        """See `Learned`."""
        return partial(of_part, self.baseline.plan, way_of(self.model, self.baseline, self.options), None)

    def scan(
        self,
        source: Source,
        *,
        window: Window,
        dialect: Dialect,  # noqa: ARG002 (as above)
        engine: Engine = HERE,
    ) -> Profile:
        """See `Learned`."""
        plan = self.baseline.plan
        source = evenly(rows_of(source, plan.roles), plan.roles, window)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        scan = AttributionScan(plan, way_of(self.model, self.baseline, self.options))
        return scanned(scan, source, ask, engine=engine)

    def judge(
        self, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
    ) -> AttributionFindings:
        """See `Learned`."""
        return evaluate_attribution(
            self.baseline, profile, window=window, policy=policy, source=source, created=created
        )

    def panel(self, *, false_alarms: float, margin: float = MARGIN) -> Panel:
        """See `Learned`."""
        return panel_of_attribution(self.baseline, false_alarms=false_alarms, margin=margin)

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
        """See `Learned`. A model that does not answer leaves every verdict about it undecided."""
        only_answers(self.baseline.kind, review, search=search)
        learned = self.in_force(policy.dialect)
        baseline = learned.baseline
        if roles is not None:
            baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.plan.roles.under(roles)))
        plan = baseline.plan
        source = rows_of(source, plan.roles)
        weights = own_weights(source, plan.roles, window)
        source = evenly(source, plan.roles, window)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        require_known(roles, plan.names, source, ask)
        method = way_of(self.model, baseline, self.options)
        findings = check_attribution(
            baseline,
            method,
            source,
            ask,
            window=window,
            policy=policy,
            created=created,
            engine=engine,
            progress=progress,
        )
        findings = chosen_otherwise(findings, plan.roles.where, self.baseline.plan.roles.where)
        anew = baseline.known is None and not findings.unanswered and method.name != baseline.method
        asked = self.model
        return replace(
            weighed(findings, weights, even=True),
            model=asked.name if isinstance(asked, Model) else method.name,
            model_kind=asked.kind if isinstance(asked, Model) else "",
            anew=anew,
        )


def learn_attribution(
    source: Source,
    roles: Roles,
    model: Model | Captured,
    options: AttributionOptions,
    *,
    dialect: Dialect,
    created: datetime,
    background: pa.Table | None = None,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> AttributionLearned:
    """Learn what a model's answers rest on. Rows are read twice; text a third time, to tell its types.

    Args:
        source: the reference rows.
        roles: which column is what; features are those that the model knows, or else all that have no other role.
        model: who answers, or where attributions are that were captured.
        options: how.
        dialect: whose rules tell types apart.
        created: now.
        background: rows that stand for "not knowing a feature"; means of clusters when not given.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: the source holds no rows.
        MissingColumnError: it lacks a feature of the model.
        ModelError: the model cannot explain its rows, or gives all of them the same score.
        SourceError: the source cannot be read.
    """
    progress, source = progress or Silent(), evenly(rows_of(source, roles), roles)
    said = AttributionPlan(
        roles=roles,
        features=(),
        labels=(),
        units=(),
        segments=options.segments,
        aggregation=options.aggregation,
        explained=options.explained,
        seed=options.explain.seed,
        model=model.name,
        model_kind=model.kind,
        dialect=dialect,
    )
    ask = ask_of(source, roles)
    plan = fitted(said, source, ask, model, engine=engine, progress=progress)
    baseline = reference_of(
        source,
        ask,
        plan,
        model,
        options.explain,
        created=created,
        background=background,
        engine=engine,
        progress=progress,
    )
    suggested = suggest(baseline, sagemaker=dialect.sagemaker)
    analysis = explanations.explanations(baseline.plan, baseline.attributed, baseline.expected)
    document = to_attribution_document(analysis, suggested, sagemaker=dialect.sagemaker)
    by_key = {one.key: one for one in suggested}
    return AttributionLearned(
        replace(baseline, constraints=suggested), document, by_key, model, options.explain
    )


def rows_in(source: Source) -> pa.Table:
    """All the rows of a small source.

    Raises:
        EmptySourceError: it holds none.
        SourceError: it cannot be read.
    """
    tables = [
        pa.table({name: batch.column(name) for name in batch.names})
        for batch in source.batches(Ask())
        if batch.rows
    ]
    if not tables:
        raise EmptySourceError(source.name, why="it holds no rows")
    return joined(tables).combine_chunks()
