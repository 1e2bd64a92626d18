"""Records that are made column by column are those that are made one by one."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.capture.exchange import Capturing, Exchange
from watchkeep.capture.record import Columns, decode, encode, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.traffic import Tallies

HEADER = st.none() | st.sampled_from([b"", b"text/csv", b"\xe9\xff", b"x" * 2000])
MOMENT = st.integers(0, 2**62)
EXCHANGES = st.lists(
    st.tuples(
        MOMENT,
        MOMENT,
        st.sampled_from([0, 200, 404, 500]),
        HEADER,
        HEADER,
        HEADER,
        HEADER,
        st.binary(max_size=12),
        st.binary(max_size=12),
    ),
    min_size=1,
    max_size=6,
)


@given(EXCHANGES)
@settings(max_examples=60)
def test_columns_are_the_records_one_by_one(exchanges: list[Exchange]) -> None:
    capturing = Capturing(recorder=Recorder(Settings(folder=Path("unused"))), endpoint="churn", limit=8)
    ids = [f"e{at}" for at in range(len(exchanges))]
    records = [capturing(one, own) for one, own in zip(exchanges, ids, strict=True)]

    columns = capturing.columns(exchanges, ids)

    block, rest = decode(memoryview(b"".join(encode(columns))))
    assert block is not None
    assert (records_of(block), len(rest)) == (records, 0)
    assert [tuple(one) for one in zip(*Columns.of(records).values, strict=True)] == records
    one_by_one, together = Tallies(), Tallies()
    for record in records:
        one_by_one.count([record])
    together.count(columns)
    assert together.documents() == one_by_one.documents()
