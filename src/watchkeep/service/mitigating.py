"""Treating groups alike: what it takes, and what it costs on rows that were held out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError
from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.roles import Roles
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.groups import GroupBias
from watchkeep.monitors.bias.measures import biases
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import BiasScan
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.service.ports import Progress, Silent, Source
from watchkeep.service.reading import ask_of, told
from watchkeep.service.rows import rows_of
from watchkeep.service.training_rows import Collector, TrainingRows, features_of
from watchkeep.stats.classification import binary_rates
from watchkeep.stats.fairness import Decision, calibrated_odds, reweighing

HELD_OUT: Final = 0.3
"""Share of the rows that before and after are told of."""
FEWEST: Final = 30
"""Rows of a group, in either part, from which on it can be learned from and judged by."""
QUALITY: Final = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "matthews")


class Method(StrEnum):
    """Ways to treat groups alike."""

    THRESHOLDS = "thresholds"
    CALIBRATED = "calibrated"
    REWEIGHING = "reweighing"
    REDUCTION = "reduction"
    ADVERSARIAL = "adversarial"

    @property
    def decides(self) -> bool:
        """Whether it decides otherwise by the scores that there are; the others train a model."""
        return self in (Method.THRESHOLDS, Method.CALIBRATED)


class Parity(StrEnum):
    """In which sense groups are to be treated alike."""

    EQUALIZED_ODDS = "equalized_odds"
    DEMOGRAPHIC_PARITY = "demographic_parity"
    TRUE_POSITIVE_RATE = "true_positive_rate_parity"
    FALSE_POSITIVE_RATE = "false_positive_rate_parity"


class Model(Protocol):
    """Something that decides by features."""

    def decide(self, rows: TrainingRows) -> npt.NDArray[np.intp]:
        """0 or 1 for each row, shape (rows,)."""
        ...

    def scores(self, rows: TrainingRows) -> Doubles:
        """How likely each row is positive, shape (rows,)."""
        ...

    def packed(self) -> bytes:
        """The model as the bytes of a file."""
        ...


class Fairness(Protocol):
    """The port through which models and thresholds are fitted."""

    def thresholds(self, rows: TrainingRows, parity: Parity) -> dict[int, Decision]:
        """Thresholds on scores by which groups are treated alike, by group."""
        ...

    def plain(self, rows: TrainingRows, weights: Doubles | None) -> Model:
        """A model that is fitted as usual, with row weights or without."""
        ...

    def reduction(self, rows: TrainingRows, parity: Parity) -> Model:
        """A model that is fitted under the constraint that groups are treated alike."""
        ...

    def adversarial(self, rows: TrainingRows, parity: Parity) -> Model:
        """A model from whose answers another one cannot tell the group."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Mitigation:
    """What was done, and what came of it on rows held out.

    Args:
        method, parity: what was done.
        facets: whose groups were to be treated alike.
        names: of the groups.
        fitted, held_out: rows of either part.
        left_out: rows that were not used, by why.
        before, after: bias of the held-out rows.
        quality: of their answers, before and after, by name.
        decisions: by group, where a method decides otherwise.
        weights: of every row that was read, by place; None where no method weighs.
        ids: of those rows; None without them.
        model: None where nothing was trained.
        trained: whether before and after are of models trained here, and not of the answers that were given.
    """

    method: Method
    parity: Parity | None
    facets: tuple[str, ...]
    names: tuple[str, ...]
    fitted: int
    held_out: int
    left_out: Mapping[str, int]
    before: tuple[GroupBias, ...]
    after: tuple[GroupBias, ...]
    quality: Mapping[str, tuple[Value, Value]]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    weights: tuple[npt.NDArray[np.int64], Doubles] | None = None
    ids: npt.NDArray[np.object_] | None = None
    model: Model | None = None
    trained: bool = False


