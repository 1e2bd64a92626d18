import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watchkeep.adapters.sources import files, open_source
from watchkeep.core.errors import (
    EmptySourceError,
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
)
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask

Read = Callable[..., Any]


def parquet(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_a_folder_is_all_its_files_in_order(tmp_path: Path, read: Read) -> None:
    for at in (3, 1, 2):
        parquet(tmp_path / f"{at}" / "part.parquet", n=[at])
    for ignored in ("_SUCCESS", ".hidden.csv", "part.parquet.crc", "_temporary/x.txt", ".git/config"):
        path = tmp_path / "1" / ignored
        path.parent.mkdir(exist_ok=True)
        path.write_text("ignored")

    assert [row["n"] for row in read(tmp_path).rows] == [1, 2, 3]
    assert open_source(tmp_path).name == str(tmp_path)


def test_files_may_have_other_columns_and_types(tmp_path: Path, read: Read) -> None:
    parquet(tmp_path / "1.parquet", a=[1], b=pa.nulls(1))
    parquet(tmp_path / "2.parquet", c=["x"], b=[2.5], a=["y"])

    assert read(tmp_path).rows == [{"a": 1, "b": None}, {"c": "x", "b": 2.5, "a": "y"}]
    schema = open_source(tmp_path).schema(Ask())
    assert [(part.name, str(part.type)) for part in schema] == [
        ("a", "int64"),
        ("b", "double"),
        ("c", "string"),
    ]


def test_partition_folders_are_textual_columns(tmp_path: Path, read: Read) -> None:
    parquet(tmp_path / "day=2024-01-01" / "zone=a%20b" / "x.parquet", n=[1, 2])
    parquet(tmp_path / "day=2024-01-02" / "zone=__HIVE_DEFAULT_PARTITION__" / "x.parquet", n=[3])

    answer = read(tmp_path)

    assert answer.rows == [
        {"n": 1, "day": "2024-01-01", "zone": "a b"},
        {"n": 2, "day": "2024-01-01", "zone": "a b"},
        {"n": 3, "day": "2024-01-02", "zone": None},
    ]
    assert answer.textual == {"day", "zone"}
    schema = open_source(tmp_path).schema(Ask())
    assert [(part.name, part.metadata) for part in schema][1:] == [
        ("day", {b"textual": b"1"}),
        ("zone", {b"textual": b"1"}),
    ]
    assert read(tmp_path, Ask(columns=["day"])).rows[2] == {"day": "2024-01-02"}
    assert len(read(tmp_path, Ask(timestamp="day", window=Window.between("2024-01-02", None))).rows) == 1


def test_a_column_of_the_file_outweighs_a_partition_key(tmp_path: Path, read: Read) -> None:
    parquet(tmp_path / "n=7" / "x.parquet", n=[1])

    assert read(tmp_path).rows == [{"n": 1}]


def test_globs_reach_files_and_folders(tmp_path: Path, read: Read) -> None:
    for day in (1, 2, 3):
        parquet(tmp_path / f"day={day}" / "x.parquet", n=[day])
    (tmp_path / "day=1" / "_SUCCESS").touch()

    for pattern, days in (("day=[12]", "12"), ("day=*/*", "123"), ("**/*.parquet", "123"), ("**", "123")):
        assert [row["day"] for row in read(str(tmp_path / pattern)).rows] == list(days)


def test_a_name_with_the_characters_of_a_glob_is_a_name_first(tmp_path: Path, read: Read) -> None:
    path = parquet(tmp_path / "odd [1] *?=é %41.parquet", n=[1])
    parquet(tmp_path / "odd 1 x.parquet", n=[2])

    assert read(path).rows == [{"n": 1}]


def test_a_url_is_read_like_a_path(tmp_path: Path, read: Read) -> None:
    parquet(tmp_path / "day=1" / "x.parquet", n=[1])
    parquet(tmp_path / "day=2" / "x.parquet", n=[2])
    (tmp_path / "day=2" / "_SUCCESS").touch()
    url = tmp_path.as_uri()

    assert read(url).rows == [{"n": 1, "day": "1"}, {"n": 2, "day": "2"}]
    assert read(f"{url}/day%3D2/x.parquet".replace("%3D", "=")).rows == [{"n": 2}]
    assert read(f"{url}/*/x.parquet").rows[1] == {"n": 2, "day": "2"}
    assert read(f"{url}/**/*.parquet").rows[0] == {"n": 1, "day": "1"}
    assert read(f"{url}/day=1*").rows == [{"n": 1, "day": "1"}]


def test_what_is_not_there_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    parquet(tmp_path / "today.parquet", n=[1])

    with pytest.raises(MissingSourceError, match=r"did you mean '.*today\.parquet'"):
        open_source(tmp_path / "toady.parquet")
    for missing in (
        tmp_path / "no" / "folder",
        f"{tmp_path}/*.csv",
        f"{tmp_path.as_uri()}/x",
        "nowhere://x/y",
    ):
        with pytest.raises(MissingSourceError, match="there is no such source"):
            open_source(missing)
    with pytest.raises(MissingSourceError, match="glob"):
        open_source(f"{tmp_path.as_uri()}/*.csv")


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_SUCCESS").touch()

    with pytest.raises(EmptySourceError, match="the folder holds no data files"):
        open_source(tmp_path)


def test_a_folder_of_two_formats_is_an_error_that_names_the_odd_file(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", n=[1])
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(
        UnreadableSourceError, match=r"mixes formats: .*notes\.txt is csv, .*a\.parquet is parquet"
    ):
        open_source(tmp_path)


def test_an_empty_file_among_others_holds_no_rows(tmp_path: Path, read: Read) -> None:
    (tmp_path / "1.csv").touch()
    (tmp_path / "2.csv").write_text("a\n1\n")

    assert read(tmp_path).rows == [{"a": "1"}]
    assert open_source(tmp_path).schema(Ask()).names == ["a"]
    (tmp_path / "2.csv").write_text("")
    with pytest.raises(EmptySourceError, match="all its files are empty"):
        read(tmp_path)
    with pytest.raises(EmptySourceError, match="all its files are empty"):
        open_source(tmp_path).schema(Ask())


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b' {"a":1}\n', [{"a": 1}]),
        (b'[{"a":1}]', [{"a": 1}]),
    ],
)
def test_a_file_without_suffix_is_told_by_its_bytes(
    tmp_path: Path, read: Read, content: bytes, rows: list[Any]
) -> None:
    path = tmp_path / "export"
    path.write_bytes(content)

    assert read(path).rows == rows


