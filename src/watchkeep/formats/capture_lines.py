r"""Captured inferences as SageMaker writes them: one JSON object a line.

A line is read into what it says and its spelling: the line with marks in the places of what it says. The marks are
the unit separator (U+001F), or the record separator (U+001E) where letters beyond ASCII are escaped, and a letter;
JSON has neither of these characters anywhere. Lines of one writer have few different spellings, and from a spelling and
what it said a line is written as it was, byte by byte.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final, NamedTuple

from watchkeep.formats.json_places import Places, texts_at

ENCODINGS: Final = ("CSV", "JSON", "BASE64")
INPUT, OUTPUT = "endpointInput", "endpointOutput"
NOT_CAPTURE: Final = "not a capture record"
NOT_BODY: Final = "payload cannot be parsed"
STRANGE: Final = "encoding is none of CSV, JSON and BASE64"
NOT_JSON: Final = "not JSON"
NOT_UTF8: Final = "not UTF-8"
DEEP: Final = "nested too deeply"

_PLAIN, _ESCAPED = "\x1f", "\x1e"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableLineError(ValueError):
    """A line that is no record, and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Side(NamedTuple):
    """A request or an answer.

    Args:
        body: its bytes.
        encoding: how a line tells them, one of `ENCODINGS`.
        content_type: as it was observed; empty when it was not.
    """

    body: bytes
    encoding: str
    content_type: str = ""


class Said(NamedTuple):
    """What a line says.

    Args:
        event_id: names the inference; empty when it has no name.
        inference_id: the name that the asker gave; empty when none.
        attributes: custom attributes; empty when none. Those that are neither a text nor a list of one are JSON.
        time: microseconds since 1970.
        input, output: the sides; None when not captured.
    """

    event_id: str
    inference_id: str
    attributes: str
    time: int
    input: Side | None
    output: Side | None


class Line(NamedTuple):
    """What a line says (at time 0 where `time` is no time), its spelling, and the time as it stands there."""

    said: Said
    spelling: str
    time: object


def read(line: str, *, like: str | None = None) -> Line:
    r"""A line as what it says and its spelling.

    Args:
        line: with or without its end.
        like: the spelling of a line before it, which is tried first.

    Raises:
        UnreadableLineError: it is no record.

    >>> data = '{"observedContentType": "text/csv", "mode": "INPUT", "data": "41,red", "encoding": "CSV"}'
    >>> found = read('{"captureData": {"endpointInput": %s}, "eventMetadata": {"eventId": "e1"}}\n' % data)
    >>> found.said.input, found.said.event_id
    (Side(body=b'41,red', encoding='CSV', content_type='text/csv'), 'e1')
    >>> write(found.said, found.spelling).startswith('{"captureData": {"endpointInput": {"observedContentType": "text')
    True
    """
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise UnreadableLineError(DEEP) from error
    except ValueError as error:
        raise UnreadableLineError(NOT_JSON) from error
    data = record.get("captureData") if isinstance(record, dict) else None
    if not isinstance(data, dict):
        raise UnreadableLineError(NOT_CAPTURE)
    event = record.get("eventMetadata")
    event = event if isinstance(event, dict) else {}
    time = event.get("inferenceTime")
    said = Said(
        _text(event.get("eventId")),
        _text(event.get("inferenceId")),
        _attributes(event.get("customAttributes")),
        micros_of(time) or 0,
        _side(data.get(INPUT)),
        _side(data.get(OUTPUT)),
    )
    if like is not None and said.event_id and write(said, like) == line:
        return Line(said, like, time)
    return Line(said, _spelled(line, said), time)


