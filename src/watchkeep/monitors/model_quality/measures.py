"""From counts to measures of quality, each with its standard error."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.monitors.model_quality.counting import ERRORS, LOSSES
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles, Mask
from watchkeep.monitors.model_quality.sets import coverage
from watchkeep.states.bins import Bins
from watchkeep.states.cells import cell_high
from watchkeep.states.rows import RowSample
from watchkeep.stats import classification, regression
from watchkeep.stats.cell_bootstrap import redrawn
from watchkeep.stats.ranking import Ranked
from watchkeep.stats.ratios import ratio
from watchkeep.stats.reliability import Reliability
from watchkeep.stats.score_curves import Bounded, Curve, precision_recall, roc

REPLICATES: Final = 200
"""Of the bootstrap, of the dataset."""
FEW_REPLICATES: Final = 50
"""Of the bootstrap of each segment: its standard errors are good to a tenth."""
POOLED: Final = 256
"""Places that rows are put together to before they are drawn again: their order hardly matters within one."""
FEWEST: Final = 2
"""Labelled rows without which there is no standard error."""
GROUPS: Final = 10
"""Bins, of equally many rows, of the expected calibration error."""
RANKS: Final = (5, 10)
"""First ranks that NDCG is told of."""
_SEED: Final = 2013


@dataclass(frozen=True, slots=True)
class Sampled:
    """A measure's value, and how far it would scatter if the same rows were drawn again.

    Args:
        value: the measure, or why there is none.
        error: its standard error, in its unit; None where there is none.
        low, high: between which bounds the rows' own value lies, where the value is told from bins.
    """

    value: Value
    error: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """How good answers are.

    Args:
        labelled, unlabelled: rows with a label, and without.
        weight: of the labelled rows.
        measures: by name, in the order of reports.
        confusion: rows (weights) by label and answer, shape (kinds, kinds); None for numbers.
        roc, precision_recall: the curves; None without scores, or where there is none.
        reliability: how often what has a probability comes true, by bin; None without probabilities.
    """

    labelled: int
    unlabelled: int
    weight: float
    measures: Mapping[str, Sampled]
    confusion: Doubles | None = None
    roc: Curve | None = None
    precision_recall: Curve | None = None
    reliability: Reliability | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What was counted of the dataset or of a segment.

    Args:
        table: see `Counter.segment`.
        sums: see `Counter.sums`; of the dataset alone.
        queries: a sample of them; of the dataset alone, None where rows are not ranked.
    """

    table: Doubles
    sums: Mapping[str, Doubles] = field(default_factory=dict)
    queries: RowSample | None = None


def quality(plan: QualityPlan, counts: Counts, *, replicates: int = REPLICATES) -> Quality:
    """All measures of these counts.

    Args:
        plan: how they were counted.
        counts: of the dataset or of a segment.
        replicates: of the bootstrap; with 0 there are no standard errors of rates and ranks.
    """
    if plan.problem is Problem.REGRESSION:
        found = _of_numbers(plan, counts)
    else:
        found = (_of_two if plan.problem is Problem.BINARY else _of_classes)(plan, counts, replicates)
    if counts.queries is None:
        return found
    return replace(found, measures={**found.measures, **_ranked(counts.queries)})


def of_two(plan: QualityPlan, table: Doubles, tied: Mask) -> dict[str, Value | Bounded]:
    """The measures of two classes that follow from rows by place, answer and label, shape (places, 2, 2).

    Args:
        plan: how rows were counted.
        table: the rows, or their weights.
        tied: which places hold one score only, shape (places,).
    """
    (tn, fn), (fp, tp) = table.sum(axis=0).tolist()
    found: dict[str, Value | Bounded] = dict(classification.binary_rates(tn, fp, fn, tp))
    if plan.bins is not None:
        by_label = table.sum(axis=1)
        for name, curve in (("auc", roc), ("pr_auc", precision_recall)):
            drawn = curve(by_label[:, 1], by_label[:, 0], tied=tied)
            found[name] = drawn if isinstance(drawn, Undefined) else drawn.area
    constant = classification.always_positive if plan.dialect.sagemaker else classification.best_constant
    best = constant(tn + fp, fn + tp)
    return found | {f"{name}_best_constant_classifier": value for name, value in best.items()}


