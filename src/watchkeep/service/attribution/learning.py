"""What a baseline of attribution is made from: its plan, some of its rows, and the size of contributions."""

import math
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, Self

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import EmptySourceError, ModelError
from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.buffers import positions
from watchkeep.frames.roles import Role
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.choice import OWN_MARK, RowChoice
from watchkeep.monitors.attribution.halves import Halves
from watchkeep.monitors.attribution.plan import ROOM, AttributionPlan
from watchkeep.monitors.attribution.scan import AttributionScan
from watchkeep.monitors.attribution.scan import rows_of as table_of
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.profile import added
from watchkeep.service.attribution.beside import short, tells_apart
from watchkeep.service.attribution.captured import CAPTURED, Captured, none_explained
from watchkeep.service.attribution.captured_rows import OWN, CapturedMethod
from watchkeep.service.attribution.checking import baseline_curves
from watchkeep.service.attribution.curves import spread
from watchkeep.service.attribution.explained import ANEW, few, scanned
from watchkeep.service.attribution.explainers import Asked, Method, method_of
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.service.attribution.metering import Metered
from watchkeep.service.attribution.models import Contributions, Explaining, Model
from watchkeep.service.attribution.typical import typical_rows
from watchkeep.service.baselining import column_types
from watchkeep.service.folding import Engine, Fold, in_one, itself, no_rows, told_left_out
from watchkeep.service.ports import Ask, Progress, Source
from watchkeep.stats.k_means import MOST_CLUSTERS

KEPT: Final = 10_000
"""Reference rows that a baseline keeps, to compare windows with them, and to explain some anew in another way."""
CELLS: Final = 1_000_000
"""Values that these rows may have, all columns together; 1,000 rows are kept in any case."""
BESIDE: Final = 32
"""Columns that are no features, by which rows may be told apart."""
_TRIED: Final = 100
"""Reference rows that are explained first, to see how large contributions are."""


def fitted(
    plan: AttributionPlan,
    source: Source,
    ask: Ask,
    model: Model | Captured,
    *,
    engine: Engine,
    progress: Progress,
) -> AttributionPlan:
    """A plan with the features and columns that the rows and the model have.

    Features are those that the model knows, or else all columns that have no other role; outputs of a model are
    not known before it is asked.

    Raises:
        MissingColumnError: a role or a segment names a column that is not there, or no attribution was captured.
        ModelError: no row is explained that was captured.
        SourceError: the source cannot be read.
    """
    roles = plan.roles
    types = column_types(source, ask, roles, plan.dialect, engine, progress)
    named = replace(roles, features=()) if isinstance(model, Captured) else roles
    named.require(types)
    for segment in plan.segments:
        segment.require(list(types))
    own = tuple(name for name in types if roles.of(name) in (Role.FEATURE, Role.FACET))
    features, labels = model.features or own, plan.labels
    if isinstance(model, Captured):
        features, labels = model.outputs(source, ask, list(types), roles.features, own)
    beside = tuple(name for name in own if name not in features)[:BESIDE]
    if isinstance(model, Captured):
        beside = ()
    return replace(plan, features=features, labels=labels, beside=beside, names=tuple(types))


