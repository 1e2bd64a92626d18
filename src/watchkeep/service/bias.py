"""Bias, as the use cases meet it: how groups are treated is learned, windows are checked against it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import Final, Self

import numpy as np

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import BaselineError, EmptySourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.formats import bias_analysis, constraints, statistics, violations
from watchkeep.formats.bias_archive import bias_identity, bias_states_identity, pack_bias
from watchkeep.formats.bias_constraints import BiasConstraints, to_bias_constraints, to_bias_document
from watchkeep.formats.bias_report import bias_baseline_document, bias_document, bias_violations
from watchkeep.formats.foreign_bias import prediction_of
from watchkeep.formats.report import report_document
from watchkeep.frames.batches import Batch
from watchkeep.frames.classes import Classes
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.evaluation import BiasFindings, evaluate_bias
from watchkeep.monitors.bias.limits import suggest
from watchkeep.monitors.bias.listening import panel_of_bias
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import BiasScan
from watchkeep.monitors.bias.survey import MOST, FacetSurvey
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.service.baselining import column_types
from watchkeep.service.joining import Labelled, account_of
from watchkeep.service.learned import only_answers, require_known, timed
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of, no_rows, told
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of
from watchkeep.stats.flip_test import NEIGHBOURS

FEATURES: Final = 60
"""Features by which rows are alike, for the flip test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasOptions:
    """What a user may say of groups and outcomes; all else is told by the data.

    Args:
        positive: the labels that count as positive, or of labels that are numbers the one they must be above; none
            for the later of two.
        threshold: a score above it is a positive answer, where there is no column of answers.
        stratum: the column that groups are compared within, for conditional disparity.
        neighbours: how many the flip test asks.
        names: of all columns, in order, for rows that come without names; none to number them.

    Raises:
        OptionError: a number is out of its range.
    """

    positive: tuple[str, ...] = ()
    threshold: float = 0.5
    stratum: str | None = None
    neighbours: int = NEIGHBOURS
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise OptionError("neighbours", got=str(self.neighbours), expected="1 or more")


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

    def fold(self, dialect: Dialect) -> BiasScan:  # noqa: ARG002 (its plan knows the dialect in force)
        """See `Learned`."""
        return BiasScan(self.baseline.plan)

    def scan(self, source: Source, *, window: Window, dialect: Dialect) -> Profile:  # noqa: ARG002 (as above)
        """See `Learned`."""
        plan = self.baseline.plan
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        return count_groups(plan, source, ask)

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
    ) -> Findings:
        """See `Learned`."""
        only_answers(self.baseline.kind, review, search=search)
        started = perf_counter()
        baseline = self.in_force(policy.dialect).baseline
        if roles is not None:
            baseline = replace(baseline, plan=_under(baseline.plan, roles))
        plan = baseline.plan
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        require_known(roles, plan.names, source, ask)
        profile = count_groups(plan, source, ask, progress=progress)
        read = perf_counter()
        findings = evaluate_bias(
            baseline, profile, window=window, policy=policy, source=source.name, created=created
        )
        if isinstance(source, Labelled):
            findings = replace(findings, unmatched=source.account().unmatched, join=account_of(source))
        return timed(findings, started, read)


