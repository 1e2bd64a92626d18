"""`watchkeep baseline`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from watchkeep.app.models import ModelOptions, model_of
from watchkeep.app.sources import open_source
from watchkeep.app.store import read_analysis_config, save_baseline
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
    values_of,
)
from watchkeep.cli.output import answer_baseline
from watchkeep.cli.progress import progress
from watchkeep.core.errors import OptionError
from watchkeep.formats.analysis_config import AnalysisConfig
from watchkeep.frames.segments import parse_segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.plan import EXPLAINED, Aggregation
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.service.answers import learn_answers
from watchkeep.service.attribution.learned import AttributionOptions, learn_attribution, rows_in
from watchkeep.service.baselining import learn
from watchkeep.service.bias import learn_bias
from watchkeep.service.group_survey import BiasOptions
from watchkeep.service.learned import KINDS, Learned
from watchkeep.service.quality import QualityOptions
from watchkeep.stats.flip_test import NEIGHBOURS


@click.command("baseline")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option(
    "--problem",
    type=click.Choice([str(one) for one in Problem]),
    help="What the model answers (model-quality); told by the labels if not given.",
)
@click.option(
    "--positive",
    metavar="V",
    help="The positive of two classes; the larger if not given. For bias several, V,V, or a number to be above.",
)
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="A score above it is a positive answer, where there is no --prediction.",
)
@click.option(
    "--segment",
    "segments",
    multiple=True,
    metavar="[NAME:] RULE",
    help='A slice of the rows to be measured apart, such as "age < 30". May be repeated.',
)
@click.option(
    "--stratum",
    metavar="C",
    help="The column that groups are compared within, for conditional disparity (bias).",
)
@click.option(
    "--analysis-config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A SageMaker Clarify analysis_config.json: its columns, facets and labels (bias).",
)
@click.option(
    "--neighbours",
    type=int,
    default=NEIGHBOURS,
    show_default=True,
    help="How many neighbours the flip test asks (bias).",
)
@click.option(
    "--explain-rows",
    type=int,
    default=EXPLAINED,
    show_default=True,
    metavar="N",
    help="Rows of each window that are explained at the most, 0 for every one (attribution).",
)
@click.option(
    "--aggregation",
    type=click.Choice([str(one) for one in Aggregation]),
    default=str(Aggregation.MEAN_ABS),
    show_default=True,
    help="How the attributions of rows become one number of a feature (attribution).",
)
@click.option(
    "--background",
    metavar="SOURCE",
    help='Rows that stand for "not knowing a feature"; told by clusters if not given (attribution).',
)
@script_options
@model_options
@roles_options
@source_options
@dialect_option
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print the baseline document.")
def command(kind: str, sources: tuple[str, ...], out: Path, dialect: str, as_json: bool, **given: Any) -> int:
    """Learn from SOURCE what the reference data looks like, and what it promises.

    KIND is the monitor: data-quality, model-quality (which needs --label, and --prediction or --score), bias
    (which needs --facet, and --label, --prediction or --score), or attribution (which needs --model).

    SOURCE is a file, folder, glob or URL of Parquet, CSV, JSON Lines or Arrow IPC, a SageMaker capture tree, or -
    for standard input. Writes statistics.json, constraints.json and baseline.arrow into the folder, which appears
    whole or not at all.

    \b
        watchkeep baseline data-quality train.parquet --out baselines/churn --label churned --timestamp at
        watchkeep baseline model-quality val.parquet --out baselines/quality --label churned --score p
        watchkeep baseline bias val.parquet --out baselines/bias --label hired --score p --facet sex=F --facet age=40
        watchkeep baseline attribution train.parquet --model model.json --label churned --out baselines/why
    """  # noqa: D301 (click wants the character itself)
    roles, config = roles_from(given), None
    reads = engine_from(given)
    _only_of(kind, given)
    models = model_options_from(given)
    if given["analysis_config"] is not None:
        config = read_analysis_config(given["analysis_config"])
        roles = config.roles.under(roles)
    source = open_source(
        list(sources), format=given["format"], header=given["header"], script=script_from(given)
    )
    learned: Learned
    created, told = datetime.now(UTC), progress()
    rules = Dialect(dialect)
    if kind == "model-quality":
        learned = learn_answers(
            source,
            roles,
            _quality_options(given),
            dialect=rules,
            created=created,
            engine=reads,
            progress=told,
        )
    elif kind == "bias":
        learned = learn_bias(
            source,
            roles,
            _bias_options(given, config),
            dialect=rules,
            created=created,
            engine=reads,
            progress=told,
        )
    elif kind == "attribution":
        learned = learn_attribution(
            source,
            roles,
            model_of(_required(given["model"]), models, features=roles.features),
            _attribution_options(given, models),
            dialect=rules,
            created=created,
            background=None if given["background"] is None else rows_in(open_source(given["background"])),
            engine=reads,
            progress=told,
        )
    else:
        learned = learn(source, roles, kind=kind, dialect=rules, created=created, engine=reads, progress=told)
    save_baseline(learned, out)
    code = answer_baseline(learned.told(), as_json=as_json)
    if not as_json:
        click.echo(f"Baseline: {out}")
    return code


_OF: Final = {
    "segments": ("model-quality", "attribution"),
    "problem": ("model-quality",),
    "positive": ("model-quality", "bias"),
    "threshold": ("model-quality", "bias"),
    "stratum": ("bias",),
    "analysis_config": ("bias",),
    "neighbours": ("bias",),
    "model": ("attribution",),
    "explain_rows": ("attribution",),
    "aggregation": ("attribution",),
    "background": ("attribution",),
}
"""Options that only some monitors have."""


def _only_of(kind: str, given: dict[str, Any]) -> None:
    """Check that no option is given that only another monitor has.

    Raises:
        OptionError: one is.
    """
    context = click.get_current_context()
    for name, kinds in _OF.items():
        if kind in kinds or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        told = given[name][0] if isinstance(given[name], tuple) else given[name]
        option = "--segment" if name == "segments" else f"--{name.replace('_', '-')}"
        beside = "; here, see --where and --facet" if name == "segments" else ""
        raise OptionError(option, got=str(told), expected=f"{' or '.join(kinds)}{beside}")


def _quality_options(given: dict[str, Any]) -> QualityOptions:
    return QualityOptions(
        problem=None if given["problem"] is None else Problem(given["problem"]),
        positive=given["positive"],
        threshold=given["threshold"],
        segments=tuple(parse_segment(text) for text in given["segments"]),
    )


def _required(model: str | None) -> str:
    if model is None:
        raise OptionError(
            "--model", got="nothing", expected="the model to explain: a file, an address, module:function"
        )
    return model


def _attribution_options(given: dict[str, Any], models: ModelOptions) -> AttributionOptions:
    return AttributionOptions(
        explained=given["explain_rows"],
        segments=tuple(parse_segment(text) for text in given["segments"]),
        aggregation=Aggregation(given["aggregation"]),
        explain=models.explain,
    )


def _bias_options(given: dict[str, Any], config: AnalysisConfig | None) -> BiasOptions:
    """The options of the command line, and where they say nothing those of a configuration."""
    positive, threshold = given["positive"], given["threshold"]
    told = BiasOptions(
        positive=() if positive is None else values_of(positive),
        threshold=threshold,
        stratum=given["stratum"],
        neighbours=given["neighbours"],
    )
    if config is None:
        return told
    usual = click.get_current_context().get_parameter_source("threshold") is ParameterSource.DEFAULT
    return replace(
        told,
        positive=told.positive or config.positive,
        threshold=config.threshold if usual and config.threshold is not None else threshold,
        stratum=told.stratum or config.stratum,
        names=config.names,
    )
