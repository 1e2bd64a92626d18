"""A baseline of model quality made by SageMaker: nothing but `statistics.json` and `constraints.json`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.constraints.constraint import Constraint
from watchkeep.core.errors import BaselineError
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.formats.quality_constraints import QualityConstraints
from watchkeep.formats.quality_limits import to_quality_constraints
from watchkeep.formats.quality_statistics import Confusion, QualityStatistics
from watchkeep.frames.classes import Classes
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.measures import Quality, Sampled
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.scan import TABLE, QualityScan
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.totals import Totals

_BINS: Final = 4_096
"""Bins of probabilities: the document does not tell how the reference scores lay."""


def foreign_quality(
    statistics: QualityStatistics,
    constraints: QualityConstraints,
    roles: Roles,
    *,
    path: str,
    created: datetime,
) -> QualityBaseline:
    """A baseline as far as the two documents tell it: its measures and confusion matrix, no scores and no features.

    Args:
        statistics, constraints: the documents.
        roles: which column is what; the documents do not say.
        path: where they lie.
        created: when the statistics were written.

    Raises:
        BaselineError: the confusion matrix does not name the classes.
    """
    problem, confusion = statistics.problem, statistics.confusion
    named = (
        [] if confusion is None else [*confusion, *(answer for row in confusion.values() for answer in row)]
    )
    classes = Classes(()) if problem is Problem.REGRESSION else Classes.among(named)
    if problem is Problem.BINARY and len(classes) != 2:
        raise BaselineError(path, why=f"the confusion matrix of two classes names {len(classes)}")
    if problem is Problem.MULTICLASS and not len(classes):
        raise BaselineError(path, why="its statistics hold no confusion matrix, which names the classes")
    scored = problem is Problem.BINARY and roles.score is not None
    plan = QualityPlan(
        problem=problem,
        roles=roles,
        classes=classes,
        bins=_bins() if scored else None,
        dialect=Dialect.SAGEMAKER,
    )
    matrix = None if confusion is None or not len(classes) else _matrix(confusion, plan)
    known = Quality(
        labelled=statistics.item_count,
        unlabelled=0,
        weight=float(statistics.item_count),
        measures={
            name: Sampled(
                one.value, None if isinstance(one.standard_deviation, Undefined) else one.standard_deviation
            )
            for name, one in statistics.metrics.items()
        },
        confusion=matrix,
    )
    return QualityBaseline(
        created=statistics.evaluation_time or created,
        source=path,
        plan=plan,
        profile=_profile(plan, matrix, statistics.item_count),
        constraints=of_documents(to_quality_constraints(constraints)),
        known=known,
    )


def of_documents(constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """The limits that can be judged without the reference rows: all but that of prediction sets."""
    return tuple(one for one in constraints if one.measure != "coverage")


def _bins() -> Bins:
    """Even bins over probabilities."""
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    return Bins.of(Cells.of(edges), mean=0.0, deviation=0.0)


def _matrix(confusion: Confusion, plan: QualityPlan) -> npt.NDArray[np.float64]:
    """Rows by label, then answer, shape (kinds, kinds)."""
    out = np.zeros((plan.kinds, plan.kinds))
    for label, row in confusion.items():
        for answer, rows in row.items():
            out[plan.classes.code(label), plan.classes.code(answer)] += rows
    return out


def _profile(plan: QualityPlan, matrix: npt.NDArray[np.float64] | None, rows: int) -> Profile:
    """The confusion matrix as a scan would have counted it, all scores in one place: that they lay there is untold."""
    empty = QualityScan(plan).profile()
    table = empty.part(DATASET, TABLE, Totals)
    assert table is not None  # noqa: S101 (every scan counts it)
    values = table.values.copy()
    if matrix is not None:
        kinds = plan.kinds
        values[:, 0, :] = np.append(matrix.T, np.zeros((kinds, 1)), axis=1).ravel()  # the last label is none
    return Profile(rows, {}, {}, {**empty.parts, (DATASET, TABLE): Totals(values)})
