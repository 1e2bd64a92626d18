"""Bodies that somebody made to cost much, to slip through, or that merely look odd."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capture.records import inference

from watchkeep.capture import admission as admissions
from watchkeep.capture.admission import MOST, Admission
from watchkeep.capture.admission_columns import AdmissionColumn
from watchkeep.capture.body_rows import BodyRows
from watchkeep.capture.conditions import _pattern
from watchkeep.capture.contents import rows_of
from watchkeep.capture.flagging import Flagging
from watchkeep.capture.flags import admission_of
from watchkeep.capture.keep_rules import KeepRule
from watchkeep.capture.payloads import rows_of_json
from watchkeep.capture.privacy import Privacy
from watchkeep.capture.redacting import redaction
from watchkeep.capture.traffic import Tallies

AGE = Admission.of({"columns": [{"name": "age", "type": "integer"}], "rows": 2})


def test_lists_nested_deep_beside_many_values_cost_no_more_than_these() -> None:
    """Looked through once for each level they would take hours."""
    deep: Any = 7
    for _ in range(100_000):
        deep = [deep]

    rows = rows_of_json(
        {"inputs": [{"name": "a", "shape": [100_001], "data": [0] * 100_000 + [deep]}]}, source="x"
    )

    assert rows == [{"a": 0}] * 100_000 + [{"a": 7}]


def test_texts_in_json_lines_may_hold_what_ends_a_line_elsewhere() -> None:
    texts = ["a\u2028b", "\x85", "\u2029"]
    lines = "\r\n".join(json.dumps({"note": text}, ensure_ascii=False) for text in texts)

    assert rows_of(lines.encode(), "application/jsonlines") == [{"note": text} for text in texts]
    assert rows_of(b'{"a": 1}\r{"a": 2}\n\n', "") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(("body", "problems"), [(b"age\n1\n2\n", 0), (b"age\n1\n2\n3\n", 1), (b"age\n", 1)])
def test_a_line_of_names_is_no_row(body: bytes, problems: int) -> None:
    assert len(AGE.check(body, "text/csv")) == problems


def test_objects_nested_too_deep_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = 7
    for _ in range(5_000):
        deep = {"a": deep}
    monkeypatch.setattr(admissions, "_rows", lambda *_: [{"b": deep}])

    assert AGE.check(b"", "")[0].what == "body"


def test_what_is_not_told_is_not_put_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    spelled: list[AdmissionColumn] = []

    def expected(column: AdmissionColumn) -> str:
        spelled.append(column)
        return "one of some"

    monkeypatch.setattr(AdmissionColumn, "expected", property(expected))
    city = Admission.of({"columns": [{"name": "city", "type": "text", "categories": ["Oslo", "Rome"]}]})

    problems = city.check(json.dumps([{"city": "Paris"}] * 5000).encode(), "application/json")

    assert len(problems) == len(spelled) == MOST


WILD = st.text("ab%_\\", max_size=7)


@given(WILD, st.text("ab%\\", max_size=7))
def test_patterns_find_what_sql_finds(pattern: str, text: str) -> None:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    plain = "".join({"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts)

    assert bool(_pattern(pattern)(text)) is bool(re.fullmatch(plain, text, re.DOTALL))


def test_no_text_takes_long_to_be_found_unlike_a_pattern() -> None:
    """Where each wildcard is tried at each place, this takes longer than anybody lives."""
    assert not _pattern("%ab%ab%ab%ab%ab%ab%b")("a" + "ab" * 3 + "a" * 1000 + "ab" * 5000 + "c")


def flags_of(body: Any, privacy: dict[str, Any]) -> list[str]:
    one = inference(body)
    flagged = Flagging(AGE, 1 << 20)([one], Tallies())
    (kept,) = redaction(privacy)(flagged, Tallies())
    return [problem["column"] for problem in admission_of(kept.flags)]


def test_names_that_whoever_asked_made_up_are_told_without_what_must_not_be_stored() -> None:
    detect = {"detect": ["email"]}
    assert flags_of({"age": 4, "ann@example.org": 1}, detect) == ["<email>"]
    assert flags_of({"age": 4, "x" * 50 + " ann@example.org": 1}, detect) == [""]
    assert flags_of({"age": 4, "aeg": 1}, detect) == ["aeg"]
    dropped = {"columns": {"contacts": "drop"}}
    assert flags_of({"age": 4, "contacts": {"Ann Smith": 1}}, dropped) == ["contacts"]


RULES = Privacy.of({"columns": {"ssn": "drop", "größe": "drop"}})


def test_rules_hold_for_plain_text_which_is_read_as_csv() -> None:
    body = b"41,123-45-6789\n"
    assert rows_of(body, "text/plain") == [["41", "123-45-6789"]]

    assert RULES.redact(body, "text/plain", names=("age", "ssn")).body == b"41,\n"
    assert RULES.redact(b"age,ssn\n" + body, "text/plain").body == b"age,ssn\n41,\n"
    withheld = RULES.redact(body, "text/plain")
    assert (withheld.body, withheld.why) == (b"", "its columns have no names")
    assert RULES.redact(b"0.5", "text/plain", names=()).body == b"0.5"


def test_rules_hold_for_bodies_that_are_utf_8_and_say_otherwise() -> None:
    body = '{"größe": 181}'
    assert rows_of(body.encode(), "application/json; charset=latin-1") == [{"größe": 181}]

    assert RULES.redact(body.encode(), "application/json; charset=latin-1").body == b"{}"
    assert RULES.redact(body.encode("latin-1"), "application/json; charset=latin-1").body == b"{}"


def test_a_rule_on_problems_counts_those_that_are_not_told() -> None:
    age = Admission.of({"columns": [{"name": "age", "type": "integer"}]})
    (flagged,) = Flagging(age, 1 << 20)([inference([{"age": "x"}] * 20)], Tallies())

    assert KeepRule.of("problems > 19").fits(flagged, BodyRows(flagged, ()))
    assert not KeepRule.of("problems > 20").fits(flagged, BodyRows(flagged, ()))
