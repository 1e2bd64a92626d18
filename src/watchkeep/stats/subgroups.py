"""Found segments: where among its rows a model's loss is worst, or rose most since the baseline."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.stats.subgroup_evidence import savage_scores
from watchkeep.stats.subgroup_rows import Losses
from watchkeep.stats.subgroup_search import Best, Sample, search
from watchkeep.stats.subgroup_terms import Candidate, Mask, Term, Terms

Doubles = npt.NDArray[np.float64]

LEVEL: Final = 0.02
"""The chance, at most, that a segment is reported where none differs from the rest."""

SHUFFLES: Final = 99
"""How often the search runs again over shuffled losses; p-values are multiples of 1 / (SHUFFLES + 1)."""

_CELLS: Final = 40_000_000  # rows times cells searched at once: 160 MB
_WORK: Final = 2e9  # multiplications of one step of the search
_SHUFFLED_WORK: Final = 7e7  # and of one step over shuffled losses
_WIDTHS: Final = (16, 40)
_FEWEST_SHUFFLED: Final = 2_048  # rows, if there are as many
_FEWEST_UNCOMMON: Final = (
    30  # and of them such as have another loss than most, as far as four times the work goes
)
_FEWEST_OF_SEGMENT: Final = 3  # rows of a segment among shuffled ones
_STANDS: Final = 3.0  # standard errors of Savage scores by which a segment is worse than all other rows
_ALIKE: Final = 0.8  # Jaccard index from which two segments are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A segment whose loss stands out.

    Args:
        terms: its conditions, all of which hold for its rows, in the order of the columns.
        rows: how many rows it has.
        share: its share of the rows (of their weight).
        mean: the mean loss in it.
        rest: the mean loss of the other rows.
        before, before_rest: the same of the baseline's rows; None when there is no baseline.
        loss_share: its share of the summed loss.
        excess_share: the share of the summed loss that would not be there, had it only the mean loss of the rest
            (with a baseline: had its mean loss risen by no more than that of the rest).
        evidence: log likelihood ratio less the cost of its description, nats; what segments are ranked by.
        p: the chance that a search among segments that do not differ finds as much evidence; in (0, 1].
    """

    terms: tuple[Term, ...]
    rows: int
    share: float
    mean: float
    rest: float
    before: float | None
    before_rest: float | None
    loss_share: float
    excess_share: float
    evidence: float
    p: float

    @property
    def rise_share(self) -> float | None:
        """The share of the whole rise of the mean loss since the baseline that is its own; None without a baseline.

        It is above 1 where the loss of the rest fell.
        """
        if self.before is None or self.before_rest is None:
            return None
        own = self.share * (self.mean - self.before)
        whole = own + (1 - self.share) * (self.rest - self.before_rest)
        return own / whole if whole > 0 else None

    @property
    def rule(self) -> str:
        """The rule that picks its rows, as `watchkeep.frames.segments` reads it."""
        return " and ".join(str(term) for term in self.terms)


