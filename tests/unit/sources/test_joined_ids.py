from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.sources.joins import joined, rejected_by, rows_of, table

from watchkeep.adapters.sources.keys import key_texts
from watchkeep.service.ports import Ask


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7, 8]),
        pa.array([7, 8], pa.uint8()),
        pa.array([7.0, 8.0]),
        pa.array([7.0, 8.0], pa.float32()),
        pa.array([7.0, 8.0], pa.float16()),
        pa.array([Decimal("7.00"), Decimal("8.00")]),
        pa.array(["7", "8"]),
        pa.array(["7.0", "8"]),
        pa.array(["7", "8"], pa.string_view()),
        pa.array(["7", "8"]).dictionary_encode(),
        pa.array([b"7", b"8"]),
    ],
    ids=lambda ids: f"{ids.type} {ids[0]}",
)
def test_ids_of_different_types_match_when_they_are_equal_as_text(ids: pa.Array) -> None:
    labels = pa.array(["seven", "eight"])
    for other in (pa.array([7, 8]), pa.array(["7", "8"]), pa.array([7.0, 8.0])):
        assert [row["y"] for row in rows_of(joined(table(id=other), table(id=ids, y=labels)))] == [
            "seven",
            "eight",
        ]


def test_ids_that_only_look_alike_do_not_match() -> None:
    ids = ["07", " 7", "7 ", "7.5", "+7", "7e0", "é", "E", "null"]
    labels = table(id=["7", "e\u0301", "e", "NULL"], y=[1, 2, 3, 4])

    assert {row["y"] for row in rows_of(joined(table(id=ids), labels))} == {None}


def test_hostile_ids_are_ids_like_any_other() -> None:
    ids = [
        "'; DROP TABLE labels; --",
        '"',
        "a\nb\r\n",
        "\x00",
        "a\x00b",
        "😀",
        "\u202e",
        "%s{}",
        "x" * 100_000,
    ]
    predictions = table(id=[*ids, "", None])
    source = joined(predictions, table(id=[*reversed(ids), "", None], y=list(range(len(ids) + 2))))

    assert [row["y"] for row in rows_of(source)] == [*reversed(range(len(ids))), None, None]
    assert source.account().labels_without_id == 2
    assert source.account().predictions_without_id == 2
    assert source.account().unmatched == 2


def test_bytes_that_are_no_text_are_ids_too() -> None:
    ids = pa.array([b"\xff\x00", b"\xfe", b"ok"])
    unsound = pa.array([b"\xff", b"\xfe"]).view(pa.string())

    assert len(rows_of(joined(table(id=ids), table(id=ids, y=[1, 2, 3])))) == 3
    assert [row["y"] for row in rows_of(joined(table(id=ids), table(id=ids, y=[1, 2, 3])))] == [1, 2, 3]
    assert [
        batch.column("y").to_pylist()
        for batch in joined(table(id=unsound), table(id=ids, y=[1, 2, 3])).batches(Ask())
    ] == [[None, 2]]


def test_a_number_that_is_none_is_no_id() -> None:
    ids = pa.array([np.nan, 0.5, -0.0, 1e300, np.inf, None])

    assert key_texts(ids, column="id", source="x").to_pylist() == [None, "0.5", "0", "1e+300", "inf", None]


def test_rows_without_an_id_are_kept_and_have_no_label() -> None:
    source = joined(table(id=[None, 1, None], p=[1, 2, 3]), table(id=[1], y=[1]))

    assert [row["p"] for row in rows_of(source)] == [1, 2, 3]
    assert rejected_by(source) == {}
    assert source.account().predictions_without_id == 2
