"""Where a window's numbers lie: moments, extremes, different values."""

from typing import ClassVar

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.roles import Role
from watchkeep.measures.columns import Column
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments


def _numbers(column: Column) -> bool:
    return column.type.numeric and column.role is not Role.ID


def _moments(column: Column) -> Moments:
    return column.now("moments", Moments) or Moments()


def _extremes(column: Column) -> Extremes:
    return column.now("extremes", Extremes) or Extremes()


class Mean:
    """The mean of a window's finite numbers, in the column's unit."""

    name: ClassVar[str] = "mean"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """Sum / n."""
        return _moments(column).average()


class Std:
    """The population standard deviation of a window's finite numbers, in the column's unit."""

    name: ClassVar[str] = "std"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """sqrt(m2 / n)."""
        return _moments(column).deviation()


class Skewness:
    """The population skewness of a window's finite numbers: 0 when symmetric, no unit."""

    name: ClassVar[str] = "skewness"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """sqrt(n) m3 / m2**1.5."""
        return _moments(column).skewness()


class Kurtosis:
    """The excess kurtosis of a window's finite numbers: 0 for the normal law, no unit."""

    name: ClassVar[str] = "kurtosis"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """N m4 / m2**2 - 3."""
        return _moments(column).kurtosis()


class Min:
    """The smallest of a window's finite numbers."""

    name: ClassVar[str] = "min"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """The smallest."""
        return _extremes(column).smallest()


class Max:
    """The largest of a window's finite numbers."""

    name: ClassVar[str] = "max"

    def applies(self, column: Column) -> bool:
        """For numbers."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """The largest."""
        return _extremes(column).largest()


class DistinctValues:
    """Different values in a window; beyond 1,023 an estimate with a relative standard error of 3.1 %."""

    name: ClassVar[str] = "distinct"

    def applies(self, column: Column) -> bool:
        """For columns whose different values are counted."""
        return column.before("distinct", Distinct) is not None

    def finish(self, column: Column) -> Value:
        """The number of different values."""
        distinct = column.now("distinct", Distinct)
        if distinct is None:
            return Undefined("distinct needs a column that the window has")
        # There cannot be more than values, whatever the estimate says.
        return float(min(distinct.estimate(), column.presence.present))
