"""Nothing that must not be stored comes out again, whatever is around it; all else comes out as it went in."""

import csv
import io
import json
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.changes import Number, canonical, rounded, truncated
from watchkeep.capture.detectors import Finder
from watchkeep.capture.privacy import Privacy
from watchkeep.capture.tokens import HASH_BITS, Tokeniser, hasher
from watchkeep.core.errors import MissingExtraError, OptionError

KEY = b"0123456789abcdef"
JSON = "application/json"
ALL = Privacy.of({"detect": "all"})


def ruled(columns: dict[str, object], **options: Any) -> Privacy:
    return Privacy.of({"columns": columns, **options}, key=KEY)


def after(privacy: Privacy, body: object, names: Sequence[str] | None = None) -> Any:
    """A JSON body after the rules."""
    return json.loads(privacy.redact(json.dumps(body).encode(), JSON, names=names).body)


HASHED = hasher(KEY)

# ---- what nobody may see again

SECRETS = (
    *("ann.lee@example.org", "+49 171 1234567", "4111 1111 1111 1111", "5555555555554444", "192.168.17.4"),
    *("DE89370400440532013000", "123-45-6789", "AB123456C", "12345678Z", "2001:db8::17", "111.444.777-35"),
)
AROUND = st.text(st.sampled_from('ab é\n"\\/,:;<€\U0001f600\x07'), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | AROUND


@st.composite
def planted(draw: st.DrawFn) -> str:
    return f"{draw(AROUND)} {draw(st.sampled_from(SECRETS))} {draw(AROUND)}"


@st.composite
def documents(draw: st.DrawFn) -> object:
    return draw(
        st.recursive(
            SCALARS | planted() | st.sampled_from([4111111111111111, 4111111111111111.0]),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(AROUND | planted(), inner, max_size=3)
            ),
            max_leaves=12,
        )
    )


def clean(body: bytes) -> None:
    """Whether none of the secrets is in a body, written as it is, or behind escapes."""
    text = body.decode()
    said = text + json.dumps(json.loads(text), ensure_ascii=False) if text[:1] in "[{" else text
    assert [one for one in (*SECRETS, "4111111111111111") if one in said] == []


