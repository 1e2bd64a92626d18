"""The Java that Spark is started with."""

from pathlib import Path

import pytest

from watchkeep.adapters.spark.java import java, java_version
from watchkeep.adapters.spark.session import session_of
from watchkeep.cli.doctor import extras, findings
from watchkeep.core.errors import UnreadableSourceError


def program(path: Path, version: str) -> Path:
    """A Java that says its version."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-07-16' >&2\n")
    path.chmod(0o755)
    return path


def test_java_is_that_of_its_home_or_else_the_first_on_the_path(tmp_path: Path) -> None:
    home, other = (
        program(tmp_path / "home" / "bin" / "java", "21.0.4"),
        program(tmp_path / "bin" / "java", "17"),
    )
    path = str(tmp_path / "bin")

    assert java({"JAVA_HOME": str(tmp_path / "home"), "PATH": path}) == str(home)
    assert java({"PATH": path}) == str(other)
    assert java({"JAVA_HOME": str(tmp_path / "nowhere"), "PATH": path}) is None
    assert java({"PATH": str(tmp_path)}) is None
    assert java_version(str(home)) == 21
    assert java_version(str(tmp_path / "none")) is None


@pytest.mark.parametrize("old", [False, True])
def test_spark_without_a_java_that_it_can_use_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    pyspark = pytest.importorskip("pyspark.sql")
    monkeypatch.setattr(pyspark.SparkSession, "getActiveSession", lambda: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    if old:
        program(tmp_path / "bin" / "java", "1.8.0_392")

    told = f"{tmp_path / 'bin' / 'java'} is Java 8" if old else "no `java` is there"
    with pytest.raises(UnreadableSourceError, match=f"^Spark: {told}; it needs Java 17 or newer"):
        session_of({"spark.master": "local[1]"})
    assert "needs Java 17 or newer" in next(one.stands for one in findings() if one.what == "java")


def test_the_doctor_looks_at_every_extra() -> None:
    told = [one.what for one in findings()]

    assert {"extra spark", "extra delta", "extra iceberg", "extra explain", "extra demo"} <= set(told)
    assert extras(["a>1; extra == 'x'", 'b ; platform_system != "Plan9" and extra == "x"']) == {
        "x": ["a", "b"]
    }
