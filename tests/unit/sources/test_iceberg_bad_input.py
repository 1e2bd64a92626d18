import sys
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.sources.iceberg_tables import (
    catalog,
    delete_by_position,
    files_of,
    folder_of,
    made,
    with_deletions,
)
from tests.unit.sources.lakes import rows_of

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.iceberg import of_iceberg
from watchkeep.core.errors import (
    EmptySourceError,
    MissingExtraError,
    MissingSourceError,
    OptionError,
    SourceError,
    UnreadableSourceError,
)
from watchkeep.frames.batches import DAMAGED


def test_a_file_of_deletions_that_is_gone_or_damaged_is_named(tmp_path: Path) -> None:
    metadata, _ = with_deletions(tmp_path / "parquet", "PARQUET")
    (metadata.parent / "gone0").unlink()
    with pytest.raises(UnreadableSourceError, match="/gone0: its table says that it is there, and it is not"):
        rows_of(open_source(f"iceberg:{metadata}"))

    metadata, _ = with_deletions(tmp_path / "puffin", "PUFFIN")
    (metadata.parent / "gone1").write_bytes(b"garbage")
    with pytest.raises(UnreadableSourceError, match="/gone1: Incorrect magic bytes"):
        rows_of(open_source(f"iceberg:{metadata}"))


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("EQUALITY", "rows of it are deleted by the values they hold, which cannot be read here"),
        ("ORC", "its deleted rows are in ORC files, such as"),
    ],
)
def test_deletions_that_we_cannot_read_are_named_with_what_to_do(tmp_path: Path, form: str, why: str) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2]}))
    metadata = delete_by_position(table, {files_of(table)[0]: [0]}, form=form)

    with pytest.raises(UnreadableSourceError, match=f"{why}.*spark.table:"):
        open_source(f"iceberg:{metadata}")


def test_a_table_without_rows_is_an_error_that_says_so(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1]}))
    table.delete("n = 1")

    with pytest.raises(EmptySourceError, match=r"the table holds no rows$"):
        open_source(f"iceberg:{folder_of(table)}")
    with catalog(tmp_path / "other") as opened:
        never = opened.create_table("db.never", pa.schema([("n", pa.int64())]))
    with pytest.raises(EmptySourceError, match=r"the table holds no rows$"):
        open_source(f"iceberg:{folder_of(never)}")


@pytest.mark.parametrize("name", ["nothing/here", "folder/", "folder/x.metadata.json"])
def test_a_table_that_is_not_there_is_an_error_that_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(
        MissingSourceError, match=r"expected an Iceberg table, which is a folder that holds metadata/\*"
    ):
        open_source(f"iceberg:{tmp_path / name}")


@pytest.mark.parametrize(
    "name", ["", "lake", "lake.rides", "a.b.c?snapshots=1", "a.b.c?snapshot", "a.b.c?version=1"]
)
def test_a_name_that_is_spelled_otherwise_is_an_error(name: str) -> None:
    with pytest.raises(OptionError, match=r"an iceberg source: got 'iceberg:.*expected iceberg:CATALOG"):
        open_source(f"iceberg:{name}")


def test_a_snapshot_is_a_number(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1]}))

    with pytest.raises(OptionError, match="snapshot: got 'x'"):
        open_source(f"iceberg:{folder_of(table)}?snapshot=x")


def test_damaged_metadata_is_one_clear_error(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1]}))
    file = Path(table.metadata_location.removeprefix("file://"))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    lists = Path(snapshot.manifest_list.removeprefix("file://"))
    for path in (file, lists, next(file.parent.glob("*-m0.avro"))):
        whole = path.read_bytes()
        for content in (b"garbage", b"", whole[: len(whole) // 2], b'{"format-version": 9}', b"\xff\xfe\x00"):
            path.write_bytes(content)
            with pytest.raises(SourceError) as raised:
                rows_of(open_source(f"iceberg:{file}"))
            assert "\n" not in str(raised.value)
        path.unlink()
        with pytest.raises(SourceError):
            rows_of(open_source(f"iceberg:{file}"))
        path.write_bytes(whole)
    assert rows_of(open_source(f"iceberg:{file}")) == [{"n": 1}]


def test_a_file_that_is_gone_is_named_and_its_rows_are_counted(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2]}))
    (gone,) = files_of(table)
    Path(gone.removeprefix("file://")).unlink()
    source = of_iceberg(f"iceberg:{folder_of(table)}")

    with pytest.raises(
        UnreadableSourceError, match="its table says that it is there, and it is not"
    ) as raised:
        rows_of(source)

    assert dict(source.lost(raised.value).rejected) == {DAMAGED: 2}


def test_a_library_that_is_not_installed_is_an_error_that_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    monkeypatch.setitem(sys.modules, "pyiceberg.io", None)
    monkeypatch.setitem(sys.modules, "pyiceberg.io.pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[iceberg\]'"):
        open_source(f"iceberg:{tmp_path}")
