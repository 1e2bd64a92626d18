"""What is recorded and not sealed yet is told, and a name that nothing is called is no empty list."""

import json
from pathlib import Path

import pytest
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import record, segment

from watchkeep.app.captures import seal


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)


def test_what_waits_to_be_sealed_is_told(tmp_path: Path) -> None:
    segment(tmp_path / "segments", [record(f"e{at}", [{"x": at}]) for at in range(3)])

    told = watchkeep("captures", "list")
    assert told.out.startswith("Nothing is stored in ")
    assert "churn/A: 3 requests recorded, which wait to be sealed (within about a minute)." in told.out
    assert json.loads(watchkeep("captures", "list", "churn", "--json").out) == {
        "version": 1,
        "captures": [],
        "waiting": [{"endpoint": "churn", "variant": "A", "Invocations": 3}],
    }
    late = json.loads(watchkeep("captures", "list", "--start", "2030-01-01", "--json").out)
    assert late["waiting"] == []
    checked = watchkeep("check", tmp_path, "captures:churn", "--out", tmp_path / "out")
    assert checked.code == 2
    assert "3 requests of churn are recorded and not sealed yet: try again in about a minute" in checked.err

    seal(tmp_path)
    assert json.loads(watchkeep("captures", "list", "churn/A", "--json").out)["waiting"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["chrn"], "did you mean 'churn'?"),
        (["churn/B"], "a variant of churn that was captured: A"),
        (["--home", "/nonexist"], "--home: got '/nonexist', expected a folder that is there"),
    ],
)
def test_what_is_not_there_is_an_error(given: list[str], said: str, tmp_path: Path) -> None:
    segment(tmp_path / "segments", [record("e", [{"x": 1}])])

    for _ in ("it waits", "it is stored"):
        told = watchkeep("captures", "list", *given)
        assert told.code == 2
        assert said in told.err
        seal(tmp_path)


def test_labels_tell_what_was_there_and_whom_nobody_captured(tmp_path: Path) -> None:
    segment(tmp_path / "segments", [record("e", [{"x": 1}])])
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("id,label,at\na,1,2026-11-01T00:00:00Z\nb,0,2026-11-01T00:00:00Z\n,1,\n")
    given = (outcomes, "--id", "id", "--arrival", "at")

    for said in ("2 labels of churn stored.", "0 labels of churn stored; 2 labels were there before."):
        told = watchkeep("labels", "churn", *given)
        assert told.err == ""
        assert told.out.splitlines() == [said, "  1 row left out: without an id"]
    assert "nothing was captured of chrn; did you mean 'churn'?" in watchkeep("labels", "chrn", *given).err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "churn:\n  sampling: {percentage: 200}\n",
            "policies.yaml: policy of churn: sampling: percentage: got",
        ),
        (
            "churn:\n  privacy: {columns: {a: hash}}\n",
            "policy of churn: WATCHKEEP_PRIVACY_KEY: got 'nothing'",
        ),
        ("churn:\n  sampling: {a: 1\n  b: 2\n", "(line 3, column 4: "),
    ],
)
def test_policies_that_cannot_be_used_say_where(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHKEEP_PRIVACY_KEY", raising=False)
    path = tmp_path / "policies.yaml"
    path.write_text(text)

    told = watchkeep("serve", "--policy", path)

    assert told.code == 2
    assert said in told.err
