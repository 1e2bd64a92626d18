"""`watchkeep replay`."""

from pathlib import Path

import click

from watchkeep.app.replaying import ALL, EVERY, replay, states_of
from watchkeep.app.store import load_baseline, save_report
from watchkeep.cli import COMPLETED, VIOLATED
from watchkeep.cli.options import dialect_option
from watchkeep.cli.output import console, print_json
from watchkeep.cli.progress import progress
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.frames.text_values import Dialect
from watchkeep.service.state_upkeep import compact
from watchkeep.views.replay import print_replay


@click.command("replay")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.option("--states", required=True, metavar="DIR", help="The folder or URL where the states are stored.")
@click.option(
    "--start", metavar="T", help="Only hours from this time on (ISO 8601; UTC unless it says otherwise)."
)
@click.option("--end", metavar="T", help="Only hours before this time.")
@click.option(
    "--every",
    type=click.Choice(EVERY),
    default="day",
    show_default=True,
    help="How long the windows are that are judged, or all as one.",
)
@click.option(
    "--limits",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A constraints.json to judge by in place of the baseline's.",
)
@click.option(
    "--false-alarms",
    type=float,
    default=1 / 1000,
    show_default=True,
    help="Chance that noise violates anything, or rings.",
)
@click.option(
    "--min-rows", type=int, default=30, show_default=True, help="Fewer values leave a distance undecided."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder of a report to write (with --every all)."
)
@click.option(
    "--compact", "merge", is_flag=True, help="Merge what is past first, where that is not done yet."
)
@dialect_option
@click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")
@click.option("--verbose", is_flag=True, help="Print every window.")
def command(
    baseline: Path,
    states: str,
    start: str | None,
    end: str | None,
    every: str,
    limits: Path | None,
    false_alarms: float,
    min_rows: int,
    out: Path | None,
    merge: bool,
    dialect: str,
    as_json: bool,
    verbose: bool,
) -> int:
    """Judge stored windows again, one after the other, as a new watch sees them. No row is read.

    Exit code 0: completed; 1: limits were violated, or the watch rang.

    \b
        watchkeep check baselines/churn today.parquet --out reports/today --states states/churn
        watchkeep replay baselines/churn --states states/churn --start 2024-03-01 --end 2024-04-01
        watchkeep replay baselines/churn --states states/churn --limits looser.json --false-alarms 0.0001
        watchkeep replay baselines/churn --states states/churn --every all --out reports/year
    """  # noqa: D301 (click wants the character itself)
    if out is not None and every != ALL:
        raise OptionError(
            "--out", got=str(out), expected=f"--every {ALL} beside it: a report is of one window"
        )
    policy = Policy(dialect=Dialect(dialect), false_alarms=false_alarms, min_rows=min_rows)
    window = Window.between(start, end)
    learned = load_baseline(baseline, limits=limits, tell=progress().note)
    stored = states_of(learned, states, policy.dialect)
    if merge:
        compact(stored, progress=progress())
    found = replay(learned, stored, window, policy=policy, every=every, limits=limits)
    if out is not None and found.report is not None:
        save_report(found.report.findings, learned, out)
    if as_json:
        print_json(found.document())
    else:
        print_replay(found.document(), console(), verbose=verbose)
        if out is not None:
            click.echo(f"Report: {out / 'report.html'}")
    return VIOLATED if found.alarms or found.violated else COMPLETED
