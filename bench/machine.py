"""Which machine the figures are from, found without importing numerics."""

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("pyarrow", "numpy", "duckdb")


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on.

    Args:
        processor: the model's name.
        cores: how many this process may use.
        memory: bytes.
        system: the operating system.
        python: its version.
        libraries: name to version of what does the work.
        load: how many other processes wanted a core in the last minute, when the benchmark began.
    """

    processor: str
    cores: int
    memory: int
    system: str
    python: str
    libraries: dict[str, str]
    load: float


def this_machine() -> Machine:
    """The machine this runs on, now."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=platform.platform(terse=True),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        libraries={name: _version(name) for name in _LIBRARIES} | {"loops": _loops()},
        load=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        for line in cpus.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _loops() -> str:
    """Whether the innermost loops are compiled; without importing what would use them."""
    built = Path(__file__).resolve().parents[1] / "src" / "watchkeep" / "stats" / "kernels.so"
    return "compiled" if built.exists() else "not compiled"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
