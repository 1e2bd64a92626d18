"""`watchkeep captures import` and `export`."""

from pathlib import Path
from typing import Any

import click

from watchkeep.adapters.sources import FORMATS
from watchkeep.app.importing import How, bring
from watchkeep.app.upkeep import export
from watchkeep.capture.home import home_of
from watchkeep.cli import COMPLETED
from watchkeep.cli.options import time_options
from watchkeep.cli.output import console, print_json
from watchkeep.cli.progress import progress
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window, instant
from watchkeep.core.wording import counted

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Where everything is kept (WATCHKEEP_HOME; .watchkeep here).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")


@click.command("import")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--endpoint", metavar="NAME", help="Whose captures these are; folders of captures tell it, too."
)
@click.option("--variant", metavar="V", help="Which version behind the endpoint answered.")
@click.option("--id", "id_", metavar="C", help="The column of the ids by which labels are joined (tables).")
@click.option("--timestamp", metavar="C", help="The column of the event time (tables).")
@click.option("--at", metavar="T", help="The time of records that tell none by themselves.")
@click.option(
    "--prediction", multiple=True, metavar="C", help="A column of the answer (tables). May be repeated."
)
@click.option("--score", multiple=True, metavar="C", help="The same, for scores. May be repeated.")
@click.option(
    "--ignore", multiple=True, metavar="C", help="A column that is left out (tables). May be repeated."
)
@click.option(
    "--rewrite",
    multiple=True,
    metavar="FROM=TO",
    help="Where objects lie that manifests name, such as s3://bucket/=/local/dir/. May be repeated.",
)
@click.option(
    "--format", type=click.Choice(list(FORMATS)), help="The format; told by names and content if not given."
)
@click.option("--header/--no-header", default=None, help="Whether CSV begins with names (tables).")
@click.option(
    "--again", is_flag=True, help="Bring in also what was imported before, such as hours that expired."
)
@home_option
@json_option
def importing(sources: tuple[str, ...], home: Path | None, as_json: bool, **given: Any) -> int:
    """Bring records in that others captured: all of a source or nothing, and once however often it is told to.

    SOURCE is a capture tree of a SageMaker endpoint, manifests of its batch transforms, or a table (Parquet, CSV,
    JSON Lines, Arrow IPC).

    \b
        watchkeep captures import s3://bucket/capture/churn --endpoint churn
        watchkeep captures import transforms/ --endpoint nightly --rewrite s3://bucket/=/mnt/bucket/
        watchkeep captures import scored.parquet --endpoint churn --timestamp at --id order --score p
    """  # noqa: D301 (click wants the character itself)
    how = How(
        endpoint=_name("--endpoint", given["endpoint"]),
        variant=_name("--variant", given["variant"]),
        id=given["id_"],
        timestamp=given["timestamp"],
        outputs=(*given["prediction"], *given["score"]),
        ignored=given["ignore"],
        at=None if given["at"] is None else instant(given["at"], option="--at"),
        rewrite=dict(map(_rewrite, given["rewrite"])),
        format=given["format"],
        header=given["header"],
        again=given["again"],
    )
    told = bring(home_of(home), sources, how, progress=progress())
    if as_json:
        print_json({"version": 1, **told.document()})
        return COMPLETED
    for (endpoint, variant), count in sorted(told.records.items()):
        _say(f"{counted(count, 'record')} imported as {endpoint}/{variant}.")
    if told.known:
        _say(f"{told.known:,} of {counted(told.files, 'file')} imported before, and the same.")
    for reason, count in sorted((+told.rejected).items()):
        _say(f"  {counted(count, 'record')} left out: {reason}")
    return COMPLETED


@click.command("export")
@click.argument("endpoint")
@click.option("--out", required=True, metavar="DIR", help="The folder or URL to write into.")
@click.option("--variant", metavar="V", help="Only its records.")
@time_options
@click.option(
    "--encoding",
    type=click.Choice(["auto", "base64"]),
    default="auto",
    show_default=True,
    help="How bodies of our own records are told: auto is as text where they are CSV or JSON, else as BASE64.",
)
@home_option
@json_option
def exporting(
    endpoint: str,
    out: str,
    variant: str | None,
    start: str | None,
    end: str | None,
    encoding: str,
    home: Path | None,
    as_json: bool,
) -> int:
    """Write captures as SageMaker endpoints do; those that were imported from there as they were, byte by byte.

    \b
        watchkeep captures export churn --out exported --start 2026-11-23 --end 2026-11-24
    """  # noqa: D301 (click wants the character itself)
    told = export(
        home_of(home),
        endpoint,
        out,
        variant=variant,
        window=Window.between(start, end),
        base64=encoding == "base64",
        progress=progress(),
    )
    if as_json:
        print_json({"version": 1, **told.document()})
        return COMPLETED
    several = f"{counted(told.records, 'record')} of {endpoint}"
    _say(f"{several} exported into {counted(told.files, 'file')} below {out}.")
    for reason, count in sorted(told.left_out.items()):
        _say(f"  {counted(count, 'record')} left out: {reason}")
    return COMPLETED


def _say(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)


def _name(option: str, value: str | None) -> str | None:
    if value is not None and (not value or len(value) > _LONGEST or not value.isprintable()):
        raise OptionError(option, got=value, expected=f"a name of 1 to {_LONGEST} printable characters")
    return value


_LONGEST = 63


def _rewrite(text: str) -> tuple[str, str]:
    before, equals, after = text.partition("=")
    if not before or not equals:
        raise OptionError("--rewrite", got=text, expected="FROM=TO, such as s3://bucket/=/local/dir/")
    return before, after
