"""Shares of rows, all in [0, 1]: how many hold a value, one of the right type, one that is allowed."""

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import Column, Measure, numbers
from watchkeep.measures.location import counted
from watchkeep.measures.quantiles import quantile
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells
from watchkeep.states.distinct import Distinct
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.value_types import ValueTypes

FENCE = 3.0
"""Inter-quartile ranges beyond the quartiles at which a value is an outlier (Tukey's outer fence)."""


def _completeness(column: Column) -> Value:
    rows = column.presence.rows
    return column.presence.present / rows if rows else Undefined("completeness needs 1 row, has 0")


def _type_match(column: Column) -> Value:
    types = column.now("types", ValueTypes)
    if types is None or not types.total:
        return Undefined("type_match needs 1 value, has 0")
    return matching(column.type, types) / types.total


def matching(kind: ColumnType, types: ValueTypes) -> int:
    """Values that are of a column's type."""
    if kind is ColumnType.INTEGRAL:
        return types.integral
    if kind is ColumnType.FRACTIONAL:
        return types.integral + types.fractional
    if kind is ColumnType.BOOLEAN:
        return types.boolean
    if kind in (ColumnType.TIME, ColumnType.EMBEDDING):
        return types.other
    return types.total


def _domain_match(column: Column) -> Value:
    listed, rows = column.before("categories", Frequencies), column.now("category_counts", CategoryCounts)
    if listed is None or rows is None or not rows.total:
        return Undefined("domain_match needs 1 value, has 0")
    if column.domain is None:
        return 1 - rows.rest.total / rows.total
    names = [name for name, _ in listed.ranked()]
    inside = sum(
        count for name, count in zip(names, rows.counts.tolist(), strict=True) if name in column.domain
    )
    inside += sum(count for name, count in rows.rest.counts.items() if name in column.domain)
    return float(inside / rows.total)


def _out_of_range(column: Column) -> Value:
    counts, bins = column.now("bin_counts", BinCounts), column.before("bins", Bins)
    if bins is None or not len(bins):
        return Undefined("the baseline holds no numbers, so it has no range")
    if counts is None or not counts.total:
        return Undefined("out_of_range needs 1 number, has 0")
    return column.outside / counts.total


def _negative(column: Column) -> Value:
    counts, bins = column.now("bin_counts", BinCounts), column.before("bins", Bins)
    if counts is None or bins is None or not counts.total:
        return Undefined("negative needs 1 number, has 0")
    negative = sum(int(side.counts[side.keys < 0].sum()) for side in (counts.below, counts.above))
    negative += int(counts.counts[bins.edges[:-1] < 0].sum()) if len(bins) else 0
    return negative / counts.total


def _outliers(column: Column) -> Value:
    counts, bins = column.now("bin_counts", BinCounts), column.before("bins", Bins)
    if bins is None or counts is None or not counts.total:
        return Undefined("outliers needs 1 number, has 0")
    fences = outer_fences(bins)
    if isinstance(fences, Undefined):
        return fences
    low, high = fences
    beyond = int(counts.counts[(bins.centers < low) | (bins.centers > high)].sum())
    for cells in (counts.below, counts.above):
        lows = cells.lows()
        beyond += int(cells.counts[(lows < low) | (lows > high)].sum())
    return beyond / counts.total


def outer_fences(bins: Bins) -> tuple[float, float] | Undefined:
    """The numbers beyond which a value is an outlier."""
    if not len(bins):
        return Undefined("the baseline holds no numbers, so it has no fences")
    first, third = quantile(bins.centers, bins.counts, 0.25), quantile(bins.centers, bins.counts, 0.75)
    reach = FENCE * (third - first)
    if not np.isfinite(reach) or reach <= 0:
        return Undefined("the baseline's middle half is one value, so it has no fences")
    return first - reach, third + reach


def _infinite(column: Column) -> Value:
    presence = column.presence
    return (
        presence.infinite / presence.present
        if presence.present
        else Undefined("infinite needs 1 value, has 0")
    )


def _uniqueness(column: Column) -> Value:
    distinct, present = column.now("distinct", Distinct), column.presence.present
    if distinct is None or not present:
        return Undefined("uniqueness needs 1 value, has 0")
    return min(1.0, distinct.estimate() / present)


def _dimension_match(column: Column) -> Value:
    known, seen = column.before("dimensions", Cells), column.now("dimensions", Cells)
    if known is None or seen is None or not seen.total:
        return Undefined("dimension_match needs 1 embedding, has 0")
    return int(seen.counts[np.isin(seen.keys << seen.shift, known.keys << known.shift)].sum()) / seen.total


def _every(_: Column) -> bool:
    return True


def _typed(column: Column) -> bool:
    return column.type is not ColumnType.UNKNOWN and not column.role.identifies


def _listed(column: Column) -> bool:
    """Categories all of which the baseline knows, or a constraint lists."""
    listed = column.before("categories", Frequencies)
    return listed is not None and (listed.exact or column.domain is not None)


COMPLETENESS = Measure("completeness", _every, _completeness)
"""Share of a column's rows that hold a value."""
TYPE_MATCH = Measure("type_match", _typed, _type_match)
"""Share of present values that are of the column's type.

A whole number is a Fractional; whether a number without a fraction written as 3.0 is Integral depends on the
dialect. Everything that can be written down is a String.
"""
DOMAIN_MATCH = Measure("domain_match", _listed, _domain_match)
"""Share of present values in the domain: the constraint's list where there is one, else the baseline's categories."""
OUT_OF_RANGE = Measure("out_of_range", numbers, _out_of_range)
"""Share of a window's numbers below the baseline's smallest or above its largest."""
NEGATIVE = Measure("negative", numbers, _negative)
"""Share of a window's numbers that are below zero."""
OUTLIERS = Measure("outliers", numbers, _outliers)
"""Share of a window's numbers beyond the baseline's outer fences, 3 inter-quartile ranges outside the quartiles.

References:
    Tukey (1977), Exploratory Data Analysis, section 2D.
"""
INFINITE = Measure("infinite", numbers, _infinite)
"""Share of present values that are infinite."""
UNIQUENESS = Measure("uniqueness", counted, _uniqueness)
"""Different values by present value; 1 when no value repeats. Beyond 1,023 an estimate, standard error 3.1 %."""
DIMENSION_MATCH = Measure(
    "dimension_match", lambda column: column.type is ColumnType.EMBEDDING, _dimension_match
)
"""Share of a window's embeddings with a number of dimensions that the baseline has."""
