"""Learning what answers are like, and counting those of a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self, TypeVar

from watchkeep.baselines.baseline import columns_of
from watchkeep.baselines.buckets import buckets_of
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.loss_days import LossDays
from watchkeep.core.errors import EmptySourceError, OptionError, UnreadableSourceError
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.frames.classes import Classes
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.baseline import QualityBaseline, counts_of, held_of
from watchkeep.monitors.model_quality.days import LossScan
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.scan import HOURS, QualityScan
from watchkeep.monitors.model_quality.sets import sets_of
from watchkeep.monitors.model_quality.suggestions import suggest
from watchkeep.monitors.model_quality.survey import LabelSurvey, PlaceSurvey, with_positive
from watchkeep.profiles.plan import ColumnPlan, Plan
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.scan import Scan
from watchkeep.service.baselining import column_types, require_times
from watchkeep.service.folding import HERE, Engine, Fold, counted, in_one, no_rows, told_left_out
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import rows_of
from watchkeep.states.cells import Cells

M = TypeVar("M")
FEATURES: Final = 60
"""Features that rows of the sample are described by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityOptions:
    """What a user may say of a model's answers; all else is told by the data.

    Args:
        problem: what it answers.
        positive: the positive of two classes; the larger, or the later in the alphabet, when not given.
        threshold: a score above it is a positive answer, where there is no column of answers.
        segments: slices of the rows to be counted apart.
    """

    problem: Problem | None = None
    positive: str | None = None
    threshold: float = 0.5
    segments: tuple[Segment, ...] = ()


