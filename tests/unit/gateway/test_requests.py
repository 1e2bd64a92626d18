"""How heads of requests are read. llhttp, which reads them for Node.js, is the independent reader."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.gateway.config import Endpoint, GatewayConfig, Upstream
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.house import House
from watchkeep.gateway.reading import read_head
from watchkeep.gateway.requests import (
    Line,
    RequestError,
    appended,
    framing,
    is_stray,
    read_field,
    read_line,
    without,
)
from watchkeep.gateway.turns import Turn

MODELS = Upstream(url="http://127.0.0.1:9")
HOUSE = House(GatewayConfig(endpoints=(Endpoint(name="churn", upstreams=(MODELS,)),)), None, Counters())


def turn_of(head: bytes) -> tuple[Turn, bytes]:
    turn = Turn()
    return turn, read_head(turn, HOUSE, head, b"")


class Llhttp:
    """What llhttp makes of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.ends = 0
        self.target = b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value.strip(b" \t")))

    def on_message_complete(self) -> None:
        self.ends += 1


names = st.sampled_from(
    [
        b"Host",
        b"host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"X-A",
        b"X-b",
        b"Expect",
        b"TE",
    ]
)
values = st.one_of(
    st.sampled_from(
        [b"", b"0", b"2", b"chunked", b"Chunked", b"gzip, chunked", b"close", b"keep-alive", b"a, b"]
    ),
    st.binary(max_size=6),
)
spaces = st.sampled_from([b"", b" ", b"\t", b" \t "])
lines = st.builds(
    lambda name, before, after, value, end: name + b":" + before + value + after + end,
    names,
    spaces,
    spaces,
    values,
    st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b" \r\n"]),
)
heads = st.builds(
    lambda method, target, version, rest: (
        method + b" " + target + b" HTTP/" + version + b"\r\nHost: models\r\n" + b"".join(rest) + b"\r\n"
    ),
    st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD"]),
    st.sampled_from([b"/", b"/invocations?a=b", b"http://models/x", b"/%41", b"/a b", b"*"]),
    st.sampled_from([b"1.1"] * 4 + [b"1.0", b"2.0", b"1.2", b"1.11"]),
    st.lists(lines, max_size=4),
)


