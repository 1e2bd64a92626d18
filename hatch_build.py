"""Compiles the innermost loops at installation, if there is a C compiler; without one nothing is missing but speed."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE: Final = Path("src/watchkeep/stats/kernels.c")
TARGET: Final = SOURCE.with_suffix(".so")
FLAGS: Final = ("-O3", "-ffp-contract=off", "-shared", "-fPIC")
COMPILERS: Final = ("cc", "gcc", "clang")


class Kernels(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own documentation leaves it open
    """`pip install` runs this for wheels, and for installations that are edited in place."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (the hook's signature)
        """Compile, and have the wheel say for which machines it is."""
        if self.target_name != "wheel":
            return
        try:
            self._compile(Path(self.root))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.app.display_warning(f"Watchkeep: nothing was compiled, so scans take longer: {said}")
            return
        build_data["artifacts"].append(f"/{TARGET}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"

    def _compile(self, root: Path) -> None:
        (root / TARGET).unlink(missing_ok=True)
        given = shlex.split(os.environ.get("CC", ""))
        compiler = given or [found for name in COMPILERS if (found := shutil.which(name))][:1]
        if not compiler or sys.platform == "win32":
            raise FileNotFoundError("no C compiler was found")
        part = root / TARGET.with_suffix(f".{os.getpid()}.part")
        text = f"-DWATCHKEEP_SOURCE={zlib.crc32((root / SOURCE).read_bytes())}"
        command = [*compiler, *FLAGS, text, "-o", str(part), str(root / SOURCE)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")  # noqa: S603 (cc)
            part.replace(root / TARGET)
        finally:
            part.unlink(missing_ok=True)


def _platform() -> str:
    """What the library runs on, as wheels spell it: a compiler on macOS makes it for one kind of processor."""
    name = sysconfig.get_platform().replace("universal2", platform.machine())
    return name.replace("-", "_").replace(".", "_")
