"""Attribution, as the use cases meet it: what answers rest on is learned, windows are checked against it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from time import perf_counter
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import BaselineError, EmptySourceError, ModelError, OptionError
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
from watchkeep.formats.report import report_document
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import filled, positions
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import column_type
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.choice import RowChoice
from watchkeep.monitors.attribution.evaluation import AttributionFindings, evaluate_attribution
from watchkeep.monitors.attribution.limits import ATTRIBUTION, suggest
from watchkeep.monitors.attribution.listening import panel_of_attribution
from watchkeep.monitors.attribution.plan import EXPLAINED, Aggregation, AttributionPlan
from watchkeep.monitors.attribution.scan import AttributionScan
from watchkeep.monitors.attribution.scan import rows_of as table_of
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile, added
from watchkeep.service.baselining import column_types
from watchkeep.service.explainers import Method, method_of
from watchkeep.service.explaining import SampledOptions
from watchkeep.service.learned import only_answers, require_known, timed
from watchkeep.service.models import Contributions, Model
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of, no_rows, told
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of
from watchkeep.stats.k_means import k_means

KEPT: Final = 1_000
"""Reference rows that a baseline keeps, to explain them anew by another model or in another way."""
_TRIED: Final = 100
"""Reference rows that are explained first, to see how large contributions are."""
_ROOM: Final = 64
"""What is summed is a row's contributions over about so many times their size: sums over 1e8 rows keep their digits."""
_NO_MODEL: Final = "the model, with --model: a file, an address, or module:function"


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
        model: who answers; None when only what was summed before is judged.
        options: how rows are explained by models that cannot do it themselves.
    """

    baseline: AttributionBaseline
    document: AttributionConstraints
    suggested: Mapping[tuple[str, str, str, str], Constraint]
    model: Model | None = None
    options: SampledOptions = SampledOptions()  # noqa: RUF009 (it never changes)

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Learned`: the features."""
        return self.baseline.plan.features

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
        analysis = explanations.explanations(baseline.plan, baseline.attributed, baseline.expected)
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
        analysis = explanations.explanations(baseline.plan, findings.attributed, baseline.expected)
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

    def fold(self, dialect: Dialect) -> AttributionScan:  # noqa: ARG002 (its plan knows the dialect in force)
        """See `Learned`."""
        return AttributionScan(self.baseline.plan, self.method())

    def scan(self, source: Source, *, window: Window, dialect: Dialect) -> Profile:  # noqa: ARG002 (as above)
        """See `Learned`."""
        plan = self.baseline.plan
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        return scanned(AttributionScan(plan, self.method()), source, ask)

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
    ) -> Findings:
        """See `Learned`. A model that does not answer leaves every verdict about it undecided."""
        only_answers(self.baseline.kind, review, search=search)
        started = perf_counter()
        learned = self.in_force(policy.dialect)
        baseline = learned.baseline
        if roles is not None:
            baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.plan.roles.under(roles)))
        plan = baseline.plan
        source = rows_of(source, plan.roles)
        ask = ask_of(source, plan.roles, positional=plan.names or None, window=window)
        require_known(roles, plan.names, source, ask)
        method = learned.method()
        unanswered = ""
        try:
            baseline = _alike(baseline, method, sagemaker=policy.dialect.sagemaker)
            scan = AttributionScan(plan, method)  # it shares what is left of the budget
            profile = scanned(scan, source, ask, progress=progress)
        except ModelError as error:
            if not error.answering:
                raise
            unanswered = str(error)
            ask.outside.clear()  # they were read before
            scan = AttributionScan(plan, Nobody(), most=0)
            profile = scanned(scan, source, ask, progress=progress)
        read = perf_counter()
        findings = evaluate_attribution(
            baseline,
            profile,
            window=window,
            policy=policy,
            source=source.name,
            created=created,
            unanswered=unanswered,
            values=np.concatenate(scan.values) if scan.values else None,
        )
        return timed(findings, started, read)

    def method(self) -> Method:
        """How rows are explained.

        Raises:
            OptionError: no model is given.
            ModelError: it reads other features.
        """
        if self.model is None:
            raise OptionError("model", got="nothing", expected=_NO_MODEL)
        _require_features(self.model, self.baseline.plan.features)
        return method_of(self.model, self.baseline.background, self.options)


