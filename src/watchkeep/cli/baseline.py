"""`watchkeep baseline`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from watchkeep.adapters.sources import open_source
from watchkeep.app.store import save_baseline
from watchkeep.cli.options import dialect_option, roles_from, roles_options, source_options
from watchkeep.cli.output import answer_baseline
from watchkeep.cli.progress import progress
from watchkeep.formats.report import baseline_document
from watchkeep.frames.text_values import Dialect
from watchkeep.service.baselining import learn

KINDS = ("data-quality",)


@click.command("baseline")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@roles_options
@source_options
@dialect_option
@click.option("--json", "as_json", is_flag=True, help="Print the baseline document.")
def command(kind: str, sources: tuple[str, ...], out: Path, dialect: str, as_json: bool, **given: Any) -> int:
    r"""Learn from SOURCE what the reference data looks like, and what it promises.

    KIND is the monitor: data-quality.

    SOURCE is a file, folder, glob or URL of Parquet, CSV, JSON Lines or Arrow IPC, a SageMaker capture tree, or -
    for standard input. Writes statistics.json, constraints.json and baseline.arrow into the folder, which appears
    whole or not at all.

    \b
        watchkeep baseline data-quality train.parquet --out baselines/churn --label churned --timestamp at
    """
    roles = roles_from(given)
    source = open_source(list(sources), format=given["format"], header=given["header"])
    learned = learn(
        source, roles, kind=kind, dialect=Dialect(dialect), created=datetime.now(UTC), progress=progress()
    )
    save_baseline(learned, out)
    code = answer_baseline(baseline_document(learned.baseline), as_json=as_json)
    if not as_json:
        click.echo(f"Baseline: {out}")
    return code
