"""How the columns of the reference data hang together: correlations of bounded scores, and how far chance moves them.

A row has a bounded score in each column: of numbers the normal quantile of the rank, of categories the first
canonical score against the column that tells most of them; 0 where there is no value. From sums of scores and of
products of two scores come the correlation r of two columns, and of each column with its best linear prediction from
the others. Either moves by chance as the mean of its influence function does,
u v - r (u**2 + v**2) / 2 for standardised u and v.

References:
    Devlin, Gnanadesikan and Kettenring (1975), Biometrika 62, 531-545 (the influence function of r);
    Greenacre (1984), "Theory and applications of correspondence analysis" (canonical scores).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.buckets import own_buckets, standardised
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.frames.buffers import strings
from watchkeep.measures.columns import compared_starts
from watchkeep.profiles.plan import JointPlan, Scorer, joint_plan
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.profiles.row_texts import text_codes
from watchkeep.states.bins import Bins
from watchkeep.states.distinct import Distinct
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.rows import MOST_SCORES, SCORE_BOUND, SCORE_STEPS, RowSample
from watchkeep.stats.normal import scores as normal_scores

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

ALIKE: Final = 0.001
"""Chance that two sampled rows are equal, beyond which rows count as clumped."""
UNCOVERED: Final = 0.1
"""Share by which a sample may differ from the size its level tells; five standard errors of the smallest."""
SHRUNK: Final = 0.01
"""Added to variances when a column is told by the others: for equal columns there would be no one answer."""
PARTNERS: Final = 64
"""Columns against which the scores of categories are looked for."""
_CAPPED = 2.5
_SCORED_ROWS = 25  # rows of a category with a score of its own
_CHOOSING = 3  # one row in so many chooses
_WORST = 0.95
_FLAT = 1e-6
_FEW = 100  # sampled rows from which relations are learned


@dataclass(frozen=True, slots=True, eq=False)
class RelationBaseline:
    """How columns hang together, of a baseline's sampled rows.

    Args:
        plan: how a window's rows are sampled and scored; its scorers are the columns, d of them.
        sums: rows, sums of scores, sums of products of two scores (i <= j), shape (1 + d + d (d + 1) / 2,); of a
            sample, times its efficiency.
        tellers: the coefficients of each column's prediction by the others, shape (d, d), 0 on the diagonal.
        deviations: of the influences, of the d predictions and then of the pairs (i < j), shape (d + pairs,);
            0 where one cannot be judged.
        skews: their skewness, and what rows never seen may add to it on either side, shape (2, d + pairs).
        kurtoses: their kurtosis, shape (d + pairs,).
        efficiency: independent rows that a sampled row counts for, in (0, 1].
        clumped: whether rows repeat so much that samples of different levels are of different rows.
    """

    plan: JointPlan
    sums: Reals
    tellers: Reals
    deviations: Reals
    skews: Reals
    kurtoses: Reals
    efficiency: float = 1.0
    clumped: bool = False

    @property
    def subjects(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(scorer.name for scorer in self.plan.scorers)

    @property
    def pairs(self) -> tuple[Places, Places]:
        """First and second column of each pair."""
        first, second = np.triu_indices(len(self.plan.scorers), 1)
        return first, second


def relations_of(
    profile: Profile, plan: JointPlan | None, columns: Sequence[BaselineColumn]
) -> RelationBaseline | None:
    """How the columns of a reference profile hang together; None when too few rows or columns can be scored."""
    sample = profile.part(JOINT, "rows", RowSample)
    if plan is None or sample is None or len(sample.hashes) < _FEW:
        return None
    by_name = {column.name: column for column in columns}
    names = (*plan.columns, *plan.texts)
    coded = [_coded(by_name[name], values) for name, values in zip(names, sample.values.T, strict=True)]
    # What is chosen by how strong it looks, looks stronger than it is: a third of the rows chooses, the others tell.
    # Equal rows lie side by side, and are dealt out like all others.
    choosing = np.arange(len(sample.hashes)) % _CHOOSING == 0
    if min(np.count_nonzero(choosing), np.count_nonzero(~choosing)) < 2:
        return None
    found = [_scored(by_name[name], coded, at, choosing) for at, name in enumerate(names) if coded[at]]
    live = [one for one in found if all(np.ptp(one[1][rows]) > _FLAT for rows in (choosing, ~choosing))]
    if len(live) < 2:
        return None
    kept = _most_related(np.column_stack([one[choosing] for _, one in live]))
    scores = np.column_stack([live[at][1] for at in kept])
    chosen = replace(plan, keys=ranked_keys(plan, columns), scorers=tuple(live[at][0] for at in kept))
    tellers = _tellers(scores[choosing])
    repeats = clumped(sample, profile.rows)
    return _learned(
        chosen, scores[~choosing], tellers, sample.hashes[~choosing], sample.level, repeats=repeats
    )


def ranked_keys(plan: JointPlan, columns: Sequence[BaselineColumn]) -> tuple[str, ...]:
    """The columns from which a row's hash is made: those with most different values."""
    ranked = sorted(columns, key=lambda column: -_different(column))
    types = {column.name: (column.role, column.type) for column in columns}
    names = (*plan.columns, *plan.texts)
    chosen = joint_plan({name: types[name] for name in names}, [column.name for column in ranked])
    return plan.keys if chosen is None else chosen.keys


