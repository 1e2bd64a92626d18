from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.core.rule_text import parse_rule
from watchkeep.core.rules import written_name, written_value
from watchkeep.frames.batches import Batch
from watchkeep.frames.segments import Segment, masks, parse_segment

ROWS = pa.table(
    {
        "n": pa.array([None, -3, 0, 1, 2, 2, 7, 9_007_199_254_740_993], pa.int64()),
        "x": pa.array([0.5, None, -1.5, 2.0, 1e300, 0.0, 2.5, 7.0]),
        "s": pa.array(["a", "b", None, "", "a%b", "it's", "Ü", "ab"]),
        "d": pa.array(["a", None, "b", "b", "a", None, "ab", ""]).dictionary_encode(),
        "flag": pa.array([True, False, None, True, False, None, True, False]),
        "day": pa.array([date(2024, 1, n) if n else None for n in (1, 2, 0, 3, 4, 0, 5, 31)]),
        "pay.load": pa.array([1, 2, 3, 4, None, 6, 7, 8], pa.uint8()),
    }
)


def where(rule: str) -> list[bool]:
    """DuckDB's answer: which rows of ROWS the rule keeps."""
    rows = ROWS
    assert rows.num_rows
    query = f'select coalesce({rule}, false) from (select *, "pay.load" as p from rows)'
    return [bool(kept) for (kept,) in duckdb.connect().execute(query).fetchall()]


def held(rule: str, table: pa.Table = ROWS, *, textual: frozenset[str] = frozenset()) -> list[bool]:
    return list(Segment("s", rule).mask(Batch.of(table, textual=textual)).tolist())


signs = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
numbers = st.sampled_from(["0", "2", "-3", "7", "2.5", "-1.5", "1e300"])
texts = st.sampled_from(["'a'", "'b'", "''", "'it''s'", "'Ü'", "'ab'", "'zz'"])
days = st.sampled_from(["'2024-01-03'", "'2024-01-31'", "'2023-12-31'"])
patterns = st.sampled_from(["'a%'", "'%b'", "'_'", "'%'", "''", "'a\\%b'"])
kinds = [(["n", "x"], numbers), (["s", "d"], texts), (["day"], days)]


@st.composite
def simple(draw: st.DrawFn) -> str:
    names, values = draw(st.sampled_from(kinds))
    name = draw(st.sampled_from(names))
    what = draw(st.sampled_from(["sign", "in", "between", "null", "like", "truth"]))
    negated = draw(st.sampled_from(["", "NOT "]))
    if what == "sign":
        return f"{name} {draw(signs)} {draw(values)}"
    if what == "in":
        return f"{name} {negated}in ({', '.join(draw(st.lists(values, min_size=1, max_size=3)))})"
    if what == "between":
        return f"{name} {negated}BETWEEN {draw(values)} and {draw(values)}"
    if what == "like":
        return f"{draw(st.sampled_from(['s', 'd']))} {negated}LIKE {draw(patterns)}"
    if what == "truth":
        return f"flag {draw(signs)} {draw(st.sampled_from(['TRUE', 'false']))}"
    return f"{name} IS {negated}NULL"


