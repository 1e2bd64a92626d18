import tempfile
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary files go to; its name would be a pattern and a quote to a careless database."""
    path = tmp_path / "it's [a] room*"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path
