"""`watchkeep mitigate`."""

from pathlib import Path
from typing import Any

import click

from watchkeep.app.mitigating import mitigated, save_mitigation
from watchkeep.app.sources import open_source
from watchkeep.app.store import load_baseline
from watchkeep.cli.options import roles_from, roles_options, source_options
from watchkeep.cli.output import console, print_json
from watchkeep.cli.progress import progress
from watchkeep.service.mitigating import HELD_OUT, Method, Parity
from watchkeep.views.mitigation import print_mitigation


@click.command("mitigate")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("sources", metavar="DATA...", nargs=-1, required=True)
@click.option(
    "--method",
    required=True,
    type=click.Choice([str(one) for one in Method]),
    help="How groups come to be treated alike.",
)
@click.option(
    "--parity",
    type=click.Choice([str(one) for one in Parity]),
    help="In which sense they are to be (thresholds, reduction, adversarial); equalized_odds if not given.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option(
    "--held-out",
    type=float,
    default=HELD_OUT,
    show_default=True,
    help="Share of the rows that before and after are told of.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same one gives the same result.")
@roles_options
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")
@click.option("--verbose", is_flag=True, help="Print the measures of labels, too, and all groups.")
def command(
    baseline: Path,
    sources: tuple[str, ...],
    method: str,
    parity: str | None,
    out: Path,
    held_out: float,
    seed: int,
    as_json: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Treat groups of DATA alike, and tell what that does to bias and to quality on rows held out.

    BASELINE is one of bias: it says what the groups, labels and answers are; --facet chooses among its facets. DATA
    are labelled rows. Methods: thresholds of each group's own on the scores (fairlearn), calibrated equalised odds,
    reweighing of training rows, a reduction (exponentiated gradient), adversarial debiasing.

    \b
        watchkeep mitigate baselines/bias val.parquet --method thresholds --facet sex --out fair
        watchkeep mitigate baselines/bias train.parquet --method reweighing --out weights

    Writes mitigation.json, and thresholds.json, weights.parquet or model.pkl, into the folder, which appears whole
    or not at all. Needs pip install 'watchkeep[fairness]'.
    """  # noqa: D301 (click wants the character itself)
    roles = roles_from(given)
    source = open_source(list(sources), format=given["format"], header=given["header"])
    learned = load_baseline(baseline, roles=roles)
    found = mitigated(
        learned,
        source,
        roles,
        method=method,
        parity=parity,
        held_out=held_out,
        seed=seed,
        progress=progress(),
    )
    document = save_mitigation(found, source.name, out)
    if as_json:
        print_json(document)
        return 0
    print_mitigation(document, console(), verbose=verbose)
    click.echo(f"Mitigation: {out}")
    return 0
