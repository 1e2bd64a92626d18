"""How commands answer: a drawn report, or the document alone."""

import json
import sys

from rich.console import Console

from watchkeep.app.explaining import Plan, lines_of
from watchkeep.cli import COMPLETED, VIOLATED
from watchkeep.core.verdicts import Outcome
from watchkeep.views.terminal import print_baseline, print_report, print_watch


def console() -> Console:
    """Standard output."""
    return Console(file=sys.stdout, highlight=False)


def answer(document: dict[str, object], *, as_json: bool, strict: bool = False, verbose: bool = False) -> int:
    """Print a report, as JSON or drawn; gives the exit code."""
    if as_json:
        print_json(document)
    else:
        print_report(document, console(), verbose=verbose)
    return exit_code(document, strict=strict)


def answer_baseline(document: dict[str, object], *, as_json: bool, verbose: bool = False) -> int:
    """Print a baseline, as JSON or drawn; gives the exit code."""
    if as_json:
        print_json(document)
    else:
        print_baseline(document, console(), verbose=verbose)
    return COMPLETED


def answer_watch(document: dict[str, object], *, as_json: bool) -> int:
    """Print a watch, as JSON or drawn; gives the exit code."""
    if as_json:
        print_json(document)
    else:
        print_watch(document, console())
    return COMPLETED


def answer_plan(plan: Plan, *, as_json: bool) -> int:
    """Print how a source would be read, as JSON or as lines; gives the exit code."""
    if as_json:
        print_json(plan.document())
        return COMPLETED
    lines = lines_of(plan)
    width = max(len(name) for name, _ in lines)
    for name, told in lines:
        console().print(f"{name:<{width}}  {told}", markup=False, soft_wrap=True)
    return COMPLETED


def print_json(document: dict[str, object]) -> None:
    """Print a document, alone, on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def exit_code(document: dict[str, object], *, strict: bool) -> int:
    """1 when anything was violated, or was left undecided and `strict` is asked for."""
    outcomes = document.get("outcomes")
    counts = outcomes if isinstance(outcomes, dict) else {}
    bad = [Outcome.VIOLATED, Outcome.UNDECIDED, Outcome.FAILED] if strict else [Outcome.VIOLATED]
    return VIOLATED if any(counts.get(str(outcome)) for outcome in bad) else COMPLETED
