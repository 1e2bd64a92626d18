"""A standalone Spark cluster on this machine: a master, and workers with one core each."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.listening import free_port

START = 60.0
"""Seconds that a part of the cluster may take to start."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Args:
        address: of its master.
        workers: the processes of its workers.
        folder: where they keep their logs and what they are sent.
    """

    address: str
    workers: tuple["subprocess.Popen[bytes]", ...]
    folder: Path

    def settings(self, **more: str) -> dict[str, str]:
        """Settings of sessions on it: small executors, one for each worker."""
        return {
            "spark.master": self.address,
            "spark.executor.memory": "700m",
            "spark.executor.cores": "1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": "2",
            **more,
        }

    def options(self, **more: str) -> list[str]:
        """The same as options of commands."""
        return [
            word for key, value in self.settings(**more).items() for word in ("--spark", f"{key}={value}")
        ]


def java() -> str | None:
    """Where Java 17 or newer is; None when it is not."""
    found = shutil.which("java")
    if found is None:
        return None
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return found if version is not None and int(version[1]) >= 17 else None


@contextmanager
def cluster(folder: Path, *, workers: int = 2) -> Iterator[Cluster]:
    """Start a cluster, and end it afterwards."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = free_port()
    running: list[subprocess.Popen[bytes]] = []

    def start(what: str, *words: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_WORKER_DIR": str(folder / "work"),
        }
        with (folder / f"{what}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{words[0]}", *words[1:]],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        running.append(process)
        return process

    try:
        start("master", "master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        _wait(lambda: _answers(port), "the master")
        address = f"spark://127.0.0.1:{port}"
        started = tuple(
            start(
                f"worker-{number}",
                "worker.Worker",
                "--host",
                "127.0.0.1",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--webui-port",
                "0",
                address,
            )
            for number in range(workers)
        )
        log = folder / "master.log"
        _wait(lambda: log.read_text(errors="replace").count("Registering worker") >= workers, "the workers")
        yield Cluster(address, started, folder)
    finally:
        for process in running:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children, as a machine that is switched off does."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _wait(until: object, what: str) -> None:
    assert callable(until)
    deadline = time.monotonic() + START
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not start")
        time.sleep(0.1)
