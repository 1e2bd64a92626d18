"""`watchkeep captures compact`, `expire` and `forget`."""

from pathlib import Path

import click

from watchkeep.adapters.captures.compacting import Compacted
from watchkeep.adapters.captures.subjects import Subject
from watchkeep.app.forgetting import PATIENCE, Forgotten, forget
from watchkeep.app.upkeep import compact, compact_truth, expire
from watchkeep.capture.home import home_of
from watchkeep.cli import COMPLETED, FAILED, VIOLATED
from watchkeep.cli.captures_exchange import home_option, json_option
from watchkeep.cli.output import console, print_json
from watchkeep.cli.progress import progress
from watchkeep.core.wording import counted

_endpoint = click.option("--endpoint", metavar="E", help="Only the hours of this endpoint.")


@click.command("compact")
@click.option(
    "--older",
    type=float,
    default=2,
    show_default=True,
    metavar="HOURS",
    help="Only hours that have been over for so long.",
)
@_endpoint
@home_option
@json_option
def compacting(older: float, endpoint: str | None, home: Path | None, as_json: bool) -> int:
    """Make one file of the many that an hour gathers, of labels too. Whoever reads meanwhile does not notice.

    \b
        watchkeep captures compact
    """  # noqa: D301 (click wants the character itself)
    told = compact(home_of(home), older=older, endpoint=endpoint, progress=progress())
    labels = compact_truth(home_of(home), older=older, endpoint=endpoint)
    if as_json:
        print_json({"version": 1, **told.document(), "labels": labels.document()})
        return COMPLETED
    _say(f"{counted(told.hours, 'hour')} compacted: {_now(told)}.")
    if labels.hours:
        _say(f"{counted(labels.hours, 'hour')} of labels: {_now(labels)}.")
    if told.repeated:
        _say(f"  {counted(told.repeated, 'row')} found more than once, and there once now.")
    if told.removed + labels.removed:
        _say(f"  {counted(told.removed + labels.removed, 'file')} deleted that had made way before.")
    return COMPLETED


def _now(told: Compacted) -> str:
    return f"{counted(told.before, 'file')} {'is' if told.before == 1 else 'are'} {told.after:,} now"


@click.command("expire")
@click.option(
    "--older", type=float, required=True, metavar="DAYS", help="Delete hours that have been over for so long."
)
@_endpoint
@home_option
@json_option
def expiring(older: float, endpoint: str | None, home: Path | None, as_json: bool) -> int:
    """Delete hours that are old enough, with all that was captured in them.

    \b
        watchkeep captures expire --older 90
    """  # noqa: D301 (click wants the character itself)
    found = expire(home_of(home), older=older, endpoint=endpoint)
    if as_json:
        print_json({"version": 1, "expired": [one.document() for one in found]})
        return COMPLETED
    for one in found:
        said = one.document()
        _say(
            f"{one.endpoint}/{one.variant}: {counted(one.hours, 'hour')} deleted, {said['first']} to"
            f" {said['last']}: {counted(one.rows, 'row')}, {counted(one.bytes, 'byte')}."
        )
    if not found:
        _say("Nothing is that old.")
    return COMPLETED


@click.command("forget")
@click.argument("endpoint")
@click.option("--id", "value", required=True, metavar="VALUE", help="By which the subject is known.")
@click.option(
    "--column", metavar="C", help="The column that holds it; inference ids and event ids if not given."
)
@click.option(
    "--patience",
    type=float,
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="How long records are waited for that are just being written.",
)
@home_option
@json_option
def forgetting(
    endpoint: str, value: str, column: str | None, patience: float, home: Path | None, as_json: bool
) -> int:
    """Delete every row of one subject, from the store, from what is not stored yet and from labels; then look for it.

    Exit code 1: the value still stands somewhere else, such as in the body of another record.

    \b
        watchkeep captures forget churn --id order-4711
        watchkeep captures forget churn --id ann@example.org --column customer
    """  # noqa: D301 (click wants the character itself)
    told = forget(home_of(home), endpoint, Subject(value, column), patience=patience)
    if as_json:
        print_json({"version": 1, "endpoint": endpoint, "value": value, "column": column, **told.document()})
    else:
        _tell(told, endpoint, value)
    return COMPLETED if not told.left and told.done else VIOLATED if told.done else FAILED


def _tell(told: Forgotten, endpoint: str, value: str) -> None:
    gone = told.gone
    if not (gone.rows or gone.records or gone.files or told.torn or told.labels or told.waiting or told.left):
        _say(f"Nothing of {value} was found in what is kept of {endpoint}: nothing is deleted.")
        return
    _say(
        f"{counted(gone.rows, 'row')} deleted, {counted(gone.records, 'whole record')}, in"
        f" {counted(gone.files, 'file')}."
    )
    for count, noun, what in (
        (gone.cut, "body", "of records that stay, without the rows now"),
        (gone.dropped, "body", "of records that stay dropped, as the rows could not be cut out"),
        (told.torn, "end", "of segments deleted that held no whole record"),
        (told.labels, "label", "deleted"),
        (told.waiting, "record", "still being written by a process and not deleted; run it again"),
    ):
        if count:
            _say(f"  {counted(count, noun)} {what}")
    if not told.left and not told.waiting:
        _say("Its bytes stand in no column, body or file any more.")
    for one in told.left:
        events = f"; records {', '.join(one.events)}" if one.events else ""
        where = one.where if one.column is None else f"{one.where}, column {one.column}"
        _say(f"  it still stands in {counted(one.rows, 'value')} of {where}{events}")


def _say(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)