def worst_segments(
    candidates: Sequence[Candidate],
    window: Losses,
    *,
    baseline: Losses | None = None,
    least: int | None = None,
    limit: int = 5,
    level: float = LEVEL,
) -> tuple[Found, ...]:
    """The segments where the loss is worst, or rose most, the clearest first; none where chance explains them.

    A segment is a conjunction of up to three terms: a category, a run of neighbouring bins, or no value. Its
    evidence is the log likelihood ratio of "its rows lose more" against "all rows lose alike" over the losses'
    Savage scores, less the nats its description costs, so that a longer description must earn its length. A beam
    search finds the best. The rows it has are then set aside, and the search goes on among the others: what follows
    adds to what was found. Two segments that share more than four fifths of their rows are one.

    The same search runs over `SHUFFLES` shufflings of the losses among the rows (with a baseline: of the rows
    between baseline and window), and `p` counts how many found as much evidence: it is corrected for everything
    the search looked at. Large samples are shuffled in part, which leaves fewer rows to each segment and, as
    evidence hardly depends on their number, the same law of the best.

    Cost: about (limit + 2) * 2e9 + 99 * 1.4e8 multiplications (four times the latter where
    few rows have a loss), and 160 MB; rows beyond
    40,000,000 / cells are sampled for the search, not for the numbers reported.

    Args:
        candidates: the columns, one for each column of codes; label, prediction and the like left out.
        window: the rows to look at.
        baseline: rows to compare with; None to find where the loss is worst.
        least: rows a segment and the rest must have in the window, and that share of the rows in the baseline; by
            default 30 or 1 %, whichever is more.
        limit: segments to report at most.
        level: the largest p to report.

    Returns:
        At most `limit` segments. The order of the rows given does not matter.

    Raises:
        ValueError: the columns of codes are not as many as candidates, or a code is below -1.

    >>> codes = np.arange(6000).reshape(-1, 1) % 10
    >>> wrong = np.random.default_rng(1).random(6000) < np.where(codes[:, 0] == 7, 0.5, 0.1)
    >>> month = Candidate(name="month", labels=tuple(range(10)))
    >>> [found.rule for found in worst_segments([month], Losses(codes=codes, loss=wrong.astype(float)))]
    ['month = 7']
    """
    parts = [window] if baseline is None else [window, baseline]
    for part in parts:
        if part.codes.shape[1] != len(candidates):
            raise ValueError(f"{len(candidates)} candidates, and codes of shape {part.codes.shape}")
    settled = [part.settled() for part in parts]
    parts, seed = [part for part, _ in settled], sum(seed for _, seed in settled)
    least = least or max(30, len(parts[0].loss) // 100)
    if not candidates or len(parts[0].loss) < 2 * least or not len(parts[-1].loss):
        return ()
    hunt = _Hunt(candidates, parts, least)
    return hunt.found(limit, level, seed=seed) if hunt.uneven else ()


class _Hunt:
    """One call of `worst_segments`: the rows of the window, then those of the baseline, if any.

    Args:
        candidates: the columns.
        parts: the rows of the window, and those of the baseline.
        least: rows a segment must have.
    """

    def __init__(self, candidates: Sequence[Candidate], parts: Sequence[Losses], least: int) -> None:
        self._parts, self._least = parts, least
        codes = np.concatenate([part.codes for part in parts])
        self._terms = Terms(candidates, codes, least)
        self._rows = self._terms.rows(codes)
        loss = np.concatenate([part.loss for part in parts])
        self.uneven = bool(loss.min() < loss.max()) and len(self._terms) > 0
        self._scores = savage_scores(loss)
        self._ends = np.cumsum([0, *(len(part.loss) for part in parts)])
        self._weights = np.zeros((len(parts), len(codes)), np.float32)
        for place, part in enumerate(parts):
            self._weights[place, self._ends[place] : self._ends[place + 1]] = part.weight / part.weight.mean()

    def found(self, limit: int, level: float, *, seed: int) -> tuple[Found, ...]:
        """The segments, ranked."""
        sample, chosen = self._sample(_CELLS // (self._terms.cells + 1))
        work = sample.rows.shape[1] * self._terms.cells * 2 * len(self._parts)
        width = int(np.clip(_WORK / work, *_WIDTHS))
        chance = self._chance(width, seed)
        listed: list[Found] = []
        masks: list[Mask] = []
        p = 0.0
        for _ in range(2 * limit):
            best = search(sample, width)
            p = max(p, (1 + int(np.count_nonzero(chance >= best.score))) / (1 + SHUFFLES))
            if not best.terms or p > level:
                break
            mask = self._terms.mask(best.terms, self._rows)
            if not any(_jaccard(mask, other) > _ALIKE for other in masks):
                one = self._described(best, mask, p)
                if self._stands(one, mask):
                    listed.append(one)
                    masks.append(mask)
            if len(listed) == limit:
                break
            sample.set_aside(mask[chosen])
        return tuple(listed)

    def _sample(self, most: int) -> tuple[Sample, npt.NDArray[np.intp]]:
        """At most so many rows, the same share of each part, and which they are."""
        share = min(1.0, most / self._ends[-1])
        pairs = zip(self._ends, np.diff(self._ends), strict=False)
        chosen = np.concatenate([start + np.arange(int(size * share)) for start, size in pairs])
        return Sample(
            self._terms,
            self._rows[:, chosen],
            self._weights[:, chosen],
            self._scores[chosen].astype(np.float32),
            np.maximum(self._least * np.diff(self._ends) / self._ends[1] * share, _FEWEST_OF_SEGMENT),
        ), chosen

    def _chance(self, width: int, seed: int) -> Doubles:
        """The best scores of searches over shuffled losses, shape (SHUFFLES,)."""
        per_row = width * self._terms.cells * 2 * len(self._parts)
        rows = max(int(_SHUFFLED_WORK / per_row), _FEWEST_SHUFFLED)
        _, counts = np.unique(self._scores, return_counts=True)
        uncommon = 1 - counts.max() / len(self._scores)
        sample, chosen = self._sample(int(np.clip(_FEWEST_UNCOMMON / uncommon, rows, 4 * rows)))
        if not sample.uneven:
            return np.full(SHUFFLES, np.inf)
        random = np.random.default_rng(seed)
        weights, scores = self._weights[:, chosen], sample.scores
        each, inside = weights.sum(axis=0), weights > 0
        out = np.empty(SHUFFLES)
        for place in range(SHUFFLES):
            order = random.permutation(len(chosen))
            if len(self._parts) == 1:  # a row's loss could be any other's
                sample.use(weights, scores[order])
            else:  # a row, with its loss, could be of either part
                sample.use(each * inside[:, order], scores)
            out[place] = search(sample, width).score
        return out

    def _stands(self, one: Found, mask: Mask) -> bool:
        """Whether a segment is worse than all the other rows, too: it was found after others were set aside."""
        excess, variance = 0.0, 0.0
        for sign, part, start in zip((1, -1), self._parts, self._ends, strict=False):
            rows = slice(start, start + len(part.loss))
            ranked = replace(part, loss=self._scores[rows] + 1.0)  # Savage scores are above -1
            inside, rest = ranked.means(mask[rows])
            excess += sign * (inside - rest)
            variance += ranked.variance(mask[rows])
        return one.excess_share > 0 and excess > _STANDS * math.sqrt(variance)

    def _described(self, best: Best, mask: Mask, p: float) -> Found:
        window, inside = self._parts[0], mask[: self._ends[1]]
        mean, rest = window.means(inside)
        before, before_rest, expected = None, None, rest
        if len(self._parts) == 2:
            before, before_rest = self._parts[1].means(mask[self._ends[1] :])
            expected = before + rest - before_rest
        weight = float(window.weight[inside].sum())
        total = float(window.weight @ window.loss)
        return Found(
            terms=tuple(self._terms.term(term) for term in best.terms),
            rows=int(np.count_nonzero(inside)),
            share=weight / float(window.weight.sum()),
            mean=mean,
            rest=rest,
            before=before,
            before_rest=before_rest,
            loss_share=weight * mean / total,
            excess_share=weight * (mean - expected) / total,
            evidence=best.score,
            p=p,
        )


def _jaccard(one: Mask, other: Mask) -> float:
    return int(np.count_nonzero(one & other)) / int(np.count_nonzero(one | other))
