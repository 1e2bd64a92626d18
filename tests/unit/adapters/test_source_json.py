import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from watchkeep.adapters.sources import json_lines, open_source
from watchkeep.core.errors import DuplicateColumnError, EmptySourceError, UnreadableSourceError
from watchkeep.service.ports import Ask

Read = Callable[..., Any]


def file(folder: Path, content: bytes, name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_columns_have_the_types_of_their_values(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b'{"i":1,"f":1,"s":"x","b":true,"n":null}\n{"i":2,"f":2.5,"s":"","b":false}\n')

    answer = read(path)

    assert answer.rows == [
        {"i": 1, "f": 1.0, "s": "x", "b": True, "n": None},
        {"i": 2, "f": 2.5, "s": "", "b": False, "n": None},
    ]
    assert answer.textual == set()
    assert [str(part.type) for part in open_source(path).schema(Ask())] == [
        "int64",
        "double",
        "string",
        "bool",
        "null",
    ]


def test_nested_objects_become_dotted_columns(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b'{"user":{"age":41,"home":{"zip":"1"}}}\n{"user":null}\n'))

    assert answer.rows == [
        {"user.age": 41, "user.home.zip": "1"},
        {"user.age": None, "user.home.zip": None},
    ]


@pytest.mark.parametrize("content", [b'null\n{"a":1}\n', b'{"a":1}\n null\n', b'\xef\xbb\xbfnull\n{"a":1}\n'])
def test_a_line_of_null_is_no_row(tmp_path: Path, read: Read, content: bytes) -> None:
    answer = read(file(tmp_path, content))

    assert (answer.rows, answer.rejected) == ([{"a": 1}], {"not a JSON object": 1})


def test_lists_hold_whole_numbers_that_are_no_doubles(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b'{"a":[9007199254740993, 1]}\n')).rows == [{"a": [2.0**53, 1.0]}]


def test_strings_that_look_like_times_stay_strings(tmp_path: Path, read: Read) -> None:
    lines = [{"n": 1, "at": "2024-01-19", "in": {"at": "2024-01-19T18:20:48Z", "x": 1}}, {"at": "2024-01-20"}]

    answer = read(file(tmp_path, "\n".join(map(json.dumps, lines)).encode()))

    assert answer.rows == [
        {"n": 1, "at": "2024-01-19", "in.at": "2024-01-19T18:20:48Z", "in.x": 1},
        {"n": None, "at": "2024-01-20", "in.at": None, "in.x": None},
    ]


def test_a_column_that_mixes_types_is_text_as_json_spells_it(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b'{"a":1,"b":2}\n{"a":"x"}\n{"a":true}\n{"a":1.5}\n{"a":[1]}\n{"a":null}\n'))

    assert [row["a"] for row in answer.rows] == ["1", "x", "true", "1.5", "[1]", None]
    assert [row["b"] for row in answer.rows] == [2, None, None, None, None, None]
    assert answer.textual == {"a"}


def test_lists_of_numbers_stay_lists_and_other_lists_are_json_text(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b'{"e":[1,2.5,null],"t":["x",{"y":1}],"n":[[1]]}\n{"e":[],"t":[]}\n'))

    assert answer.rows == [
        {"e": [1.0, 2.5, None], "t": '["x", {"y": 1}]', "n": "[[1]]"},
        {"e": [], "t": "[]", "n": None},
    ]
    assert answer.textual == set()


def test_lines_that_are_no_objects_are_counted_by_reason(tmp_path: Path, read: Read) -> None:
    deep = b'{"a":' + b"[" * 100_000 + b"\n"
    answer = read(file(tmp_path, b'{"a":1}\n\nnope\n[1]\n5\n{"a":\xff}\n   \n{"a":2\n' + deep + b'{"a":3}'))

    assert answer.rows == [{"a": 1}, {"a": 3}]
    assert answer.rejected == {"not JSON": 2, "not a JSON object": 2, "not UTF-8": 1, "nested too deeply": 1}


def test_two_objects_on_one_line_are_no_json(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b'{"a":1}{"a":2}\n{"a":3}\n'))

    assert answer.rows == [{"a": 3}]
    assert answer.rejected == {"not JSON": 1}


def test_numbers_beyond_the_usual_are_doubles(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b'{"a":NaN,"b":9223372036854775808}\n{"a":-Infinity,"b":1}\n'))
    huge = read(file(tmp_path, b'{"a":1e400,"b":-1%s}\n' % (b"0" * 400)))

    assert math.isnan(answer.rows[0]["a"])
    assert answer.rows[1] == {"a": -math.inf, "b": 1.0}
    assert huge.rows == [{"a": math.inf, "b": -math.inf}]


def test_hostile_names_and_values_come_through(tmp_path: Path, read: Read) -> None:
    row = {"": 1, "a b": 2, "{x}": "\u0000", "ключ": "\U0001f600", "__proto__": 3, "quote\"'": "\n"}

    assert read(file(tmp_path, json.dumps(row).encode())).rows == [row]
    assert read(file(tmp_path, b'{"half":"\\ud800"}')).rows == [{"half": "?"}]


