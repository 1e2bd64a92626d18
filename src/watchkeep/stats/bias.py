"""Measures of bias: how differently a model, or the world it learned from, treats two groups."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats import bias_formulas as of
from watchkeep.stats.bias_formulas import Formula, Outcomes, Over

Reals = npt.NDArray[np.float64]
Needs = Literal["rows", "labels", "predictions", "both"]


@dataclass(frozen=True, slots=True)
class BiasMeasure:
    """A measure of how differently two groups are treated.

    Args:
        name: as SageMaker's files spell it, where they have it.
        title: in words.
        needs: what a row must have.
        neutral: its value where both are treated alike.
        low, high: the least and the largest it can be.
        formula: of the outcomes of d and a.
        ours: whether SageMaker lacks it, so that its rules do not apply.
        among: the rows of a group that it is a mean over, as `Outcomes` names them.
    """

    name: str
    title: str
    needs: Needs
    neutral: float
    low: float
    high: float
    formula: Formula
    ours: bool = False
    among: str = "rows"

    def of(self, d: Outcomes, a: Outcomes, *, sagemaker: bool = False) -> Value:
        """The measure of two groups; Undefined, saying what is missing, where it divides by nothing.

        Args:
            d, a: their outcomes, single numbers.
            sagemaker: 0/0 counts as 0 and x/0 as infinite; only of an empty group there is no measure.

        >>> d, a = Outcomes.of([[30, 5], [5, 10]]), Outcomes.of([[55, 10], [5, 30]])
        >>> round(float(MEASURES["DI"].of(d, a)), 6)
        0.75
        >>> MEASURES["RD"].of(Outcomes.of([[9, 1], [0, 0]]), a)
        Undefined(why='RD needs 1 row labelled positive of the group, has 0')
        """
        over = Over(sagemaker=sagemaker and not self.ours)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            found = float(self.formula(d, a, over))
        if over.sagemaker:
            over.lacks = over.refused
            for group, whose in ((d, "of the group"), (a, "of the others")):
                if not group.rows:
                    over.lacks.append(f"row {whose}")
            found = 0.0 if math.isnan(found) else found
        return Undefined(f"{self.name} needs 1 {over.lacks[0]}, has 0") if over.lacks else found


_INF: Final = math.inf
_ALL: Final = (
    BiasMeasure("CI", "class imbalance", "rows", 0, -1, 1, of.class_imbalance),
    BiasMeasure("DPL", "difference in positive labels", "labels", 0, -1, 1, of.label_difference),
    BiasMeasure("KL", "Kullback-Leibler divergence of labels", "labels", 0, 0, _INF, of.label_divergence),
    BiasMeasure(
        "JS", "Jensen-Shannon divergence of labels", "labels", 0, 0, math.log(2), of.label_jensen_shannon
    ),
    BiasMeasure("LP", "L2 distance of labels", "labels", 0, 0, math.sqrt(2), of.label_distance),
    BiasMeasure("TVD", "total variation of labels", "labels", 0, 0, 1, of.label_variation),
    BiasMeasure("KS", "Kolmogorov-Smirnov distance of labels", "labels", 0, 0, 1, of.label_largest),
    BiasMeasure(
        "DPPL", "difference in positive predictions", "predictions", 0, -1, 1, of.prediction_difference
    ),
    BiasMeasure("DI", "disparate impact", "predictions", 1, 0, _INF, of.disparate_impact),
    BiasMeasure(
        "DCA",
        "difference in conditional acceptance",
        "both",
        0,
        -_INF,
        _INF,
        of.conditional_acceptance,
        among="accepted",
    ),
    BiasMeasure(
        "DCR",
        "difference in conditional rejection",
        "both",
        0,
        -_INF,
        _INF,
        of.conditional_rejection,
        among="rejected",
    ),
    BiasMeasure("AD", "accuracy difference", "both", 0, -1, 1, of.accuracy_difference),
    BiasMeasure("RD", "recall difference", "both", 0, -1, 1, of.recall_difference, among="positives"),
    BiasMeasure(
        "SD", "specificity difference", "both", 0, -1, 1, of.specificity_difference, among="negatives"
    ),
    BiasMeasure(
        "DAR", "difference in acceptance rates", "both", 0, -1, 1, of.acceptance_difference, among="accepted"
    ),
    BiasMeasure(
        "DRR", "difference in rejection rates", "both", 0, -1, 1, of.rejection_difference, among="rejected"
    ),
    BiasMeasure("TE", "treatment equality", "both", 0, -_INF, _INF, of.treatment_equality, among="fp"),
    BiasMeasure("GE", "generalised entropy", "both", 0, 0, _INF, of.generalised_entropy),
    BiasMeasure(
        "EOD",
        "equal opportunity difference",
        "both",
        0,
        -1,
        1,
        of.equal_opportunity,
        ours=True,
        among="positives",
    ),
    BiasMeasure(
        "AOD", "average odds difference", "both", 0, -1, 1, of.average_odds, ours=True, among="rarer"
    ),
    BiasMeasure("EOR", "equalised odds ratio", "both", 1, 0, 1, of.equalised_odds, ours=True, among="rarer"),
)
MEASURES: Final[Mapping[str, BiasMeasure]] = MappingProxyType({measure.name: measure for measure in _ALL})
"""All measures of a table of two groups, by name.

