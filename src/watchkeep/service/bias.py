"""Bias, as the use cases meet it: how groups are treated is learned, windows are checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from time import perf_counter
from typing import Self

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import BaselineError, OptionError
from watchkeep.core.window import Window
from watchkeep.formats import bias_analysis, constraints, statistics, violations
from watchkeep.formats.bias_archive import bias_identity, bias_states_identity, pack_bias
from watchkeep.formats.bias_constraints import BiasConstraints, to_bias_constraints, to_bias_document
from watchkeep.formats.bias_report import bias_baseline_document, bias_document, bias_violations
from watchkeep.formats.foreign_bias import prediction_of
from watchkeep.formats.report import report_document
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.evaluation import BiasFindings, evaluate_bias
from watchkeep.monitors.bias.limits import suggest
from watchkeep.monitors.bias.listening import panel_of_bias
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import BiasScan
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.service.baselining import column_types
from watchkeep.service.folding import HERE, Engine, Fold, counted, fresh, told_left_out
from watchkeep.service.group_survey import BiasOptions, GroupSurvey, require_groups
from watchkeep.service.joining import Labelled, account_of
from watchkeep.service.learned import Begin, only_answers, require_known, timed
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of
from watchkeep.service.weighing import own_weights, weighed, with_own_weight


@dataclass(frozen=True, eq=False)
class BiasLearned:
    """A baseline of bias and its limits as a document; see `Learned`.

    Args:
        baseline: the states; its constraints are those of the document.
        document: `constraints.json`: suggested, or edited since.
        suggested: what the rules suggested, by key.
    """

    baseline: BiasBaseline
    document: BiasConstraints
    suggested: Mapping[tuple[str, str, str, str], Constraint]

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Learned`: those of the answers, the facets, and the features."""
        plan = self.baseline.plan
        own = [*plan.roles.named(), *([] if plan.strata is None else [plan.strata.column]), *plan.features]
        return tuple(dict.fromkeys(own))

    @property
    def names(self) -> tuple[str, ...]:
        """See `Learned`."""
        return self.baseline.plan.names

    @cached_property
    def id(self) -> str:
        """See `Learned`."""
        return bias_identity(self.baseline)

    @cached_property
    def states_id(self) -> str:
        """See `Learned`."""
        return bias_states_identity(self.baseline)

    def packed(self) -> bytes:
        """See `Learned`."""
        if self.baseline.known is not None:
            raise BaselineError(
                self.baseline.source, why="its file is the baseline; there is nothing more to write"
            )
        return pack_bias(self.baseline, tuple(self.suggested.values()))

    def files(self) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        told = bias_analysis.analysis(self.baseline.plan, self.baseline.groups)
        return {
            bias_analysis.DOCUMENT: told,
            statistics.DOCUMENT: told,
            constraints.DOCUMENT: self.document.document(),
        }

    def told(self) -> dict[str, object]:
        """See `Learned`."""
        return bias_baseline_document(self.baseline)

    def files_of(self, findings: Findings) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        assert isinstance(findings, BiasFindings)  # noqa: S101 (they are ours)
        told = bias_analysis.analysis(findings.against.plan, findings.groups)
        return {
            bias_analysis.DOCUMENT: told,
            statistics.DOCUMENT: told,
            constraints.DOCUMENT: self.document.document(),
            violations.DOCUMENT: bias_violations(findings),
        }

    def report(self, findings: Findings) -> dict[str, object]:
        """See `Learned`."""
        assert isinstance(findings, BiasFindings)  # noqa: S101 (they are ours)
        return report_document(findings, baseline_id=self.id, bias=bias_document(findings))

    def in_force(self, dialect: Dialect) -> Self:
        """See `Learned`."""
        baseline = self.baseline
        sagemaker = dialect.sagemaker
        limits = to_bias_constraints(self.document, baseline.plan, self.suggested, sagemaker=sagemaker)
        return replace(
            self,
            baseline=replace(baseline, plan=replace(baseline.plan, dialect=dialect), constraints=limits),
        )

    def begin(self, dialect: Dialect) -> Begin:  # noqa: ARG002 (its plan knows the dialect in force)
        """See `Learned`."""
        return fresh(BiasScan, self.baseline.plan)

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
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        return count_groups(plan, source, ask, engine=engine)

    def judge(
        self, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
    ) -> BiasFindings:
        """See `Learned`."""
        return evaluate_bias(
            self.baseline, profile, window=window, policy=policy, source=source, created=created
        )

    def panel(self, *, false_alarms: float, margin: float = MARGIN) -> Panel:
        """See `Learned`."""
        return panel_of_bias(self.baseline, false_alarms=false_alarms, margin=margin)

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
        only_answers(self.baseline.kind, review, search=search)
        started = perf_counter()
        baseline = self.in_force(policy.dialect).baseline
        if roles is not None:
            baseline = replace(baseline, plan=_under(baseline.plan, roles))
        source = rows_of(source, baseline.plan.roles)
        weights = own_weights(source, baseline.plan.roles, window)
        if weights is not None:
            own = replace(baseline.plan.roles, weight=weights.column)
            baseline = replace(baseline, plan=replace(baseline.plan, roles=own))
        plan = baseline.plan
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        require_known(roles, plan.names, source, ask)
        profile = count_groups(plan, source, ask, engine=engine, progress=progress)
        read = perf_counter()
        findings = evaluate_bias(
            baseline, profile, window=window, policy=policy, source=source.name, created=created
        )
        if isinstance(source, Labelled):
            findings = replace(findings, unmatched=source.account().unmatched, join=account_of(source))
        return timed(weighed(findings, weights), started, read)


