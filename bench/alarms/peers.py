"""Real peers: each looks at all windows of a baseline in its own interpreter, started once for them."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench import environments
from bench.alarms.columns import categorical, numbers, numeric
from bench.alarms.readings import Reading, Readings
from bench.environments import Peer, surroundings
from bench.measure import CommandError, Job, run

ALIBI: Final = Peer(
    name="alibi-detect",
    does="TabularDrift",
    requirements=("alibi-detect", "numpy<2", "pandas<3", "pyarrow<20", "setuptools<81"),
)

PEERS: Final[Mapping[str, Peer]] = MappingProxyType(
    {peer.name: peer for peer in (ALIBI, *environments.PEERS)}
)
"""By name; all but one are those of the benchmark of costs, in the same environments."""


def worker(peer: Peer) -> str:
    """The module that its interpreter runs.

    >>> worker(ALIBI)
    'bench.alarms.workers.with_alibi_detect'
    """
    return f"bench.alarms.workers.with_{peer.name.replace('-', '_')}"


def ask(
    name: str,
    pythons: Mapping[str, Path],
    reference: pd.DataFrame,
    windows: Iterable[pd.DataFrame],
    *,
    scratch: Path,
    limit: float,
) -> list[Readings]:
    """What a peer says of windows.

    Args:
        name: the peer's.
        pythons: interpreters by peer.
        reference: the baseline's rows.
        windows: rows, one frame each, all with as many rows.
        scratch: a folder to exchange files in.
        limit: seconds it may take.

    Raises:
        CommandError: it is not installed, fails, or takes too long.
    """
    if name not in pythons:
        raise CommandError(f"{name} is not installed")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        home = Path(folder)
        names = {"numeric": numeric(reference), "categorical": categorical(reference)}
        (home / "columns.json").write_text(json.dumps(names))
        _write(home / "reference.parquet", [reference], names)
        _write(home / "windows.parquet", windows, names)
        peer = PEERS[name]
        job = Job(
            name=name,
            command=(str(pythons[name]), "-m", worker(peer), str(home)),
            limit=limit,
            environment=surroundings(peer),
        )
        run(job, scratch=scratch)
        told = json.loads((home / "readings.json").read_text())
    return [
        {tool: Reading(each["level"], each["columns"]) for tool, each in readings.items()}
        for readings in told
    ]


def _write(path: Path, frames: Iterable[pd.DataFrame], names: Mapping[str, list[str]]) -> None:
    """Frames as Parquet, one row group each: doubles and strings, as all of these tools can read them."""
    fields = [(name, pa.float64()) for name in names["numeric"]]
    fields += [(name, pa.string()) for name in names["categorical"]]
    schema = pa.schema(fields)
    with pq.ParquetWriter(path, schema) as writer:
        for frame in frames:
            arrays = [pa.array(numbers(frame[name]), from_pandas=True) for name in names["numeric"]]
            arrays += [_texts(frame[name]) for name in names["categorical"]]
            table = pa.table(arrays, schema=schema)
            writer.write_table(table, row_group_size=max(1, table.num_rows))


def _texts(values: pd.Series) -> pa.Array:
    present = values.notna().to_numpy(np.bool_)
    return pa.array(values.astype(str).to_numpy(object), pa.string(), mask=~present)
