"""Requests of a home that are recorded and wait to be sealed."""

from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from watchkeep.adapters.sources.stored.layout import EPOCH, endpoints, variants
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import store_of
from watchkeep.app.traffic import Totals
from watchkeep.core.errors import MissingSourceError
from watchkeep.core.window import Window
from watchkeep.service.ports import EVER

SOON: Final = "about a minute"
"""After which time what is recorded is sealed."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests of one variant that are not sealed yet.

    Args:
        endpoint, variant: whose.
        requests: how many; those of which a sample keeps no record are among them.
    """

    endpoint: str
    variant: str
    requests: int

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {"endpoint": self.endpoint, "variant": self.variant, "Invocations": self.requests}


def waiting_in(
    home: Path, *, endpoint: str | None = None, variant: str | None = None, window: Window | None = None
) -> list[Waiting]:
    """What waits to be sealed, by endpoint and variant.

    Args:
        home: whose.
        endpoint, variant: only theirs.
        window: only requests of this time, to the minute.

    Raises:
        StoreError: a segment is of a newer version, or encrypted with a key that is not in the environment.
    """
    counts: dict[tuple[str, str], int] = {}
    for (name, version, minute), traffic in Totals(home).waiting().of.items():
        if endpoint in (None, name) and variant in (None, version) and _within(minute, window or EVER):
            place = (name, version)
            counts[place] = counts.get(place, 0) + traffic.invocations
    return [Waiting(*place, count) for place, count in sorted(counts.items()) if count]


def place_of(home: Path, what: str) -> tuple[str, str | None]:
    """The endpoint, and the variant if it is about one, that `ENDPOINT` or `ENDPOINT/VARIANT` names.

    Args:
        home: where something of it is stored, or waits to be.
        what: what it is called.

    Raises:
        MissingSourceError: nothing is there that is called so, and something else is.
        StoreError: see `waiting_in`; or the store cannot be read.
    """
    shelf, waits = open_shelf(store_of(home)), waiting_in(home)
    known = sorted({*endpoints(shelf), *(one.endpoint for one in waits)})
    if what in known or not known:
        return what, None
    endpoint, _, variant = what.partition("/")
    if endpoint not in known:
        told = f"an endpoint that was captured: {', '.join(known[:12])}"
        raise MissingSourceError(f"captures of {what}", looked_for=told, got=endpoint, choices=known)
    held = sorted({*variants(shelf, endpoint), *(one.variant for one in waits if one.endpoint == endpoint)})
    if variant not in held:
        told = f"a variant of {endpoint} that was captured: {', '.join(held[:12])}"
        raise MissingSourceError(f"captures of {what}", looked_for=told, got=variant, choices=held)
    return endpoint, variant


def doubt_of(home: Path, endpoint: str) -> str | None:
    """Why the name of an endpoint may be wrong, as a sentence; None where something of it was captured.

    Raises:
        StoreError: see `place_of`.
    """
    known = endpoints(open_shelf(store_of(home)))
    if endpoint in known:
        return None
    known = sorted({*known, *(one.endpoint for one in waiting_in(home))})
    if endpoint in known:
        return None
    near = get_close_matches(endpoint, known, n=1)
    return f"nothing was captured of {endpoint}" + (f"; did you mean {near[0]!r}?" if near else "")


def _within(minute: int, window: Window) -> bool:
    start = EPOCH + minute * _MINUTE
    late = window.end is not None and start >= window.end
    return not late and not (window.start is not None and start + _MINUTE <= window.start)
