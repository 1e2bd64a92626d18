"""Which few rows of a window to label, so that its quality is known twice as well."""

import heapq
from dataclasses import dataclass
from typing import Final

import numpy as np

from watchkeep.core.errors import OptionError, UnreadableSourceError
from watchkeep.core.undefined import Undefined
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions
from watchkeep.frames.categories import row_texts
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.estimates import expected_of_two
from watchkeep.monitors.model_quality.places import Places
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.monitors.model_quality.rows import read_answers
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.quality import count_answers
from watchkeep.service.reading import told
from watchkeep.stats.hashing import mixed
from watchkeep.stats.label_plan import LabelPlan, Strata, label_plan, strata

HALVED: Final = 0.5
"""How wide the band is to be, as a share of what it is."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Labelling:
    """Which rows to label.

    Args:
        measure: whose band becomes narrower.
        value, low, high: its estimate without labels.
        half_width: of the band that is to be expected with them.
        rows: of the window by stratum, shape (strata,).
        labels: how many of each to label, shape (strata,).
        chosen: ids of the rows to label, with the stratum of each.
    """

    measure: str
    value: float
    low: float
    high: float
    half_width: float
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    chosen: tuple[tuple[str, int], ...]

    def weight(self, stratum: int) -> float:
        """How many rows of the window a labelled row of a stratum stands for: its weight (`--weight`) in a check."""
        return self.rows[stratum] / max(1, self.labels[stratum])

    def document(self) -> dict[str, object]:
        """The form it takes in JSON documents."""
        return {
            "measure": self.measure,
            "estimate": {"value": self.value, "low": self.low, "high": self.high},
            "half_width": {"now": (self.high - self.low) / 2, "then": self.half_width},
            "labels": sum(self.labels),
            "strata": [
                {"rows": rows, "labels": labels} for rows, labels in zip(self.rows, self.labels, strict=True)
            ],
            "chosen": [
                {"id": one, "stratum": stratum, "weight": self.weight(stratum)}
                for one, stratum in self.chosen
            ],
        }


def plan_labels(
    baseline: QualityBaseline,
    source: Source,
    ask: Ask,
    *,
    measure: str,
    share: float = HALVED,
    progress: Progress | None = None,
) -> Labelling:
    """Choose rows of a window to label. It is read twice.

    Args:
        baseline: labelled answers; of two classes.
        source: the window's rows.
        ask: which of them.
        measure: whose band is to become narrower, such as accuracy.
        share: how wide the band is to be, as a share of what it is; in (0, 1).
        progress: is told how it goes.

    Raises:
        OptionError: the measure has no estimate, or the share is not within (0, 1).
        SourceError: the window cannot be read, or there is nothing to plan.
    """
    if baseline.plan.problem is not Problem.BINARY:
        raise OptionError("label-plan", got=baseline.plan.problem.words, expected="a model of two classes")
    if not 0 < share < 1:
        raise OptionError("share", got=str(share), expected="a share above 0, below 1")
    scan = count_answers(baseline, source, ask, progress=progress)
    expected = expected_of_two(baseline, scan.profile())
    if expected is None:
        raise UnreadableSourceError(source.name, why="the baseline holds no labelled row to learn from")
    estimator = expected.estimator
    found = estimator.estimate(expected.rows, mix=expected.mix, spread=expected.spread)
    slopes = estimator.slopes(expected.rows, measure, expected.mix)
    one = found.get(measure)
    if (
        one is None
        or slopes is None
        or isinstance(one.value, Undefined)
        or one.low is None
        or one.high is None
    ):
        known = [name for name in found if estimator.slopes(expected.rows, name, expected.mix) is not None]
        raise OptionError("measure", got=measure, expected=f"one of {', '.join(known)}", choices=known)
    chances, _ = estimator.chances(expected.rows, expected.mix)
    groups = strata(expected.rows.astype(np.int64), slopes, chances)
    plan = label_plan(groups.rows, groups.deviations, target=share * (one.high - one.low) / 2)
    chosen = _chosen(baseline, source, ask, groups, plan, progress or Silent())
    return Labelling(
        measure=measure,
        value=one.value,
        low=one.low,
        high=one.high,
        half_width=plan.half_width,
        rows=tuple(groups.rows.tolist()),
        labels=tuple(plan.rows.tolist()),
        chosen=chosen,
    )


def _chosen(
    baseline: QualityBaseline,
    source: Source,
    ask: Ask,
    groups: Strata,
    plan: LabelPlan,
    progress: Progress,
) -> tuple[tuple[str, int], ...]:
    """Of each stratum the rows with the smallest hashes of their ids: as good as drawn, and the same every time."""
    kept: list[list[tuple[int, str]]] = [[] for _ in plan.rows]
    at = 0
    for batch in told(source.batches(ask), progress, "Choosing rows"):
        hashes, texts, of = _strata(baseline, batch, groups, at)
        at += batch.rows
        for stratum, wanted in enumerate(plan.rows.tolist()):
            heap = kept[stratum]
            mine = np.flatnonzero(of == stratum)
            mine = mine[np.argsort(hashes[mine], kind="stable")[:wanted]]
            for row in mine.tolist():
                item = (-int(hashes[row]), texts[row])
                if len(heap) < wanted:
                    heapq.heappush(heap, item)
                elif wanted and item > heap[0]:
                    heapq.heapreplace(heap, item)
    return tuple(
        (text, stratum) for stratum, heap in enumerate(kept) for _, text in sorted(heap, reverse=True)
    )


def _strata(
    baseline: QualityBaseline, batch: Batch, groups: Strata, at: int
) -> (
    "tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], list[str], np.ndarray[tuple[int], np.dtype[np.intp]]]"
):
    """Hash, id and stratum of each row of a batch that can be judged."""
    plan = baseline.plan
    answers = read_answers(batch, plan)
    rows = np.flatnonzero(answers.kept)
    places = answers.predictions
    if plan.bins is not None and answers.scores is not None:
        places = Places(plan.bins).of(answers.scores)
    name = plan.roles.id
    if name is not None and name in batch.names:
        array = batch.column(name).take(positions(rows))
        return mixed(text_hashes(array)), row_texts(array).to_pylist(), groups.of[places, answers.predictions]
    numbers = at + rows
    return (
        mixed(numbers.astype(np.uint64)),
        list(map(str, numbers.tolist())),
        groups.of[places, answers.predictions],
    )
