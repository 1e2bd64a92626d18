"""What was asked of endpoints, as Prometheus scrapes it, named as SageMaker names it for CloudWatch."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from watchkeep.capture.traffic import Spread, Tallies, middle_of

LABELS: Final = ("EndpointName", "VariantName")
_COUNTERS: Final = {
    "Invocations": ("invocations", "Requests sent to the variant."),
    "Invocation4XXErrors": ("client_errors", "Answers with a status of 4xx."),
    "Invocation5XXErrors": ("server_errors", "Answers with a status of 5xx."),
    "InvocationModelErrors": ("model_errors", "Requests that the model did not answer with 2xx."),
}
_SPREADS: Final = {
    "ModelLatency_microseconds": ("latency", "How long the model took."),
    "OverheadLatency_microseconds": ("overhead", "How long everything else took."),
    "RequestSize_bytes": ("input", "Bodies of requests."),
    "ResponseSize_bytes": ("output", "Bodies of answers."),
}
_EDGES: Final = tuple(first * 10**power for power in range(2, 8) for first in (1, 2, 5))
"""100 us to 50 s, or bytes."""


def exposition(now: Callable[[], Tallies]) -> bytes:
    """The text that Prometheus scrapes.

    Args:
        now: gives what was counted so far, by endpoint and variant.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Of(now))
    return generate_latest(registry)


class _Of(Collector):
    def __init__(self, now: Callable[[], Tallies]) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        several = {(endpoint, variant): one for (endpoint, variant, _), one in self._now().of.items()}
        for name, (field, told) in _COUNTERS.items():
            family = CounterMetricFamily(f"watchkeep_{name}", told, labels=LABELS)
            for labels, traffic in several.items():
                family.add_metric(labels, getattr(traffic, field))
            yield family
        for name, (field, told) in _SPREADS.items():
            histogram = HistogramMetricFamily(f"watchkeep_{name}", told, labels=LABELS)
            for labels, traffic in several.items():
                spread: Spread = getattr(traffic, field)
                if spread.count:
                    histogram.add_metric(labels, buckets_of(spread), spread.total)
            yield histogram
        lost = CounterMetricFamily(
            "watchkeep_NotStored", "Requests of which no record is kept.", labels=(*LABELS, "Reason")
        )
        for labels, traffic in several.items():
            for reason, count in traffic.lost.items():
                lost.add_metric((*labels, reason), count)
        yield lost
        flagged = CounterMetricFamily(
            "watchkeep_Flagged",
            "Requests in which admission found something.",
            labels=(*LABELS, "Column", "What"),
        )
        for labels, traffic in several.items():
            for (column, what), count in traffic.flagged.items():
                flagged.add_metric((*labels, column, what), count)
        yield flagged


def buckets_of(spread: Spread) -> list[tuple[str, float]]:
    """How many numbers are at most as large as each edge; within the width of a cell.

    >>> buckets_of(Spread.of([150, 90_000]))[:3]
    [('100.0', 0), ('200.0', 1), ('500.0', 1)]
    """
    cells = sorted((middle_of(cell), times) for cell, times in spread.cells.items())
    found: list[tuple[str, float]] = []
    at = total = 0
    for edge in _EDGES:
        while at < len(cells) and cells[at][0] <= edge:
            total += cells[at][1]
            at += 1
        found.append((str(float(edge)), total))
    return [*found, ("+Inf", spread.count)]