class Nobody:
    """Explains no row: the rows of a window are counted though its model does not answer."""

    name: Final = "nothing"

    def affordable(self) -> None:
        """See `Method`."""

    def contributions(self, rows: pa.Table) -> Contributions | None:  # noqa: ARG002 (whatever they are)
        """See `Method`: none."""
        return None


def learn_attribution(
    source: Source,
    roles: Roles,
    model: Model,
    options: AttributionOptions,
    *,
    dialect: Dialect,
    created: datetime,
    background: pa.Table | None = None,
    progress: Progress | None = None,
) -> AttributionLearned:
    """Learn what a model's answers rest on. Rows are read twice; text a third time, to tell its types.

    Args:
        source: the reference rows.
        roles: which column is what; features are those that the model knows, or else all that have no other role.
        model: who answers.
        options: how.
        dialect: whose rules tell types apart.
        created: now.
        background: rows that stand for "not knowing a feature"; means of clusters when not given.
        progress: is told how it goes.

    Raises:
        EmptySourceError: the source holds no rows.
        MissingColumnError: it lacks a feature of the model.
        ModelError: the model cannot explain its rows, or gives all of them the same score.
        SourceError: the source cannot be read.
    """
    progress, source = progress or Silent(), rows_of(source, roles)
    ask = ask_of(source, roles)
    types = column_types(source, ask, roles, dialect, progress)
    roles.require(types)
    for segment in options.segments:
        segment.require(list(types))
    own = tuple(name for name in types if roles.of(name) in (Role.FEATURE, Role.FACET))
    features = model.features or own
    plan = AttributionPlan(
        roles=roles,
        features=features,
        labels=(),
        units=(),
        segments=options.segments,
        aggregation=options.aggregation,
        explained=options.explained,
        seed=options.explain.seed,
        names=tuple(types),
        model=model.name,
        model_kind=model.kind,
        dialect=dialect,
    )
    choice = RowChoice(KEPT, seed=plan.seed)
    rejected: dict[str, int] = {}
    for batch in told(source.batches(ask), progress, "Choosing rows"):
        if batch.rows:
            choice.add(table_of(batch, plan))
        rejected = added(rejected, batch.rejected)
    kept = choice.rows()
    if kept is None:
        raise EmptySourceError(source.name, why=no_rows(rejected))
    own_rows = kept.select(list(features))
    rows = typical_rows(own_rows, seed=plan.seed) if background is None else background.select(list(features))
    method = method_of(model, rows, options.explain)
    plan, expected = _measured(plan, model, method.contributions(own_rows.slice(0, _TRIED)))
    ask.outside.clear()  # they were read before
    scan = AttributionScan(plan, method)
    profile = scanned(scan, source, ask, progress=progress, what="Learning the baseline")
    baseline = AttributionBaseline(
        created=created,
        source=source.name,
        plan=plan,
        profile=profile,
        expected=expected,
        method=method.name,
        kept=kept,
        background=rows,
    )
    suggested = suggest(baseline, sagemaker=dialect.sagemaker)
    analysis = explanations.explanations(plan, baseline.attributed, expected)
    document = to_attribution_document(analysis, suggested, sagemaker=dialect.sagemaker)
    by_key = {one.key: one for one in suggested}
    return AttributionLearned(
        replace(baseline, constraints=suggested), document, by_key, model, options.explain
    )


def _measured(
    plan: AttributionPlan, model: Model, tried: Contributions
) -> tuple[AttributionPlan, tuple[float, ...]]:
    """The plan with the model's outputs and the size of their contributions; and what those are counted from.

    Raises:
        ModelError: every row that was tried has the same score.
    """
    outputs = tried.values.shape[1]
    labels = model.labels or tuple(f"label{at}" for at in range(outputs))
    if len(labels) != outputs:
        raise ModelError(model.name, why=f"it names {len(labels)} outputs and gives {outputs} scores")
    sizes = np.abs(tried.values).sum(axis=2).mean(axis=0)
    if not sizes.any():
        raise ModelError(
            model.name,
            why="it gives every reference row the same score: there is nothing to attribute to features",
        )
    units = tuple(2.0 ** round(math.log2(_ROOM * size)) if size else 1.0 for size in sizes.tolist())
    return replace(plan, labels=labels, units=units), tuple(tried.expected.tolist())


