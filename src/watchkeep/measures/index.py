"""The whole list of column measures, by hand, in the order reports show them; a test keeps it whole."""

from types import MappingProxyType
from typing import Final

from watchkeep.core.undefined import Undefined, Value
from watchkeep.measures.columns import Column, Measure
from watchkeep.measures.drift import Chi2, Chi2P, Hellinger, Js, Ks, Linf, LinfRobust, Psi, Tv, Wasserstein
from watchkeep.measures.location import DistinctValues, Kurtosis, Max, Mean, Min, Skewness, Std
from watchkeep.measures.shares import (
    Completeness,
    DimensionMatch,
    DomainMatch,
    Infinite,
    Negative,
    Outliers,
    OutOfRange,
    TypeMatch,
    Uniqueness,
)

MEASURES: Final[tuple[Measure, ...]] = (
    Completeness(),
    TypeMatch(),
    DomainMatch(),
    DistinctValues(),
    Uniqueness(),
    Mean(),
    Std(),
    Skewness(),
    Kurtosis(),
    Min(),
    Max(),
    Outliers(),
    OutOfRange(),
    Negative(),
    Infinite(),
    DimensionMatch(),
    Ks(),
    Linf(),
    LinfRobust(),
    Psi(),
    Js(),
    Hellinger(),
    Tv(),
    Wasserstein(),
    Chi2(),
    Chi2P(),
)
BY_NAME: Final = MappingProxyType({measure.name: measure for measure in MEASURES})


def finish_all(column: Column) -> dict[str, Value]:
    """Every measure that means anything for a column, by name, in the order of `MEASURES`."""
    if not column.window:
        return {
            measure.name: Undefined("the window has no such column")
            for measure in MEASURES
            if measure.applies(column)
        }
    return {measure.name: measure.finish(column) for measure in MEASURES if measure.applies(column)}