def _of_two(plan: QualityPlan, counts: Counts, replicates: int) -> Quality:
    layers, places, _ = counts.table.shape
    tables = counts.table.reshape(layers, places, 2, 3)
    rows, weights = tables[0], tables[1 if layers > 1 else 0]
    table = weights[:, :, :2]
    labelled = int(rows[:, :, :2].sum())
    tied = np.ones(places, np.bool_) if plan.bins is None else tied_places(plan.bins)
    pooled, coarse = _pooled(tables[..., :2], tied)
    measures = _bootstrapped(
        {name: _sampled(value) for name, value in of_two(plan, table, tied).items()},
        pooled,
        lambda drawn: of_two(plan, drawn, coarse),
        replicates,
    )
    sums, reliability = counts.sums, None
    curves: list[Curve | None] = [None, None]
    by_label = table.sum(axis=1)
    if plan.bins is not None:
        drawn = [each(by_label[:, 1], by_label[:, 0], tied=tied) for each in (roc, precision_recall)]
        curves = [None if isinstance(one, Undefined) else one for one in drawn]
    if "losses" in sums and "scores" in sums:
        held = by_label.sum(axis=1)
        means = np.divide(sums["scores"], held, out=np.zeros(len(held)), where=held > 0)
        reliability = Reliability(held, by_label[:, 1], np.clip(means, 0.0, 1.0))
        measures |= _lost(sums["losses"], _effective(tables[..., :2]))
        measures["expected_calibration_error"] = Sampled(
            reliability.grouped(GROUPS, by="mass").expected_error()
        )
    measures |= _covered(plan, by_label.T if plan.bins is not None else None)
    return Quality(
        labelled,
        int(rows[:, :, 2].sum()),
        float(table.sum()),
        measures,
        confusion=table.sum(axis=0).T,
        roc=curves[0],
        precision_recall=curves[1],
        reliability=None if reliability is None else reliability.grouped(GROUPS, by="mass"),
    )


def of_classes(plan: QualityPlan, table: Doubles) -> dict[str, Value | Bounded]:
    """The measures of several classes that follow from rows by answer and label, shape (kinds, kinds)."""
    confusion = table.T
    found: dict[str, Value | Bounded] = dict(classification.multiclass_rates(confusion))
    labelled = confusion.sum(axis=1)
    if plan.dialect.sagemaker:
        best = classification.constant_class(labelled[: len(plan.classes)], -1)
    else:
        best = classification.best_constant_class(labelled)
    return found | {f"{name}_best_constant_classifier": value for name, value in best.items()}


def _of_classes(plan: QualityPlan, counts: Counts, replicates: int) -> Quality:
    layers, kinds = counts.table.shape[0], plan.kinds
    tables = counts.table.reshape(layers, kinds, kinds + 1)
    rows, table = tables[0], tables[1 if layers > 1 else 0][:, :kinds]
    measures = _bootstrapped(
        {name: _sampled(value) for name, value in of_classes(plan, table).items()},
        tables[..., :kinds],
        lambda drawn: of_classes(plan, drawn),
        replicates,
    )
    reliability = None
    if "losses" in counts.sums:
        measures |= _lost(counts.sums["losses"], effective := _effective(tables[..., :kinds]))
        for k in range(2, min(len(counts.sums["ranks"]), len(plan.classes) - 1) + 1):
            value = classification.top_k(counts.sums["ranks"], float(table.sum()), k)
            measures[f"top_{k}_accuracy"] = _share(value, effective)
        # Rows without a label are in all but the second and third of these.
        confidence = counts.sums["confidence"]
        by_width = confidence.sum(axis=0)
        means = np.divide(
            by_width[:, 3], by_width[:, 0], out=np.zeros(len(by_width)), where=by_width[:, 0] > 0
        )
        reliability = Reliability(by_width[:, 1], by_width[:, 2], np.clip(means, 0.0, 1.0))
        grouped = reliability.grouped(GROUPS, by="mass")
        measures["expected_calibration_error"] = Sampled(grouped.expected_error())
        reliability = grouped
        measures |= _covered(plan, counts.sums["true"][None])
    return Quality(
        int(rows[:, :kinds].sum()),
        int(rows[:, kinds].sum()),
        float(table.sum()),
        measures,
        confusion=table.T,
        reliability=reliability,
    )


