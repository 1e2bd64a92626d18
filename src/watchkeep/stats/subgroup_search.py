"""The search for the segment that speaks loudest: wider beams where rows are few, a bounded cost everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from watchkeep.stats.subgroup_evidence import Doubles, Rate, evidence
from watchkeep.stats.subgroup_terms import Terms

Names: TypeAlias = tuple[int, ...]
"""The terms of a segment, increasing."""

DEEPEST: Final = 3
"""Terms a segment may have."""

_BLOCK: Final = 8_192
_SAME_COLUMNS: Final = 3  # segments of one set of columns in a beam, so that one column does not fill it
_LOOKED_AT: Final = 40  # segments looked at for each that is kept
_REFINEMENTS: Final = 4
_SHORTER: Final = (0.0, 0.0, np.log(2), np.log(6))  # the order of terms says nothing: log k!


@dataclass(frozen=True, slots=True)
class Best:
    """A segment that was found.

    Args:
        terms: its terms.
        score: evidence less what its description costs, nats.
    """

    terms: Names
    score: float


NOTHING: Final = Best((), -np.inf)


class Sample:
    """Rows to search, of a window and maybe of its baseline.

    Args:
        terms: the terms over its columns.
        rows: the cell of each row, shape (columns, rows).
        samples: rows of the window, and those of the baseline, if any: shape (samples, rows), weights or 0.
        scores: shape (rows,).
        least: rows a segment and the rest must have in each sample, shape (samples,).

    Attributes:
        uneven: whether there is more than one score among the rows.
    """

    def __init__(
        self,
        terms: Terms,
        rows: npt.NDArray[np.int32],
        samples: npt.NDArray[np.float32],
        scores: npt.NDArray[np.float32],
        least: Doubles,
    ) -> None:
        self.terms, self.rows, self.least = terms, rows, least
        self._cells = one_hot(rows, terms.cells)
        self.use(samples, scores)
        self._learn()

    def use(self, samples: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> None:
        """Put the same weights, or scores, to the rows in another order."""
        self.samples, self.scores = samples, scores
        parts = [samples != 0] if self._plain(samples) else [samples != 0, samples, samples**2]
        parts.append(samples * scores)
        # For each sample: rows, weights, squares, scores; without weights the first three are one.
        self._channels = np.ascontiguousarray(np.stack(parts, axis=1), np.float32)
        self.totals = self._four(self._channels.sum(axis=2, dtype=np.float64))

    def set_aside(self, rows: npt.NDArray[np.bool_]) -> None:
        """Search without some rows, shape (rows,), from now on."""
        self.use(self.samples * ~rows, self.scores)
        self._learn()

    def _learn(self) -> None:
        scores = self.scores[self.samples.any(axis=0)].astype(np.float64)
        self.uneven = len(scores) > 0 and bool(scores.min() < scores.max())
        self._rate = Rate(scores) if self.uneven else None

    @staticmethod
    def _plain(samples: npt.NDArray[np.float32]) -> bool:
        return bool(((samples == 0) | (samples == 1)).all())

    @staticmethod
    def _four(sums: Doubles) -> Doubles:
        return sums if sums.shape[1] == 4 else sums[:, [0, 0, 0, 1]]

    def tables(self, masks: npt.NDArray[np.bool_]) -> Doubles:
        """Sums over each term within each mask: shape (samples, 4, masks, terms); masks (masks, rows)."""
        samples, parts, rows = self._channels.shape
        sums = np.zeros((samples * parts * len(masks), self.terms.cells))
        for start in range(0, rows, _BLOCK):
            block = slice(start, start + _BLOCK)
            left = self._channels[:, :, None, block] * masks[None, None, :, block]
            sums += left.reshape(len(sums), -1) @ self._cells[block]
        runs = np.concatenate([np.zeros((len(sums), 1)), np.cumsum(sums, axis=1)], axis=1)
        table = runs[:, self.terms.last] - runs[:, self.terms.first]
        return self._four(table.reshape(samples, parts, len(masks), -1))

    def judged(self, table: Doubles) -> Doubles:
        """The evidence of each segment of a table, -inf where it or the rest has too few rows."""
        rows, least = table[:, 0], self.least[:, None, None]
        enough = ((rows >= least) & (self.totals[:, 0, None, None] - rows >= least)).all(axis=0)
        out = np.full(rows.shape[1:], -np.inf)
        if self._rate is not None:
            out[enough] = evidence(table[:, 1:, enough], self.totals[:, 1:], self._rate)
        return out


def one_hot(rows: npt.NDArray[np.int32], cells: int) -> npt.NDArray[np.float32]:
    """Ones where a row is in a cell, shape (rows, cells)."""
    out = np.zeros((rows.shape[1], cells + 1), np.float32)
    out[np.arange(rows.shape[1]), rows] = 1
    return out[:, :cells]


def search(sample: Sample, width: int) -> Best:
    """The segment of up to three terms with the best score that a beam of some width meets.

    First every term alone, then each of the `width` best with every other term, then once more; at last the terms
    of the best are exchanged one by one while that helps.
    """
    terms = sample.terms
    if not len(terms):
        return NOTHING
    everyone = np.ones((1, sample.rows.shape[1]), np.bool_)
    beam: list[Names] = [()]
    best, masks = NOTHING, everyone
    for depth in range(1, DEEPEST + 1):
        found = sample.judged(sample.tables(masks))
        _forbid(found, terms, beam)
        best = max(best, _best(found, terms, beam), key=lambda one: one.score)
        if depth == DEEPEST:
            break
        beam = _beam(found, terms, beam, width)
        if not beam:
            break
        masks = np.stack([terms.mask(one, sample.rows) for one in beam])
    return _refined(sample, best)


def _forbid(found: Doubles, terms: Terms, beam: Sequence[Names]) -> None:
    for place, names in enumerate(beam):
        for name in names:
            found[place, terms.column == terms.column[name]] = -np.inf


def _best(found: Doubles, terms: Terms, beam: Sequence[Names]) -> Best:
    own = np.array([terms.cost[list(names)].sum() - _SHORTER[len(names) + 1] for names in beam])
    scores = found - own[:, None] - terms.cost
    place, term = np.unravel_index(int(scores.argmax()), scores.shape)
    return Best(tuple(sorted((*beam[int(place)], int(term)))), float(scores[place, term]))


def _beam(found: Doubles, terms: Terms, beam: Sequence[Names], width: int) -> list[Names]:
    """The segments with the most evidence, few of each set of columns."""
    chosen: dict[Names, None] = {}
    seen: dict[Names, int] = {}
    flat = found.ravel()
    worse = np.flatnonzero(flat > 0)
    if len(worse) > _LOOKED_AT * width:
        worse = worse[np.argpartition(-flat[worse], _LOOKED_AT * width)[: _LOOKED_AT * width]]
    for at in worse[np.argsort(-flat[worse], kind="stable")].tolist():
        if len(chosen) == width:
            break
        place, term = divmod(at, found.shape[1])
        names = tuple(sorted((*beam[place], term)))
        columns = tuple(terms.column[list(names)].tolist())
        if names not in chosen and seen.get(columns, 0) < _SAME_COLUMNS:
            chosen[names] = None
            seen[columns] = seen.get(columns, 0) + 1
    return list(chosen)


def _refined(sample: Sample, best: Best) -> Best:
    """The best after its terms were exchanged, or left out, one at a time."""
    for _ in range(_REFINEMENTS):
        if len(best.terms) < 2:
            return best
        others = [tuple(term for term in best.terms if term != left) for left in best.terms]
        found = sample.judged(
            sample.tables(np.stack([sample.terms.mask(one, sample.rows) for one in others]))
        )
        _forbid(found, sample.terms, others)
        better = _best(found, sample.terms, others)
        if better.score <= best.score + 1e-9:
            return best
        best = better
    return best
