"""How answers of upstreams are read: only as far as it takes to tell where they end. Their bytes stay as they are."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from watchkeep.gateway.requests import TEXT, TOKEN

_HEAD: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: " + TEXT + rb")?\r\n(?:" + TOKEN + rb":" + TEXT + rb"\r\n)*+\r\n"
)
_FIELDS: Final = re.compile(
    rb"\n(content-length|transfer-encoding|connection|content-type|content-encoding|x-amzn-invoked-production-variant)"
    rb":([^\r]*+)\r",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;" + TEXT + rb")?\r\n")
_TRAILER: Final = re.compile(TOKEN + rb":" + TEXT + rb"\r\n")
_LONGEST_LINE: Final = 16 * 1024


class FramingError(ValueError):
    """An answer's bytes do not tell where it ends, or tell it in two ways."""


class Head(NamedTuple):
    """What the head of an answer tells.

    Args:
        status: three digits.
        keep: whether the connection stays open after the answer.
        explicit: whether it says so, as it must to who speaks HTTP/1.0.
        length: bytes of the body; None when its chunks or its end tell.
        chunked: whether it comes in chunks.
        content_type, content_encoding: of the body; empty when not told.
        variant: whether it names the variant as SageMaker does.
    """

    status: int
    keep: bool
    explicit: bool
    length: int | None
    chunked: bool
    content_type: bytes
    content_encoding: bytes
    variant: bool


def read_head(head: bytes) -> Head:
    r"""Read the head of an answer, its empty line included.

    Raises:
        FramingError: it is not HTTP/1, or one of two readers might take its body for longer than the other.

    >>> read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").length
    4
    """
    found = _HEAD.fullmatch(head)
    if found is None:
        raise FramingError("its head is not that of an HTTP/1 answer")
    told: dict[bytes, bytes] = {}
    for name, text in _FIELDS.findall(head):
        lower, value = name.lower(), text.strip(b" \t")
        if lower in told:
            if lower == b"content-length":
                raise FramingError("it has two lengths")
            if lower in (b"transfer-encoding", b"connection"):
                value = told[lower] + b"," + value
            else:
                continue
        told[lower] = value
    modern = found[1] == b"1"
    chunked, length = False, None
    encoding, size = told.get(b"transfer-encoding"), told.get(b"content-length")
    if encoding is not None:
        if size is not None or not modern:
            raise FramingError("it has a length, or is of HTTP/1.0, and is said to come in chunks")
        codings = [coding.strip().lower() for coding in encoding.split(b",")]
        chunked = codings[-1] == b"chunked"
        if b"chunked" in codings[:-1]:
            raise FramingError("it is said to come in chunks of chunks")
    elif size is not None:
        if not _LENGTH.fullmatch(size):
            raise FramingError("its length is no number")
        length = int(size)
    words = [word.strip().lower() for word in told.get(b"connection", b"").split(b",")]
    explicit = b"keep-alive" in words and b"close" not in words
    return Head(
        int(found[2]),
        explicit or (modern and b"close" not in words),
        explicit,
        length,
        chunked,
        told.get(b"content-type", b""),
        told.get(b"content-encoding", b""),
        b"x-amzn-invoked-production-variant" in told,
    )


_Reader = Callable[[bytes], "tuple[_Reader, int] | None"]
"""Reads a line between chunks; gives who reads the next line and how many bytes stand before it, None at the end."""


class Chunks:
    """Follows the chunks of a body to find its end. One for each body.

    Attributes:
        content: bytes that they hold, so far.
    """

    __slots__ = ("_left", "_line", "_want", "content")

    def __init__(self) -> None:
        self.content = 0
        self._left = 0
        self._line = b""
        self._want: _Reader = _size

    def feed(self, data: bytes, at: int = 0) -> int:
        r"""Where in the data the body ends, from some place on; -1 when it goes on.

        Raises:
            FramingError: these are no chunks.

        >>> Chunks().feed(b"2\r\nok\r\n0\r\n\r\nmore")
        12
        """
        size = len(data)
        while at < size:
            if self._left:
                taken = min(self._left, size - at)
                self._left -= taken
                self.content += taken
                at += taken
                continue
            end = data.find(b"\n", at) + 1
            line = self._line + data[at : end or size]
            if len(line) > _LONGEST_LINE:
                raise FramingError("a line of its chunks is endless")
            if not end:
                self._line = line
                return -1
            self._line, at = b"", end
            found = self._want(line)
            if found is None:
                return at
            self._want, self._left = found
        return -1


def _size(line: bytes) -> tuple["_Reader", int]:
    found = _SIZE.fullmatch(line)
    if found is None:
        raise FramingError("the size of a chunk is no number")
    left = int(found[1], 16)
    return (_end, left) if left else (_trailer, 0)


def _end(line: bytes) -> tuple["_Reader", int]:
    if line != b"\r\n":
        raise FramingError("a chunk is longer than it says")
    return _size, 0


def _trailer(line: bytes) -> tuple["_Reader", int] | None:
    if line == b"\r\n":
        return None
    if not _TRAILER.fullmatch(line):
        raise FramingError("its trailer is not one")
    return _trailer, 0
