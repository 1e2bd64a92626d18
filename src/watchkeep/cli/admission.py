"""`watchkeep admission`."""

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from watchkeep.app.admission import SLACK, admission_document, write_admission
from watchkeep.app.store import load_baseline
from watchkeep.capture.admission import BYTES, ROWS
from watchkeep.capture.admission_columns import AdmissionColumn
from watchkeep.cli import COMPLETED
from watchkeep.cli.options import roles_from, roles_options
from watchkeep.cli.output import console, print_json
from watchkeep.frames.roles import Roles


@click.command("admission")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The file to write."
)
@click.option(
    "--slack",
    type=float,
    default=SLACK,
    show_default=True,
    help="How far beyond the baseline's range a number may lie, in widths of that range; inf for no ranges.",
)
@click.option(
    "--rows", type=click.IntRange(1), default=ROWS, show_default=True, help="Rows of a request, at most."
)
@click.option(
    "--bytes", "size", type=click.IntRange(1), default=BYTES, show_default=True, help="Bytes of one, at most."
)
@roles_options
@click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")
def command(
    baseline: Path, out: Path | None, slack: float, rows: int, size: int, as_json: bool, **given: Any
) -> int:
    """Make of BASELINE, of data quality, what requests must be like before a model is asked.

    A model server checks them by the file: wk.capture.middleware(app, endpoint=..., admission=FILE).

    \b
        watchkeep admission baselines/churn --out admission.json
        watchkeep admission their-baseline --ignore prediction --out admission.json
    """  # noqa: D301 (click wants the character itself)
    roles = roles_from(given | {"where": None})
    learned = load_baseline(baseline, roles=roles)
    told = admission_document(
        learned, roles=None if roles == Roles() else roles, slack=slack, rows=rows, size=size
    )
    if out is not None:
        write_admission(told, out)
    if as_json:
        print_json(told)
        return COMPLETED
    columns = told["columns"]
    assert isinstance(columns, list)  # noqa: S101 (our own document)
    table = Table(box=None, pad_edge=False)
    for name in ("Column", "May be missing", "Expected"):
        table.add_column(name)
    for at, one in enumerate(columns):
        column = AdmissionColumn.of(one, "admission", f"columns[{at}]")
        table.add_row(column.name, "yes" if column.nullable else "no", column.expected)
    console().print(table)
    console().print(f"A request has at most {rows:,} rows and {size:,} bytes.", markup=False, soft_wrap=True)
    if out is not None:
        click.echo(f"Admission: {out}")
    return COMPLETED
