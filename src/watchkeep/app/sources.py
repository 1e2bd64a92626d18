"""Opens what people name as a source, that of their home too."""

from pathlib import Path

from watchkeep.adapters.preprocessing import Script
from watchkeep.adapters.sources import open_source as opened
from watchkeep.adapters.sources.scripted import scripted
from watchkeep.adapters.sources.stored.source import PREFIX
from watchkeep.app.captures import named
from watchkeep.app.waiting import SOON, waiting_in
from watchkeep.capture.home import home_of
from watchkeep.core.errors import MissingSourceError
from watchkeep.core.wording import counted
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
    try:
        source = opened(
            [_named(one) for one in what] if isinstance(what, list | tuple) else _named(what),
            format=format,
            header=header,
        )
    except MissingSourceError as error:
        told = _waiting([str(one) for one in what] if isinstance(what, list | tuple) else [str(what)])
        if told:
            error.args = (f"{error}; {told}",)
        raise
    return source if script is None else scripted(source, script)


def _waiting(several: list[str]) -> str:
    """What is recorded of endpoints of the home and not sealed yet, as a sentence; nothing where nothing is."""
    for what in several:
        if what.startswith(PREFIX) and "#" not in what:
            endpoint, _, variant = what.removeprefix(PREFIX).partition("/")
            waits = waiting_in(home_of(), endpoint=endpoint, variant=variant or None)
            count = sum(one.requests for one in waits)
            if count:
                verb = "is" if count == 1 else "are"
                place = what.removeprefix(PREFIX)
                return f"{counted(count, 'request')} of {place} {verb} recorded and not sealed yet: try again in {SOON}"
    return ""


def _named(what: object) -> object:
    return named(str(what)) if isinstance(what, str | Path) else what
