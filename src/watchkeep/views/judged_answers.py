"""Verdicts and promises about answers, in words: there a measure is what a column is elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

from watchkeep.constraints.checks import CONCEPT_DRIFT
from watchkeep.views.columns import Judged, Rule
from watchkeep.views.measure_words import SAME, label, lacking, worded
from watchkeep.views.words import listing, why


def of_answers(verdict: Judged) -> Judged:
    """A verdict about answers with its measure, in words, as its subject; a segment's name comes behind it.

    >>> told = of_answers(Judged.of({"measure": "auc", "sentence": "auc is 0.7, at least 0.8 is allowed"}))
    >>> told.subject, told.sentence
    ('ROC AUC', 'ROC AUC is 0.7, at least 0.8 is allowed')
    """
    name = label(verdict.measure) if verdict.measure else verdict.check
    where = "" if verdict.subject == "dataset" else f" of {verdict.subject}"
    where += " (concept drift)" if of_drift(verdict) else ""
    reason = why(verdict.value)
    value = verdict.value if reason is None else {"undefined": lacking(reason, verdict.measure)}
    sentence = worded(verdict.sentence, verdict.measure)
    return replace(verdict, subject=name + where, value=value, sentence=sentence)


def of_promise(rule: Rule) -> Rule:
    """A promise about answers in words."""
    return replace(rule, sentence=worded(rule.sentence, rule.measure))


def of_drift(verdict: Judged) -> bool:
    """Whether a verdict is about what came true against what was to be expected, and not about a limit."""
    return verdict.check == CONCEPT_DRIFT


def telling(verdicts: Sequence[Judged]) -> list[Judged]:
    """The verdicts about limits without those whose measure says what another's says."""
    limits = [verdict for verdict in verdicts if not of_drift(verdict)]
    names = {verdict.measure for verdict in limits}
    return [verdict for verdict in limits if SAME.get(verdict.measure) not in names]


def out_of_limits(verdicts: Sequence[Judged], told: str) -> str:
    """What is violated, in one sentence.

    Args:
        verdicts: the violated ones, by `of_answers`.
        told: what is outside its limits, in a sentence.
    """
    drifted = [label(verdict.measure) for verdict in verdicts if of_drift(verdict)]
    if not drifted:
        return told[:1].upper() + told[1:]
    what = f"{listing(drifted)} came out other than such answers to such features lead to expect (concept drift)."
    if len(drifted) == len(verdicts):
        return what[:1].upper() + what[1:]
    return f"{told[:1].upper()}{told[1:]} {what[:1].upper()}{what[1:]}"


def of_segment(verdict: Judged) -> bool:
    """Whether a verdict that `of_answers` gave is about a segment and not about all rows.

    >>> of_segment(of_answers(Judged.of({"measure": "auc", "subject": "young"})))
    True
    """
    return not of_drift(verdict) and verdict.subject != label(verdict.measure)
