"""`watchkeep labels`."""

from pathlib import Path
from typing import Any

import click

from watchkeep.app.ground_truth import take
from watchkeep.app.sources import open_source
from watchkeep.app.waiting import doubt_of
from watchkeep.capture.home import home_of
from watchkeep.cli import COMPLETED
from watchkeep.cli.options import source_options
from watchkeep.cli.output import console, print_json
from watchkeep.core.wording import counted


@click.command("labels")
@click.argument("endpoint")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--id", "id_", default="inferenceId", show_default=True, metavar="C", help="The column of the ids."
)
@click.option("--label", default="label", show_default=True, metavar="C", help="The column of the outcomes.")
@click.option(
    "--arrival", metavar="C", help="The column of the times at which they came to be known; else it is now."
)
@click.option("--home", type=click.Path(path_type=Path), help="Where everything is kept (WATCHKEEP_HOME).")
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")
def command(
    endpoint: str,
    sources: tuple[str, ...],
    id_: str,
    label: str,
    arrival: str | None,
    home: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Take the true outcomes of what an endpoint predicted into the store, as they come to be known.

    Of several outcomes of one inference the last one counts; the same ones once more change nothing.

    \b
        watchkeep labels churn outcomes.csv --id order --label churned
        watchkeep check baselines/churn captures:churn --id inferenceId --labels labels:churn --out reports/today
    """  # noqa: D301 (click wants the character itself)
    source = open_source(list(sources), format=given["format"], header=given["header"])
    taken = take(home_of(home), endpoint, source, id=id_, label=label, arrival=arrival)
    doubt = doubt_of(home_of(home), endpoint)
    if doubt is not None:
        click.echo(f"watchkeep: warning: {doubt}", err=True)
    if as_json:
        print_json({"version": 1, "endpoint": endpoint, **taken.document()})
        return COMPLETED
    text = f"{counted(taken.labels - taken.known, 'label')} of {endpoint} stored"
    text += f"; {counted(taken.known, 'label')} {'was' if taken.known == 1 else 'were'} there before" * bool(
        taken.known
    )
    console().print(f"{text}.", markup=False, soft_wrap=True)
    left = {"without an id": taken.without_id, "without an outcome": taken.without_value} | taken.rejected
    for why, count in left.items():
        if count:
            console().print(f"  {counted(count, 'row')} left out: {why}", markup=False, soft_wrap=True)
    return COMPLETED
