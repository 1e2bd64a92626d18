"""How the heads of requests are read, and what of them upstreams are sent.

Every line must be what RFC 9112 says, to the byte: a request that two servers might take for two different ones is
none. So whatever is accepted can be passed on as it came.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from watchkeep.gateway.problems import Refusal

INFERENCE_ID: Final = b"x-amzn-sagemaker-inference-id"
ATTRIBUTES: Final = b"x-amzn-sagemaker-custom-attributes"
TARGET_VARIANT: Final = b"x-amzn-sagemaker-target-variant"
TARGET_MODEL: Final = b"x-amzn-sagemaker-target-model"
REQUEST_ID: Final = b"x-request-id"

HOPS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"http2-settings"}
)
"""Headers that are for the next server only (RFC 9110, 7.6.1), but for that of the body's coding, which stays."""
ONCE: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})
"""Headers that a request has once, or not at all."""
_READ: Final = (
    HOPS
    | ONCE
    | {
        b"content-type",
        b"content-encoding",
        b"expect",
        INFERENCE_ID,
        ATTRIBUTES,
        TARGET_VARIANT,
        TARGET_MODEL,
        REQUEST_ID,
    }
)
_KEPT: Final = ONCE | {b"close", b"authorization", b"content-type"}
"""What a client cannot have removed by naming it in `Connection`."""

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
"""What methods and names of headers are made of (RFC 9110, 5.6.2)."""
TEXT: Final = rb"[\t\x20-\x7e\x80-\xff]*+"
"""What values of headers are made of, and phrases."""
_LINE: Final = re.compile(rb"(" + TOKEN + rb") ([!-~]++) HTTP/([0-9])\.([0-9])")
_FIELD: Final = re.compile(rb"(" + TOKEN + rb"):[ \t]*+(" + TEXT + rb")")
_LONGEST_LENGTH: Final = 18
_STRAY: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\0")


class RequestError(ValueError):
    """A request is not passed on, and this is what its client is told.

    Args:
        why: what is wrong with it.
        status, reason: see `Refusal`.
    """

    def __init__(self, why: str, *, status: int = 400, reason: str = "bad-request") -> None:
        self.refusal = Refusal(status, reason, f"The request is not passed on: {why}.")
        super().__init__(self.refusal.detail)


class Line(NamedTuple):
    """A request line.

    Args:
        method, target: as they came.
        modern: whether its version is 1.1; else it is 1.0.
        where: the target as a path and query.
        host: what the target names as the host; None when it names none.
    """

    method: bytes
    target: bytes
    modern: bool
    where: bytes
    host: bytes | None


NO_LINE: Final = Line(b"", b"", modern=True, where=b"", host=None)
"""That of a request whose own was not read."""


def read_line(line: bytes) -> Line:
    """Read a request line.

    Raises:
        RequestError: it is none, or its version or target are not for this server.

    >>> read_line(b"POST http://models:80/invocations?n=1 HTTP/1.1").where
    b'/invocations?n=1'
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise RequestError("its first line is not a request's")
    method, target, major, minor = found.groups()
    if major != b"1" or minor not in b"01":
        raise RequestError("its version is neither 1.1 nor 1.0", status=505, reason="bad-version")
    if method == b"CONNECT":
        raise RequestError("it asks for a tunnel", status=501, reason="no-tunnel")
    if target[:1] == b"/" or (target == b"*" and method == b"OPTIONS"):
        return Line(method, target, minor == b"1", target, None)
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        raise RequestError("its target is not a path")
    end = min(at for at in (rest.find(b"/"), rest.find(b"?"), rest.find(b"#"), len(rest)) if at >= 0)
    path = rest[end:]
    return Line(method, target, minor == b"1", path if path[:1] == b"/" else b"/" + path, rest[:end])


def read_field(line: bytes) -> tuple[bytes, bytes] | None:
    r"""Read a header: its name in lower case, and its value; None when it is one that nobody here looks at.

    Raises:
        RequestError: it is none.

    >>> read_field(b"Connection: close \t")
    (b'connection', b'close')
    """
    found = _FIELD.fullmatch(line)
    if found is None:
        raise RequestError("one of its headers is none")
    name = found[1].lower()
    return (name, found[2].rstrip(b" \t")) if name in _READ else None


def again(name: bytes, before: bytes, value: bytes) -> bytes:
    """What a header says that is there once more.

    Raises:
        RequestError: no request has it twice.
    """
    if name in ONCE:
        raise RequestError(f"it has the header {name.decode()} twice")
    return before + b"," + value if name in HOPS else before


def framing(told: Mapping[bytes, bytes], *, modern: bool) -> tuple[int, bool, bool]:
    """Where a request with these headers ends.

    Returns:
        The bytes of its body, 0 when it has none or its chunks tell; whether it comes in chunks; and whether the client
        may send another request after it.

    Raises:
        RequestError: that can be understood in two ways, or it does not name its host.

    >>> framing({b"host": b"models", b"content-length": b"12"}, modern=True)
    (12, False, True)
    """
    if modern and b"host" not in told:
        raise RequestError("it names no host")
    length, chunked = 0, False
    size, coding = told.get(b"content-length"), told.get(b"transfer-encoding")
    if size is not None:
        if not size.isdigit() or len(size) > _LONGEST_LENGTH:
            raise RequestError("its length is no number")
        length = int(size)
    if coding is not None:
        if size is not None:
            raise RequestError("it has a length and a transfer coding")
        if not modern:
            raise RequestError("it is of HTTP/1.0 and has a transfer coding")
        if coding.lower() != b"chunked":
            raise RequestError("its transfer coding is not chunked", status=501, reason="bad-coding")
        chunked = True
    connection = told.get(b"connection")
    if connection is None:
        return length, chunked, modern
    options = words(connection)
    return length, chunked, b"close" not in options and (modern or b"keep-alive" in options)


def words(value: bytes) -> list[bytes]:
    """The members of a header that is a list of words, in lower case."""
    return [word.strip(b" \t").lower() for word in value.split(b",")]


def is_stray(part: bytes) -> bool:
    """Whether the beginning of a head holds what no head can hold, so that its end need not be waited for."""
    return _STRAY.search(part) is not None


def without(lines: Iterable[bytes], connection: bytes, *also: bytes) -> list[bytes]:
    r"""Headers without those that are for the next server only, or of these names.

    >>> without([b"A: 1", b"X-Hop: 2", b"TE: trailers"], b"close, x-hop")
    [b'A: 1']
    """
    named = (HOPS | set(words(connection)) | set(also)) - (_KEPT - set(also))
    return [line for line in lines if line.partition(b":")[0].lower() not in named]


def appended(lines: Iterable[bytes], name: bytes, value: bytes) -> list[bytes]:
    r"""Headers with a value added to the list of a name.

    >>> appended([b"via: 1.1 a", b"A: 1"], b"Via", b"1.1 b")
    [b'A: 1', b'Via: 1.1 a, 1.1 b']
    """
    lower = name.lower()
    kept, values = [], []
    for line in lines:
        told, _, text = line.partition(b":")
        if told.lower() == lower:
            values.append(text.strip(b" \t"))
        else:
            kept.append(line)
    return [*kept, name + b": " + b", ".join([*values, value])]
