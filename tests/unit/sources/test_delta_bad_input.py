import sys
from pathlib import Path
from typing import Self

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from tests.unit.sources.delta_tables import actions, commit, commits, made, with_features
from tests.unit.sources.lakes import rows_of

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import (
    EmptySourceError,
    MissingExtraError,
    MissingSourceError,
    OptionError,
    SourceError,
    UnreadableSourceError,
)
from watchkeep.frames.batches import Batch
from watchkeep.service.folding import Fold, Local
from watchkeep.service.ports import Ask, Silent


def test_a_feature_that_we_cannot_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}))
    commit(lake, with_features("variantType"))
    with pytest.raises(
        UnreadableSourceError, match=r"it uses variantType, which cannot be read here.*spark.table:"
    ):
        open_source(f"delta:{lake}")

    commit(lake, with_features("featureOfTheFuture"))
    with pytest.raises(UnreadableSourceError, match=r"featureOfTheFuture.*spark.table:"):
        open_source(f"delta:{lake}")


def test_a_table_without_rows_is_an_error_that_says_so(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}))
    DeltaTable(lake).delete()

    with pytest.raises(EmptySourceError, match="version 1 of the table holds no rows"):
        open_source(f"delta:{lake}")


def test_a_table_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    for name in ("nothing", "folder"):
        with pytest.raises(
            MissingSourceError, match="expected a Delta table, which is a folder that holds a _delta"
        ):
            open_source(f"delta:{tmp_path / name}")


def test_a_version_that_is_not_there_is_an_error_that_names_the_newest(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}), pa.table({"n": [2]}))

    with pytest.raises(UnreadableSourceError, match=r"the table has no version 12; its newest is 1$"):
        open_source(f"delta:{lake}?version=12")


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("{}?version=x", "version: got 'x'"),
        ("{}?version=-1", "version: got '-1'"),
        ("{}?timestamp=soon", "timestamp: got 'soon'"),
        ("{}?versions=1", "a delta source: got"),
        ("{}?version", "a delta source: got"),
        ("{}?version=1&timestamp=2024-01-01", "version: got"),
        ("", "a delta source: got 'delta:'"),
    ],
)
def test_a_name_that_is_spelled_otherwise_is_an_error(tmp_path: Path, name: str, option: str) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}))

    with pytest.raises(OptionError, match=option):
        open_source("delta:" + name.format(lake))


def test_a_damaged_log_is_one_clear_error(tmp_path: Path) -> None:
    lake = made(tmp_path, *(pa.table({"n": [at]}) for at in range(3)))
    whole = commits(lake)[1].read_bytes()

    for content in (b"garbage", whole[: len(whole) // 2], b'{"add": {"path": 7}}', b"\xff\xfe\x00"):
        commits(lake)[1].write_bytes(content)
        with pytest.raises(SourceError) as raised:
            rows_of(open_source(f"delta:{lake}"))
        assert "\n" not in str(raised.value)
    commits(lake)[1].unlink()
    with pytest.raises(
        UnreadableSourceError, match="its log cannot be read: Expected contiguous commit files"
    ):
        open_source(f"delta:{lake}")


class Skips:
    """Which files were left out, and how many rows they had."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.rows = self.lost = 0

    def add(self, batch: Batch) -> None:
        self.files |= batch.skipped
        self.rows += batch.rows
        self.lost += sum(batch.rejected.values())

    def merge(self, *others: Self) -> Self:
        for other in others:
            self.files |= other.files
            self.rows, self.lost = self.rows + other.rows, self.lost + other.lost
        return self


def test_a_file_that_is_gone_is_named_and_its_rows_are_counted(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1, 2]}), pa.table({"n": [3]}))
    gone = lake / actions(lake, "add")[0]["path"]
    gone.unlink()
    source = open_source(f"delta:{lake}")

    with pytest.raises(
        UnreadableSourceError, match="its table says that it is there, and it is not"
    ) as raised:
        rows_of(source)
    assert str(gone) in str(raised.value)

    skips = Local(skip=True).fold(source, Ask(), Fold.surveying(Skips), progress=Silent(), what="reading")
    assert (list(skips.files), skips.rows, skips.lost) == ([str(gone)], 1, 2)


def test_a_library_that_is_not_installed_is_an_error_that_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "deltalake", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[delta\]'"):
        open_source(f"delta:{tmp_path}")