def reference_of(
    source: Source,
    ask: Ask,
    plan: AttributionPlan,
    model: Model | Captured,
    options: SampledOptions,
    *,
    created: datetime,
    background: pa.Table | None,
    engine: Engine,
    progress: Progress,
) -> AttributionBaseline:
    """A baseline of some rows, without limits.

    Args:
        source, ask: the reference rows; they are read twice.
        plan: see `fitted`.
        model: who answers, or where attributions are that were captured.
        options: how a model is asked.
        created: now.
        background: rows that stand for "not knowing a feature"; means of clusters when not given.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: the source holds no rows.
        ModelError: the model cannot explain its rows, or gives all of them the same score.
        SourceError: the source cannot be read.
    """
    captured = CapturedMethod(model, plan) if isinstance(model, Captured) else None
    chosen, plan = _chosen(source, ask, plan, captured, engine=engine, progress=progress)
    features = list(plan.features)
    kept = chosen.drop_columns([name for name in chosen.column_names if name in OWN])
    whole = set(features) <= set(kept.column_names)
    method: Method
    background = None if background is None else background.select(features)
    if isinstance(model, Captured):
        method = CapturedMethod(model, plan)
        if background is None and whole:
            background = typical_rows(spread(kept.select(features), ANEW), seed=plan.seed)
    elif background is None:
        method, background = _way(model, kept.select(features), options, seed=plan.seed)
    else:
        method = method_of(model, background, options)
    most = method.affordable()
    tried = _TRIED if most is None else min(_TRIED, max(1, most // 4))
    some = (chosen if captured else kept.select(features)).slice(0, tried)
    plan, expected = _measured(plan, model, _tried(method, some))
    profile = scanned(
        AttributionScan(plan, method),
        source,
        ask,
        engine=engine,
        progress=progress,
        what="Learning the baseline",
    )
    told_left_out(profile, source.name, progress)
    baseline = AttributionBaseline(
        created=created,
        source=source.name,
        plan=plan,
        profile=profile,
        expected=expected,
        method=method.name,
        kept=kept if whole else None,
        background=background,
        notes=(captured.notes(some) if captured else ()) + few(plan, profile, of=profile.rows),
    )
    return replace(baseline, dependence=baseline_curves(baseline, method))


def _way(model: Model, kept: pa.Table, options: SampledOptions, *, seed: int) -> tuple[Method, pa.Table]:
    """How a model is explained, and rows that stand for "not knowing a feature": typical ones that it can use.

    Raises:
        ModelError: it does not answer, or can use none of them.
    """
    rows = typical_rows(spread(kept, ANEW), seed=seed)
    try:
        method = method_of(model, rows, options)
        if isinstance(method, Asked):
            method.contributions(
                rows.slice(0, 0)
            )  # it asks about the background once, and knows it from then on
    except ModelError as error:
        if error.answering or isinstance(model, Explaining):
            raise
        asked = Metered(model, options.budget)
        usable = _usable(asked, rows)
        usable = _usable(asked, spread(kept, MOST_CLUSTERS)) if usable is None else usable
        if usable is None or usable.equals(rows):
            raise
        left = None if options.budget is None else max(0, options.budget - asked.spent - rows.num_rows)
        return method_of(model, usable, replace(options, budget=left)), usable
    return method, rows


def _usable(asked: Metered, rows: pa.Table) -> pa.Table | None:
    """The rows that a model can score, asked about one by one; None if it can score none."""
    held = []
    for at in range(rows.num_rows):
        try:
            asked.scores(rows.slice(at, 1))
        except ModelError as error:
            if error.answering:
                raise
        else:
            held.append(at)
    return rows.take(positions(np.array(held))).combine_chunks() if held else None


def _tried(method: Method, rows: pa.Table) -> Contributions:
    """The contributions of those of some rows that the model can use.

    Raises:
        ModelError: it does not answer, or can use none of them.
    """
    halves = Halves(method.contributions, method.affordable)
    told = [one for _, one in halves.explained(rows)]
    halves.require_any()
    values, scores = (np.concatenate([getattr(one, of) for one in told]) for of in ("values", "scores"))
    return Contributions(values, scores, told[0].expected)


class ChosenRows:
    """Some of the rows of a part, each with the same chance: as `rows_of` of a scan gives them.

    Args:
        plan: whose features and segments.
        captured: reads the rows, where attributions were captured; the others are passed over.
        part: which one.
    """

    def __init__(self, plan: AttributionPlan, captured: CapturedMethod | None, part: int) -> None:
        self._plan, self._captured, self._first = plan, captured, True
        width = len(plan.features) + len(plan.beside)
        self.choice = RowChoice(max(ANEW, min(KEPT, CELLS // max(1, width))), seed=plan.seed, part=part)
        self.account = RowAccount()
        self.unexplained: dict[str, int] = {}

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns that are kept beside the features."""
        return self._plan.beside

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        self.account.met(batch)
        if not batch.rows:
            return
        batch = batch.decoded_once()
        if self._captured is not None:
            rows, without = self._captured.read(batch)
            self.unexplained = added(self.unexplained, without)
            self.choice.add(rows)
            return
        if self._first:
            self._plan, self._first = replace(self._plan, beside=short(batch, self._plan.beside)), False
        self.choice.add(table_of(batch, self._plan))

    def merge(self, *others: Self) -> Self:
        """All together."""
        for other in others:
            beside = tuple(name for name in self.beside if other._first or name in other.beside)  # noqa: SLF001
            self._plan = replace(self._plan, beside=beside if not self._first else other.beside)
            self._first &= other._first  # noqa: SLF001 (our own)
            self.account.merge(other.account)
            self.choice.merge(other.choice)
            self.unexplained = added(self.unexplained, other.unexplained)
        return self


def _chosen(
    source: Source,
    ask: Ask,
    plan: AttributionPlan,
    captured: CapturedMethod | None,
    *,
    engine: Engine,
    progress: Progress,
) -> tuple[pa.Table, AttributionPlan]:
    """Up to `KEPT` rows that can be explained, each with the same chance: as `rows_of` of a scan gives them.

    The plan says which columns are kept beside the features: those whose values are short and few.

    Args:
        source, ask: the reference rows.
        plan: whose features and segments.
        captured: reads the rows, where attributions were captured; the others are passed over.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: there are no rows.
        ModelError: no row is explained.
    """
    fold = Fold(partial(ChosenRows, plan, captured), itself, in_one)
    found = engine.fold(source, ask, fold, progress=progress, what="Choosing rows")
    plan, chosen = replace(plan, beside=found.beside), found.choice.rows()
    if chosen is None:
        raise EmptySourceError(source.name, why=no_rows(found.account.profile({}), bounded=False))
    if not chosen.num_rows:
        raise ModelError(CAPTURED, why=none_explained(found.unexplained))
    apart = tuple(
        name
        for name in plan.beside
        if name in chosen.column_names and tells_apart(one_chunk(chosen.column(name)))
    )
    known = {*plan.features, *apart}
    dropped = [name for name in chosen.column_names if not name.startswith(OWN_MARK) and name not in known]
    return chosen.drop_columns(dropped), replace(plan, beside=apart)


def _measured(
    plan: AttributionPlan, model: Model | Captured, tried: Contributions
) -> tuple[AttributionPlan, tuple[float, ...]]:
    """The plan with the model's outputs and the size of their contributions; and what those are counted from.

    Raises:
        ModelError: every row that was tried has the same score.
    """
    outputs = tried.values.shape[1]
    labels = plan.labels or model.labels or tuple(f"label{at}" for at in range(outputs))
    if len(labels) != outputs:
        raise ModelError(model.name, why=f"it names {len(labels)} outputs and gives {outputs} scores")
    sizes = np.abs(tried.values).mean(axis=0)
    if not sizes.any():
        raise ModelError(
            model.name,
            why="it gives every reference row the same score: there is nothing to attribute to features",
        )
    # What a feature that these rows do not need is going to be like, the others tell.
    usual = [float(own[own > 0].mean()) if own.any() else 1.0 for own in sizes]
    units = tuple(
        tuple(2.0 ** round(math.log2(ROOM * (size or instead))) for size in own)
        for own, instead in zip(sizes.tolist(), usual, strict=True)
    )
    return replace(plan, labels=labels, units=units), tuple(tried.expected.tolist())