@given(documents(), st.booleans(), st.sampled_from([None, 1]))
def test_no_secret_survives_in_json(document: object, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps([document], ensure_ascii=ascii_only, indent=indent).encode()
    redacted = ALL.redact(body, JSON)

    clean(redacted.body)
    assert ALL.redact(redacted.body, JSON).body is redacted.body
    assert (redacted.body is body) == (not redacted.counts)


@given(planted(), st.data())
def test_no_secret_survives_behind_escapes(text: str, data: st.DataObject) -> None:
    escaped = [
        f"\\u{ord(one):04x}" if one < "\x7f" and data.draw(st.booleans()) else json.dumps(one)[1:-1]
        for one in text
    ]
    body = f'{{"a": "{"".join(escaped)}"}}'.encode()

    clean(ALL.redact(body, JSON).body)


@given(
    st.lists(st.lists(planted() | AROUND, min_size=2, max_size=2), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
def test_no_secret_survives_in_csv(rows: list[list[str]], end: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows(rows)
    body = out.getvalue().encode()
    redacted = ALL.redact(body, "text/csv")

    clean(redacted.body)
    assert [len(row) for row in csv.reader(io.StringIO(redacted.body.decode(), newline=""))] == [2] * len(
        rows
    )


@given(st.lists(planted(), min_size=1, max_size=3))
def test_no_secret_survives_in_text_and_in_lines_of_json(texts: list[str]) -> None:
    lines = "\n".join(json.dumps({"a": text}) for text in texts).encode()

    clean(ALL.redact("|".join(texts).encode(), "text/plain; charset=utf-8").body)
    for line in ALL.redact(lines, "application/jsonlines").body.split(b"\n"):
        clean(line)
    assert [one for one in SECRETS if one in ALL.text(" ".join(texts))] == []


# ---- columns, wherever they are

SHAPES: tuple[tuple[str, Any, tuple[str, ...] | None], ...] = (
    ("object", lambda v: {"age": 41, "user": v}, None),
    ("list of objects", lambda v: [{"user": v}, {"age": 1}], None),
    ("lists by place", lambda v: [[41, v], [7, v]], ("age", "user")),
    ("one list by place", lambda v: [41, v], ("age", "user")),
    ("bare value by place", lambda v: v, ("user",)),
    ("instances of objects", lambda v: {"signature_name": "s", "instances": [{"user": v}]}, None),
    ("instances by place", lambda v: {"instances": [[41, v]]}, ("age", "user")),
    ("bare instances", lambda v: {"instances": [v, v]}, ("user",)),
    ("features of SageMaker", lambda v: {"instances": [{"features": [41, v]}]}, ("age", "user")),
    ("predictions", lambda v: {"predictions": [{"user": v}]}, None),
    ("inputs by column", lambda v: {"inputs": {"user": [v, v], "age": [1, 2]}}, None),
    ("inputs", lambda v: {"inputs": v}, ("user",)),
    ("outputs", lambda v: {"outputs": {"user": [[v]]}}, None),
    ("records of MLflow", lambda v: {"dataframe_records": [{"user": v, "age": 1}]}, None),
    ("split of MLflow", lambda v: {"dataframe_split": {"data": [[41, v]], "columns": ["age", "user"]}}, None),
    ("split of pandas", lambda v: {"columns": ["user"], "index": [0], "data": [[v]]}, None),
    ("columns of pandas", lambda v: {"user": {"0": v, "1": v}}, None),
    (
        "tensor",
        lambda v: {"inputs": [{"name": "user", "shape": [2], "datatype": "BYTES", "data": [v, v]}]},
        None,
    ),
    (
        "nested tensor",
        lambda v: {"inputs": [{"data": [[v], [v]], "name": "user", "shape": [2, 1], "datatype": "BYTES"}]},
        None,
    ),
    (
        "wide tensor",
        lambda v: {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "BYTES", "data": [1, v, 2, v]}]},
        ("age", "user"),
    ),
    (
        "wide nested tensor",
        lambda v: {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "BYTES", "data": [[1, v]]}]},
        ("age", "user"),
    ),
    ("names of Seldon", lambda v: {"data": {"names": ["user"], "ndarray": [[v]]}}, None),
    (
        "tensor of Seldon",
        lambda v: {"data": {"names": ["a", "user"], "tensor": {"shape": [1, 2], "values": [1, v]}}},
        None,
    ),
    ("unnamed Seldon", lambda v: {"data": {"ndarray": [[1, v]]}}, ("age", "user")),
)


