"""The Spark session: the one that is there, or a new one."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from watchkeep.adapters.sources.files import sentence
from watchkeep.adapters.sources.spark_table import quiet
from watchkeep.adapters.spark.java import LEAST as OLDEST
from watchkeep.adapters.spark.java import NEEDED, java, java_version
from watchkeep.adapters.spark.patience import PATIENCE
from watchkeep.core.errors import MissingExtraError, OptionError, UnreadableSourceError

LEAST: Final = (4, 0)
"""The oldest version of Spark whose answers come back as Arrow tables."""
_OURS: Final[Mapping[str, str]] = {
    "spark.app.name": "watchkeep",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""What a new session has unless it is told otherwise: that of a command is over before anybody looks at its pages."""
_PORTS: Final[Mapping[str, int]] = {"spark": 7077, "sc": 15002}
"""Ports of masters and of Spark Connect, where an address names none."""
_PATIENCE: Final = 10.0
"""Seconds after which nobody is there."""
_LAUNCHED: Final = ("PYSPARK_GATEWAY_PORT", "DATABRICKS_RUNTIME_VERSION")
"""Variables of programs that were started by Spark, which told them where it runs."""


def session_of(settings: Mapping[str, str]) -> Any:
    """The active session or, where there is none, a new one.

    Where it runs is told by the settings (`spark.master`, or `spark.remote` for Spark Connect), by `SPARK_REMOTE`, by
    spark-defaults.conf, or by who started this program (spark-submit, Databricks); else it is this machine.

    Args:
        settings: `spark.*` settings.

    Raises:
        MissingExtraError: Spark is not installed.
        OptionError: a setting is none, or is not that of the active session.
        UnreadableSourceError: it cannot be reached, or is too old.
    """
    try:
        with quiet():
            import pyspark
            from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtraError("--engine spark", extra="spark") from error
    for name in settings:
        if not name.startswith("spark."):
            raise OptionError("spark", got=name, expected="a setting of Spark, such as spark.master")
    version = tuple(map(int, pyspark.__version__.split(".")[:2]))
    if version < LEAST:
        why = f"it is version {pyspark.__version__}; {LEAST[0]}.{LEAST[1]} or newer is needed"
        raise UnreadableSourceError("Spark", why=why)
    settings = {name: value for name, value in settings.items() if name != PATIENCE}
    active = SparkSession.getActiveSession()
    if active is not None:
        require_same(active, settings)
    if active is not None and not settings:
        return active
    remote = settings.get("spark.remote") or (
        None if "spark.master" in settings else os.environ.get("SPARK_REMOTE")
    )
    _require_there(remote or settings.get("spark.master", ""))
    if remote is not None:
        return _reached(_connected(SparkSession.builder.remote(remote), settings), remote)
    settings = {**_OURS, **settings}
    if "spark.master" not in settings and not _told_elsewhere():
        settings["spark.master"] = "local[*]"
    if active is None:
        _require_java()
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = _reached(builder.getOrCreate, settings.get("spark.master", "Spark"))
    if "PYSPARK_PYTHON" not in os.environ:
        # Only spark-submit heeds that setting; without it executors would take the first Python of their path, and
        # this one is where this package is, if machines are alike.
        session.sparkContext.pythonExec = session.sparkContext.getConf().get(
            "spark.pyspark.python", sys.executable
        )
    return session


def require_same(active: Any, settings: Mapping[str, str]) -> None:
    """Check that a session that is there has the settings that a new one was to have: Spark would pass over them.

    Settings of its SQL can be changed at any time, and are.

    Raises:
        OptionError: it has others.
    """
    try:
        known = active.sparkContext.getConf().get
    except Exception:  # noqa: BLE001 (Spark has no class for it: one of Spark Connect has no context, and tells none)
        return
    for name, value in settings.items():
        now = known(name)
        if name == "spark.remote" or name.startswith("spark.sql.") or now == value:
            continue
        has = f"{name}={now}" if now is not None else "no such setting"
        expected = f"a setting of the session that is active, which has {has}: stop that session first, or leave it out"
        raise OptionError("spark", got=f"{name}={value}", expected=expected)


def _require_java() -> None:
    """Check that there is a Java to start Spark with, unless somebody has started it.

    Raises:
        UnreadableSourceError: there is none, or it is too old.
    """
    if any(name in os.environ for name in _LAUNCHED):
        return
    found = java()
    home = os.environ.get("JAVA_HOME")
    if found is None:
        looked = f"JAVA_HOME is {home}, and no bin/java is there" if home else "no `java` is there"
        raise UnreadableSourceError("Spark", why=f"{looked}; it needs {NEEDED}")
    version = java_version(found)
    if version is not None and version < OLDEST:
        raise UnreadableSourceError("Spark", why=f"{found} is Java {version}; it needs {NEEDED}")


def _connected(builder: Any, settings: Mapping[str, str]) -> Any:
    for name, value in settings.items():
        if name != "spark.remote":
            builder = builder.config(name, value)
    return builder.getOrCreate


def _require_there(address: str) -> None:
    """Check that somebody listens at `spark://host:port` or `sc://host:port`: Spark itself would try for minutes.

    Raises:
        UnreadableSourceError: nobody does.
    """
    scheme, _, rest = address.partition("://")
    if scheme not in _PORTS:
        return
    why = ""
    for one in rest.partition("/")[0].partition(";")[0].split(","):
        host, _, port = one.rpartition(":") if ":" in one else (one, "", "")
        try:
            with socket.create_connection((host.strip("[]"), int(port or _PORTS[scheme])), timeout=_PATIENCE):
                return
        except (OSError, ValueError) as error:
            why = sentence(error)
    raise UnreadableSourceError("Spark", why=f"{address} cannot be reached: {why}")


def _told_elsewhere() -> bool:
    """Whether spark-defaults.conf, or whoever started this program, says where Spark runs."""
    if any(name in os.environ for name in _LAUNCHED) or "--master" in os.environ.get(
        "PYSPARK_SUBMIT_ARGS", ""
    ):
        return True
    folder = os.environ.get("SPARK_CONF_DIR") or Path(os.environ.get("SPARK_HOME", ""), "conf")
    try:
        lines = Path(folder, "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.split()[:1] == ["spark.master"] for line in lines)


def _reached(start: Any, where: str) -> Any:
    try:
        with quiet():
            return start()
    except Exception as error:  # Spark has no class for it
        raise UnreadableSourceError("Spark", why=f"{where} cannot be reached: {sentence(error)}") from error
