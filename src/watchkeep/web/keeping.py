"""Keeps what the API is sent, and tells what became of it."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeep.app.ground_truth import intake_of
from watchkeep.capture.client import recorder_of
from watchkeep.capture.cloud_events import Half, Pairing
from watchkeep.capture.policies import EndpointPolicy
from watchkeep.capture.record import Inference
from watchkeep.capture.steps import Step
from watchkeep.capture.traffic import Tallies

Policies = Mapping[str, EndpointPolicy]


@dataclass(slots=True, eq=False)
class Given:
    """Makes records of what was sent as records; see `Make`.

    Args:
        steps: what is done with them before they are written.
    """

    steps: tuple[Step, ...]

    def __call__(self, one: Inference, event_id: str) -> Inference:
        """The record; one without an event id is given one."""
        return one if one.event_id else one._replace(event_id=event_id)


@dataclass(slots=True)
class Counting:
    """Counts the records that come through all steps before it; see `Step`."""

    kept: int = 0

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:  # noqa: ARG002
        """All of them."""
        self.kept += len(records)
        return list(records)


class Keeper:
    """Keeps captures and labels in a home, as the policies of their endpoints say.

    Args:
        home: where.
        policies: of endpoints, by name. Requests are flagged, and none refused: they were answered already.

    Raises:
        OptionError: the home cannot be written.
    """

    def __init__(self, home: Path, policies: Policies) -> None:
        self.recorder, self._intake = recorder_of(home), intake_of(home)
        self._steps = {name: policy.steps for name, policy in policies.items() if policy.steps}
        self._makers = {name: Given(steps) for name, steps in self._steps.items()}
        self._pairing = Pairing()
        for name, policy in policies.items():
            policy.tell(home, name)

    @property
    def failing(self) -> str | None:
        """Why something cannot be kept now; None where all can, as far as is known."""
        return self.recorder.failing or self._intake.failing

    async def captures(self, records: Sequence[Inference]) -> tuple[int, str | None]:
        """Have inferences recorded, and wait for the disk.

        Returns:
            How many are there, the others having been left out of a sample; and why not all are there that should be.
        """
        waiting, counting = _Waiting(len(records)), Counting()
        own = {
            name: Given((*self._steps[name], counting))
            for name in {one.endpoint for one in records} & self._steps.keys()
        }
        plain = 0
        for one in records:
            make = own.get(one.endpoint)
            if make is None:
                plain += 1
                self.recorder.record(one, waiting.told)
            else:
                self.recorder.take(make, one, _size(one), waiting.told)
        why = await waiting.done
        return plain + counting.kept, why

    async def labels(self, told: Inference) -> str | None:
        """Have labels kept, as `told_labels` has them, and wait for the disk; why they are not there, or None."""
        waiting = _Waiting(1)
        self._intake.record(told, waiting.told)
        return await waiting.done

    def event(self, half: Half) -> None:
        """Have one side of an inference recorded with the other one, when that is there; nobody waits."""
        self._keep(self._pairing.add(half, time.monotonic()))

    def expire(self) -> None:
        """Have sides recorded alone that have waited long enough."""
        self._keep(self._pairing.expired(time.monotonic()))

    def end(self) -> None:
        """Write what there is."""
        self._keep(self._pairing.rest())
        for recorder in (self.recorder, self._intake):
            recorder.flush()

    def _keep(self, records: Sequence[Inference]) -> None:
        for one in records:
            make = self._makers.get(one.endpoint)
            if make is None:
                self.recorder.record(one)
            else:
                self.recorder.take(make, one, _size(one))


def _size(one: Inference) -> int:
    return len(one.input or b"") + len(one.output or b"")


class _Waiting:
    """Waits for several records, which are told of in any thread."""

    def __init__(self, left: int) -> None:
        self._left, self._loop = left, asyncio.get_running_loop()
        self.done: asyncio.Future[str | None] = self._loop.create_future()
        self._why: str | None = None
        self._lock = threading.Lock()

    def told(self, why: str | None) -> None:
        """One of them is on the disk, or is not."""
        with self._lock:
            self._left -= 1
            self._why = self._why or why
            if self._left:
                return
        self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if not self.done.done():
            self.done.set_result(self._why)