def mitigate(
    baseline: BiasBaseline,
    source: Source,
    fairness: Fairness,
    *,
    method: Method,
    parity: Parity,
    roles: Roles,
    held_out: float = HELD_OUT,
    seed: int = 0,
    progress: Progress | None = None,
) -> Mitigation:
    """Treat groups alike, and tell what that does.

    Args:
        baseline: how groups, labels and answers are read.
        source: labelled rows: to learn from, and to be held out.
        fairness: fits.
        method, parity: how, and in which sense.
        roles: which column is what, where it is not as the baseline says; its facets are those to be treated alike.
        held_out: the share of rows that before and after are told of, in (0, 1).
        seed: the same one gives the same parts and the same draws.
        progress: is told how it goes.

    Raises:
        OptionError: the rows lack what the method needs.
        SourceError: they cannot be read.
    """
    plan, facets = _planned(baseline, roles)
    _require(plan, method, parity, held_out)
    source = rows_of(source, plan.roles)
    ask = ask_of(source, plan.roles, positional=plan.names or None)
    scored = method.decides and plan.prediction is not None and plan.roles.score is not None
    features = () if scored else features_of(source.schema(ask).names, plan)
    collector = Collector(plan, facets, features)
    for batch in told(source.batches(ask), progress or Silent(), "Reading the rows"):
        collector.add(batch)
    rows = collector.rows()
    learn, held = rows.parted(held_out, seed=seed)
    for part in (learn, held):
        _enough(part)
    found = _Fitted(fairness, rows, learn, held, method, parity, seed).answers(plan)
    before, after = (_biases(plan, held, answers) for answers in (found.before, found.after))
    quality = [_quality(held, answers) for answers in (found.before, found.after)]
    return Mitigation(
        method=method,
        parity=None if method in (Method.CALIBRATED, Method.REWEIGHING) else parity,
        facets=tuple(facets),
        names=rows.names,
        fitted=len(learn),
        held_out=len(held),
        left_out=rows.left_out,
        before=before,
        after=after,
        quality={name: (quality[0][name], quality[1][name]) for name in QUALITY},
        decisions={rows.names[at]: one for at, one in found.decisions.items()},
        weights=None if found.weights is None else (rows.places, found.weights),
        ids=rows.ids,
        model=found.model,
        trained=not scored,
    )


