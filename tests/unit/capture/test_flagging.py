"""What admission finds stands in the records, and is counted by requests."""

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capture.records import inference

from watchkeep.capture.admission import Admission
from watchkeep.capture.exchange import TOO_LARGE
from watchkeep.capture.flagging import TOLD, Flagging
from watchkeep.capture.record import Inference
from watchkeep.capture.sampling import Sampling
from watchkeep.capture.traffic import Tallies, Traffic

ADMISSION = Admission.of(
    {
        "columns": [
            {"name": "age", "type": "integer", "nullable": False, "max": 120},
            {"name": "mail", "type": "text", "categories": ["none"]},
        ],
        "bytes": 5000,
    }
)


def flagged(*records: Inference, limit: int = 5000) -> tuple[list[Inference], Tallies]:
    tallies = Tallies()
    return Flagging(ADMISSION, limit)(records, tallies), tallies


def counts(tallies: Tallies) -> Counter[tuple[str, str]]:
    return sum((one.flagged for one in tallies.of.values()), Counter[tuple[str, str]]())


def test_what_is_wrong_is_told_without_the_values() -> None:
    good, bad = inference({"age": 41}), inference([{"age": 41}, {"age": 430, "mail": "ann@example.org"}])

    (first, second), tallies = flagged(good, bad)

    assert first is good
    assert json.loads(second.flags) == {
        "admission": [
            {"row": 1, "column": "age", "what": "range", "expected": "a whole number, at most 120"},
            {"row": 1, "column": "mail", "what": "domain", "expected": 'one of "none"'},
        ]
    }
    assert "ann@example.org" not in second.flags
    assert second._replace(flags="") == bad
    assert counts(tallies) == {("age", "range"): 1, ("mail", "domain"): 1}


def test_requests_are_counted_not_rows_and_unknown_columns_are_one() -> None:
    many = inference([{"age": 400 + n, f"new{n}": 1} for n in range(50)])

    (one, _), tallies = flagged(many, many)

    told = json.loads(one.flags)
    assert len(told["admission"]) == TOLD
    assert told["admission_more"] == 100 - TOLD
    assert counts(tallies) == {("age", "range"): 2, ("", "unknown"): 2}


def test_other_flags_stay() -> None:
    flags = json.dumps({"output": TOO_LARGE})

    (one,), _ = flagged(inference({"age": 430}, None, flags=flags))

    assert json.loads(one.flags).keys() == {"output", "admission"}


def test_a_body_that_was_not_captured_is_too_large_where_that_is_sure() -> None:
    gone = inference(None, None, flags=json.dumps({"input": TOO_LARGE}))

    (sure,), tallies = flagged(gone, limit=5000)
    (unsure,), _ = flagged(gone, limit=4999)
    (unknown,), _ = flagged(inference(None, None), limit=5000)

    assert json.loads(sure.flags)["admission"][0]["what"] == "size"
    assert counts(tallies) == {("", "size"): 1}
    assert (unsure.flags, unknown.flags) == (gone.flags, "")


def test_what_was_flagged_can_be_kept_in_any_case() -> None:
    records, tallies = flagged(inference({"age": 41}), inference({"age": 430}))

    kept = Sampling.of({"percentage": 0, "keep": ["problems > 0"]})(records, tallies)

    assert kept == records[1:]


COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(["", "age", "a.b"]), st.sampled_from(["range", "type"])), st.integers(1, 9)
)


@given(COUNTS, COUNTS)
def test_counts_merge_and_are_read_as_they_were_written(
    one: dict[tuple[str, str], int], other: dict[tuple[str, str], int]
) -> None:
    both = Traffic(flagged=Counter(one))
    both.merge(Traffic(flagged=Counter(other)))

    assert both.flagged == Counter(one) + Counter(other)
    assert Traffic.read(json.loads(json.dumps(both.document()))) == both
