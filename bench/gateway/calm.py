"""Measuring while others work on the machine: what they disturbed is measured again."""

import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.gateway.servers import Running

Figure = TypeVar("Figure")

_TICKS = os.sysconf("SC_CLK_TCK")
_MOST = 0.3
"""Of a core, that others may take; the kernel's own work on packets, which it puts on nobody's account, is in it."""


class Calm:
    """Measures when others rest, and measures again when they did not.

    Args:
        servers: whose work is ours, beside that of this process and its children.
        patience: seconds that may be spent on waiting and measuring again, in all.

    Attributes:
        taken: how many figures were measured.
        disturbed: how many of them while others worked, as patience had ended.
    """

    def __init__(self, servers: Iterable[Running], *, patience: float) -> None:
        self._servers = list(servers)
        self._patience = patience
        self.disturbed = self.taken = 0

    @contextmanager
    def beside(self, server: Running) -> Iterator[None]:
        """For a while, one more server is ours."""
        self._servers.append(server)
        yield
        self._servers.remove(server)

    def measure(self, figure: Callable[[], Figure]) -> Figure:
        """A figure, taken as calmly as may be."""
        found: list[tuple[float, Figure]] = []
        while True:
            began = time.monotonic()
            others, value = self._watched(figure)
            found.append((others, value))
            if others < _MOST or self._patience <= 0:
                break
            while (
                self._patience > time.monotonic() - began and self._watched(partial(time.sleep, 1))[0] > _MOST
            ):
                pass
            self._patience -= time.monotonic() - began
        self.taken += 1
        others, value = min(found, key=lambda each: each[0])
        self.disturbed += others >= _MOST
        return value

    def _watched(self, figure: Callable[[], Figure]) -> tuple[float, Figure]:
        """A figure, and how many cores others took meanwhile."""
        wall, busy, own = time.perf_counter(), _busy(), self._own()
        value = figure()
        return ((_busy() - busy) - (self._own() - own)) / (time.perf_counter() - wall), value

    def _own(self) -> float:
        children, this = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        ours = children.ru_utime + children.ru_stime + this
        return ours + sum(server.cpu() for server in self._servers)


def _busy() -> float:
    """Seconds that all cores together have worked."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS
