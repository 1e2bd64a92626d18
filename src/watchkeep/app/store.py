"""Baselines and reports as folders of files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from watchkeep.adapters.folders import Made, whole_folder
from watchkeep.alarms.decision import Decision
from watchkeep.alarms.record import Record
from watchkeep.app.foreign import foreign_analysis, foreign_statistics, text_of
from watchkeep.app.limits import Tell, require_limits, tell_unread
from watchkeep.core.errors import BaselineError, MissingSourceError, OptionError, WatchkeepError
from watchkeep.formats import (
    analysis_config,
    archive,
    attribution_constraints,
    bias_analysis,
    bias_constraints,
    constraints,
    explanations,
    json_text,
    quality_constraints,
)
from watchkeep.formats.analysis_config import AnalysisConfig
from watchkeep.formats.attribution_archive import unpack_attribution
from watchkeep.formats.attribution_constraints import to_attribution_constraints
from watchkeep.formats.bias_archive import unpack_bias
from watchkeep.formats.bias_constraints import to_bias_constraints
from watchkeep.formats.constraint_list import to_constraints
from watchkeep.formats.container import read_rows
from watchkeep.formats.decisions import watch_document
from watchkeep.formats.quality_archive import unpack_quality
from watchkeep.formats.quality_limits import to_quality_constraints
from watchkeep.formats.together import together_document
from watchkeep.frames.roles import Roles
from watchkeep.monitors.findings import Findings
from watchkeep.service.answers import QualityLearned
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.bias import BiasLearned
from watchkeep.service.checking import DataLearned
from watchkeep.service.learned import Learned
from watchkeep.service.together import Together, page_of
from watchkeep.views.html import report_html

ARCHIVE: Final = "baseline.arrow"
ANALYSIS: Final = bias_analysis.DOCUMENT
EXPLAINED: Final = Path(explanations.LOCAL).parts[0]
STATISTICS: Final = "statistics.json"
CONSTRAINTS: Final = "constraints.json"
VIOLATIONS: Final = "constraint_violations.json"
REPORT: Final = "report.json"
PAGE: Final = "report.html"
_A_BASELINE: Final = Made("a baseline", ARCHIVE, frozenset({ARCHIVE, STATISTICS, CONSTRAINTS, ANALYSIS}))
MONITORS: Final = "monitors"
_SEVERAL: Final = Made("a report of several monitors", REPORT, frozenset({REPORT, PAGE, MONITORS}))
_A_REPORT: Final = Made(
    "a report", REPORT, frozenset({STATISTICS, CONSTRAINTS, VIOLATIONS, REPORT, PAGE, ANALYSIS, EXPLAINED})
)


def save_baseline(learned: Learned, folder: Path) -> None:
    """Write a baseline's files; the folder appears whole or not at all.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    packed, documents = learned.packed(), learned.files()
    with whole_folder(folder, _A_BASELINE) as partial:
        (partial / ARCHIVE).write_bytes(packed)
        for name, document in documents.items():
            (partial / name).write_text(json_text.dumps(document), encoding="utf-8")


