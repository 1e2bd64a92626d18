"""What requests of an endpoint must be like before its model is asked."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from watchkeep.capture.admission import Admission
from watchkeep.capture.refusing import reasons
from watchkeep.gateway.bodies import WBITS, body_of
from watchkeep.gateway.exchange import Finding
from watchkeep.gateway.turns import Turn

_FRAMING: Final = 1 << 16
"""Bytes by which chunks may be larger than what they hold, whatever that is."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Looks at requests before their model is asked.

    Args:
        admission: what they must be like.
        names: of values that come without; None for those of its columns.
    """

    admission: Admission
    names: Sequence[str] | None = None

    def beyond(self, turn: Turn) -> Finding | None:
        """What is wrong with a request because of its size, as far as it has been read; None where nothing is."""
        most = self.admission.bytes
        framed = turn.input_size - turn.input_skip
        if turn.chunks is None:
            size = framed + turn.left
        else:
            size = turn.chunks.content if framed <= 2 * most + _FRAMING else framed
        return Finding([self.admission.too_large(size)], refused=True) if size > most else None

    def look(self, turn: Turn) -> Finding | None:
        """What is wrong with a request that was read whole; None where nothing is."""
        body = body_of(turn.pending, turn.input_skip, chunked=turn.input_chunked)
        bits = WBITS.get(turn.content_encoding.strip().lower())
        if body and bits is not None:
            with suppress(zlib.error):  # what is none of it is no JSON either, and that is told
                body = zlib.decompressobj(bits).decompress(body, self.admission.bytes + 1)
        kind = turn.content_type.decode("latin-1")
        problems = self.admission.check(body, kind, self.names)
        return Finding(problems, refused=bool(reasons(problems))) if problems else None