@pytest.mark.parametrize(
    ("make", "names"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
@pytest.mark.parametrize("action", ["drop", "hash", "tokenise", {"truncate": 3}, {"round": 1}])
def test_a_rule_reaches_its_column_in_every_form(
    make: Any, names: tuple[str, ...] | None, action: object
) -> None:
    secret = "Rumpelstiltskin"
    privacy = ruled({"user": action})
    body = json.dumps(make(secret)).encode()
    redacted = privacy.redact(body, JSON, names=names)

    assert redacted.body
    assert redacted.why is None
    assert b"Rump" not in redacted.body
    assert [label.split()[1] for label in redacted.counts] == ["user"]
    assert privacy.redact(json.dumps(make(None)).encode(), JSON, names=names).why is None


WORDS = st.sampled_from(
    [
        *("data", "names", "columns", "name", "shape", "datatype", "tensor", "values", "ndarray", "features"),
        *("instances", "inputs", "outputs", "dataframe_split", "dataframe_records", "x", "user"),
    ]
)


@st.composite
def forms(draw: st.DrawFn) -> object:
    """Objects like those of model servers, and unlike them, in which `user` always holds a secret."""
    inner = st.recursive(
        st.none() | st.integers(-2, 3) | WORDS | st.just([1, 2]) | st.just(["user", "x"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
        max_leaves=15,
    )

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "Rumpelstiltskin" if key == "user" else told(held) for key, held in value.items()}
        return [told(held) for held in value] if isinstance(value, list) else value

    return told(draw(inner))


@given(forms(), st.sampled_from([None, (), ("x",), ("x", "user"), ("user",)]))
def test_a_rule_for_any_depth_reaches_everything_or_nothing_is_stored(form: object, names: Any) -> None:
    for action in ("drop", "hash", {"truncate": 2}):
        redacted = ruled({"**.user": action}, detect="all").redact(
            json.dumps(form).encode(), JSON, names=names
        )

        assert b"Rump" not in redacted.body
        json.loads(redacted.body or b"0")


def test_each_action_does_what_it_says() -> None:
    privacy = ruled({"a": "drop", "b": "hash", "c": "tokenise", "d": {"truncate": 3}, "e": {"round": -3}})
    body = {"a": 1, "b": "ann", "c": "ann", "d": "94105-1234", "e": 52345, "f": "ann"}

    done = after(privacy, body)

    assert privacy.reveal(done.pop("c")) == "ann"
    assert done == {"b": HASHED("ann"), "d": "941", "e": 52000, "f": "ann"}


def test_nulls_stay_and_what_cannot_be_rounded_becomes_one() -> None:
    privacy = ruled({"a": "hash", "b": "tokenise", "c": {"truncate": 1}, "d": {"round": 0}})

    assert after(privacy, dict.fromkeys("abcd")) == dict.fromkeys("abcd")
    assert after(privacy, {"d": ["much", "1.5", True, 1.5, 2.5, {"x": 0.5}]}) == {
        "d": [None, "2.0", None, 2.0, 2.0, {"x": 0.0}]
    }


def test_names_are_whole_paths_unless_they_say_anywhere() -> None:
    privacy = ruled({"name": "drop", "user.zip": "drop", "**.token": "drop", "**.card.number": "drop"})
    body = {
        "name": 1,
        "user": {"name": 2, "zip": 3, "token": 4, "deep": [{"card": {"number": 5, "type": 6}, "number": 7}]},
    }

    assert after(privacy, body) == {"user": {"name": 2, "deep": [{"card": {"type": 6}, "number": 7}]}}
    assert after(privacy, {"user.zip": 1, "zip": 2}) == {"zip": 2}
    assert after(privacy, [{"user": [{"zip": 1}, {"x": 2}]}]) == [{"user": [{}, {"x": 2}]}]


def test_a_rule_on_an_object_is_one_on_all_inside_that_have_none() -> None:
    privacy = ruled({"user": "hash", "user.zip": {"truncate": 2}, "user.ssn": "drop"})
    body = {"user": {"name": "ann", "zip": "94105", "ssn": "1", "tags": ["x"]}}

    assert after(privacy, body) == {"user": {"name": HASHED("ann"), "zip": "94", "tags": [HASHED("x")]}}


def test_columns_without_names_are_called_by_their_place() -> None:
    privacy = ruled({"_c1": "drop"})

    assert after(privacy, [[1, 2], [3, 4]]) == [[1, None], [3, None]]
    assert after(privacy, [[1, 2, 3]], names=("a",)) == [[1, None, 3]]
    assert after(privacy, {"inputs": [{"name": "x", "shape": [2, 2], "data": [1, 2, 3, 4]}]}) == {
        "inputs": [{"name": "x", "shape": [2, 2], "data": [1, None, 3, None]}]
    }
    parts = [{"name": "x", "shape": [2, 2], "data": [1, 2, 3, 4]}]
    assert after(ruled({"x.0": "drop"}), parts)[0]["data"] == [None, 2, None, 4]


@pytest.mark.parametrize(
    ("body", "names", "why"),
    [
        ([[1, 2]], None, "no names"),
        ([1, 2], None, "no names"),
        ({"instances": [[1, 2]]}, None, "no names"),
        ({"instances": [{"features": [1, 2]}]}, None, "no names"),
        ({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}, None, "no names"),
        ({"data": {"ndarray": [[1, 2]]}}, None, "no names"),
        ([[1, 2, 3]], ("age", "user"), "others than were named"),
        ({"dataframe_split": {"columns": ["user"], "data": [[1, 2]]}}, None, "others than were named"),
        (
            {"inputs": [{"name": "x", "shape": [3], "datatype": "FP32", "data": [1, 2]}]},
            ("user",),
            "others than were named",
        ),
    ],
)
def test_where_nobody_knows_which_value_is_meant_nothing_is_stored(
    body: object, names: Any, why: str
) -> None:
    redacted = ruled({"user": "hash"}).redact(json.dumps(body).encode(), JSON, names=names)

    assert (redacted.body, redacted.counts) == (b"", {"withheld": 1})
    assert why in str(redacted.why)
    kept = ruled({"user": "hash"}, unreadable="keep").redact(json.dumps(body).encode(), JSON, names=names)
    assert (json.loads(kept.body), kept.counts) == (body, {"unreadable": 1})


@pytest.mark.parametrize(
    "body", [[0.1, 0.9], [[1, 2]], {"predictions": [[0.1, 0.9]]}, {"predictions": [0.1]}, 0.5, "a"]
)
def test_answers_without_columns_to_protect_are_stored(body: object) -> None:
    text = json.dumps(body).encode()

    assert ruled({"user": "hash"}).redact(text, JSON, names=()).body is text


def test_a_row_is_no_tensor_because_it_has_a_name_and_data() -> None:
    privacy = ruled({"name": "hash", "data.x": "drop", "names": "drop"})

    assert after(privacy, {"name": "ann", "shape": "round", "data": "x"})["name"] == HASHED("ann")
    assert after(privacy, {"name": "ann", "shape": [1], "data": {"x": 1}}) == {
        "name": HASHED("ann"),
        "shape": [1],
        "data": {},
    }
    assert after(privacy, {"names": ["ann"], "data": [1]}) == {"data": [1]}


# ---- all else stays as it is

EXACT = (
    b'{ "a":1.10, "b" : 123456789012345678901234567890, "c": [NaN, -Infinity, 1e400, -0.0],'
    b'"d":"\\t\\/", "e":5.0E-7 }'
)


def test_a_body_with_nothing_to_replace_is_the_same_object() -> None:
    for privacy in (ALL, ruled({"user": "hash"}), ruled({"user": "hash"}, detect="all"), Privacy.of({})):
        assert privacy.redact(EXACT, JSON) == (EXACT, {}, None)
        assert privacy.redact(EXACT, JSON).body is EXACT
        assert privacy.redact(b"", "image/png").body == b""
    assert Privacy.of({}).redact(b"\0", "image/png").body == b"\0"


def test_what_is_not_replaced_keeps_every_digit_and_every_key() -> None:
    body = b'{"user":"x","user":"y",' + EXACT[1:]
    redacted = ruled({"user": "hash"}).redact(body, JSON)

    assert re.findall(
        rb"[0-9.eE+-]{3,}|NaN|-Infinity", redacted.body[redacted.body.index(b'"a"') :]
    ) == re.findall(rb"[0-9.eE+-]{3,}|NaN|-Infinity", EXACT)
    assert json.loads(redacted.body, object_pairs_hook=list)[:2] == [
        ("user", HASHED("x")),
        ("user", HASHED("y")),
    ]
    assert redacted.counts == {"hash user": 2}


def test_detectors_replace_in_place() -> None:
    body = (
        b'{ "a\xc3\xa9" : "to ann@example.org, \\"x\\" 1.10", '
        b'"b@c.de": [ 4111111111111111 , -4111111111111111.0, 1.10 ],"t":"\\t8.8.8.8"}'
    )
    redacted = ALL.redact(body, JSON)

    assert redacted.body == (
        b'{ "a\xc3\xa9" : "to <email>, \\"x\\" 1.10", "<email>": [ "<card>" , "<card>", 1.10 ],"t":"\\t<ip>"}'
    )
    assert redacted.counts == {"email": 2, "card": 2, "ip": 1}
    assert (
        Privacy.of({"detect": ["ip"], "replace": "[{kind}?]"})
        .redact(body, JSON)
        .body.endswith(b'"\\t[ip?]"}')
    )


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(AROUND, inner), max_leaves=20))
def test_what_has_no_rule_says_the_same_afterwards(document: object) -> None:
    text = json.dumps({"drop me": 1, "kept": document})
    redacted = ruled({"drop me": "drop"}).redact(text.encode(), JSON)

    assert repr(json.loads(redacted.body)) == repr({"kept": json.loads(text)["kept"]})


def test_bytes_of_other_charsets_and_marks_are_kept() -> None:
    latin = '{"user": "\\u20ac", "é": "ü"}'.encode("latin-1")
    redacted = ruled({"user": {"truncate": 1}, "x": "drop"}).redact(
        b"\xef\xbb\xbf" + b'{"x":1,"y":"\xc3\xa9\\ud800"}', JSON
    )

    assert (
        redacted.body == b'\xef\xbb\xbf{"y":"\\u00e9\\ud800"}'
        or redacted.body == b'\xef\xbb\xbf{"y":"\xc3\xa9\\ud800"}'
    )
    done = ruled({"z": "drop"}).redact(latin[:-1] + b',"z":1}', "application/json; charset=ISO-8859-1").body
    assert json.loads(done.decode("latin-1")) == {"user": "€", "é": "ü"}


# ---- CSV

CSV = b'age,user,note\r\n41,"Lee, Ann","says ""hi"""\r\n\r\n7,,x\r\n'


def test_cells_of_csv_without_a_rule_stay_as_they_are() -> None:
    privacy = ruled({"user": {"truncate": 4}})

    assert privacy.redact(CSV, "text/csv").body == b'age,user,note\r\n41,"Lee,","says ""hi"""\r\n\r\n7,,x\r\n'
    assert privacy.redact(b"41,Ann Lee\n7,\n", "text/csv", names=("age", "user")).body == b"41,Ann \n7,\n"
    assert (
        privacy.redact(b"41\tAnn Lee", "text/tab-separated-values", names=("age", "user")).body == b"41\tAnn "
    )
    assert privacy.redact(b"0.5\n", "text/csv", names=()).body == b"0.5\n"
    assert ruled({"_c0": {"round": -1}}).redact(b"41.5,1\n x,2\n", "text/csv").body == b"40.0,1\n,2\n"


@pytest.mark.parametrize("body", [b"41,ann\n", b"41,ann,x\n", b'41,"ann\n', b'41,"ann"x\n', b"\xff\xfe"])
def test_csv_whose_cells_cannot_be_told_is_not_stored(body: bytes) -> None:
    names = None if body == b"41,ann\n" else ("age", "user")

    assert ruled({"user": "hash"}).redact(body, "text/csv", names=names).body == b""


@given(st.lists(st.tuples(AROUND, AROUND), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_csv_keeps_its_rows(rows: list[tuple[str, str]], end: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows([("keep", "user"), *rows])
    redacted = ruled({"user": "drop"}).redact(out.getvalue().encode(), "text/csv")
    header, *read = csv.reader(io.StringIO(redacted.body.decode(), newline=""))

    assert header == ["keep", "user"]
    assert read == [[kept, ""] for kept, _ in rows]


# ---- bodies that cannot be looked into

DEEP = b'{"a":' * 70 + b"1" + b"}" * 70


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"user=ann", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"\x93NUMPY", "application/x-npy"),
        (b"hello", None),
        (b"hello", ""),
        (b"{}", "application/json; charset=utf-7"),
        (b'{"a": 1', JSON),
        (b'{"a": 1} x', JSON),
        (b'{"a": 1}\n{"b"\n', "application/jsonlines"),
        (b'{"a": "\xff"}', JSON),
        (b"\x1f\x8b\x08", JSON),
        (b"[" * 100_000 + b"]" * 100_000, JSON),
        (DEEP, JSON),
    ],
)
def test_bodies_that_cannot_be_looked_into_are_withheld(body: bytes, content_type: str | None) -> None:
    strict = ruled({"user": "hash"}, detect="all")
    lenient = ruled({"user": "hash"}, detect="all", unreadable="keep")

    assert strict.redact(body, content_type)[:2] == (b"", {"withheld": 1})
    assert strict.redact(body, content_type).why
    assert lenient.redact(body, content_type)[:2] == (body, {"unreadable": 1})


@pytest.mark.parametrize(
    "content_type", [None, JSON, "APPLICATION/JSON ; charset=utf-8", "application/vnd.x+json", "text/json"]
)
def test_json_is_known_by_its_type_or_by_its_look(content_type: str | None) -> None:
    assert ruled({"user": "drop"}).redact(b' {"user": 1}', content_type).body == b"{}"


def test_a_name_twice_where_it_decides_is_withheld() -> None:
    for text in (
        '{"columns":["a"],"columns":["user"],"data":[["x"]]}',
        '{"data":{"tensor":{"shape":[1],"values":[1],"values":[2]}}}',
    ):
        assert ruled({"user": "drop"}).redact(text.encode(), JSON, names=("user",)).why == (
            "a name comes twice where it tells what a value is"
        )


def test_escapes_hide_no_name() -> None:
    for names in (None, ()):
        redacted = ruled({"user": "drop"}).redact(b'{"\\u0075ser": "x", "a": [{"n": 1}]}', JSON, names=names)

        assert json.loads(redacted.body) == {"a": [{"n": 1}]}


# ---- keys, hashes and tokens


@given(st.text())
def test_hashes_are_stable_and_keyed(text: str) -> None:
    assert HASHED(text) == hasher(KEY)(text) != hasher(KEY[::-1])(text)
    assert re.fullmatch(f"h[0-9a-f]{{{HASH_BITS // 4}}}", HASHED(text))


@given(st.text(st.characters(exclude_categories=[])), st.text())
def test_tokens_turn_back_and_are_equal_for_equal_texts_only(one: str, other: str) -> None:
    tokeniser = Tokeniser(KEY)

    assert tokeniser.text(tokeniser.token(one)) == one
    assert (tokeniser.token(one) == tokeniser.token(other)) == (one == other)
    assert tokeniser.token(one).isalnum()
    with pytest.raises(OptionError, match="expected a token that this key made"):
        Tokeniser(KEY[::-1]).text(tokeniser.token(one))


@given(st.text(max_size=20))
def test_no_detector_takes_a_hash_or_a_token_for_anything(text: str) -> None:
    finder = Finder.of(["all"])

    assert finder.find(f"{HASHED(text)} {Tokeniser(KEY).token(text)}") == []


@pytest.mark.parametrize("token", ["", "t", "no token", "t" + "a" * 40, "tä"])
def test_other_texts_are_no_tokens(token: str) -> None:
    with pytest.raises(OptionError):
        ruled({"a": "tokenise"}).reveal(token)
    with pytest.raises(OptionError, match="none is"):
        ruled({"a": "hash"}).reveal(token)


@pytest.mark.parametrize("action", ["hash", "tokenise"])
@pytest.mark.parametrize("key", [None, b"short", "0123456789abcdef"])
def test_without_a_good_key_nothing_is_hashed_or_tokenised(action: str, key: Any) -> None:
    with pytest.raises(OptionError, match=f"16 bytes or more, since {action} needs a key"):
        Privacy.of({"columns": {"a": action}}, key=key)


def test_tokens_need_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)

    with pytest.raises(MissingExtraError, match=r"watchkeep\[privacy\]"):
        ruled({"a": "tokenise"})
    assert ruled({"a": "hash"}).columns


