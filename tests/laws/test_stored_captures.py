"""Captures that are stored hold the rows that SageMaker's capture files of the same records hold."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capture.stores import queried

from watchkeep.adapters.captures.sealing import Sealer
from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.stored.layout import endpoints, hours, variants
from watchkeep.adapters.state_files import open_shelf
from watchkeep.capture.record import Inference
from watchkeep.capture.segment import Segment
from watchkeep.service.ports import Ask, Source

NUMBER = st.integers(-1000, 1000) | st.sampled_from([0.5, 0.25, -1.5, 1e300])
SCALAR = NUMBER | st.booleans() | st.none() | st.sampled_from(["Oslo", "2024-01-01", "", "ü"])
ASKED = st.dictionaries(st.sampled_from(["age", "fare", "city"]), SCALAR, min_size=1, max_size=3)
ANSWERED = st.fixed_dictionaries({"score": SCALAR, "label": SCALAR})


@st.composite
def bodies(draw: st.DrawFn, named: bool) -> tuple[str, str, str]:
    """An encoding, an input and an output; whether answers have names is a matter of the model, not of the request."""
    rows = draw(st.integers(1, 3))
    if not named and draw(st.booleans()):
        lines = [",".join(map(str, draw(st.lists(NUMBER, min_size=2, max_size=2)))) for _ in range(rows)]
        return "CSV", "\n".join(lines), "\n".join(str(draw(NUMBER)) for _ in range(rows))
    kind = draw(st.sampled_from([ASKED, st.lists(NUMBER, min_size=2, max_size=2)]))
    asked = [draw(kind) for _ in range(rows)]
    answered = [draw(ANSWERED if named else NUMBER) for _ in range(rows)]
    return "JSON", json.dumps({"instances": asked}), json.dumps({"predictions": answered})


def rows_of(source: Source) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for batch in source.batches(Ask()):
        columns = {name: batch.column(name).to_pylist() for name in batch.names}
        textual = batch.textual
        for at in range(batch.rows):
            row = {name: (values[at], name in textual) for name, values in columns.items()}
            # Which columns are there depends on what is read together; a missing value does not.
            found.append({name: value for name, (value, _) in row.items() if value is not None})
    return found


def plain(rows: Sequence[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    """Rows as texts: a column that holds numbers beside texts is text, where they are read together."""
    spelled = [
        sorted(
            (name, _text(value)) for name, value in row.items() if not (isinstance(value, str) and not value)
        )
        for row in rows
    ]
    return sorted(spelled)


def _text(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return (
        repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    )


@given(
    st.booleans().flatmap(lambda named: st.lists(bodies(named), min_size=1, max_size=6)), st.integers(1, 3)
)
@settings(max_examples=60)
def test_stored_rows_are_the_rows_of_capture_files(told: list[tuple[str, str, str]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder, records, lines = Path(scratch), [], []
        for number, (encoding, asked, answered) in enumerate(told):
            kind = "text/csv" if encoding == "CSV" else "application/json"
            records.append(
                Inference(
                    "e",
                    "A",
                    f"{number}",
                    "",
                    10**15 + number * 10**9,
                    1,
                    1,
                    200,
                    1.0,
                    "",
                    "",
                    kind,
                    kind,
                    asked.encode(),
                    answered.encode(),
                )
            )
            sides = {
                side: {
                    "observedContentType": kind,
                    "mode": side[8:].upper(),
                    "data": body,
                    "encoding": encoding,
                }
                for side, body in (("endpointInput", asked), ("endpointOutput", answered))
            }
            event = {"eventId": f"{number}", "inferenceTime": "2001-09-09T01:46:40Z"}
            lines.append(json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}))
        (folder / "captures.jsonl").write_text("\n".join(lines))
        for at in range(0, len(records), cut):
            segment = Segment.new(folder / "segments")
            segment.append(records[at : at + cut])
            segment.close()
        Sealer(folder / "segments", open_shelf(folder / "store")).seal()

        stored = rows_of(open_source(f"captures:{folder / 'store'}#e"))
        read = rows_of(open_source(str(folder / "captures.jsonl")))
        files = f"read_parquet('{folder}/store/**/*.parquet', union_by_name=true)"
        ((counted,),) = queried(f"SELECT count(*) FROM {files} WHERE capture_problem IS NULL")

    assert plain(stored) == plain(read)
    assert counted == len(read)


NAME = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=8
) | st.sampled_from(["..", ".", "a/b", "%2E", "a=b", "~"])


@given(st.lists(st.tuples(NAME, NAME, st.integers(0, 10**6)), min_size=1, max_size=5))
@settings(max_examples=40)
def test_whatever_an_endpoint_is_called_it_lies_in_the_store(places: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        segment = Segment.new(folder / "segments")
        one = Inference("", "", "", "", 0, 1, 1, 200, 1.0, "", "", "", "", b"1", b"2")
        segment.append(
            [
                one._replace(endpoint=endpoint, variant=variant, event_id=str(at), time=hour * 3_600_000_000)
                for at, (endpoint, variant, hour) in enumerate(places)
            ]
        )
        segment.close()
        shelf = open_shelf(folder / "a" / "b" / "store")
        Sealer(folder / "segments", shelf).seal()

        assert endpoints(shelf) == sorted({endpoint for endpoint, _, _ in places})
        for endpoint, _, _ in places:
            assert variants(shelf, endpoint) == sorted({v for e, v, _ in places if e == endpoint})
        assert len(list(hours(shelf))) == len(set(places))
        outside = [
            path
            for path in folder.rglob("*.parquet")
            if not path.is_relative_to(folder / "a" / "b" / "store")
        ]
        assert outside == []
