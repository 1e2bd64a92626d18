"""What lies behind a window's difference, as JSON."""

from watchkeep.causes.ranking import Cause
from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats.column_documents import value


def cause_document(cause: Cause) -> dict[str, object]:
    """A cause, as the list `causes` of a report has it."""
    return {
        "subject": cause.subject,
        "share": _told(cause.share),
        "sentence": cause.sentence,
        "pattern": cause.pattern or None,
        "drift": _told(cause.drift),
        "importance": _told(cause.importance),
        "effect": _told(cause.effect),
        "segments": list(cause.segments),
        "severity": value(cause.severity),
        "checks": list(cause.checks),
        "chart": cause.chart or None,
    }


def _told(number: Value) -> object:
    return value(number if isinstance(number, Undefined) else float(f"{number:.6g}"))
