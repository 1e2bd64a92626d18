from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from bench import data
from bench.files import Which, files


def test_the_same_rows_come_out_every_time() -> None:
    assert data.group("current", 3, 200, total=1000).equals(data.group("current", 3, 200, total=1000))


@pytest.mark.parametrize(("which", "index"), [("current", 0), ("reference", 1)])
def test_the_other_file_and_the_next_row_group_hold_other_rows(which: Which, index: int) -> None:
    first, other = data.group("reference", 0, 50, total=100), data.group(which, index, 50, total=100)

    same = [name for name in first.schema.names if first[name].equals(other[name])]

    assert same == []


def test_there_are_forty_columns_of_the_promised_types() -> None:
    schema = data.group("reference", 0, 5, total=5).schema

    assert Counter(str(field.type) for field in schema) == {
        "double": 22,
        "int64": 7,
        "string": 9,
        "bool": 1,
        "timestamp[us, tz=UTC]": 1,
    }


def test_the_current_rows_have_drifted_where_they_should_and_nowhere_else() -> None:
    reference, current = (data.group(which, 0, 20_000, total=20_000) for which in ("reference", "current"))

    def moved(name: str) -> float:
        before, after = (np.array(table[name].drop_null()) for table in (reference, current))
        return float((after.mean() - before.mean()) / before.std())

    assert moved("normal_1") == pytest.approx(0.5, abs=0.05)
    assert moved("normal_0") == pytest.approx(0, abs=0.05)
    assert reference["normal_3"].null_count / 20_000 == pytest.approx(0.02, abs=0.01)
    assert current["normal_3"].null_count / 20_000 == pytest.approx(0.10, abs=0.01)
    fresh = set(current["channel"].unique().to_pylist()) - set(reference["channel"].unique().to_pylist())
    assert fresh == {"channel-0012"}


def test_ids_differ_and_times_rise_within_their_month() -> None:
    reference, current = (data.group(which, 0, 2_000, total=2_000) for which in ("reference", "current"))

    ids = pa.chunked_array([*reference["id"].chunks, *current["id"].chunks])
    times = reference["at"].to_pylist()
    assert pc.count_distinct(ids).as_py() == 4_000
    assert times == sorted(set(times))
    assert times[-1] < current["at"][0].as_py()


def test_a_file_is_its_row_groups_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "GROUP_ROWS", 50)

    made = data.make(tmp_path, 120)

    file = pq.ParquetFile(made.current)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [50, 50, 20]
    assert file.read().equals(pa.concat_tables(data.groups("current", 120)))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [made.reference.name, made.current.name]
    )


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    wanted = files(tmp_path, 7)
    wanted.current.write_text("made before")

    data.make(tmp_path, 7)

    assert wanted.current.read_text() == "made before"
    assert pq.read_metadata(wanted.reference).num_rows == 7


def test_one_size_is_written_as_csv_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CSV_ROWS", 30)

    made = data.make(tmp_path, 30)

    text = pa.csv.read_csv(made.text(made.current))
    assert text.shape == (30, 40)
    assert text["score"].to_pylist() == pq.read_table(made.current)["score"].to_pylist()


def test_the_command_makes_every_size_named(tmp_path: Path) -> None:
    assert data.main([str(tmp_path), "3", "4"]) == 0

    assert sorted(pq.read_metadata(path).num_rows for path in tmp_path.iterdir()) == [3, 3, 4, 4]
