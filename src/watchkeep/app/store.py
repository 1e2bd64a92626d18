"""Baselines and reports as folders of files."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from watchkeep.adapters.folders import whole_folder
from watchkeep.alarms.decision import Decision
from watchkeep.alarms.record import Record
from watchkeep.core.errors import BaselineError, MissingSourceError
from watchkeep.formats import archive, constraints, json_text, statistics
from watchkeep.formats.constraint_list import to_constraints
from watchkeep.formats.constraints import Constraints
from watchkeep.formats.decisions import watch_document
from watchkeep.formats.foreign import foreign_baseline
from watchkeep.formats.report import (
    baseline_statistics,
    report_document,
    violations_document,
    window_statistics,
)
from watchkeep.frames.roles import Roles
from watchkeep.monitors.findings import Findings
from watchkeep.service.baselining import Learned
from watchkeep.views.html import report_html

ARCHIVE: Final = "baseline.arrow"
STATISTICS: Final = "statistics.json"
CONSTRAINTS: Final = "constraints.json"
VIOLATIONS: Final = "constraint_violations.json"
REPORT: Final = "report.json"
PAGE: Final = "report.html"


def save_baseline(learned: Learned, folder: Path) -> None:
    """Write a baseline's three files; the folder appears whole or not at all.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    baseline = learned.baseline
    with whole_folder(folder) as partial:
        (partial / ARCHIVE).write_bytes(archive.pack(baseline, tuple(learned.suggested.values())))
        statistics_json = baseline_statistics(baseline.columns, baseline.rows).document()
        (partial / STATISTICS).write_text(json_text.dumps(statistics_json), encoding="utf-8")
        (partial / CONSTRAINTS).write_text(json_text.dumps(learned.document.document()), encoding="utf-8")


def load_baseline(folder: Path, *, roles: Roles | None = None) -> Learned:
    """Read a baseline of ours, or one that SageMaker made: its two JSON files are enough.

    Args:
        folder: where the files lie.
        roles: which column is what, for a baseline whose files do not say.

    Raises:
        BaselineError: it is missing, damaged, or of a newer version.
        DocumentError: a JSON document does not follow its schema.
    """
    if not folder.is_dir():
        raise MissingSourceError(
            str(folder), looked_for="a baseline: a folder that `watchkeep baseline` wrote"
        )
    packed = folder / ARCHIVE
    document = _constraints(folder)
    if not packed.exists():
        return _foreign(folder, document, roles or Roles())
    baseline, suggested = archive.unpack(packed.read_bytes(), str(packed))
    if document is None:
        raise BaselineError(str(folder / CONSTRAINTS), why="it is missing; make the baseline again")
    limits = to_constraints(document, baseline.columns, baseline.dialect, suggested)
    return Learned(replace(baseline, constraints=limits), document, suggested)


def _constraints(folder: Path) -> Constraints | None:
    path = folder / CONSTRAINTS
    if not path.exists():
        return None
    return constraints.parse(json_text.loads(_text(path), str(path)), str(path))


def _foreign(folder: Path, document: Constraints | None, roles: Roles) -> Learned:
    path = folder / STATISTICS
    if not path.exists():
        raise BaselineError(
            str(folder), why=f"it holds no baseline: neither {ARCHIVE} nor {STATISTICS} is there"
        )
    known = statistics.parse(json_text.loads(_text(path), str(path)), str(path))
    document = document or constraints.build([])
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    baseline = foreign_baseline(known, document, roles, path=str(folder), created=written)
    limits = to_constraints(document, baseline.columns, baseline.dialect)
    return Learned(replace(baseline, constraints=limits), document, {})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(str(path), why=f"it cannot be read: {error}") from error


Watched = tuple[Decision, Record] | None
"""What a watch said of a window, and all it remembers."""


def report_of(findings: Findings, learned: Learned, watched: Watched = None) -> dict[str, object]:
    """The report document of a run against a baseline."""
    document = report_document(findings, baseline_id=archive.identity(learned.baseline))
    if watched is not None:
        document["decision"] = watch_document(watched[1], watched[0])
    return document


def save_report(
    findings: Findings, learned: Learned, folder: Path, watched: Watched = None
) -> dict[str, object]:
    """Write a report's five files; the folder appears whole or not at all. Gives the report document.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    document = report_of(findings, learned, watched)
    with whole_folder(folder) as partial:
        texts = {
            STATISTICS: json_text.dumps(window_statistics(findings).document()),
            CONSTRAINTS: json_text.dumps(learned.document.document()),
            VIOLATIONS: json_text.dumps(violations_document(findings).document()),
            REPORT: json_text.dumps(document),
            PAGE: report_html(document),
        }
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return document
