"""The whole list of column measures, by hand, in the order reports show them; a test keeps it whole."""

from types import MappingProxyType
from typing import Final

from watchkeep.core.undefined import Fault, Undefined, Value
from watchkeep.measures import drift, location, shares
from watchkeep.measures.columns import Column, Measure

MEASURES: Final[tuple[Measure, ...]] = (
    shares.COMPLETENESS,
    shares.TYPE_MATCH,
    shares.DOMAIN_MATCH,
    location.DISTINCT,
    shares.UNIQUENESS,
    location.MEAN,
    location.STD,
    location.SKEWNESS,
    location.KURTOSIS,
    location.MIN,
    location.MAX,
    shares.OUTLIERS,
    shares.OUT_OF_RANGE,
    shares.NEGATIVE,
    shares.INFINITE,
    shares.DIMENSION_MATCH,
    drift.KS,
    drift.LINF,
    drift.LINF_ROBUST,
    drift.PSI,
    drift.JS,
    drift.HELLINGER,
    drift.TV,
    drift.WASSERSTEIN,
    drift.CHI2,
    drift.CHI2_P,
)
BY_NAME: Final = MappingProxyType({measure.name: measure for measure in MEASURES})


def finish_all(column: Column) -> dict[str, Value]:
    """Every measure that means anything for a column, by name, in the order of `MEASURES`."""
    missing = Undefined("the window has no such column")
    return {
        measure.name: _finished(measure, column) if column.window else missing
        for measure in MEASURES
        if measure.about(column)
    }


def _finished(measure: Measure, column: Column) -> Value:
    try:
        return measure.finish(column)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # One measure's fault is its own: the others still report.
        return Fault(f"{measure.name} failed: {type(error).__name__}: {error}")
