"""Which few rows of a window to label, so that its quality is known twice as well."""

import heapq
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import OptionError
from watchkeep.core.undefined import Undefined
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import plain, positions, strings
from watchkeep.frames.categories import row_texts
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.days import Luck
from watchkeep.monitors.model_quality.estimates import Expected, expected_of_two
from watchkeep.monitors.model_quality.measures import Quality
from watchkeep.monitors.model_quality.places import Places
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Answers, read_answers
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.quality import count_answers
from watchkeep.service.reading import told
from watchkeep.stats.expected_counts import Estimated
from watchkeep.stats.hashing import Hashes, mixed
from watchkeep.stats.label_plan import LabelPlan, Strata, label_plan, strata, with_labels

Codes = npt.NDArray[np.intp]
Reals = npt.NDArray[np.float64]

HALVED: Final = 0.5
"""How wide the band is to be, as a share of what it is."""


@dataclass(frozen=True, slots=True)
class Known:
    """What labels tell of a measure, of all rows of the window.

    Args:
        labels: rows of the plan that have one; 0 of an estimate without any.
        value, low, high: the measure, and its band.
    """

    labels: int
    value: float
    low: float
    high: float


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
        known: what labels tell that have come; None when none was looked for, or has come.
    """

    measure: str
    value: float
    low: float
    high: float
    half_width: float
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    chosen: tuple[tuple[str, int], ...]
    known: Known | None = None

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
            "known": None if self.known is None else asdict(self.known),
        }


def plan_labels(
    baseline: QualityBaseline,
    source: Source,
    ask: Ask,
    *,
    measure: str,
    share: float = HALVED,
    labelled: tuple[Source, Ask] | None = None,
    progress: Progress | None = None,
) -> Labelling:
    """Choose rows of a window to label. It is read twice, and once more where labels have come.

    Args:
        baseline: labelled answers; of two classes.
        source: the window's rows.
        ask: which of them.
        measure: whose band is to become narrower, such as accuracy.
        share: how wide the band is to be, as a share of what it is; in (0, 1).
        labelled: the same rows, those with a label whose labels have come.
        progress: is told how it goes.

    Raises:
        OptionError: the measure has no estimate, or the share is not within (0, 1).
        SourceError: the window cannot be read, or there is nothing to plan.
    """
    if baseline.plan.problem is not Problem.BINARY:
        raise OptionError("label-plan", got=baseline.plan.problem.words, expected="a model of two classes")
    if not 0 < share < 1:
        raise OptionError("share", got=str(share), expected="a share above 0, below 1")
    profile = count_answers(baseline, source, ask, progress=progress)
    expected = expected_of_two(baseline, profile)
    if expected is None:
        raise OptionError(
            "baseline", got=baseline.source, expected="one that holds labelled rows, to learn estimates from"
        )
    estimator = expected.estimator
    one, slopes = _sought(expected, baseline.luck(profile, labelled=False), baseline.raw, measure)
    chances, _ = estimator.chances(expected.rows, expected.mix)
    groups = strata(expected.rows.astype(np.int64), slopes, chances)
    plan = label_plan(groups.rows, groups.deviations, target=share * (one.high - one.low) / 2)
    chosen = _chosen(baseline, source, ask, groups, plan, progress or Silent())
    repeated = [one for one, times in Counter(one for one, _ in chosen).items() if times > 1]
    if repeated:
        raise OptionError("id", got=repeated[0], expected="ids of one row each: labels are planned by id")
    told_by_labels = None
    if labelled is not None:
        sample = _sample(baseline, *labelled, {one for one, _ in chosen}, progress or Silent())
        if len(sample[0]):
            rows = expected.rows.astype(np.int64)
            now = with_labels(rows, chances, groups, sample, estimator.measure_of(measure))
            told_by_labels = _known(len(sample[0]), now)
    return Labelling(
        measure=measure,
        value=one.value,
        low=one.low,
        high=one.high,
        half_width=plan.half_width,
        rows=tuple(groups.rows.tolist()),
        labels=tuple(plan.rows.tolist()),
        chosen=chosen,
        known=told_by_labels,
    )


def _sought(expected: Expected, luck: Luck | None, before: Quality, measure: str) -> tuple[Known, Reals]:
    """The estimate of a measure before any label, and its slopes.

    Raises:
        OptionError: it has none.
    """
    estimator = expected.estimator
    found: Mapping[str, Estimated] = estimator.estimate(
        expected.rows, mix=expected.mix, spread=expected.spread
    )
    if luck is not None:
        found = luck.allowing(found, before)
    slopes = estimator.slopes(expected.rows, measure, expected.mix)
    one = _known(0, found[measure]) if measure in found else None
    if one is None or slopes is None:
        known = [name for name in found if estimator.slopes(expected.rows, name, expected.mix) is not None]
        raise OptionError("measure", got=measure, expected=f"one of {', '.join(known)}", choices=known)
    return one, slopes


def _known(labels: int, found: Estimated) -> Known | None:
    value, low, high = found.value, found.low, found.high
    if isinstance(value, Undefined) or low is None or high is None or not math.isfinite(value):
        return None
    return Known(labels, value, low, high)


def _sample(
    baseline: QualityBaseline, source: Source, ask: Ask, wanted: Collection[str], progress: Progress
) -> tuple[Codes, Codes, Codes]:
    """Bin, answer and label of the wanted rows that have a label; shape (n,) each."""
    plan, ids = baseline.plan, strings(sorted(wanted))
    parts = [np.zeros((3, 0), np.intp)]
    at = 0
    for batch in told(source.batches(ask), progress, "Reading labels"):
        if not batch.rows:
            continue
        answers = read_answers(batch, plan)
        rows = np.flatnonzero(answers.kept)
        texts = strings(_ids(plan, batch, rows, at))
        at += batch.rows
        chosen = plain(pc.is_in(texts, value_set=ids).cast(pa.uint8())).astype(np.bool_)
        mine = np.flatnonzero(chosen & (answers.labels < plan.kinds))
        parts.append(
            np.stack([_places(plan, answers)[mine], answers.predictions[mine], answers.labels[mine]]).astype(
                np.intp
            )
        )
    places, given, labels = np.concatenate(parts, axis=1)
    return places, given, labels


def _ids(plan: QualityPlan, batch: Batch, rows: Codes, at: int) -> list[str]:
    """What rows of a batch are called: their ids or, without any, their numbers in the window."""
    name = plan.roles.id
    if name is not None and name in batch.names:
        return [one or "" for one in row_texts(batch.column(name).take(positions(rows))).to_pylist()]
    return list(map(str, (at + rows).tolist()))


def _places(plan: QualityPlan, answers: Answers) -> Codes:
    if plan.bins is None or answers.scores is None:
        return np.asarray(answers.predictions, np.intp)
    return Places(plan.bins).of(answers.scores).astype(np.intp)


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
        if not batch.rows:
            continue
        hashes, texts, of = _strata(baseline, batch, groups, at)
        named = np.array([text != "" for text in texts], np.bool_)  # nobody could find the others
        at += batch.rows
        for stratum, wanted in enumerate(plan.rows.tolist()):
            heap = kept[stratum]
            mine = np.flatnonzero((of == stratum) & named)
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
) -> tuple[Hashes, list[str], Codes]:
    """Hash, id and stratum of each row of a batch that can be judged."""
    plan = baseline.plan
    answers = read_answers(batch, plan)
    rows = np.flatnonzero(answers.kept)
    of = groups.of[_places(plan, answers), answers.predictions]
    name = plan.roles.id
    if name is not None and name in batch.names:
        hashes = mixed(text_hashes(batch.column(name).take(positions(rows))))
    else:
        hashes = mixed((at + rows).astype(np.uint64))
    return hashes, _ids(plan, batch, rows, at), of
