from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench import data, floors
from bench.files import Files


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Files:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "GROUP_ROWS", 40)
        patch.setattr(data, "CSV_ROWS", 100)
        return data.make(tmp_path_factory.mktemp("data"), 100)


@pytest.mark.parametrize("way", sorted(set(floors.WAYS) - {"decode_csv", "duckdb_summarize"}))
def test_every_way_sees_every_row(small: Files, way: str) -> None:
    assert floors.WAYS[way](str(small.current)) == 100


def test_summarize_sees_every_column(small: Files) -> None:
    assert floors.duckdb_summarize(str(small.current)) == 40


def test_csv_is_decoded_to_the_last_row(small: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert floors.main("decode_csv", str(small.text(small.current))) == 0

    assert capsys.readouterr().out == "100\n"


def test_strings_are_read_as_dictionaries_and_ids_are_not(
    small: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, pa.DataType] = {}
    read = pq.ParquetFile.read_row_group

    def watched(file: object, *arguments: object, **options: object) -> pa.Table:
        table = read(file, *arguments, **options)
        seen.update(zip(table.schema.names, table.schema.types, strict=True))
        return table

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", watched)

    floors.decode_columns(str(small.current))

    dictionaries = {name for name, kind in seen.items() if pa.types.is_dictionary(kind)}
    assert dictionaries == {column.name for column in data.INDEPENDENT if column.words}
    assert seen["id"] == pa.string()
    assert len(seen) == 40


def test_decoding_a_file_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        floors.decode_columns(str(tmp_path / "none.parquet"))
