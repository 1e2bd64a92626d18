import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.plan import MOST_JOINT, MOST_KEYS, joint_plan
from watchkeep.profiles.survey import Survey

INTEGRAL, FRACTIONAL, STRING = ColumnType.INTEGRAL, ColumnType.FRACTIONAL, ColumnType.STRING


def surveyed(
    *batches: list[str | None], dialect: Dialect = Dialect.DEFAULT, roles: Roles | None = None
) -> ColumnType:
    survey = Survey(roles or Roles(), dialect)
    for values in batches:
        survey.add(Batch.of(pa.table({"c": pa.array(values, pa.string())}), textual=frozenset({"c"})))
    return survey.types()["c"]


@pytest.mark.parametrize(
    ("values", "ours", "sagemaker"),
    [
        (["1", "2"], INTEGRAL, INTEGRAL),
        (["1", "2.5"], FRACTIONAL, FRACTIONAL),
        (["1", "x"], STRING, STRING),
        (["1"] * 19 + ["x"], INTEGRAL, STRING),
        (["1"] * 18 + ["x", "y"], STRING, STRING),
        (["1", "NA", "NA"], INTEGRAL, STRING),
        (["NA", "NA"], STRING, STRING),
        (["true", "false"], ColumnType.BOOLEAN, ColumnType.BOOLEAN),
        (["true", "1"], STRING, STRING),
        (["2024-01-19T05:00:00Z"] * 3, ColumnType.TIME, STRING),
        ([None, None], ColumnType.UNKNOWN, ColumnType.UNKNOWN),
        (["", None], STRING, STRING),
        ([None, "3"], INTEGRAL, INTEGRAL),
    ],
)
def test_the_type_of_a_text_column_by_its_values(
    values: list[str | None], ours: ColumnType, sagemaker: ColumnType
) -> None:
    assert surveyed(values) is ours
    assert surveyed(values, dialect=Dialect.SAGEMAKER) is sagemaker


@given(st.lists(st.sampled_from(["1", "2.5", "x", "true", "NA", None, "2024-01-19"]), max_size=40), st.data())
def test_the_type_does_not_depend_on_the_order_or_the_batches(
    values: list[str | None], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(values))
    cut = data.draw(st.integers(0, len(values)))

    assert surveyed(values) is surveyed(mixed[:cut], mixed[cut:])


def test_a_timestamp_is_a_time_whatever_it_looks_like() -> None:
    assert surveyed(["1700000000"], roles=Roles(timestamp="c")) is ColumnType.TIME


def test_numeric_columns_are_compared_together_up_to_a_bound() -> None:
    types = {f"c{i}": (Role.FEATURE, FRACTIONAL if i % 2 else INTEGRAL) for i in range(400)}
    types |= {"label": (Role.LABEL, INTEGRAL), "text": (Role.FEATURE, STRING)}

    plan = joint_plan(types, ranked=["c7", "text", "c2"])
    guessed = joint_plan(types)

    assert plan is not None
    assert guessed is not None
    assert plan.columns == tuple(f"c{i}" for i in range(MOST_JOINT))
    assert plan.texts == ("text",)
    assert plan.keys == ("c7", "c2", "text")
    assert guessed.keys == tuple(f"c{2 * i + 1}" for i in range(MOST_KEYS))
    assert joint_plan({"a": (Role.FEATURE, INTEGRAL), "y": (Role.LABEL, INTEGRAL)}) is None
