"""What was measured before, so that a run that was stopped goes on where it stopped."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Shelf:
    """Results by name, each a file of JSON.

    Args:
        folder: of the files.
        again: how the names start of what is to be measured anew.
    """

    folder: Path
    again: tuple[str, ...] = ()

    def get(self, name: str, measure: Callable[[], Any]) -> Any:
        """What is kept under a name, or what is measured now and kept.

        Args:
            name: tells all options that the result depends on.
            measure: gives what JSON can hold.
        """
        path = self.folder / f"{name}.json"
        if name.startswith(self.again) or not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(measure()), encoding="utf-8")
            part.replace(path)
        return json.loads(path.read_text("utf-8"))
