"""Rules on the columns of CSV bodies. Cells without a rule stay as they are, character by character."""

import re
from collections.abc import Sequence
from typing import Final

from watchkeep.capture.columns import Columns, Places, Unreadable
from watchkeep.capture.json_bodies import ODD

QUOTES: Final = "its quotes do not match"


def ruled(
    text: str, delimiter: str, columns: Columns, names: Sequence[str] | None, counts: dict[str, int]
) -> str:
    r"""A body after the rules on its columns, which leave the cells they empty where they were.

    A first line is a header when it holds the given names, or the name of any column that has a rule.

    Args:
        text: the body.
        delimiter: one character.
        columns: the rules.
        names: of the columns, in their order; None when nobody knows.
        counts: of values by the label of a rule; more are added.

    Raises:
        Unreadable: it is not CSV, or it cannot be told which cells the rules are about.

    >>> from watchkeep.capture.columns import Rule
    >>> ruled("age,ssn\n41,123-45-6789\n", ",", Columns.of([("ssn", Rule("drop ssn", None))]), None, {})
    'age,ssn\n41,\n'
    """
    lines = _lines(text, delimiter)
    first = [_value(cell) for cell in lines[0][0]]
    header = any(columns.of_path(cell) is not None for cell in first) or first == list(names or ())
    places = columns.places(first if header else names)
    if not places.rules:
        return text
    for cells, _ in lines[header:]:
        if cells != [""]:
            _edit(cells, places, delimiter, counts)
    return "".join([delimiter.join(cells) + end for cells, end in lines])


def _lines(text: str, delimiter: str) -> list[tuple[list[str], str]]:
    """The cells of each line as they are written, and how the line ends."""
    if '"' not in text:
        return [
            (line.rstrip("\r\n").split(delimiter), line[len(line.rstrip("\r\n")) :])
            for line in re.findall(r"[^\r\n]*+(?:\r\n?|\n)|[^\r\n]++\Z", text)
        ]
    cell = re.compile(
        rf'("(?:[^"]++|"")*+"|(?!")[^{re.escape(delimiter)}\r\n]*+)({re.escape(delimiter)}|\r\n?|\n|\Z)'
    ).match
    lines: list[tuple[list[str], str]] = []
    cells: list[str] = []
    at = 0
    while at < len(text) or cells:
        found = cell(text, at)
        if found is None:
            raise Unreadable(QUOTES)
        cells.append(found[1])
        at = found.end()
        if found[2] != delimiter:
            lines.append((cells, found[2]))
            cells = []
    return lines


def _value(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _edit(cells: list[str], places: Places, delimiter: str, counts: dict[str, int]) -> None:
    if places.width is not None and len(cells) != places.width:
        raise Unreadable(ODD)
    for at, (_, rule) in places.rules.items():
        value = _value(cells[at]) if at < len(cells) else ""
        if value:
            new = (rule.change(value) if rule.change else None) or ""
            if new != value:
                counts[rule.label] = counts.get(rule.label, 0) + 1
                quoted = any(one in new for one in f'"\r\n{delimiter}')
                cells[at] = '"' + new.replace('"', '""') + '"' if quoted else new
