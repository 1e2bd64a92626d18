"""Quality before labels come: what the reference answers lead to expect of a window, beside what came true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from watchkeep.baselines.class_estimator import ClassEstimator
from watchkeep.baselines.error_estimator import ErrorEstimator, Predictions, quantities
from watchkeep.baselines.estimator import BinaryEstimator, Mix
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.monitors.model_quality.baseline import QualityBaseline, counts_of
from watchkeep.monitors.model_quality.counting import WIDTHS
from watchkeep.monitors.model_quality.measures import Counts, tied_places
from watchkeep.monitors.model_quality.places import Places
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.monitors.model_quality.sampled import (
    ANSWER,
    LABEL,
    SCORE,
    Codes,
    described,
    feature_codes,
    labelled_rows,
    sampled_rows,
)
from watchkeep.profiles.profile import Profile
from watchkeep.stats.expected_counts import Estimated
from watchkeep.stats.reweighting import (
    LEAST_SHARE_OF_PAIRS,
    MOST_OF_PAIRS,
    Indicators,
    Pairs,
    indicators,
    pairs,
)

SENTENCE: Final = (
    "Estimated from the answers and the mix of features alone, as labelled reference rows with such answers and "
    "features turned out. What it cannot see: that the same answers to the same features have become right less often "
    "(concept drift). Where labels have come, a value outside its band is a sign of just that."
)
"""What an estimate is, for people."""
BUCKETS: Final = 8
"""Predicted numbers are told apart by so many buckets."""
COARSE: Final = 4
"""Buckets of a numeric feature that are taken as one where columns are taken two by two."""


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """What rows of the sample are like, as features that stand for buckets of columns."""

    found: Indicators
    rows: Doubles
    two_by_two: Pairs | None = None

    @classmethod
    def of(cls, codes: Codes, traits: Doubles) -> "_Features":
        found = indicators(codes, (codes.max(axis=0) + 1).tolist(), traits)
        return cls(found, found.of(codes))

    @classmethod
    def in_pairs(cls, codes: Codes, traits: Doubles) -> "_Features":
        """Columns two by two: how large an error is depends on how columns hang together."""
        both = pairs(codes, (codes.max(axis=0) + 1).tolist(), traits)
        together = both.of(codes)
        found = indicators(
            together, both.all_sizes, traits, most=MOST_OF_PAIRS, least_share=LEAST_SHARE_OF_PAIRS
        )
        return cls(found, found.of(together), both)

    def mix(self, codes: Codes) -> Mix | None:
        if not len(codes):
            return None
        together = codes
        if self.two_by_two is not None:
            # A bucket that no reference row is in counts as the last one of its column.
            together = self.two_by_two.of(np.minimum(codes, np.array(self.two_by_two.sizes) - 1))
        return Mix(self.found.of(together).mean(axis=0), float(len(codes)))


def estimates(
    baseline: QualityBaseline, profile: Profile, *, labelled: bool = False
) -> Mapping[str, Estimated]:
    """The measures that can be estimated of a window, each with the band its value will lie in once all are labelled.

    Args:
        baseline: labelled reference answers.
        profile: the window's states; what its labels are is not looked at.
        labelled: only of its rows that have a label, to be held against what came true of them.
    """
    plan = baseline.plan
    if baseline.known is not None:  # there is no row to learn from
        return {}
    if plan.problem is Problem.BINARY:
        found = expected_of_two(baseline, profile, labelled=labelled)
        return (
            {} if found is None else found.estimator.estimate(found.rows, mix=found.mix, spread=found.spread)
        )
    reference = labelled_rows(plan, baseline.profile)
    window = labelled_rows(plan, profile) if labelled else sampled_rows(profile)
    if not described(plan, profile):  # without its features a window's mix is not known
        window = window[:0]
    if plan.problem is Problem.MULTICLASS:
        before, now = counts_of(baseline.profile, DATASET), counts_of(profile, DATASET)
        return _of_classes(plan, before, now, reference, window, labelled=labelled)
    rows = int(counts_of(profile, DATASET).table.ravel()[0]) if labelled else profile.rows
    return _of_numbers(plan, rows, reference, window)


def _spread(tables: Doubles) -> float:
    """The sum of squared weights over the sum of weights."""
    weight = float(tables[1].sum()) if len(tables) > 1 else 0.0
    return float(tables[2].sum()) / weight if weight > 0 else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is expected of a window of two classes.

    Args:
        estimator: learned from the reference answers.
        rows: of the window by place of the score and answer, shape (places, 2).
        mix: of its features; None when there are none.
        spread: of its weights.
    """

    estimator: BinaryEstimator
    rows: Doubles
    mix: Mix | None
    spread: float


