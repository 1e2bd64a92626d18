"""SageMaker's capture trees, to be brought into the store."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

import pyarrow as pa

from watchkeep.adapters.captures.arrivals import Place, inference_of, made_id, table_of
from watchkeep.adapters.captures.rows import Flattening
from watchkeep.adapters.sources.capture import REPEATED
from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.json_lines import lines
from watchkeep.adapters.sources.stored.layout import EPOCH
from watchkeep.capture.exchange import VARIANT
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import EmptySourceError, OptionError
from watchkeep.formats.capture_lines import NOT_UTF8, Said, UnreadableLineError, micros_of, read
from watchkeep.service.ports import MISSING, UNREADABLE

_BLOCK: Final = 8 << 20
_AT_A_TIME: Final = 16 << 20
"""Bytes of lines that become one table."""
_TOGETHER: Final = 64 << 20
"""Bytes of files of one hour that are brought in together."""
_HOURLY: Final = re.compile(r"(?:^|(.*)/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/([^/]+)$")
_PACKED: Final = (".gz", ".zst", ".bz2")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file of a capture tree lies.

    Args:
        endpoint, variant: whose captures it holds.
        kept: its path below the variant, without the suffix of a compression.
        hour: of its folder; None where it lies in none.
    """

    endpoint: str
    variant: str
    kept: str
    hour: datetime | None


def spot_of(name: str, source: str, *, endpoint: str | None, variant: str | None) -> Spot:
    """Where a file lies, by its path and what people say.

    Args:
        name: its path or URL.
        source: what was named; a folder above it, a glob, or it.
        endpoint, variant: whose captures it is said to hold. What nobody says is told by the folders above the hour;
            those above what was named are only believed beside an endpoint that is said and stands there.

    Raises:
        OptionError: neither says whose endpoint's it is.

    >>> found = spot_of("s3://b/all/churn/A/2024/01/19/18/20-48-871-x.jsonl", "s3://b/all", endpoint=None, variant=None)
    >>> found.endpoint, found.variant, found.kept
    ('churn', 'A', '2024/01/19/18/20-48-871-x.jsonl')
    """
    found = _HOURLY.search(name)
    hour = _hour(found) if found else None
    if found is None or hour is None:
        above: list[str] = []
        kept = name.rpartition("/")[2]
    else:
        above = [
            part for part in (found[1] or "").split("/") if part not in ("", ".", "..") and ":" not in part
        ]
        kept = "/".join(found.groups()[1:])
    inner = name.removeprefix(source.rstrip("/") + "/") if name.startswith(source.rstrip("/") + "/") else ""
    below = _HOURLY.search(inner)
    named = len((below[1] or "").split("/")) if below and below[1] else 0
    told = above[-2] if len(above) > 1 else None
    if endpoint is None and told is None:
        raise OptionError(
            "--endpoint", got="nothing", expected=f"whose captures {source} holds; no folder says so"
        )
    if variant is None:
        believed = above and (named > 0 or endpoint is None or told == endpoint)
        variant = above[-1] if believed else VARIANT
    return Spot(endpoint or told or "", variant, _unpacked(kept), hour)


def _hour(found: "re.Match[str]") -> datetime | None:
    try:
        return datetime(*(int(part) for part in found.groups()[1:5]), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:  # four numbers that are no hour
        return None


def _unpacked(name: str) -> str:
    return next((name.removesuffix(end) for end in _PACKED if name.endswith(end)), name)


@dataclass(frozen=True, slots=True)
class Tree:
    """Files of captures of one variant, and of one hour where folders say so.

    Args:
        endpoint, variant: whose.
        files: the files, and where each lies.
        at: when records without a time were made; None to use the hour of their folder, or none.
    """

    endpoint: str
    variant: str
    files: Sequence[tuple[File, Spot]]
    at: datetime | None = None

    @property
    def members(self) -> list[File]:
        """See `Arriving`."""
        return [file for file, _ in self.files]

    def only(self, members: Collection[File]) -> "Tree":
        """See `Arriving`."""
        return replace(self, files=[one for one in self.files if one[0] in members])

    def tables(self, rejected: Counter[str], tallies: Tallies) -> Iterator[pa.Table]:
        """See `Arriving`."""
        flattening = Flattening()
        said: list[Said] = []
        places: list[Place] = []
        held, seen = 0, set[str]()
        for file, spot in self.files:
            for one, place, size in self._records(file, spot, rejected):
                if one.event_id in seen:
                    rejected[REPEATED] += 1
                    continue
                seen.add(one.event_id)
                said.append(one)
                places.append(place)
                held += size
                if held > _AT_A_TIME:
                    yield self._table(said, places, flattening, tallies)
                    said, places, held = [], [], 0
        if said:
            yield self._table(said, places, flattening, tallies)

    def _table(
        self, said: Sequence[Said], places: Sequence[Place], flattening: Flattening, tallies: Tallies
    ) -> pa.Table:
        tallies.count([inference_of(one, self.endpoint, self.variant) for one in said])
        return table_of(said, places, flattening)

    def _records(self, file: File, spot: Spot, rejected: Counter[str]) -> Iterator[tuple[Said, Place, int]]:
        number, like = 0, None
        for raw, end in _lines(file):
            number += 1
            if not raw.strip():
                continue
            try:
                text = raw.decode() + end
                found = read(text, like=like)
                time = self._time(found.said.time, found.time, spot)
            except UnicodeDecodeError:
                rejected[NOT_UTF8] += 1
                continue
            except UnreadableLineError as error:
                rejected[error.reason] += 1
                continue
            said, like = found.said, found.spelling
            name = said.event_id or made_id(self.endpoint, spot.kept, number, text)
            said = said._replace(event_id=name, time=time)
            yield said, Place(spot.kept, number, found.spelling), len(raw)

    def _time(self, micros: int, told: object, spot: Spot) -> int:
        if told is not None and micros_of(told) is None:
            raise UnreadableLineError(UNREADABLE)
        if told is not None:
            return micros
        other = self.at or spot.hour
        if other is None:
            raise UnreadableLineError(MISSING)
        return (other - EPOCH) // timedelta(microseconds=1)


def _lines(file: File) -> Iterator[tuple[bytes, str]]:
    """The lines of a file without their ends, and these."""
    try:
        with reading(file.name), file.stream() as stream:
            for block in lines(stream, _BLOCK, source=file.name):
                *several, last = block.split(b"\n")
                for line in several:
                    yield line, "\n"
                if last:
                    yield last, ""
    except EmptySourceError:
        return


def trees(
    files: Sequence[File], source: str, *, endpoint: str | None, variant: str | None, at: datetime | None
) -> Iterator[Tree]:
    """The files of a source as they are brought in together.

    Raises:
        OptionError: nobody says whose captures they are.
    """
    spotted = [(file, spot_of(file.name, source, endpoint=endpoint, variant=variant)) for file in files]

    def whose(one: tuple[File, Spot]) -> tuple[str, str, str]:
        spot = one[1]
        return (
            spot.endpoint,
            spot.variant,
            spot.hour.isoformat() if spot.hour else one[0].path.rpartition("/")[0],
        )

    for (name, version, _), several in groupby(
        sorted(spotted, key=lambda one: (*whose(one), one[0].path)), whose
    ):
        together: list[tuple[File, Spot]] = []
        held = 0
        for file, spot in several:
            if together and held + (file.size or 0) > _TOGETHER:
                yield Tree(name, version, together, at)
                together, held = [], 0
            together.append((file, spot))
            held += file.size or 0
        yield Tree(name, version, together, at)
