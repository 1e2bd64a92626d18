"""What requests must be like, made of a baseline of data quality: the document that model servers check them by."""

from collections.abc import Callable
from math import ceil, floor, inf, isfinite, log10, nextafter
from pathlib import Path
from typing import Any, Final

from watchkeep.adapters.whole_file import write_whole
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.capture.admission import BYTES, ROWS, VERSION, Admission
from watchkeep.capture.admission_columns import ANY, BOOLEAN, INTEGER, NUMBER, NUMBERS, TEXT, TIME
from watchkeep.constraints import checks
from watchkeep.core.errors import BaselineError, OptionError
from watchkeep.core.window import iso
from watchkeep.formats import json_text
from watchkeep.formats.constraints import FeatureConstraints
from watchkeep.formats.monitoring import MonitoringConfig
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.service.checking import DataLearned
from watchkeep.service.learned import Learned
from watchkeep.states.cells import Cells
from watchkeep.states.extremes import Extremes

SLACK: Final = 1.0
"""How far beyond the baseline's range a number may lie, in widths of that range, where nobody says otherwise.

The ends of a range are what a sample tells least of: of new values of the same kind, as many as 2 in n + 1 lie outside
the range of n values, so that 3,000 rows of 40 columns would have one in 38 good requests flagged. What admission is
for lies far outside: other units, codes for "no value" such as -999, garbage. One width beyond either end leaves room
for what is merely new, and still shows a price in cents for what it is.
"""
_TYPES: Final = {
    ColumnType.INTEGRAL: INTEGER,
    ColumnType.FRACTIONAL: NUMBER,
    ColumnType.STRING: TEXT,
    ColumnType.BOOLEAN: BOOLEAN,
    ColumnType.TIME: TIME,
    ColumnType.EMBEDDING: NUMBERS,
    ColumnType.UNKNOWN: ANY,
}
_ASKED: Final = (Role.FEATURE, Role.FACET)
_ANSWERED: Final = (Role.LABEL, Role.PREDICTION, Role.SCORE)
_DIGITS: Final = 3
"""Digits of a range's width to which its ends are rounded, outwards."""


def admission_document(
    learned: Learned,
    *,
    roles: Roles | None = None,
    slack: float = SLACK,
    rows: int = ROWS,
    size: int = BYTES,
) -> dict[str, Any]:
    """The document of what requests must be like.

    Features are checked: their type, whether they may be missing, their range with `slack`, and their categories, as
    far as `constraints.json` asks for them all the time. Answers do not come with requests. All other columns may come,
    and are not looked at.

    Args:
        learned: a baseline of data quality, ours or SageMaker's.
        roles: which column is what, where it is not as the baseline says.
        slack: how far beyond the baseline's range a number may lie, in widths of that range; infinity for no ranges.
        rows, size: rows and bytes of a request, at most.

    Raises:
        BaselineError: it is of another monitor, or has no features.
        OptionError: `slack` is negative or no number.
        MissingColumnError: a role names a column that the baseline does not have.
    """
    if not isinstance(learned, DataLearned):
        why = f"it is of {learned.baseline.kind}; admission is made of a baseline of data-quality"
        raise BaselineError(learned.baseline.source, why=why)
    if not slack >= 0:
        raise OptionError("--slack", got=str(slack), expected="a number, 0 or more")
    baseline, document = learned.in_force(learned.baseline.dialect).baseline, learned.document
    own = baseline.roles if roles is None else baseline.roles.under(roles)
    names = list(dict.fromkeys([*baseline.names, *(column.name for column in baseline.columns)]))
    own.require(names)
    asked = [column for column in baseline.columns if own.of(column.name) in _ASKED]
    if not asked:
        raise BaselineError(
            baseline.source, why="none of its columns is a feature, so there is nothing to check"
        )
    known = [name for name in names if own.of(name) not in (*_ASKED, *_ANSWERED)]
    strict = {one.subject: one.limit >= 1.0 for one in baseline.constraints if one.check == checks.DATA_TYPE}
    told: dict[str, Any] = {
        "version": VERSION,
        "baseline": {
            "id": learned.id,
            "created": iso(baseline.created),
            "rows": baseline.rows,
            "source": baseline.source,
        },
        "columns": [
            _column(
                column,
                document.feature(column.name),
                document.config_for(column.name),
                strict=strict.get(column.name, True),
                foreign=baseline.dialect.sagemaker,
                slack=slack,
            )
            for column in asked
        ],
        **({"known": known} if known else {}),
        "rows": rows,
        "bytes": size,
    }
    Admission.of(told)
    return told