def micros_of(time: object) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text; None where it is no time.

    >>> micros_of("1970-01-01T00:00:01Z"), micros_of("soon")
    (1000000, None)
    """
    if not isinstance(time, str):
        return None
    try:
        found = datetime.fromisoformat(time)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may be of a year that there is not
        return None
    return (found - _EPOCH) // timedelta(microseconds=1)


def write(said: Said, spelling: str) -> str:
    """A line as it is spelled."""
    return "".join(
        [piece if not mark else _token(said, mark, letter) for piece, mark, letter in _pieces(spelling)]
    )


def plain_spelling(said: Said) -> str:
    """How we spell what one of our own records says: as SageMaker does, without spaces, and whole seconds."""
    sides = {
        name: (side.encoding, bool(side.content_type))
        for name, side in ((INPUT, said.input), (OUTPUT, said.output))
        if side is not None
    }
    return _usual(tuple(sides.items()), bool(said.inference_id), bool(said.attributes))


def encoding_in(spelling: str, side: str) -> str | None:
    """How a line of this spelling encodes a side; None where it has none.

    Args:
        spelling: of the line.
        side: `INPUT` or `OUTPUT`.
    """
    return _encodings(spelling).get(side)


def tells_bodies(spelling: str) -> bool:
    """Whether a spelling holds a body, which is written in a way of its own."""
    found = {_LETTERS[letter[0]] for _, mark, letter in _pieces(spelling) if mark and letter[0] in _LETTERS}
    return found != set(_encodings(spelling))


@lru_cache(maxsize=1024)
def _encodings(spelling: str) -> Mapping[str, str]:
    empty = Side(b"", "CSV")
    record = json.loads(write(Said("", "", "", 0, empty, empty), spelling))
    return {
        name: side["encoding"]
        for name in (INPUT, OUTPUT)
        if isinstance(side := record["captureData"].get(name), dict)
    }


@lru_cache(maxsize=1024)
def _usual(sides: tuple[tuple[str, tuple[str, bool]], ...], named: bool, attributed: bool) -> str:
    def told(name: str, encoding: str, typed: bool) -> str:
        letter = _SIDES[name]
        kind = f'"observedContentType":{_PLAIN}{_TYPES[name]},' if typed else ""
        mode = "INPUT" if name == INPUT else "OUTPUT"
        data = f"{_PLAIN}{letter}{encoding[0]}"
        return f'"{name}":{{{kind}"mode":"{mode}","data":{data},"encoding":"{encoding}"}}'

    data = ",".join(told(name, *how) for name, how in sides)
    event = [f'"eventId":{_PLAIN}e']
    event += [f'"inferenceId":{_PLAIN}i'] if named else []
    event += [f'"customAttributes":[{_PLAIN}a]'] if attributed else []
    event += [f'"inferenceTime":{_PLAIN}t']
    return f'{{"captureData":{{{data}}},"eventMetadata":{{{",".join(event)}}},"eventVersion":"0"}}\n'


def _text(value: object) -> str:
    if isinstance(value, str):
        return (
            value if value.isascii() else value.encode("utf-8", "replace").decode()
        )  # half a surrogate pair
    return "" if value is None else json.dumps(value)


def _attributes(value: object) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return _text(value[0])
    return _text(value)


def _side(value: object) -> Side | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("data"), str):
        raise UnreadableLineError(NOT_BODY)
    data, encoding = value["data"], value.get("encoding")
    if encoding not in ENCODINGS:
        raise UnreadableLineError(STRANGE)
    kind = value.get("observedContentType")
    try:
        body = b64decode(data) if encoding == "BASE64" else data.encode("utf-8", "surrogatepass")
    except (Error, ValueError) as error:
        raise UnreadableLineError(NOT_BODY) from error
    return Side(body, encoding, _text(kind) if isinstance(kind, str) else "")


_TYPES: Final = {INPUT: "x", OUTPUT: "y"}
_SIDES: Final = {INPUT: "I", OUTPUT: "O"}
_LETTERS: Final = {letter: name for name, letter in _SIDES.items()}
_MARKED: Final = re.compile(f"([{_PLAIN}{_ESCAPED}])([IO][CJB]|[a-z])")
_TIMES: Final = {"t": "seconds", "m": "milliseconds", "u": "microseconds"}


@lru_cache(maxsize=1024)
def _pieces(spelling: str) -> Sequence[tuple[str, str, str]]:
    """A spelling as texts, and marks with their letters."""
    found: list[tuple[str, str, str]] = []
    at = 0
    for match in _MARKED.finditer(spelling):
        found += [(spelling[at : match.start()], "", ""), ("", match[1], match[2])]
        at = match.end()
    return [*found, (spelling[at:], "", "")]


def _token(said: Said, mark: str, letter: str) -> str:
    value = _value(said, letter)
    return encode_basestring_ascii(value) if mark == _ESCAPED else encode_basestring(value)


def _value(said: Said, letter: str) -> str:
    if letter[0] in _LETTERS:
        side = said.input if letter[0] == "I" else said.output
        body = b"" if side is None else side.body
        return b64encode(body).decode() if letter[1] == "B" else body.decode("utf-8", "surrogatepass")
    if letter in _TIMES:
        moment = _EPOCH + timedelta(microseconds=said.time)
        return moment.isoformat(timespec=_TIMES[letter]).replace("+00:00", "Z")
    if letter in "xy":
        side = said.input if letter == "x" else said.output
        return "" if side is None else side.content_type
    return {"e": said.event_id, "i": said.inference_id, "a": said.attributes}[letter]


def _spelled(line: str, said: Said) -> str:
    """A line with marks in the places of what it says, where that is spelled in a way of ours."""
    found = []
    for path, start, end in texts_at(line, _PLACES):
        for letter in _letters(path, said):
            mark = next((one for one in (_PLAIN, _ESCAPED) if _is(said, one, letter, line[start:end])), None)
            if mark is not None:
                found.append((start, end, mark + letter))
                break
    for start, end, mark in sorted(found, reverse=True):
        line = line[:start] + mark + line[end:]
    return line


def _is(said: Said, mark: str, letter: str, token: str) -> bool:
    try:
        return _token(said, mark, letter) == token
    except (UnicodeDecodeError, OverflowError):
        return False


def _letters(path: tuple[str, ...], said: Said) -> Sequence[str]:
    """What may stand in a place."""
    *_, above, name = path
    if name == "data":
        side = said.input if above == INPUT else said.output
        return [] if side is None else [_SIDES[above] + side.encoding[0]]
    if name == "observedContentType":
        return [_TYPES[above]]
    if name == "eventId" and not said.event_id:  # one without a name is given one
        return []
    return {"eventId": "e", "inferenceId": "i", "customAttributes": "a", "inferenceTime": tuple(_TIMES)}[name]


_PLACES: Final[Places] = {
    "captureData": {side: {"data": {}, "observedContentType": {}} for side in (INPUT, OUTPUT)},
    "eventMetadata": {key: {} for key in ("eventId", "inferenceId", "customAttributes", "inferenceTime")},
}
