"""Limits that are suggested for attributions."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from watchkeep.baselines.rules.dataset import retain_rows
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.monitors.attribution.baseline import AttributionBaseline

NDCG: Final = "ndcg"
ATTRIBUTION: Final = "attribution"
REJECTED: Final = "rejected"
SAGEMAKER_LEAST: Final = 0.90
"""Below it Amazon SageMaker's monitor calls the order of features changed."""
LEAST: Final = 0.99
"""The same in ours, where chance has to be ruled out as well: only features of little weight have changed places."""
OF_ITS_OWN: Final = 0.10
"""How much a feature's attribution may move, as a share of what it was."""
OF_ALL: Final = 0.01
"""The same as a share of all features' attribution: what is less does not change which one to look at."""


def suggest(baseline: AttributionBaseline, *, sagemaker: bool) -> tuple[Constraint, ...]:
    """The limits that a baseline's windows are held against."""
    return tuple(_suggested(baseline, sagemaker=sagemaker))


def _suggested(baseline: AttributionBaseline, *, sagemaker: bool) -> Iterator[Constraint]:
    plan = baseline.plan
    for place, one in baseline.attributed.items():
        if len(plan.features) > 1 and float(one.values.max()) > 0:
            yield Constraint(
                check=checks.ATTRIBUTION_DRIFT,
                measure=NDCG,
                subject=plan.subject(place),
                side=Side.AT_LEAST,
                limit=SAGEMAKER_LEAST if sagemaker else LEAST,
                rule="RetainOrder",
                reason="the features that mattered most in the baseline still do",
                evidence={"explained": one.rows},
            )
        if sagemaker:
            continue
        reach = np.maximum(OF_ITS_OWN * np.abs(one.values), OF_ALL * float(np.abs(one.values).sum()))
        for feature, value, allowed in zip(plan.features, one.values.tolist(), reach.tolist(), strict=True):
            for side, limit in ((Side.AT_MOST, value + allowed), (Side.AT_LEAST, value - allowed)):
                if side is Side.AT_LEAST and value - allowed <= 0 <= value:
                    continue  # no attribution can be less
                yield Constraint(
                    check=checks.FEATURE_ATTRIBUTION,
                    measure=ATTRIBUTION,
                    subject=plan.subject(place, feature),
                    side=side,
                    limit=float(f"{limit:.12g}"),
                    rule="RetainAttribution",
                    reason=f"the baseline's is {value:.4g}; a tenth of it, or a hundredth of all, is little",
                    evidence={"baseline": value, "explained": one.rows},
                )
    if not sagemaker:
        yield retain_rows(baseline.profile.read, baseline.profile.rejected_share)
