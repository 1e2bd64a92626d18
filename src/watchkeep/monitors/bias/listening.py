"""What a watch is told of groups: gaps between them, in labels, in predictions, and in mistakes."""

import numpy as np

from watchkeep.alarms.decision import GROUPS
from watchkeep.alarms.gaps import Gaps
from watchkeep.alarms.sightings import sighted
from watchkeep.alarms.watch import MARGIN, PRICE, Panel, Sighting
from watchkeep.core.window import Window
from watchkeep.frames.outcomes import NEGATIVE, NO_OUTCOME, POSITIVE
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.groups import outcomes
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.profiles.left_out import too_much_left_out
from watchkeep.profiles.profile import Profile


def panel_of_bias(baseline: BiasBaseline, *, false_alarms: float, margin: float = MARGIN) -> Panel:
    """What a watch over these groups listens to."""
    names, sums, gaps = _listed(baseline.plan, baseline.profile)
    return Panel(
        ((Gaps(names, sums, gaps), 1.0),),
        false_alarms,
        baseline.rows if baseline.known is None else 0,
        margin,
        alike=False,
        price=PRICE,
        about=GROUPS,
    )


def sighting_of_bias(plan: BiasPlan, profile: Profile, window: Window) -> Sighting:
    """What a watch remembers of a window."""
    names, sums, _ = _listed(plan, profile)
    content = b"".join(_table(plan, profile, place)[0].tobytes() for place in range(len(plan.facets)))
    kept = np.array([float(f"{one:.9g}") for one in sums.tolist()])
    rows = profile.rows if names else 0
    return sighted((kept,), rows, window, content=content, why=too_much_left_out(profile))


def _listed(plan: BiasPlan, profile: Profile) -> tuple[tuple[str, ...], Doubles, int]:
    """Subjects, their sums, see `Gaps`, and how many gaps each has."""
    names, sums = [], []
    gaps = 4 if plan.prediction is not None else 1  # and the share of rows
    for at in range(len(plan.facets)):
        table, worth = _table(plan, profile, at)
        whole = table[:-1].sum(axis=0)
        groups, subjects = plan.groups(at), plan.subjects(at)
        if plan.facets[at].halved:
            groups = groups[:1]
        for subject, group in zip(subjects, groups, strict=False):
            d = table[list(group.levels)].sum(axis=0)
            names.append(subject)
            counts = np.stack([_counts(d), _counts(whole - d)], axis=1)[:gaps]
            share = np.array([[[d.sum(), whole.sum()], [0.0, 0.0]]])
            sums.append(np.concatenate([counts, share]) * worth)
    shape = (len(names), gaps + 1, 2, 2)
    return tuple(names), np.array(sums).reshape(shape).ravel(), gaps + 1


def _table(plan: BiasPlan, profile: Profile, at: int) -> tuple[Doubles, float]:
    """Rows of a facet by level, label and prediction, and what a unit of weight is worth in rows."""
    state = outcomes(profile, plan.subject(at))
    if len(state.values) == 1:
        return state.values[0], 1.0
    squares = float(state.values[2].sum())
    return state.values[1], float(state.values[1].sum()) / squares if squares > 0 else 1.0


def _counts(table: Doubles) -> Doubles:
    """Positive rows and rows of each share, shape (4, 2): labels, predictions, and those of each label."""
    labels, predictions = table.sum(axis=1)[:NO_OUTCOME], table.sum(axis=0)[:NO_OUTCOME]
    both = table[:NO_OUTCOME, :NO_OUTCOME]
    return np.array(
        [
            [labels[POSITIVE], labels.sum()],
            [predictions[POSITIVE], predictions.sum()],
            [both[POSITIVE, POSITIVE], both[POSITIVE].sum()],
            [both[NEGATIVE, POSITIVE], both[NEGATIVE].sum()],
        ]
    )