def _of_numbers(plan: QualityPlan, counts: Counts) -> Quality:
    sums = dict(zip(ERRORS, counts.table.ravel().tolist(), strict=True))
    n, w, scale = int(sums["rows"]), sums["weight"], plan.scale
    spread = regression.centred(w, sums["label"], sums["label2"])
    values = regression.regression_rates(
        w,
        absolute=sums["absolute"] * scale,
        squared=sums["square"] * scale**2,
        label_squares=spread * scale**2,
    )
    values["mape"] = regression.mape(sums["relative_rows"], sums["relative"])
    values["smape"] = regression.smape(w, sums["symmetric"])
    for quantile in (0.1, 0.5, 0.9):
        loss = regression.pinball(w, -sums["error"] * scale, sums["absolute"] * scale, quantile)
        values[f"pinball_{quantile:g}".replace(".", "_")] = loss
    values["bias"] = sums["error"] * scale / w if w > 0 else Undefined("bias needs 1 row, has 0")
    errors = _errors_of_numbers(sums, scale, spread) if n >= FEWEST and w > 0 else {}
    measures = {
        name: Sampled(value, None if isinstance(value, Undefined) else errors.get(name))
        for name, value in values.items()
    }
    measures |= _covered(plan, counts.sums["errors"][None] if "errors" in counts.sums else None)
    return Quality(n, 0, w, measures)


def _errors_of_numbers(sums: Mapping[str, float], scale: float, spread: float) -> dict[str, float]:
    """Standard errors by the delta method: of means of e, |e| and e**2, and of functions of them.

    r2 = 1 - A / B with A = mean e**2 and B = mean d**2, d = y - mean y: its influence is -(e**2 - A d**2 / B) / B.
    """
    w, n = sums["weight"], sums["weight"] ** 2 / sums["weight2"]
    absolute, square = sums["absolute"] / w, sums["square"] / w
    fourth = max(0.0, sums["fourth"] / w - square**2)
    out = {
        "mae": scale * math.sqrt(max(0.0, square - absolute**2) / n),
        "mse": scale**2 * math.sqrt(fourth / n),
        "bias": scale * math.sqrt(max(0.0, square - (sums["error"] / w) ** 2) / n),
        "smape": math.sqrt(max(0.0, sums["symmetric2"] / w - (sums["symmetric"] / w) ** 2) / n),
    }
    if square > 0:
        out["rmse"] = scale * math.sqrt(fourth / n) / (2 * math.sqrt(square))
    if sums["relative_rows"] > 0:
        m = sums["relative_rows"]
        out["mape"] = math.sqrt(
            max(0.0, sums["relative2"] / m - (sums["relative"] / m) ** 2) / max(1.0, n * m / w)
        )
    variance = spread / w
    if variance > 0:
        mu = sums["label"] / w
        raw = [1.0, mu, sums["label2"] / w, sums["label3"] / w, sums["label4"] / w]
        label4 = raw[4] - 4 * mu * raw[3] + 6 * mu**2 * raw[2] - 3 * mu**4
        both = (sums["square_label2"] - 2 * mu * sums["square_label"] + mu**2 * sums["square"]) / w
        ratio = square / variance
        influence = sums["fourth"] / w - 2 * ratio * both + ratio**2 * label4
        out["r2"] = math.sqrt(max(0.0, influence) / n) / variance
    return out


def _sampled(value: Value | Bounded) -> Sampled:
    if isinstance(value, Bounded):
        return Sampled(value.value, None, value.low, value.high)
    return Sampled(value)


