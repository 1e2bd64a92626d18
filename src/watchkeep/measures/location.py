"""Where a window's numbers lie: moments, extremes, different values."""

from collections.abc import Callable

from watchkeep.core.undefined import Undefined, Value
from watchkeep.measures.columns import Column, Measure, numbers
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments


def _of_moments(name: str, finish: Callable[[Moments], Value]) -> Measure:
    return Measure(name, numbers, lambda column: finish(column.now("moments", Moments) or Moments()))


def _of_extremes(name: str, finish: Callable[[Extremes], Value]) -> Measure:
    return Measure(name, numbers, lambda column: finish(column.now("extremes", Extremes) or Extremes()))


def counted(column: Column) -> bool:
    """Columns whose different values are counted."""
    return column.before("distinct", Distinct) is not None


def _distinct(column: Column) -> Value:
    distinct = column.now("distinct", Distinct)
    if distinct is None:
        return Undefined("distinct needs a column that the window has")
    # There cannot be more than values, whatever the estimate says.
    return float(min(distinct.estimate(), column.presence.present))


MEAN = _of_moments("mean", Moments.average)
"""The mean of a window's finite numbers, in the column's unit."""
STD = _of_moments("std", Moments.deviation)
"""The population standard deviation of a window's finite numbers, sqrt(m2 / n), in the column's unit."""
SKEWNESS = _of_moments("skewness", Moments.skewness)
"""The population skewness of a window's finite numbers, sqrt(n) m3 / m2**1.5: 0 when symmetric, no unit."""
KURTOSIS = _of_moments("kurtosis", Moments.kurtosis)
"""The excess kurtosis of a window's finite numbers, n m4 / m2**2 - 3: 0 for the normal law, no unit."""
MIN = _of_extremes("min", Extremes.smallest)
"""The smallest of a window's finite numbers."""
MAX = _of_extremes("max", Extremes.largest)
"""The largest of a window's finite numbers."""
DISTINCT = Measure("distinct", counted, _distinct)
"""Different values in a window; beyond 1,023 an estimate with a relative standard error of 3.1 %."""
