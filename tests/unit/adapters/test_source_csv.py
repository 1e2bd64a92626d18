import gzip
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from watchkeep.adapters.sources import delimited, open_source
from watchkeep.core.errors import DuplicateColumnError, EmptySourceError, UnreadableSourceError
from watchkeep.service.ports import Ask

Read = Callable[..., Any]


def file(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_values_are_texts_and_only_empty_fields_are_null(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b'age,city\n41,"Oslo, N"\n,NA\n"",null\n007, x \n')

    answer = read(path)

    assert answer.rows == [
        {"age": "41", "city": "Oslo, N"},
        {"age": None, "city": "NA"},
        {"age": None, "city": "null"},
        {"age": "007", "city": " x "},
    ]
    assert answer.textual == {"age", "city"}
    assert answer.rejected == {}


def test_the_schema_marks_every_column_as_textual(tmp_path: Path) -> None:
    schema = open_source(file(tmp_path, b"a,b\n1,2\n")).schema(Ask())

    assert [(part.name, part.type, part.metadata) for part in schema] == [
        ("a", pa.string(), {b"textual": b"1"}),
        ("b", pa.string(), {b"textual": b"1"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, read: Read, delimiter: str) -> None:
    content = delimiter.join(["a", "b"]) + "\n" + delimiter.join(["x y", '"1,5|2;5\t0"']) + "\n"

    assert read(file(tmp_path, content.encode())).rows == [{"a": "x y", "b": "1,5|2;5\t0"}]


def test_a_tsv_file_is_parted_by_tabs(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b"a,b\tc\n1,2\t3\n", "rows.tsv")).rows == [{"a,b": "1,2", "c": "3"}]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_may_be_those_of_any_system_and_stand_in_quotes(
    tmp_path: Path, read: Read, ends: str
) -> None:
    content = f'"a{ends}b",c{ends}"x{ends}y",1{ends}'

    assert read(file(tmp_path, content.encode())).rows == [{f"a{ends}b": f"x{ends}y", "c": "1"}]


def test_rows_of_another_width_are_counted_and_left_out(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b"a,b\n1,2\n3\n4,5,6\n7,8\n"))

    assert answer.rows == [{"a": "1", "b": "2"}, {"a": "7", "b": "8"}]
    assert answer.rejected == {"wrong number of fields": 2}


def test_a_file_whose_rows_are_all_broken_still_counts_them(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b"a,b\n1\n2\n"))

    assert answer.rows == []
    assert answer.rejected == {"wrong number of fields": 2}


def test_rows_that_are_not_utf8_are_counted_and_left_out(tmp_path: Path, read: Read) -> None:
    answer = read(file(tmp_path, b"a,b\n1,2\n\xe9,4\n5,\xff\n7,\xc3\xa9\n"))

    assert answer.rows == [{"a": "1", "b": "2"}, {"a": "7", "b": "é"}]
    assert answer.rejected == {"not UTF-8": 2}


def test_a_header_that_is_not_utf8_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(
        UnreadableSourceError, match=r"rows\.csv: its first row is not UTF-8, in the field at byte 2"
    ):
        open_source(file(tmp_path, b"a,caf\xe9\n1,2\n")).schema(Ask())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "it is UTF-16; expected UTF-8"),
        (b"\x89PNG\x00\x01\n", "NUL bytes"),
        (b'a,b\n1,2\n3,"4\n5,6\n7,8\n', "a quote is never closed"),
        (b"a,b\n1,2\n" + b'3,"' + b"x\n" * 9_000_000, "a quote never closed"),
    ],
    ids=["UTF-16", "binary", "open quote", "open quote, megabytes ago"],
)
def test_what_is_no_csv_is_one_clear_error(tmp_path: Path, read: Read, content: bytes, why: str) -> None:
    with pytest.raises(UnreadableSourceError, match=why):
        read(file(tmp_path, content))


def test_a_broken_gzip_file_is_an_error(tmp_path: Path, read: Read) -> None:
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)

    with pytest.raises(UnreadableSourceError, match="Truncated"):
        read(file(tmp_path, whole[: len(whole) // 2], "rows.csv.gz"))


def test_compressed_files_are_told_by_their_bytes(tmp_path: Path, read: Read) -> None:
    content = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")

    for name in ("rows.csv.gz", "rows.csv"):
        assert read(file(tmp_path, content, name)).rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")).rows == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("content", [b"", b"\n\r\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(tmp_path: Path, read: Read, content: bytes) -> None:
    with pytest.raises(EmptySourceError, match="it is empty"):
        read(file(tmp_path, content))


def test_a_header_alone_gives_columns_and_no_rows(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b"a,b\n")

    assert read(path).sizes == []
    assert open_source(path).schema(Ask()).names == ["a", "b"]


def test_blank_lines_are_no_rows(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b"\n\r\na,b\n\n1,2\n\n")).rows == [{"a": "1", "b": "2"}]


def test_two_columns_of_one_name_are_an_error(tmp_path: Path, read: Read) -> None:
    with pytest.raises(DuplicateColumnError, match="two columns are named 'a'"):
        read(file(tmp_path, b"a,b,a\n1,2,3\n"))


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path, read: Read) -> None:
    assert read(file(tmp_path, b",b,\n0,1,2\n")).rows == [{"_c0": "0", "b": "1", "_c2": "2"}]


def test_a_file_without_header_takes_the_names_given(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b"1,x\n2,y\n")

    assert read(path, header=False).rows == [{"_c0": "1", "_c1": "x"}, {"_c0": "2", "_c1": "y"}]
    assert read(path, Ask(positional=["n"]), header=False).rows[0] == {"n": "1", "_c1": "x"}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"1,x\n2,y\n", 2),  # a number, and none of the names: rows from the first
        (b"n,t\n2,y\n", 1),  # the names
        (b"m,t\n2,y\n", 1),  # one of the names
        (b"a,b\n2,y\n", 1),  # no number: other names
        (b"1,2,3\n2,y,z\n", 1),  # another width than the names given
    ],
)
def test_a_header_is_told_from_rows_when_names_are_given(
    tmp_path: Path, read: Read, content: bytes, rows: int
) -> None:
    assert len(read(file(tmp_path, content), Ask(positional=["n", "t"])).rows) == rows
    assert len(read(file(tmp_path, content), Ask(positional=["n", "t"]), header=True).rows) == 1


def test_only_the_columns_asked_for_are_read(tmp_path: Path, read: Read) -> None:
    path = file(tmp_path, b"a,b,c\n1,2,3\n")

    assert read(path, Ask(columns=["c", "a", "nowhere"])).rows == [{"a": "1", "c": "3"}]
    assert read(path, Ask(columns=[])).rows == [{}]


def test_a_large_file_comes_in_batches(tmp_path: Path, read: Read) -> None:
    rows = 600_000
    path = file(tmp_path, b"a,b\n" + b"".join(b"%d,some text that fills\n" % at for at in range(rows)))

    answer = read(path)

    assert len(answer.sizes) > 1
    assert [row["a"] for row in answer.rows[:: rows - 1]] == ["0", str(rows - 1)]
    assert len(answer.rows) == rows


class _Lent:
    """Something that can be referred to weakly."""


def test_reading_ends_only_when_nothing_lent_is_held_by_another_thread() -> None:
    held = [_Lent()]
    lent = [weakref.ref(held[0])]
    holder = threading.Timer(0.05, held.clear)
    holder.start()

    delimited._returned(lent)

    assert lent[0]() is None
    holder.join()
