"""A baseline made by SageMaker: nothing but `statistics.json` and `constraints.json`."""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.core.errors import BaselineError
from watchkeep.formats import kll
from watchkeep.formats.column_statistics import NumericStatistics
from watchkeep.formats.constraints import Constraints, FeatureConstraints
from watchkeep.formats.places import InferredType
from watchkeep.formats.statistics import Feature, Statistics
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes

KIND = "data-quality"


def foreign_baseline(
    statistics: Statistics, constraints: Constraints, roles: Roles, *, path: str, created: datetime
) -> Baseline:
    """A baseline as far as the two documents tell it: distributions from the sketches, no joint comparison.

    Args:
        statistics, constraints: the documents.
        roles: which column is what; the documents do not say.
        path: where they lie.
        created: when the statistics were written.

    Raises:
        BaselineError: no column stands in both documents.
    """
    named = [feature.name for feature in statistics.features]
    named = list(dict.fromkeys([*named, *(feature.name for feature in constraints.features)]))
    if not named:
        raise BaselineError(path, why="neither statistics.json nor constraints.json names a column")
    roles.require(named)
    seen = {feature.name: feature for feature in statistics.features}
    wanted = {feature.name: feature for feature in constraints.features}
    columns = tuple(
        _column(name, seen.get(name), wanted.get(name), roles.of(name))
        for name in named
        if roles.of(name) is not Role.IGNORED
    )
    return Baseline(
        kind=KIND,
        created=created,
        source=path,
        rows=int(statistics.item_count or 0),
        roles=roles,
        dialect=Dialect.SAGEMAKER,
        columns=columns,
        names=tuple(named),
    )


def _column(
    name: str, feature: Feature | None, wanted: FeatureConstraints | None, role: Role
) -> BaselineColumn:
    kind = wanted.inferred_type if wanted is not None and wanted.inferred_type is not None else None
    if kind is None:
        kind = InferredType.UNKNOWN if feature is None else feature.inferred_type
    column_type = ColumnType(str(kind))
    if feature is None:
        domains = () if wanted is None or wanted.domains is None else wanted.domains
        parts: dict[str, State] = {"presence": Presence()}
        if column_type is ColumnType.STRING:
            parts["categories"] = Frequencies.of(dict.fromkeys(domains, 0))
        return BaselineColumn(name, role, column_type, parts)
    return BaselineColumn(name, role, column_type, _parts(feature, column_type))


def _parts(feature: Feature, kind: ColumnType) -> dict[str, State]:
    common = feature.common
    present = int(common.present or 0) if common is not None else 0
    missing = int(common.missing or 0) if common is not None else 0
    parts: dict[str, State] = {"presence": Presence(present + missing, present)}
    if kind.numeric:
        parts["types"] = (
            ValueTypes(integral=present) if kind is ColumnType.INTEGRAL else ValueTypes(fractional=present)
        )
        if feature.numeric is not None:
            parts |= _numbers(feature.numeric, present)
    elif kind is ColumnType.STRING:
        parts["types"] = ValueTypes(string=present)
        if feature.string is not None and feature.string.categories is not None:
            found = {name: int(count) for name, count in feature.string.categories.items()}
            listed = sum(found.values())
            parts["categories"] = Frequencies(found, max(present, listed), max(0, present - listed))
    return parts


def _numbers(numeric: NumericStatistics, present: int) -> dict[str, State]:
    parts: dict[str, State] = {}
    mean, deviation = numeric.mean, numeric.std
    if mean is not None and deviation is not None:
        # Skewness and kurtosis are not in the file: not a number, so never finished from.
        parts["moments"] = Moments(present, mean, present * deviation**2, float("nan"), float("nan"))
    if numeric.minimum is not None and numeric.maximum is not None:
        parts["extremes"] = Extremes(numeric.minimum, numeric.maximum)
    sample = _sample(numeric)
    if sample is not None:
        values, rows = sample
        cells = Cells.of(values, rows)
        middle = mean if mean is not None else float(np.average(values, weights=rows))
        spread = deviation if deviation is not None else float(np.std(values))
        parts["bins"] = Bins.of(cells, mean=middle, deviation=spread)
    return parts


def _sample(numeric: NumericStatistics) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]] | None:
    if numeric.sketch:
        values, weights = kll.weighted(numeric.sketch)
        return values, weights
    if not numeric.buckets:
        return None
    # Without a sketch a bucket's rows are taken to be spread evenly over it.
    parts = 64
    steps = (np.arange(parts) + 0.5) / parts
    values = np.concatenate([low + (high - low) * steps for low, high, _ in numeric.buckets])
    counts = np.concatenate([_spread(int(count), parts) for _, _, count in numeric.buckets])
    return values, counts


def _spread(count: int, parts: int) -> npt.NDArray[np.int64]:
    ends = (np.arange(1, parts + 1) * count) // parts
    return np.diff(ends, prepend=0)
