"""From counts to measures of bias of every group, each with its standard error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.facets import Group
from watchkeep.frames.outcomes import NEGATIVE, NO_OUTCOME, POSITIVE
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import STRATA, TABLE
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile
from watchkeep.states.totals import Totals
from watchkeep.stats.bias import MEASURES, BiasMeasure, conditional_disparity
from watchkeep.stats.bias_formulas import Outcomes, Over
from watchkeep.stats.cell_bootstrap import redrawn

Doubles = npt.NDArray[np.float64]

REPLICATES: Final = 200
"""Of the bootstrap."""
_SEED: Final = 2021
_USUAL: Final = 0.5  # share of replicates that must have a value for their scatter to be one


@dataclass(frozen=True, slots=True, eq=False)
class GroupBias:
    """How a group is treated, beside all other rows.

    Args:
        facet: the column, or the columns, that tell it apart.
        group: its name.
        rows, others: of the group, and of all others that have a value.
        missing: rows without a value, which are in neither.
        measures: by name.
    """

    facet: str
    group: str
    rows: int
    others: int
    missing: int
    measures: Mapping[str, Sampled]

    @property
    def subject(self) -> str:
        """What verdicts call it: "sex=Female"."""
        return f"{self.facet}={self.group}"


def biases(plan: BiasPlan, profile: Profile, *, replicates: int = REPLICATES) -> tuple[GroupBias, ...]:
    """The measures of every group: of each facet, then of crossings.

    Args:
        plan: how the rows were counted.
        profile: what was counted.
        replicates: of the bootstrap; with 0 there are no standard errors.
    """
    found: list[GroupBias] = []
    for at, facet in enumerate(plan.facets):
        found += _of_facet(plan, profile, plan.subject(at), facet.groups, replicates)
    for crossing in plan.crossings:
        found += _of_facet(plan, profile, plan.subject(crossing), plan.groups(crossing), replicates)
    return tuple(found)


def _of_facet(
    plan: BiasPlan, profile: Profile, subject: str, groups: tuple[Group, ...], replicates: int
) -> list[GroupBias]:
    state = profile.part(subject, TABLE, Totals)
    assert state is not None  # noqa: S101 (every scan counts it)
    tables = state.values
    rows, weights = tables[0], tables[1 if len(tables) > 1 else 0]
    drawn = (
        np.stack(list(redrawn(tables, replicates, seed=_SEED)))
        if replicates and rows.sum() >= 2
        else np.zeros((0, *rows.shape))
    )
    strata = profile.part(subject, STRATA, Totals)
    found = []
    for group in groups:
        d, a = _split(weights, group)
        again = _split(drawn, group)
        measures = {
            name: _sampled(measure, d, a, again, plan)
            for name, measure in MEASURES.items()
            if plan.prediction is not None or measure.needs == "labels"
        }
        if strata is not None:
            measures |= _disparities(plan, strata.values, group, replicates)
        mine = int(rows[list(group.levels)].sum())
        missing = int(rows[-1].sum())
        found.append(
            GroupBias(subject, group.name, mine, int(rows.sum()) - mine - missing, missing, measures)
        )
    return found


def _split(table: Doubles, group: Group) -> tuple[Doubles, Doubles]:
    """The outcomes of a group and of all other rows that have a value, shape (..., 3, 3) each."""
    levels = list(group.levels)
    d: Doubles = table[..., levels, :, :].sum(axis=-3)
    whole: Doubles = table[..., :-1, :, :].sum(axis=-3)
    return d, whole - d


def _sampled(
    measure: BiasMeasure, d: Doubles, a: Doubles, drawn: tuple[Doubles, Doubles], plan: BiasPlan
) -> Sampled:
    value = measure.of(_outcomes(d, measure), _outcomes(a, measure), sagemaker=plan.dialect.sagemaker)
    if isinstance(value, Undefined) or not len(drawn[0]):
        return Sampled(value)
    over = Over(sagemaker=plan.dialect.sagemaker)
    with np.errstate(invalid="ignore"):
        again = measure.formula(_outcomes(drawn[0], measure), _outcomes(drawn[1], measure), over)
    return Sampled(value, _scatter(again, len(again)))


def _scatter(again: Doubles, replicates: int) -> float | None:
    """The standard deviation of replicates; None where too few of them have a value."""
    finite = again[np.isfinite(again)]
    return float(np.std(finite, ddof=1)) if len(finite) > _USUAL * replicates else None


def _outcomes(table: Doubles, measure: BiasMeasure) -> Outcomes:
    """The rows that a measure is about: those with a label, with a prediction, or with both."""
    if measure.needs == "both":
        return Outcomes.of(table[..., :NO_OUTCOME, :NO_OUTCOME])
    none = np.zeros(table.shape[:-2])
    if measure.needs == "labels":
        labels = table.sum(axis=-1)
        return Outcomes(labels[..., NEGATIVE], none, labels[..., POSITIVE], none)
    predictions = table.sum(axis=-2)
    return Outcomes(predictions[..., NEGATIVE], predictions[..., POSITIVE], none, none)


def _disparities(plan: BiasPlan, strata: Doubles, group: Group, replicates: int) -> dict[str, Sampled]:
    """CDDL and CDDPL."""
    names = ("CDDL", "CDDPL") if plan.prediction is not None else ("CDDL",)
    found = {}
    again = list(redrawn(strata[None], replicates, seed=_SEED)) if replicates else []
    for name in names:
        value = _disparity(name, strata, group, plan)
        drawn = [] if isinstance(value, Undefined) else [_disparity(name, one, group, plan) for one in again]
        numbers = np.array([one for one in drawn if not isinstance(one, Undefined)])
        found[name] = Sampled(value, _scatter(numbers, len(again)) if again else None)
    return found


def _disparity(name: str, strata: Doubles, group: Group, plan: BiasPlan) -> Value:
    d, a = _split(strata, group)
    by_outcome = [each.sum(axis=-1 if name == "CDDL" else -2)[:, :NO_OUTCOME] for each in (a, d)]
    return conditional_disparity(np.stack(by_outcome, axis=1), name=name, sagemaker=plan.dialect.sagemaker)