def load_baseline(
    folder: Path,
    *,
    roles: Roles | None = None,
    attribution: bool = False,
    limits: Path | None = None,
    tell: Tell | None = None,
) -> Learned:
    """Read a baseline of ours, or one that SageMaker made: its two JSON files are enough.

    Args:
        folder: where the files lie.
        roles: which column is what, for a baseline whose files do not say.
        attribution: which of the two is meant where one file of SageMaker Clarify tells of bias and of attributions.
        limits: a `constraints.json` in place of the baseline's own.
        tell: is told of what stands in the file of limits and is not read.

    Raises:
        BaselineError: it is missing, damaged, or of a newer version.
        DocumentError: a JSON document does not follow its schema, or `limits` limits nothing.
        MissingSourceError: there is no such folder, or no file of limits.
        OptionError: other limits are given for a baseline whose limits stand in its one file.
    """
    if not folder.is_dir():
        raise MissingSourceError(
            str(folder), looked_for="a baseline: one that `watchkeep baseline` wrote", what="folder"
        )
    limits_at = folder / CONSTRAINTS if limits is None else _others(limits, folder)
    limits_json = json_text.loads(text_of(limits_at), str(limits_at)) if limits_at.exists() else None
    ours = (folder / ARCHIVE).exists()
    if ours:
        learned = _own(folder / ARCHIVE, limits_json, limits_at)
    else:
        learned = _foreign(folder, limits_json, limits_at, roles, attribution=attribution)
    if limits is not None and limits_json is not None:
        require_limits(limits_json, limits, learned, folder)
    if tell is not None and limits_json is not None:
        tell_unread(limits_json, limits_at, learned, tell, ours=ours)
    return learned


def _own(packed: Path, limits_json: dict[str, object] | None, limits_at: Path) -> Learned:
    """A baseline of ours."""
    rows, meta = read_rows(packed.read_bytes(), str(packed))
    if limits_json is None:
        raise BaselineError(str(limits_at), why="it is missing; make the baseline again")
    name = str(limits_at)
    if meta.get("kind") == "model-quality":
        answers, suggested = unpack_quality(rows, meta, str(packed))
        limits_of = quality_constraints.parse(limits_json, name)
        own = to_quality_constraints(limits_of, suggested)
        return QualityLearned(replace(answers, constraints=own), limits_of, suggested)
    if meta.get("kind") == "bias":
        groups, suggested = unpack_bias(rows, meta, str(packed))
        told = bias_constraints.parse(limits_json, name)
        sagemaker = groups.dialect.sagemaker
        ranges = to_bias_constraints(told, groups.plan, suggested, sagemaker=sagemaker, name=name)
        return BiasLearned(replace(groups, constraints=ranges), told, suggested)
    if meta.get("kind") == "attribution":
        summed, suggested = unpack_attribution(rows, meta, str(packed))
        asked = attribution_constraints.parse(limits_json, name)
        sagemaker = summed.dialect.sagemaker
        near = to_attribution_constraints(asked, summed.plan, suggested, sagemaker=sagemaker, name=name)
        return AttributionLearned(replace(summed, constraints=near), asked, suggested)
    baseline, suggested = archive.unpack(rows, meta, str(packed))
    document = constraints.parse(limits_json, name)
    promised = to_constraints(document, baseline.columns, baseline.dialect, suggested, name=name)
    return DataLearned(replace(baseline, constraints=promised), document, suggested)


def load_baselines(
    folder: Path, *, roles: Roles | None = None, attribution: bool = False, tell: Tell | None = None
) -> dict[str, Learned | WatchkeepError]:
    """Read the baselines of a model, by name: the folders in `folder` that hold one; or why one cannot be read.

    Args:
        folder, roles, attribution, tell: see `load_baseline`.

    Raises:
        BaselineError: there is none.
    """
    inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    held = [path for path in inside if is_baseline(path)]
    if not held:
        raise BaselineError(str(folder), why="it holds no baseline, and none of its folders does")
    found: dict[str, Learned | WatchkeepError] = {}
    for path in held:
        try:
            found[path.name] = load_baseline(path, roles=roles, attribution=attribution, tell=tell)
        except WatchkeepError as error:
            found[path.name] = error
    return found


def is_baseline(folder: Path) -> bool:
    """Whether a folder holds a baseline, whole or not, ours or SageMaker's; and no report."""
    return not (folder / REPORT).exists() and any(
        (folder / name).exists() for name in (ARCHIVE, STATISTICS, CONSTRAINTS, ANALYSIS)
    )


