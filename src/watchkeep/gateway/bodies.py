"""Bodies as they were before they were framed and compressed."""

import re
from typing import Final

_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")
WBITS: Final = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""What zlib is told of contents by their encoding."""


def body_of(pieces: list[bytes], skip: int, *, chunked: bool) -> bytes:
    """The body of a request or an answer, without the framing of chunks.

    Args:
        pieces: as they passed.
        skip: bytes of the head.
        chunked: whether it is framed in chunks.
    """
    data = (pieces[0] if len(pieces) == 1 else b"".join(pieces))[skip:]
    return unchunked(data) if chunked else data


def unchunked(data: bytes) -> bytes:
    r"""What the chunks of a body hold; a body that breaks off gives what is there of it.

    >>> unchunked(b"4\r\n0.25\r\n1;note\r\n7\r\n0\r\n\r\n")
    b'0.257'
    """
    pieces, at = [], 0
    while found := _CHUNK.match(data, at):
        size, at = int(found[1], 16), found.end()
        if not size:
            break
        pieces.append(data[at : at + size])
        at += size + 2
    return b"".join(pieces)