def test_magic_outweighs_the_name(tmp_path: Path, read: Read) -> None:
    assert read(parquet(tmp_path / "wrong.csv", n=[1])).rows == [{"n": 1}]


def test_the_format_can_be_told(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "rows.txt"
    path.write_text('{"a":1}\n')

    assert read(path, format="jsonl").rows == [{"a": 1}]
    with pytest.raises(OptionError, match="did you mean 'parquet'"):
        open_source(path, format="parquets")


def test_bytes_of_no_format_are_an_error(tmp_path: Path) -> None:
    for name, error, content in (
        ("x.bin", UnreadableSourceError, b"\x7fELF\x00\x00"),
        ("y.bin", EmptySourceError, b""),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error, match=name):
            open_source(tmp_path / name)


def test_several_sources_are_one(tmp_path: Path, read: Read) -> None:
    first = parquet(tmp_path / "a.parquet", n=[1])
    second = tmp_path / "b.csv"
    second.write_text("n,m\n2,x\n")

    sources = [first, str(second), pa.table({"k": [3]})]

    assert read(sources).rows == [{"n": 1}, {"n": "2", "m": "x"}, {"k": 3}]
    assert open_source(sources).schema(Ask()).names == ["n", "m", "k"]
    assert open_source(sources).name == f"{first}, {second}, an Arrow table"
    assert open_source([*sources, first]).name.endswith("an Arrow table and 1 more")
    assert read([first]).rows == [{"n": 1}]


@pytest.mark.parametrize("nothing", ["", [], None, 5, {"a": [1]}])
def test_what_is_no_source_is_an_error(nothing: object) -> None:
    with pytest.raises(OptionError, match="expected a path, folder, glob or URL"):
        open_source(nothing)


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "a.parquet", n=[1])

    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("watchkeep.adapters.sources.files.File.open", deny)
    with pytest.raises(UnreadableSourceError, match=r"a\.parquet: permission to read it is denied"):
        open_source(path)


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", n=[1])
    source = open_source(path)
    path.unlink()

    with pytest.raises(MissingSourceError, match="there is no such source"):
        next(source.batches(Ask()))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_standard_input_is_kept_and_read_twice(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "parquet":
        content = parquet(tmp_path / "x", a=[1, 2]).read_bytes()
    else:
        content = b"a\n1\n2\n" if kind == "csv" else b'{"a":1}\n{"a":2}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    source = open_source("-")

    assert source.name == "standard input"
    assert source.schema(Ask()).names == ["a"]
    assert [int(row["a"]) for row in read(source).rows] == [1, 2]
    assert read(source).rows == read(source).rows
    running = source.batches(Ask())
    del source
    assert next(running).rows == 2  # a running read keeps the file
    del running
    assert list(tmp_path.glob("watchkeep-*")) == []


def test_an_empty_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))

    with pytest.raises(EmptySourceError, match="standard input: it is empty"):
        open_source("-")


def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", deny)
    with pytest.raises(UnreadableSourceError, match="permission to read it is denied"):
        open_source(tmp_path)


def test_formats_are_told_by_magic_without_suffix(tmp_path: Path, read: Read) -> None:
    parquet(tmp_path / "1", n=[1])
    parquet(tmp_path / "2", n=[2])

    assert read(tmp_path).rows == [{"n": 1}, {"n": 2}]


def test_the_folder_of_a_delta_table_is_no_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "t" / "_delta_log").mkdir(parents=True)
    (tmp_path / "t" / "a.csv").write_text("n\n1\n")

    with pytest.raises(OptionError, match=r"expected delta:.*as it is a Delta table"):
        open_source(tmp_path / "t")


def test_files_of_more_than_memory_holds_are_not_kept_by_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        pq.write_table(pa.table({"n": list(range(1000))}), tmp_path / f"{name}.parquet")
    forgotten: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, *what: forgotten.append(what))

    def read() -> int:
        return sum(batch.rows for batch in open_source(str(tmp_path)).batches(Ask()))

    assert read() == 2000
    assert forgotten == []
    monkeypatch.setattr(files, "_memory", lambda: 100.0)
    assert read() == 2000
    assert forgotten == [(0, 0, os.POSIX_FADV_DONTNEED)] * 2
