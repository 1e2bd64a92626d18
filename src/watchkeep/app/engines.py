"""Who reads: this machine, or a Spark cluster."""

import os
from collections.abc import Mapping
from typing import Final

from watchkeep.adapters.processes import Processes
from watchkeep.core.errors import OptionError
from watchkeep.service.folding import Engine

ENGINES: Final = ("local", "spark")
"""What reads."""
DAMAGED: Final = ("fail", "skip")
"""What becomes of files that cannot be read."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def engine(
    name: str = "local",
    *,
    threads: int | None = None,
    settings: Mapping[str, str] | None = None,
    damaged: str = "fail",
) -> Engine:
    """What reads sources.

    Args:
        name: "local", or "spark": the session that is active, or a new one.
        threads: parts of a source that are read at a time on this machine, by as many processes; the cores it has
            when not given.
        settings: `spark.*` settings of a new session, such as {"spark.master": "spark://host:7077"}; and
            `spark.watchkeep.patience`, the seconds to wait for an executor.
        damaged: "fail" when a file cannot be read, or "skip" it: it is named in the report, and counted.

    Raises:
        MissingExtraError: Spark is not installed.
        OptionError: an option cannot be used.

    >>> engine(threads=2).name
    'local'
    """
    for option, got, choices in (("engine", name, ENGINES), ("damaged", damaged, DAMAGED)):
        if got not in choices:
            raise OptionError(option, got=got, expected=f"one of {', '.join(choices)}", choices=choices)
    if threads is not None and threads < 1:
        raise OptionError("threads", got=str(threads), expected="1 or more")
    skip = damaged == "skip"
    if name == "local":
        if settings:
            raise OptionError("spark", got=next(iter(settings)), expected="--engine spark beside it")
        return Processes(cores() if threads is None else threads, skip=skip)
    if threads is not None:
        expected = "none with Spark: its executors have cores (spark.executor.cores)"
        raise OptionError("threads", got=str(threads), expected=expected)
    from watchkeep.adapters.spark.engine import Spark
    from watchkeep.adapters.spark.patience import patience_of
    from watchkeep.adapters.spark.session import session_of  # most commands need no Spark

    told = settings or {}
    patience_of(told)  # before it takes long
    session = session_of(told)
    return Spark(session, skip=skip, patience=patience_of(told, session))


def engine_of(given: "Engine | str | None") -> Engine:
    """An engine as people give it: itself, its name, or nothing for this machine."""
    return engine(given or "local") if given is None or isinstance(given, str) else given
