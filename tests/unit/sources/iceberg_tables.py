"""Iceberg tables for tests: written by their library, and by hand where it cannot write what it can read."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.table import StaticTable, Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyroaring import BitMap
from tests.unit.sources.lakes import days

_PATH = 2_147_483_546  # the id of the field `file_path` in files of position deletes


def catalog(folder: Path, *, name: str = "lake") -> SqlCatalog:
    """An Iceberg catalog in a folder, with the namespace `db`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = SqlCatalog(name, uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=f"file://{folder}")
    made.create_namespace_if_not_exists("db")
    return made


def made(folder: Path, *tables: pa.Table, by: str | None = None, **properties: str) -> Table:
    with catalog(folder) as opened:
        table = opened.create_table("db.rides", tables[0].schema, properties=properties)
        if by is not None:
            with table.update_spec() as spec:
                spec.add_field(by, IdentityTransform(), by)
        for rows in tables:
            table.append(rows)
    return table


def files_of(table: Table) -> list[str]:
    return sorted(task.file.file_path for task in table.scan().plan_files())


def folder_of(table: Table) -> Path:
    """Where an Iceberg table lies."""
    return Path(table.location().removeprefix("file://"))


class _Deletes(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def delete_by_position(table: Table, gone: Mapping[str, Sequence[int]], *, form: str = "PARQUET") -> Path:
    """Delete rows of an unpartitioned Iceberg table, by files that its library reads and does not write.

    Args:
        table: the table.
        gone: positions of rows by the path of their file.
        form: PARQUET, PUFFIN or ORC; or EQUALITY, for deletes by values, which nobody is to read.

    Returns:
        The new metadata file.
    """
    told = {path: rows for path, rows in gone.items() if rows}
    is_puffin = form == "PUFFIN"
    write = _puffin if is_puffin else _positions
    metadata = folder_of(table) / "metadata"
    files = [
        _deletes(write(metadata / f"gone{at}", {path: rows}), form, len(rows), path)
        for at, (path, rows) in enumerate(told.items())
    ]
    return _committed(table, files)


def _positions(path: Path, gone: Mapping[str, Sequence[int]]) -> Path:
    pairs = [(name, row) for name, rows in gone.items() for row in rows]
    names, rows = zip(*pairs, strict=True)
    # A file may list the rows of others too.
    listed = pa.table({"file_path": ["elsewhere", *names], "pos": pa.array([0, *rows], pa.int64())})
    pq.write_table(listed, path)
    return path


def _puffin(path: Path, gone: Mapping[str, Sequence[int]]) -> Path:
    content, blobs = b"PFA1", []
    for name, rows in gone.items():
        bitmaps = struct.pack("<qi", 1, 0) + BitMap(rows).serialize()
        blob = struct.pack(">i", len(bitmaps) + 4) + b"\xd1\xd3\x39\x64" + bitmaps + bytes(4)
        place = {"offset": len(content), "length": len(blob), "snapshot-id": -1, "sequence-number": -1}
        told = {"referenced-data-file": name, "cardinality": str(len(rows))}
        blobs.append({"type": "deletion-vector-v1", "fields": [_PATH], **place, "properties": told})
        content += blob
    footer = json.dumps({"blobs": blobs}).encode()
    path.write_bytes(content + b"PFA1" + footer + struct.pack("<i", len(footer)) + bytes(4) + b"PFA1")
    return path


def _deletes(path: Path, form: str, rows: int, of: str) -> DataFile:
    by_value = form == "EQUALITY"
    bound = {_PATH: of.encode()}
    return DataFile.from_args(
        content=DataFileContent.EQUALITY_DELETES if by_value else DataFileContent.POSITION_DELETES,
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET if by_value else FileFormat[form],
        partition=Record(),
        record_count=rows,
        file_size_in_bytes=path.stat().st_size,
        lower_bounds=bound,
        upper_bounds=bound,
        equality_ids=[1] if by_value else None,
        spec_id=0,
    )


def _committed(table: Table, files: Sequence[DataFile]) -> Path:
    """A snapshot more of a table, which deletes by these files."""
    folder, snapshot = folder_of(table) / "metadata", 7_777_777
    old = table.current_snapshot()
    assert old is not None
    number = table.last_sequence_number + 1
    manifest = table.io.new_output(f"file://{folder}/deletes.avro")
    with _Deletes(table.spec(), table.schema(), manifest, snapshot, "null") as writer:
        for file in files:
            entry = ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=snapshot, data_file=file
            )
            writer.add_entry(entry)
    listed = table.io.new_output(f"file://{folder}/snap-{snapshot}.avro")
    with write_manifest_list(2, listed, snapshot, old.snapshot_id, number, "null") as lists:
        lists.add_manifests([*old.manifests(table.io), writer.to_manifest_file()])
    document = json.loads(table.metadata.model_dump_json())
    document["snapshots"].append(
        {
            "snapshot-id": snapshot,
            "parent-snapshot-id": old.snapshot_id,
            "sequence-number": number,
            "timestamp-ms": document["last-updated-ms"] + 1,
            "manifest-list": f"file://{folder}/snap-{snapshot}.avro",
            "summary": {"operation": "delete"},
            "schema-id": document["current-schema-id"],
        }
    )
    document |= {"current-snapshot-id": snapshot, "last-sequence-number": number}
    document["refs"]["main"]["snapshot-id"] = snapshot
    document["last-updated-ms"] += 1
    path = folder / "99999-deleted.metadata.json"
    path.write_text(json.dumps(document))
    return path


def with_deletions(folder: Path, form: str) -> tuple[Path, list[dict[str, Any]]]:
    """Two files of 40 rows each, of which each has lost some; its metadata, and what its own library reads."""
    parts = [
        pa.table({"n": range(part * 40, part * 40 + 40), "at": days(*([1 + part] * 20 + [3 + part] * 20))})
        for part in range(2)
    ]
    table = made(folder, *parts, **{"write.parquet.row-group-limit": "7"})
    first, second = files_of(table)
    metadata = delete_by_position(table, {first: [0, 1, 39], second: [20]}, form=form)
    return metadata, StaticTable.from_metadata(str(metadata)).scan().to_arrow().to_pylist()
