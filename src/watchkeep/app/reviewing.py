"""The list of answers to look at, as a file."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow.csv as pacsv

from watchkeep.core.errors import DocumentError
from watchkeep.service.review import SCHEMA, Review


@contextmanager
def review_list(path: Path | None, *, below: float) -> Iterator[Review | None]:
    """Lists answers in a CSV file, which appears whole or not at all; None without a path.

    Raises:
        DocumentError: it cannot be written.
        OptionError: the bar is no probability.
    """
    if path is None:
        yield None
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pacsv.CSVWriter(partial, SCHEMA) as writer:
            yield Review(below, writer.write_batch, file=str(path))
        partial.replace(path)
    except OSError as error:
        raise DocumentError(str(path), at="the file", got=str(error), expected="a place to write") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
