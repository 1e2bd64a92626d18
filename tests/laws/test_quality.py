"""Laws of the fold over answers: pieces in any order are the whole, and a file gives back the baseline."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.adapters.sources import open_source
from watchkeep.constraints.policy import Policy
from watchkeep.core.window import Window
from watchkeep.formats.container import read_rows
from watchkeep.formats.quality_archive import pack_quality, quality_identity, unpack_quality
from watchkeep.formats.report import report_document
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import parse_segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.evaluation import evaluate_quality
from watchkeep.monitors.model_quality.scan import QualityScan
from watchkeep.profiles.profile import Profile
from watchkeep.service.quality import QualityOptions, learn_quality

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEGMENTS = tuple(map(parse_segment, ("low: x < 0", "b: g = 'b'")))


def answers(problem: str, n: int, seed: int, *, weights: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    p = 1 / (1 + np.exp(-2 * x))
    missing = rng.random(n) < 0.1
    columns = {"x": pa.array(x), "g": pa.array(rng.choice(["a", "b"], n))}
    if problem == "two":
        columns |= {"y": pa.array((rng.random(n) < p).astype(float), mask=missing), "p": pa.array(p)}
    elif problem == "several":
        chances = rng.dirichlet([2, 1, 1], n)
        columns["y"] = pa.array(rng.choice(["u", "v", "w"], n), mask=missing)
        columns["p"] = pa.array(chances.tolist())
    else:
        columns |= {"y": pa.array(5 + x + rng.normal(size=n), mask=missing), "q": pa.array(5 + x)}
    if weights:  # and every other role there is
        columns["w"] = pa.array(rng.uniform(0, 3, n))
        hours = np.sort(rng.integers(0, 30 * 24, n)).astype("timedelta64[h]")
        columns["at"] = pa.array(np.datetime64("2026-01-01", "us") + hours)
        columns["page"] = pa.array(rng.integers(0, n // 8, n))
        columns["each"] = pa.array(rng.random((n, 3)).tolist())
    return pa.table(columns)


def learned(problem: str, *, weights: bool) -> QualityBaseline:
    numbers = problem == "numbers"
    roles = Roles(
        label="y",
        prediction="q" if numbers else None,
        score=None if numbers else "p",
        weight="w" if weights else None,
        timestamp="at" if weights else None,
        query="page" if weights else None,
        members="each" if weights else None,
    )
    return learn_quality(
        open_source(answers(problem, 600, 1, weights=weights)),
        roles,
        QualityOptions(segments=SEGMENTS),
        dialect=Dialect.DEFAULT,
        created=NOW,
    )


BASELINES = {
    (problem, weights): learned(problem, weights=weights)
    for problem in ("two", "several", "numbers")
    for weights in (False, True)
}
EACH = pytest.mark.parametrize("key", BASELINES, ids=lambda key: f"{key[0]}{'-weighted' * key[1]}")


def counted(baseline: QualityBaseline, tables: Sequence[pa.Table]) -> Profile:
    scans = []
    for table in tables:
        scan = QualityScan(baseline.plan)
        scan.add(Batch.of(table))
        scans.append(scan.profile())
    return scans[0].merge(*scans[1:])


def report(baseline: QualityBaseline, profile: Profile) -> dict[str, object]:
    findings = evaluate_quality(
        baseline, profile, window=Window(), policy=Policy(), source="w", created=NOW, timing={}
    )
    document = report_document(findings, baseline_id="b")
    return {key: value for key, value in document.items() if key != "decision"}


@EACH
@given(cuts=st.lists(st.integers(0, 400), max_size=5), order=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_the_report_is_the_same_however_the_rows_are_split(
    key: tuple[str, bool], cuts: list[int], order: object
) -> None:
    table = answers(key[0], 400, 2, weights=key[1])
    edges = sorted({0, 400, *cuts})
    pieces = [table.slice(low, high - low) for low, high in pairwise(edges)]
    order.shuffle(pieces)  # type: ignore[attr-defined]
    baseline = BASELINES[key]

    whole, split = counted(baseline, [table]), counted(baseline, pieces)

    assert report(baseline, split) == report(baseline, whole)


@EACH
def test_a_file_gives_back_the_baseline(key: tuple[str, bool]) -> None:
    baseline = BASELINES[key]
    profile = counted(baseline, [answers(key[0], 300, 3, weights=key[1])])

    rows, meta = read_rows(pack_quality(baseline, baseline.constraints), "b")
    again, suggested = unpack_quality(rows, meta, "b")

    assert quality_identity(again) == quality_identity(
        QualityBaseline(created=NOW, source="x", plan=baseline.plan, profile=baseline.profile)
    )
    assert tuple(suggested.values()) == baseline.constraints
    restored = counted(again, [answers(key[0], 300, 3, weights=key[1])])
    assert report(again, restored) == report(
        QualityBaseline(created=NOW, source=baseline.source, plan=baseline.plan, profile=baseline.profile),
        profile,
    )