@given(heads)
def test_what_is_accepted_means_the_same_to_an_independent_reader(head: bytes) -> None:
    if head.find(b"\r\n\r\n") + 4 != len(head):  # the gateway reads heads up to their first empty line
        return
    turn, sent = turn_of(head)
    if turn.refusal is not None and turn.refusal.reason not in ("no-such-endpoint", "bad-path"):
        return
    body = b"0\r\n\r\n" if turn.input_chunked else b"x" * turn.left

    theirs = Llhttp(head + body)

    assert theirs.ends == 1, "it takes the body for longer or shorter"
    assert theirs.parser.get_method() == turn.method
    assert theirs.target == turn.target
    if turn.refusal is None:
        assert theirs.parser.should_keep_alive() == turn.keep
        passed = Llhttp(sent + body)
        assert passed.ends == 1, "what is sent on is another request"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([b"Content-Length: 3", b"Transfer-Encoding: chunked"], "a length and a transfer coding"),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 3"], "a length and a transfer coding"),
        ([b"Content-Length: 3", b"Content-Length: 4"], "twice"),
        ([b"Content-Length: 3", b"content-length: 3"], "twice"),
        ([b"Content-Length: 3, 3"], "no number"),
        ([b"Content-Length: +3"], "no number"),
        ([b"Content-Length: 0x3"], "no number"),
        ([b"Content-Length: \xb2"], "no number"),
        ([b"Content-Length:"], "no number"),
        ([b"Content-Length: 1" + b"0" * 18], "no number"),
        ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], "twice"),
        ([b"Transfer-Encoding: chunked, chunked"], "not chunked"),
        ([b"Transfer-Encoding: gzip, chunked"], "not chunked"),
        ([b"Transfer-Encoding: xchunked"], "not chunked"),
        ([b"Transfer-Encoding: identity"], "not chunked"),
        ([b"Transfer-Encoding:\x0bchunked"], "headers is none"),
        ([b"Transfer-Encoding : chunked"], "headers is none"),
        ([b"Transfer-Encoding\t: chunked"], "headers is none"),
        ([b"X-A: 1", b" folded: 2"], "headers is none"),
        ([b"X-A: 1", b"\tfolded"], "headers is none"),
        ([b"X-A: a\nX-B: b"], "headers is none"),
        ([b"X-A: a\rX-B: b"], "headers is none"),
        ([b"X-A: a\x00"], "headers is none"),
        ([b"X-A: a\x7f"], "headers is none"),
        ([b"X-\xc3\xa9: a"], "headers is none"),
        ([b": a"], "headers is none"),
        ([b"no colon"], "headers is none"),
        ([b"Host: other"], "twice"),
    ],
)
def test_what_could_be_understood_in_two_ways_is_refused(lines: list[bytes], why: str) -> None:
    turn, sent = turn_of(b"\r\n".join([b"POST / HTTP/1.1", b"Host: models", *lines, b"", b""]))

    assert turn.refusal is not None
    assert why in turn.refusal.detail
    assert turn.refusal.status in (400, 501)
    assert not turn.keep
    assert sent == b""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET / HTTP/1.2", 505),
        (b"GET / HTTP/2.0", 505),
        (b"GET / HTTP/0.9", 505),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET /\xe9 HTTP/1.1", 400),
        (b"GET /\x01 HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"G(T / HTTP/1.1", 400),
        (b"GET invocations HTTP/1.1", 400),
        (b"GET ftp://models/ HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"CONNECT models:80 HTTP/1.1", 501),
        (b"", 400),
    ],
)
def test_first_lines_that_are_none(line: bytes, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        read_line(line)

    assert caught.value.refusal.status == status


@pytest.mark.parametrize(
    ("target", "where", "host"),
    [
        (b"/a?b", b"/a?b", None),
        (b"http://models", b"/", b"models"),
        (b"HTTPS://models:1/a?b=/c", b"/a?b=/c", b"models:1"),
        (b"http://models?a=/", b"/?a=/", b"models"),
    ],
)
def test_targets_that_name_a_host_are_paths(target: bytes, where: bytes, host: bytes | None) -> None:
    assert read_line(b"GET " + target + b" HTTP/1.0") == Line(b"GET", target, False, where, host)


@pytest.mark.parametrize("method", [b"OPTIONS", b"PROPFIND", b"X-1"])
def test_any_method_may_be_asked(method: bytes) -> None:
    assert read_line(method + b" / HTTP/1.1").method == method


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_fields_are_read_whole_or_not_at_all(name: bytes, value: bytes) -> None:
    try:
        read_field(name + b":" + value)
    except RequestError:
        return
    name = name.partition(b":")[0]  # what follows is part of the value
    assert not set(name) & set(b' \t:\r\n\0(),/<>@[]{}"\\;?=')
    assert not set(value) & set(b"\r\n\0")


def test_only_requests_of_http_1_1_need_a_host_and_stay_connected_by_themselves() -> None:
    assert framing({}, modern=False) == (0, False, False)
    assert framing({b"connection": b"Keep-Alive"}, modern=False) == (0, False, True)
    assert framing({b"host": b"", b"connection": b"x, Close"}, modern=True) == (0, False, False)
    with pytest.raises(RequestError, match="names no host"):
        framing({}, modern=True)
    with pytest.raises(RequestError, match="it is of HTTP"):
        framing({b"transfer-encoding": b"chunked"}, modern=False)


@pytest.mark.parametrize(
    ("part", "stray"),
    [
        (b"GET / HTTP/1.1\r\nHo", False),
        (b"GET / HTTP/1.1\r", False),
        (b"GET / HTTP/1.1\nHost", True),
        (b"GET / HTTP/1.1\rHost", True),
        (b"\x16\x03\x01\x00\xf7\x01\x00", True),
    ],
)
def test_what_no_head_holds_is_seen_before_its_end(part: bytes, stray: bool) -> None:
    assert is_stray(part) is stray


def test_headers_for_the_next_server_only_are_not_passed_on() -> None:
    lines = [
        b"Host: models",
        b"Connection: close, X-Mine, host, content-length",
        b"Keep-Alive: 5",
        b"Proxy-Connection: x",
        b"TE: trailers",
        b"Upgrade: h2c",
        b"X-mine: 1",
        b"Content-Length: 2",
        b"X-Other:  two ",
    ]

    turn, sent = turn_of(b"\r\n".join([b"POST /invocations HTTP/1.1", *lines, b"", b""]))

    assert sent == (
        b"POST /invocations HTTP/1.1\r\nHost: models\r\nContent-Length: 2\r\nX-Other:  two \r\n\r\n"
    )
    assert turn.left == 2
    assert not turn.keep


def test_a_head_that_needs_no_change_is_passed_on_as_it_is() -> None:
    head = (
        b"POST /invocations?x=%41 HTTP/1.1\r\nhOST:models\r\n"
        b"X: \xe9  \r\nx:\t1\r\nX:\r\nContent-Length:  7\t\r\n\r\n"
    )

    turn, sent = turn_of(head)

    assert sent is head
    assert turn.left == 7


def test_lists_of_names_and_values() -> None:
    assert without([b"Host: a", b"X: 1"], b"host, x", b"host") == []
    assert appended([b"X: 1", b"Y: 2", b"x:  3 "], b"x", b"4") == [b"Y: 2", b"x: 1, 3, 4"]
