"""Watchkeep's estimates: tables and scores from frames, as a scan makes them from batches."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.estimates.data import Table
from watchkeep.baselines.class_estimator import ClassEstimator
from watchkeep.baselines.error_estimator import ErrorEstimator, Predictions, quantities
from watchkeep.baselines.estimator import BinaryEstimator, Mix
from watchkeep.core.undefined import Undefined
from watchkeep.stats.expected_counts import Estimated
from watchkeep.stats.reweighting import (
    LEAST_SHARE,
    LEAST_SHARE_OF_PAIRS,
    MOST,
    MOST_OF_PAIRS,
    PAIRED,
    indicators,
    pairs,
)

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Codes = npt.NDArray[np.signedinteger]

BINS = 2_048
WIDTHS = 50
SAMPLE = 16_384
BUCKETS = 16


@dataclass(frozen=True)
class Estimates:
    """What was estimated, by window.

    Args:
        found: estimates by name, a mapping for each window.
        fit, estimate: CPU seconds.
    """

    found: list[Mapping[str, Estimated]]
    fit: float
    estimate: float


class Coder:
    """The bucket of each row in each feature, and of the prediction if that is a number."""

    def __init__(self, table: Table, reference: pd.DataFrame, *, buckets: int = BUCKETS) -> None:
        names = table.features(reference)
        if table.problem == "regression":
            names.append(table.prediction)
        self._edges = {name: _edges(reference[name], buckets) for name in names}
        self.sizes = [
            len(reference[name].cat.categories) + 1 if edges is None else len(edges) + 2
            for name, edges in self._edges.items()
        ]

    def codes(self, frame: pd.DataFrame) -> list[Codes]:
        """By column; the first bucket of a column holds what it has no other for."""
        return [_coded(frame[name], edges) for name, edges in self._edges.items()]


def _coded(values: pd.Series, edges: Reals | None) -> Codes:
    if edges is None:
        codes: Codes = values.cat.codes.to_numpy() + 1  # pandas chooses a type with room for one more
        return codes
    numbers = values.to_numpy(np.float64)
    places = np.searchsorted(edges, numbers, side="right") + 1
    missing = np.isnan(numbers)
    return np.where(missing, 0, places) if missing.any() else places


def _edges(values: pd.Series, buckets: int) -> Reals | None:
    if not pd.api.types.is_numeric_dtype(values):
        return None
    numbers = values.to_numpy(np.float64)
    return np.unique(np.nanquantile(numbers, np.arange(1, buckets) / buckets))


class Features:
    """What a table's rows are like: the means of its features, window by window."""

    def __init__(self, coder: Coder, sample: list[Codes], traits: Reals, *, by_pairs: bool = False) -> None:
        self._coder, self._pairs = coder, None
        codes, sizes, limits = (
            np.stack(sample, axis=1).astype(np.intp),
            tuple(coder.sizes),
            (MOST, LEAST_SHARE),
        )
        if by_pairs:
            self._pairs = pairs(codes, sizes, traits)
            codes, sizes = self._pairs.of(codes), self._pairs.all_sizes
            limits = MOST_OF_PAIRS, LEAST_SHARE_OF_PAIRS
        self._sizes = sizes
        self._found = indicators(codes, sizes, traits, most=limits[0], least_share=limits[1])
        self.rows = self._found.of(codes)

    def mixes(self, frame: pd.DataFrame, window: int) -> list[Mix]:
        """One for each window."""
        codes, out = self._coder.codes(frame), []
        if self._pairs is not None:
            codes = list(self._pairs.of(np.stack(codes, axis=1).astype(np.intp)).T)
        for at in range(0, len(frame), window):
            held = [
                np.bincount(each[at : at + window], minlength=size)
                for each, size in zip(codes, self._sizes, strict=True)
            ]
            rows = min(window, len(frame) - at)
            out.append(Mix(self._found.means(held, rows), float(rows)))
        return out


class _Model(Protocol):
    def estimate(self, after: pd.DataFrame) -> list[Mapping[str, Estimated]]: ...


def estimates(
    table: Table, reference: pd.DataFrame, after: pd.DataFrame, *, features: bool = True
) -> Estimates:
    """Learn from the reference rows and estimate window after window."""
    of: Mapping[str, Callable[..., _Model]] = {
        "classification_binary": _Two,
        "classification_multiclass": _Classes,
        "regression": _Numbers,
    }
    begin = time.process_time()
    model = of[table.problem](table, reference, features=features)
    fitted = time.process_time()
    found = model.estimate(after)
    return Estimates(found, fitted - begin, time.process_time() - fitted)


def _sample(rows: int) -> Places:
    return np.sort(np.random.default_rng(0).permutation(rows)[:SAMPLE])


def _mixes(features: Features | None, after: pd.DataFrame, window: int) -> Iterator[tuple[int, Mix | None]]:
    """Where each window begins, and the mix of its features."""
    begins = range(0, len(after), window)
    mixes = [None] * len(begins) if features is None else features.mixes(after, window)
    return zip(begins, mixes, strict=True)


