"""Waiting for executors: a cluster that has none to give says nothing, and Spark would wait for ever."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final
from uuid import uuid4

from watchkeep.core.errors import OptionError, UnreadableSourceError

PATIENCE: Final = "spark.watchkeep.patience"
"""The setting that tells for how many seconds to wait for an executor; 0 for ever."""
USUAL: Final = 600.0
"""What it is unless somebody says otherwise."""
SOON: Final = 30.0
"""Seconds after which people are told that there is none yet."""
_STEP: Final = 1.0
_ASKED: Final = ("spark.executor.memory", "spark.executor.cores", "spark.executor.instances")


def patience_of(settings: Mapping[str, str], session: Any = None) -> float:
    """Seconds to wait for an executor: as the settings say, or those of the session.

    Raises:
        OptionError: it is no number, or below 0.

    >>> patience_of({"spark.watchkeep.patience": "90"}), patience_of({})
    (90.0, 600.0)
    """
    told = settings.get(PATIENCE)
    if told is None and session is not None:
        told = _quietly(lambda: session.conf.get(PATIENCE, None), None)
    if told is None:
        return USUAL
    try:
        seconds = float(told)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise OptionError("spark", got=f"{PATIENCE}={told}", expected="seconds, or 0 to wait for ever")
    return seconds


@dataclass(slots=True)
class Waiting:
    """Looks, while Spark works, whether it has executors to work with.

    Of Spark Connect nobody can tell, and on this machine alone there is nothing to wait for.

    Args:
        session: of Spark.
        note: is told after `soon` seconds without an executor.
        patience: seconds after which what Spark does is called off; 0 for never.
        soon, step: seconds; how often it looks.
    """

    session: Any
    note: Callable[[str], None]
    patience: float = USUAL
    soon: float = SOON
    step: float = _STEP
    _over: Event = field(default_factory=Event)
    _gave_up: bool = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """While Spark works.

        Raises:
            UnreadableSourceError: it had no executor for too long.
        """
        context = _quietly(lambda: self.session.sparkContext, None)
        if context is None or str(_quietly(lambda: context.master, "local")).split("[")[0] == "local":
            yield
            return
        tag = f"watchkeep-{uuid4().hex}"
        context.addJobTag(tag)
        self._over.clear()
        looker = Thread(target=self._look, args=(context, tag), daemon=True)
        looker.start()
        try:
            yield
        except Exception as error:
            if not self._gave_up:
                raise
            why = f"no executor came within {self.patience:g} seconds: {_asked(context)}"
            hint = f"ask for less, or wait longer ({PATIENCE}, in seconds; 0 for ever)"
            raise UnreadableSourceError("Spark", why=f"{why}; {hint}") from error
        finally:
            self._over.set()
            looker.join()
            _quietly(lambda: context.removeJobTag(tag), None)

    def _look(self, context: Any, tag: str) -> None:
        waited, told = 0.0, False
        while not self._over.wait(self.step):
            count = _quietly(lambda: executors(context), None)
            if count is None:  # nobody can tell
                return
            waited = 0.0 if count else waited + self.step
            if waited >= self.soon and not told:
                told = True
                self.note(f"Spark has given no executor for {waited:g} seconds: {_asked(context)}")
            if self.patience and waited >= self.patience:
                self._gave_up = True
                _quietly(lambda: context.cancelJobsWithTag(tag), None)
                waited = 0.0  # what begins meanwhile is called off in its turn


def executors(context: Any) -> int:
    """How many executors a cluster has given; the driver is none."""
    return len(context._jsc.sc().statusTracker().getExecutorInfos()) - 1  # noqa: SLF001 (no other way is there)


def _asked(context: Any) -> str:
    """What executors are asked for, and of whom."""
    settings = dict(_quietly(lambda: context.getConf().getAll(), []))
    told = [f"{name}={settings[name]}" for name in _ASKED if name in settings]
    asked = ", ".join(told) or "spark.executor.memory=1g"
    return f"no worker of {context.master} has free what an executor asks for ({asked})"


def _quietly(look: Callable[[], Any], otherwise: Any) -> Any:
    """What is found, or something else where that cannot be told."""
    try:
        return look()
    except Exception:  # noqa: BLE001 (Spark has no class for it, and other kinds of sessions lack things)
        return otherwise
