"""How answers of upstreams are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.gateway.bodies import unchunked
from watchkeep.gateway.responses import Chunks, FramingError, Head, read_head


def head_of(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> Head:
    return read_head(b"\r\n".join([first, *lines, b"", b""]))


@pytest.mark.parametrize(
    ("lines", "length", "chunked", "keep"),
    [
        ([b"content-length: 12"], 12, False, True),
        ([b"Content-Length:12", b"CONNECTION: Close"], 12, False, False),
        ([b"Transfer-Encoding: Chunked"], None, True, True),
        ([b"Transfer-Encoding: gzip", b"transfer-encoding: chunked"], None, True, True),
        ([b"Transfer-Encoding: gzip"], None, False, True),
        ([], None, False, True),
        ([b"X-Content-Length: 3", b"Content-Lengths: 4", b"X: y: content-length: 5"], None, False, True),
        ([b"Connection: x", b"Connection: y, close"], None, False, False),
    ],
)
def test_where_answers_end(lines: list[bytes], length: int | None, chunked: bool, keep: bool) -> None:
    head = head_of(*lines)

    assert (head.length, head.chunked, head.keep) == (length, chunked, keep)


def test_answers_of_http_1_0_stay_connected_only_when_they_say_so() -> None:
    assert not head_of(first=b"HTTP/1.0 200 OK").keep
    assert head_of(b"Connection: keep-alive", first=b"HTTP/1.0 200 OK").explicit
    assert not head_of(first=b"HTTP/1.1 200 OK").explicit


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 299 \xe9\t", b"HTTP/1.1 799 x"]
)
def test_phrases_are_free(first: bytes) -> None:
    assert head_of(first=first).status == int(first[9:12])


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 1", b"Content-Length: 1"],
        [b"Content-Length: 1", b"Transfer-Encoding: chunked"],
        [b"Content-Length: 1, 1"],
        [b"Content-Length: -1"],
        [b"Content-Length: "],
        [b"Transfer-Encoding: chunked, chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Content-Length : 1"],
        [b"X: 1", b" folded"],
        [b"X: a\rb"],
        [b"X: a\nb"],
        [b"X: a\0b"],
        [b"nothing"],
    ],
)
def test_answers_that_could_be_understood_in_two_ways_are_none(lines: list[bytes]) -> None:
    with pytest.raises(FramingError):
        head_of(*lines)


@pytest.mark.parametrize(
    "first", [b"HTTP/2 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 200OK", b"ICY 200 OK", b"", b"HTTP/1.1 2000"]
)
def test_first_lines_that_are_none(first: bytes) -> None:
    with pytest.raises(FramingError):
        head_of(first=first)


def test_an_answer_of_http_1_0_has_no_chunks() -> None:
    with pytest.raises(FramingError):
        head_of(b"Transfer-Encoding: chunked", first=b"HTTP/1.0 200 OK")


def test_what_a_head_tells_of_its_body() -> None:
    head = head_of(
        b"Content-Type:  text/csv; charset=utf-8 ",
        b"content-encoding: gzip",
        b"X-AMZN-Invoked-Production-Variant: A",
    )

    assert (head.content_type, head.content_encoding, head.variant) == (
        b"text/csv; charset=utf-8",
        b"gzip",
        True,
    )


def one_by_one(data: bytes) -> None:
    chunks = Chunks()
    for at in range(len(data)):
        chunks.feed(data[at : at + 1])


pieces = st.lists(st.binary(min_size=1, max_size=30), max_size=6)
extensions = st.sampled_from([b"", b";a", b';a="b"', b" ; x=1", b"  "])
trailers = st.lists(st.sampled_from([b"Etag: 1\r\n", b"X:\r\n", b"X-Sum: a b\r\n"]), max_size=2)


@given(pieces, extensions, trailers, st.data(), st.sampled_from(["%x", "%X", "000%x"]))
def test_the_end_of_chunks_is_found_however_they_are_cut(
    pieces: list[bytes], extension: bytes, trailers: list[bytes], data: st.DataObject, form: str
) -> None:
    framed = b"".join((form % len(each)).encode() + extension + b"\r\n" + each + b"\r\n" for each in pieces)
    framed += b"0" + extension + b"\r\n" + b"".join(trailers) + b"\r\n"
    sent = framed + b"HTTP/1.1 200 OK\r\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1))))
    chunks, passed = Chunks(), 0

    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        found = chunks.feed(sent[start:end])
        passed += end - start if found < 0 else found
        if found >= 0:
            break

    assert passed == len(framed)
    assert unchunked(framed) == b"".join(pieces)


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x2\r\nab\r\n",
        b"2\nab\r\n",
        b"2\r\nab\n0\r\n\r\n",
        b"2\r\nabc\r\n",
        b"2\r\nab0\r\n\r\n",
        b"2 2\r\nab\r\n",
        b"2;a\rb\r\nab\r\n",
        b"1" + b"0" * 15 + b"\r\n",
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\nContent-Length : 3\r\n\r\n",
        b"0\r\n folded: 1\r\n\r\n",
        b"0\r\n\n",
    ],
)
def test_what_are_no_chunks(data: bytes) -> None:
    with pytest.raises(FramingError):
        Chunks().feed(data)
    with pytest.raises(FramingError):
        one_by_one(data)


def test_lines_between_chunks_are_not_endless() -> None:
    with pytest.raises(FramingError, match="endless"):
        one_by_one(b"1" + b";a" * 10_000)
