"""What is stored can be read in a terminal of any width."""

from pathlib import Path

import pytest
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import record, segment

from watchkeep.app.captures import seal

LONG = "fraud-detection-eu-west-production-endpoint-2026"


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_off(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    some = [record(f"e{at}", [{"x": at}], hour=at % 30)._replace(latency=10**at) for at in range(6)]
    long = [one._replace(event_id=f"l{one.event_id}", endpoint=LONG, status=500) for one in some[:1]]
    segment(tmp_path / "segments", [*some, *long])
    seal(tmp_path)

    told = watchkeep("captures", "list", "--home", tmp_path)

    lines = told.out.rstrip().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in told.out
    assert "".join(lines).replace(" ", "").count(f"{LONG}/A") == 1
    assert lines[2].rstrip() == "churn/A"
    assert " ".join(lines[3].split()) == "2023-11-14 22:00 – 2023-11-15 04:00 6 0 0.1 99.8 0"
    assert " ".join(lines[-1].split()) == "2023-11-14 22:00 – 23:00 1 1 0.001 0.001 0"
