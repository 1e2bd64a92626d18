"""`watchkeep acknowledge`."""

from pathlib import Path

import click

from watchkeep.app.watching import acknowledge


@click.command("acknowledge")
@click.argument("watch", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--by", required=True, metavar="NAME", help="Who does it.")
@click.option("--note", default="", metavar="TEXT", help="Why.")
def command(watch: Path, by: str, note: str) -> int:
    """End the open alarm of the watch in FILE, on record.

    The evidence starts again. The baseline stays: a change that lasts rings again.

    \b
        watchkeep acknowledge churn.watch --by ada --note "the campaign began"
    """  # noqa: D301 (click wants the character itself)
    key = acknowledge(watch, by=by, note=note)
    click.echo(
        "No alarm was open; it is on record." if key is None else f"Ended the alarm of the window {key}."
    )
    return 0
