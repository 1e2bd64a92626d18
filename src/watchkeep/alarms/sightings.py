"""From a baseline and a window's states to what a watch is told."""

import hashlib

import numpy as np

from watchkeep.alarms.evidence import Columns
from watchkeep.alarms.relations import Relations
from watchkeep.alarms.watch import MARGIN, Panel, Sighting, Sums
from watchkeep.alarms.witness import Reals, Witness
from watchkeep.baselines.baseline import Baseline
from watchkeep.core.window import Window, iso
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.states.rows import ScoreSums

RELATED = 0.2
"""Share of the evidence that relations between columns have."""


def panel_of(baseline: Baseline, *, false_alarms: float, margin: float = MARGIN) -> Panel:
    """What a watch over this baseline listens to."""
    columns = Columns(baseline.buckets)
    if baseline.relations is None:
        return Panel(((columns, 1.0),), false_alarms, baseline.rows, margin)
    related = Relations(baseline.relations)
    return Panel(((columns, 1 - RELATED), (related, RELATED)), false_alarms, baseline.rows, margin)


def sighting_of(panel: Panel, baseline: Baseline, profile: Profile, window: Window) -> Sighting:
    """One window as a watch remembers it. Its key is its bounds or, when it has none, what its rows add up to."""
    sums = tuple(_sums(witness, baseline, profile) for witness, _ in panel.witnesses)
    digest = hashlib.blake2b(digest_size=12)
    digest.update(str(profile.rows).encode())
    for one in sums:
        digest.update(np.ascontiguousarray(one, np.float64).tobytes())
    content = digest.hexdigest()
    named = window.start is not None and window.end is not None
    return Sighting(
        key=f"{iso(window.start)}/{iso(window.end)}" if named else content,
        digest=content,
        start=window.start,
        end=window.end,
        rows=profile.rows,
        sums=sums,
    )


def _sums(witness: Witness, baseline: Baseline, profile: Profile) -> Sums:
    if isinstance(witness, Columns):
        counts = witness.buckets.counts(profile, baseline.columns)
        return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
    assert isinstance(witness, Relations)  # noqa: S101 (there is no third)
    state = profile.part(JOINT, "scores", ScoreSums)
    if state is None or (witness.known.clumped and state.level):
        # Equal rows are sampled all or none: a sample of a part of them is not of the same rows.
        nothing: Reals = np.zeros(len(witness.baseline))
        return nothing
    # Of rows sampled clump by clump each counts for less than one.
    return state.total() * (witness.known.efficiency if state.level else 1.0)
