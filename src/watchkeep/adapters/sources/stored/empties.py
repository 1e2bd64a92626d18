"""Columns in which no row of a file has a value.

A file tells their names and does not hold them: they have no type yet, and readers such as Spark and pandas, which want
a column to be of one type in all files, would give them one.
"""

import json
from typing import Final

import pyarrow as pa

from watchkeep.adapters.sources.stored.columns import PREFIX

_NAMES: Final = b"watchkeep.columns"
"""Under which a schema tells all columns of bodies in their order, where the file does not hold all of them."""


def without_empty(schema: pa.Schema) -> pa.Schema:
    """A schema as a file is to have it.

    >>> told = without_empty(pa.schema([("age", pa.int64()), ("note", pa.null())]))
    >>> told.names, with_empty(told).names
    (['age'], ['age', 'note'])
    """
    kept = [part for part in schema if part.name.startswith(PREFIX) or not pa.types.is_null(part.type)]
    if len(kept) == len(schema):
        return schema
    names = [name for name in schema.names if not name.startswith(PREFIX)]
    return pa.schema(kept, {**(schema.metadata or {}), _NAMES: json.dumps(names).encode()})


def with_empty(schema: pa.Schema) -> pa.Schema:
    """The columns of a file with those that it only tells of; these are of the type that has no values."""
    told = (schema.metadata or {}).get(_NAMES)
    if told is None:
        return schema
    held = {part.name: part for part in schema}
    names = [*dict.fromkeys([*json.loads(told), *schema.names])]
    rest = {key: value for key, value in schema.metadata.items() if key != _NAMES}
    return pa.schema([held.get(name) or pa.field(name, pa.null()) for name in names], rest or None)
