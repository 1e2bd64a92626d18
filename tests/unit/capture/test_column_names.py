"""Names of values that come without: where they are told, they hold for all that is done with records."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.capture.records import inference
from tests.unit.capture.stores import queried

import watchkeep as wk
from watchkeep.app.captures import seal
from watchkeep.capture.body_rows import BodyRows
from watchkeep.capture.column_names import FOLDER, ColumnNames, told_in
from watchkeep.capture.keep_rules import KeepRule
from watchkeep.capture.policies import EndpointPolicy
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import OptionError

NAMES = ColumnNames.of({"input": ["age", "city"], "output": ["score"]})


@pytest.mark.parametrize(
    "given", [["age"], "age", {"inputs": []}, {"input": "age"}, {"input": ["a", "a"]}, {"output": ["", 1]}]
)
def test_what_names_nothing_is_told(given: Any) -> None:
    with pytest.raises(OptionError, match="columns"):
        ColumnNames.of(given)


def test_a_home_remembers_the_last_names_of_each_endpoint(tmp_path: Path) -> None:
    assert told_in(tmp_path) == {}
    NAMES.tell(tmp_path, "../churn")
    NAMES.tell(tmp_path, "é" * 63)
    ColumnNames(("b",)).tell(tmp_path, "../churn")
    (tmp_path / FOLDER / "broken.json").write_text("{")
    assert told_in(tmp_path) == {"../churn": ColumnNames(("b",)), "é" * 63: NAMES}
    ColumnNames().tell(tmp_path, "../churn")
    assert told_in(tmp_path) == {"é" * 63: NAMES}


@pytest.mark.parametrize(
    ("rule", "given", "said", "fits"),
    [
        ("age > 40", b"41,Oslo", b"0.5", True),
        ("city = 'Oslo'", b"41,Oslo", b"0.5", True),
        ("score > 0.4", b"41,Oslo", b"0.5", True),
        ("score > 0.6", b"41,Oslo", b"0.5", False),
        ("age > 40", b"41,Oslo\n7,Rome", b"0.5", True),
        ("_c3 = 9", b"41,Oslo,9", b"0.5", True),
        ("_c4 = 9", b"[[41, 7, 9]]", b'{"probability": {"yes": 0.5, "no": 0.5}}', True),
        ("_c3 = 9", b"[[41, 7, 9]]", b'{"probability": {"yes": 0.5, "no": 0.5}}', False),
        ("age > 40", b"41,Oslo", b"", True),
    ],
)
def test_rules_of_sampling_know_them(rule: str, given: bytes, said: bytes, fits: bool) -> None:
    one = inference(given, said, kind="application/json" if b"[" in given else "text/csv")
    assert KeepRule.of(rule).fits(one, BodyRows(one, (), NAMES)) is fits


def test_all_that_a_policy_does_goes_by_them() -> None:
    policy = EndpointPolicy.of(
        {
            "columns": {"input": ["city", "age"], "output": ["score", "who"]},
            "admission": {"columns": [{"name": "age", "type": "number", "max": 9}], "known": ["city"]},
            "privacy": {"columns": {"city": "drop", "who": {"truncate": 1}}},
            "sampling": {"percentage": 0, "keep": ["age > 100"]},
        },
        limit=100,
    )
    several = [inference(b"Oslo,%d" % age, b"1,Ann", kind="text/csv") for age in (7, 700)]
    for step in policy.steps:
        several = step(several, Tallies())
    (one,) = several
    assert (one.input, one.output) == (b",700", b"1,A")
    assert [each["column"] for each in json.loads(one.flags)["admission"]] == ["age"]


def test_one_line_in_a_model_server_tells_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchkeep.capture.client.start_sealer", lambda home: None)
    asked: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append((await receive())["body"])
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]}
        )
        await send({"type": "http.response.body", "body": b"0.5"})

    columns: Mapping[str, Any] = {"input": ["fare", "age"], "output": ["score"]}
    limits = {"columns": [{"name": "age", "type": "number", "max": 9}, {"name": "fare", "type": "number"}]}
    captured = wk.capture.middleware(
        app, endpoint="churn", home=tmp_path, admission=limits, policy="refuse", columns=columns
    )

    async def ask(body: bytes) -> int:
        said: list[Any] = []

        async def heard() -> Any:
            return {"type": "http.request", "body": body}

        async def told(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"text/csv")]}
        await captured(scope, heard, told)
        return int(said[0]["status"])

    @wk.capture.watch(endpoint="ages", home=tmp_path, columns={"input": ["age"]})
    def predict(rows: list[list[int]]) -> list[float]:
        return [0.5] * len(rows)

    assert asyncio.run(ask(b"700,7")) == 200
    assert asyncio.run(ask(b"7,700")) == 422
    assert asked == [b"700,7"]
    predict([[41], [42]])
    wk.capture.recorder_of(tmp_path).flush()
    seal(tmp_path)

    store = f"read_parquet('{tmp_path}/captures/**/*.parquet', union_by_name=true, hive_partitioning=true)"
    found = queried(f"SELECT fare, age, score, _c0 FROM {store} WHERE capture_problem IS NULL ORDER BY ALL")
    assert found == [("700", "7", "0.5", None), (None, "41", None, 0.5), (None, "42", None, 0.5)]
