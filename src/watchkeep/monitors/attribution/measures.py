"""From sums to the attribution of each feature."""

from dataclasses import dataclass

import numpy as np

from watchkeep.measures.quantiles import quantile
from watchkeep.monitors.attribution.plan import Aggregation, AttributionPlan, Place
from watchkeep.monitors.attribution.scan import COUNT, PRODUCTS, SIGNED, SUMS, UNEXPLAINED
from watchkeep.profiles.profile import Profile
from watchkeep.states.cells import Cells, cell_high, cell_low
from watchkeep.states.totals import Totals
from watchkeep.stats.attribution_drift import Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """What some rows' scores rest on.

    Args:
        rows: how many were explained.
        values: the attribution of each feature, as the plan aggregates it, shape (features,).
        direction: the mean attribution with its sign, shape (features,).
        spread: the standard deviation from row to row of what is averaged, shape (features,).
        covariance: of what is averaged, shape (features, features).
        score: the mean score.
    """

    rows: int
    values: Doubles
    direction: Doubles
    spread: Doubles
    covariance: Doubles
    score: float

    @property
    def shares(self) -> Doubles:
        """Of all attribution, shape (features,); 0 where there is none."""
        total = float(np.abs(self.values).sum())
        shares: Doubles = np.abs(self.values) / total if total else np.zeros_like(self.values)
        return shares

    @property
    def ranks(self) -> list[int]:
        """The place of each feature, 1 for the largest attribution; those that are equal share the best."""
        ordered = np.sort(self.values)[::-1]
        return [int(np.flatnonzero(ordered == value)[0]) + 1 for value in self.values]


def attributed(plan: AttributionPlan, profile: Profile, place: Place) -> Attributed | None:
    """The attributions of a place; None where no row of it was explained."""
    key = plan.key(place)
    sums, counts = profile.part(key, SUMS, Totals), profile.part(key, COUNT, Totals)
    products = profile.part(key, PRODUCTS, Totals)
    if sums is None or counts is None or products is None or not counts.values[0]:
        return None
    rows, unit, gain = float(counts.values[0]), plan.unit(place), plan.gain_unit(place)
    means = sums.values / rows
    covariance = (products.values / rows - np.outer(means[0], means[0])) * np.outer(gain, gain)
    values = means[0] * gain
    if plan.aggregation is Aggregation.MEDIAN:
        values = np.array([_median(profile.part(key, f"{SIGNED} {name}", Cells)) for name in plan.features])
        values *= unit
    return Attributed(
        rows=round(rows),
        values=values,
        direction=means[3] * unit,
        spread=np.sqrt(np.maximum(0.0, np.diag(covariance))),
        covariance=covariance,
        score=float(counts.values[1]) / rows,
    )


def attributions(plan: AttributionPlan, profile: Profile) -> dict[Place, Attributed]:
    """The attributions of every place of a plan that had rows."""
    told = {place: attributed(plan, profile, place) for place in plan.places}
    return {place: one for place, one in told.items() if one is not None}


def unexplained(profile: Profile) -> dict[str, int]:
    """How many rows carry no explanation, by why; the most frequent reason first."""
    counts = {
        why: round(float(state.values[0]))
        for (subject, why), state in profile.parts.items()
        if subject == UNEXPLAINED and isinstance(state, Totals)
    }
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _median(cells: Cells | None) -> float:
    if cells is None or not cells.total:
        return 0.0
    middles = (cell_low(cells.keys, cells.shift) + cell_high(cells.keys, cells.shift)) / 2
    upper = (cells.total // 2 + 1) / cells.total
    return (quantile(middles, cells.counts, 0.5) + quantile(middles, cells.counts, upper)) / 2
