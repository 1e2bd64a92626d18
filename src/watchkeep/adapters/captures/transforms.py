"""What batch transform jobs of SageMaker read and wrote, found by their manifests, to be brought into the store."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.captures.arrivals import inference_of, made_id, table_of
from watchkeep.adapters.captures.rows import Flattening
from watchkeep.adapters.sources.files import File, find, reading
from watchkeep.adapters.sources.json_lines import lines
from watchkeep.adapters.sources.stored.layout import EPOCH
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import EmptySourceError, OptionError, UnreadableSourceError
from watchkeep.formats.capture_lines import NOT_JSON, NOT_UTF8, Said, Side, micros_of
from watchkeep.service.ports import MISSING

OUT: Final = ".out"
_BLOCK: Final = 8 << 20
_AT_A_TIME: Final = 16 << 20
_LARGEST: Final = 64 << 20
"""Bytes of a manifest, or of a JSON document that is not one a line."""
_HOURLY: Final = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")
_GENERATED: Final = re.compile(
    r",\"?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\"?,\"?(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d)?)\"?$"
)
_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
_INPUT, _OUTPUT = "SageMakerInput", "SageMakerOutput"
_TYPES: Final = {"CSV": "text/csv", "JSON": "application/json"}
UNPAIRED: Final = "input and output have different numbers of lines: stored without its input"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A list of objects.

    Args:
        name: of the manifest.
        prefix: of all objects.
        objects: their names after the prefix.
        hour: when the job began, by the folder of the manifest; None where it lies in none.
    """

    name: str
    prefix: str
    objects: Sequence[str]
    hour: datetime | None

    @property
    def of_outputs(self) -> bool:
        """Whether it lists what a job wrote."""
        parts = self.name.split("/")
        told = [part for part in parts if part in ("input", "output")]
        return told[-1] == "output" if told else all(one.endswith(OUT) for one in self.objects)


def manifest_of(file: File) -> Manifest | None:
    """What a file lists; None where it is no manifest."""
    if file.size is not None and file.size > _LARGEST:
        return None
    with reading(file.name):
        start = file.head(1)
        if start != b"[":
            return None
        text = file.head(_LARGEST)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    first = value[0] if isinstance(value, list) and value else None
    if not isinstance(first, dict) or not isinstance(first.get("prefix"), str):
        return None
    if not all(isinstance(one, str) for one in value[1:]):
        raise UnreadableSourceError(
            file.name, why="a manifest lists names of objects, and this one lists other things"
        )
    found = _HOURLY.search(file.name)
    hour = None
    if found:
        year, month, day, at = map(int, found.groups())
        hour = datetime(year, month, day, at, tzinfo=UTC)
    return Manifest(file.name, first["prefix"], value[1:], hour)


@dataclass(frozen=True, slots=True)
class Transform:
    """An object that a job wrote, and the one that it read for it.

    Args:
        endpoint, variant: whose records they are to be.
        output: what was written, a record a line, or one JSON document.
        input: what was read; None when it is not there, or not wanted.
        at: when the job began.
    """

    endpoint: str
    variant: str
    output: File
    input: File | None
    at: datetime | None

    @property
    def members(self) -> list[File]:
        """See `Arriving`."""
        return [self.output] if self.input is None else [self.output, self.input]

    def only(self, members: Collection[File]) -> "Transform":  # noqa: ARG002 (part of the port)
        """See `Arriving`."""
        return self

    def tables(self, rejected: Counter[str], tallies: Tallies) -> Iterator[pa.Table]:
        """See `Arriving`."""
        flattening = Flattening()
        said: list[Said] = []
        held = 0
        for number, (written, given) in enumerate(self._pairs(rejected), 1):
            one = self._record(number, written, given, rejected)
            if one is None:
                continue
            said.append(one)
            held += len(written)
            if held > _AT_A_TIME:
                yield self._table(said, flattening, tallies)
                said, held = [], 0
        if said:
            yield self._table(said, flattening, tallies)

    def _table(self, said: Sequence[Said], flattening: Flattening, tallies: Tallies) -> pa.Table:
        tallies.count([inference_of(one, self.endpoint, self.variant) for one in said])
        return table_of(said, (), flattening)

    def _pairs(self, rejected: Counter[str]) -> Iterator[tuple[bytes, bytes | None]]:
        """What was written of each record, and what was read."""
        given: Iterator[bytes | None] = repeat(None)
        if self.input is not None:
            counts = [sum(1 for _ in _records(file)) for file in (self.output, self.input)]
            if counts[0] == counts[1]:
                given = chain(_records(self.input))
            else:
                rejected[UNPAIRED] += counts[0]
        return zip(_records(self.output), given, strict=False)

    def _record(
        self, number: int, written: bytes, given: bytes | None, rejected: Counter[str]
    ) -> Said | None:
        try:
            text, asked = written.decode(), None if given is None else given.decode()
            is_json = text.lstrip().startswith(("{", "["))
            answer, question, name, time = _of_json(text, asked) if is_json else _of_csv(text, asked)
        except UnicodeDecodeError:
            rejected[NOT_UTF8] += 1
            return None
        except ValueError:
            rejected[NOT_JSON] += 1
            return None
        micros = micros_of(time)
        if micros is None and self.at is None:
            rejected[MISSING] += 1
            return None
        if micros is None:
            assert self.at is not None  # noqa: S101 (see above)
            micros = (self.at - EPOCH) // timedelta(microseconds=1)
        event = made_id(self.endpoint, self.output.path, number, text)
        return Said(event, name or "", "", micros, question, answer)


