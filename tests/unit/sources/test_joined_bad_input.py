from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.sources.joins import joined, lines, rows_of, table

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import (
    MissingColumnError,
    UnreadableSourceError,
    WatchkeepError,
)
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask


def test_a_column_that_is_nowhere_is_named(tmp_path: Path) -> None:
    good, labels = table(id=[1], p=[0.5]), table(id=[1], y=[1])
    text = open_source(lines(tmp_path / "x.jsonl", {"uid": 1, "z": 2}))

    for predictions, truths, options, missing in [
        (table(idd=[1]), labels, {}, "'id'"),
        (text, labels, {}, "'id'"),
        (good, table(uid=[1], y=[1]), {}, "'id'"),
        (good, labels, {"label": "Y"}, "'Y'"),
        (good, text, {"label_id": "uid"}, "'y'"),
        (good, labels, {"label_id": "uid"}, "'uid'"),
        (good, labels, {"arrival": "seen"}, "'seen'"),
        (good, labels, {"id": "eventId"}, "'eventId'"),
    ]:
        with pytest.raises(MissingColumnError, match=missing):
            list(joined(predictions, truths, **options).batches(Ask()))


def test_no_labels_at_all_leave_every_row_unmatched(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.jsonl").touch()
    (tmp_path / "labels" / "b.jsonl").touch()
    header = tmp_path / "labels.csv"
    header.write_text("id,y\n")
    empty = pa.table({"id": pa.array([], pa.int64()), "y": pa.array([], pa.int64())})

    for labels in (open_source(empty), open_source(tmp_path / "labels"), open_source(header)):
        source = joined(table(id=[1, 2]), labels)

        assert rows_of(source) == [{"id": 1, "y": None}, {"id": 2, "y": None}]
        assert "y" in source.schema(Ask()).names
        assert (source.account().labels, source.account().unmatched) == (0, 2)


def test_labels_that_are_all_missing_or_all_of_others_leave_every_row_unmatched() -> None:
    nulls = table(id=[1, 2], y=pa.nulls(2))
    others = table(id=["x", "y"], y=[1, 2])

    for labels, expected in ((nulls, (2, 0)), (others, (0, 2))):
        source = joined(table(id=[1, 2]), labels)
        assert [row["y"] for row in rows_of(source)] == [None, None]
        account = source.account()
        assert (account.labels_without_value, account.unmatched_labels) == expected
        assert account.match_rate == 0


def test_no_predictions_at_all() -> None:
    source = joined(table(id=pa.array([], pa.int64())), table(id=[1], y=[1]))

    assert rows_of(source) == []
    assert source.account().unmatched_labels == 1
    assert source.account().match_rate != 0


def test_lines_of_labels_that_are_none_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": 1, "y": 1}\nbroken\n')
    source = joined(table(id=[1]), open_source(path))

    assert rows_of(source) == [{"id": 1, "y": 1}]
    assert source.account().rejected_labels == {"not JSON": 1}


def test_ids_and_labels_that_are_lists_are_refused() -> None:
    lists = pa.array([[1], [2]])

    for predictions, labels in (
        (table(id=lists), table(id=[1], y=[1])),
        (table(id=[1]), table(id=lists, y=[1, 2])),
        (table(id=[1]), table(id=[1, 2], y=lists)),
    ):
        with pytest.raises(UnreadableSourceError, match="list<"):
            list(joined(predictions, labels).batches(Ask()))


def test_the_account_of_what_was_not_read_is_an_error() -> None:
    source = joined(table(id=[1]), table(id=[1], y=[1]))

    with pytest.raises(WatchkeepError, match="not read yet"):
        source.account()


def test_predictions_that_change_between_the_two_reads_are_an_error() -> None:
    for sizes in ((3, 2), (3, 4)):
        tables = [pa.table({"id": list(range(size))}) for size in sizes]

        class Changing:
            name = "changing"
            opened = tables

            def schema(self, ask: Ask) -> pa.Schema:
                return self.opened[0].schema

            def batches(self, ask: Ask) -> Iterator[Batch]:
                yield Batch.of(self.opened.pop(0) if len(self.opened) > 1 else self.opened[0])

        with pytest.raises(UnreadableSourceError, match="changed while"):
            list(joined(Changing(), table(id=[1], y=[1])).batches(Ask()))
