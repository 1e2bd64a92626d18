"""Lines of captures are written as they were, whatever their spelling."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.formats.capture_lines import (
    INPUT,
    OUTPUT,
    Said,
    Side,
    UnreadableLineError,
    encoding_in,
    micros_of,
    plain_spelling,
    read,
    tells_bodies,
    write,
)

REAL = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"0.1,18,2.3\\n",'
    '"encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
    '"data":"30.4","encoding":"CSV"}},"eventMetadata":{"eventId":"8f45e35c-fa44-40d2-8ed3-1bcab3a59600",'
    '"customAttributes":["shop=7"],"inferenceTime":"2024-01-19T18:20:48Z"},"eventVersion":"0"}\n'
)

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["1,2\n", '{"a": "ü"}', "<&='>", "\x1f", "\x1e", "\u2028", "a/b", '"', "\\"]
)
SPACE = st.sampled_from(["", "", " ", "\t", "\r\n", "  "])


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """JSON of a value with any spaces, escapes and order of keys."""

    def text(word: str) -> str:
        plain = json.dumps(word, ensure_ascii=draw(st.booleans()))
        return plain.replace("/", "\\/").replace("C", "\\u0043") if draw(st.booleans()) else plain

    def told(inner: Any) -> str:
        space = draw(SPACE)
        if isinstance(inner, dict):
            keys = draw(st.permutations(list(inner)))
            return (
                "{"
                + space
                + ",".join(f"{space}{text(key)}{space}:{space}{told(inner[key])}" for key in keys)
                + "}"
            )
        if isinstance(inner, list):
            return "[" + space + f"{space},{space}".join(map(told, inner)) + space + "]"
        return text(inner) if isinstance(inner, str) else json.dumps(inner)

    return draw(SPACE) + told(value) + draw(SPACE)


@st.composite
def side(draw: st.DrawFn, mode: str) -> dict[str, Any]:
    encoding = draw(st.sampled_from(["CSV", "JSON", "BASE64"]))
    data = draw(st.binary(max_size=9).map(lambda b: b64encode(b).decode()) if encoding == "BASE64" else TEXT)
    own = {"data": data, "encoding": encoding, "mode": mode}
    if draw(st.booleans()):
        own["observedContentType"] = draw(st.sampled_from(["text/csv; charset=utf-8", "", "x"]))
    if draw(st.booleans()):
        own["more"] = draw(TEXT)
    return own


@st.composite
def record(draw: st.DrawFn) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, mode in ((INPUT, "INPUT"), (OUTPUT, "OUTPUT")):
        if draw(st.booleans()):
            data[name] = draw(side(mode) | st.none())
    event: dict[str, Any] = {}
    for name in ("eventId", "inferenceId"):
        if draw(st.booleans()):
            event[name] = draw(TEXT | st.none() | st.just(7))
    if draw(st.booleans()):
        event["customAttributes"] = draw(TEXT | st.lists(TEXT, max_size=2) | st.just({"a": [1]}) | st.none())
    if draw(st.booleans()):
        times = [
            "2024-01-19T18:20:48Z",
            "2024-01-19T18:20:48.120Z",
            "2024-01-19T18:20:48.120+02:00",
            "soon",
            5,
        ]
        event["inferenceTime"] = draw(st.sampled_from(times))
    whole: dict[str, Any] = {"captureData": data, "eventVersion": "0"}
    if draw(st.booleans()):
        whole["eventMetadata"] = event
    if draw(st.booleans()):
        whole["groundTruthData"] = {"data": "1", "encoding": "CSV"}
    return whole


@given(record().flatmap(lambda one: st.tuples(st.just(one), spelled(one), spelled(one))))
def test_what_is_read_is_written_as_it_was(told: tuple[dict[str, Any], str, str]) -> None:
    value, line, other = told
    found = read(line)
    said = found.said._replace(event_id=found.said.event_id or "made-up")

    assert write(said, found.spelling) == line
    again = read(other, like=found.spelling)
    assert write(again.said._replace(event_id=again.said.event_id or "made-up"), again.spelling) == other
    assert again.said == found.said
    for name, own in ((INPUT, found.said.input), (OUTPUT, found.said.output)):
        assert encoding_in(found.spelling, name) == (None if own is None else own.encoding)
        if own is not None and own.encoding != "BASE64":
            assert own.body.decode() == value["captureData"][name]["data"]


def test_lines_of_one_writer_have_one_spelling() -> None:
    found = read(REAL)
    other = read(
        REAL.replace("30.4", "8").replace("0.1,18", 'ü,"x"'.replace('"', '\\"')), like=found.spelling
    )

    assert other.spelling == found.spelling
    assert found.spelling == plain_spelling(found.said)
    assert "30.4" not in found.spelling
    assert "shop" not in found.spelling
    assert not tells_bodies(found.spelling)
    assert found.said.time == micros_of("2024-01-19T18:20:48Z")
    assert (found.said.attributes, found.said.output) == (
        "shop=7",
        Side(b"30.4", "CSV", "text/csv; charset=utf-8"),
    )


def test_a_body_that_is_escaped_in_a_way_of_its_own_stays_in_the_spelling() -> None:
    line = REAL.replace("0.1,18", "0\\u002e1,18")
    found = read(line)

    assert tells_bodies(found.spelling)
    assert write(found.said, found.spelling) == line
    assert encoding_in(found.spelling, INPUT) == "CSV"


def test_our_own_records_are_written_as_sagemaker_writes_them() -> None:
    said = Said("e", "", "", 1_705_688_448_999_999, Side(b"\x00\xff", "BASE64", ""), None)

    assert write(said, plain_spelling(said)) == (
        '{"captureData":{"endpointInput":{"mode":"INPUT","data":"AP8=","encoding":"BASE64"}},'
        '"eventMetadata":{"eventId":"e","inferenceTime":"2024-01-19T18:20:48Z"},"eventVersion":"0"}\n'
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not a capture record"),
        ('{"captureData": 3}', "not a capture record"),
        ("[" * 100_000, "nested too deeply"),
        ('{"captureData": {"endpointInput": {"data": 3}}}', "payload cannot be parsed"),
        (
            '{"captureData": {"endpointInput": {"data": "x", "encoding": "BASE64"}}}',
            "payload cannot be parsed",
        ),
        (
            '{"captureData": {"endpointInput": {"data": "x", "encoding": "XML"}}}',
            "encoding is none of CSV, JSON and BASE64",
        ),
    ],
)
def test_what_is_no_record_says_why(line: str, reason: str) -> None:
    with pytest.raises(UnreadableLineError, match=reason):
        read(line)
