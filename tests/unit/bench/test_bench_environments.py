import sys
from pathlib import Path

import pytest
from bench import environments
from bench.environments import PEERS, Peer, prepare, surroundings
from bench.measure import ROOT, CommandError

PEER = Peer(name="slowpoke", does="naps", requirements=("slowpoke<2",), quiet={"HUSH": "1"})


def installed(folder: Path, *, requirements: str) -> Path:
    python = folder / PEER.name / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 1.9\n")
    python.chmod(0o755)
    (folder / PEER.name / ".ready").write_text(requirements)
    return python


def test_an_environment_that_is_there_is_used(tmp_path: Path) -> None:
    python = installed(tmp_path, requirements="slowpoke<2")

    assert prepare(PEER, tmp_path, limit=60) == (python, "1.9")


def test_an_environment_of_other_requirements_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, requirements="slowpoke<1")
    called: list[list[str]] = []

    def call(words: list[str], _: float) -> str:
        called.append(words)
        return "2.0\n"

    monkeypatch.setattr(environments, "_call", call)

    _, version = prepare(PEER, tmp_path, limit=60)

    assert version == "2.0"
    assert called[0][1:3] == ["-m", "venv"]
    assert called[1][-1] == "slowpoke<2"
    assert (tmp_path / "slowpoke" / ".ready").read_text() == "slowpoke<2"


@pytest.mark.parametrize(
    ("program", "limit", "why"),
    [
        (
            "import sys; sys.exit('WARNING: old\\nERROR: no wheel\\nsee the log')",
            60,
            "installed: ERROR: no wheel",
        ),
        ("raise SystemExit(2)", 60, "not installed: no reason given"),
        ("import time; time.sleep(60)", 0.2, "took more than 0 s"),
    ],
)
def test_an_installation_that_fails_says_why(program: str, limit: float, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        environments._call([sys.executable, "-c", program], limit)


def test_a_peer_does_not_see_our_libraries_and_keeps_quiet() -> None:
    seen = surroundings(PEER)

    assert seen["PYTHONPATH"] == ""
    assert seen["HUSH"] == "1"


def test_the_list_is_sorted_and_every_peer_has_its_script() -> None:
    assert [peer.name for peer in PEERS] == sorted(peer.name for peer in PEERS)
    for peer in PEERS:
        assert (ROOT / peer.module.replace(".", "/")).with_suffix(".py").exists()
