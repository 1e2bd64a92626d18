import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask

Read = Callable[..., Any]
LATER = Window.between("2024-01-19T19:00:00Z", "2024-01-19T20:00:00Z")


def side(data: str, encoding: str = "CSV", mode: str = "INPUT") -> dict[str, str]:
    kind = "text/csv; charset=utf-8" if encoding == "CSV" else "application/json"
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def record(
    given: dict[str, str] | None,
    output: dict[str, str] | None = None,
    event: str = "1",
    at: str = "2024-01-19T18:20:48Z",
) -> str:
    sides = {"endpointInput": given, "endpointOutput": output}
    data = {name: content for name, content in sides.items() if content is not None}
    return json.dumps(
        {
            "captureData": data,
            "eventMetadata": {"eventId": event, "inferenceId": f"i{event}", "inferenceTime": at},
            "eventVersion": "0",
        }
    )


def capture(folder: Path, *records: str, name: str = "20-48-871-8d6b0f2e.jsonl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(records) + "\n\n")
    return path


def test_the_record_of_the_reference_is_a_row_of_output_then_input(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side("34,0.5,red"), side("0.12", mode="OUTPUT")))

    answer = read(path)

    assert answer.rows == [{"_c0": "0.12", "_c1": "34", "_c2": "0.5", "_c3": "red"}]
    assert answer.textual == {"_c0", "_c1", "_c2", "_c3"}
    assert [part.metadata for part in open_source(path).schema(Ask())] == [{b"textual": b"1"}] * 4


def test_columns_take_the_names_of_the_baseline_by_place(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side("34,red"), side("0.12")))

    assert read(path, Ask(positional=["score", "age"])).rows == [{"score": "0.12", "age": "34", "_c2": "red"}]


def test_line_i_of_the_input_goes_with_line_i_of_the_output(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side('1,"a,b"\n2,c\n'), side("0.1\n0.2\n")))

    assert read(path, Ask(positional=["p", "n", "t"])).rows == [
        {"p": "0.1", "n": "1", "t": "a,b"},
        {"p": "0.2", "n": "2", "t": "c"},
    ]


def test_unequal_numbers_of_lines_reject_the_rows_of_that_record_only(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path, record(side("1\n2\n3"), side("0.1\n0.2")), record(side("4"), side("0.4"), event="2")
    )

    answer = read(path)

    assert answer.rows == [{"_c0": "0.4", "_c1": "4"}]
    assert answer.rejected == {"input and output have different numbers of lines": 3}


def test_either_side_may_be_missing(tmp_path: Path, read: Read) -> None:
    assert read(capture(tmp_path, record(side("34,red")))).rows == [{"_c0": "34", "_c1": "red"}]
    assert read(capture(tmp_path, record(None, side("0.12")))).rows == [{"_c0": "0.12"}]


def test_keys_of_json_bodies_are_sorted_within_each_side_and_keep_their_types(
    tmp_path: Path, read: Read
) -> None:
    given = side(json.dumps({"b": 1, "a": {"z": "x", "e": [1, 2]}}), "JSON")
    path = capture(tmp_path, record(given, side(json.dumps({"s": 0.5, "q": True}), "JSON")))

    answer = read(path)

    assert answer.rows == [{"q": True, "s": 0.5, "a.e": [1.0, 2.0], "a.z": "x", "b": 1}]
    assert list(answer.rows[0]) == ["q", "s", "a.e", "a.z", "b"]
    assert answer.textual == set()


def test_an_input_with_a_name_of_the_output_gets_a_suffix(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side('{"id": 1, "x": 2}', "JSON"), side('{"id": 3}', "JSON")))

    assert read(path).rows == [{"id": 3, "id_input": 1, "x": 2}]


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ('[{"x": 1}, {"x": 2}]', '[{"p": 0.1}, {"p": 0.2}]'),
        ('{"x": 1}\n{"x": 2}\n', '{"p": 0.1}\n{"p": 0.2}'),
        ('{"instances": [{"x": 1}, {"x": 2}]}', '{"predictions": [{"p": 0.1}, {"p": 0.2}]}'),
    ],
)
def test_json_bodies_of_several_rows(tmp_path: Path, read: Read, given: str, output: str) -> None:
    path = capture(tmp_path, record(side(given, "JSON"), side(output, "JSON")))

    assert read(path).rows == [{"p": 0.1, "x": 1}, {"p": 0.2, "x": 2}]


def test_json_values_without_names_are_named_by_place(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path,
        record(side('{"instances": [[1, 2], [3, 4]]}', "JSON"), side('{"predictions": [5, 6]}', "JSON")),
    )

    answer = read(path, Ask(positional=["p", "a", "b"]))

    assert answer.rows == [{"p": 5, "a": 1, "b": 2}, {"p": 6, "a": 3, "b": 4}]
    assert answer.textual == set()
    assert read(capture(tmp_path, record(side("[1, 2]", "JSON"), side("0.5", "JSON")))).rows == [
        {"_c0": 0.5, "_c1": 1, "_c2": 2}
    ]


