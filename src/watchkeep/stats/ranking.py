"""How well rows are ranked that belong to one query, such as a page of search results: NDCG and reciprocal rank.

Rows of one query with the same score are taken to come in random order, and each number is the mean over all such
orders: it depends on scores and labels alone.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Rows of several queries, in the order in which a model ranks them.

    Args:
        query: of each row, counted from 0, increasing, shape (rows,).
        tie: which rows a row shares its score with: counted over all queries, increasing, shape (rows,).
        relevance: how good an answer a row is, >= 0, shape (rows,).

    >>> ranked = Ranked.of(np.array([7, 7, 7]), relevance=np.array([0.0, 1.0, 0.0]), scores=np.array([3.0, 2.0, 1.0]))
    >>> ranked.ndcg(10).round(4).tolist(), ranked.reciprocal().tolist()
    ([0.6309], [0.5])
    """

    query: Places
    tie: Places
    relevance: Doubles

    @classmethod
    def of(cls, keys: npt.NDArray[np.generic], *, relevance: Doubles, scores: Doubles) -> Self:
        """Rows with a key that those of one query have in common; all of shape (rows,)."""
        _, query = np.unique(keys, return_inverse=True)
        order = np.lexsort((-scores, query))
        query, scores = query[order].astype(np.intp), scores[order]
        new = np.append(True, (np.diff(query) != 0) | (np.diff(scores) != 0))[: len(order)]
        return cls(query, np.cumsum(new) - 1, relevance[order])

    def ndcg(self, k: int) -> Doubles:
        """Normalised discounted cumulative gain of the first k ranks, in [0, 1]; NaN of a query without a relevant row.

        sum of relevance / log2(1 + rank) over ranks 1 to k, over the greatest sum that an order of the same rows has.

        Returns:
            Shape (queries,).

        References:
            Järvelin and Kekäläinen (2002), ACM TOIS 20, 422-446; ties as in McSherry and Najork (2008), ECIR, 414-421,
            and sklearn.metrics.ndcg_score.
        """
        discount = self._discounts(k)
        held = np.bincount(self.tie)
        gain = (np.bincount(self.tie, self.relevance) / held)[self.tie]
        best = self.relevance[np.lexsort((-self.relevance, self.query))]
        found, ideal = (np.bincount(self.query, each * discount) for each in (gain, best))
        gains: Doubles = np.divide(found, ideal, out=np.full(len(ideal), np.nan), where=ideal > 0)
        return gains

    def reciprocal(self) -> Doubles:
        """One over the rank of the first relevant row, in (0, 1]; NaN of a query without one.

        Where the first relevant rows, r of them, tie with m - r others behind s rows, the first of them comes at
        s + j with the chance C(m - j, r - 1) / C(m, r).

        Returns:
            Shape (queries,).
        """
        relevant = self.relevance > 0
        out = np.full(int(self.query[-1]) + 1 if len(self.query) else 0, np.nan)
        first = np.flatnonzero(relevant)
        queries, at = np.unique(self.query[first], return_index=True)
        ties = self.tie[first[at]]
        size, good = np.bincount(self.tie)[ties], np.bincount(self.tie, relevant)[ties]
        before = np.searchsorted(self.tie, ties) - np.searchsorted(self.query, queries)
        chance, mean = good / size, np.zeros(len(ties))
        for j in range(1, int(size.max(initial=0)) + 1):
            mean += chance / (before + j)
            left = np.maximum(size - j, 1)
            chance = chance * np.maximum(size - j - good + 1, 0) / left
        out[queries] = mean
        return out

    def _discounts(self, k: int) -> Doubles:
        rank = np.arange(len(self.query)) - np.searchsorted(self.query, self.query)
        return np.where(rank < k, 1 / np.log2(rank + 2.0), 0.0)
