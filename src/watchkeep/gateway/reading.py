"""How the head of a request becomes a turn: refused, or with a door to go through and what to say there."""

from itertools import islice
from typing import Final

from watchkeep.gateway.house import House, Plan
from watchkeep.gateway.problems import Refusal
from watchkeep.gateway.requests import (
    HOPS,
    TARGET_VARIANT,
    RequestError,
    again,
    appended,
    framing,
    read_field,
    without,
)
from watchkeep.gateway.responses import Chunks
from watchkeep.gateway.turns import Turn

_REMEMBERED: Final = 4096


def read_head(turn: Turn, house: House, head: bytes, peer: bytes) -> bytes:
    """Fill in a turn whose request's head is whole.

    Args:
        turn: to be filled in; one with a refusal is answered by the gateway, and keeps its connection if it may.
        house: what the worker knows.
        head: request line and headers, with the empty line.
        peer: the client's address.

    Returns:
        What the upstream is sent for it.
    """
    lines = head[:-4].split(b"\r\n")
    try:
        plan = _read(turn, house, lines, short=len(head) < _REMEMBERED)
    except RequestError as error:
        turn.refusal, turn.keep = error.refusal, False
        return b""
    told = turn.told
    turn.refusal, turn.route, choice = plan.refusal, plan.route, plan.choice
    if choice is not None:
        door = choice.by_name.get(told[TARGET_VARIANT]) if TARGET_VARIANT in told else choice.any()
        if door is not None:
            turn.door, turn.variant = door, door.variant
            turn.watched, turn.collects, turn.replayable = plan.watched, plan.collects, plan.replayable
            turn.gate = plan.gate
            line = plan.line
            host = door.host or line.host
            held = plan.gate is not None and b"expect" in told  # who asks it has the body already
            if house.adds or host or held or not line.modern or not HOPS.isdisjoint(told):
                lines = _mended(lines, turn, house, peer, host)
            elif plan.where is line.target and not door.prefix:
                return head
            version = b" HTTP/1.1" if line.modern else b" HTTP/1.0"
            lines[0] = b"".join((line.method, b" ", door.prefix, plan.where, version))
            return b"\r\n".join((*lines, b"", b""))
        turn.refusal = Refusal(
            400, "no-such-variant", f"The endpoint {turn.route.endpoint} has no such variant."
        )
    if b"expect" in told:  # the client would wait to be told to send its body
        turn.keep = False
    return b""


def _read(turn: Turn, house: House, lines: list[bytes], *, short: bool) -> Plan:
    """Read all lines; `short` tells that they may be remembered."""
    limits = house.limits
    plan = house.plans[lines[0]] if short else house.plan(lines[0])
    turn.line = plan.line
    if len(lines) > limits.headers + 1:
        most = f"it has more than {limits.headers} headers"
        raise RequestError(most, status=431, reason="too-many-headers")
    fields, told = house.fields, turn.told
    for each in islice(lines, 1, None):
        if (field := fields[each] if short else read_field(each)) is not None:
            name, value = field
            told[name] = again(name, told[name], value) if name in told else value
    turn.left, turn.input_chunked, turn.keep = framing(told, modern=plan.line.modern)
    if turn.input_chunked:
        turn.chunks, turn.left = Chunks(), limits.body_bytes
    if turn.left > limits.body_bytes:
        most = f"its body has more than {limits.body_bytes} bytes"
        raise RequestError(most, status=413, reason="body-too-large")
    if b"upgrade" in told and b"websocket" in told[b"upgrade"].lower():
        raise RequestError("WebSockets do not pass this gateway", status=501, reason="no-upgrade")
    return plan


def _mended(lines: list[bytes], turn: Turn, house: House, peer: bytes, host: bytes | None) -> list[bytes]:
    """The request's lines as the upstream is sent them; the first is a place for its line."""
    also = [b"host"] if host else []
    if not turn.line.modern or turn.gate is not None:
        also.append(b"expect")
    config = house.config
    if config.forwarded:
        also.append(b"x-forwarded-proto")
    kept = without(lines[1:], turn.told.get(b"connection", b""), *also)
    if config.forwarded:
        kept = appended(kept, b"X-Forwarded-For", peer)
        kept.append(b"X-Forwarded-Proto: http")
    if config.via is not None:
        kept = appended(kept, b"Via", (b"1.1 " if turn.line.modern else b"1.0 ") + config.via.encode())
    if host:
        kept.insert(0, b"Host: " + host)
    if not turn.line.modern and turn.keep:
        kept.append(b"Connection: keep-alive")
    return [b"", *kept]