def _of_csv(text: str, asked: str | None) -> tuple[Side, Side | None, str | None, str | None]:
    """The answer, what was asked, its id and time, of a line of CSV."""
    found = _GENERATED.search(text)
    own = text[: found.start()] if found else text
    if asked is not None and own.startswith(f"{asked},"):  # the job joined them
        own = own[len(asked) + 1 :]
    question = None if asked is None else _side(asked)
    return _side(own), question, found[1] if found else None, found[2] if found else None


def _of_json(text: str, asked: str | None) -> tuple[Side, Side | None, str | None, str | None]:
    """The same of a line, or document, of JSON."""
    value = json.loads(text)
    question = None if asked is None else _side(asked)
    if not isinstance(value, dict):
        return _side(text), question, None, None
    name, time = value.pop(_ID, None), value.pop(_TIME, None)
    if _OUTPUT not in value:
        changed = name is not None or time is not None
        return _side(_told(value) if changed else text), question, _named(name), _named(time)
    answer = value.pop(_OUTPUT)
    given = value.pop(_INPUT, value)
    return _side(_told(answer)), question or _side(_told(given)), _named(name), _named(time)


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _named(value: object) -> str | None:
    return None if value is None else str(value)


def _side(text: str) -> Side:
    encoding = "JSON" if text.lstrip().startswith(("{", "[")) else "CSV"
    return Side(text.encode("utf-8", "surrogatepass"), encoding, _TYPES[encoding])


def _records(file: File) -> Iterator[bytes]:
    """The records of an object: its lines, or all of it where it is one JSON document over several."""
    try:
        with reading(file.name), file.stream() as stream:
            blocks = lines(stream, _BLOCK, source=file.name)
            first = next(blocks)
            if _is_document(first):
                whole = b"".join(chain([first], blocks))
                if len(whole) > _LARGEST:
                    why = f"it is one JSON document of more than {_LARGEST >> 20} MB; expected one a line"
                    raise UnreadableSourceError(file.name, why=why)
                yield whole
                return
            for block in chain([first], blocks):
                yield from (line.rstrip(b"\r") for line in block.split(b"\n") if line.strip())
    except (EmptySourceError, StopIteration):
        return


def _is_document(start: bytes) -> bool:
    """Whether JSON goes on over several lines."""
    first, end, _ = start.lstrip().partition(b"\n")
    if not first.startswith((b"{", b"[")) or not end:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def transforms(
    manifests: Sequence[Manifest],
    source: str,
    *,
    endpoint: str | None,
    variant: str,
    at: datetime | None,
    rewrite: Mapping[str, str],
) -> Iterator[Transform]:
    """The objects that manifests list, outputs with their inputs.

    Args:
        manifests: those of a job, or of several.
        source: where they were found.
        endpoint, variant: whose records they are to be.
        at: when records were made that say nothing of it; the hour of the manifest when not given.
        rewrite: prefixes of objects, and what stands in their place here.

    Raises:
        OptionError: there is no endpoint, no output, or no time.
        MissingSourceError: an output is not there.
    """
    if endpoint is None:
        raise OptionError(
            "--endpoint", got="nothing", expected="a name under which records of a batch transform are kept"
        )
    given: dict[tuple[datetime | None, str], str] = {}
    for one in manifests:
        if not one.of_outputs:
            given.update({(one.hour, name): _here(one.prefix + name, rewrite) for name in one.objects})
    outputs = [one for one in manifests if one.of_outputs]
    if not outputs:
        raise OptionError("source", got=source, expected="manifests of what a job wrote, below output/")
    for one in outputs:
        for name in one.objects:
            (written,) = find(_here(one.prefix + name, rewrite)).members
            read = given.get((one.hour, name.removesuffix(OUT)))
            yield Transform(endpoint, variant, written, None if read is None else _file(read), at or one.hour)


def _file(where: str) -> File | None:
    """An input, when it is still there: people delete them."""
    try:
        (found,) = find(where).members
    except (FileNotFoundError, EmptySourceError):
        return None
    return found


def _here(url: str, rewrite: Mapping[str, str]) -> str:
    for prefix, other in rewrite.items():
        if url.startswith(prefix):
            return other + url.removeprefix(prefix)
    return url