def write_admission(told: dict[str, object], path: Path) -> None:
    """Write a document, whole or not at all.

    Raises:
        BadInputError: it cannot be written.
    """
    write_whole(path, json_text.dumps(told).encode())


def _column(
    column: BaselineColumn,
    wanted: FeatureConstraints | None,
    config: MonitoringConfig,
    *,
    strict: bool,
    foreign: bool,
    slack: float,
) -> dict[str, Any]:
    """What one column must be like.

    Args:
        column: as the baseline knows it.
        wanted, config: what its constraints ask for, and how they are applied.
        strict: whether all values must be of the type.
        foreign: whether types are told as SageMaker tells them.
        slack: see `admission_document`.
    """
    if wanted is None or not config.evaluate_constraints:
        return {"name": column.name}
    kind, domain = _TYPES[column.type], wanted.domains
    if foreign and domain is not None and {value.lower() for value in domain} <= {"true", "false"}:
        kind = ANY  # SageMaker's files call truths texts
    told: dict[str, Any] = {"name": column.name}
    if strict and kind != ANY:
        told["type"] = kind
    told["nullable"] = wanted.completeness is None or wanted.completeness < 1
    if column.type.numeric:
        told |= _range(column, slack=slack, positive=wanted.is_non_negative is True)
    if kind in (TEXT, ANY) and strict and domain is not None and config.domain_content_threshold >= 1:
        told["categories"] = list(domain)
    length = _length(column)
    if strict and length is not None:
        told["length"] = length
    return told


def _range(column: BaselineColumn, *, slack: float, positive: bool) -> dict[str, float]:
    """The least and the greatest number that a column may hold."""
    extremes = column.part("extremes", Extremes)
    least: dict[str, float] = {"min": 0} if positive else {}
    if extremes is None or extremes.empty or not isfinite(slack) or extremes.low == extremes.high:
        return least  # a single value has no width
    width = extremes.high - extremes.low
    if not isfinite(width):
        return least
    low, high = extremes.low - slack * width, extremes.high + slack * width
    whole = column.type is ColumnType.INTEGRAL
    step = 1.0 if whole else 10.0 ** (floor(log10(width)) - _DIGITS) if slack else 0.0
    low, high = _rounded(low, step, floor), _rounded(high, step, ceil)
    low = max(low, 0) if positive else low
    return {"min": low, "max": high} if isfinite(low) and isfinite(high) else least


def _rounded(value: float, step: float, way: Callable[[float], int]) -> float:
    """A number at a multiple of a step, downwards or upwards, a whole one as such; itself where the step is 0."""
    if not step:
        return value
    if abs(value) >= 2**53:  # doubles of that size are no longer each a whole number of their own
        return nextafter(value, -inf if way is floor else inf)
    found = float(f"{way(value / step) * step:.12g}")
    if (found > value) if way is floor else (found < value):
        found = value
    return int(found) if found.is_integer() else found


def _length(column: BaselineColumn) -> int | None:
    """How many numbers the lists of a column hold, where all hold as many."""
    held = column.part("dimensions", Cells)
    if held is None or held.shift or len(held.keys) != 1:
        return None
    return int(held.keys[0])
