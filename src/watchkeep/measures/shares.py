"""Shares of rows: how many hold a value, one of the right type, one that is allowed."""

from typing import ClassVar

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import Column
from watchkeep.measures.quantiles import quantile
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells
from watchkeep.states.distinct import Distinct
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.value_types import ValueTypes

FENCE = 3.0
"""Inter-quartile ranges beyond the quartiles at which a value is an outlier (Tukey's outer fence)."""


class Completeness:
    """Share of a column's rows that hold a value: in [0, 1]."""

    name: ClassVar[str] = "completeness"

    def applies(self, column: Column) -> bool:  # noqa: ARG002 (any column can lack values)
        """For every column."""
        return True

    def finish(self, column: Column) -> Value:
        """Present / rows."""
        rows = column.presence.rows
        return column.presence.present / rows if rows else Undefined("completeness needs 1 row, has 0")


class TypeMatch:
    """Share of present values that are of the column's type: in [0, 1].

    A whole number is a Fractional; whether a number without a fraction written as 3.0 is Integral depends on the
    dialect. Everything that can be written down is a String.
    """

    name: ClassVar[str] = "type_match"

    def applies(self, column: Column) -> bool:
        """For columns whose baseline has a type."""
        return column.type is not ColumnType.UNKNOWN and column.role is not Role.ID

    def finish(self, column: Column) -> Value:
        """Matching / present."""
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


class DomainMatch:
    """Share of present values that are in the column's domain: in [0, 1].

    The domain is the constraint's list where there is one, else the categories of the baseline.
    """

    name: ClassVar[str] = "domain_match"

    def applies(self, column: Column) -> bool:
        """For categories, all of which the baseline knows."""
        listed = column.before("categories", Frequencies)
        return listed is not None and (listed.exact or column.domain is not None)

    def finish(self, column: Column) -> Value:
        """In the domain / present."""
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


class OutOfRange:
    """Share of a window's numbers below the baseline's smallest or above its largest: in [0, 1]."""

    name: ClassVar[str] = "out_of_range"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return column.type.numeric and column.role is not Role.ID

    def finish(self, column: Column) -> Value:
        """Outside / numbers."""
        counts, bins = column.now("bin_counts", BinCounts), column.before("bins", Bins)
        if bins is None or not len(bins):
            return Undefined("the baseline holds no numbers, so it has no range")
        if counts is None or not counts.total:
            return Undefined("out_of_range needs 1 number, has 0")
        return column.outside / counts.total


class Negative:
    """Share of a window's numbers that are below zero: in [0, 1]."""

    name: ClassVar[str] = "negative"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return column.type.numeric and column.role is not Role.ID

    def finish(self, column: Column) -> Value:
        """Negative / numbers."""
        counts, bins = column.now("bin_counts", BinCounts), column.before("bins", Bins)
        if counts is None or bins is None or not counts.total:
            return Undefined("negative needs 1 number, has 0")
        negative = sum(int(side.counts[side.keys < 0].sum()) for side in (counts.below, counts.above))
        negative += int(counts.counts[bins.edges[:-1] < 0].sum()) if len(bins) else 0
        return negative / counts.total


class Outliers:
    """Share of a window's numbers beyond the baseline's outer fences: in [0, 1].

    The fences lie 3 inter-quartile ranges below the first and above the third quartile of the baseline.

    References:
        Tukey (1977), Exploratory Data Analysis, section 2D.
    """

    name: ClassVar[str] = "outliers"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return column.type.numeric and column.role is not Role.ID

    def finish(self, column: Column) -> Value:
        """Beyond / numbers."""
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


class Infinite:
    """Share of present values that are infinite: in [0, 1]."""

    name: ClassVar[str] = "infinite"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return column.type.numeric and column.role is not Role.ID

    def finish(self, column: Column) -> Value:
        """Infinite / present."""
        presence = column.presence
        return (
            presence.infinite / presence.present
            if presence.present
            else Undefined("infinite needs 1 value, has 0")
        )


class Uniqueness:
    """Different values by present value: in [0, 1]; 1 when no value repeats.

    Beyond 1,023 different values their number is an estimate with a relative standard error of 3.1 %.
    """

    name: ClassVar[str] = "uniqueness"

    def applies(self, column: Column) -> bool:
        """For columns whose different values are counted."""
        return column.before("distinct", Distinct) is not None

    def finish(self, column: Column) -> Value:
        """min(1, distinct / present)."""
        distinct, present = column.now("distinct", Distinct), column.presence.present
        if distinct is None or not present:
            return Undefined("uniqueness needs 1 value, has 0")
        return min(1.0, distinct.estimate() / present)


class DimensionMatch:
    """Share of a window's embeddings with a number of dimensions that the baseline has: in [0, 1]."""

    name: ClassVar[str] = "dimension_match"

    def applies(self, column: Column) -> bool:
        """For embeddings."""
        return column.type is ColumnType.EMBEDDING

    def finish(self, column: Column) -> Value:
        """Matching / embeddings."""
        known, seen = column.before("dimensions", Cells), column.now("dimensions", Cells)
        if known is None or seen is None or not seen.total:
            return Undefined("dimension_match needs 1 embedding, has 0")
        return (
            int(seen.counts[np.isin(seen.keys << seen.shift, known.keys << known.shift)].sum()) / seen.total
        )
