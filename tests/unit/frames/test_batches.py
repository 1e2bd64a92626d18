import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Role, Roles


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_a_batch_filtered_twice_holds_the_rows_that_pass_both_and_counts_the_others(
    flags: list[tuple[bool, bool]],
) -> None:
    rows = len(flags)
    first = np.array([a for a, _ in flags], bool)
    second = np.array([b for a, b in flags if a], bool)
    batch = Batch.of(pa.table({"n": pa.array(range(rows), pa.int64())}))

    kept = batch.filter(first, reason="early").filter(second, reason="late")

    assert kept.column("n").to_pylist() == [i for i, (a, b) in enumerate(flags) if a and b]
    assert kept.rows + sum(kept.rejected.values()) == rows
    assert kept.rejected.get("early", 0) == rows - first.sum()


def test_a_column_in_chunks_is_read_as_one_array() -> None:
    chunked = pa.chunked_array(
        [pa.array(["a"]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()]
    )

    assert Batch.of(pa.table({"s": chunked})).column("s").to_pylist() == ["a", "b", "a"]


def test_a_column_that_is_not_there_is_named_with_its_nearest() -> None:
    with pytest.raises(MissingColumnError, match="did you mean 'age'"):
        Batch.of(pa.table({"age": [1]})).column("agee")


def test_a_column_named_nowhere_is_a_feature_unless_the_features_are_listed() -> None:
    assert Roles(label="y").of("x") is Role.FEATURE
    assert Roles(features=("x",)).of("z") is Role.IGNORED
    assert Roles(facets={"sex": ()}, ignored=("sex",)).of("sex") is Role.IGNORED


def test_one_column_cannot_play_two_roles() -> None:
    with pytest.raises(OptionError, match="it is the label already"):
        Roles(label="y", score="y")


def test_a_role_asks_for_a_column_that_is_there() -> None:
    with pytest.raises(MissingColumnError, match="the role label reads column 'y'"):
        Roles(label="y").require(["x"])
