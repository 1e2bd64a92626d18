"""`watchkeep check`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from watchkeep.adapters.preprocessing import Script, after
from watchkeep.app.explaining import plan_of
from watchkeep.app.replaying import states_of
from watchkeep.app.reviewing import review_list
from watchkeep.app.sources import open_source
from watchkeep.app.states import check_hours
from watchkeep.app.store import is_baseline, load_baseline, load_baselines, save_report, save_together
from watchkeep.app.together import LABELLED, Beside
from watchkeep.app.watching import observe
from watchkeep.cli import FAILED, VIOLATED
from watchkeep.cli.model_options import model_options, model_options_from
from watchkeep.cli.options import (
    dialect_option,
    engine_from,
    engine_options,
    roles_from,
    roles_options,
    script_from,
    script_options,
    source_options,
    window_options,
)
from watchkeep.cli.output import answer, answer_plan
from watchkeep.cli.progress import progress
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError, WatchkeepError
from watchkeep.core.verdicts import Status
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.findings import Findings
from watchkeep.service.folding import Engine
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Source
from watchkeep.service.review import REVIEWED
from watchkeep.service.together import check_together


@click.command("check")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write.")
@window_options
@click.option(
    "--watch",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the evidence of window after window in FILE; it is begun if it is not there.",
)
@click.option("--arrival", metavar="C", help="The column in --labels of the times when labels arrived.")
@click.option(
    "--find-segments",
    is_flag=True,
    help="Search for slices of the rows where answers are worse (model-quality; some seconds).",
)
@click.option(
    "--review",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the ids of the answers that are least certain to FILE, as CSV (model-quality).",
)
@click.option(
    "--review-below",
    type=float,
    default=REVIEWED,
    show_default=True,
    help="The probability of an answer below which it is to be reviewed.",
)
@click.option("--states", metavar="DIR", help="Store the states of each hour in a folder or URL, too.")
@click.option(
    "--again",
    is_flag=True,
    help="The hours were stored before: what is stored of them makes way (with --states).",
)
@engine_options
@click.option("--explain", is_flag=True, help="Tell how the data would be read, and read nothing.")
@click.option("--strict", is_flag=True, help="Exit with 1 also when anything is undecided.")
@click.option(
    "--false-alarms",
    type=float,
    default=1 / 1000,
    show_default=True,
    help="Chance that noise violates anything.",
)
@click.option(
    "--min-rows", type=int, default=30, show_default=True, help="Fewer values leave a distance undecided."
)
@click.option(
    "--postprocess", metavar="FILE", help="A script whose postprocess_handler is called when a check is done."
)
@script_options
@model_options
@roles_options
@source_options
@dialect_option
@click.option("--json", "as_json", is_flag=True, help="Print the report document, alone.")
@click.option("--verbose", is_flag=True, help="Print every measure.")
def command(
    baseline: Path,
    sources: tuple[str, ...],
    out: Path | None,
    start: str | None,
    end: str | None,
    watch: Path | None,
    **given: Any,
) -> int:
    """Hold SOURCE against BASELINE, a folder that `watchkeep baseline` or SageMaker wrote, or a folder of several.

    Writes report.json, report.html, statistics.json, constraints.json and constraint_violations.json into the
    folder, which appears whole or not at all. Exit code 0: completed; 1: with violations.

    \b
        watchkeep check baselines/churn today.parquet --out reports/today
        watchkeep check baselines/churn today.parquet --out reports/today --watch churn.watch
        watchkeep check baselines/quality preds.parquet --labels labels.parquet --id id --out reports/today
        watchkeep check baselines/why today.parquet --model http://localhost:8080/invocations --out reports/today
        watchkeep check baselines/churn s3://lake/today/ --engine spark --out reports/today --states states/churn

    With --watch the exit code is 1 too when the watch rings. Of a folder that holds several baselines of one model
    each is checked, and causes are ranked over all of them; a monitor that cannot be run (exit code 3) does not keep
    the others from it.
    """  # noqa: D301 (click wants the character itself)
    roles, window = roles_from(given), Window.between(start, end)
    engine = engine_from(given)
    policy = Policy(
        dialect=Dialect(given["dialect"]), false_alarms=given["false_alarms"], min_rows=given["min_rows"]
    )
    script, post = script_from(given), script_from(given, "postprocess")
    source: Source = open_source(list(sources), format=given["format"], header=given["header"], script=script)
    labels = open_source(list(given["labels"])) if given["labels"] else None
    beside = Beside(
        labels=labels,
        labels_id=given["labels_id"],
        arrival=given["arrival"],
        model=given["model"],
        options=model_options_from(given),
    )
    if given["again"] and given["states"] is None:
        raise OptionError("--again", got="no --states", expected="--states DIR, whose hours make way")
    several = baseline.is_dir() and not is_baseline(baseline) and any(map(is_baseline, baseline.iterdir()))
    if given["explain"]:
        return _explained(baseline, source, roles, window, beside, engine, several=several, given=given)
    if out is None:
        raise OptionError("--out", got="nothing", expected="the folder to write")
    if several:
        code = _together(
            baseline, source, out, roles, window, policy, beside, engine, watch=watch, given=given
        )
        return _postprocessed(post, out, code)
    learned = load_baseline(
        baseline, roles=roles, attribution=given["model"] is not None, tell=progress().note
    )
    learned, source = beside.fitted(learned, source, roles)
    told = None if roles == Roles() else roles
    do = _checked if given["states"] is None else _stored
    findings = do(learned, source, window, policy, told, engine, given)
    watched = None if watch is None else observe(watch, learned, findings)
    document = save_report(findings, learned, out, watched)
    code = _answered(document, out, given)
    return _postprocessed(post, out, VIOLATED if watched is not None and watched[0].alarm else code)


def _postprocessed(script: Script | None, out: Path, code: int) -> int:
    """Call the script that is to be called when a check is done, unless it failed."""
    if script is not None and code != FAILED:
        after(script, out)
    return code


def _checked(
    learned: Learned,
    source: Source,
    window: Window,
    policy: Policy,
    roles: Roles | None,
    engine: Engine,
    given: dict[str, Any],
) -> Findings:
    """Check a window."""
    with review_list(given["review"], below=given["review_below"]) as review:
        return learned.check(
            source,
            window=window,
            policy=policy,
            created=datetime.now(UTC),
            roles=roles,
            progress=progress(),
            review=review,
            search=given["find_segments"],
            engine=engine,
        )


def _stored(
    learned: Learned,
    source: Source,
    window: Window,
    policy: Policy,
    roles: Roles | None,
    engine: Engine,
    given: dict[str, Any],
) -> Findings:
    """Check a window, and store its hours."""
    for option, value in (("review", given["review"]), ("find-segments", given["find_segments"] or None)):
        if value is not None:
            raise OptionError(option, got=str(value), expected="a check without --states")
    return check_hours(
        learned,
        source,
        states_of(learned, given["states"], policy.dialect),
        window=window,
        policy=policy,
        created=datetime.now(UTC),
        roles=roles,
        again=given["again"],
        engine=engine,
        progress=progress(),
    )


def _explained(
    baseline: Path,
    source: Source,
    roles: Roles,
    window: Window,
    beside: Beside,
    engine: Engine,
    *,
    several: bool,
    given: dict[str, Any],
) -> int:
    """Tell how a window would be read."""
    if several:
        held = load_baselines(baseline, roles=roles)
        known = {name: one for name, one in held.items() if not isinstance(one, WatchkeepError)}
        if not known:
            raise next(one for one in held.values() if isinstance(one, WatchkeepError))
        unread = [f"{name} cannot be read: {one}" for name, one in held.items() if name not in known]
    else:
        unread = []
        known = {baseline.name: load_baseline(baseline, roles=roles, attribution=given["model"] is not None)}
    if beside.labels is not None:
        labelled = [one for one in known.values() if one.baseline.kind in LABELLED] or list(known.values())
        source = replace(beside, model=None).fitted(labelled[0], source, roles)[1]
    plan = plan_of(known, source, roles, window=window, engine=engine)
    plan.notes += unread
    return answer_plan(plan, as_json=given["as_json"])


def _together(
    baseline: Path,
    source: Source,
    out: Path,
    roles: Roles,
    window: Window,
    policy: Policy,
    beside: Beside,
    engine: Engine,
    *,
    watch: Path | None,
    given: dict[str, Any],
) -> int:
    """Check a window against all the baselines of a model."""
    for option, value in (("watch", watch), ("review", given["review"]), ("states", given["states"])):
        if value is not None:
            raise OptionError(option, got=str(value), expected=f"one baseline; {baseline} holds several")
    learned = load_baselines(
        baseline, roles=roles, attribution=given["model"] is not None, tell=progress().note
    )
    together = check_together(
        learned,
        beside.opener(source, roles),
        source=source.name,
        window=window,
        policy=policy,
        created=datetime.now(UTC),
        roles=None if roles == Roles() else roles,
        progress=progress(),
        search=given["find_segments"],
        engine=engine,
    )
    code = _answered(save_together(together, out), out, given)
    return FAILED if together.status is Status.FAILED else code


def _answered(document: dict[str, object], out: Path, given: dict[str, Any]) -> int:
    code = answer(document, as_json=given["as_json"], strict=given["strict"], verbose=given["verbose"])
    if not given["as_json"]:
        click.echo(f"Report: {out / 'report.html'}")
    return code
