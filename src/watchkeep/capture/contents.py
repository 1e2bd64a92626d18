"""The rows of a body, by its content type."""

from functools import lru_cache
from itertools import chain
from typing import Final

from watchkeep.capture.payloads import (
    NOT_BODY,
    MakeRow,
    Rejection,
    Row,
    bodies_of_json,
    flat_row,
    rows_of_csv,
    rows_of_json,
)
from watchkeep.core.errors import DuplicateColumnError

NOT_TEXT: Final = "payload is neither CSV nor JSON"
_CSV: Final = ("text/csv", "application/csv", "text/plain")


def media_type(content_type: str) -> str:
    """The type alone, without parameters.

    >>> media_type("Text/CSV; charset=utf-8")
    'text/csv'
    """
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def is_csv(content_type: str) -> bool:
    """Whether bodies of this type hold rows of CSV."""
    return media_type(content_type) in _CSV


@lru_cache(maxsize=256)
def is_json(content_type: str) -> bool:
    """Whether bodies of this type hold JSON; so those do that say nothing."""
    kind = media_type(content_type)
    return not kind or kind.endswith(("json", "jsonl", "jsonlines", "x-ndjson"))


def rows_of(body: bytes, content_type: str, *, row: MakeRow = flat_row) -> list[Row]:
    """The rows of one body.

    Args:
        body: its bytes.
        content_type: as its header says it; empty when there was none.
        row: makes a row of a JSON value.

    Raises:
        Rejection: it holds none.
    """
    csv = is_csv(content_type)
    if not csv and not is_json(content_type):
        raise Rejection(NOT_TEXT)
    try:
        text = body.decode()
        if csv:
            return rows_of_csv(text)
        return list(
            chain.from_iterable(rows_of_json(one, source="", row=row) for one in bodies_of_json(text))
        )
    except (UnicodeDecodeError, DuplicateColumnError, RecursionError) as error:
        raise Rejection(NOT_BODY) from error
