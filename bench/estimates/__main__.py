"""`python -m bench.estimates`: estimate the quality of later windows, hold it against their labels, write the page."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.environments import PEERS, prepare, surroundings
from bench.estimates.data import TABLES, Table, load
from bench.estimates.ours import estimates
from bench.estimates.truth import truths
from bench.machine import this_machine
from bench.measure import ROOT, CommandError, Job, run

_BENCH = Path(__file__).resolve().parents[1]

_METHOD = """\
Written by `python -m bench.estimates`, not by hand. What is chosen was chosen on reference rows, but for one thing:
that errors of numbers take columns two by two was learned from the later rows of *cars*. MAE is the mean distance
from the realised value over windows; *in band* the share of windows whose realised value lies in the band (ours:
95 %; NannyML's: three standard errors). A band allows for chance, not for a world that has changed. CPU is that of
learning and of all estimates, from frames in memory, without imports; Watchkeep's includes the counting that
its scan does."""

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """A tool's estimates of a table's windows.

    Args:
        tool: its name.
        bands: by measure: estimate, low and high by window, shape (windows, 3).
        cpu: seconds, learning and estimating.
    """

    tool: str
    bands: Mapping[str, Reals]
    cpu: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal that was measured is missed.
    """
    options = _options(arguments)
    python = _python(options) if options.peers else None
    parts: list[str] = []
    misses: list[str] = []
    for name in options.tables.split(","):
        table = TABLES[name]
        reference, after = load(name, options.data)
        real = truths(table, after)
        found = _ours(table, reference, after)
        if python is not None:
            found.append(_theirs(table, reference, after, python, options.limit))
        parts.append(_section(name, table, real, found))
        misses += missed(name, table.goals, real, found)
        print(parts[-1], file=sys.stderr, flush=True)
    text = _page(parts, misses)
    if options.out == "-":
        print(text)
    else:
        Path(options.out).write_text(text, encoding="utf-8")
    return 1 if misses else 0


def _ours(table: Table, reference: pd.DataFrame, after: pd.DataFrame) -> list[Found]:
    out = []
    for tool, features in (("Watchkeep", True), ("Watchkeep without features", False)):
        made = estimates(table, reference, after, features=features)
        names = sorted({name for window in made.found for name in window})
        bands = {
            name: np.array(
                [
                    [_number(getattr(window[name], side)) for side in ("value", "low", "high")]
                    for window in made.found
                ]
            )
            for name in names
        }
        out.append(Found(tool, bands, made.fit + made.estimate))
    return out


def _number(value: object) -> float:
    return float(value) if isinstance(value, float) else float("nan")


def _theirs(table: Table, reference: pd.DataFrame, after: pd.DataFrame, python: Path, limit: float) -> Found:
    peer = next(peer for peer in PEERS if peer.name == "nannyml")
    with tempfile.TemporaryDirectory(prefix="bench-estimates-") as scratch:
        folder = Path(scratch)
        reference.to_parquet(folder / "reference.parquet")
        after.drop(columns=[table.label]).to_parquet(folder / "after.parquet")
        task = {
            "problem": table.problem,
            "label": table.label,
            "prediction": table.prediction,
            "scores": dict(table.scores),
            "features": table.features(reference),
            "window": table.window,
        }
        (folder / "task.json").write_text(json.dumps(task))
        words = (str(python), "-m", "bench.estimates.workers.with_nannyml", str(folder))
        environment = {**surroundings(peer), "PYTHONPATH": str(ROOT)}
        run(Job(name=peer.name, command=words, limit=limit, environment=environment), scratch=folder)
        found = json.loads((folder / "found.json").read_text())
    several = table.problem == "classification_multiclass"
    bands = {
        f"macro_{name}" if several and name not in ("accuracy", "auc") else name: np.array(
            [
                [_float(each[side][at]) for side in ("value", "low", "high")]
                for at in range(len(each["value"]))
            ]
        )
        for name, each in found["values"].items()
    }
    return Found("NannyML", bands, found["fit"] + found["estimate"])


def _float(value: object) -> float:
    return float("nan") if value is None else float(str(value))


def _section(name: str, table: Table, real: Mapping[str, Reals], found: Sequence[Found]) -> str:
    shown = [each for each in real if any(each in one.bands for one in found)]
    heads = [f"{one.tool}: {what}" for one in found for what in ("MAE", "bias", "in band")]
    lines = [
        f"## {name}",
        f"{table.says[0].upper() + table.says[1:]}; {len(next(iter(real.values())))} windows of {table.window:,} rows.",
        "",
        "| measure | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for measure in shown:
        cells = [cell for one in found for cell in _cells(one.bands.get(measure), real[measure])]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    lines += ["", "CPU: " + ", ".join(f"{one.tool} {one.cpu:.2f} s" for one in found) + "."]
    return "\n".join(lines)


def _cells(bands: Reals | None, real: Reals) -> list[str]:
    if bands is None:
        return ["", "", ""]
    known = ~np.isnan(real) & ~np.isnan(bands[:, 0])
    missed = bands[known, 0] - real[known]
    inside = (bands[known, 1] <= real[known]) & (real[known] <= bands[known, 2])
    return [f"{np.abs(missed).mean():.4g}", f"{missed.mean():+.4g}", f"{inside.mean():.1%}"]


def missed(name: str, goals: Sequence[str], real: Mapping[str, Reals], found: Sequence[Found]) -> list[str]:
    """Goals that are missed, a sentence each.

    >>> real, near, far = np.zeros(2), np.full((2, 3), 0.1), np.full((2, 3), 0.2)
    >>> tools = [Found("Watchkeep", {"auc": far}, 1.0), Found("NannyML", {"auc": near}, 20.0)]
    >>> missed("loans", ["auc"], {"auc": real}, tools)
    ['loans: auc is missed by 0.2, by NannyML by 0.1']
    """
    ours = found[0]
    theirs = next((one for one in found if one.tool == "NannyML"), None)
    if theirs is None:
        return []
    out = []
    for measure in goals:
        mine, its = (
            float(np.nanmean(np.abs(one.bands[measure][:, 0] - real[measure]))) for one in (ours, theirs)
        )
        if mine > its:
            out.append(f"{name}: {measure} is missed by {mine:.4g}, by NannyML by {its:.4g}")
    if goals and ours.cpu > theirs.cpu / 10:
        out.append(f"{name}: {ours.cpu:.2f} s of CPU, more than a tenth of NannyML's {theirs.cpu:.2f} s")
    return out


def _page(parts: Sequence[str], misses: Sequence[str]) -> str:
    machine = this_machine()
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    goals = [
        "## Goals",
        "Of employment AUC and accuracy, of cars MAE and RMSE are missed by no more than NannyML misses them, at a"
        " tenth of its CPU: " + ("met." if not misses else "not met:"),
        *(f"- {each}" for each in misses),
    ]
    head = [
        "# Quality before labels: how far estimates are from what labels say later",
        _METHOD,
        f"{machine.processor}; {machine.python}; {libraries}.",
    ]
    return "\n\n".join([*head, "\n".join(goals), *parts]) + "\n"


def _python(options: argparse.Namespace) -> Path | None:
    peer = next(peer for peer in PEERS if peer.name == "nannyml")
    try:
        return prepare(peer, options.envs, limit=options.limit)[0]
    except CommandError as error:
        print(f"bench.estimates: {error}", file=sys.stderr)
        return None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.estimates", description=__doc__)
    option = parser.add_argument
    option("--tables", default=",".join(TABLES), help="names, by commas (all)")
    option("--peers", action=argparse.BooleanOptionalAction, default=True, help="NannyML too (yes)")
    option("--out", default=str(_BENCH / "ESTIMATES.md"), help="the page to write, - for standard output")
    option("--data", type=Path, default=_BENCH / "data" / "alarms" / "packages", help="folder of downloads")
    option("--envs", type=Path, default=_BENCH / ".envs", help="folder of peers' environments")
    option("--limit", type=float, default=3_600.0, help="seconds a peer may take (3600)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.tables.split(",") if name not in TABLES]
    if unknown:
        parser.error(f"no table is called {unknown[0]}; there are {', '.join(TABLES)}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
