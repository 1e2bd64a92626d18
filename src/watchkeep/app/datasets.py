"""The Python API: rows to learn from, and which column is what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeep.adapters.preprocessing import Script
from watchkeep.app.sources import open_source
from watchkeep.frames.roles import Roles
from watchkeep.service.ports import Source

Values = str | float | Sequence[str | float] | None
"""A value, or several; numbers as people write them. None, or none of them, for each value."""
Facets = Mapping[str, Values] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from, and which column is what. Made by `read`; nothing is read yet."""

    source: Source
    roles: Roles


def read(
    source: object,
    *,
    label: str | None = None,
    prediction: str | None = None,
    score: str | None = None,
    timestamp: str | None = None,
    id: str | None = None,  # noqa: A002 (the role's name)
    weight: str | None = None,
    query: str | None = None,
    members: str | None = None,
    facets: Facets = (),
    features: Sequence[str] = (),
    ignore: Sequence[str] = (),
    format: str | None = None,  # noqa: A002 (the option's name)
    header: bool | None = None,
    where: str | None = None,
    preprocess: str | Path | None = None,
) -> Dataset:
    """Rows and the roles of their columns.

    Args:
        source: a path, folder, glob or URL; a pandas, Polars, Arrow or DuckDB frame; or a list of these.
        label, prediction, score, timestamp, id, weight: the column of that role.
        query: the column that rows ranked together have in common.
        members: the column of lists of the scores that an ensemble's members gave.
        facets: columns of sensitive groups, or a mapping from column to the group's values.
        features: when given, other columns are ignored.
        ignore: columns not looked at.
        format: parquet, csv, jsonl, arrow or capture; told by name and content when not given.
        header: whether CSV has a row of names; told by the content when not given.
        where: a rule such as "region = 'EU' and age < 30": only rows of which it holds.
        preprocess: a script whose `preprocess_handler` makes rows of captures, or of lines of CSV or JSON.

    Raises:
        MissingSourceError: there is nothing at that path.
        OptionError: a role or option cannot be used.

    >>> import pyarrow as pa
    >>> read(pa.table({"age": [41, 7]}), label="age").roles.label
    'age'
    """
    groups: Mapping[str, Values] = facets if isinstance(facets, Mapping) else dict.fromkeys(facets, ())
    roles = Roles(
        label=label,
        prediction=prediction,
        score=score,
        timestamp=timestamp,
        id=id,
        weight=weight,
        query=query,
        members=members,
        facets={name: texts_of(values) for name, values in groups.items()},
        features=tuple(features),
        ignored=tuple(ignore),
        where=where,
    )
    script = None if preprocess is None else Script.read(preprocess, option="preprocess")
    return Dataset(open_source(source, format=format, header=header, script=script), roles)


def texts_of(values: Values) -> tuple[str, ...]:
    """Values as texts."""
    if values is None:
        return ()
    several = (values,) if isinstance(values, str | float | int) else values
    return tuple(one if isinstance(one, str) else f"{one:.12g}" for one in several)


def opened_of(source: object) -> tuple[Source, Roles]:
    """A source, and the roles that were given with it."""
    if isinstance(source, Dataset):
        return source.source, source.roles
    return open_source(source), Roles()
