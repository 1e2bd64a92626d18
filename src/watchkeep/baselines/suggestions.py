"""All that a baseline suggests: every rule over every column, in a fixed order."""

from collections.abc import Callable, Sequence
from typing import Final

from watchkeep.baselines.baseline import JointBaseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.rules.category_range import category_range, new_categories
from watchkeep.baselines.rules.dataset import freshness, joint_drift, retain_rows, row_volume
from watchkeep.baselines.rules.embeddings import dimension, embedding_norm
from watchkeep.baselines.rules.numbers import finite, non_negative, value_range, varies
from watchkeep.baselines.rules.retain_completeness import retain_completeness
from watchkeep.baselines.rules.retain_type import retain_type
from watchkeep.baselines.rules.unique import unique
from watchkeep.constraints.constraint import Constraint
from watchkeep.core.undefined import Value
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType

COLUMN_RULES: Final[tuple[Callable[[BaselineColumn], Constraint | None], ...]] = (
    retain_type,
    retain_completeness,
    category_range,
    new_categories,
    non_negative,
    value_range,
    finite,
    varies,
    unique,
    embedding_norm,
    dimension,
)


def suggest(
    columns: Sequence[BaselineColumn], joint: JointBaseline | None, *, rows: int, rejected: Value
) -> tuple[Constraint, ...]:
    """Every constraint the columns suggest, then those of the dataset.

    Args:
        columns: of the baseline.
        joint: its numeric columns together.
        rows: rows read.
        rejected: the share of rows that could not be used.
    """
    found = [made for column in columns for rule in COLUMN_RULES if (made := rule(column)) is not None]
    time = next(
        (one for one in columns if one.role is Role.TIMESTAMP and one.type is ColumnType.TIME),
        None,
    )
    return (*found, retain_rows(rows, rejected), *row_volume(time), *freshness(time), *joint_drift(joint))
