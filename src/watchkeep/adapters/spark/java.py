"""The Java that Spark runs on: which, and whether it is new enough."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LEAST: Final = 17
"""The oldest version of Java that Spark 4 runs on."""
NEEDED: Final = (
    f"Java {LEAST} or newer, found by JAVA_HOME or on the path; Spark Connect (spark.remote) needs none here"
)
"""What a session of this machine needs."""
_PATIENCE: Final = 30.0  # seconds


def java(environment: Mapping[str, str] | None = None) -> str | None:
    """Where Java is: that of JAVA_HOME, or the first on the path, as Spark looks for it; None where there is none."""
    given = os.environ if environment is None else environment
    home = given.get("JAVA_HOME")
    if home:
        found = Path(home, "bin", "java")
        return str(found) if found.is_file() else None
    return shutil.which("java", path=given.get("PATH"))


def java_version(path: str) -> int | None:
    """The version of a Java, such as 17; None where it does not say."""
    try:
        done = subprocess.run(  # noqa: S603 (Spark would start it, too)
            [path, "-version"], capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return version_in(done.stderr)


def version_in(said: str) -> int | None:
    """The version in what `java -version` says.

    >>> version_in('openjdk version "21.0.4" 2024-07-16'), version_in('java version "1.8.0_392"'), version_in("")
    (21, 8, None)
    """
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return None if found is None else int(found[1])