References:
    Hardt, Price and Srebro (2016), NeurIPS, "Equality of opportunity in supervised learning" (EOD, EOR);
    Bellamy et al. (2018), arXiv:1810.01943 (AOD); Speicher et al. (2018), KDD (GE); Feldman et al. (2015), KDD (DI);
    Das et al. (2021), arXiv:2109.03285, "Fairness measures for machine learning in finance" (the others).
"""


def conditional_disparity(strata: npt.ArrayLike, *, name: str = "CDD", sagemaker: bool = False) -> Value:
    """CDD: how much more of the rejected than of the accepted rows are of the group, stratum by stratum.

    The mean, weighted by the rows of each stratum, of n_d(0) / n(0) - n_d(1) / n(1), which is 0 in a stratum
    that lacks one of the outcomes. Of labels it is CDDL, of predictions CDDPL.

    Args:
        strata: rows by stratum, group (a, d) and outcome (negative, positive), shape (strata, 2, 2).
        name: what to call it.
        sagemaker: whether a stratum that lacks an outcome counts with a share of 0 of it instead.

    Returns:
        In [-1, 1]; Undefined where no row has one of the outcomes.

    References:
        Wachter, Mittelstadt and Russell (2021), West Virginia Law Review 123.

    >>> round(float(conditional_disparity([[[20, 30], [10, 5]], [[25, 10], [20, 5]]])), 6)
    0.152381
    """
    counts = np.asarray(strata, np.float64)
    outcomes = counts.sum(axis=(0, 1))
    for outcome, word in zip(outcomes, ("negative", "positive"), strict=True):
        if outcome == 0:
            return Undefined(f"{name} needs 1 {word} row, has 0")
    return float(disparities(counts, sagemaker=sagemaker))


def disparities(strata: Reals, *, sagemaker: bool = False) -> Reals:
    """`conditional_disparity` of many tables at once, shape (..., strata, 2, 2); NaN of those without an outcome."""
    by_outcome = strata.sum(axis=-2)
    shares = np.divide(strata[..., 1, :], by_outcome, out=np.zeros(by_outcome.shape), where=by_outcome > 0)
    gaps = shares[..., 0] - shares[..., 1]
    if not sagemaker:
        gaps = np.where((by_outcome == 0).any(axis=-1), 0.0, gaps)
    rows = by_outcome.sum(axis=-1)
    whole = np.where((by_outcome.sum(axis=-2) == 0).any(axis=-1), np.nan, rows.sum(axis=-1))
    found: Reals = (rows * gaps).sum(axis=-1) / whole
    return found
