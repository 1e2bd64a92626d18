"""Brings records from elsewhere into the store of a home."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from watchkeep.adapters.captures.importing import Arriving, Imported, Importer
from watchkeep.adapters.captures.tabular import Roles, Table
from watchkeep.adapters.captures.transforms import manifest_of, transforms
from watchkeep.adapters.captures.trees import trees
from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import find
from watchkeep.adapters.sources.sniffing import any_capture
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import store_of
from watchkeep.app.upkeep import alone_in, who_is
from watchkeep.capture.exchange import VARIANT
from watchkeep.core.errors import OptionError
from watchkeep.service.ports import Ask, Progress

_TRUTH = "groundTruthData.data"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How sources are brought in.

    Args:
        endpoint, variant: whose records they are to be; told by folders of captures when not given.
        id, timestamp, outputs, ignored: columns of tables, see `Roles`.
        at: when records were made that do not say so.
        rewrite: prefixes of the objects that manifests list, and what stands in their place here.
        format, header: see `open_source`.
        again: whether to bring in what was brought in before.
    """

    endpoint: str | None = None
    variant: str | None = None
    id: str | None = None
    timestamp: str | None = None
    outputs: Sequence[str] = ()
    ignored: Sequence[str] = ()
    at: datetime | None = None
    rewrite: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None
    header: bool | None = None
    again: bool = False


def bring(
    home: Path,
    sources: Sequence[str],
    how: How,
    *,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Bring sources in: SageMaker's capture trees, manifests of its batch transforms, or tables.

    Raises:
        OptionError: something is missing that the source does not tell, or another process does the like.
        SourceError: a source cannot be read; nothing was brought in.
        StoreError: the store cannot be written; nothing was brought in.
    """
    with alone_in(home):
        arriving = [one for source in sources for one in _arriving(source, how)]
        importer = Importer(open_shelf(store_of(home)), who=who_is(home), again=how.again, progress=progress)
        return importer.bring(arriving, now=now or datetime.now(UTC))


def _arriving(source: str, how: How) -> Iterator[Arriving]:
    table = how.format not in (None, "capture") or how.header is not None
    if not table and ":" not in source.partition("://")[0]:
        files = find(source).members
        if how.format == "capture" or any_capture(files):
            yield from trees(files, source, endpoint=how.endpoint, variant=how.variant, at=how.at)
            return
        manifests = [one for file in files if (one := manifest_of(file)) is not None]
        if manifests:
            yield from transforms(
                manifests,
                source,
                endpoint=how.endpoint,
                variant=how.variant or VARIANT,
                at=how.at,
                rewrite=how.rewrite,
            )
            return
    yield from _tables(source, how)


def _tables(source: str, how: How) -> Iterator[Table]:
    opened = open_source(source, format=how.format, header=how.header)
    if not isinstance(opened, FileSource):
        raise OptionError(
            "source", got=source, expected="files: what is imported is known again by its files"
        )
    if how.endpoint is None:
        raise OptionError(
            "--endpoint", got="nothing", expected=f"a name under which the rows of {source} are kept"
        )
    if _TRUTH in opened.schema(Ask()).names:
        raise OptionError("source", got=source, expected="captures; these are labels, for `watchkeep labels`")
    roles = Roles(
        id=how.id, timestamp=how.timestamp, at=how.at, outputs=tuple(how.outputs), ignored=tuple(how.ignored)
    )
    for one in opened.singles():
        yield Table(how.endpoint, how.variant or VARIANT, one, roles)