def expected_of_two(
    baseline: QualityBaseline, profile: Profile, *, labelled: bool = False
) -> Expected | None:
    """What is expected of a window's answers, or of the labelled ones; None without a labelled reference row."""
    plan = baseline.plan
    if baseline.known is not None:
        return None
    before, now = counts_of(baseline.profile, DATASET), counts_of(profile, DATASET)
    tables = [each.table.reshape(len(each.table), -1, 2, 3) for each in (before, now)]
    weighted = [table[1 if len(table) > 1 else 0] for table in tables]
    counts, rows = weighted[0][:, :, :2], weighted[1][:, :, : 2 if labelled else 3].sum(axis=2)
    if plan.bins is None:  # the places are the answers
        counts = np.einsum("ij,jk->ijk", np.eye(2), counts[0])
        rows = np.diag(rows[0])
    held, means = counts.sum(axis=(1, 2)), None
    if "scores" in before.sums:
        means = np.divide(before.sums["scores"], held, out=np.zeros(len(held)), where=held > 0)
    tied = tied_places(plan.bins) if plan.bins is not None else None
    found = BinaryEstimator.fit(
        counts, means=means, tied=tied, scored=plan.bins is not None, spread=_spread(tables[0])
    )
    if isinstance(found, Undefined):
        return None
    mix, reference = None, labelled_rows(plan, baseline.profile)
    if described(plan, profile) and len(reference):
        labels = reference[:, LABEL].astype(np.intp)
        bins = reference[:, ANSWER].astype(np.intp)
        if plan.bins is not None:
            bins = Places(plan.bins).of(reference[:, SCORE]).astype(np.intp)
        features = _Features.of(feature_codes(reference), found.traits(bins, labels))
        found = found.with_features(features.rows, bins, labels)
        mix = features.mix(feature_codes(labelled_rows(plan, profile) if labelled else sampled_rows(profile)))
    return Expected(found, rows, mix, _spread(tables[1]))


def _of_classes(
    plan: QualityPlan, before: Counts, now: Counts, reference: Doubles, window: Doubles, *, labelled: bool
) -> Mapping[str, Estimated]:
    kinds = plan.kinds
    tables = [each.table.reshape(len(each.table), kinds, kinds + 1) for each in (before, now)]
    weighted = [table[1 if len(table) > 1 else 0] for table in tables]
    confusion = weighted[0][:, :kinds]
    scored = "confidence" in before.sums and "confidence" in now.sums
    if scored:
        known, right = before.sums["confidence"][:, :, 1], before.sums["confidence"][:, :, 2]
        rows = now.sums["confidence"][:, :, 1 if labelled else 0]
    else:
        known, right = confusion.sum(axis=1, keepdims=True), np.diag(confusion)[:, None]
        rows = weighted[1][:, : kinds if labelled else kinds + 1].sum(axis=1, keepdims=True)
    if not confusion[-1].any() and not confusion[:, -1].any() and not rows[-1].any():
        # Nobody answered with another class, and none came true: it is no class.
        known, right, rows, confusion = known[:-1], right[:-1], rows[:-1], confusion[:-1, :-1]
    found = ClassEstimator.fit(known, right, confusion)
    if isinstance(found, Undefined):
        return {}
    mix = None
    if plan.features and len(reference):
        answers, labels = reference[:, ANSWER].astype(np.intp), reference[:, LABEL].astype(np.intp)
        bins = np.zeros(len(answers), np.intp)
        if scored:
            bins = np.minimum((reference[:, SCORE] * WIDTHS).astype(np.intp), WIDTHS - 1)
        correct = (answers == labels).astype(np.intp)
        features = _Features.of(feature_codes(reference), found.traits(answers, bins, correct))
        found, mix = (
            found.with_features(features.rows, answers, bins, correct),
            features.mix(feature_codes(window)),
        )
    return found.estimate(rows, mix=mix, spread=_spread(tables[1]))


def _of_numbers(plan: QualityPlan, rows: int, reference: Doubles, window: Doubles) -> Mapping[str, Estimated]:
    if not len(reference) or not len(window):
        return {}
    answers = reference[:, ANSWER]
    errors = answers - reference[:, LABEL]
    edges = np.unique(np.quantile(answers, np.arange(1, BUCKETS) / BUCKETS))
    mine, theirs = (np.searchsorted(edges, each[:, ANSWER], side="right") for each in (reference, window))
    numeric = np.array([feature.type.numeric for feature in plan.features], np.bool_)
    known, seen = (
        np.column_stack([np.where(numeric, feature_codes(each) // COARSE, feature_codes(each)), told])
        for each, told in ((reference, mine), (window, theirs))
    )
    features = _Features.in_pairs(known, quantities(errors, answers - answers.mean()))
    found = ErrorEstimator.fit(errors, answers, features=features.rows)
    if isinstance(found, Undefined):
        return {}
    predicted = Predictions(float(window[:, ANSWER].mean()), float((window[:, ANSWER] ** 2).mean()))
    return found.estimate(float(rows), mix=features.mix(seen), predictions=predicted)