def learn_bias(
    source: Source,
    roles: Roles,
    options: BiasOptions,
    *,
    dialect: Dialect,
    created: datetime,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> BiasLearned:
    """Learn how groups are treated. Rows are read twice; text a third time, to tell its types.

    Raises:
        EmptySourceError: the source holds no rows, or none that can be judged.
        MissingColumnError: a role or the stratum names a column it does not have.
        OptionError: a role that is needed was not given, or a facet, a label or a value does not fit the data.
        SourceError: the source cannot be read.
    """
    progress, source = progress or Silent(), rows_of(source, roles)
    roles = with_own_weight(source, roles)
    ask = ask_of(source, roles, positional=options.names or None)
    require_groups(roles)
    types = column_types(source, ask, roles, dialect, engine, progress)
    roles.require(types)
    if options.stratum is not None:
        Roles(features=(options.stratum,)).require(types)
    survey = partial(GroupSurvey, sagemaker=dialect.sagemaker)
    wanted = replace(ask, columns=survey(roles, options).columns)
    fold = Fold.surveying(survey, roles, options)
    look = engine.fold(source, wanted, fold, progress=progress, what="Looking at the groups")
    plan = look.plan(types, dialect=dialect, source=source.name)
    _require_apart(plan)
    profile = count_groups(plan, source, ask, engine=engine, progress=progress, what="Learning the baseline")
    told_left_out(profile, source.name, progress)
    baseline = BiasBaseline(created=created, source=source.name, plan=plan, profile=profile)
    suggested = suggest(baseline.groups, plan, profile, sagemaker=dialect.sagemaker)
    document = to_bias_document(plan, baseline.groups, suggested)
    by_key = {one.key: one for one in suggested}
    return BiasLearned(replace(baseline, constraints=suggested), document, by_key)


def _require_apart(plan: BiasPlan) -> None:
    """Check that no two groups have one name.

    Raises:
        OptionError: two have.
    """
    places = [plan.subject(place) for place in plan.places]
    subjects = [subject for place in plan.places for subject in plan.subjects(place)]
    for name in (*places, *subjects):
        if places.count(name) > 1 or subjects.count(name) > 1:
            raise OptionError(
                "facet", got=name, expected="columns whose groups have names of their own; it is told twice"
            )


def _under(plan: BiasPlan, given: Roles) -> BiasPlan:
    """The baseline's plan, where roles say nothing else; its groups stay what they are.

    Raises:
        OptionError: a facet is named that the baseline does not know, or with other values.
    """
    own = plan.roles
    for name, values in given.facets.items():
        if name not in own.facets:
            expected = "one that the baseline knows"
            raise OptionError("facet", got=name, expected=expected, choices=list(own.facets))
        if values and values != own.facets[name]:
            told = ",".join(own.facets[name]) or "every value"
            raise OptionError(
                "facet",
                got=f"{name}={','.join(values)}",
                expected=f"nothing: the baseline's groups are {told}",
            )
    roles = replace(own.under(given), facets=own.facets)
    prediction = plan.prediction
    if given.prediction is not None and own.prediction is None:
        prediction = prediction_of(roles, plan.label)
    return replace(plan, roles=roles, prediction=prediction)


def count_groups(
    plan: BiasPlan,
    source: Source,
    ask: Ask,
    *,
    engine: Engine = HERE,
    progress: Progress | None = None,
    what: str = "Checking the groups",
) -> Profile:
    """Count a window's groups by a baseline's plan.

    Raises:
        EmptySourceError: no row is left to judge.
        SourceError: the source cannot be read.
    """
    return counted(
        engine, source, ask, Fold.counting(BiasScan, plan), progress=progress or Silent(), what=what
    )
