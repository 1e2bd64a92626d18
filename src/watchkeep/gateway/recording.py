"""Records what passes the gateway."""

import asyncio
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from watchkeep.capture.client import recorder_of
from watchkeep.capture.exchange import VARIANT, RecordLostError
from watchkeep.capture.flagging import Told
from watchkeep.capture.policies import EndpointPolicy
from watchkeep.capture.record import Inference
from watchkeep.capture.steps import Step
from watchkeep.gateway.bodies import WBITS
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.exchange import Exchange, Finding, Watch
from watchkeep.gateway.gate import Gate

_LONGEST: Final = 1024
"""Characters of an id, or of custom attributes; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the records of one endpoint.

    Args:
        limit: bytes of a body that are recorded, after it is unpacked.
        steps: what is done with records before they are written.
        refused: whether the model was not asked: it has no latency, and what was answered is not kept.
    """

    limit: int
    steps: tuple[Step, ...] = ()
    refused: bool = False

    def __call__(self, exchange: Exchange, event_id: str) -> Inference:
        """See `Make`."""
        one = inference_of(exchange, event_id, self.limit)
        return one._replace(latency=-1, output=None, output_type="") if self.refused else one

    def of(self, finding: Finding) -> "Maker":
        """Makes the record of a request in which something was found."""
        return Maker(self.limit, (Told(finding.problems), *self.steps), finding.refused)


def policies_of(options: Mapping[str, Mapping[str, Any]], limit: int) -> dict[str, EndpointPolicy]:
    """The policies of endpoints.

    Args:
        options: of each endpoint by name; see `EndpointPolicy.of`.
        limit: bytes of a body that are recorded.

    Raises:
        DocumentError: an admission does not follow its schema.
        OptionError: a policy is none.
    """
    return {name: EndpointPolicy.of(own, limit=limit, endpoint=name) for name, own in options.items()}


def gates_of(options: Mapping[str, Mapping[str, Any]], limit: int) -> dict[str, Gate]:
    """The gates of endpoints whose policy refuses; see `policies_of`."""
    policies = policies_of(options, limit)
    return {
        name: Gate(policy.admission, policy.names)
        for name, policy in policies.items()
        if policy.refuses and policy.admission is not None
    }


@contextmanager
def recording(
    home: Path,
    durable: bool,
    limit: int,
    options: Mapping[str, Mapping[str, Any]],
    number: int,  # noqa: ARG001 (see `OpenWatch`)
    counters: Counters,  # noqa: ARG001
) -> Iterator[Watch]:
    """A worker's watch: it records exchanges into a home.

    Args:
        home: where.
        durable: whether an answer is complete only when its record is on the disk.
        limit: bytes of a body that are recorded, after it is unpacked.
        options: see `policies_of`.
        number, counters: of the worker.
    """
    recorder = recorder_of(home)
    plain = Maker(limit)
    makers = {
        name: Maker(limit, policy.after if policy.refuses else policy.steps)
        for name, policy in policies_of(options, limit).items()
    }

    def watch(exchange: Exchange) -> "asyncio.Future[None] | None":
        size = sum(map(len, exchange.input)) + sum(map(len, exchange.output))
        make = makers.get(exchange.route.endpoint, plain)
        if exchange.finding is not None:
            make = make.of(exchange.finding)
        if not durable:
            recorder.take(make, exchange, size)
            return None
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()

        def told(why: str | None) -> None:
            loop.call_soon_threadsafe(_settle, stored, why)

        recorder.take(make, exchange, size, told)
        return stored

    try:
        yield watch
    finally:
        recorder.flush()


def _settle(stored: "asyncio.Future[None]", why: str | None) -> None:
    if stored.done():
        return
    if why is None:
        stored.set_result(None)
    else:
        stored.set_exception(RecordLostError(why))


def inference_of(exchange: Exchange, event_id: str, limit: int) -> Inference:
    """The record of an exchange.

    Args:
        exchange: a request, and what became of it.
        event_id: the record's name.
        limit: bytes of a body; a larger one is not recorded, and that is told.
    """
    flags: dict[str, str] = {}
    given = None if exchange.input_truncated else exchange.input_bytes()
    said = None if exchange.output_truncated else exchange.output_bytes()
    given = _unpacked(given, exchange.content_encoding, "input", limit, flags)
    said = _unpacked(said, exchange.output_encoding, "output", limit, flags)
    if exchange.error is not None:
        flags["error"] = exchange.error
    latency = exchange.latency if exchange.latency or exchange.error is None else -1
    return Inference(
        exchange.route.endpoint,
        exchange.variant or VARIANT,
        event_id,
        _text(exchange.inference_id),
        exchange.started // 1000,
        latency,
        max(0, exchange.total - max(0, latency)),
        exchange.status,
        1.0,
        json.dumps(flags) if flags else "",
        _text(exchange.attributes),
        _text(exchange.content_type),
        _text(exchange.output_type),
        given,
        said,
    )


def _unpacked(
    body: bytes | None, encoding: bytes, side: str, limit: int, flags: dict[str, str]
) -> bytes | None:
    """A body as it was before it was compressed; None where it is larger than the limit."""
    bits = WBITS.get(encoding.strip().lower())
    if body and bits is not None:
        try:
            engine = zlib.decompressobj(bits)
            body = engine.decompress(body, limit + 1)
        except zlib.error:
            flags[side] = f"not {encoding.decode('latin-1')}, as was told"
    if body is None or len(body) > limit:
        flags[side] = "larger than the limit"
        return None
    return body


def _text(header: bytes) -> str:
    return header.decode("latin-1")[:_LONGEST]
