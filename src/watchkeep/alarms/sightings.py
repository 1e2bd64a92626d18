"""From a baseline and a window's states to what a watch is told."""

import hashlib

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.evidence import Columns
from watchkeep.alarms.relations import Relations
from watchkeep.alarms.watch import MARGIN, PRICE, Panel, Sighting, Sums
from watchkeep.alarms.witness import Reals, Witness
from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.blocks import HOUR
from watchkeep.baselines.timeline import PARTS, Timeline
from watchkeep.core.window import Window, iso
from watchkeep.profiles.left_out import too_much_left_out
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.states.cells import Cells
from watchkeep.states.extremes import Extremes
from watchkeep.states.rows import ScoreSums

RELATED = 0.2
"""Share of the evidence that relations between columns have."""
CLUMPS = 0.02
"""Share of a sample's variance that equal rows may add to that of different ones, for relations to be judged."""
CHOSEN = 1.5
"""Rows of a baseline to each of those that its relations' efficiency was learned from."""
TIMED_PRICE = 2.0
"""`Panel.price` where the tails of chances rest on the blocks of a baseline."""


def panel_of(baseline: Baseline, *, false_alarms: float, margin: float = MARGIN) -> Panel:
    """What a watch over this baseline listens to."""
    timeline = baseline.timeline
    alike = timeline is None or timeline.exchangeable
    price = PRICE if alike else TIMED_PRICE
    if timeline is None or timeline.unrest is None:
        columns = Columns(baseline.buckets)
        related = None if baseline.relations is None else Relations(baseline.relations)
    else:
        columns = Columns(baseline.buckets, timeline)
        known, days = baseline.relations, timeline.unrest.relations
        related = None if known is None or days is None else Relations(known, days, timeline.blocks * PARTS)
    if related is None:
        witnesses: tuple[tuple[Witness, float], ...] = ((columns, 1.0),)
    else:
        witnesses = ((columns, 1 - RELATED), (related, RELATED))
    return Panel(witnesses, false_alarms, baseline.rows, margin, alike, price, parts=columns.parts)


def sighting_of(panel: Panel, baseline: Baseline, profile: Profile, window: Window) -> Sighting:
    """One window as a watch remembers it."""
    sums = tuple(_sums(witness, baseline, profile, window) for witness, _ in panel.witnesses)
    return sighted(sums, profile.rows, window, why=too_much_left_out(profile))


def sighted(
    sums: tuple[Sums, ...], rows: int, window: Window, *, content: bytes = b"", why: str = ""
) -> Sighting:
    """One window of so many rows, of which each witness keeps these sums.

    Its key is its bounds or, when it has none, what its rows add up to; `content` tells more of what that is, and `why`
    is that of `Sighting`.
    """
    digest = hashlib.blake2b(digest_size=12)
    digest.update(str(rows).encode() + content)
    for one in sums:
        digest.update(np.ascontiguousarray(one, np.float64).tobytes())
    told = digest.hexdigest()
    named = window.start is not None and window.end is not None
    return Sighting(
        key=f"{iso(window.start)}/{iso(window.end)}" if named else told,
        digest=told,
        start=window.start,
        end=window.end,
        rows=rows,
        sums=sums,
        why=why,
    )


def _sums(witness: Witness, baseline: Baseline, profile: Profile, window: Window) -> Sums:
    if isinstance(witness, Columns):
        counts = witness.buckets.counts(profile, baseline.columns)
        if witness.timeline is not None:
            counts = np.concatenate([counts, _when(witness.timeline, baseline, profile, window)])
        return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
    assert isinstance(witness, Relations)  # noqa: S101 (there is no third)
    scores = _scores(witness, profile, baseline.rows)
    if witness.days is None or baseline.timeline is None:
        return scores
    return np.append(scores, float(_when(baseline.timeline, baseline, profile, window)[-1]))


def _scores(witness: Relations, profile: Profile, before: int) -> Reals:
    known, state = witness.known, profile.part(JOINT, "scores", ScoreSums)
    if state is not None and not state.level:
        return state.total()
    # Equal rows are sampled all or none: which of them, their hash says, so in every window it is the same ones.
    # What a sample so chosen tells wrongly does not average out over windows. It grows with the rows of a window.
    clumps = (1 / known.efficiency - 1) * CHOSEN * profile.rows / max(1, before)
    if state is None or known.clumped or clumps > CLUMPS:
        nothing: Reals = np.zeros(len(known.sums))
        return nothing
    return state.total() * known.efficiency


def _when(timeline: Timeline, baseline: Baseline, profile: Profile, window: Window) -> npt.NDArray[np.int64]:
    """A window's rows by phase of the week, and the parts of blocks it lies in, shape (phases + 1,)."""
    name = baseline.roles.timestamp or ""
    hours, ends = profile.part(name, "hours", Cells), profile.part(name, "extremes", Extremes)
    if hours is not None and len(hours.keys):
        share = 1.0 if ends is None else (ends.high - ends.low) / (HOUR * timeline.step)
        return timeline.when(hours.keys << hours.shift, hours.counts, share)
    if window.start is None or window.end is None:
        # As long as the baseline takes for as many rows.
        blocks = profile.rows * timeline.blocks / max(1, baseline.rows)
        return np.append(np.zeros_like(timeline.phase_rows), max(1, round(PARTS * blocks)))
    first, last = window.start.timestamp(), window.end.timestamp()
    every = np.arange(int(first // 3600), max(int(first // 3600) + 1, int(-(-last // 3600))))
    counts = np.diff(np.arange(len(every) + 1) * profile.rows // len(every))
    return timeline.when(every, counts, (last - first) / 3600 / timeline.step)
