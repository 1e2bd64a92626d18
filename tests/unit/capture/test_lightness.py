"""The capture client brings nothing into a model server that the server does not have."""

import subprocess
import sys

HEAVY = ("numpy", "pyarrow", "pandas", "duckdb", "click", "rich", "asyncio", "yaml", "cryptography")


def test_importing_the_client_imports_nothing_heavy() -> None:
    code = "import sys, watchkeep.capture; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(HEAVY) & set(done.stdout.split())
