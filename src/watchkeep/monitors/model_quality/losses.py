"""What a watch is told of answers: means of losses that only a model that answers worse has more of."""

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.means import Means
from watchkeep.baselines.loss_days import LossDays
from watchkeep.monitors.model_quality.counting import ERRORS, LOSSES
from watchkeep.monitors.model_quality.measures import Counts
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Answers, Doubles, Mask

MOST_CLASSES = 32
"""Classes whose recall is watched by itself."""


def means_of(plan: QualityPlan, counts: Counts, days: LossDays | None = None) -> Means:
    """The witness of a baseline's answers. `days` tells how its days differ."""
    names, sums, shares = _listed(plan, counts)
    return Means(names, sums if days is None else np.append(sums, days.days), shares, days)


def sums_of(plan: QualityPlan, counts: Counts, days: float | None = None) -> Doubles:
    """What that witness keeps of a window: nine digits, so that the order in which rows came does not show.

    `days` is how many there are in the window, where the baseline tells how they differ.
    """
    sums = _listed(plan, counts)[1].tolist()
    return np.array([float(f"{one:.9g}") for one in (sums if days is None else [*sums, days])])


def row_losses(plan: QualityPlan, answers: Answers) -> tuple[Doubles, Mask]:
    """The losses of rows, and among which rows each is a mean, shape (rows, losses): those that witness has."""
    if plan.problem is Problem.REGRESSION:
        known = ~np.isnan(answers.labels)
        loss = np.where(known, np.abs(answers.predictions - answers.labels) / plan.scale, 0.0)
        return loss[:, None], known[:, None]
    labels = answers.labels
    known = labels < plan.kinds
    wrong = (answers.predictions != labels).astype(np.float64)
    if plan.problem is Problem.BINARY:
        groups = [known, labels == 1, labels == 0]
    else:
        groups = [known, *(labels == at for at in range(len(plan.classes.names[:MOST_CLASSES])))]
    losses = [wrong] * len(groups)
    brier = _brier(plan, answers, known)
    if brier is not None:
        losses, groups = [*losses, brier], [*groups, known]
    return np.stack(losses, axis=1), np.stack(groups, axis=1)


def _brier(plan: QualityPlan, answers: Answers, known: Mask) -> Doubles | None:
    if plan.problem is Problem.BINARY:
        if not plan.probability or plan.bins is None or answers.scores is None:
            return None
        gap: Doubles = np.where(known, answers.scores - answers.labels, 0.0)
        return gap * gap
    if answers.chances is None:
        return None
    padded = np.append(answers.chances, np.zeros((answers.count, 1)), axis=1)
    true = padded[np.arange(answers.count), np.where(known, answers.labels, 0)]
    loss: Doubles = np.where(known, (answers.chances**2).sum(axis=1) - 2 * true + 1, 0.0)
    return loss


def _listed(plan: QualityPlan, counts: Counts) -> tuple[tuple[str, ...], Doubles, npt.NDArray[np.bool_]]:
    """Names, sums subject after subject, and which losses are 0 or 1."""
    if plan.problem is Problem.REGRESSION:
        sums = dict(zip(ERRORS, counts.table.ravel().tolist(), strict=True))
        worth = _worth(sums["weight"], sums["weight2"])
        powers = [sums[name] for name in ("weight", "absolute", "square", "cube")]
        return ("mae",), np.array(powers) * worth, np.array([False])
    layers = len(counts.table)
    table = counts.table[1 if layers > 1 else 0]
    worth = _worth(float(table.sum()), float(counts.table[2].sum())) if layers > 1 else 1.0
    found = {name: [rows, wrong, wrong, wrong] for name, (wrong, rows) in _wrong(plan, table).items()}
    shares = [True] * len(found)
    if "losses" in counts.sums:
        sums = dict(zip(LOSSES, counts.sums["losses"].tolist(), strict=True))
        found["brier"] = [sums[name] for name in ("rows", "brier", "brier2", "brier3")]
        shares.append(False)
    return tuple(found), worth * np.concatenate(list(found.values())), np.array(shares)


def _wrong(plan: QualityPlan, table: Doubles) -> dict[str, tuple[float, float]]:
    """Wrong answers, and rows that they are among, by the measure that suffers."""
    kinds = plan.kinds
    confusion = table.sum(axis=0).reshape(kinds, kinds + 1)[:, :kinds].T  # by label, then answer
    rows, right = confusion.sum(axis=1).tolist(), np.diag(confusion).tolist()
    found = {"accuracy": (sum(rows) - sum(right), sum(rows))}
    if plan.problem is Problem.BINARY:
        return found | {
            "recall": (rows[1] - right[1], rows[1]),
            "true_negative_rate": (rows[0] - right[0], rows[0]),
        }
    names = plan.classes.names[:MOST_CLASSES]
    return found | {f"recall of {name}": (rows[at] - right[at], rows[at]) for at, name in enumerate(names)}


def _worth(weight: float, squares: float) -> float:
    """What a unit of weight is worth in rows of equal weight."""
    return weight / squares if squares > 0 else 1.0
