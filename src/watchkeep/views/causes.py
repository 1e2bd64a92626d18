"""What a document says of causes."""

import re
from dataclasses import dataclass
from typing import Final

from watchkeep.views.columns import brief
from watchkeep.views.values import objects, real, text
from watchkeep.views.words import percent

PAGE: Final = re.compile(r"monitors/[^/\s\"'<>]+/report[.]html")
"""Where the page of one of a model's monitors may be."""
_PLACE: Final = re.compile(rf"({PAGE.pattern})?#[^\s\"'<>]+")
"""Where a chart may be: on this page, or on that of one of a model's monitors."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What lies behind a window's difference, as the report ranked it.

    Args:
        subject, sentence: what it is, and what is wrong with it.
        severity: of its violated checks.
        checks: those.
        pattern: the data bug it looks like; empty when it looks like none.
        share: of all that is ranked, in words; empty where it has none.
        width: of its bar, in percent.
        chart: where it is drawn; empty where it is not.
    """

    subject: str
    sentence: str
    severity: float
    checks: tuple[str, ...]
    pattern: str = ""
    share: str = ""
    width: float = 0.0
    chart: str = ""


def causes_of(value: object, *, whole_is_told: bool) -> tuple[Cause, ...]:
    """The causes of a document, in its order.

    Args:
        value: what stands under `causes`.
        whole_is_told: whether the page says elsewhere what is wrong with the dataset as a whole.
    """
    listed = [
        one
        for one in objects(value)
        if not (whole_is_told and text(one.get("subject"), "dataset") == "dataset")
    ]
    gravest = max((real(one.get("severity")) or 0.0 for one in listed), default=0.0)
    ranked = any(real(one.get("share")) for one in listed)
    found = []
    for one in listed:
        share, severity = real(one.get("share")), real(one.get("severity")) or 0.0
        part = (share or 0.0) if ranked else severity / gravest if gravest > 0 else 0.0
        chart = text(one.get("chart"))
        checks = one.get("checks")
        subject = text(one.get("subject"), "dataset")
        found.append(
            Cause(
                subject=subject,
                sentence=brief(text(one.get("sentence")), subject),
                severity=severity,
                checks=tuple(map(str, checks)) if isinstance(checks, list) else (),
                pattern=text(one.get("pattern")),
                share=percent(share) if ranked and share else "",
                width=round(100 * part, 1),
                chart=chart if _PLACE.fullmatch(chart) else "",
            )
        )
    return tuple(found)
