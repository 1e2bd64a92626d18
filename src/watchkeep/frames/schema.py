"""What type a column is, for people and for measures."""

from enum import StrEnum

import pyarrow as pa

TEXTUAL = b"textual"
"""Key of the field metadata that marks a column whose values arrive as text of unknown type."""


OPEN = b"open"
"""Key of the schema metadata of a source whose later batches may bring other columns, or other types of them."""


class ColumnType(StrEnum):
    """The type of a column. The first four are those of a baseline made by SageMaker."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"
    BOOLEAN = "Boolean"
    TIME = "Time"
    EMBEDDING = "Embedding"

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return self in (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)

    @property
    def categorical(self) -> bool:
        """Whether values are counted by category."""
        return self in (ColumnType.STRING, ColumnType.BOOLEAN)


def column_type(arrow: pa.DataType) -> ColumnType:
    """The type of a column that is stored as this Arrow type.

    >>> column_type(pa.int32()), column_type(pa.list_(pa.float32()))
    (<ColumnType.INTEGRAL: 'Integral'>, <ColumnType.EMBEDDING: 'Embedding'>)
    """
    is_ = pa.types
    if is_.is_dictionary(arrow):
        return column_type(arrow.value_type)
    if is_.is_null(arrow):
        return ColumnType.UNKNOWN
    if is_.is_integer(arrow):
        return ColumnType.INTEGRAL
    if is_.is_floating(arrow) or is_.is_decimal(arrow):
        return ColumnType.FRACTIONAL
    if is_.is_boolean(arrow):
        return ColumnType.BOOLEAN
    if is_.is_timestamp(arrow) or is_.is_date(arrow):
        return ColumnType.TIME
    if is_embedding(arrow):
        return ColumnType.EMBEDDING
    return ColumnType.STRING


def is_embedding(arrow: pa.DataType) -> bool:
    """Whether a column holds lists of numbers."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(arrow) for test in lists) and (
        pa.types.is_floating(arrow.value_type) or pa.types.is_integer(arrow.value_type)
    )


def is_text(arrow: pa.DataType) -> bool:
    """Whether a column holds strings, dictionary-encoded or not."""
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    return bool(
        pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow)
    )


def is_textual(field: pa.Field) -> bool:
    """Whether a field is marked as text of unknown type."""
    return bool(field.metadata and field.metadata.get(TEXTUAL))
