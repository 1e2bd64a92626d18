"""`watchkeep doctor`."""

import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import click
import pyarrow as pa

from watchkeep import __version__
from watchkeep.adapters.spark.java import LEAST, java, java_version
from watchkeep.adapters.spark.java import NEEDED as JAVA
from watchkeep.app.monitors import DataQuality
from watchkeep.app.store import load_baseline
from watchkeep.cli.output import print_json
from watchkeep.stats import compiled

NEEDED = ("numpy", "pyarrow", "duckdb", "click", "rich", "jinja2", "pyyaml")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what, how it stands, and whether that is well."""

    what: str
    stands: str
    well: bool


def findings() -> list[Finding]:
    """Everything that is looked at."""
    found = [
        Finding("watchkeep", __version__, well=True),
        Finding("python", f"{platform.python_version()} ({sys.executable})", sys.version_info >= (3, 11)),
        Finding("machine", f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}", well=True),
    ]
    for name, installed in ((name, _version(name)) for name in NEEDED):
        found += [Finding(name, installed or "not installed", installed is not None)]
    for extra, names in extras(_requirements()).items():
        missing = [name for name in names if _version(name) is None]
        stands = f"not installed: pip install 'watchkeep[{extra}]'" if missing else "installed"
        found.append(Finding(f"extra {extra}", stands, well=True))
    found.append(_java())
    found.append(Finding("innermost loops", compiled.stands, well=True))
    return [*found, _works()]


def extras(required: Sequence[str]) -> dict[str, list[str]]:
    """The packages that each extra needs on this machine.

    Args:
        required: the requirements of this package, as its metadata have them.

    >>> extras(["click>=8.1", "pyspark[sql]>=4.0; extra == 'spark'", "y; platform_system == 'Plan9' and extra == 'x'"])
    {'spark': ['pyspark'], 'x': []}
    """
    found: dict[str, list[str]] = {}
    for one in required:
        name, _, marker = one.partition(";")
        extra = re.search(r"extra == ['\"]([^'\"]+)", marker)
        if extra is None:
            continue
        listed = found.setdefault(extra[1], [])
        system = re.search(r"platform_system (==|!=) ['\"]([^'\"]+)", marker)
        if system is None or (system[1] == "==") == (system[2] == platform.system()):
            listed += re.findall(r"^\s*([\w.-]+)", name)
    return dict(sorted(found.items()))


def _requirements() -> Sequence[str]:
    try:
        return requires("watchkeep") or ()
    except PackageNotFoundError:
        return ()


def _java() -> Finding:
    """The Java that Spark is started with: nothing else needs any."""
    found = java()
    version = None if found is None else java_version(found)
    if found is None:
        stands = f"not found; --engine spark needs {JAVA}"
    elif version is not None and version < LEAST:
        stands = f"{version} ({found}); --engine spark needs {JAVA}"
    else:
        stands = f"{version or 'of an unknown version'} ({found})"
    return Finding("java", stands, well=True)


def _works() -> Finding:
    """A baseline made, written, read and checked, in a folder of its own."""
    rows = pa.table({"n": list(range(1000)), "c": ["a", "b"] * 500})
    try:
        with tempfile.TemporaryDirectory() as home:
            baseline = DataQuality().baseline(rows)
            baseline.save(Path(home) / "baseline")
            load_baseline(Path(home) / "baseline")
            quiet = not baseline.check(rows).violations
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what the doctor is asked to find)
        return Finding("self-check", f"{type(error).__name__}: {error}", well=False)
    return Finding("self-check", "a baseline was made, written, read and checked", quiet)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(as_json: bool) -> int:
    """Tell whether this installation works, and with what. Exit code 3 when it does not."""
    found = findings()
    if as_json:
        print_json(
            {"findings": [{"what": one.what, "stands": one.stands, "well": one.well} for one in found]}
        )
    else:
        width = max(len(one.what) for one in found)
        for one in found:
            click.echo(f"{'ok ' if one.well else 'BAD'} {one.what:<{width}}  {one.stands}")
    return 0 if all(one.well for one in found) else 3