def test_a_key_is_never_shown() -> None:
    assert KEY.decode() not in repr(ruled({"a": "tokenise", "b": "hash"}))


def test_equal_numbers_have_equal_hashes_however_they_are_written() -> None:
    assert {canonical(Number(text)) for text in ("42", "42.0", "4.2e1", "420E-1")} == {"42"}
    assert after(ruled({"a": "hash"}), {"a": 42}) == after(ruled({"a": "hash"}), {"a": "42"})
    assert [canonical(Number(text)) for text in ("-0", "0.0", "1e500", "1e99999999999999999999", "NaN")] == [
        *("0", "0", "1E+500", "1e99999999999999999999", "NaN")
    ]


# ---- rounding and truncating

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)


@given(DECIMALS, st.integers(-8, 5))
def test_rounding_is_exact_and_takes_a_half_to_the_even_side(value: Decimal, places: int) -> None:
    text = rounded(Number(f"{value:f}"), places)
    unit = Fraction(10) ** -places
    exact, got = Fraction(value), Fraction(str(text))

    assert isinstance(text, Number)
    assert (got / unit).denominator == 1
    assert abs(got - exact) <= unit / 2
    assert abs(got - exact) < unit / 2 or (got / unit).numerator % 2 == 0


@pytest.mark.parametrize(
    ("text", "places", "expected"),
    [
        *(
            ("1.10", 2, "1.10"),
            ("1.10", 1, "1.1"),
            ("52345", -3, "52000"),
            ("52345.5", -3, "52000.0"),
            ("5", 2, "5"),
        ),
        *(
            ("5.2e4", -3, "5.2e4"),
            ("1e999999999", -3, "1e999999999"),
            ("1e-999999999", 2, "0.00"),
            ("NaN", 0, "NaN"),
        ),
        *(
            ("123456789012345678901234567890.5", 0, "123456789012345678901234567890.0"),
            ("999.6", 0, "1000.0"),
        ),
        *(
            ("1e99999999999999999999", 0, None),
            ("-0.4", 0, "-0.0"),
            ("499", -3, "0"),
            ("-Infinity", 1, "-Infinity"),
        ),
    ],
)
def test_rounding_keeps_how_numbers_are_written(text: str, places: int, expected: str | None) -> None:
    assert rounded(Number(text), places) == expected


