"""Documents as the program writes them, small enough to read and rich enough to draw."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp
from typing import Protocol

import pytest

Document = dict[str, object]
MEASURES = ("completeness", "distinct", "ks", "linf_robust", "psi", "js", "wasserstein", "chi2_p")


class MakeReport(Protocol):
    def __call__(self, columns: int = 24, *, moved: int = 3, seed: int = 7, stem: str = "") -> Document: ...


@pytest.fixture(scope="session")
def report_document() -> MakeReport:
    """Makes a report; see `report`."""
    return report


@pytest.fixture(scope="session")
def baseline_document() -> Callable[[int], Document]:
    """Makes a baseline; see `baseline`."""
    return baseline


def shares(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


def bell(edges: Sequence[float], centre: float, width: float) -> list[float]:
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    return shares([exp(-(((x - centre) / width) ** 2) / 2) + 1e-4 for x in middles])


def statistics(rng: random.Random, rows: int, missing: int, centre: float, width: float) -> Document:
    levels = {"0.05": -1.64, "0.25": -0.67, "0.5": 0.0, "0.75": 0.67, "0.95": 1.64}
    return {
        "rows": rows,
        "missing": missing,
        "mean": centre + rng.random(),
        "std": width,
        "min": centre - 3 * width,
        "max": centre + 3 * width,
        "quantiles": {level: centre + z * width for level, z in levels.items()},
        "distinct": 1200,
    }


def numeric(rng: random.Random, name: str, *, moved: bool) -> Document:
    centre, width = rng.choice([1350.0, 12.0, 0.4]), rng.choice([1.0, 3.0]) * rng.random() + 0.2
    width *= centre / 6
    edges = [centre + width * (i - 12) / 4 for i in range(25)]
    window = bell(edges, centre + (1.4 * width if moved else 0.05 * width), width)
    beyond = 0.06 if moved else 0.0
    return {
        "name": name,
        "role": "feature",
        "type": "Fractional",
        "outcome": "violated" if moved else "kept",
        "baseline": statistics(rng, 27004, 520, centre, width),
        "window": statistics(rng, 930, 465 if moved else 20, centre + (1.4 * width if moved else 0), width),
        "chart": {
            "kind": "numeric",
            "edges": edges,
            "baseline": bell(edges, centre, width),
            "window": [share * (1 - beyond) for share in window],
            "below": [0.0, 0.0],
            "above": [0.0, beyond],
        },
    }


def categorical(name: str, *, moved: bool) -> Document:
    labels = ["EWR", "JFK", "LGA", "BOS", "ORD", "ATL", "DFW"]
    left = shares([8.0, 7.0, 6.5, 3.0, 1.2, 0.5, 0.2])
    return {
        "name": name,
        "role": "facet",
        "type": "String",
        "outcome": "violated" if moved else "kept",
        "baseline": {"rows": 27004, "missing": 0, "distinct": 9},
        "window": {"rows": 930, "missing": 12, "distinct": 8},
        "chart": {
            "kind": "categorical",
            "labels": labels,
            "baseline": left,
            "window": shares([3.0, 9.0, 6.5, 3.0, 1.2, 0.5, 0.2]) if moved else left,
            "other": [0.01, 0.012],
            "unseen": [0.0, 0.08 if moved else 0.0],
        },
    }


def empty(name: str) -> Document:
    none = {"undefined": "no values in the window"}
    return {
        "name": name,
        "role": "feature",
        "type": "Integral",
        "outcome": "undecided",
        "baseline": {"rows": 27004, "missing": 12, "mean": 4.2, "std": 1.0, "distinct": 8},
        "window": {"rows": 930, "missing": 930, "mean": none, "std": none, "distinct": 0},
        "chart": {"kind": "none", "why": "no values in the window"},
    }


def verdict(name: str, outcome: str, measure: str, value: object, severity: float) -> Document:
    words = {"violated": "past its limit", "kept": "within its limit", "undecided": "not measured"}
    return {
        "check": "completeness_check" if measure == "completeness" else "baseline_drift_check",
        "measure": measure,
        "subject": name,
        "value": value,
        "limit": 0.98 if measure == "completeness" else 0.1,
        "outcome": outcome,
        "sentence": f"{name}: {measure} is {words.get(outcome, 'unknown')}",
        "evidence": {"rows": 930, "missing": 465} if outcome == "violated" else {},
        "severity": severity,
    }


def report(columns: int = 24, *, moved: int = 3, seed: int = 7, stem: str = "") -> Document:
    """A report of `columns` columns, the first `moved` of them outside their limits, the last one empty."""
    rng = random.Random(seed)
    names = ["dep_time", "origin", "air_time", "distance", "carrier", "dest"]
    names = [stem + (names[i] if i < len(names) else f"feature_{i}") for i in range(columns)]
    drawn: list[Document] = []
    verdicts: list[Document] = []
    measures: list[Document] = [{"measure": "row_count", "subject": "dataset", "value": 930}]
    for i, name in enumerate(names):
        changed = i < moved
        if i == columns - 1 and columns > moved:
            drawn.append(empty(name))
            why = {"undefined": "ks needs 30 values, has 0"}
            verdicts.append(verdict(name, "undecided", "ks", why, 0.0))
            measures.append({"measure": "ks", "subject": name, "value": why})
            continue
        kind = categorical(name, moved=changed) if i % 3 == 1 else numeric(rng, name, moved=changed)
        drawn.append(kind)
        outcome = "violated" if changed else "kept"
        verdicts.append(verdict(name, outcome, "ks", 0.31 if changed else 0.02, (12.3 - i) * changed))
        verdicts.append(verdict(name, "kept", "completeness", 1.0, 0.0))
        measures += [
            {"measure": measure, "subject": name, "value": rng.random() ** 4} for measure in MEASURES
        ]
    outcomes = {
        outcome: sum(v["outcome"] == outcome for v in verdicts)
        for outcome in ("kept", "violated", "undecided", "failed")
    }
    return {
        "version": 1,
        "monitor": "data-quality",
        "kind": "data-quality",
        "status": "CompletedWithViolations" if moved else "Completed",
        "source": "flights/today.parquet",
        "created": "2026-01-02T03:04:05Z",
        "window": {"start": "2013-02-08T00:00:00Z", "end": "2013-02-09T00:00:00Z"},
        "baseline": {
            "id": "3f9a0c12be77",
            "created": "2026-01-01T00:00:00Z",
            "rows": 27004,
            "source": "train.parquet",
        },
        "rows": {"read": 933, "analysed": 930, "unmatched": 0, "rejected": {"timestamp is missing": 3}},
        "outcomes": outcomes,
        "policy": {"dialect": "default", "false_alarms": 0.001, "min_rows": 30},
        "verdicts": verdicts,
        "measures": measures,
        "causes": [
            {
                "subject": names[i],
                "severity": 12.3 - 4 * i,
                "sentence": f"{names[i]}: 50 % of values are missing (baseline 1.9 %)",
                "checks": ["completeness_check", "baseline_drift_check"],
            }
            for i in range(min(moved, columns))
        ],
        "columns": drawn,
        "timing": {"seconds": 0.84, "read_seconds": 0.31},
    }


def baseline(columns: int = 8) -> Document:
    """A baseline of some columns, with the constraints suggested for them."""
    rng = random.Random(3)
    drawn: list[Document] = []
    for i in range(columns):
        column = categorical(f"c{i}", moved=False) if i % 3 == 1 else numeric(rng, f"c{i}", moved=False)
        chart = dict(column["chart"]) if isinstance(column["chart"], dict) else {}
        chart |= {"window": None}
        del column["window"], column["outcome"]
        constraint = {
            "check": "completeness_check",
            "measure": "completeness",
            "limit": 0.98,
            "sentence": f"c{i}: at least 98 % of values are present",
            "rule": "completeness",
            "reason": "98.1 % were present in 27,004 rows",
            "evidence": {"rows": 27004},
        }
        drawn.append(column | {"chart": chart, "constraints": [constraint]})
    whole = {
        "check": "missing_column_check",
        "measure": "missing_columns",
        "sentence": "no column is missing",
    }
    return {
        "version": 1,
        "kind": "data-quality",
        "created": "2026-01-01T00:00:00Z",
        "source": "train.parquet",
        "rows": 27004,
        "dialect": "default",
        "roles": {"label": "arr_delay", "facets": {"origin": ["EWR"]}},
        "columns": drawn,
        "constraints": [whole],
    }


class MakeDecision(Protocol):
    def __call__(self, levels: Sequence[float] = (), *, dated: bool = True, **other: object) -> Document: ...


@pytest.fixture(scope="session")
def decision_document() -> MakeDecision:
    """Makes what stands under `decision`; see `decision`."""
    return decision


def decision(levels: Sequence[float] = (), *, dated: bool = True, **other: object) -> Document:
    """The decision on the last of windows with these levels; of a window by itself if there are none."""
    last = levels[-1] if levels else 0.02
    alarm, changes = last >= 1, {"dep_time": "missing", "origin": "category"}
    days = [f"2013-02-{day:02}T00:00:00Z" if dated else None for day in range(1, 29)]
    told: Document = {
        "key": "k",
        "digest": "d",
        "number": max(0, len(levels) - 1),
        "window": {"start": None, "end": None},
        "rows": 930,
        "outcome": "changed" if alarm else "not changed",
        "sentence": "Changed: dep_time (other share of missing values), since 2013-02-07T00:00:00Z (2 windows)."
        if alarm
        else "Not changed: the evidence is 2 % of what it takes to ring.",
        "level": last,
        "alarm": alarm,
        "warning": False,
        "open": "k" if alarm else None,
        "evidence": {"dep_time": 0.7, "origin": 0.2, "air_time": 0.099, "distance": 0.001},
        "changes": changes if alarm else {},
        "named": list(changes) if alarm else [],
        "since": "2013-02-07T00:00:00Z" if alarm else None,
        "windows": 2 if alarm else 0,
        "detectable": {
            "1": {"dep_time": 0.16, "air_time": 0.16, "origin": 0.065},
            "7": {"dep_time": 0.08, "air_time": 0.08, "origin": 0.037},
        },
        "why": "",
    }
    if levels:
        history = [
            {"number": at, "start": days[at % 28], "rows": 930, "level": one, "alarm": one >= 1, "why": ""}
            for at, one in enumerate(levels)
        ]
        alarms = sum(one >= 1 for one in levels)
        told |= {"false_alarms": 0.001, "margin": 0.005, "history": history, "alarms": alarms, "notes": []}
    return told | other
