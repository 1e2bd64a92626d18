"""Counts of requests: how many, how fast, how large, how many failed; and what was not stored."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from watchkeep.capture.record import Columns, Inference

MINUTE: Final = 60_000_000
"""Microseconds."""
_BITS: Final = 7
"""Bits of a number that a cell keeps, the first included: a cell is at most 1/64 of its numbers wide."""


def cell_of(value: int) -> int:
    """The cell of a histogram that a whole number falls into; the cells are narrow next to their numbers.

    >>> cell_of(0), cell_of(100), cell_of(1000), cell_of(1001), cell_of(1016)
    (0, 100, 317, 317, 319)
    """
    shift = value.bit_length() - _BITS
    return value if shift <= 0 else (shift << (_BITS - 1)) + (value >> shift)


def middle_of(cell: int) -> float:
    """The middle of a cell: within 0.8 % of every number in it.

    >>> middle_of(100), middle_of(317)
    (100, 1003.5)
    """
    half = 1 << (_BITS - 1)
    shift = cell // half - 1
    if shift <= 0:
        return cell
    first = (cell - (shift << (_BITS - 1))) << shift
    return first + ((1 << shift) - 1) / 2


@dataclass(slots=True)
class Spread:
    """How numbers are spread: exact count, sum, least and most, and quantiles within 0.8 %. It merges.

    >>> one = Spread.of([250, 300, 9000])
    >>> one.merge(Spread.of([20]))
    >>> one.count, one.total, one.least, one.most, one.quantile(0.5)
    (4, 9570, 20, 9000, 250.5)
    """

    count: int = 0
    total: int = 0
    least: int | None = None
    most: int | None = None
    cells: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, values: Sequence[int]) -> Self:
        """That of some numbers."""
        if not values:
            return cls()
        cells: Counter[int] = Counter()
        for value, times in Counter(values).items():  # few are different
            cells[cell_of(value)] += times
        return cls(len(values), sum(values), min(values), max(values), cells)

    def add(self, value: int) -> None:
        """Take in one number."""
        self.count += 1
        self.total += value
        self.least = value if self.least is None else min(self.least, value)
        self.most = value if self.most is None else max(self.most, value)
        self.cells[cell_of(value)] += 1

    def merge(self, other: Self) -> None:
        """Take in what was counted elsewhere."""
        self.count += other.count
        self.total += other.total
        self.least = _pick(min, self.least, other.least)
        self.most = _pick(max, self.most, other.most)
        self.cells.update(other.cells)

    def quantile(self, share: float) -> float | None:
        """The number that this share of them does not pass; None where there is none."""
        if self.least is None or self.most is None:
            return None
        left = share * self.count
        for cell in sorted(self.cells):
            left -= self.cells[cell]
            if left <= 0:
                return float(min(max(middle_of(cell), self.least), self.most))
        return float(self.most)

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        cells = [number for cell in sorted(self.cells) for number in (cell, self.cells[cell])]
        return {"sum": self.total, "min": self.least, "max": self.most, "cells": cells}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """What `document` wrote."""
        cells = document["cells"]
        counts = Counter(dict(zip(cells[::2], cells[1::2], strict=True)))
        return cls(counts.total(), document["sum"], document["min"], document["max"], counts)


@dataclass(slots=True)
class Traffic:
    """What was asked of one variant within one minute of event time. It merges.

    Args:
        invocations: requests.
        client_errors, server_errors: answers with status 4xx and 5xx.
        model_errors: requests that the model did not answer with 2xx.
        latency, overhead: microseconds of the model, and of everything else.
        input, output: bytes of bodies.
        lost: requests of which no record is kept, by reason.
        flagged: requests in which admission found something, by column (empty where it is none that is known) and by
            what it found.
    """

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model_errors: int = 0
    latency: Spread = field(default_factory=Spread)
    overhead: Spread = field(default_factory=Spread)
    input: Spread = field(default_factory=Spread)
    output: Spread = field(default_factory=Spread)
    lost: Counter[str] = field(default_factory=Counter)
    flagged: Counter[tuple[str, str]] = field(default_factory=Counter)

    def merge(self, other: Self) -> None:
        """Take in what was counted elsewhere."""
        self.invocations += other.invocations
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.model_errors += other.model_errors
        for name in _SPREADS:
            getattr(self, name).merge(getattr(other, name))
        self.lost.update(other.lost)
        self.flagged.update(other.flagged)

    def add(self, one: Inference) -> None:
        """Take in one request: the quick way, for those that are lost when too many come."""
        self.invocations += 1
        self.client_errors += 400 <= one.status < 500
        self.server_errors += one.status >= 500
        self.model_errors += not 200 <= one.status < 300
        if one.latency >= 0:
            self.latency.add(one.latency)
        if one.overhead >= 0:
            self.overhead.add(one.overhead)
        if one.input is not None:
            self.input.add(len(one.input))
        if one.output is not None:
            self.output.add(len(one.output))

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        spreads = {name: getattr(self, name).document() for name in _SPREADS if getattr(self, name).count}
        lost = {"lost": dict(self.lost)} if self.lost else {}
        return counts | spreads | lost | ({"flagged": self.flagged_by_column()} if self.flagged else {})

    def flagged_by_column(self) -> dict[str, dict[str, int]]:
        """Requests in which admission found something, by column and then by what."""
        found: dict[str, dict[str, int]] = {}
        for (column, what), count in sorted(self.flagged.items()):
            found.setdefault(column, {})[what] = count
        return found

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """What `document` wrote."""
        counts = [document[name] for name in _COUNTS]
        spreads = [Spread.read(document[name]) if name in document else Spread() for name in _SPREADS]
        flagged = {
            (column, what): count
            for column, kinds in document.get("flagged", {}).items()
            for what, count in kinds.items()
        }
        return cls(*counts, *spreads, Counter(document.get("lost", {})), Counter(flagged))  # type: ignore[call-arg]


_COUNTS: Final = ("invocations", "client_errors", "server_errors", "model_errors")
_SPREADS: Final = ("latency", "overhead", "input", "output")

Place = tuple[str, str, int]
"""Endpoint, variant, and the minute of event time, in minutes since 1970."""


class Tallies:
    """Traffic by endpoint, variant and minute."""

    def __init__(self) -> None:
        self.of: dict[Place, Traffic] = {}

    def at(self, place: Place) -> Traffic:
        """That of one place."""
        found = self.of.get(place)
        if found is None:
            found = self.of[place] = Traffic()
        return found

    def count(self, records: Sequence[Inference] | Columns) -> None:
        """Take in requests."""
        columns = records if isinstance(records, Columns) else Columns.of(records)
        if not columns.rows:
            return
        endpoints, variants, times = columns.values[0], columns.values[1], columns.values[4]
        if min(times) // MINUTE == max(times) // MINUTE and len({*endpoints}) == len({*variants}) == 1:
            self.at((endpoints[0], variants[0], times[0] // MINUTE)).merge(_traffic(columns.values))
            return
        places: dict[Place, list[tuple[Any, ...]]] = {}
        for one in zip(*columns.values, strict=True):
            places.setdefault((one[0], one[1], one[4] // MINUTE), []).append(one)
        for place, several in places.items():
            self.at(place).merge(_traffic(list(zip(*several, strict=True))))

    def lose(self, one: Inference, reason: str) -> None:
        """Count a request that no record is kept of, and was not counted before."""
        self.leave_out(one, reason)
        self.at((one.endpoint, one.variant, one.time // MINUTE)).add(one)

    def leave_out(self, one: Inference, reason: str) -> None:
        """Count that no record is kept of a request that was counted."""
        self.at((one.endpoint, one.variant, one.time // MINUTE)).lost[reason] += 1

    def flag(self, one: Inference, kinds: Iterable[tuple[str, str]]) -> None:
        """Count what admission found in a request: columns and what, each once."""
        self.at((one.endpoint, one.variant, one.time // MINUTE)).flagged.update(kinds)

    def merge(self, other: "Tallies") -> None:
        """Take in what was counted elsewhere."""
        for place, traffic in other.of.items():
            self.at(place).merge(traffic)

    def totals(self) -> "Tallies":
        """All minutes of an endpoint and variant as one, which is called minute 0."""
        totals = Tallies()
        for (endpoint, variant, _), traffic in self.of.items():
            totals.at((endpoint, variant, 0)).merge(traffic)
        return totals

    def documents(self) -> list[dict[str, Any]]:
        """They as JSON objects."""
        return [
            {"endpoint": endpoint, "variant": variant, "minute": minute, **traffic.document()}
            for (endpoint, variant, minute), traffic in self.of.items()
        ]

    @classmethod
    def read(cls, documents: Iterable[Mapping[str, Any]]) -> Self:
        """What `documents` wrote."""
        tallies = cls()
        for one in documents:
            tallies.at((one["endpoint"], one["variant"], one["minute"])).merge(Traffic.read(one))
        return tallies


def _traffic(columns: Sequence[Sequence[Any]]) -> Traffic:
    """That of requests of one place, column by column."""
    statuses = Counter(columns[_STATUS])
    good = sum(n for status, n in statuses.items() if 200 <= status < 300)
    return Traffic(
        invocations=len(columns[0]),
        client_errors=sum(n for status, n in statuses.items() if 400 <= status < 500),
        server_errors=sum(n for status, n in statuses.items() if status >= 500),
        model_errors=len(columns[0]) - good,
        latency=Spread.of([value for value in columns[_LATENCY] if value >= 0]),
        overhead=Spread.of([value for value in columns[_OVERHEAD] if value >= 0]),
        input=Spread.of([len(body) for body in columns[_INPUT] if body is not None]),
        output=Spread.of([len(body) for body in columns[_OUTPUT] if body is not None]),
    )


_STATUS, _LATENCY, _OVERHEAD, _INPUT, _OUTPUT = map(
    Inference._fields.index, ("status", "latency", "overhead", "input", "output")
)


def _pick(which: Any, one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    picked: int = which(one, other)
    return picked
