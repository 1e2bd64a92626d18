"""Rules hold for the rows they speak of, whatever the form in which they came."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capture.records import inference

from watchkeep.capture.body_rows import BodyRows
from watchkeep.capture.keep_rules import KeepRule
from watchkeep.capture.record import Inference
from watchkeep.core.errors import OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.segments import Segment


def fits(rule: str, one: Inference, names: tuple[str, ...] = ()) -> bool:
    return KeepRule.of(rule).fits(one, BodyRows(one, names))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("status >= 400", True),
        ("status = 200", False),
        ("latency > 50ms", True),
        ("latency > 60ms", False),
        ("latency between 59000us and 0.001min", True),
        ("overhead < 1s", False),  # nobody knows it
        ("variant = A", True),
        ("variant in (B, 'C')", False),
        ("problems > 0", True),
        ("status >= 500 and problems > 0", True),
        ("status >= 500 and not problems > 1", False),
    ],
)
def test_conditions_on_the_record(rule: str, expected: bool) -> None:
    flags = '{"admission":[{"column":"age","what":"range"},{"column":"fare","what":"type"}]}'
    one = inference(b"broken", None, status=500, latency=60_000, flags=flags)

    assert fits(rule, one) is expected


FORMS: list[tuple[Any, Any]] = [
    ({"country": "IS", "user": {"age": 41}}, {"score": 0.4}),
    ([{"country": "NO"}, {"country": "IS", "user": {"age": 41}}], [{"score": 0.9}, {"score": 0.4}]),
    ({"instances": [{"country": "NO"}, {"country": "IS", "user.age": 41}]}, {"predictions": [0.9, 0.4]}),
    (
        {"dataframe_split": {"columns": ["country", "user.age"], "data": [["NO", 1], ["IS", 41]]}},
        {"predictions": [0.9, 0.4]},
    ),
    (
        {
            "inputs": [
                {"name": "country", "shape": [2], "datatype": "BYTES", "data": ["NO", "IS"]},
                {"name": "user.age", "shape": [2], "datatype": "INT64", "data": [1, 41]},
            ]
        },
        {"outputs": [{"name": "score", "shape": [2], "datatype": "FP64", "data": [0.9, 0.4]}]},
    ),
]


@pytest.mark.parametrize("form", FORMS, ids=["object", "array", "instances", "split", "tensors"])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("country in (IS, LI)", True),
        ("country = 'NZ'", False),
        ("score < 0.5", True),
        ("score < 0.1", False),
        ("score < 0.5 and country = IS", True),
        ("score > 0.5 and country = IS", False),
        ("user.age = 41 and status = 200", True),
        ("status >= 400 or score < 0.5", True),
        ("status >= 400 and score < 0.5", False),
        ("nowhere = 1", False),
        ("not nowhere = 1", False),
        ("nowhere is null", True),
    ],
)
def test_a_request_is_kept_when_any_of_its_rows_fits(
    form: tuple[Any, Any], rule: str, expected: bool
) -> None:
    assert fits(rule, inference(*form), ("score",)) is expected


@pytest.mark.parametrize(
    ("rule", "names", "expected"),
    [
        ("_c0 < 0.5", (), True),
        ("_c1 = IS", (), True),
        ("_c2 > 40", (), True),
        ("_c3 is not null", (), False),
        ("score < 0.5 and country = IS and age > 40", ("score", "country", "age"), True),
        ("score < 0.5 and _c1 = IS", ("score",), True),
        ("_c0 < 0.5", ("score",), False),
        ("country = NO and age = 41", ("score", "country", "age"), False),
    ],
)
def test_values_without_names_are_called_by_their_place_the_answers_first(
    rule: str, names: tuple[str, ...], expected: bool
) -> None:
    csv = inference(b"NO,7\nIS,41\n", b"0.9\n0.4\n", kind="text/csv")
    lists = inference({"instances": [["NO", 7], ["IS", 41]]}, {"predictions": [0.9, 0.4]})

    assert fits(rule, csv, names) is fits(rule, lists, names) is expected


def test_where_both_sides_have_a_name_the_answers_counts() -> None:
    one = inference({"id": 1, "age": 3}, {"id": 2})

    assert fits("id = 2 and id_input = 1 and age = 3", one)
    assert not fits("id = 1", one)


def test_rows_that_do_not_belong_together_are_looked_at_one_by_one() -> None:
    one = inference([{"country": "IS"}, {"country": "NO"}], {"score": 0.1})

    assert fits("country = IS", one)
    assert fits("score < 0.5", one)
    assert not fits("score < 0.5 and country = IS", one)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"a": 1, "a.b": {}}', b"[" * 100_000, b'"x"', b"null", b"NaN", b"9" * 5000, None],
)
def test_bodies_that_hold_nothing_for_us_fit_nothing_and_break_nothing(body: bytes | None) -> None:
    for kind in ("application/json", "text/csv", "application/x-npy", ""):
        one = inference(body, body, kind=kind)
        assert not fits("score < 0.5 and country = IS", one)
        assert fits("status = 200 or score < 0.5", one)


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(["application/json", "text/csv", "x"]))
def test_no_body_breaks_a_rule(given_: bytes, said: bytes, kind: str) -> None:
    one = inference(given_, said, kind=kind)

    assert fits("score < 0.5 or _c0 like 'a%' or x.y is null or at > '2024-01-01'", one) in (True, False)


NUMBERS = st.one_of(st.none(), st.integers(-5, 5), st.sampled_from([0.5, -1.5, 2.0, float("inf")]))
TEXTS = st.one_of(
    st.none(), st.sampled_from(["", "a", "ab", "b", "it's", "Ü", "7", " 2.5 ", "2024-01-03", "true", "False"])
)
TRUTHS = st.one_of(st.none(), st.booleans())
SIGNS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


@st.composite
def conditions(draw: st.DrawFn) -> str:
    column = draw(st.sampled_from(["n", "s", "t"]))
    negated = draw(st.sampled_from(["", "NOT "]))
    values = {
        "n": st.sampled_from(["0", "2", "-1.5", "'2'"]),
        "s": st.sampled_from(["'a'", "'b'", "''", "7", "2.5", "true", "'2024-01-02'"]),
        "t": st.sampled_from(["true", "FALSE", "'true'"]),
    }[column]
    form = draw(st.sampled_from(["sign", "in", "null", "like"]))
    if form == "sign":
        return f"{column} {draw(SIGNS)} {draw(values)}"
    if form == "in":
        return f"{column} {negated}IN ({', '.join(draw(st.lists(values, min_size=1, max_size=3)))})"
    if form == "like":
        return f"s {negated}LIKE {draw(st.sampled_from(['a%', '%b', '_', '%', '']))!r}"
    return f"{column} IS {negated}NULL"


RULES = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " or "]), inner).map("".join),
        inner.map(lambda rule: f"NOT ({rule})"),
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(RULES, st.lists(st.tuples(NUMBERS, TEXTS, TRUTHS), min_size=1, max_size=5))
def test_rules_hold_as_those_of_segments_do(rule: str, rows: list[tuple[Any, Any, Any]]) -> None:
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    numbers = [None if value is None else float(value) for value in columns[0]]
    table = pa.table(
        {
            "n": pa.array(numbers, pa.float64()),
            "s": pa.array(columns[1], pa.string()),
            "t": pa.array(columns[2], pa.bool_()),
        }
    )

    expected = Segment("s", rule).mask(Batch.of(table)).tolist()

    found = [fits(rule, inference({"n": n, "s": s, "t": t}, {})) for n, s, t in rows]
    assert found == expected


def test_a_rule_that_cannot_be_read_is_told() -> None:
    with pytest.raises(OptionError, match=r"keep rule: got 'age <', expected a number, .* at place 6"):
        KeepRule.of("age <")
