"""Records as a table: a row for each row that a request asked about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.adapters.captures.bodies import Bodies, Side, columns_of, one_by_one
from watchkeep.adapters.captures.merging import differing, in_order
from watchkeep.adapters.sources.stored.columns import (
    EVENT_ID,
    INFERENCE_ID,
    INPUT,
    OUTPUT,
    OWN,
    PROBLEM,
    ROW,
    ROWS,
    TIME,
    WEIGHT,
    free_name,
)
from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.record import CODED, NUMBERS, TEXTS, Block
from watchkeep.frames.buffers import strings

Places = npt.NDArray[np.int64]

NO_ROWS: Final = "payload holds no rows"
UNPAIRED: Final = "input and output have different numbers of rows"
NO_ANSWER: Final = "no answer"


@dataclass(frozen=True, slots=True)
class Records:
    """Records column by column.

    Args:
        texts: the columns of text, shape (records,) each.
        numbers: the columns of numbers, shape (records,) each.
        bodies: of the sides `input` and `output`; empty ones where they were not captured.
        there: whether they were captured, shape (records,) each.
    """

    texts: Mapping[str, Sequence[str]]
    numbers: Mapping[str, npt.NDArray[Any]]
    bodies: Mapping[str, Bodies]
    there: Mapping[str, npt.NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.numbers["time"])

    def groups(self) -> "Iterator[tuple[tuple[str, str], Records]]":
        """The records of each endpoint and variant."""
        keys = list(zip(self.texts["endpoint"], self.texts["variant"], strict=True))
        different = dict.fromkeys(keys)
        if len(different) == 1:
            yield keys[0], self
            return
        for key in different:
            yield key, self.take(np.array([at for at, own in enumerate(keys) if own == key], np.int64))

    def take(self, places: Places) -> "Records":
        """Some of the records."""
        bodies = {}
        for side, held in self.bodies.items():
            pieces = [held.at(int(at)) for at in places]
            ends = np.cumsum([len(piece) + 1 for piece in pieces], dtype=np.int64)
            bodies[side] = Bodies(pa.py_buffer(b"".join(piece + b"\n" for piece in pieces)), ends)
        return Records(
            {name: [column[at] for at in places] for name, column in self.texts.items()},
            {name: column[places] for name, column in self.numbers.items()},
            bodies,
            {side: there[places] for side, there in self.there.items()},
        )


def records_of(blocks: Sequence[Block]) -> Records:
    """The records of some blocks, as they lie in them."""
    blocks = [block for block in blocks if block.rows]
    texts: dict[str, list[str]] = {}
    for name in CODED:
        texts[name] = list(chain.from_iterable(_coded(block, name) for block in blocks))
    for name in TEXTS:
        texts[name] = list(chain.from_iterable(_texts(block, name) for block in blocks))
    numbers = {
        name: np.concatenate(
            [np.frombuffer(block.columns[name], kind) for block in blocks] or [np.zeros(0, kind)]
        )
        for name, kind in NUMBERS.items()
    }
    sides = ("input", "output")
    return Records(
        texts,
        numbers,
        {side: _bodies(blocks, side) for side in sides},
        {
            side: np.concatenate([_there(block, side) for block in blocks] or [np.zeros(0, bool)])
            for side in sides
        },
    )


def _coded(block: Block, name: str) -> list[str]:
    words, codes = block.words[name], block.columns.get(name)
    return (
        list(words) * block.rows
        if codes is None
        else [words[code] for code in np.frombuffer(codes, np.uint16)]
    )


def _texts(block: Block, name: str) -> list[str]:
    ends = block.columns.get(f"{name}.ends")
    if ends is None:
        return [""] * block.rows
    data, found, start = bytes(block.columns[name]), [], 0
    for end in np.frombuffer(ends, np.int64).tolist():
        found.append(data[start:end].decode("utf-8", "replace"))
        start = end
    return found


def _there(block: Block, side: str) -> npt.NDArray[np.bool_]:
    there = block.columns.get(f"{side}.there")
    return np.ones(block.rows, bool) if there is None else np.frombuffer(there, bool)


def _bodies(blocks: Sequence[Block], side: str) -> Bodies:
    ends, data, start = [np.zeros(0, np.int64)], [], 0
    for block in blocks:
        ends.append(np.frombuffer(block.columns[f"{side}.ends"], np.int64) + start)
        data.append(block.columns[side])
        start += len(block.columns[side])
    whole = data[0] if len(data) == 1 else b"".join(data)
    return Bodies(pa.py_buffer(whole), np.concatenate(ends))


class Flattening:
    """Makes tables of records of one endpoint and variant.

    Args:
        columns: names of values that come without.
        payloads: whether bodies are kept as they came, beside their columns; else only those that hold no rows.
    """

    def __init__(self, columns: ColumnNames = UNNAMED, *, payloads: bool = True) -> None:
        self._names, self._payloads = columns, payloads
        self._strings: dict[str, set[tuple[str, ...]]] = {"input": set(), "output": set()}

    def table(self, records: Records) -> tuple[pa.Table, frozenset[str]]:
        """The rows of some records, and which of their columns are texts of unknown type."""
        statuses = records.numbers["status"]
        answered = (statuses >= 200) & (statuses < 300)  # the body of an error is no prediction
        wanted = {side: records.there[side] & answered for side in ("output", "input")}
        sides = {side: self._side(records, side, there) for side, there in wanted.items() if there.any()}
        different = differing(sides.get("output"), sides.get("input"))
        if different is not None:
            return self._apart(records, different)
        problems = _problems(records, sides)
        rows = np.ones(len(records), np.int64)
        sound = np.array([not problem for problem in problems], bool)
        if any((held.rows[~sound] > 0).any() for held in sides.values()):  # no columns of what cannot be used
            left = {side: wanted[side] & sound for side in sides}
            sides = {side: self._side(records, side, there) for side, there in left.items() if there.any()}
        for held in sides.values():
            rows = np.where(sound, np.maximum(rows, held.rows), rows)
        parents = np.repeat(np.arange(len(records)), rows)
        place = np.arange(len(parents)) - (np.cumsum(rows) - rows)[parents]
        columns: dict[str, pa.Array] = {}
        textual: set[str] = set()
        widths = 0
        for side, held in sides.items():
            names = self._names.names(side, widths, len(held.columns))
            for key, array in held.columns.items():
                name = names[key] if isinstance(key, int) else key
                free = free_name(name, side, columns)
                columns[free] = _placed(array, held, records.there[side] & sound, parents, place)
                textual |= {free} if key in held.textual else set()
            widths += sum(isinstance(key, int) for key in held.columns) or len(held.columns)
        columns |= self._own(records, rows, parents, place, problems)
        return pa.table(columns), frozenset(textual)

    def _apart(self, records: Records, layouts: Places) -> tuple[pa.Table, frozenset[str]]:
        """The rows of records whose answers have different columns: each gets the names that it has by itself."""
        groups = [np.flatnonzero(layouts == layout) for layout in np.unique(layouts)]
        return in_order([(self.table(records.take(places)), places) for places in groups])

    def _side(self, records: Records, side: str, there: npt.NDArray[np.bool_]) -> Side:
        bodies, kinds = records.bodies[side], records.texts[f"{side}_type"]
        if there.all():
            return self._read(side, bodies, kinds)
        places = np.flatnonzero(there)
        some = records.take(places)
        kinds = some.texts[f"{side}_type"]
        own = self._read(side, some.bodies[side], kinds)
        problems = {int(places[at]): why for at, why in own.problems.items()}
        layouts = None if own.layouts is None else _at(places, own.layouts, len(records))
        return Side(_at(places, own.rows, len(records)), own.columns, own.textual, problems, layouts)

    def _read(self, side: str, bodies: Bodies, kinds: Sequence[str]) -> Side:
        try:
            found = columns_of(bodies, kinds, self._strings[side])
        except pa.ArrowException:  # what its parser made cannot be taken further
            found = None
        return found or one_by_one(bodies, kinds)

    def _own(
        self, records: Records, rows: Places, parents: Places, place: Places, problems: Sequence[str]
    ) -> dict[str, pa.Array]:
        numbers, texts = records.numbers, records.texts
        own = {
            EVENT_ID: strings(texts["event_id"]),
            INFERENCE_ID: _optional(texts["inference_id"]),
            TIME: pa.array(numbers["time"]).cast(pa.timestamp("us", tz="UTC")),
            ROWS: pa.array(rows.astype(np.int32)),
            "capture_status": pa.array(numbers["status"]),
            "capture_model_latency": _known(numbers["latency"]),
            "capture_overhead_latency": _known(numbers["overhead"]),
            WEIGHT: pa.array(numbers["weight"]),
            PROBLEM: _optional(problems),
            "capture_flags": _optional(texts["flags"]),
            "capture_attributes": _optional(texts["attributes"]),
            "capture_input_type": _optional(texts["input_type"]),
            "capture_output_type": _optional(texts["output_type"]),
        }
        if len(parents) > len(records):
            own = {name: array.take(pa.array(parents)) for name, array in own.items()}
        own[ROW] = pa.array(place.astype(np.int32))
        for name, side in ((INPUT, "input"), (OUTPUT, "output")):
            kept = records.there[side][parents] & (place == 0)
            if not self._payloads:
                kept &= np.array([bool(problem) for problem in problems], bool)[parents]
            own[name] = records.bodies[side].array().take(pa.array(parents, mask=~kept))
        return {name: own[name] for name in OWN.names}


def _problems(records: Records, sides: Mapping[str, Side]) -> list[str]:
    """Why a record has no rows that can be analysed; an empty text where it has."""
    statuses = records.numbers["status"]
    good = (statuses >= 200) & (statuses < 300)
    rows = [side.rows for side in sides.values()]
    there = [records.there[side] for side in sides]
    fine = good.copy()
    for own, is_there in zip(rows, there, strict=True):
        fine &= (own > 0) | ~is_there
    if len(rows) == 2:
        fine &= (rows[0] == rows[1]) | ~(there[0] & there[1])
    if not rows:
        fine[:] = False
    problems = [""] * len(records)
    for at in np.flatnonzero(~fine).tolist():
        if not good[at]:
            problems[at] = f"answered with status {statuses[at]}" if statuses[at] else NO_ANSWER
            continue
        told = [side.problems[at] for side in sides.values() if at in side.problems]
        empty = (
            any(is_there[at] and not own[at] for own, is_there in zip(rows, there, strict=True)) or not rows
        )
        problems[at] = told[0] if told else NO_ROWS if empty else UNPAIRED
    return problems


def _at(places: Places, values: Places, count: int) -> Places:
    """Values at some of so many places, and zeros elsewhere."""
    found = np.zeros(count, np.int64)
    found[places] = values
    return found


def _placed(
    array: pa.Array, side: Side, kept: npt.NDArray[np.bool_], parents: Places, place: Places
) -> pa.Array:
    """A side's column, with nulls for records whose rows are not kept."""
    if kept.all():
        return array
    at = (np.cumsum(side.rows) - side.rows)[parents] + place
    return array.take(pa.array(np.where(kept[parents], at, 0), mask=~kept[parents]))


def _optional(texts: Sequence[str]) -> pa.Array:
    """Texts; an empty one is a null."""
    if not any(texts):
        return pa.nulls(len(texts), pa.string())
    return pa.array([text or None for text in texts], pa.string())


def _known(numbers: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)
