"""Embeddings keep their length and their dimension."""

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import DIMENSION, EMBEDDING_NORM
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.frames.schema import ColumnType
from watchkeep.states.cells import Cells


def embedding_norm(column: BaselineColumn) -> Constraint | None:
    """A Kolmogorov-Smirnov distance of the norms of at most 0.1."""
    if column.type is not ColumnType.EMBEDDING or not column.presence.present:
        return None
    return Constraint(
        check=EMBEDDING_NORM,
        measure="ks",
        subject=column.name,
        side=Side.AT_MOST,
        limit=0.1,
        rule="RetainNorm",
        reason=f"the norms of {column.presence.present:,} embeddings are known",
        evidence={"embeddings": column.presence.present},
    )


def dimension(column: BaselineColumn) -> Constraint | None:
    """Only dimensions the baseline has."""
    dimensions = column.part("dimensions", Cells)
    if dimensions is None or not dimensions.total or len(dimensions.keys) > 8:
        return None
    found = (dimensions.keys << dimensions.shift).tolist()
    return Constraint(
        check=DIMENSION,
        measure="dimension_match",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=1.0,
        rule="RetainDimension",
        reason=f"embeddings have {' or '.join(map(str, found))} dimensions",
        evidence={"dimensions": found, "embeddings": dimensions.total},
    )
