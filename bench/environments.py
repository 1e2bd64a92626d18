"""The peers: tools that do like work, each in its own environment: their requirements disagree."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.measure import CommandError


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool to compare with.

    Args:
        name: its name on the package index, and of its module, `bench.peers.with_NAME`.
        does: what the tables say it does.
        requirements: what to install.
        quiet: variables that keep it from telling its makers that it ran.
    """

    name: str
    does: str
    requirements: tuple[str, ...]
    quiet: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """Does the work; started without files, it only starts."""
        return f"bench.peers.with_{self.name}"


PEERS: Final = (
    Peer(
        name="evidently",
        does="DataDriftPreset",
        requirements=("evidently", "pandas<3", "pyarrow"),
        quiet={"DO_NOT_TRACK": "1"},
    ),
    Peer(
        name="nannyml",
        does="univariate KS, chi2 and JS",
        requirements=("nannyml", "statsmodels", "pandas<3", "pyarrow", "setuptools<81"),
        quiet={"NML_DISABLE_USAGE_LOGGING": "1"},
    ),
    Peer(
        name="whylogs",
        does="two profiles and their drift scores",
        requirements=("whylogs[viz]", "numpy<2", "pandas<3", "pyarrow<20"),  # newer pyarrows need NumPy 2
        quiet={"WHYLOGS_NO_ANALYTICS": "True"},
    ),
)
"""The whole list, sorted by name."""


def prepare(peer: Peer, folder: Path, *, limit: float) -> tuple[Path, str]:
    """Make the peer's environment unless it is there.

    Args:
        peer: whose.
        folder: where environments are kept.
        limit: seconds an installation may take.

    Returns:
        Its interpreter, and the version of the peer that is installed.

    Raises:
        CommandError: it cannot be installed; the message says why.
    """
    home = folder.resolve() / peer.name
    python, ready = home / "bin" / "python", home / ".ready"
    wanted = "\n".join(peer.requirements)
    if not ready.exists() or ready.read_text() != wanted:
        _call([sys.executable, "-m", "venv", str(home)], limit)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirements]
        _call([str(python), *install], limit)
        ready.write_text(wanted)
    ask = f"from importlib import metadata; print(metadata.version({peer.name!r}))"
    return python, _call([str(python), "-c", ask], limit).strip()


def surroundings(peer: Peer) -> dict[str, str]:
    """Variables for the peer's process: ours would show it this project's libraries."""
    return {**peer.quiet, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "agg"}


def _call(words: list[str], limit: float) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=limit, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"not installed: it took more than {limit:.0f} s") from error
    if done.returncode:
        lines = done.stderr.splitlines() or ["no reason given"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise CommandError(f"not installed: {errors[-1][:160]}")
    return done.stdout
