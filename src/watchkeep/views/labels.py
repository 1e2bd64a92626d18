"""How labels were joined to the answers, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeep.views.measure_words import duration
from watchkeep.views.values import mapping, real, whole
from watchkeep.views.words import DASH, amount, clip, count, percent, why


@dataclass(frozen=True, slots=True)
class Labels:
    """The account of a join.

    Args:
        rate: the share of answers that have a label, in words; `why` there is none, else empty.
        share: that share.
        matched: how many of how many, and what was left out, a line each.
        without: what found no partner, a line each.
        labels: how many came.
        repeated: which of them do not count, a line each.
        delay: how long after its answer a label came: the typical one in words, empty if nothing is told of it.
        delays: more of that, a line each.
    """

    rate: str
    why: str
    share: float | None
    matched: tuple[str, ...]
    without: tuple[str, ...]
    labels: str
    repeated: tuple[str, ...]
    delay: str
    delays: tuple[str, ...]

    @property
    def facts(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """What there is to say: a name, the main thing, and the rest in lines."""
        told = [
            ("Answers with a label", self.rate, (*self.matched, *[self.why] * bool(self.why))),
            ("Labels", self.labels, self.repeated),
            ("Without a partner", self.without[0], self.without[1:]),
        ]
        return told + ([("Labels came after", self.delay, self.delays)] if self.delay else [])


def labels_of(value: object) -> Labels | None:
    """The account of a document; None if labels were not joined."""
    given = mapping(value)
    if not given:
        return None
    predictions, matched = whole(given.get("predictions")), whole(given.get("matched"))
    rate = given.get("match_rate")
    share = real(rate)
    delay, delays = _delay(given.get("delay"))
    return Labels(
        rate=DASH if share is None else percent(share),
        why=why(rate) or "",
        share=share,
        matched=(
            f"{count(matched)} of {amount(predictions, 'answer')}",
            *_some(given, "duplicate_predictions", "answer", "left out: a later one has the same id"),
        ),
        without=(
            amount(whole(given.get("unmatched")), "answer"),
            amount(whole(given.get("unmatched_labels")), "label"),
            *_some(given, "labels_without_id", "label", "without an id"),
            *_some(given, "labels_without_value", "label", "without a value"),
        ),
        labels=count(whole(given.get("labels"))),
        repeated=(
            *_some(given, "duplicate_labels", "label", "repeated by a later one"),
            *_some(given, "changed_labels", "label", "corrected by a later one"),
            *(
                f"{count(whole(n))} rejected: {clip(str(reason), 120)}"
                for reason, n in list(mapping(given.get("rejected_labels")).items())[:6]
            ),
        ),
        delay=delay,
        delays=delays,
    )


def _some(given: Mapping[str, object], name: str, noun: str, what: str) -> list[str]:
    n = whole(given.get(name))
    return [f"{amount(n, noun)} {what}"] if n else []


def _delay(value: object) -> tuple[str, tuple[str, ...]]:
    given = mapping(value)
    median, late, last = (real(given.get(name)) for name in ("median", "p95", "max"))
    early = whole(given.get("negative"))
    if median is None:
        reason = why(value)
        return (DASH, (reason,)) if reason else ("", ())
    lines = ["half of them sooner, half later"]
    lines += [] if late is None else [f"95 % within {duration(late)}"]
    lines += [] if last is None else [f"the last after {duration(last)}"]
    lines += [f"{count(early)} before the answer: a clock is wrong"] * bool(early)
    return duration(median), tuple(lines)