def test_two_values_of_one_dotted_name_are_an_error(tmp_path: Path, read: Read) -> None:
    with pytest.raises(DuplicateColumnError, match=r"two columns are named 'a\.b'"):
        read(file(tmp_path, b'{"a.b":1,"a":{"b":2}}\n'))


def test_the_last_of_two_equal_keys_wins(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b'{"a":1,"a":2}\n')).rows == [{"a": 2}]


def test_objects_without_keys_are_rows_without_columns(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b"{}\n{}\n")).rows == [{}, {}]
    assert read(file(tmp_path, b'{}\n{"a":{}}\nx\n')).rows == [{}, {}]


def test_an_array_of_objects_is_read_element_by_element(tmp_path: Path, read: Read) -> None:
    content = b'\xef\xbb\xbf [\n {"a": 1, "b": {"c": "]"}},\n 5, {"a": "x"}\n]\n'

    answer = read(file(tmp_path, content, "rows.json"))

    assert answer.rows == [{"a": "1", "b.c": "]"}, {"a": "x", "b.c": None}]
    assert answer.rejected == {"not a JSON object": 1}
    assert answer.textual == {"a"}
    assert read(file(tmp_path, b"[]", "rows.json")).rows == []
    assert read(file(tmp_path, b"[{}, {}]", "rows.json")).rows == [{}, {}]


def test_an_array_larger_than_a_block_is_streamed(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 7)  # cuts within elements, numbers and characters
    monkeypatch.setattr(json_lines, "_ROWS", 3)
    rows = [{"n": 1234567 * at, "s": "é" * at} for at in range(10)]

    for text in (json.dumps(rows, ensure_ascii=False), json.dumps(rows, indent=1)):
        answer = read(file(tmp_path, text.encode(), "rows.json"))
        assert answer.rows == rows
        assert answer.sizes == [3, 3, 3, 1]


@pytest.mark.parametrize("content", [b'[{"a":1},', b'[{"a":1} {"a":2}]', b'[{"a":1', b"[1,,2]", b"[\xff]"])
def test_a_broken_array_is_an_error(tmp_path: Path, read: Read, content: bytes) -> None:
    with pytest.raises(UnreadableSourceError, match=r"rows\.json"):
        read(file(tmp_path, content, "rows.json"))


def test_one_document_over_several_lines_is_an_error(tmp_path: Path, read: Read) -> None:
    with pytest.raises(UnreadableSourceError, match="expected one JSON object a line"):
        read(file(tmp_path, json.dumps({"a": 1, "b": [1, 2]}, indent=2).encode(), "rows.json"))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(tmp_path: Path, read: Read, content: bytes) -> None:
    with pytest.raises(EmptySourceError):
        read(file(tmp_path, content))


def test_utf16_is_an_error(tmp_path: Path, read: Read) -> None:
    with pytest.raises(UnreadableSourceError, match="UTF-16"):
        read(file(tmp_path, '{"a":1}'.encode("utf-16")))


def test_files_are_read_in_blocks_of_whole_lines(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 100)
    rows = [{"n": at, "at": f"2024-01-{1 + at % 28:02d}", "u": {"v": "x" * at}} for at in range(300)]
    content = "\n".join(map(json.dumps, rows)).encode()

    for name, stored in (("rows.jsonl", content), ("rows.jsonl.gz", gzip.compress(content))):
        answer = read(file(tmp_path, stored, name))
        assert len(answer.sizes) > 50
        assert answer.rows == [{"n": row["n"], "at": row["at"], "u.v": row["u"]["v"]} for row in rows]  # type: ignore[index]


def test_a_line_longer_than_the_limit_is_an_error(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 16)
    monkeypatch.setattr(json_lines, "_LONGEST", 64)

    with pytest.raises(UnreadableSourceError, match="a line is longer than"):
        read(file(tmp_path, b'{"a":"' + b"x" * 200 + b'"}\n'))


def test_only_the_columns_asked_for_are_given(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b'{"a":1,"u":{"x":1,"y":2}}\n')

    assert read(path, Ask(columns=["u.y", "nowhere"])).rows == [{"u.y": 2}]


def test_arrow_types_do_not_depend_on_which_parser_read_a_block(tmp_path: Path) -> None:
    whole = b'{"i":1,"f":0.5,"s":"2024-01-01","l":[1],"n":null,"o":{"x":true}}\n'
    schemas = [
        next(iter(open_source(file(tmp_path, content)).batches(Ask())))
        for content in (whole, whole + b"broken\n")
    ]

    types = [{name: batch.column(name).type for name in batch.names} for batch in schemas]
    assert types[0] == types[1]
    assert types[0]["l"] == pa.list_(pa.float64())
