"""Limits that the reference answers suggest: as good as they were, but for noise."""

from typing import Final

from watchkeep.baselines.rules.dataset import retain_rows
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.core.wording import percent
from watchkeep.monitors.model_quality.measures import Quality, Sampled
from watchkeep.profiles.profile import Profile

_OURS_LOWER: Final = ("log_loss", "brier", "mape", "smape")
_OURS_HIGHER: Final = (
    "balanced_accuracy",
    "matthews",
    "pr_auc",
    "coverage",
    "ndcg_at_5",
    "ndcg_at_10",
    "mean_reciprocal_rank",
)
LOWER_IS_BETTER: Final = (
    "mae",
    "mse",
    "rmse",
    "false_positive_rate",
    "false_negative_rate",
    *_OURS_LOWER,
)
"""Measures that may not be greater than their limit."""
HIGHER_IS_BETTER: Final = (
    "r2",
    "recall",
    "precision",
    "accuracy",
    "true_positive_rate",
    "true_negative_rate",
    "auc",
    "f0_5",
    "f1",
    "f2",
    "weighted_recall",
    "weighted_precision",
    "weighted_f0_5",
    "weighted_f1",
    "weighted_f2",
    *_OURS_HIGHER,
)
"""Measures that may not be less."""
OURS: Final = frozenset({*_OURS_LOWER, *_OURS_HIGHER})
"""Those that SageMaker's files know nothing of."""
ERRORS: Final = 3.0
"""Standard errors of the baseline's own value that a limit leaves room for."""
SLACK: Final = 0.02
"""Share of what there is to lose that a limit leaves room for: smaller differences do not matter."""
RULE: Final = "retain_quality"
_LOSSES: Final = ("mae", "mse", "rmse", "log_loss", "brier", "mape", "smape")  # they have no upper end


def lower_is_better(measure: str) -> bool:
    """Whether less of a measure is better, one without a suggested limit too.

    >>> lower_is_better("rmse"), lower_is_better("pinball_0_9"), lower_is_better("auc")
    (True, True, False)
    """
    return measure in (*LOWER_IS_BETTER, "expected_calibration_error") or measure.startswith("pinball_")


def suggest(quality: Quality, profile: Profile, *, sagemaker: bool) -> tuple[Constraint, ...]:
    """A limit for every measure that has one.

    Args:
        quality: of the reference answers.
        profile: their states.
        sagemaker: the limit is the bare value, and only for the measures that SageMaker has.
    """
    share = profile.rejected_share
    rows = () if sagemaker else (retain_rows(profile.read, share, check=checks.GREATER_THAN),)
    limits = tuple(
        _limit(name, one, quality.labelled, sagemaker=sagemaker)
        for name, one in quality.measures.items()
        if name in (*LOWER_IS_BETTER, *HIGHER_IS_BETTER)
        and not isinstance(one.value, Undefined)
        and not (sagemaker and name in OURS)
    )
    return (*limits, *rows)


def _limit(name: str, one: Sampled, rows: int, *, sagemaker: bool) -> Constraint:
    assert not isinstance(one.value, Undefined)  # noqa: S101 (the caller looked)
    lower = name in LOWER_IS_BETTER
    room = 0.0
    reason = f"the baseline's {name} is {one.value:.4g}"
    if not sagemaker:
        error = one.error or 0.0
        # A rate near its best end has little to lose before it is bad: room is a part of what is left either way.
        left = abs(one.value) if name in _LOSSES else (1 - one.value if lower else max(0.0, one.value))
        room = ERRORS * error + SLACK * left
        free = (
            f"{ERRORS:g} of its standard errors ({error:.2g}) and {percent(SLACK, 0)} of what is left to lose"
        )
        reason += f"; {free} are free"
    return Constraint(
        check=checks.GREATER_THAN if lower else checks.LESS_THAN,
        measure=name,
        subject=DATASET,
        side=Side.AT_MOST if lower else Side.AT_LEAST,
        limit=one.value + (room if lower else -room),
        rule=RULE,
        reason=reason,
        evidence={"baseline": one.value, "error": one.error, "rows": rows},
    )
