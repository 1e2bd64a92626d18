"""What the pages on sampling and admission show is what happens."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import watchkeep as wk
from watchkeep.capture.admission import BYTES, ROWS, Admission
from watchkeep.capture.admission_columns import KINDS, TYPES
from watchkeep.capture.keep_rules import RECORD
from watchkeep.capture.record import records_of
from watchkeep.capture.sampling import number_of_id
from watchkeep.capture.segment import blocks_of, complete

DOCS = Path(__file__).parents[3] / "docs"
SAMPLING = (DOCS / "capture-sampling.md").read_text(encoding="utf-8")
ADMISSION = (DOCS / "admission.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_sample_of_the_page_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    monkeypatch.setattr("watchkeep.capture.client.start_sealer", lambda home: None)

    exec(blocks(SAMPLING, "python")[0], {})

    wk.capture.recorder_of().flush()
    stored = [
        one
        for path in complete(tmp_path / "segments")
        for block in blocks_of(path)[0]
        for one in records_of(block)
    ]
    weights = Counter(one.weight for one in stored)
    assert weights.keys() == {1.0, 5.0}
    assert weights[1.0] == 265
    assert 80 < weights[5.0] < 220  # 147 on the page; these ids are new each time


def test_the_number_of_the_page_is_that_of_the_id() -> None:
    assert f"{number_of_id('order-7') / 2**64:.2f}" == "0.87"
    assert "# 0.87...: in at 88 %, out at 87 %" in SAMPLING


def test_the_refusal_of_the_page_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    monkeypatch.setattr("watchkeep.capture.client.start_sealer", lambda home: None)
    monkeypatch.chdir(tmp_path)
    columns = [
        {"name": "age", "type": "integer", "nullable": False, "min": 0, "max": 140},
        {"name": "fare", "type": "number", "nullable": False, "min": 0, "max": 83.04},
        {"name": "city", "type": "text", "nullable": False, "categories": ["Oslo", "Rome"]},
        {"name": "member", "type": "boolean", "nullable": False},
        {"name": "note", "type": "text"},
    ]
    (tmp_path / "admission.json").write_text(json.dumps({"columns": columns}))
    (body,) = re.findall(r"-d '(.*?)'", ADMISSION)
    answer, document = map(json.loads, blocks(ADMISSION, "json"))
    world: dict[str, Any] = {}
    exec(blocks(ADMISSION, "python")[0], world)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body.encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    asyncio.run(
        world["app"]({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    )

    assert json.loads(sent[-1]["body"]) == answer
    admission = Admission.of(document)
    assert (admission.rows, admission.bytes) == (ROWS, BYTES)


def test_every_kind_type_and_name_has_its_place() -> None:
    assert [kind for kind in KINDS if f"| `{kind}` |" not in ADMISSION] == []
    assert [kind for kind in TYPES if f"`{kind}`" not in ADMISSION] == []
    assert [name for name in RECORD if f"`{name}`" not in SAMPLING] == []
