"""What a join of predictions with their labels found, and the port through which it is told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined
from watchkeep.service.ports import Source

DUPLICATE: Final = "duplicate id"
"""Why a prediction is rejected whose id a later prediction has too."""

_NO_DELAY: Final = "the delay needs a row with a label, its event time and its time of arrival, has 0"
_SHARES: Final = (0.5, 0.95, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayQuantiles:
    """How long labels took: arrival minus event time of the matched predictions for which both are known.

    Quantiles are by nearest rank: the least delay that at least such a share of the rows does not exceed.

    Args:
        rows: predictions whose delay is known, at least 1.
        median, p95, max: seconds.
        negative: how many of the rows have a label that arrived before the event, which clocks that disagree
            bring about. They count in the quantiles as they are.
    """

    rows: int
    median: float
    p95: float
    max: float
    negative: int

    @classmethod
    def of(cls, ascending: Iterable[npt.NDArray[np.float64]], *, rows: int, negative: int) -> Self | None:
        """The quantiles of sorted delays that come piece by piece; None when there are none.

        Args:
            ascending: delays in seconds, least first, in arrays of any size.
            rows: how many there are in all.
            negative: how many are below zero.

        >>> DelayQuantiles.of([np.array([1.0, 2.0]), np.array([60.0])], rows=3, negative=0)
        DelayQuantiles(rows=3, median=2.0, p95=60.0, max=60.0, negative=0)
        """
        if not rows:
            return None
        places = [ceil(share * rows) - 1 for share in _SHARES]
        found: list[float] = []
        first = 0
        for piece in ascending:
            while len(found) < len(places) and places[len(found)] < first + len(piece):
                found.append(float(piece[places[len(found)] - first]))
            first += len(piece)
        median, p95, longest = found
        return cls(rows=rows, median=median, p95=p95, max=longest, negative=negative)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAccount:
    """Where every prediction and every label of a join went.

    `predictions = matched + unmatched`, and `labels = matched + unmatched_labels + duplicate_labels +
    changed_labels + labels_without_id + labels_without_value`.

    Args:
        predictions: rows of the window that were kept.
        matched: those of them that have a label.
        unmatched: those that have none, because none arrived or because they have no id.
        labels: labels that could be read: one a row, or as many as a captured record has rows.
        duplicate_labels: labels that a later one for the same id replaced, and repeated.
        changed_labels: labels that a later one for the same id replaced, and did not repeat.
        unmatched_labels: ids with a label for which the window holds no prediction.
        labels_without_id: labels whose id is missing.
        labels_without_value: labels with an id that are missing or no single values.
        delay: how long the labels took; None when no matched row has both times.
        predictions_without_id: those of the unmatched predictions whose id is missing.
        duplicate_predictions: predictions that were rejected, because a later one has their id.
        rejected_labels: what the labels' source held and could not read, by reason.

    >>> account = JoinAccount(predictions=4, matched=3, unmatched=1, labels=3, duplicate_labels=0,
    ...     changed_labels=0, unmatched_labels=0, labels_without_id=0, labels_without_value=0)
    >>> account.match_rate
    0.75
    """

    predictions: int
    matched: int
    unmatched: int
    labels: int
    duplicate_labels: int
    changed_labels: int
    unmatched_labels: int
    labels_without_id: int
    labels_without_value: int
    delay: DelayQuantiles | None = None
    predictions_without_id: int = 0
    duplicate_predictions: int = 0
    rejected_labels: Mapping[str, int] = field(default_factory=dict)

    @property
    def match_rate(self) -> float | Undefined:
        """Share of the predictions that have a label: dimensionless, in [0, 1]."""
        if not self.predictions:
            return Undefined("match rate needs 1 prediction, has 0")
        return self.matched / self.predictions


@runtime_checkable
class Labelled(Source, Protocol):
    """Predictions, each with its label or none, and the account of how they were found."""

    def account(self) -> JoinAccount:
        """What the last read found; known as soon as its first batch is out.

        Raises:
            WatchkeepError: nothing was read yet.
        """
        ...


def account_of(source: Labelled) -> dict[str, object]:
    """What became of predictions and labels that were joined, as JSON."""
    account = source.account()
    told: dict[str, object] = {
        name: getattr(account, name)
        for name in (
            "predictions",
            "matched",
            "unmatched",
            "labels",
            "duplicate_labels",
            "changed_labels",
            "unmatched_labels",
            "labels_without_id",
            "labels_without_value",
            "duplicate_predictions",
        )
    }
    rate, delay = account.match_rate, account.delay
    told["match_rate"] = rate.document() if isinstance(rate, Undefined) else rate
    told["delay"] = Undefined(_NO_DELAY).document() if delay is None else asdict(delay)
    told["rejected_labels"] = dict(account.rejected_labels)
    return told
