"""The same inferences are kept everywhere, and what they weigh makes up for the others."""

import math
import statistics
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from tests.unit.capture.records import inference

from watchkeep.capture.exchange import Capturing
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.sampling import SAMPLED_OUT, Sampling, number_of_id
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import OptionError

FAMILIES = {
    "counted": [f"i{n}" for n in range(60_000)],
    "uuids of one process": [str(UUID(int=(0xABCD << 64) + n)) for n in range(60_000)],
    "users": [f"user-{n % 300}-{n // 300}@example.org" for n in range(60_000)],
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shift", [56, 28, 0], ids=["first bits", "middle bits", "last bits"])
def test_numbers_of_ids_are_spread_evenly(family: str, shift: int) -> None:
    counts = Counter((number_of_id(name) >> shift) & 255 for name in FAMILIES[family])

    assert len(counts) == 256
    assert chisquare([counts[cell] for cell in range(256)]).pvalue > 1e-4


def test_numbers_of_ids_never_change() -> None:
    assert [number_of_id(name) for name in ("", "i1", "Ü", "\ud800")] == [
        651946807194989310,
        6559681212738745529,
        13882737391062626677,
        18166539269621390534,
    ]


def kept(sampling: Sampling, records: list[Inference]) -> tuple[list[Inference], Tallies]:
    tallies = Tallies()
    return sampling(records, tallies), tallies


@given(st.text(max_size=20), st.floats(0, 100), st.floats(0, 100))
def test_what_is_in_at_a_percentage_is_in_at_a_larger_one(name: str, one: float, other: float) -> None:
    low, high = (Sampling.of({"percentage": share}) for share in sorted((one, other)))
    record = inference(name=name)

    assert (low.weight(record) > 0) <= (high.weight(record) > 0)


@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=9), min_size=2))
def test_the_inference_id_decides_and_where_there_is_none_the_event_id(name: str, events: list[str]) -> None:
    half = Sampling.of({"percentage": 50})

    assert len({half.weight(inference(name=name, event=event)) for event in events}) == 1
    assert half.weight(inference(event=name)) == half.weight(inference(name=name))


def test_a_share_is_kept_weighs_what_it_stands_for_and_the_rest_is_counted() -> None:
    records = [inference(name=f"i{n}") for n in range(10_000)]

    found, tallies = kept(Sampling.of({"percentage": 20}), records)

    (traffic,) = tallies.of.values()
    assert traffic.lost == {SAMPLED_OUT: 10_000 - len(found)}
    assert len(found) == pytest.approx(2000, abs=5 * math.sqrt(1600))
    assert {one.weight for one in found} == {5.0}


def test_variants_have_percentages_of_their_own() -> None:
    sampling = Sampling.of({"percentage": 0, "variants": {"B": 100, "C": 50}})
    records = [inference(name=f"i{n}", variant=variant) for n in range(1000) for variant in "ABC"]

    found, _ = kept(sampling, records)

    counts = Counter((one.variant, one.weight) for one in found)
    assert counts["B", 1.0] == 1000
    assert 400 < counts["C", 2.0] < 600
    assert len(counts) == 2


def test_what_a_rule_keeps_weighs_one_whatever_chance_says() -> None:
    sampling = Sampling.of({"percentage": 30, "keep": ["status >= 400", "score < 0.6"]})
    records = [
        inference({"age": 1}, {"score": 0.5 + n % 2 / 4}, name=f"i{n}", status=500 if n % 10 == 0 else 200)
        for n in range(2000)
    ]

    found, _ = kept(sampling, records)

    for_sure = {f"i{n}" for n in range(2000) if n % 10 == 0 or n % 2 == 0}
    assert {one.inference_id for one in found if one.weight == 1.0} == for_sure
    assert {one.weight for one in found if one.inference_id not in for_sure} == {100 / 30}


def test_weights_multiply() -> None:
    (one,), _ = kept(Sampling.of({"percentage": 99.999}), [inference()._replace(weight=3.0)])

    assert one.weight == pytest.approx(3.0 * 100 / 99.999)


def estimates(weigh: Any) -> list[float]:
    """Totals of a value over the kept, for many ways in which ids may fall."""
    found = []
    for world in range(300):
        total = 0.0
        for n in range(100):
            record = inference(name=f"{world}-{n}", status=500 if n >= 70 else 200)
            total += weigh(record) * (n if n < 70 else 1 / 3)
        found.append(total)
    return found


