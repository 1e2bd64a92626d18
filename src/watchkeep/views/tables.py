"""The parts of a report that are tables: all its measures, how it was judged, how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watchkeep.views import words
from watchkeep.views.decisions import Decided, strength
from watchkeep.views.reading import Report
from watchkeep.views.values import real

MOST_REASONS: Final = 40
"""Reasons told one by one."""
_MOST_MEASURES: Final = 60
_MOST_GROUPS: Final = 3  # of columns, in a terminal
_MOST_NOTES: Final = 5


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """Every measure of a report: a row per subject, a cell per name.

    A cell is its text and the number of its footnote in `reasons`, 0 for none. `left` counts the subjects
    that did not fit.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    reasons: tuple[str, ...]
    left: int


def measure_table(report: Report, *, most: int) -> MeasureTable:
    """The measures of at most `most` subjects: the dataset first, then columns, the worst first."""
    order = ["dataset", *(column.name for column in report.columns), *report.measures]
    subjects = [subject for subject in dict.fromkeys(order) if subject in report.measures]
    shown = subjects[:most]
    names = list(dict.fromkeys(name for subject in shown for name in report.measures[subject]))[
        :_MOST_MEASURES
    ]
    reasons: dict[str, int] = {}

    def cell(subject: str, name: str) -> tuple[str, int]:
        if name not in report.measures[subject]:
            return "", 0
        value = report.measures[subject][name]
        why = words.why(value)
        if why is None:
            return words.figure(value), 0
        if why not in reasons and len(reasons) >= MOST_REASONS:
            why = "for another reason"
        return words.DASH, reasons.setdefault(why, len(reasons) + 1)

    rows = tuple((subject, tuple(cell(subject, name) for name in names)) for subject in shown)
    return MeasureTable(tuple(names), rows, tuple(reasons), len(subjects) - len(shown))


def evidence_lines(decision: Decided, line: str) -> Sequence[tuple[str, str]]:
    """The evidence for a decision: names and values for people.

    Args:
        decision: as read.
        line: its windows as a line of blocks, the last ones.
    """
    level = f"{strength(decision.level)}; rings at 1"
    lines = [("Level", f"{line} {level}" if line else level)]
    named = [one for one in decision.shares if one.named]
    for one in named or decision.shares[: 0 if decision.faint else 3]:
        what = f", {one.change}" if one.change else ""
        lines.append(
            (
                "Changed" if one.named else "Still" if decision.open else "Mostly",
                f"{words.clip(one.name, 80)}{what}: {_of(one.share)}",
            )
        )
    lines += [("Alarm", f"open since {decision.rang}")] * bool(decision.rang)
    lines += [("Since", decision.lasting.removeprefix("since "))] * bool(decision.lasting)
    within = f"{' / '.join(map(str, decision.horizons))} windows"
    for row in decision.detectable[:_MOST_GROUPS]:
        lines.append(
            ("Seen within", f"{' / '.join(row.sizes)} {row.unit}".strip() + f" in {within}: {row.label}")
        )
    lines += [("Budget", decision.promise)] * bool(decision.promise)
    lines += [("Time", decision.judged)] * bool(decision.judged)
    for track in decision.track:
        lines.append(("Estimates", f"{track.measure}: {track.sentence}"))
    for note in decision.notes[-_MOST_NOTES:]:
        said = f": {note.text}" if note.text else ""
        lines.append(("Note", f"{note.at}, {note.by}, {note.what}{said}"))
    return [
        (name if at == 0 or lines[at - 1][0] != name else "", value) for at, (name, value) in enumerate(lines)
    ]


def _of(share: float) -> str:
    return f"{words.percent(share)} of the evidence"


_POLICY: Final = {
    "dialect": "dialect of the limits",
    "false_alarms": "false alarms accepted",
    "min_rows": "rows needed to judge",
}


def policy_lines(report: Report) -> Sequence[tuple[str, str]]:
    """How the report was judged: names and values for people."""
    lines = []
    for key, value in list(report.policy.items())[:20]:
        share = real(value) if key == "false_alarms" else None
        lines.append(
            (
                _POLICY.get(key, words.clip(str(key), 60)),
                words.figure(value) if share is None else words.percent(share),
            )
        )
    return lines


_PARTS: Final = {"seconds": "in all", "read_seconds": "to read"}


def timing_words(report: Report) -> Sequence[str]:
    """How long each part took, in words."""
    told = []
    for key, value in list(report.timing.items())[:12]:
        seconds, part = real(value), _PARTS.get(key) or words.clip(str(key).removesuffix("_seconds"), 40)
        if seconds is not None:
            told.append(f"{words.number(seconds, digits=3)} s {part}")
    return told
