"""Values keep their type."""

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import DATA_TYPE
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.shares import matching
from watchkeep.states.value_types import ValueTypes


def retain_type(column: BaselineColumn) -> Constraint | None:
    """As large a share of values of the column's type as the baseline has: all of them, as a rule."""
    types = column.part("types", ValueTypes)
    if types is None or not types.total or column.type is ColumnType.UNKNOWN or column.role.identifies:
        return None
    fit = matching(column.type, types)
    return Constraint(
        check=DATA_TYPE,
        measure="type_match",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=fit / types.total,
        rule="RetainType",
        reason=f"{fit:,} of {types.total:,} values are {column.type}",
        evidence={"matching": fit, "values": types.total},
    )
