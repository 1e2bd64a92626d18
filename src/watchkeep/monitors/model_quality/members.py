"""Several scores of one row: how far the members of an ensemble, or the passes of Monte Carlo dropout, disagree."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import filled
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import is_embedding
from watchkeep.monitors.model_quality.rows import Answers, Doubles
from watchkeep.states.totals import GRAIN

SUMS: Final = ("weight", "spread")
"""Sums over the rows that have a spread."""


def spreads(array: pa.Array) -> Doubles:
    """The standard deviation of each row's scores, shape (rows,); NaN where a row has not two of them, all finite.

    sqrt(sum (s - mean)^2 / (k - 1)) of k scores, >= 0, in their unit.

    >>> spreads(pa.array([[0.2, 0.4], [0.5], None, [1.0, 1.0, 4.0]])).round(3).tolist()
    [0.141, nan, nan, 1.732]
    """
    out = np.full(len(array), np.nan)
    if not is_embedding(array.type):
        return out
    lengths = np.maximum(filled(pc.list_value_length(array), 0), 0)
    read = read_numbers(pc.list_flatten(array))
    flat = np.full(read.rows, np.nan)
    flat[slice(None) if read.where is None else read.where] = read.values
    of = np.repeat(np.arange(len(array)), lengths)
    many = lengths > 1
    means = np.bincount(of, flat, len(array)) / np.maximum(lengths, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        squares = np.bincount(of, (flat - means[of]) ** 2, len(array))
        found = np.sqrt(squares[many] / (lengths[many] - 1))
    out[many] = np.where(np.isfinite(found), found, np.nan)
    return out


def sums_of_members(array: pa.Array, answers: Answers) -> Doubles:
    """See `SUMS`, of a column of lists, one for each row of the batch."""
    found = spreads(array)[answers.kept]
    held = ~np.isnan(found)
    found = np.rint(found[held] / GRAIN) * GRAIN  # sums then do not depend on the order of the rows
    w = np.ones(len(found)) if answers.weights is None else answers.weights[held]
    return np.array([float(w.sum()), float((w * found).sum())])
