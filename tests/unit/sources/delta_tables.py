"""Delta tables for tests: written by their library, and by hand where it cannot write what it can read."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyroaring import BitMap
from tests.unit.sources.lakes import Rows, days

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_VECTOR = 1_681_511_377


def made(folder: Path, *tables: pa.Table, **options: Any) -> Path:
    for table in tables:
        write_deltalake(folder, table, mode="append", schema_mode="merge", **options)
    return folder


def commits(table: Path) -> list[Path]:
    """The files of a Delta log, the oldest first."""
    return sorted((table / "_delta_log").glob("*.json"))


def actions(table: Path, kind: str) -> list[dict[str, Any]]:
    """The actions of one kind in a Delta log."""
    lines = [json.loads(line) for file in commits(table) for line in file.read_text().splitlines()]
    return [line[kind] for line in lines if kind in line]


def commit(table: Path, *lines: Mapping[str, object]) -> None:
    """Add a version to a Delta table."""
    name = f"{len(commits(table)):020}.json"
    (table / "_delta_log" / name).write_text("\n".join(json.dumps(line) for line in lines))


def with_features(*features: str) -> dict[str, object]:
    """The action that says what readers of a Delta table must know."""
    return {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": [*features],
            "writerFeatures": [*features],
        }
    }


def delete_by_vector(table: Path, gone: Mapping[str, Sequence[int]]) -> None:
    """Delete rows of a Delta table by deletion vectors, which its library reads and does not write.

    Args:
        table: the table.
        gone: positions of rows by the path of their file in the log.
    """
    lines: list[dict[str, object]] = [with_features("deletionVectors")]
    for add in actions(table, "add"):
        if add["path"] in gone:
            told = {key: value for key, value in add.items() if value is not None}
            vector = {"deletionVector": _vector(gone[add["path"]])}
            removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
            lines += [{"remove": removed}, {"add": {**told, **vector}}]
    commit(table, *lines)


def _vector(rows: Sequence[int]) -> dict[str, object]:
    data = struct.pack("<iqi", _VECTOR, 1, 0) + BitMap(rows).serialize()
    padded = data + b"\0" * (-len(data) % 4)
    words = [int.from_bytes(padded[at : at + 4], "big") for at in range(0, len(padded), 4)]
    text = "".join(_DIGITS[word // 85**place % 85] for word in words for place in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(data), "cardinality": len(rows)}


def delta_rows(table: Path) -> Rows:
    """What the table's own library reads."""
    rows: Rows = pa.table(DeltaTable(table).scan()).to_pylist()
    return rows


def with_deletions(folder: Path) -> Path:
    """Two files of 40 rows each, a day a row, of which each has lost some."""
    for part in range(2):
        rows = pa.table(
            {"n": range(part * 40, part * 40 + 40), "at": days(*([1 + part] * 20 + [3 + part] * 20))}
        )
        write_deltalake(folder, rows, mode="append", partition_by=[])
    first, second = sorted(add["path"] for add in actions(folder, "add"))
    delete_by_vector(folder, {first: [0, 1, 39], second: [20]})
    return folder