def learn_bias(
    source: Source,
    roles: Roles,
    options: BiasOptions,
    *,
    dialect: Dialect,
    created: datetime,
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
    ask = ask_of(source, roles, positional=options.names or None)
    _require(roles)
    types = column_types(source, ask, roles, dialect, progress)
    roles.require(types)
    if options.stratum is not None:
        Roles(features=(options.stratum,)).require(types)
    look = _Look(roles, options, sagemaker=dialect.sagemaker)
    for batch in told(source.batches(replace(ask, columns=look.columns)), progress, "Looking at the groups"):
        look.add(batch)
    ask.outside.clear()  # they were read before
    plan = look.plan(types, dialect=dialect, source=source.name)
    _require_apart(plan)
    profile = count_groups(plan, source, ask, progress=progress, what="Learning the baseline")
    baseline = BiasBaseline(created=created, source=source.name, plan=plan, profile=profile)
    suggested = suggest(baseline.groups, plan, profile, sagemaker=dialect.sagemaker)
    document = to_bias_document(plan, baseline.groups, suggested)
    by_key = {one.key: one for one in suggested}
    return BiasLearned(replace(baseline, constraints=suggested), document, by_key)


class _Look:
    """A first look at facets, labels, answers and strata: what they hold."""

    def __init__(self, roles: Roles, options: BiasOptions, *, sagemaker: bool) -> None:
        self._roles, self._options = roles, options
        self._weights = [0.0, 0.0]  # their sum, and how many there are
        self._facets = [
            FacetSurvey(name, values, sagemaker=sagemaker) for name, values in roles.facets.items()
        ]
        label, answer, stratum = roles.label, roles.prediction, options.stratum
        self._label = None if label is None else FacetSurvey(label, options.positive, "label", sagemaker)
        self._answer = (
            None if answer is None else FacetSurvey(answer, options.positive, "prediction", sagemaker)
        )
        self._strata = None if stratum is None else FacetSurvey(stratum, option="stratum")
        self._probability = roles.score is not None

    @property
    def columns(self) -> list[str]:
        """What is looked at."""
        own = [one.column for one in self._surveys]
        others = (self._roles.score, self._roles.weight)
        return list(dict.fromkeys([*own, *(name for name in others if name is not None)]))

    @property
    def _surveys(self) -> list[FacetSurvey]:
        others = (self._label, self._answer, self._strata)
        return [*self._facets, *(one for one in others if one is not None)]

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        batch = batch.decoded_once()
        for one in self._surveys:
            if one.column in batch.names:
                one.add(batch.column(one.column))
        score = self._roles.score
        if score is not None and score in batch.names:
            values = read_numbers(batch.column(score)).values
            self._probability &= bool(((values >= 0) & (values <= 1)).all())
        weight = self._roles.weight
        if weight is not None and weight in batch.names:
            values = read_numbers(batch.column(weight)).values
            values = values[np.isfinite(values) & (values > 0)]
            self._weights = [self._weights[0] + float(values.sum()), self._weights[1] + len(values)]

    def plan(self, types: Mapping[str, ColumnType], *, dialect: Dialect, source: str) -> BiasPlan:
        """How the rows are to be read.

        Raises:
            EmptySourceError: there are none.
            OptionError: a facet, a label or a value does not fit the data.
        """
        if not any(one.texts for one in self._surveys):
            raise EmptySourceError(source, why="it holds no rows with a facet, a label or a prediction")
        facets = tuple(one.facet(source=source) for one in self._facets)
        roles, options = self._roles, self._options
        prediction = self._prediction(source)
        label = self._label or self._answer
        features = _features(types, roles, options) if prediction is not None else ()
        return BiasPlan(
            roles=roles,
            facets=facets,
            label=prediction or Positive() if label is None else label.positive(source=source),
            prediction=prediction,
            probability=self._probability,
            strata=None if self._strata is None else self._strata.facet(source=source),
            features=features,
            neighbours=options.neighbours,
            weight_unit=self._unit(),
            names=tuple(types),
            dialect=dialect,
        )

    def _unit(self) -> float:
        """A power of two about as large as a weight: to divide by it changes no digit."""
        total, rows = self._weights
        return 2.0 ** round(math.log2(total / rows)) if total > 0 else 1.0

    def _prediction(self, source: str) -> Positive | None:
        if self._answer is None:
            return None if self._roles.score is None else Positive(threshold=self._options.threshold)
        if self._label is None:
            return self._answer.positive(source=source)
        found = self._label.positive(source=source)
        if found.threshold is None and not set(self._answer.texts) & set(self._label.texts):
            values = ", ".join(list(self._answer.texts.values())[:5])
            raise OptionError(
                "prediction",
                got=f"{self._answer.column} with {values or 'no values'}",
                expected=f"the values that the label {self._label.column!r} has",
                choices=list(self._label.texts.values())[:20],
            )
        if found.negatives is not None:  # an answer may be one that no label is
            known = {*found.values.names, *found.negatives.names}
            more = [one for one in Classes.among(self._answer.texts.values()).names if one not in known]
            if len(more) + len(known) <= MOST:
                found = replace(found, negatives=Classes((*found.negatives.names, *_new(more, found))))
        return found


def _new(names: list[str], among: Positive) -> list[str]:
    """Those that are of no class yet, however they are spelled."""
    known = among.negatives or Classes(())
    return [name for name in names if among.values.code(name) < 0 and known.code(name) < 0]


def _features(types: Mapping[str, ColumnType], roles: Roles, options: BiasOptions) -> tuple[str, ...]:
    """Columns of numbers that are features, facets among them: of each facet the others tell who is alike."""
    found = [
        name
        for name, kind in types.items()
        if kind.numeric and roles.of(name) in (Role.FEATURE, Role.FACET) and name != options.stratum
    ]
    return tuple(found[:FEATURES])


def _require(roles: Roles) -> None:
    """Check that it is said what groups and outcomes are.

    Raises:
        OptionError: it is not.
    """
    if not roles.facets:
        raise OptionError(
            "facet", got="nothing", expected="the column of a sensitive group, such as sex=Female"
        )
    if roles.label is None and roles.prediction is None and roles.score is None:
        raise OptionError(
            "label", got="nothing", expected="the column of outcomes, or --prediction, or --score"
        )
    for name in roles.facets:
        role = roles.of(name)
        if role is not Role.FACET:
            raise OptionError("facet", got=name, expected=f"another column: it is the {role} already")


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
    progress: Progress | None = None,
    what: str = "Checking the groups",
) -> Profile:
    """Count a window's groups by a baseline's plan.

    Raises:
        EmptySourceError: no row is left to judge.
        SourceError: the source cannot be read.
    """
    scan = BiasScan(plan)
    for batch in told(source.batches(ask), progress or Silent(), what):
        scan.add(batch)
    scan.account.outside = ask.outside
    profile = scan.profile()
    if not profile.rows:
        outside = " in the window" if ask.window.bounded and not profile.rejected else ""
        raise EmptySourceError(source.name, why=no_rows(profile.rejected) + outside)
    return profile
