"""What to ask of a source, and the fold over its batches."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.service.ports import EVER, Ask, Progress, Source

_PLACED: Final = re.compile("_c[0-9]+")
EVENT: Final = ("eventId", "inferenceId", "inferenceTime", "capture_weight")
"""Columns of captured records that are read only when a role names them."""


def ask_of(
    source: Source, roles: Roles, *, positional: Sequence[str] | None = None, window: Window | None = None
) -> Ask:
    """All columns, and those beside them that a role names (captured records keep ids and times of their own)."""
    window = window or EVER
    if any(_PLACED.fullmatch(name) for name in roles.named()):  # who names columns so wants no other names
        positional = None
    plain = Ask(positional=positional, timestamp=roles.timestamp, window=window)
    named = [name for name in roles.named() if name in EVENT]
    if not named:
        return plain
    return Ask(
        columns=[*source.schema(plain).names, *named],
        positional=positional,
        timestamp=roles.timestamp,
        window=window,
    )


def told(batches: Iterator[Batch], progress: Progress, what: str, rows: int | None = None) -> Iterator[Batch]:
    """The batches, while `progress` is told of them."""
    progress.start(what, rows=rows)
    try:
        for batch in batches:
            yield batch
            progress.advance(batch.rows + sum(batch.rejected.values()))
    finally:
        progress.stop()


def nothing_in(rejected: Mapping[str, int]) -> str:
    """Why there is nothing to analyse."""
    if not rejected:
        return "it holds no rows"
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
    return f"it holds no rows that can be analysed; rejected: {reasons}"