def _bootstrapped(
    measures: dict[str, Sampled],
    tables: Doubles,
    finish: Callable[[Doubles], Mapping[str, Value | Bounded]],
    replicates: int,
) -> dict[str, Sampled]:
    """Measures with standard errors by the bootstrap of rows.

    Args:
        measures: by name.
        tables: shape (layers, ...).
        finish: the measures of a table, shape (...).
        replicates: how often to draw.
    """
    if tables[0].sum() < FEWEST or not replicates:
        return measures
    drawn: dict[str, list[float]] = {name: [] for name in measures}
    for table in redrawn(tables, replicates, seed=_SEED):
        for name, value in finish(table).items():
            number = value.value if isinstance(value, Bounded) else value
            if not isinstance(number, Undefined):
                drawn[name].append(number)
    return {
        name: Sampled(one.value, float(np.std(drawn[name], ddof=1)), one.low, one.high)
        if not isinstance(one.value, Undefined) and len(drawn[name]) > replicates // 2
        else one
        for name, one in measures.items()
    }


def _pooled(tables: Doubles, tied: Mask) -> tuple[Doubles, Mask]:
    """Neighbouring places put together, so that at most about `POOLED` of equal mass are left.

    Args:
        tables: shape (layers, places, ...).
        tied: which places hold one score only, shape (places,).

    Returns:
        The tables, and which places still hold one score only.
    """
    held = tables[0].sum(axis=tuple(range(1, tables.ndim - 1)))
    filled = np.flatnonzero(held)
    if len(filled) <= POOLED:
        return tables, tied
    before = np.cumsum(held) - held
    group = np.floor(before * POOLED / held.sum())
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    single = np.diff(np.append(starts, len(held))) == 1
    return np.add.reduceat(tables, starts, axis=1), single & tied[starts]


def _lost(losses: Doubles, effective: float) -> dict[str, Sampled]:
    """Log loss and Brier score."""
    sums = dict(zip(LOSSES, losses.tolist(), strict=True))
    found = {}
    for name in ("log_loss", "brier"):
        value = ratio(name, sums[name], sums["rows"])
        error = None
        if not isinstance(value, Undefined) and effective >= FEWEST:
            error = math.sqrt(max(0.0, sums[f"{name}2"] / sums["rows"] - value**2) / effective)
        found[name] = Sampled(value, error)
    return found


def _ranked(queries: RowSample) -> dict[str, Sampled]:
    """NDCG and mean reciprocal rank, with the standard error of a mean over queries."""
    relevance, scores, weights = queries.values.T
    ranked = Ranked.of(queries.hashes, relevance=relevance, scores=scores)
    weight = np.bincount(ranked.query, weights) / np.maximum(np.bincount(ranked.query), 1)
    each = {f"ndcg_at_{k}": ranked.ndcg(k) for k in RANKS} | {"mean_reciprocal_rank": ranked.reciprocal()}
    return {name: _mean_of(name, values, weight) for name, values in each.items()}


def _mean_of(name: str, values: Doubles, weight: Doubles) -> Sampled:
    """A mean over queries that have a relevant row."""
    held = ~np.isnan(values) & (weight > 0)
    values, weight = values[held], weight[held]
    total = float(weight.sum())
    value = ratio(name, float(weight @ values), total, "query with a relevant row")
    if isinstance(value, Undefined) or len(values) < FEWEST:
        return Sampled(value)
    return Sampled(value, math.sqrt(float(weight**2 @ (values - value) ** 2)) / total)


def _covered(plan: QualityPlan, held: Doubles | None) -> dict[str, Sampled]:
    """How often prediction sets hold the truth; nothing where there are none."""
    if plan.sets is None:
        return {}
    value, n = coverage(plan, held)
    return {"coverage": _share(value, n)}


def _share(value: Value, effective: float) -> Sampled:
    if isinstance(value, Undefined) or effective < FEWEST:
        return Sampled(value)
    return Sampled(value, math.sqrt(max(0.0, value * (1 - value)) / effective))


def _effective(tables: Doubles) -> float:
    """How many rows of equal weight know as much."""
    if len(tables) == 1:
        return float(tables[0].sum())
    squares = float(tables[2].sum())
    return float(tables[1].sum()) ** 2 / squares if squares > 0 else 0.0


def tied_places(bins: Bins) -> Mask:
    """Which places hold one score only, shape (places,): those of a single double."""
    if not len(bins):
        return np.ones(2, np.bool_)
    single = bins.lows == cell_high(bins.edges[1:] - 1, bins.shift)
    return np.concatenate([[False], single, [False]])
