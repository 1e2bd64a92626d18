"""What a scan of answers is to count."""

from dataclasses import dataclass
from enum import StrEnum

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.frames.classes import Classes
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.states.bins import Bins


class Problem(StrEnum):
    """What a model answers, spelled as SageMaker does."""

    BINARY = "BinaryClassification"
    MULTICLASS = "MulticlassClassification"
    REGRESSION = "Regression"

    @property
    def words(self) -> str:
        """As people say it."""
        return {"BinaryClassification": "binary", "MulticlassClassification": "multiclass"}.get(
            self, "regression"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QualityPlan:
    """How to read the answers of a model.

    Args:
        problem: what it answers.
        roles: which column is what.
        classes: of labels and answers, by code; of a binary problem (negative, positive); none for numbers.
        threshold: a score above it is a positive answer, where there is no column of answers; binary only.
        bins: of scores (binary), of the probability of the answer (multiclass) or of errors (regression), the
            baseline's; None when there is nothing to put in them.
        probability: whether scores are probabilities: all of the baseline's are within [0, 1].
        center, scale: mean and standard deviation of the baseline's labels, in which errors are summed; numbers only.
        segments: slices of the rows that are counted apart.
        names: all the columns of the reference data, in order: what columns without names are called by position.
        sets: the places that bound prediction sets, see `sets.sets_of`; None when there are none.
        features: columns that rows kept in the sample are described by.
        dialect: whose rules tell types apart.
    """

    problem: Problem
    roles: Roles
    classes: Classes
    threshold: float = 0.5
    bins: Bins | None = None
    probability: bool = True
    center: float = 0.0
    scale: float = 1.0
    segments: tuple[Segment, ...] = ()
    names: tuple[str, ...] = ()
    sets: tuple[int, int] | None = None
    features: tuple[BaselineColumn, ...] = ()
    dialect: Dialect = Dialect.DEFAULT

    @property
    def ranks(self) -> bool:
        """Whether rows are ranked within queries, by a score or a predicted number."""
        scored = self.problem is Problem.REGRESSION or self.roles.score is not None
        return self.roles.query is not None and scored and self.problem is not Problem.MULTICLASS

    @property
    def kinds(self) -> int:
        """Kinds of answers: the classes and, of a multiclass problem, any other."""
        return len(self.classes) + (1 if self.problem is Problem.MULTICLASS else 0)
