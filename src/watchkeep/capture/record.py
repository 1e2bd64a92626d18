"""One recorded inference, and how many of them become bytes."""

import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from struct import Struct
from typing import Any, Final, NamedTuple

from watchkeep.capture.encryption import Keys, key_id_in, why_closed
from watchkeep.core.errors import StoreError

MAGIC: Final = b"WKB1"
ENCRYPTED: Final = b"WKE1"
"""How every block begins, and every one that is encrypted; the digit is its version."""
HEAD: Final = Struct("<4sIQ")
"""Magic, checksum of what follows this head, bytes that follow it."""
_ALIGN: Final = 8


class Inference(NamedTuple):
    """What a model was asked and answered, once.

    Args:
        endpoint: the address that serves the model.
        variant: which version behind it answered.
        event_id: names this inference; no other has it.
        inference_id: names it for whoever asked, and joins labels with it; empty when nobody named it.
        time: when it was asked, microseconds since 1970 (UTC): its event time.
        latency: microseconds that the model took; -1 when nobody knows.
        overhead: microseconds that everything else took; -1 when nobody knows.
        status: of the answer, as HTTP counts; 0 when there was none.
        weight: how many inferences it stands for, as others were left out of the sample.
        flags: what admission found, as JSON text; empty when it found nothing.
        attributes: what the asker said about it; empty when nothing.
        input_type, output_type: content types; empty when nobody told.
        input, output: the bodies; None when not captured.
    """

    endpoint: str
    variant: str
    event_id: str
    inference_id: str
    time: int
    latency: int
    overhead: int
    status: int
    weight: float
    flags: str
    attributes: str
    input_type: str
    output_type: str
    input: bytes | None
    output: bytes | None


class Columns(NamedTuple):
    """Records, field by field of `Inference`: sequences of the same length. They are made sooner than one by one.

    Args:
        rows: how many.
        values: of each field, in their order.

    >>> one = Inference("churn", "A", "e1", "", 0, 250, 3, 200, 1.0, "", "", "text/csv", "text/csv", b"41", b"0.5")
    >>> found = Columns.of([one, one])
    >>> found.rows, found.values[7]
    (2, (200, 200))
    """

    rows: int
    values: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, records: Sequence[Inference]) -> "Columns":
        """Those of some records."""
        return cls(len(records), list(zip(*records, strict=True)) or [()] * len(Inference._fields))


class Block(NamedTuple):
    """Some records, column by column, as they lie in a segment.

    Args:
        rows: how many.
        columns: the bytes of each column by name, see `encode`.
        words: dictionaries of the columns that have one.
        tallies: what was counted beside the records.
        given: whether some event ids come from elsewhere, so that another record may have them too.
    """

    rows: int
    columns: Mapping[str, memoryview]
    words: Mapping[str, Sequence[str]]
    tallies: Sequence[Mapping[str, Any]]
    given: bool = True


CODED: Final = ("endpoint", "variant", "flags", "attributes", "input_type", "output_type")
"""Columns of few different texts: 16-bit codes, and the texts once a block."""
NUMBERS: Final = {"time": "q", "latency": "q", "overhead": "q", "status": "h", "weight": "d"}
"""Columns of numbers, and their types as `array` calls them."""
TEXTS: Final = ("event_id", "inference_id")
BODIES: Final = ("input", "output")
"""Columns of bytes: 64-bit ends of each value, and all values; a newline follows each body, which lets a whole column
be read as JSON lines. Bodies have a byte each that tells whether they were captured."""
MOST: Final = 32_768
"""Records of a block, at most: codes of 16 bits suffice for it."""