def learn_quality(
    source: Source,
    roles: Roles,
    options: QualityOptions,
    *,
    dialect: Dialect,
    created: datetime,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> QualityBaseline:
    """Learn a baseline from labelled answers. They are read four times; with times, five.

    Raises:
        EmptySourceError: the source holds no rows, or none that can be judged.
        MissingColumnError: a role or a segment names a column it does not have.
        OptionError: a role that is needed was not given.
        SourceError: it cannot be read, or its labels fit no problem.
    """
    progress, source = progress or Silent(), rows_of(source, roles)
    ask = ask_of(source, roles)
    types = column_types(source, ask, roles, dialect, engine, progress)
    _require(roles, options, list(types))
    if roles.members is not None and types[roles.members] is not ColumnType.EMBEDDING:
        raise OptionError("members", got=roles.members, expected="a column of lists of numbers")

    def read(what: str, fold: Fold[M], columns: Sequence[str] | None = None) -> M:
        asked = ask if columns is None else replace(ask, columns=columns)
        return engine.fold(source, asked, fold, progress=progress, what=what)

    own = _answer_columns(roles)
    survey = read("Looking at the labels", Fold.surveying(LabelSurvey, roles), own)
    plan = _plan(survey, roles, options, names=tuple(types), dialect=dialect, source=source.name)
    if plan.problem is Problem.REGRESSION or (plan.problem is Problem.BINARY and roles.score is not None):
        places = read("Laying out the scores", Fold.surveying(PlaceSurvey, plan), own)
        plan = replace(plan, bins=places.bins())
    columns = [
        ColumnPlan(name=name, role=roles.of(name), type=kind)
        for name, kind in types.items()
        if roles.of(name) in (Role.FEATURE, Role.FACET)
    ]
    described = Fold.counting(Scan, Plan(columns=tuple(columns), dialect=dialect))
    plan = replace(plan, features=_features(read("Learning the features", described), columns))
    profile = read("Learning the baseline", Fold.counting(QualityScan, plan))
    if not profile.rows:
        raise EmptySourceError(source.name, why=no_rows(profile, bounded=False))
    told_left_out(profile, source.name, progress)
    require_times(profile.part(DATASET, HOURS, Cells), roles, source.name)
    plan = replace(plan, sets=None if dialect.sagemaker else sets_of(plan, held_of(plan, profile)))
    days_of: Mapping[str, LossDays] = {}
    if roles.timestamp is not None and not dialect.sagemaker:
        losses = read("Learning how days differ", Fold.surveying(DaySurvey, plan, profile))
        days_of = losses.days()
    baseline = QualityBaseline(
        created=created, source=source.name, plan=plan, profile=profile, days_of=days_of
    )
    return replace(baseline, constraints=suggest(baseline.quality, profile, sagemaker=dialect.sagemaker))


class DaySurvey:
    """How days differ, of the dataset and of every segment.

    Args:
        plan: how answers are read.
        profile: of all of them.
    """

    def __init__(self, plan: QualityPlan, profile: Profile) -> None:
        counts = counts_of(profile, DATASET)
        self._plan = plan
        self._whole = LossScan(plan, counts)
        self._segments = [LossScan(plan, counts, counts_of(profile, one.name)) for one in plan.segments]

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        batch = batch.decoded_once() if self._segments else batch
        self._whole.add(batch)
        for segment, scan in zip(self._plan.segments, self._segments, strict=True):
            scan.add(batch.filter(segment.mask(batch)))

    def merge(self, *others: Self) -> Self:
        """All together."""
        self._whole = in_one([self._whole, *(one._whole for one in others)])  # noqa: SLF001 (our own)
        each = zip(self._segments, *(one._segments for one in others), strict=True)  # noqa: SLF001
        self._segments = [in_one(scans) for scans in each]
        return self

    def days(self) -> dict[str, LossDays]:
        """By name of the segment."""
        names = [DATASET, *(one.name for one in self._plan.segments)]
        found = {name: scan.days() for name, scan in zip(names, [self._whole, *self._segments], strict=True)}
        return {name: days for name, days in found.items() if days is not None}


def _answer_columns(roles: Roles) -> list[str]:
    return [name for name in (roles.label, roles.prediction, roles.score, roles.weight) if name is not None]


def _plan(
    survey: LabelSurvey,
    roles: Roles,
    options: QualityOptions,
    *,
    names: tuple[str, ...],
    dialect: Dialect,
    source: str,
) -> QualityPlan:
    """What a look at the labels and the answers settles."""
    problem = survey.problem(options.problem, source)
    plan = QualityPlan(
        problem=problem,
        roles=roles,
        classes=_classes(survey, problem, options),
        threshold=options.threshold,
        probability=survey.probability,
        center=survey.labels.mean,
        scale=_scale(survey),
        segments=options.segments,
        names=names,
        dialect=dialect,
    )
    _fits(plan, survey, source)
    return plan


def _features(profile: Profile, columns: Sequence[ColumnPlan]) -> tuple[BaselineColumn, ...]:
    """The features that rows are described by."""
    features = columns_of(profile, columns)
    watched = buckets_of(features).subjects[:FEATURES]
    return tuple(one for one in features if one.name in watched)


def require_answers(roles: Roles) -> None:
    """Check that it is said where answers and their labels are.

    Raises:
        OptionError: it is not.
    """
    if roles.label is None:
        raise OptionError("label", got="nothing", expected="the column of the true outcomes")
    if roles.prediction is None and roles.score is None:
        raise OptionError(
            "prediction", got="nothing", expected="the column of the model's answers, or --score"
        )


def _require(roles: Roles, options: QualityOptions, available: Sequence[str]) -> None:
    roles.require(available)
    require_answers(roles)
    if not 0 <= options.threshold <= 1:
        raise OptionError("threshold", got=str(options.threshold), expected="a score between 0 and 1")
    names = [segment.name for segment in options.segments]
    for segment in options.segments:
        segment.require(available)
        if names.count(segment.name) > 1 or segment.name == DATASET:
            raise OptionError("segment", got=segment.name, expected="a name of its own for each")


def _classes(survey: LabelSurvey, problem: Problem, options: QualityOptions) -> Classes:
    if problem is Problem.REGRESSION:
        return Classes(())
    classes = survey.classes
    return with_positive(classes, options.positive) if problem is Problem.BINARY else classes


def _scale(survey: LabelSurvey) -> float:
    deviation = survey.labels.deviation()
    return deviation if isinstance(deviation, float) and deviation > 0 else 1.0


def _fits(plan: QualityPlan, survey: LabelSurvey, source: str) -> None:
    """Check that there is an answer of the right kind.

    Raises:
        UnreadableSourceError: there is none.
    """
    roles = plan.roles
    if plan.problem is Problem.REGRESSION and roles.prediction is None:
        raise OptionError("prediction", got="nothing", expected="the column of the predicted numbers")
    if plan.problem is Problem.MULTICLASS and roles.score is not None and not survey.listed:
        raise UnreadableSourceError(
            source,
            why=f"the score of several classes is a list of their probabilities; {roles.score!r} is none",
        )
    if plan.problem is Problem.BINARY and roles.score is not None and survey.listed:
        raise UnreadableSourceError(
            source, why=f"the score of two classes is a number, the positive one's; {roles.score!r} is a list"
        )
    if plan.problem is Problem.BINARY and roles.prediction is None and not survey.probability:
        raise OptionError(
            "prediction", got="nothing", expected="a column, since scores are not within [0, 1]"
        )


def count_answers(
    baseline: QualityBaseline,
    source: Source,
    ask: Ask,
    *,
    engine: Engine = HERE,
    progress: Progress | None = None,
    review: Review | None = None,
) -> Profile:
    """Count a window's answers by the baseline's plan.

    Args:
        baseline: what they will be compared with.
        source: the window's rows.
        ask: which of them.
        engine: who reads.
        progress: is told how it goes.
        review: lists those that are least certain.

    Raises:
        EmptySourceError: no row is left to judge.
        OptionError: the engine does not read the rows in order, as a list of them needs it.
        SourceError: the source cannot be read.
    """
    fold = Fold.counting(QualityScan, baseline.plan)
    if review is not None and engine.skip:
        expected = (
            "nothing beside --review: rows are listed before it is known whether their file can be read"
        )
        raise OptionError("review", got="--damaged skip", expected=expected)
    if review is not None:
        engine, fold = engine.in_order("review"), Fold.counting(Reviewed, baseline.plan, review)
    return counted(engine, source, ask, fold, progress=progress or Silent(), what="Checking the answers")


class Reviewed(QualityScan):
    """Counts answers, and lists those that are least certain.

    Args:
        plan: how they are read.
        review: the list.
    """

    def __init__(self, plan: QualityPlan, review: Review) -> None:
        super().__init__(plan)
        self._review = review

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        super().add(batch)
        self._review.add(batch)
