"""`watchkeep demo`."""

from pathlib import Path

import click

from watchkeep.cli.output import console
from watchkeep.demo import HOME, run


@click.command("demo")
@click.option(
    "--home", type=click.Path(path_type=Path), default=HOME, show_default=True, help="Where its files go."
)
@click.option("--no-serve", is_flag=True, help="End when the story is told, which this release always does.")
@click.option(
    "--port", type=int, default=None, help="For the dashboard, which this release does not have yet."
)
def command(home: Path, no_serve: bool, port: int | None) -> int:  # noqa: ARG001 (for scripts of later releases)
    """Train a model on January's flights from New York, then watch it through the blizzard of February 2013."""
    run(home, console())
    return 0