def test_each_side_is_read_by_its_own_encoding(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side("34,red"), side('{"p": 0.5}', "JSON")))

    answer = read(path)

    assert answer.rows == [{"p": 0.5, "_c1": "34", "_c2": "red"}]
    assert answer.textual == {"_c1", "_c2"}


def test_records_without_rows_are_counted_by_reason(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path,
        record(side("1")),
        record(side("QUJD", "BASE64"), event="2"),
        record(side("x", "XML"), event="3"),
        record(side("{broken", "JSON"), event="4"),
        record(side("null", "JSON"), event="5"),
        record(side(""), event="6"),
        record(None, event="7"),
        json.dumps({"captureData": {"endpointInput": {"encoding": "CSV"}}}),
        json.dumps({"captureData": 1}),
        json.dumps([1]),
        "garbage",
        record(side("[" * 100_000, "JSON"), event="8"),
        record(side('{"a": 1}\n{"a": ', "JSON"), event="9"),
        record(side("x" * 200_000), event="10"),
    )

    answer = read(path)

    assert answer.rows == [{"_c0": "1"}]
    assert answer.rejected == {
        "encoding BASE64": 1,
        "encoding is neither CSV nor JSON": 1,
        "payload cannot be parsed": 6,
        "capture holds no rows": 2,
        "not a capture record": 2,
        "not JSON": 1,
    }


def test_a_repeated_event_is_rejected_within_a_file(tmp_path: Path, read: Read) -> None:
    one = record(side("1\n2"))
    answer = read(capture(tmp_path, one, one, record(side("3"), event="2")))

    assert [row["_c0"] for row in answer.rows] == ["1", "2", "3"]
    assert answer.rejected == {"duplicate eventId": 2}


def test_metadata_are_columns_when_asked_for_by_name(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side("34,red"), event="e"))
    ask = Ask(columns=["_c1", "eventId", "inferenceId", "inferenceTime"])

    assert read(path, ask).rows == [
        {"_c1": "red", "eventId": "e", "inferenceId": "ie", "inferenceTime": "2024-01-19T18:20:48Z"}
    ]
    assert open_source(path).schema(ask).names == ["_c0", "_c1", "eventId", "inferenceId", "inferenceTime"]
    assert list(read(path, Ask(timestamp="inferenceTime")).rows[0]) == ["_c0", "_c1", "inferenceTime"]


def test_a_body_that_has_a_column_of_that_name_keeps_it(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side('{"eventId": 7}', "JSON"), event="e"))

    assert read(path, Ask(columns=["eventId"])).rows == [{"eventId": 7}]


def test_inference_time_is_the_event_time_unless_a_role_names_another(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path,
        record(side("1,2024-01-19T19:30:00Z"), event="1", at="2024-01-19T18:59:59Z"),
        record(side("2,2024-01-19T18:00:00Z"), event="2", at="2024-01-19T19:00:00Z"),
        record(side("3,x"), event="3", at="soon"),
    )

    by_inference = read(path, Ask(window=LATER))
    by_column = read(path, Ask(window=LATER, timestamp="_c1"))

    assert by_inference.rows == [{"_c0": "2", "_c1": "2024-01-19T18:00:00Z"}]
    assert by_inference.rejected == {"timestamp is not a time": 1}
    assert [row["_c0"] for row in by_column.rows] == ["1"]


def test_broken_records_outside_the_window_are_not_counted(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path,
        record(side("x", "BASE64"), event="1"),
        record(side("x", "BASE64"), event="2", at="2024-01-19T19:10:00Z"),
        record(side("1"), event="3", at="2024-01-19T19:20:00Z"),
    )

    assert read(path, Ask(window=LATER)).rejected == {"encoding BASE64": 1}
    assert read(path).rejected == {"encoding BASE64": 2}


def test_hour_folders_outside_the_window_are_not_opened(tmp_path: Path, read: Read) -> None:
    tree = tmp_path / "my-endpoint" / "AllTraffic" / "2024" / "01" / "19"
    at_seven = record(side("7"), event="1", at="2024-01-19T19:30:00Z")
    first = capture(tree / "18", record(side("6")))
    capture(tree / "19", at_seven)
    (tree / "18" / "broken.jsonl").write_text("not even JSON")
    (tree / "20").mkdir()
    (tree / "20" / "late.jsonl").write_text("not even JSON")
    (tree / "19" / "_SUCCESS").touch()

    answer = read(tmp_path, Ask(window=LATER))

    assert answer.rows == [{"_c0": "7"}]
    assert answer.rejected == {}
    assert read(tmp_path).rejected == {"not JSON": 2}
    assert read(first).rows == [{"_c0": "6"}]
    assert len(read(str(tree / "*" / "*.jsonl")).rows) == 2


def test_folders_that_are_no_hours_are_opened(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path / "2024" / "13" / "40" / "99", record(side("1"), at="2024-01-19T19:30:00Z"))

    assert len(read(path, Ask(window=LATER)).rows) == 1


def test_a_long_first_record_is_recognised(tmp_path: Path, read: Read) -> None:
    path = capture(tmp_path, record(side(",".join(["x" * 100] * 1000))))

    assert len(read(path).rows[0]) == 1000