def encode(
    records: Sequence[Inference] | Columns,
    tallies: Sequence[Mapping[str, Any]] = (),
    *,
    given: bool = True,
    keys: Keys | None = None,
) -> list[bytes]:
    """Records as a block: bytes that tell their length and whether they are whole.

    They are written as columns, since whoever seals them into columnar files can then take the columns as they are.

    Args:
        records: at most `MOST`.
        tallies: what was counted beside them; JSON objects.
        given: see `Block`.
        keys: encrypt it; None where it is to be plain.

    Returns:
        Pieces to be written after each other.

    >>> one = Inference("churn", "A", "e1", "", 0, 250, 3, 200, 1.0, "", "", "text/csv", "text/csv", b"41", b"0.5")
    >>> block, rest = decode(memoryview(b"".join(encode([one]))))
    >>> list(records_of(block)) == [one], len(rest)
    (True, 0)
    """
    pieces: list[bytes] = []
    told: list[tuple[str, int]] = []

    def put(name: str, *parts: bytes) -> None:
        size = sum(map(len, parts))
        told.append((name, size))
        pieces.extend(parts)
        if size % _ALIGN:
            pieces.append(bytes(_ALIGN - size % _ALIGN))

    words: dict[str, list[str]] = {}
    found = records if isinstance(records, Columns) else Columns.of(records)
    if found.rows:
        columns = dict(zip(Inference._fields, found.values, strict=True))
        for name in CODED:
            column = columns[name]
            words[name] = texts = list(dict.fromkeys(column))
            if len(texts) > 1:
                codes = {text: code for code, text in enumerate(texts)}
                put(name, array("H", [codes[text] for text in column]).tobytes())
        for name, kind in NUMBERS.items():
            put(name, array(kind, columns[name]).tobytes())
        for name in TEXTS:
            own = columns[name]
            values = [text.encode("utf-8", "surrogatepass") for text in own] if any(own) else []
            if values:
                put(f"{name}.ends", array("q", accumulate(map(len, values))).tobytes())
                put(name, b"".join(values))
        for name in BODIES:
            bodies: Sequence[Any] = columns[name]
            if None in bodies:
                put(f"{name}.there", bytes(body is not None for body in bodies))
                bodies = [body or b"" for body in bodies]
            put(f"{name}.ends", array("q", accumulate([len(body) + 1 for body in bodies])).tobytes())
            put(name, b"\n".join(bodies), b"\n")
    head = {"rows": found.rows, "columns": told, "words": words, "tallies": list(tallies), "given": given}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGN)
    pieces[:0] = [len(text).to_bytes(8, "little"), text]
    return _framed(MAGIC, pieces) if keys is None else _framed(ENCRYPTED, [keys.sealed(b"".join(pieces))])


def _framed(magic: bytes, pieces: list[bytes]) -> list[bytes]:
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [HEAD.pack(magic, checksum, sum(map(len, pieces))), *pieces]


def decode(data: memoryview) -> tuple[Block | None, memoryview]:
    """The first block of some bytes, and what follows it; no block where these do not begin with a whole one.

    Raises:
        StoreError: it is a block of a newer version, or encrypted with a key that is not in the environment.
        OptionError: the keys of the environment are none.
        MissingExtraError: it is encrypted, and the library for it is not installed.
    """
    body, rest = whole(data)
    if body is None:
        return None, data
    length = int.from_bytes(body[:8], "little")
    head = json.loads(bytes(body[8 : 8 + length]))
    columns: dict[str, memoryview] = {}
    at = 8 + length
    for name, held in head["columns"]:
        columns[name] = body[at : at + held]
        at += held + -held % _ALIGN
    return Block(head["rows"], columns, head["words"], head["tallies"], head["given"]), rest


def whole(data: memoryview) -> tuple[memoryview | None, memoryview]:
    """What is in the first block of some bytes, decrypted, and what follows it; see `decode`."""
    if len(data) < HEAD.size:
        return None, data
    magic, checksum, size = HEAD.unpack_from(data)
    if magic not in (MAGIC, ENCRYPTED):
        if magic[:3] in (MAGIC[:3], ENCRYPTED[:3]) and magic[3:].isdigit():
            raise StoreError(
                "segment", why=f"its block is of version {magic[3:].decode()}, newer than this Watchkeep"
            )
        return None, data
    body = data[HEAD.size : HEAD.size + size]
    if len(body) != size or zlib.crc32(body) != checksum:
        return None, data
    if magic == MAGIC:
        return body, data[HEAD.size + size :]
    keys, key_id = Keys.of_environment(), key_id_in(body)
    if keys is None or not keys.holds(key_id):
        raise StoreError("segment", why=why_closed(key_id, keys))
    opened = keys.opened(body)
    return (None, data) if opened is None else (memoryview(opened), data[HEAD.size + size :])


def records_of(block: Block) -> list[Inference]:
    """The records of a block, one by one."""
    columns: dict[str, Sequence[Any]] = {}
    for name in CODED:
        texts = block.words[name] if block.rows else []
        codes = block.columns.get(name)
        columns[name] = (
            list(texts) * block.rows if codes is None else [texts[code] for code in array("H", bytes(codes))]
        )
    for name, kind in NUMBERS.items():
        columns[name] = array(kind, bytes(block.columns[name])) if block.rows else []
    for name in TEXTS:
        values = _values(block, name)
        columns[name] = [value.decode("utf-8", "surrogatepass") for value in values] or [""] * block.rows
    for name in BODIES:
        there = block.columns.get(f"{name}.there")
        held = [value[:-1] for value in _values(block, name)]
        columns[name] = (
            held if there is None else [body if one else None for body, one in zip(held, there, strict=True)]
        )
    return [Inference(*row) for row in zip(*(columns[name] for name in Inference._fields), strict=True)]


def _values(block: Block, name: str) -> list[bytes]:
    ends = block.columns.get(f"{name}.ends")
    if ends is None:
        return []
    data, start, found = block.columns[name], 0, []
    for end in array("q", bytes(ends)):
        found.append(bytes(data[start:end]))
        start = end
    return found
