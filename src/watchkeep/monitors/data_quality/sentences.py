"""What a verdict says, in words."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.constraints.judging import Judgement
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET, Outcome
from watchkeep.measures.columns import Column
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.extremes import Extremes
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import CLASSES, ValueTypes


def sentence(constraint: Constraint, value: Value, judgement: Judgement, column: Column | None) -> str:
    """One sentence on what was decided and why."""
    about = "" if constraint.subject == DATASET else f"{constraint.subject}: "
    if judgement.outcome is Outcome.UNDECIDED or isinstance(value, Undefined):
        return f"{about}{judgement.why}"
    told = TELLERS.get(constraint.measure) if judgement.outcome is Outcome.VIOLATED else None
    if told is None or (column is None and constraint.subject != DATASET):
        text = f"{constraint.measure} is {value:.4g}, {_limit(constraint)}"
    else:
        text = told(constraint, value, column)
    return f"{about}{text}" + (f" ({judgement.why})" if judgement.why else "")


def _limit(constraint: Constraint) -> str:
    return (
        f"{'at least' if constraint.side is Side.AT_LEAST else 'at most'} {constraint.limit:.6g} is allowed"
    )


def percent(share: float) -> str:
    """A share as a percentage, with as many digits as it needs to tell it from 0 and 1.

    >>> percent(0.5), percent(0.00012), percent(1.0)
    ('50 %', '0.012 %', '100 %')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    digits = f"{100 * share:.3g}"
    return f"{'99.99' if digits == '100' and share < 1 else digits} %"


def _completeness(constraint: Constraint, value: float, column: Column | None) -> str:
    assert column is not None  # noqa: S101 (sentence asks only with a column)
    now, before = column.presence, column.before("presence", Presence) or Presence()
    then = percent(before.missing / before.rows) if before.rows else "unknown"
    return f"{percent(1 - value)} of values are missing ({now.missing} of {now.rows}); in the baseline {then}"


def _types(constraint: Constraint, value: float, column: Column | None) -> str:
    assert column is not None  # noqa: S101 (sentence asks only with a column)
    types = column.now("types", ValueTypes) or ValueTypes()
    shown = ", ".join(f"{getattr(types, name)} {name}" for name in CLASSES if getattr(types, name))
    return (
        f"only {percent(value)} of values are {column.type} ({shown}), {percent(constraint.limit)} expected"
    )


def _domain(constraint: Constraint, value: float, column: Column | None) -> str:
    assert column is not None  # noqa: S101 (sentence asks only with a column)
    rows = column.now("category_counts", CategoryCounts)
    rest = [] if rows is None else rows.rest.ranked()
    strangers = [name for name, _ in rest if name not in (column.domain or ())]
    named = ", ".join(map(repr, strangers[:3])) + (", ..." if len(strangers) > 3 else "")
    return f"{percent(1 - value)} of values are not in the baseline's categories" + (
        f": {named}" if named else ""
    )


def _range(constraint: Constraint, value: float, column: Column | None) -> str:
    assert column is not None  # noqa: S101 (sentence asks only with a column)
    before, now = column.before("extremes", Extremes), column.now("extremes", Extremes)
    text = f"{percent(value)} of values lie outside the baseline's range"
    if before is None or before.empty or now is None or now.empty:
        return text
    return f"{text} of {before.low:.6g} to {before.high:.6g}; now {now.low:.6g} to {now.high:.6g}"


def _drift(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"the distribution moved by {value:.3g} ({constraint.measure}), {constraint.limit:g} is allowed"


def _negative(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{percent(value)} of values are below zero; in the baseline none"


def _infinite(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{percent(value)} of values are infinite; in the baseline {percent(constraint.limit)}"


def _unique(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"only {percent(value)} of values are different; in the baseline about all"


def _constant(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{value:.0f} different value{'' if value == 1 else 's'} where the baseline has many"


def _dimension(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{percent(1 - value)} of embeddings have a dimension the baseline does not know"


def _volume(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{value:.6g} rows a day, {_limit(constraint)}"


def _rejected(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"{percent(value)} of rows were rejected, {percent(constraint.limit)} are allowed"


def _freshness(constraint: Constraint, value: float, column: Column | None) -> str:
    allowed = constraint.limit / 3600
    return (
        f"the newest row is {value / 3600:.3g} hours older than the window's end, {allowed:.3g} are allowed"
    )


def _joint(constraint: Constraint, value: float, column: Column | None) -> str:
    return f"the numeric columns together moved by {value:.3g} (squared MMD), {constraint.limit:g} is allowed"


Teller = Callable[[Constraint, float, Column | None], str]
TELLERS: Final[Mapping[str, Teller]] = MappingProxyType(
    {
        "completeness": _completeness,
        "type_match": _types,
        "domain_match": _domain,
        "out_of_range": _range,
        "ks": _drift,
        "linf": _drift,
        "linf_robust": _drift,
        "negative": _negative,
        "infinite": _infinite,
        "uniqueness": _unique,
        "distinct": _constant,
        "dimension_match": _dimension,
        "rows_per_day": _volume,
        "rejected": _rejected,
        "freshness": _freshness,
        "mmd": _joint,
    }
)
