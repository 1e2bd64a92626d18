"""Opens what people name as a source, that of their home too."""

from pathlib import Path

from watchkeep.adapters.preprocessing import Script
from watchkeep.adapters.sources import open_source as opened
from watchkeep.adapters.sources.scripted import scripted
from watchkeep.app.captures import named
from watchkeep.service.ports import Source


def open_source(
    what: object,
    *,
    format: str | None = None,  # noqa: A002 (the option's name)
    header: bool | None = None,
    script: Script | None = None,
) -> Source:
    """Opens a source; see `adapters.sources.open_source`. `captures:ENDPOINT` are the captures of the home.

    Args:
        what, format, header: see there.
        script: makes rows of records.

    Raises:
        OptionError: it is no source, or an option is none of ours.
        SourceError: it cannot be read.
    """
    source = opened(
        [_named(one) for one in what] if isinstance(what, list | tuple) else _named(what),
        format=format,
        header=header,
    )
    return source if script is None else scripted(source, script)


def _named(what: object) -> object:
    return named(str(what)) if isinstance(what, str | Path) else what
