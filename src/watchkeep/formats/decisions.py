"""Decisions of a watch as documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from watchkeep.alarms.decision import COLUMNS, Decision, Outcome
from watchkeep.alarms.record import Record
from watchkeep.alarms.sentences import sentence
from watchkeep.alarms.track import tracks
from watchkeep.core.errors import StateError
from watchkeep.core.window import iso

VERSION: Final = 1
SHOWN: Final = 400
"""Windows whose levels a document lists, the last ones."""


def decision_document(decision: Decision) -> dict[str, object]:
    """A decision, all of it."""
    since = decision.since
    return {
        "key": decision.key,
        "digest": decision.digest,
        "number": decision.number,
        "window": {"start": _time(decision.start), "end": _time(decision.end)},
        "rows": decision.rows,
        "outcome": str(decision.outcome),
        "sentence": sentence(decision),
        "level": decision.level,
        "alarm": decision.alarm,
        "warning": decision.warning,
        "open": decision.open,
        "evidence": dict(decision.evidence),
        "changes": dict(decision.changes),
        "named": list(decision.named),
        "since": _time(since) if isinstance(since, datetime) else since,
        "windows": decision.windows,
        "detectable": {
            str(horizon): dict(smallest)
            for horizon, smallest in ({1: decision.detectable} | dict(decision.within)).items()
        },
        "shift": decision.shift,
        "lasting": decision.lasting,
        "why": decision.why,
        "subjects": decision.about,
        **({} if decision.parts is None else {"parts": list(decision.parts)}),
    }


def decision_of(document: Mapping[str, object]) -> Decision:
    """The decision of a document.

    Raises:
        StateError: it is none.
    """
    try:
        window, detectable = document["window"], document["detectable"]
        if not isinstance(window, dict) or not isinstance(detectable, dict):
            raise StateError("a decision lacks its window or what it could detect")
        within = {int(horizon): _numbers(smallest) for horizon, smallest in detectable.items()}
        start, end = _moment(window.get("start")), _moment(window.get("end"))
        since = document["since"]
        return Decision(
            key=str(document["key"]),
            digest=str(document["digest"]),
            number=int(str(document["number"])),
            start=start,
            end=end,
            rows=int(str(document["rows"])),
            outcome=Outcome(str(document["outcome"])),
            level=float(str(document["level"])),
            alarm=bool(document["alarm"]),
            warning=bool(document["warning"]),
            open=None if document["open"] is None else str(document["open"]),
            evidence=_numbers(document["evidence"]),
            changes={str(name): str(kind) for name, kind in _mapping(document["changes"]).items()},
            named=tuple(map(str, _listed(document["named"]))),
            since=None if since is None else (_moment(since) if start is not None else str(since)),
            windows=int(str(document["windows"])),
            detectable=within.get(1, {}),
            within=within,
            shift=float(str(document["shift"])),
            lasting=int(str(document.get("lasting", 1))),
            why=str(document["why"]),
            about=str(document.get("subjects", COLUMNS)),
            parts=tuple(map(str, _listed(document["parts"]))) if "parts" in document else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise StateError(f"this is no decision: {error}") from error


def watch_document(record: Record, decision: Decision) -> dict[str, object]:
    """What a report says of a watch: the decision, the levels of the windows up to it, what people did."""
    until = record.decisions[: decision.number + 1]
    return decision_document(decision) | {
        "false_alarms": record.false_alarms,
        "margin": record.margin,
        "history": [
            {
                "number": one.number,
                "start": _time(one.start),
                "rows": one.rows,
                "level": one.level,
                "alarm": one.alarm,
                "open": one.open,
                "why": one.why,
            }
            for one in until[-SHOWN:]
        ],
        "alarms": sum(one.alarm for one in until),
        "notes": [
            {"what": note.what, "at": iso(note.at), "by": note.by, "text": note.text, "after": note.after}
            for note in record.notes
        ],
        "track": [
            {
                "measure": one.measure,
                "windows": one.windows,
                "within": one.within,
                "miss": one.miss,
                "distance": one.distance,
            }
            for one in tracks(record.outturns)
        ],
    }


def watch_file_document(record: Record) -> dict[str, object]:
    """A watch for people: what it said last, and the windows up to then."""
    return {
        "version": VERSION,
        "kind": "watch",
        "baseline": record.baseline,
        "false_alarms": record.false_alarms,
        "margin": record.margin,
        "decision": watch_document(record, record.decisions[-1]) if record.decisions else None,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _moment(text: object) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise StateError("a decision holds a list where names belong")
    return value


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise StateError("a decision lacks its names")
    return value


def _numbers(value: object) -> dict[str, float]:
    return {str(name): float(str(number)) for name, number in _mapping(value).items()}
