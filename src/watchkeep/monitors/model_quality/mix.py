"""What the mix of each feature's values does to the quality of answers, before any label of the window is known."""

from typing import Final

from watchkeep.causes.clues import Clues, Effect
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.sampled import (
    described,
    feature_codes,
    labelled_rows,
    loss_name,
    losses_of_rows,
    sampled_rows,
)
from watchkeep.profiles.profile import Profile
from watchkeep.stats.mix_effects import mix_effects
from watchkeep.stats.reweighting import indicators

FEWEST: Final = 100
"""Labelled reference rows, and rows of the window, below which nothing is said."""


def effects_of_mix(baseline: QualityBaseline, profile: Profile) -> Clues:
    """The part of each feature in the change of the mean loss that a window's mix of features brings about.

    Of values that the baseline hardly has (less than 2 % of its rows) nothing can be told: no reference row says how
    the model does on them.

    Args:
        baseline: labelled reference answers.
        profile: the window's states; what its labels are is not looked at.
    """
    plan = baseline.plan
    if baseline.known is not None or not described(plan, profile):
        return Clues()
    reference, window = labelled_rows(plan, baseline.profile), sampled_rows(profile)
    if min(len(reference), len(window)) < FEWEST:
        return Clues()
    loss = losses_of_rows(plan, reference)
    codes = feature_codes(reference)
    found = indicators(codes, (codes.max(axis=0) + 1).tolist(), loss[:, None])
    if not len(found.columns):
        return Clues()
    means = found.of(feature_codes(window)).mean(axis=0)
    told = mix_effects(found.of(codes), found.columns, loss, means, rows=len(window))
    parts = zip(told.columns.tolist(), told.changes.tolist(), told.errors.tolist(), strict=True)
    names = [feature.name for feature in plan.features]
    return Clues(
        effects={names[at]: Effect(change, error) for at, change, error in parts}, loss=loss_name(plan)
    )