def _others(limits: Path, folder: Path) -> Path:
    """The file of limits that stand in place of a baseline's own."""
    if not limits.is_file():
        raise MissingSourceError(
            str(limits), looked_for=f"limits: one such as {folder / CONSTRAINTS}", what="file"
        )
    if (folder / ANALYSIS).exists() and not (folder / ARCHIVE).exists():
        raise OptionError("limits", got=str(limits), expected=f"a change in {folder / ANALYSIS} itself")
    return limits


def _foreign(
    folder: Path,
    limits_json: dict[str, object] | None,
    limits_at: Path,
    roles: Roles | None,
    *,
    attribution: bool,
) -> Learned:
    path = folder / STATISTICS
    if (folder / REPORT).exists():
        raise BaselineError(str(folder), why="it holds a report, not a baseline")
    if (folder / ANALYSIS).exists():
        return foreign_analysis(folder / ANALYSIS, roles, attribution=attribution)
    if not path.exists():
        why = f"it holds no baseline: neither {ARCHIVE} nor {STATISTICS} is there"
        if any(is_baseline(inside) for inside in folder.iterdir() if inside.is_dir()):
            why = "it holds several baselines, each in a folder; `check` and wk.Baselines.load take them together"
        raise BaselineError(str(folder), why=why)
    return foreign_statistics(path, limits_json, limits_at, roles)


def read_analysis_config(path: Path) -> AnalysisConfig:
    """What a SageMaker Clarify job was told.

    Raises:
        DocumentError: it does not follow the schema.
    """
    return analysis_config.parse(json_text.loads(text_of(path), str(path)), str(path))


Watched = tuple[Decision, Record] | None
"""What a watch said of a window, and all it remembers."""


def report_of(findings: Findings, learned: Learned, watched: Watched = None) -> dict[str, object]:
    """The report document of a run against a baseline."""
    document = learned.report(findings)
    if watched is not None:
        document["decision"] = watch_document(watched[1], watched[0])
    return document


def save_report(
    findings: Findings, learned: Learned, folder: Path, watched: Watched = None
) -> dict[str, object]:
    """Write a report's files; the folder appears whole or not at all. Gives the report document.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    document = report_of(findings, learned, watched)
    with whole_folder(folder, _A_REPORT) as partial:
        _write(partial, {**learned.files_of(findings), REPORT: document, PAGE: report_html(document)})
    return document


def together_of(together: Together) -> dict[str, object]:
    """The report document of a run against several baselines."""
    return _over(together, {name: report_of(findings, learned) for name, learned, findings in _run(together)})


def _over(together: Together, reports: Mapping[str, dict[str, object]]) -> dict[str, object]:
    return together_document(
        reports,
        {one.name: (one.kind, one.failure) for one in together.monitored if one.findings is None},
        {one.name: page_of(one.name) for one in together.monitored},
        status=str(together.status),
        source=together.source,
        created=together.created,
        window=together.window,
        policy=together.policy,
        causes=together.causes,
        decision=together.decision,
        decided=together.decided,
    )


def _run(together: Together) -> list[tuple[str, Learned, Findings]]:
    return [
        (one.name, one.learned, one.findings)
        for one in together.monitored
        if one.learned is not None and one.findings is not None
    ]


def save_together(together: Together, folder: Path) -> dict[str, object]:
    """Write a report over several, and each of theirs in a folder of its own. Gives the report document.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    reports = {name: report_of(findings, learned) for name, learned, findings in _run(together)}
    document = _over(together, reports)
    with whole_folder(folder, _SEVERAL) as partial:
        for name, learned, findings in _run(together):
            own = reports[name]
            files = {**learned.files_of(findings), REPORT: own, PAGE: report_html(own)}
            _write(partial / MONITORS / name, files)
        _write(partial, {REPORT: document, PAGE: report_html(document)})
    return document


def _write(folder: Path, files: Mapping[str, Mapping[str, object] | str]) -> None:
    for name, told in files.items():
        text = told if isinstance(told, str) else json_text.dumps(told)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
