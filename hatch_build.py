"""Compiles the innermost loops at installation, if there is a C compiler; without one nothing is missing but speed."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
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
        if self.target_name != "wheel" or not self._compiled():
            return
        build_data["artifacts"].append(f"/{TARGET}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"

    def _compiled(self) -> bool:
        root = Path(self.root)
        (root / TARGET).unlink(missing_ok=True)
        given = shlex.split(os.environ.get("CC", ""))
        compiler = given or [found for name in COMPILERS if (found := shutil.which(name))][:1]
        if not compiler or sys.platform == "win32":
            self.app.display_info("Watchkeep: no C compiler, so scans take somewhat longer")
            return False
        part = root / TARGET.with_suffix(f".{os.getpid()}.part")
        command = [*compiler, *FLAGS, "-o", str(part), str(root / SOURCE)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (the compiler)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.app.display_warning(
                f"Watchkeep: {command[0]} failed, so scans take somewhat longer:\n{said}"
            )
            part.unlink(missing_ok=True)
            return False
        part.replace(root / TARGET)
        return True