rules = st.recursive(
    simple(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " or "]), inner).map("".join),
        inner.map(lambda rule: f"({rule})"),
        inner.map(lambda rule: f"NOT ({rule})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(rules)
def test_a_segment_holds_the_rows_that_a_database_keeps(rule: str) -> None:
    escaped = rule.replace("'a\\%b'", "'a\\%b' ESCAPE '\\'")  # the one word DuckDB needs in addition

    assert held(rule) == where(escaped)


@given(rules, st.integers(0, 8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_a_row_is_in_a_segment_whatever_rows_stand_beside_it(rule: str, cut: int, keep: list[bool]) -> None:
    whole = np.array(held(rule))
    pieces = [*held(rule, ROWS.slice(0, cut)), *held(rule, ROWS.slice(cut))]
    filtered = Segment("s", rule).mask(Batch.of(ROWS).filter(np.array(keep)))

    assert pieces == whole.tolist()
    assert filtered.tolist() == whole[np.array(keep)].tolist()


@given(
    st.text(min_size=1),
    st.one_of(st.text(), st.booleans(), st.integers(-(10**17), 10**17), st.floats(-1e300, 1e300)),
)
def test_what_is_written_is_read_back(name: str, value: bool | float | str) -> None:
    tree = parse_rule(f"{written_name(name)} = {written_value(value)}")

    assert getattr(tree, "column", None) == name
    assert getattr(tree, "value", None) == value


@given(st.text(alphabet="an ()='\",.<>!|0123456789-+eE;:\\%" + "IN OR NOT LIKE", max_size=40))
def test_any_text_is_a_rule_or_refused_in_one_sentence(text: str) -> None:
    sentence = "at place 1"
    try:
        parse_rule(text)
    except OptionError as error:
        sentence = str(error)

    assert "at place" in sentence
    assert "\n" not in sentence


def test_the_name_before_a_colon_outside_quotes_is_the_segments() -> None:
    assert parse_segment("young europeans: region = 'EU' and age < 30").name == "young europeans"
    assert parse_segment("at > '2024-01-01T10:00'").name == "at > '2024-01-01T10:00'"
    assert parse_segment('"10:00 on": "a:b" = 1').name == "10:00 on"
    assert parse_segment('"a:b" = 1').columns == ("a:b",)


def test_the_columns_of_a_rule_are_named_once_from_left_to_right() -> None:
    segment = Segment("s", 'b = 1 or (payload.age < 3 and not "a b" is null) or b in (2, 3)')

    assert segment.columns == ("b", "payload.age", "a b")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "the name of a column, NOT or ( at place 1"),
        ("age", "after a column's name at place 4"),
        ("age < 30 region = 'EU'", "AND, OR or the end at place 10"),
        ("(age < 30", "expected ) at place 10"),
        ('region = "EU"', "(texts stand in single quotes) at place 10"),
        ("age = NULL", "write IS NULL"),
        ("age < 30years", "for what begins at place 7"),
        ("region = 'EU", "a closing ' for what begins at place 10"),
        ("age in ()", "TRUE or FALSE at place 9"),
        ("name like 3", "a 'text' after LIKE"),
        ("age < 30; drop table rows", "for what begins at place 9"),
        ("year(at) = 3", "at place 5"),
        ("not " * 60 + "a = 1", "at most 50 conditions inside each other"),
        ("in = 3", "the name of a column, NOT or ( at place 1"),
    ],
)
def test_an_error_says_what_is_expected_where(rule: str, said: str) -> None:
    with pytest.raises(OptionError) as error:
        Segment("s", rule)

    assert said in str(error.value)


def test_a_column_that_is_not_there_is_named_with_its_place_and_its_nearest() -> None:
    sentence = "the segment 'young', at place 10 of its rule, reads column 'agee', .* did you mean 'age'"
    with pytest.raises(MissingColumnError, match=sentence):
        parse_segment("young: n = 1 or agee < 3").mask(Batch.of(pa.table({"age": [1], "n": [1]})))


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [("n = 'seven'", "a number for column 'n' at place 1"), ("day > 'soon'", "an ISO time"), ("day = 3", "an ISO time"),
     ("flag = 'maybe'", "TRUE or FALSE"), ("list = 3", "IS NULL"), ("list = 'a'", "IS NULL"), ("day = true", "ISO")],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(rule: str, wanted: str) -> None:
    table = ROWS.append_column("list", pa.array([[1.0]] * 8))

    with pytest.raises(OptionError, match=wanted):
        held(rule, table)


