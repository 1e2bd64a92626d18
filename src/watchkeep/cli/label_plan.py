"""`watchkeep label-plan`."""

import csv
import io
from pathlib import Path
from typing import Any

import click

from watchkeep.adapters.whole_file import write_whole
from watchkeep.app.labelling import label_plan
from watchkeep.app.sources import open_source
from watchkeep.app.store import load_baseline
from watchkeep.cli.options import roles_from, roles_options, source_options, window_options
from watchkeep.cli.output import print_json
from watchkeep.cli.progress import progress
from watchkeep.core.window import Window
from watchkeep.service.labelling import HALVED


@click.command("label-plan")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the chosen ids here, as CSV."
)
@click.option("--measure", default="accuracy", show_default=True, help="The measure to be known better.")
@click.option(
    "--share",
    type=float,
    default=HALVED,
    show_default=True,
    help="How wide its band is to be, of what it is.",
)
@window_options
@roles_options
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan, alone.")
def command(
    baseline: Path,
    sources: tuple[str, ...],
    out: Path | None,
    measure: str,
    share: float,
    start: str | None,
    end: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Choose the few rows of SOURCE whose labels tell most of how good its answers are.

    BASELINE is one of model-quality, of two classes. Without labels a measure is estimated, with a band; the plan
    says how many rows of which scores to label so that the band becomes half as wide, and which.

    \b
        watchkeep label-plan baselines/quality today.parquet --out to-label.csv
        watchkeep label-plan baselines/quality today.parquet --labels labelled.csv --id id
    """  # noqa: D301 (click wants the character itself)
    roles = roles_from(given)
    source = open_source(list(sources), format=given["format"], header=given["header"])
    learned = load_baseline(baseline, roles=roles)
    found = label_plan(
        learned,
        source,
        roles,
        window=Window.between(start, end),
        measure=measure,
        share=share,
        labels=open_source(list(given["labels"])) if given["labels"] else None,
        labels_id=given["labels_id"],
        progress=progress(),
    )
    if out is not None:
        lines = ["id,stratum,weight"]
        lines += [f"{_field(one)},{stratum},{found.weight(stratum):.6g}" for one, stratum in found.chosen]
        write_whole(out, ("\n".join(lines) + "\n").encode())
    if as_json:
        print_json(found.document())
        return 0
    now = (found.high - found.low) / 2
    click.echo(
        f"{measure} is estimated at {found.value:.4g} ({found.low:.4g} to {found.high:.4g}) without labels.\n"
        f"{sum(found.labels):,} labels of {sum(found.rows):,} rows bring its band "
        f"from ±{now:.2g} to ±{found.half_width:.2g}."
    )
    if found.known is not None:
        known = found.known
        click.echo(
            f"With the {known.labels:,} labels of the plan that have come it is {known.value:.4g} "
            f"({known.low:.4g} to {known.high:.4g})."
        )
        if known.labels < sum(found.labels):
            click.echo(
                f"{sum(found.labels) - known.labels:,} labels of the plan are missing: groups without labels are in "
                "doubt as a whole, so the band is narrow only when it is done."
            )
    elif given["labels"]:
        click.echo("No row of the plan has a label yet.")
    if out is not None:
        click.echo(f"Rows to label: {out}")
    return 0


def _field(text: str) -> str:
    """A CSV field."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()
