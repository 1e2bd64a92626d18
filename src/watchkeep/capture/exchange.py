"""Which requests are captured, and how records are made of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from watchkeep.capture.batches import Told
from watchkeep.capture.record import Columns, Inference
from watchkeep.capture.recorder import Recorder
from watchkeep.capture.steps import Step

VARIANT: Final = "AllTraffic"
"""What the only variant of an endpoint is called, as SageMaker calls it."""
LIMIT: Final = 1 << 20
"""Bytes of a body that is captured; a larger one is not."""
INFERENCE_ID: Final = b"x-amzn-sagemaker-inference-id"
REQUEST_ID: Final = b"x-request-id"
ATTRIBUTES: Final = b"x-amzn-sagemaker-custom-attributes"
CONTENT_TYPE: Final = b"content-type"
TOO_LARGE: Final = "larger than the limit"
_new: Final = tuple.__new__
_LONGEST: Final = 1024
"""Characters of an id, of custom attributes, or of a content type; the rest is cut off."""
_LARGE: Final = 1 << 16
"""Bytes of a body from which on a copy costs more than what it may spare."""


Exchange: TypeAlias = (
    "tuple[int, int, int, bytes | None, bytes | None, bytes | None, bytes | None, bytes, bytes]"
)
"""A request and its answer: start and end (nanoseconds since 1970), status (0 when there was no answer), content types
of input and output, inference id and custom attributes (None where nobody told), input and output. It is a bare tuple,
as it is made while the asker waits."""


def whole(pieces: Sequence[bytes]) -> bytes:
    """Pieces of a body as one, which holds no more memory than it is long.

    Bytes that a library has made may hold the whole buffer that they were written in, for as long as they live: those
    of orjson, 4 KiB each.

    >>> whole([b"4", b"1"])
    b'41'
    """
    if len(pieces) == 1 and len(pieces[0]) > _LARGE:
        return bytes(pieces[0])
    return b"".join((*pieces, b""))


class RecordLostError(RuntimeError):
    """An answer must not be given, since it was promised that its record is kept, and it cannot be."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the record of this answer cannot be kept: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capturing:
    """Which requests are captured, and where their records go.

    Args:
        recorder: keeps them.
        endpoint, variant: whose they are.
        paths: only requests to these; all, when none are named.
        methods: only requests by these.
        limit: bytes of a body that is captured.
        durable: whether an answer is complete only when its record is on the disk.
        steps: what is done with these records before they are written.
    """

    recorder: Recorder
    endpoint: str
    variant: str = VARIANT
    paths: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset({"POST"})
    limit: int = LIMIT
    durable: bool = False
    steps: tuple[Step, ...] = ()

    def wants(self, method: str, path: str) -> bool:
        """Whether a request is captured."""
        return method in self.methods and (not self.paths or path in self.paths)

    def take(self, exchange: Exchange, told: Told | None = None) -> None:
        """Have an exchange recorded; see `Recorder.take`."""
        self.recorder.take(self, exchange, len(exchange[-1]) + len(exchange[-2]), told)

    def columns(self, exchanges: Sequence[Exchange], event_ids: Sequence[str]) -> Columns:
        """The records of several exchanges, column by column."""
        starts, ends, statuses, input_types, output_types, names, attributes, given, said = zip(
            *exchanges, strict=True
        )
        rows = len(exchanges)
        if max(map(len, given)) > self.limit or max(map(len, said)) > self.limit:
            return Columns.of(
                [self(one, event_id) for one, event_id in zip(exchanges, event_ids, strict=True)]
            )
        return Columns(
            rows,
            [
                [self.endpoint] * rows,
                [self.variant] * rows,
                event_ids,
                _texts(names),
                [start // 1000 for start in starts],
                [
                    (end - start) // 1000 if end > start else 0
                    for start, end in zip(starts, ends, strict=True)
                ],
                [-1] * rows,
                statuses,
                [1.0] * rows,
                [""] * rows,
                _texts(attributes),
                _texts(input_types),
                _texts(output_types),
                given,
                said,
            ],
        )

    def __call__(self, exchange: Exchange, event_id: str) -> Inference:
        """Make the record of an exchange; see `Make`."""
        start, end, status, input_type, output_type, name, attributes, given, said = exchange
        flags = ""
        if len(given) > self.limit or len(said) > self.limit:
            large = {"input": len(given) > self.limit, "output": len(said) > self.limit}
            flags = json.dumps({side: TOO_LARGE for side, is_large in large.items() if is_large})
        return _new(
            Inference,
            (
                self.endpoint,
                self.variant,
                event_id,
                name.decode("latin-1")[:_LONGEST] if name else "",
                start // 1000,
                max(0, (end - start) // 1000),  # the clock may have been set back
                -1,
                status,
                1.0,
                flags,
                attributes.decode("latin-1")[:_LONGEST] if attributes else "",
                input_type.decode("latin-1")[:_LONGEST] if input_type else "",
                output_type.decode("latin-1")[:_LONGEST] if output_type else "",
                given if len(given) <= self.limit else None,
                said if len(said) <= self.limit else None,
            ),
        )


def _texts(headers: Sequence[bytes | None]) -> list[str]:
    """Values of a header as texts."""
    known = {value: value.decode("latin-1")[:_LONGEST] if value else "" for value in {*headers}}
    return [known[value] for value in headers]