class _Two:
    def __init__(self, table: Table, reference: pd.DataFrame, *, features: bool) -> None:
        self._table = table
        self._score = next(iter(table.scores.values()))
        scores = reference[self._score].to_numpy(np.float64)
        self._edges = np.unique(np.quantile(scores, np.arange(1, BINS) / BINS))
        bins, answers = self._places(reference)
        labels = reference[table.label].to_numpy(np.intp)
        counts = np.bincount(bins * 4 + answers * 2 + labels, minlength=4 * self._size).reshape(-1, 2, 2)
        held = np.maximum(counts.sum(axis=(1, 2)), 1)
        means = np.bincount(bins, scores, self._size) / held
        found = BinaryEstimator.fit(counts.astype(np.float64), means=means)
        assert not isinstance(found, Undefined)
        self._features: Features | None = None
        if features:
            rows, coder = _sample(len(reference)), Coder(table, reference)
            traits = found.traits(bins[rows], labels[rows])
            self._features = Features(coder, coder.codes(reference.iloc[rows]), traits)
            found = found.with_features(self._features.rows, bins[rows], labels[rows])
        self._estimator = found

    @property
    def _size(self) -> int:
        return len(self._edges) + 1

    def _places(self, frame: pd.DataFrame) -> tuple[Places, Places]:
        bins = np.searchsorted(self._edges, frame[self._score].to_numpy(np.float64), side="right")
        return bins, frame[self._table.prediction].to_numpy(np.intp)

    def estimate(self, after: pd.DataFrame) -> list[Mapping[str, Estimated]]:
        bins, answers = self._places(after)
        cells, window = bins * 2 + answers, self._table.window
        out: list[Mapping[str, Estimated]] = []
        for at, mix in _mixes(self._features, after, window):
            held = np.bincount(cells[at : at + window], minlength=2 * self._size)
            out.append(self._estimator.estimate(held.reshape(-1, 2).astype(np.float64), mix=mix))
        return out


class _Classes:
    def __init__(self, table: Table, reference: pd.DataFrame, *, features: bool) -> None:
        self._table, self._names = table, list(table.scores)
        answers, bins = self._places(reference)
        labels = pd.Index(self._names).get_indexer(reference[table.label])
        classes = len(self._names)
        right = (labels == answers).astype(np.intp)
        cells = answers * WIDTHS + bins
        size = (classes, WIDTHS)
        found = ClassEstimator.fit(
            np.bincount(cells, minlength=classes * WIDTHS).reshape(size).astype(np.float64),
            np.bincount(cells, right, classes * WIDTHS).reshape(size).astype(np.float64),
            np.bincount(answers * classes + labels, minlength=classes**2).reshape(classes, -1).astype(float),
        )
        assert not isinstance(found, Undefined)
        self._features: Features | None = None
        if features:
            rows, coder = _sample(len(reference)), Coder(table, reference)
            traits = found.traits(answers[rows], bins[rows], right[rows])
            self._features = Features(coder, coder.codes(reference.iloc[rows]), traits)
            found = found.with_features(self._features.rows, answers[rows], bins[rows], right[rows])
        self._estimator = found

    def _places(self, frame: pd.DataFrame) -> tuple[Places, Places]:
        answers = pd.Index(self._names).get_indexer(frame[self._table.prediction])
        scores = frame[list(self._table.scores.values())].to_numpy(np.float64)
        mine = scores[np.arange(len(scores)), answers]
        return answers, np.minimum((mine * WIDTHS).astype(np.intp), WIDTHS - 1)

    def estimate(self, after: pd.DataFrame) -> list[Mapping[str, Estimated]]:
        answers, bins = self._places(after)
        cells, window, size = answers * WIDTHS + bins, self._table.window, (len(self._names), WIDTHS)
        out: list[Mapping[str, Estimated]] = []
        for at, mix in _mixes(self._features, after, window):
            held = np.bincount(cells[at : at + window], minlength=size[0] * WIDTHS)
            out.append(self._estimator.estimate(held.reshape(size).astype(np.float64), mix=mix))
        return out


class _Numbers:
    def __init__(self, table: Table, reference: pd.DataFrame, *, features: bool) -> None:
        self._table = table
        rows = _sample(len(reference))
        kept = reference.iloc[rows]
        predictions = kept[table.prediction].to_numpy(np.float64)
        errors = predictions - kept[table.label].to_numpy(np.float64)
        self._features: Features | None = None
        if features:
            coder = Coder(table, reference, buckets=PAIRED)
            traits = quantities(errors, predictions - predictions.mean())
            self._features = Features(coder, coder.codes(kept), traits, by_pairs=True)
        marks = None if self._features is None else self._features.rows
        found = ErrorEstimator.fit(errors, predictions, features=marks)
        assert not isinstance(found, Undefined)
        self._estimator = found

    def estimate(self, after: pd.DataFrame) -> list[Mapping[str, Estimated]]:
        predictions, window = after[self._table.prediction].to_numpy(np.float64), self._table.window
        out: list[Mapping[str, Estimated]] = []
        for at, mix in _mixes(self._features, after, window):
            mine = predictions[at : at + window]
            of = Predictions(float(mine.mean()), float((mine**2).mean()))
            out.append(self._estimator.estimate(float(len(mine)), mix=mix, predictions=of))
        return out
