"""What a watch is told of attributions: the mean of each feature's, over all rows."""

from typing import Final

import numpy as np

from watchkeep.alarms.decision import FEATURES
from watchkeep.alarms.means import MOMENTS, Means
from watchkeep.alarms.sightings import sighted
from watchkeep.alarms.watch import MARGIN, Panel, Sighting
from watchkeep.core.window import Window
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.plan import AttributionPlan, Place
from watchkeep.monitors.attribution.scan import COUNT, SUMS
from watchkeep.profiles.left_out import too_much_left_out
from watchkeep.profiles.profile import Profile
from watchkeep.states.totals import Totals
from watchkeep.stats.attribution_drift import Doubles

UNIT = "explained rows"
APPROXIMATE: Final = 2.0
"""`Panel.price`: chances of means of sizes, which are skewed, rest on three moments of theirs."""


def panel_of_attribution(
    baseline: AttributionBaseline, *, false_alarms: float, margin: float = MARGIN
) -> Panel:
    """What a watch over these attributions listens to."""
    plan = baseline.plan
    names = tuple(plan.subject(place, feature) for place in _places(plan) for feature in plan.features)
    witness = Means(names, _sums(plan, baseline.profile), np.zeros(len(names), np.bool_), either=True)
    rows = 0 if baseline.known is not None else explained(plan, baseline.profile)
    return Panel(
        ((witness, 1.0),),
        false_alarms,
        rows,
        margin,
        alike=False,
        price=APPROXIMATE,
        unit=UNIT,
        about=FEATURES,
    )


def sighting_of_attribution(plan: AttributionPlan, profile: Profile, window: Window) -> Sighting:
    """What a watch remembers of a window."""
    kept = np.array([float(f"{one:.9g}") for one in _sums(plan, profile).tolist()])
    return sighted((kept,), explained(plan, profile), window, why=too_much_left_out(profile))


def explained(plan: AttributionPlan, profile: Profile) -> int:
    """Rows that were explained."""
    counts = profile.part(plan.key(Place(0)), COUNT, Totals)
    return 0 if counts is None else round(float(counts.values[0]))


def _places(plan: AttributionPlan) -> list[Place]:
    return [place for place in plan.places if place.segment is None]


def _sums(plan: AttributionPlan, profile: Profile) -> Doubles:
    """Rows, and sums of the first three powers, of each output and feature; see `Means`."""
    told = []
    for place in _places(plan):
        key = plan.key(place)
        sums, counts = profile.part(key, SUMS, Totals), profile.part(key, COUNT, Totals)
        if sums is None or counts is None:
            told.append(np.zeros((len(plan.features), MOMENTS)))
            continue
        unit = plan.gain_unit(place)
        rows = np.full(len(plan.features), counts.values[0])
        powers = (sums.values[power - 1] * unit**power for power in range(1, MOMENTS))
        told.append(np.stack([rows, *powers], axis=1))
    return np.concatenate(told).ravel()