def clumped(sample: RowSample, rows: int) -> bool:
    """Whether the sample is of whole clumps of equal rows rather than of rows.

    Equal rows are sampled all or none. They show by the chance that two sampled rows are equal or, where the clumps
    were too large to be sampled, by a sample that is too small for its level.
    """
    times = np.unique(sample.hashes, return_counts=True)[1]
    alike = float((times * (times - 1)).sum()) / (len(sample.hashes) * (len(sample.hashes) - 1))
    covered = len(sample.hashes) * 2.0**sample.level / rows
    return alike > ALIKE or abs(covered - 1) > UNCOVERED


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """A column's sampled rows by bucket: `codes` of shape (rows,), the last bucket of rows without a value."""

    codes: Places
    buckets: int
    edges: Reals | None = None
    categories: tuple[str, ...] = ()


def _coded(column: BaselineColumn, values: Reals) -> _Coded | None:
    missing = np.isnan(values)
    bins = column.part("bins", Bins)
    if bins is not None and len(bins):
        starts = compared_starts(bins.counts)
        edges = np.append(bins.lows[starts], np.nextafter(bins.highs[-1], np.inf))
        codes = np.searchsorted(edges, np.where(missing, 0.0, values), side="right")
        buckets = len(edges) + 2
        return _Coded(np.where(missing, buckets - 1, codes).astype(np.intp), buckets, edges)
    listed = column.part("categories", Frequencies)
    if listed is None or not listed.exact or not listed.total:
        return None
    names = tuple(name for name, _ in listed.ranked()[: own_buckets(listed)])
    if not names:
        return None
    known = text_codes(strings(names))
    order = np.argsort(known)
    at = np.clip(np.searchsorted(known[order], values), 0, len(names) - 1)
    codes = np.where(known[order][at] == values, order[at], len(names))
    return _Coded(np.where(missing, len(names) + 1, codes).astype(np.intp), len(names) + 2, None, names)


def _scored(
    column: BaselineColumn, coded: Sequence[_Coded | None], at: int, choosing: npt.NDArray[np.bool_]
) -> tuple[Scorer, Reals]:
    """A column's scorer, and the scores of its sampled rows."""
    mine = coded[at]
    assert mine is not None  # noqa: S101 (the caller looked)
    rows = np.bincount(mine.codes[choosing], minlength=mine.buckets)
    if mine.edges is None:
        others = [one for place, one in enumerate(coded) if one is not None and place != at]
        raw, held = _category_scores(mine, rows, others[:PARTNERS], choosing)[:-2], len(mine.categories)
    else:
        raw, held = _rank_scores(rows[:-1]), mine.buckets - 1
    scores = np.rint(np.clip(raw, -SCORE_BOUND, SCORE_BOUND) * SCORE_STEPS) / SCORE_STEPS
    scorer = Scorer(name=column.name, edges=mine.edges, categories=mine.categories, scores=scores)
    return scorer, np.append(scores, np.zeros(mine.buckets - held))[mine.codes]


def _rank_scores(rows: npt.NDArray[np.intp]) -> Reals:
    """Scores of buckets of numbers with so many rows: the normal quantiles of their middle ranks."""
    if not rows.any():
        return np.zeros(len(rows))
    ranks = (np.cumsum(rows) - rows / 2 + 0.25) / (rows.sum() + 0.5)
    return standardised(np.clip(normal_scores(ranks), -_CAPPED, _CAPPED), rows)


def _category_scores(
    mine: _Coded, rows: npt.NDArray[np.intp], others: Sequence[_Coded], choosing: npt.NDArray[np.bool_]
) -> Reals:
    """Scores of categories: the first canonical ones against the column that tells most of them."""
    found = [_canonical(mine, one, choosing) for one in others]
    raw = max(found, key=lambda one: one[0])[1] if found else np.zeros(len(rows))
    raw = np.where(rows >= _SCORED_ROWS, raw, 0.0)
    raw[-2:] = 0.0  # categories without a name, and no value
    return standardised(np.clip(standardised(raw, rows), -_CAPPED, _CAPPED), rows)