@dataclass(frozen=True, eq=False)
class _Answers:
    before: npt.NDArray[np.intp]
    after: npt.NDArray[np.intp]
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    weights: Doubles | None = None
    model: Model | None = None


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One method, fitted to the rows to learn from and applied to those held out."""

    fairness: Fairness
    rows: TrainingRows
    learn: TrainingRows
    held: TrainingRows
    method: Method
    parity: Parity
    seed: int

    def answers(self, plan: BiasPlan) -> _Answers:
        if self.method.decides:
            return self._decided(plan)
        plain = self.fairness.plain(self.learn, None)
        before, weights = plain.decide(self.held), None
        if self.method is Method.REWEIGHING:
            table = reweighing(self.learn.counts())
            model = self.fairness.plain(self.learn, table[self.learn.groups, self.learn.labels])
            weights = reweighing(self.rows.counts())[self.rows.groups, self.rows.labels]
        elif self.method is Method.REDUCTION:
            model = self.fairness.reduction(self.learn, self.parity)
        else:
            model = self.fairness.adversarial(self.learn, self.parity)
        return _Answers(before, model.decide(self.held), weights=weights, model=model)

    def _decided(self, plan: BiasPlan) -> _Answers:
        learn, held, model = self.learn, self.held, None
        if held.answers is None or held.scores is None or learn.scores is None:
            first, learn = learn.parted(
                0.5, seed=self.seed
            )  # scores of rows that a model has seen are too sure
            model = self.fairness.plain(first, None)
            learn = replace(learn, scores=model.scores(learn))
            held = replace(held, scores=model.scores(held), answers=model.decide(held))
        assert held.answers is not None  # noqa: S101 (if they were not there, they were made)
        assert held.scores is not None  # noqa: S101
        assert learn.scores is not None  # noqa: S101
        if self.method is Method.THRESHOLDS:
            decisions = self.fairness.thresholds(learn, self.parity)
        else:
            cut = plan.prediction.threshold if plan.prediction is not None else None
            usual = 0.5 if model is not None or plan.roles.prediction is not None or cut is None else cut
            labels = learn.labels.astype(np.float64)
            found = calibrated_odds(learn.scores, labels, learn.groups, threshold=usual)
            if isinstance(found, Undefined):  # pragma: no cover (groups were looked at before)
                raise OptionError("facet", got=found.why, expected="groups with both labels")
            decisions = dict(enumerate(found))
        chances = np.zeros(len(held))
        for group, decision in decisions.items():
            mine = held.groups == group
            chances[mine] = decision.chances(held.scores[mine])
        draws = np.random.default_rng(self.seed + 1).random(len(held))
        return _Answers(held.answers, (draws < chances).astype(np.intp), decisions, model=model)


def _planned(baseline: BiasBaseline, roles: Roles) -> tuple[BiasPlan, list[str]]:
    """The plan under other roles, and the facets whose groups are to be treated alike.

    Raises:
        OptionError: the baseline does not know a facet.
    """
    plan = baseline.plan
    known = [one.column for one in plan.facets]
    for name in roles.facets:
        if name not in known:
            raise OptionError("facet", got=name, expected="one that the baseline knows", choices=known)
    under = replace(plan.roles.under(replace(roles, facets={})), facets=plan.roles.facets)
    counted = replace(plan, roles=replace(under, weight=None), strata=None, probability=False, features=())
    return counted, list(roles.facets) or known


def _require(plan: BiasPlan, method: Method, parity: Parity, held_out: float) -> None:
    if plan.roles.label is None:
        raise OptionError("label", got="a baseline without one", expected="one that was made with --label")
    if not 0 < held_out < 1:
        raise OptionError("held-out", got=str(held_out), expected="a share between 0 and 1")
    if method is Method.ADVERSARIAL and parity not in (Parity.EQUALIZED_ODDS, Parity.DEMOGRAPHIC_PARITY):
        expected = f"{Parity.EQUALIZED_ODDS} or {Parity.DEMOGRAPHIC_PARITY}: an adversary knows no other"
        raise OptionError("parity", got=str(parity), expected=expected)


def _enough(rows: TrainingRows) -> None:
    """Check that every group can be learned from and judged by.

    Raises:
        OptionError: one has too few rows, or one label only.
    """
    if len(rows.names) < 2:
        raise OptionError(
            "facet", got=f"one group, {', '.join(rows.names)}", expected="two or more to treat alike"
        )
    for name, (negative, positive) in zip(rows.names, rows.counts().tolist(), strict=True):
        few = negative + positive < FEWEST
        if few or not negative or not positive:
            got = f"{negative + positive:.0f} rows, {positive:.0f} of them positive,"
            raise OptionError(
                "facet",
                got=f"{name} with {got} in one part",
                expected=f"{FEWEST} rows with both labels in each; name fewer facets with --facet, or larger groups",
            )


def _biases(plan: BiasPlan, rows: TrainingRows, answers: npt.NDArray[np.intp]) -> tuple[GroupBias, ...]:
    counted = plan
    if plan.prediction is None:  # the answers of a model trained here
        counted = replace(plan, prediction=plan.label)
    scan = BiasScan(counted)
    scan.count(rows.levels, rows.labels, answers)
    return biases(counted, scan.profile())


def _quality(rows: TrainingRows, answers: npt.NDArray[np.intp]) -> dict[str, Value]:
    table = np.bincount(rows.labels * 2 + answers, minlength=4).astype(np.float64)
    rates = binary_rates(*table.tolist())
    return {name: rates[name] for name in QUALITY}