def test_whole_numbers_stay_numbers_when_they_are_truncated() -> None:
    assert after(ruled({"a": {"truncate": 2}}), {"a": [94105, -94105, 1.25, True, "x", "€€€"]}) == {
        "a": [94, -94, "1.", "tr", "x", "€€"]
    }
    assert truncated(Number("1.5"), 9) == Number("1.5")


# ---- options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"column": {}}, "privacy: got 'column', .*did you mean 'columns'"),
        (7, "privacy: got '7', expected a mapping"),
        ({"columns": ["a"]}, "columns: got"),
        ({"columns": {"a": "tokenize"}}, "columns.a: got 'tokenize', .*did you mean 'tokenise'"),
        ({"columns": {"a": "truncate"}}, "columns.a: got 'truncate'"),
        ({"columns": {"a": {"trunc": 3}}}, "did you mean 'truncate'"),
        ({"columns": {"a": {"truncate": 0}}}, "columns.a.truncate: got '0', expected an integer from 1"),
        ({"columns": {"a": {"round": "2"}}}, "columns.a.round: got '2'"),
        ({"columns": {"a": {"round": True}}}, "columns.a.round: got 'True'"),
        ({"columns": {"a": {"round": 1, "truncate": 2}}}, "columns.a: got"),
        ({"columns": {"a": None}}, "columns.a: got 'None'"),
        ({"detect": ["cards"]}, "detect: got 'cards', .*did you mean 'card'"),
        ({"detect": [["card"]]}, "detect: got"),
        ({"detect": 1}, "detect: got '1'"),
        ({"replace": '"'}, "replace: got"),
        ({"replace": 1}, "replace: got '1'"),
        ({"unreadable": "keeps"}, "unreadable: got 'keeps', .*did you mean 'keep'"),
    ],
)
def test_options_that_cannot_be_used_are_errors(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Privacy.of(options)


def test_the_example_of_the_page_runs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "capture-privacy.md").read_text(encoding="utf-8")
    [(code, shown)] = re.findall(r"```python\n((?:(?!```).)*)```\n\n```text\n(.*?)```", page, re.DOTALL)
    printed: list[str] = []
    exec(
        compile(code, "capture-privacy.md", "exec"),
        {"print": lambda *told: printed.append(" ".join(map(str, told)))},
    )

    assert printed == shown.splitlines()