def _canonical(mine: _Coded, other: _Coded, choosing: npt.NDArray[np.bool_]) -> tuple[float, Reals]:
    """The first canonical correlation of two columns of codes, and the first one's scores."""
    places = mine.codes[choosing] * other.buckets + other.codes[choosing]
    table = np.bincount(places, minlength=mine.buckets * other.buckets).reshape(mine.buckets, other.buckets)
    table = table / table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = np.where(expected > 0, (table - expected) / np.sqrt(expected), 0.0)
        left, strengths, _ = np.linalg.svd(residuals, full_matrices=False)
        scores = np.where(table.sum(axis=1) > 0, left[:, 0] / np.sqrt(table.sum(axis=1)), 0.0)
    return float(strengths[0]), scores


def _most_related(scores: Reals) -> Places:
    """The columns with the strongest correlations, at most `MOST_SCORES`, in order."""
    if scores.shape[1] <= MOST_SCORES:
        return np.arange(scores.shape[1])
    strength = np.abs(np.corrcoef(scores, rowvar=False))
    np.fill_diagonal(strength, 0.0)
    return np.sort(np.argsort(-strength.max(axis=1), kind="stable")[:MOST_SCORES])


def _tellers(scores: Reals) -> Reals:
    """The coefficients that tell each column from the others, shape (d, d)."""
    width = scores.shape[1]
    spread = scores.std(axis=0)
    correlation = np.asarray(np.corrcoef(scores, rowvar=False), np.float64)
    tellers = np.zeros((width, width))
    for at in range(width):
        others = np.flatnonzero(np.arange(width) != at)
        known = correlation[np.ix_(others, others)] + SHRUNK * np.eye(len(others))
        tellers[at, others] = np.linalg.solve(known, correlation[others, at]) / spread[others]
    return tellers


def _learned(
    plan: JointPlan,
    scores: Reals,
    tellers: Reals,
    hashes: npt.NDArray[np.uint64],
    level: int,
    *,
    repeats: bool,
) -> RelationBaseline:
    width = scores.shape[1]
    centred = scores - scores.mean(axis=0)
    standard = centred / centred.std(axis=0)
    told = centred @ tellers.T
    reach = told.std(axis=0)
    told = np.where(reach > _FLAT, told / np.where(reach > _FLAT, reach, 1.0), 0.0)
    first, second = np.triu_indices(width, 1)
    couples = [(standard[:, at], told[:, at]) for at in range(width)]
    couples += [(standard[:, i], standard[:, j]) for i, j in zip(first, second, strict=True)]
    moments = np.array([_moments(u, v) for u, v in couples])
    efficiency = _efficiency(couples, hashes)
    sums = np.concatenate([[len(scores)], scores.sum(axis=0), (scores.T @ scores)[np.triu_indices(width)]])
    if level:
        sums *= efficiency
    return RelationBaseline(
        plan, sums, tellers, moments[:, 0], moments[:, 1:3].T, moments[:, 3], efficiency, repeats
    )


def _influence(u: Reals, v: Reals) -> Reals:
    product = u * v
    influence: Reals = product - product.mean() * (u * u + v * v) / 2
    return influence


def _moments(u: Reals, v: Reals) -> tuple[float, float, float, float]:
    """Deviation, skewness, its surcharge, and kurtosis of the influences of rows with these standardised values.

    A relation without exceptions so far may have some: half a row of the worst kind is added to the rows seen. It
    makes the deviation larger, and the skewness larger by the surcharge towards whichever side is asked about.
    """
    if not u.any() or not v.any():
        return 0.0, 0.0, 0.0, 0.0
    influence = _influence(u, v)
    widest = float(np.abs(u).max()), float(np.abs(v).max())
    worst = widest[0] * widest[1] + abs(float((u * v).mean())) * (widest[0] ** 2 + widest[1] ** 2) / 2
    squares = influence * influence  # a power costs fifty times as much as a product
    second, third, fourth = (float((squares * one).mean()) for one in (np.ones(1), influence, squares))
    unseen = 1 / (2 * len(u))
    deviation = math.sqrt(second + worst**2 * unseen)
    return deviation, third / deviation**3, worst**3 * unseen / deviation**3, fourth / deviation**4


def _efficiency(couples: Sequence[tuple[Reals, Reals]], hashes: npt.NDArray[np.uint64]) -> float:
    """Of rows sampled clump by clump, how many independent ones each counts for, in all but the worst relations."""
    of = np.unique(hashes, return_inverse=True)[1]
    if not len(of) or int(of.max()) + 1 == len(of):
        return 1.0
    ratios = []
    for u, v in couples:
        influence = _influence(u, v)
        total = float((influence**2).sum())
        if total > 0:
            ratios.append(float((np.bincount(of, influence) ** 2).sum()) / total)
    return 1 / max(1.0, float(np.quantile(ratios, _WORST))) if ratios else 1.0


def _different(column: BaselineColumn) -> float:
    distinct = column.part("distinct", Distinct)
    presence = column.presence
    share = presence.present / presence.rows if presence.rows else 0.0
    return 0.0 if distinct is None else distinct.estimate() * share
