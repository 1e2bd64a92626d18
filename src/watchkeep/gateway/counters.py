"""What the gateway counts while it runs."""

from typing import Any


class Counters:
    """Counts of one worker since it started, but for those of the moment. All are plain numbers that others read.

    Args:
        clients: connections of clients, now.
        running: requests that were begun and have not been settled, now.
        requests: that were read whole up to their body.
        answers: of upstreams, passed on whole, by the first digit of their status.
        refused: requests that the gateway answered itself and that no upstream saw whole, by reason.
        failed: requests that were begun and got no whole answer, by error.
        retried: requests sent once more, as the kept connection they were sent over was closed meanwhile.
        watched: exchanges handed to the watch.
        watch_errors: exchanges that the watch did not take; they were answered all the same.
    """

    __slots__ = (
        "answers",
        "clients",
        "failed",
        "refused",
        "requests",
        "retried",
        "running",
        "watch_errors",
        "watched",
    )

    def __init__(self) -> None:
        self.clients = self.running = self.requests = self.retried = self.watched = self.watch_errors = 0
        self.answers = [0] * 10
        self.refused: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def refuse(self, reason: str) -> None:
        """Count one refused request."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def fail(self, error: str) -> None:
        """Count one request that failed."""
        self.failed[error] = self.failed.get(error, 0) + 1

    def snapshot(self) -> dict[str, Any]:
        """All counts, as they are now, ready for JSON."""
        return {
            "clients": self.clients,
            "running": self.running,
            "requests": self.requests,
            "answers": {f"{digit}xx": count for digit, count in enumerate(self.answers) if count},
            "refused": dict(self.refused),
            "failed": dict(self.failed),
            "retried": self.retried,
            "watched": self.watched,
            "watch_errors": self.watch_errors,
        }
