"""Bodies without some of their rows."""

import csv
import io
import json
from collections.abc import Collection, Sequence
from typing import Any, Final

from watchkeep.capture.contents import is_csv, rows_of
from watchkeep.capture.payloads import Rejection
from watchkeep.capture.wrappers import MEMBERS, SIDES, is_wrapper


def without_rows(body: bytes, kind: str, rows: Collection[int]) -> bytes | None:
    r"""A body without some of its rows; None where they cannot be cut out of it.

    What comes out is read again: it holds exactly the other rows, or it is not given.

    Args:
        body: its bytes.
        kind: the content type by which it is read.
        rows: the places of rows that are to go.

    >>> without_rows(b'34,red\n51,blue\n', "text/csv", {0})
    b'51,blue\n'
    >>> without_rows(b'{"instances": [[1], [2], [3]]}', "application/json", {1})
    b'{"instances": [[1], [3]]}'
    """
    try:
        before = rows_of(body, kind)
        left = [row for at, row in enumerate(before) if at not in rows]
        text = body.decode()
        cut = _of_csv(text, rows) if is_csv(kind) else _of_json(text, rows, len(before))
        if cut is None:
            return None
        after = rows_of(cut.encode(), kind) if left else []
    except (Rejection, UnicodeError, csv.Error, ValueError, RecursionError):
        return None
    return cut.encode() if after == left else None


def _of_csv(text: str, rows: Collection[int]) -> str:
    """Lines as they are spelled; a field may go on over several."""
    stream = io.StringIO(text, newline="")
    found: list[tuple[int, int]] = []
    start = 0
    read = _Counted(stream)
    for row in csv.reader(read):
        if row:
            found.append((start, read.at))
        start = read.at
    gone = [span for at, span in enumerate(found) if at in rows]
    for first, last in reversed(gone):
        text = text[:first] + text[last:]
    return text


class _Counted:
    """The lines of a text, and where the last one ended."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream, self.at = stream, 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        self.at += len(line)
        return line


def _of_json(text: str, rows: Collection[int], count: int) -> str | None:
    try:
        body = json.loads(text)
    except ValueError:
        return _of_lines(text, rows)
    cut = _cut(body, rows, count)
    return None if cut is None else json.dumps(cut, ensure_ascii=False)


def _of_lines(text: str, rows: Collection[int]) -> str | None:
    """JSON one a line, of which each is a row."""
    kept, at = [], 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            if at not in rows:
                kept.append(line)
            at += 1
        else:
            kept.append(line)
    return "".join(kept)


def _cut(body: Any, rows: Collection[int], count: int) -> Any:
    """A JSON value without rows; None where nobody knows where they are."""
    if isinstance(body, list):
        return _without(body, rows) if len(body) == count else None
    if not isinstance(body, dict):
        return None
    for name in (*MEMBERS, *SIDES):
        if name in body and is_wrapper(body, name):
            held = _of_side(body[name], rows, count)
            return None if held is None else {**body, name: held}
    split = body.get("dataframe_split")
    if isinstance(split, dict) and isinstance(split.get("data"), list):
        own = {**split, "data": _without(split["data"], rows)}
        if isinstance(split.get("index"), list):
            own["index"] = _without(split["index"], rows)
        return {**body, "dataframe_split": own}
    data = body.get("data")
    if isinstance(data, dict) and isinstance(data.get("ndarray"), list):
        return {**body, "data": {**data, "ndarray": _without(data["ndarray"], rows)}}
    return None


def _of_side(held: Any, rows: Collection[int], count: int) -> Any:
    if isinstance(held, dict):
        if all(isinstance(column, list) and len(column) == count for column in held.values()):
            return {name: _without(column, rows) for name, column in held.items()}
        return None
    if not isinstance(held, list):
        return None
    if held and all(isinstance(one, dict) and "name" in one and "shape" in one for one in held):
        tensors = [_of_tensor(one, rows, count) for one in held]
        return None if None in tensors else tensors
    return _without(held, rows) if len(held) == count else None


def _of_tensor(tensor: dict[str, Any], rows: Collection[int], count: int) -> dict[str, Any] | None:
    data, shape = tensor.get("data"), tensor["shape"]
    if not isinstance(data, list) or not isinstance(shape, list) or shape[:1] != [count]:
        return None
    if len(data) != count:  # its rows lie one after the other
        width, rest = divmod(len(data), count)
        if rest:
            return None
        data = [cell for at in range(count) if at not in rows for cell in data[at * width : (at + 1) * width]]
    else:
        data = _without(data, rows)
    return {**tensor, "shape": [count - len(rows), *shape[1:]], "data": data}


def _without(items: Sequence[Any], rows: Collection[int]) -> list[Any]:
    return [item for at, item in enumerate(items) if at not in rows]


FORGOTTEN: Final = "without rows that were forgotten"
DROPPED: Final = "dropped, as a row of it was forgotten"
"""What `capture_flags` says of a side after that."""
