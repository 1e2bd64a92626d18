"""What the gateway answers itself, and never instead of an answer that an upstream gave."""

import json
from http import HTTPStatus
from typing import Final, NamedTuple

ABOUT: Final = "urn:watchkeep:gateway:"
"""How the types of the gateway's own problems begin."""


class Refusal(NamedTuple):
    """Why the gateway answers by itself.

    Args:
        status: of the answer.
        reason: a word for counters and machines.
        detail: a sentence for people.
    """

    status: int
    reason: str
    detail: str


def answer(refusal: Refusal, *, keep: bool, bodiless: bool = False, sagemaker: bool = False) -> bytes:
    """A whole HTTP answer that tells a problem (RFC 9457), and that it is the gateway's.

    Args:
        refusal: what to tell.
        keep: whether the connection stays open after it.
        bodiless: whether the body is left out, as answers to HEAD have none.
        sagemaker: whether a member `message` tells the detail, where AWS's clients look for it.

    >>> answer(Refusal(502, "unreachable", "Nobody there."), keep=True).splitlines()[0]
    b'HTTP/1.1 502 Bad Gateway'
    """
    told = {
        "type": ABOUT + refusal.reason,
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "source": "watchkeep gateway",
    }
    if sagemaker:
        told["message"] = refusal.detail
    return whole_answer(refusal.status, json.dumps(told).encode(), keep=keep, bodiless=bodiless)


def whole_answer(status: int, body: bytes, *, keep: bool, bodiless: bool = False) -> bytes:
    """A whole HTTP answer with a problem document.

    Args:
        status: of the answer.
        body: the document.
        keep, bodiless: see `answer`.
    """
    end = "" if keep else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n{end}\r\n"
    )
    return head.encode() + (b"" if bodiless else body)
