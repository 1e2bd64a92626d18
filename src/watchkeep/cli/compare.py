"""`watchkeep compare`."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from watchkeep.app.sources import open_source
from watchkeep.app.store import report_of
from watchkeep.cli.options import dialect_option, roles_from, roles_options, source_options
from watchkeep.cli.output import answer
from watchkeep.cli.progress import progress
from watchkeep.constraints.policy import Policy
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.service.baselining import learn
from watchkeep.service.reading import ask_of


@click.command("compare")
@click.argument("reference")
@click.argument("current")
@roles_options
@source_options
@dialect_option
@click.option("--json", "as_json", is_flag=True, help="Print the report document, alone.")
@click.option("--verbose", is_flag=True, help="Print every measure.")
def command(reference: str, current: str, dialect: str, as_json: bool, verbose: bool, **given: Any) -> int:
    """Compare CURRENT with REFERENCE at a glance; nothing is saved.

    \b
        watchkeep compare train.parquet today.csv
    """  # noqa: D301 (click wants the character itself)
    roles = roles_from(given)
    now = datetime.now(UTC)
    policy = Policy(dialect=Dialect(dialect))
    before, after = (
        open_source(one, format=given["format"], header=given["header"]) for one in (reference, current)
    )
    told = progress()
    known = before.schema(ask_of(before, roles)).names
    strangers = Roles(ignored=tuple(name for name in roles.ignored if name not in known))
    ours = replace(roles, ignored=tuple(name for name in roles.ignored if name in known))
    learned = learn(before, ours, kind="data-quality", dialect=policy.dialect, created=now, progress=told)
    findings = learned.check(
        after,
        window=Window(),
        policy=policy,
        created=now,
        roles=strangers if strangers.ignored else None,
        progress=told,
    )
    return answer(report_of(findings, learned), as_json=as_json, verbose=verbose)
