"""What is kept of requests and answers, and how it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.gateway.bodies import unchunked
from watchkeep.gateway.problems import Refusal, answer
from watchkeep.gateway.turns import Turn


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=8), st.integers(0, 40), st.booleans())
def test_what_is_watched_is_kept_up_to_the_limit_and_not_a_byte_beyond(
    pieces: list[bytes], most: int, watched: bool
) -> None:
    turn, head, whole = Turn(), b"head", b"".join(pieces)
    turn.watched, turn.collects = watched, most
    turn.input_skip = turn.output_skip = len(head)

    for index, piece in enumerate(pieces):
        turn.take(head + piece if index == 0 else piece)
        turn.give(head + piece if index == 0 else piece)

    fits = len(whole) <= most
    assert turn.input_size == turn.output_size == len(head + whole)
    assert turn.replayable is fits
    assert turn.output_bytes() == whole[:most]
    assert turn.output_truncated is not fits
    if watched:
        assert turn.input_bytes() == whole[:most]
        assert turn.input_truncated is not fits
    else:
        assert b"".join(turn.input) == (head + whole if fits else b"")


def test_pieces_are_kept_as_they_are() -> None:
    turn, piece = Turn(), b"head" + b"x" * 100
    turn.collects = 1000

    turn.take(piece)
    turn.give(piece)

    assert turn.input[0] is piece
    assert turn.output[0] is piece


@pytest.mark.parametrize(
    ("framed", "body"),
    [
        (b"", b""),
        (b"5\r\nhel", b"hel"),
        (b"2\r\nab\r\n2\r\ncd\r\n", b"abcd"),
        (b"2\r\nab\r\n0\r\nX: 1\r\n\r\n", b"ab"),
        (b"A;x\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ],
)
def test_chunks_that_break_off_give_what_is_there(framed: bytes, body: bytes) -> None:
    assert unchunked(framed) == body


def test_a_problem_says_whose_it_is() -> None:
    told = answer(Refusal(504, "upstream-timeout", "Silent."), keep=False, sagemaker=True)

    head, _, body = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Type: application/problem+json\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert head.endswith(b"Connection: close")
    assert b'"source": "watchkeep gateway"' in body
    assert b'"message": "Silent."' in body
    assert answer(Refusal(404, "x", "y"), keep=True, bodiless=True).endswith(b"\r\n\r\n")
