"""Columns as SageMaker's statistics and as our report shows them, from their states."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats import kll
from watchkeep.formats.constraint_list import inferred_type
from watchkeep.formats.statistics import Feature, numeric_feature, string_feature, unknown_feature
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import tail_values
from watchkeep.measures.quantiles import quantile
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.codec import State, part_of
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence

Parts = Mapping[str, State]
FEW = 120
"""Categories up to which statistics list them."""


def sample_of(parts: Parts, bins: Bins | None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """A column's finite numbers as increasing values and how many rows stand at each.

    Args:
        parts: the column's states.
        bins: the baseline's bins that a window's counts are over; None for a baseline's own column.
    """
    own = part_of(parts, "bins", Bins)
    counts = part_of(parts, "bin_counts", BinCounts)
    if own is not None:
        values, rows = own.centers, own.counts
    elif counts is not None and bins is not None:
        below, below_rows, above, above_rows = tail_values(counts, bins)
        values = np.concatenate([below, bins.centers, above])
        rows = np.concatenate([below_rows, counts.counts, above_rows])
    else:
        return np.zeros(0), np.zeros(0, np.int64)
    held = (rows > 0) & np.isfinite(values)
    values, rows = values[held], rows[held]
    extremes = part_of(parts, "extremes", Extremes)
    if extremes is not None and not extremes.empty:
        # A bin's centre may lie beyond the values it holds; the extremes are exact.
        values = np.clip(values, extremes.low, extremes.high)
        if len(values):
            values[0], values[-1] = extremes.low, extremes.high
    return values, rows


def category_rows(parts: Parts, listed: Frequencies | None) -> tuple[dict[str, int], bool]:
    """Rows by category, most frequent first, and whether that is all of them."""
    own = part_of(parts, "categories", Frequencies)
    if own is not None:
        return dict(own.ranked()), own.exact
    counts = part_of(parts, "category_counts", CategoryCounts)
    if counts is None or listed is None:
        return {}, False
    named = {
        name: count for (name, _), count in zip(listed.ranked(), counts.counts.tolist(), strict=True) if count
    }
    named |= counts.rest.counts
    whole = counts.rest.exact
    return dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))), whole


def feature(name: str, kind: ColumnType, parts: Parts, baseline: Parts) -> Feature:
    """One column of a `statistics.json`.

    Args:
        name, kind: the column's.
        parts: its states.
        baseline: the baseline's states, which own the bins and categories; the same object for a baseline.
    """
    presence = part_of(parts, "presence", Presence) or Presence()
    present, missing = presence.present, presence.missing
    if not present or kind is ColumnType.UNKNOWN:
        return unknown_feature(name, present=present, missing=missing)
    if kind.numeric and "moments" in parts:
        moments = part_of(parts, "moments", Moments) or Moments()
        extremes = part_of(parts, "extremes", Extremes) or Extremes()
        values, rows = sample_of(parts, part_of(baseline, "bins", Bins))
        return numeric_feature(
            name,
            inferred_type(kind),
            present=present,
            missing=missing,
            mean=moments.average(),
            total=moments.total if moments.n else Undefined("sum needs 1 number, has 0"),
            std=moments.deviation(),
            minimum=extremes.smallest(),
            maximum=extremes.largest(),
            buckets=kll.equal_width_buckets(values, rows, extremes.low, extremes.high) if len(values) else (),
            sketch_levels=kll.levels(values, rows),
        )
    found, whole = category_rows(parts, part_of(baseline, "categories", Frequencies))
    distinct = part_of(parts, "distinct", Distinct)
    return string_feature(
        name,
        present=present,
        missing=missing,
        distinct=float(distinct_of(distinct, found, present)),
        categories=found if whole and found and len(found) <= FEW else None,
    )


def distinct_of(distinct: Distinct | None, found: Mapping[str, int], present: int) -> int:
    """How many different values: counted, or else as many as are listed."""
    return len(found) if distinct is None else min(distinct.estimate(), present)


def summary(kind: ColumnType, parts: Parts, bins: Bins | None) -> dict[str, object]:
    """A column in numbers, for people: what the report's table shows."""
    presence = part_of(parts, "presence", Presence) or Presence()
    told: dict[str, object] = {"rows": presence.rows, "missing": presence.missing}
    if presence.nan:
        told["nan"] = presence.nan
    if presence.infinite:
        told["infinite"] = presence.infinite
    distinct = part_of(parts, "distinct", Distinct)
    if distinct is not None:
        told["distinct"] = min(distinct.estimate(), presence.present)
    moments, extremes = part_of(parts, "moments", Moments), part_of(parts, "extremes", Extremes)
    if moments is not None and extremes is not None:
        told |= {
            "mean": value(moments.average()),
            "std": value(moments.deviation()),
            "min": value(extremes.smallest()),
            "max": value(extremes.largest()),
        }
        values, rows = sample_of(parts, bins)
        if rows.sum():
            shares = (0.05, 0.25, 0.5, 0.75, 0.95)
            told["quantiles"] = {f"{share:g}": value(quantile(values, rows, share)) for share in shares}
    lengths = part_of(parts, "lengths", Moments)
    if lengths is not None and lengths.n and kind is ColumnType.STRING:
        told["mean_length"] = value(lengths.average())
    return told


def finite(limit: float | None) -> float | None:
    """A limit as JSON; None of one that is infinite: nothing is beyond it."""
    return None if limit is None or math.isinf(limit) else limit


def value(number: Value) -> object:
    """A value as JSON: twelve significant digits, so that the order in which rows came does not show."""
    if isinstance(number, Undefined):
        return number.document()
    if math.isinf(number):  # SageMaker's rules divide by nothing
        return Undefined("it is infinite: something is divided by nothing").document()
    return float(f"{number:.12g}")
