"""The rows that a scan of answers keeps a sample of: what they were like, and what was lost on them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.verdicts import DATASET
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles, Mask
from watchkeep.monitors.model_quality.scan import OWN, SAMPLE
from watchkeep.profiles.profile import Profile
from watchkeep.states.rows import RowSample

Codes = npt.NDArray[np.intp]

LABEL: Final = OWN.index("label")
ANSWER: Final = OWN.index("prediction")
SCORE: Final = OWN.index("score")
WEIGHT: Final = OWN.index("weight")


def sampled_rows(profile: Profile) -> Doubles:
    """The sampled rows, shape (rows, 4 + features): label, answer, score, weight, then the bucket in each feature."""
    sample = profile.part(DATASET, SAMPLE, RowSample)
    assert sample is not None  # noqa: S101 (every scan keeps one)
    return sample.values


def labelled(plan: QualityPlan, rows: Doubles) -> Mask:
    """Which of them have a label, shape (rows,)."""
    labels = rows[:, LABEL]
    known: Mask = ~np.isnan(labels) if plan.problem is Problem.REGRESSION else labels < plan.kinds
    return known


def labelled_rows(plan: QualityPlan, profile: Profile) -> Doubles:
    """The sampled rows that have a label."""
    rows = sampled_rows(profile)
    return rows[labelled(plan, rows)]


def described(plan: QualityPlan, profile: Profile) -> bool:
    """Whether a window has the features that rows are described by."""
    return bool(plan.features) and all(one.name in profile.seen for one in plan.features)


def feature_codes(rows: Doubles) -> Codes:
    """The bucket of each row in each feature, from 0; rows that lack the column are in one of their own."""
    return np.nan_to_num(rows[:, len(OWN) :], nan=-1.0).astype(np.intp) + 1


def losses_of_rows(plan: QualityPlan, rows: Doubles) -> Doubles:
    """What was lost on labelled rows, shape (rows,): 1 for a wrong answer, else 0; of numbers the absolute error."""
    if plan.problem is Problem.REGRESSION:
        return np.abs(rows[:, ANSWER] - rows[:, LABEL])
    return np.asarray(rows[:, ANSWER] != rows[:, LABEL], np.float64)


def loss_name(plan: QualityPlan) -> str:
    """What that is on average, for people."""
    return "mean absolute error" if plan.problem is Problem.REGRESSION else "share of wrong answers"