def scanned(
    scan: AttributionScan,
    source: Source,
    ask: Ask,
    *,
    progress: Progress | None = None,
    what: str = "Explaining the window",
) -> Profile:
    """The states of a window's rows.

    Raises:
        EmptySourceError: no row is left to explain.
        ModelError: the model does not answer, or cannot use the rows.
        SourceError: the source cannot be read.
    """
    for batch in told(source.batches(ask), progress or Silent(), what):
        scan.add(batch)
    scan.account.outside = ask.outside
    profile = scan.profile()
    if not profile.rows:
        outside = " in the window" if ask.window.bounded and not profile.rejected else ""
        raise EmptySourceError(source.name, why=no_rows(profile.rejected) + outside)
    return profile


def _alike(baseline: AttributionBaseline, method: Method, *, sagemaker: bool) -> AttributionBaseline:
    """The baseline as a method explains it: its kept rows are explained anew where it was made in another way.

    Raises:
        ModelError: the model gives other outputs, does not answer, or cannot use the rows.
    """
    if method.name == baseline.method or baseline.kept is None or baseline.known is not None:
        return baseline
    affordable, kept = method.affordable(), baseline.kept
    if affordable is not None:
        kept = kept.slice(0, max(1, affordable // 2))
    plan = baseline.plan
    scan = AttributionScan(plan, method, most=kept.num_rows)
    scan.take(kept)
    profile = scan.profile()
    anew = replace(
        baseline,
        profile=Profile(baseline.rows, baseline.rejected, {}, profile.parts),
        expected=tuple((np.zeros(len(plan.labels)) if scan.expected is None else scan.expected).tolist()),
        method=method.name,
    )
    limits = [one for one in suggest(anew, sagemaker=sagemaker) if one.measure == ATTRIBUTION]
    others = [one for one in baseline.constraints if one.measure != ATTRIBUTION]
    return replace(anew, constraints=(*others, *limits))


def _require_features(model: Model, features: tuple[str, ...]) -> None:
    """Check that a model reads what a baseline holds.

    Raises:
        ModelError: it reads other features, or in another order.
    """
    if not model.features or model.features == features:
        return
    missing = [name for name in model.features if name not in features]
    more = [name for name in features if name not in model.features]
    why = f"it reads {len(model.features)} features, the baseline has {len(features)}"
    if missing:
        near = get_close_matches(missing[0], features, n=1)
        why = f"it reads {missing[0]!r}, which the baseline does not have"
        why += f"; did you mean {near[0]!r}?" if near else ""
    elif more:
        why = f"it does not read {more[0]!r}, which the baseline has"
    elif len(model.features) == len(features):
        why = "it reads the baseline's features in another order"
    raise ModelError(model.name, why=why)


def typical_rows(rows: pa.Table, *, seed: int) -> pa.Table:
    """A few rows that stand for many: those nearest to the centres of clusters.

    Args:
        rows: of any column types.
        seed: of where the search for clusters starts.
    """
    numbers, codes = [], []
    for name in rows.column_names:
        column = one_chunk(rows.column(name))
        if column_type(column.type).numeric:
            numbers.append(read_numbers(column).at(np.arange(rows.num_rows)))
        else:
            encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
            codes.append(filled(encoded.indices, -1))
    size = rows.num_rows
    found = k_means(
        np.stack(numbers, axis=1) if numbers else np.zeros((size, 0)),
        np.stack(codes, axis=1).astype(np.intp) if codes else np.zeros((size, 0), np.intp),
        seed=seed,
    )
    return rows.take(positions(np.sort(found.nearest)))


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
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
