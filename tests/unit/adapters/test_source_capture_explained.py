"""Captures of endpoints that explain as they predict: a row for each record, with the answer about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.adapters.test_source_capture import capture, record, side

from watchkeep.formats.online_explanations import Answered, read_answer
from watchkeep.service.ports import Ask

Read = Callable[..., Any]


def told(
    data: str, explained: object, kind: str = "text/csv", labels: list[str] | None = None
) -> dict[str, str]:
    body = {
        "version": "1.0",
        "predictions": {"content_type": kind, "data": data},
        "explanations": {} if explained is None else {"kernel_shap": explained},
    }
    return side(json.dumps(body | ({} if labels is None else {"label_headers": labels})), "JSON", "OUTPUT")


def shap(value: float) -> list[dict[str, Any]]:
    return [{"feature_header": "age", "attributions": [{"attribution": [value]}]}]


def test_each_record_is_a_row_with_its_own_answer(tmp_path: Path, read: Read) -> None:
    output = told("0.6\n0.2\n", [shap(0.5), None], labels=["p"])
    answer = read(capture(tmp_path, record(side("34,red\n41,blue"), output)))

    assert [(row["p"], row["_c2"], row["_c3"]) for row in answer.rows] == [
        ("0.6", "34", "red"),
        ("0.2", "41", "blue"),
    ]
    first, second = (read_answer(row["explanations"]) for row in answer.rows)
    assert isinstance(first, Answered)
    assert (first.features, first.labels, first.scores) == (("age",), ("p",), (0.6,))
    assert not isinstance(second, Answered)
    assert not answer.rejected


def test_columns_are_the_same_whether_or_not_anything_was_explained(tmp_path: Path, read: Read) -> None:
    path = capture(
        tmp_path,
        record(side("34"), told("0.6\n", [shap(0.5)])),
        record(side("41"), told("0.2\n", None), event="2"),
    )

    answer = read(path)
    named = read(path, Ask(positional=["_c0", "explanations", "age"]))

    assert [sorted(row) for row in answer.rows] == [["_c0", "_c2", "explanations"]] * 2
    assert [row["age"] for row in named.rows] == ["34", "41"]


def test_predictions_of_json_lines_keep_their_names(tmp_path: Path, read: Read) -> None:
    output = told('{"score": 0.6}\n{"score": 0.2}\n', [shap(0.5), shap(0.25)], kind="application/jsonlines")
    answer = read(capture(tmp_path, record(side('{"age": 34}\n{"age": 41}', "JSON"), output)))

    assert [(row["score"], row["age"]) for row in answer.rows] == [(0.6, 34), (0.2, 41)]
    read_again = [read_answer(row["explanations"]) for row in answer.rows]
    assert [one.scores for one in read_again if isinstance(one, Answered)] == [(0.6,), (0.2,)]


def test_more_explanations_than_predictions_reject_the_record(tmp_path: Path, read: Read) -> None:
    answer = read(capture(tmp_path, record(side("34"), told("0.6\n", [shap(0.5), shap(0.5)]))))

    assert answer.rows == []
    assert answer.rejected == {"predictions and explanations have different numbers of records": 1}
