"""Baselines that SageMaker made: JSON files without states."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from watchkeep.core.errors import BaselineError
from watchkeep.formats import (
    attribution_constraints,
    bias_analysis,
    bias_constraints,
    constraints,
    explanations,
    json_text,
    quality_constraints,
    statistics,
)
from watchkeep.formats import quality_statistics as quality_documents
from watchkeep.formats.attribution_constraints import to_attribution_constraints
from watchkeep.formats.bias_constraints import to_bias_constraints
from watchkeep.formats.constraint_list import to_constraints
from watchkeep.formats.foreign import foreign_baseline
from watchkeep.formats.foreign_attribution import foreign_attribution
from watchkeep.formats.foreign_bias import foreign_bias
from watchkeep.formats.foreign_quality import foreign_quality
from watchkeep.frames.roles import Roles
from watchkeep.service.answers import QualityLearned
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.bias import BiasLearned
from watchkeep.service.checking import DataLearned
from watchkeep.service.learned import Learned
from watchkeep.service.quality import require_answers


def foreign_statistics(
    path: Path, limits_json: dict[str, object] | None, limits_at: Path, roles: Roles | None
) -> Learned:
    """The baseline of data quality or of model quality in a `statistics.json` of SageMaker Model Monitor.

    Args:
        path: of the file.
        limits_json: its limits; None where there are none.
        limits_at: where they lie.
        roles: which column is what.

    Raises:
        DocumentError: a file does not follow the schema.
    """
    told = json_text.loads(text_of(path), str(path))
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if any(f"{section}_metrics" in told for section in quality_documents.SECTIONS.values()):
        return _foreign_answers(path, told, limits_json, limits_at, roles, written)
    document = None if limits_json is None else constraints.parse(limits_json, str(limits_at))
    known = statistics.parse(told, str(path))
    document = document or constraints.build([])
    baseline = foreign_baseline(known, document, roles or Roles(), path=str(path.parent), created=written)
    limits = to_constraints(document, baseline.columns, baseline.dialect, name=str(limits_at))
    return DataLearned(replace(baseline, constraints=limits), document, {})


def _foreign_answers(
    path: Path,
    told: dict[str, object],
    limits_json: dict[str, object] | None,
    limits_at: Path,
    roles: Roles | None,
    written: datetime,
) -> QualityLearned:
    known = quality_documents.parse(told, str(path))
    if roles is not None:  # to look at it, nobody needs to say
        require_answers(roles)
    if limits_json is None:
        limits_of = quality_constraints.build(known.problem, ())
    else:
        limits_of = quality_constraints.parse(limits_json, str(limits_at))
    baseline = foreign_quality(known, limits_of, roles or Roles(), path=str(path.parent), created=written)
    return QualityLearned(baseline, limits_of, {})


def foreign_analysis(path: Path, roles: Roles | None, *, attribution: bool) -> Learned:
    """The baseline of bias or of attribution in an `analysis.json` of SageMaker Clarify.

    Raises:
        DocumentError: it does not follow the schema.
    """
    document = json_text.loads(text_of(path), str(path))
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    of_groups = any(section in document for section in bias_analysis.SECTIONS)
    if explanations.EXPLANATIONS in document and (attribution or not of_groups):
        asked = attribution_constraints.parse(document, str(path))
        summed = foreign_attribution(
            asked.explanations, roles or Roles(), path=str(path.parent), created=written
        )
        near = to_attribution_constraints(asked, summed.plan, sagemaker=True, name=str(path))
        return AttributionLearned(replace(summed, constraints=near), asked, {})
    told = bias_constraints.parse(document, str(path))
    baseline = foreign_bias(told.analysis, roles or Roles(), path=str(path.parent), created=written)
    limits = to_bias_constraints(told, baseline.plan, sagemaker=True, name=str(path))
    return BiasLearned(replace(baseline, constraints=limits), told, {})


def text_of(path: Path) -> str:
    """The text of a baseline's file.

    Raises:
        BaselineError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(str(path), why=f"it cannot be read: {error}") from error
