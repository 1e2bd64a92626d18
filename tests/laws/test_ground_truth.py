"""Laws of the join of predictions with labels: order, files and formats change nothing, and nothing is lost."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.adapters.sources.keys import key_texts
from watchkeep.core.window import Window
from watchkeep.service.joining import DUPLICATE, JoinAccount
from watchkeep.service.ports import Ask, Source

Row: TypeAlias = "dict[str, Any]"
PREDICTIONS = pa.schema([("id", pa.string()), ("n", pa.int64()), ("t", pa.int64())])
LABELS = pa.schema([("id", pa.string()), ("y", pa.string()), ("seen", pa.int64())])
ASK = Ask(timestamp="t")

ids = st.one_of(
    st.integers(0, 6).map(str),
    st.sampled_from(["1.0", "2.00", "01", "'", '"', "a\nb", "é", "e\u0301", "\x00", "", None]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
)


def numbered(name: str, rows: Sequence[Row]) -> list[Row]:
    """The rows, each with a time of its own in an order that has nothing to do with theirs."""
    return [{**row, name: (at * 7919) % 1009} for at, row in enumerate(rows)]


predictions = st.lists(st.fixed_dictionaries({"id": ids, "n": st.integers(0, 9)}), max_size=25).map(
    lambda rows: numbered("t", rows)
)
labels = st.lists(
    st.fixed_dictionaries({"id": ids, "y": st.sampled_from(["0", "1", "1.0", "true", "b", None])}),
    max_size=25,
).map(lambda rows: numbered("seen", rows))


def joined(served: Source, truth: Source, ask: Ask = ASK) -> tuple[Counter[str], JoinAccount, Counter[str]]:
    """The rows as a multiset, the account, and what was rejected."""
    source = JoinedSource(served, truth, id="id", label="y", arrival="seen")
    rows, rejected = Counter[str](), Counter[str]()
    for batch in source.batches(ask):
        columns = [batch.column(name).to_pylist() for name in batch.names]
        named = (dict(zip(batch.names, row, strict=True)) for row in zip(*columns, strict=True))
        rows.update(json.dumps({name: row[name] and str(row[name]) for name in sorted(row)}) for row in named)
        rejected.update(batch.rejected)
    return rows, source.account(), rejected


def table(rows: Sequence[Row], schema: pa.Schema) -> Source:
    return open_source(pa.Table.from_pylist(list(rows), schema))


def parquet(folder: Path, rows: Sequence[Row], schema: pa.Schema, cuts: Sequence[int]) -> Source:
    """The rows in files of their own, in folders whose names sort anyhow."""
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for at, (start, end) in enumerate(pairwise(bounds)):
        part = folder / f"{(at * 3) % 5}"
        part.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist(list(rows[start:end]), schema), part / f"{at}.parquet", row_group_size=3
        )
    return open_source(folder)


def key(row: Row) -> str | None:
    (text,) = key_texts(pa.array([row["id"]], pa.string()), column="id", source="x").to_pylist()
    return str(text) if text is not None else None


def by_hand(served: Sequence[Row], truth: Sequence[Row]) -> tuple[Counter[str], Mapping[str, int]]:
    """The same join as plainly as it can be written."""

    def same(label: str) -> str:
        return {"true": "1", "1.0": "1"}.get(label, label)

    known: dict[str, list[Row]] = {}
    for row in sorted(truth, key=lambda row: int(row["seen"])):
        if key(row) is not None and row["y"] is not None:
            known.setdefault(str(key(row)), []).append(row)
    last = {key(row): row for row in sorted(served, key=lambda row: int(row["t"]))}
    kept = [row for row in served if key(row) is None or last[key(row)] is row]
    rows = Counter[str]()
    for row in kept:
        label = known[str(key(row))][-1]["y"] if key(row) is not None and str(key(row)) in known else None
        full = {**row, "y": label}
        rows.update([json.dumps({name: full[name] and str(full[name]) for name in sorted(full)})])
    lost = [(one["y"], found[-1]["y"]) for found in known.values() for one in found[:-1]]
    matched = sum(key(row) in known for row in kept)
    return rows, {
        "predictions": len(kept),
        "matched": matched,
        "unmatched": len(kept) - matched,
        "labels": len(truth),
        "duplicate_labels": sum(same(one) == same(winner) for one, winner in lost),
        "changed_labels": sum(same(one) != same(winner) for one, winner in lost),
        "unmatched_labels": len(known) - matched,
        "labels_without_id": sum(key(row) is None for row in truth),
        "labels_without_value": sum(key(row) is not None and row["y"] is None for row in truth),
        "predictions_without_id": sum(key(row) is None for row in served),
        "duplicate_predictions": len(served) - len(kept),
    }


@settings(max_examples=40, deadline=None)
@given(predictions, labels)
def test_the_join_is_the_one_written_by_hand(served: list[Row], truth: list[Row]) -> None:
    rows, account, rejected = joined(table(served, PREDICTIONS), table(truth, LABELS))

    expected, counts = by_hand(served, truth)
    assert rows == expected
    assert {name: getattr(account, name) for name in counts} == counts
    assert rejected.get(DUPLICATE, 0) == account.duplicate_predictions


@settings(max_examples=20, deadline=None)
@given(
    predictions,
    labels,
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 25), max_size=3),
    st.lists(st.integers(0, 25), max_size=3),
)
def test_neither_the_order_of_rows_nor_their_files_change_anything(
    served: list[Row], truth: list[Row], random: Any, cuts: list[int], more: list[int]
) -> None:
    whole = joined(table(served, PREDICTIONS), table(truth, LABELS))
    random.shuffle(served)
    random.shuffle(truth)
    with TemporaryDirectory() as home:
        split = parquet(Path(home, "p"), served, PREDICTIONS, cuts)
        assert joined(split, parquet(Path(home, "l"), truth, LABELS, more)) == whole


@settings(max_examples=20, deadline=None)
@given(predictions, labels, st.integers(0, 1009))
def test_two_windows_together_hold_the_rows_of_both(served: list[Row], truth: list[Row], cut: int) -> None:
    alone = list({key(row) or f"none {row['t']}": row for row in served}.values())
    source, labelled = table(alone, PREDICTIONS), table(truth, LABELS)
    at = f"1970-01-01T00:{cut // 60:02}:{cut % 60:02}Z"

    whole, account, _ = joined(source, labelled, replace(ASK, window=Window.between("1970-01-01", None)))
    before, first, _ = joined(source, labelled, replace(ASK, window=Window.between(None, at)))
    after, then, _ = joined(source, labelled, replace(ASK, window=Window.between(at, None)))

    assert first.labels == then.labels == account.labels
    assert before + after == whole
    assert first.matched + then.matched == account.matched
    assert first.predictions + then.predictions == account.predictions == len(alone)


@settings(max_examples=20, deadline=None)
@given(predictions, labels)
def test_no_delay_is_lost_or_made_up(served: list[Row], truth: list[Row]) -> None:
    twice = [{**row, "seen_again": row["seen"]} for row in truth if row["y"] is not None]
    schema = pa.schema([*LABELS, ("seen_again", pa.int64())])
    source = JoinedSource(
        table(served, PREDICTIONS), table(twice, schema), id="id", label="seen_again", arrival="seen"
    )

    delays: list[float] = []
    for batch in source.batches(ASK):
        pairs = zip(batch.column("seen_again"), batch.column("t"), strict=True)
        delays += [seen.as_py() - event.as_py() for seen, event in pairs if seen.is_valid]

    found = source.account().delay
    if not delays:
        assert found is None
        return
    assert found is not None
    delays.sort()
    assert (found.rows, found.max, found.negative) == (len(delays), delays[-1], sum(d < 0 for d in delays))
    assert found.median == delays[(len(delays) - 1) // 2]
    assert sum(delay <= found.p95 for delay in delays) >= 0.95 * len(delays)
    assert sum(delay < found.p95 for delay in delays) < 0.95 * len(delays)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(st.integers(-(2**53), 2**53), st.integers(0, 9).map(lambda n: n / 2)), max_size=12))
def test_ids_are_the_same_whatever_format_they_come_in(numbers: list[float]) -> None:
    doubles = pa.array([float(number) for number in numbers], pa.float64())
    served = open_source(pa.table({"id": doubles}))
    expected = len({float(number) for number in numbers})
    with TemporaryDirectory() as home:
        lines = Path(home, "labels.jsonl")
        lines.write_text("".join(json.dumps({"id": n, "y": 1}) + "\n" for n in numbers) or "\n")
        csv = Path(home, "labels.csv")
        csv.write_text("id,y\n" + "".join(f"{n},1\n" for n in numbers))
        for path in (lines, csv):
            source = JoinedSource(served, open_source(path), id="id", label="y")
            rejected = sum(batch.rejected.get(DUPLICATE, 0) for batch in source.batches(Ask()))
            assert source.account().matched == expected
            assert rejected == len(numbers) - expected
