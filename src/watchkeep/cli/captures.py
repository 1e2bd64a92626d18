"""`watchkeep captures`."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import STORE_URL, follow, listed, seal, store_of
from watchkeep.app.waiting import SOON, place_of, waiting_in
from watchkeep.capture.home import home_of
from watchkeep.cli import COMPLETED
from watchkeep.cli.captures_exchange import exporting, importing
from watchkeep.cli.captures_upkeep import compacting, expiring, forgetting
from watchkeep.cli.options import time_options
from watchkeep.cli.output import console, print_json
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.core.wording import counted

_home = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Where everything is kept (WATCHKEEP_HOME; .watchkeep here).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")


@click.group("captures", invoke_without_command=False)
def command() -> None:
    """List, seal and keep what models were asked and answered.

    \b
        watchkeep captures list
        watchkeep captures import s3://bucket/capture --endpoint churn
        watchkeep check baselines/churn captures:churn --out reports/today
    """  # noqa: D301 (click wants the character itself)


@command.command("list")
@click.argument("endpoint", required=False)
@_home
@time_options
@_json
def listing(
    endpoint: str | None, home: Path | None, start: str | None, end: str | None, as_json: bool
) -> int:
    """What is stored, by endpoint and variant, and how much is recorded and waits to be sealed.

    ENDPOINT may be ENDPOINT/VARIANT.
    """
    where, window = home_of(home), Window.between(start, end)
    if home is not None and not where.exists() and not os.environ.get(STORE_URL):
        raise OptionError("--home", got=str(home), expected="a folder that is there")
    name, variant = (None, None) if endpoint is None else place_of(where, endpoint)
    # What is sealed between the two looks is told twice, rather than never.
    waits = waiting_in(where, endpoint=name, variant=variant, window=window)
    shelf = open_shelf(store_of(where))
    found = [one.document() for one in listed(shelf, endpoint=name, variant=variant, window=window)]
    if as_json:
        waiting = [one.document() for one in waits]
        print_json({"version": 1, "captures": found, "waiting": waiting})
        return COMPLETED
    if found:
        console().print(_table(found))
    else:
        _say(f"Nothing is stored in {store_of(where)}{' yet' if waits else ''}.")
    for one in waits:
        verb = "waits" if one.requests == 1 else "wait"
        requests = counted(one.requests, "request")
        _say(f"{one.endpoint}/{one.variant}: {requests} recorded, which {verb} to be sealed (within {SOON}).")
    return COMPLETED


def _table(found: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Endpoint/variant, and when (UTC)", overflow="fold")
    for name in ("Requests", "Errors", "p50 ms", "p99 ms", "Not\nstored"):
        table.add_column(name, justify="right", vertical="bottom", no_wrap=True)
    for one in found:
        table.add_row(*_cells(one))
    return table


def _cells(one: dict[str, object]) -> list[str | Text]:
    latency, lost = one["ModelLatency"], one["not_stored"]
    assert isinstance(latency, dict)  # noqa: S101 (our own document)
    assert isinstance(lost, dict)  # noqa: S101 (as above)
    times = ["–" if latency[name] is None else f"{latency[name] / 1000:.3g}" for name in ("p50", "p99")]
    return [
        Text.assemble(
            (f"{one['endpoint']}/{one['variant']}", "bold"), "\n", _when(one["first"], one["last"])
        ),
        f"{one['Invocations']:,}",
        f"{one['InvocationModelErrors']:,}",
        *times,
        f"{sum(lost.values()):,}",
    ]


def _when(first: object, last: object) -> str:
    """From the beginning of the first hour to the end of the last one."""
    if first is None:
        return "–"
    start = datetime.fromisoformat(str(first))
    end = datetime.fromisoformat(str(last)) + timedelta(hours=1)
    return f"{start:%Y-%m-%d %H:%M} – {end:{'%H:%M' if end.date() == start.date() else '%Y-%m-%d %H:%M'}}"


@command.command("seal")
@click.option("--follow", "follows", is_flag=True, help="Go on while there is somebody who records.")
@_home
@_json
def sealing(follows: bool, home: Path | None, as_json: bool) -> int:
    """Turn records that are complete into Parquet files of the store.

    Where models are served a process does so by itself, and is waited for; this is for the rest.
    """
    where = home_of(home)
    waited: list[str] = []

    def waits(text: str) -> None:
        waited.append(text)
        click.echo(text, err=True)

    told = follow(where) if follows else seal(where, waits=waits)
    if as_json:
        print_json({"version": 1, **told.document()})
    elif waited and not told.segments:
        _say("All that was recorded is sealed.")
    elif not follows:
        several = counted(told.records, "record")
        several += f" and {counted(told.labels, 'label')}" if told.labels else ""
        _say(f"{several} of {counted(told.segments, 'segment')} sealed into {counted(told.files, 'file')}.")
    return COMPLETED


def _say(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)


for one in (importing, exporting, compacting, expiring, forgetting):
    command.add_command(one)
