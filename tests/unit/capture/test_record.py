"""Records become blocks and come back, whatever they hold; what is torn is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.record import HEAD, MAGIC, Inference, decode, encode, records_of
from watchkeep.core.errors import StoreError

INT = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(), max_size=8)
BODY = st.none() | st.binary(max_size=30)
RECORDS = st.lists(
    st.builds(
        Inference,
        endpoint=st.sampled_from(["churn", "fraud"]) | TEXT,
        variant=TEXT,
        event_id=TEXT,
        inference_id=TEXT,
        time=INT,
        latency=INT,
        overhead=INT,
        status=st.integers(0, 999),
        weight=st.floats(allow_nan=False),
        flags=TEXT,
        attributes=TEXT,
        input_type=TEXT,
        output_type=TEXT,
        input=BODY,
        output=BODY,
    ),
    max_size=12,
)
TALLIES = st.lists(st.dictionaries(TEXT.filter(lambda text: text.isprintable()), st.integers()), max_size=2)


@given(RECORDS, TALLIES, st.binary(max_size=9))
def test_a_block_holds_what_was_put_into_it(
    records: list[Inference], tallies: list[dict[str, int]], after: bytes
) -> None:
    block, rest = decode(memoryview(b"".join(encode(records, tallies)) + after))

    assert block is not None
    assert records_of(block) == records
    assert list(block.tallies) == tallies
    assert bytes(rest) == after


@given(RECORDS.filter(bool), st.data())
def test_a_block_that_is_torn_or_spoiled_is_none(records: list[Inference], data: st.DataObject) -> None:
    whole = bytearray(b"".join(encode(records)))
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert decode(memoryview(bytes(whole[:cut])))[0] is None

    at = data.draw(st.integers(len(MAGIC), len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    assert decode(memoryview(bytes(whole)))[0] is None


def test_a_block_of_a_newer_version_is_refused() -> None:
    with pytest.raises(StoreError, match="version 2"):
        decode(memoryview(HEAD.pack(b"WKB2", 0, 0)))