def test_weighted_sums_are_those_of_all_inferences_on_average() -> None:
    truth = sum(range(70)) + 30 / 3
    sampling = Sampling.of({"percentage": 20, "keep": ["status >= 400"]})
    found = estimates(sampling.weight)
    error = statistics.stdev(found) / math.sqrt(len(found))

    assert statistics.fmean(found) == pytest.approx(truth, abs=4 * error)
    assert error < truth / 50  # an estimate off by a tenth would be seen


def test_the_weight_of_chance_for_what_a_rule_keeps_would_count_it_too_often() -> None:
    chance, rule = Sampling.of({"percentage": 20}), Sampling.of({"percentage": 0, "keep": ["status >= 400"]})
    errors = [inference(name=f"{world}-{n}", status=500) for world in range(100) for n in range(30)]

    right = sum(Sampling.of({"percentage": 20, "keep": ["status >= 400"]}).weight(one) for one in errors)
    wrong = sum(max(chance.weight(one), rule.weight(one)) for one in errors)

    assert right == len(errors)
    assert wrong > 1.5 * len(errors)


def test_a_weighted_mean_is_that_of_all_where_a_rule_prefers_large_values() -> None:
    values = [(n * 7919 % 1000) / 1000 for n in range(40_000)]
    sampling = Sampling.of({"percentage": 10, "keep": ["score > 0.9"]})
    records = [inference(None, {"score": value}, name=f"i{n}") for n, value in enumerate(values)]

    found, _ = kept(sampling, records)

    held = {one.inference_id: one.weight for one in found}
    pairs = [(held[f"i{n}"], value) for n, value in enumerate(values) if f"i{n}" in held]
    weighted = sum(weight * value for weight, value in pairs) / sum(weight for weight, _ in pairs)
    assert weighted == pytest.approx(statistics.fmean(values), abs=0.01)
    assert statistics.fmean([value for _, value in pairs]) > 0.7


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"percentige": 1}, "got 'percentige'.*did you mean 'percentage'"),
        ({"percentage": 101}, "percentage: got '101', expected a number from 0 to 100"),
        ({"percentage": float("nan")}, "percentage: got 'nan'"),
        ({"percentage": True}, "percentage: got 'True'"),
        ({"percentage": "20"}, "percentage: got \"'20'\""),
        ({"variants": {"B": -1}}, "variants.B: got '-1'"),
        ({"variants": ["B"]}, "variants: got"),
        ({"keep": "status >= 400"}, "keep: got .*a list of rules"),
        ({"keep": [1]}, "keep: got '1', expected a text"),
        ({"keep": ["status => 400"]}, "keep rule: got 'status => 400', expected a number"),
        ({"keep": ["country inn (IS)"]}, "at place 9; did you mean IN?"),
        ({"keep": ["latency > 50mss"]}, "a unit of time .us, ms, s, min. at place 11; did you mean ms?"),
        ({"keep": ["latency > 50"]}, "keep rule 'latency > 50': got '50', expected a span of time"),
        ({"keep": ["latencie > 50ms"]}, "got 'latencie', .*did you mean 'latency'"),
        ({"names": "score"}, "names: got"),
        (["percentage"], "a mapping of percentage"),
    ],
)
def test_options_that_cannot_be_used_are_told(options: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        Sampling.of(options)


def test_endpoints_of_one_recorder_are_sampled_each_in_its_own_way(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    ways = {"all": (), "none": (Sampling.of({"percentage": 0}),), "half": (Sampling.of({"percentage": 50}),)}
    takers = [Capturing(recorder=recorder, endpoint=name, steps=steps) for name, steps in ways.items()]
    for n in range(400):
        for one in takers:
            one.take((n, n, 200, None, None, f"i{n}".encode(), None, b"{}", b"{}"))
    recorder.close()

    blocks = [block for path in complete(tmp_path) for block in blocks_of(path)[0]]
    found = Counter((one.endpoint, one.weight) for block in blocks for one in records_of(block))
    traffic = Tallies()
    for block in blocks:
        traffic.merge(Tallies.read(block.tallies))
    lost = {place[0]: one.lost[SAMPLED_OUT] for place, one in traffic.of.items()}
    assert found["all", 1.0] == 400
    assert 150 < found["half", 2.0] < 250
    assert len(found) == 2
    assert lost == {"all": 0, "none": 400, "half": 400 - found["half", 2.0]}
    assert recorder.counts.left_out == sum(lost.values())