def test_text_is_a_number_where_it_spells_one_and_no_value_elsewhere() -> None:
    table = pa.table({"age": ["7", "07.0", "1e1", "red", None, "NA", " 7 "]})
    coded = pa.table({"age": table["age"].combine_chunks().dictionary_encode()})

    for rows in (table, coded):
        assert held("age = 7", rows, textual=frozenset(["age"])) == [
            True,
            True,
            False,
            False,
            False,
            False,
            True,
        ]
        assert held("age <> 7", rows) == [False, False, True, False, False, False, False]
        assert held("age = '7'", rows) == [True, False, False, False, False, False, False]
        assert held("age in (7, 'red')", rows) == [True, True, False, True, False, False, True]
        assert held("age is null", rows) == [False, False, False, False, True, False, False]


def test_times_are_compared_as_times_however_they_are_stored() -> None:
    texts = ["2024-01-01T23:00Z", "2024-01-02 00:30+01:00", "2024-01-02", "later", None]
    instants = [datetime(2024, 1, 1, 23, tzinfo=UTC), datetime(2024, 1, 1, 23, 30, tzinfo=UTC),
                datetime(2024, 1, 2, tzinfo=UTC), None, None]  # fmt: skip
    stored = pa.table({"at": pa.array(instants, pa.timestamp("ns", "UTC"))})

    assert held("at < '2024-01-02'", pa.table({"at": texts})) == [True, True, False, False, False]
    assert held("at < '2024-01-02'", stored) == [True, True, False, False, False]
    assert held("at = '2024-01-02T01:00+01:00'", stored) == [False, False, True, False, False]
    assert held("not at between '2024-01-01T23:10' and '2024-01-03'", stored) == [True, *[False] * 4]


def test_nan_is_no_value_and_truth_is_read_off_texts_and_numbers() -> None:
    table = pa.table(
        {
            "x": [float("nan"), 1.0, 0.0, None],
            "t": ["True", "false", "yes", None],
            "v": pa.array(["a", "b", None, "a"], pa.string_view()),
            "m": pa.array([Decimal("1.50"), Decimal("2.50"), None, Decimal("0.00")]),
            "b": pa.array([b"a", b"\xff", None, b""]),
            "none": pa.nulls(4),
        }
    )

    assert held("x is null", table) == [True, False, False, True]
    assert held("not x > 0.5", table) == [False, False, True, False]
    assert held("x = true", table) == [False, True, False, False]
    assert held("t = TRUE", table) == [True, False, False, False]
    assert held("not t = true", table) == [False, True, False, False]
    assert held("v = 'a' or v in ('b', 'c')", table) == [True, True, False, True]
    assert held("m >= 1.5", table) == [True, True, False, False]
    assert held("b = 'a'", table) == [True, False, False, False]
    assert held("none is null and not none = 3", table) == [False] * 4
    assert held("none is null", table) == [True] * 4


def test_a_column_that_several_segments_read_is_decoded_once() -> None:
    decoded: list[str] = []

    def load(name: str) -> pa.Array:
        decoded.append(name)
        return pa.array([1, 2, 3])

    batch = Batch(3, ("a", "b", "c"), load)
    found = masks([Segment("one", "a = 1 or b = 2"), Segment("two", "a = 3 and a < 9")], batch)

    assert [mask.tolist() for mask in found] == [[True, True, False], [False, False, True]]
    assert sorted(decoded) == ["a", "b"]


def test_a_batch_of_rejected_rows_alone_has_no_row_in_any_segment() -> None:
    batch = Batch(0, (), lambda name: pa.nulls(0), rejected={"unreadable": 3})

    assert Segment("s", "a = 1").mask(batch).tolist() == []


def test_whole_numbers_beyond_what_doubles_hold_are_told_apart() -> None:
    rows = Batch.of(pa.table({"n": pa.array([2**53, 2**53 + 1, 7], pa.int64())}))

    masks = [Segment("s", f"n = {2**53 + more}").mask(rows).tolist() for more in (0, 1)]

    assert masks == [[True, False, False], [False, True, False]]
