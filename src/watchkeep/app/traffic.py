"""What was asked of a home's endpoints since it began, for those who watch numbers go up."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchkeep.adapters.captures.sealing import tallies_of
from watchkeep.adapters.whole_file import write_whole
from watchkeep.capture.home import SEGMENTS
from watchkeep.capture.segment import blocks_of, pending
from watchkeep.capture.traffic import Tallies

FILE: Final = "traffic.json"
_VERSION: Final = 1


@dataclass(slots=True)
class Totals:
    """Counts of all segments that were sealed, kept in a file of the home.

    A segment is counted once, though its sealing may be broken off and begun again.

    Args:
        home: whose.
    """

    home: Path

    def add(self, segment: str, tallies: Tallies) -> None:
        """Count a segment that was sealed and is not gone yet."""
        totals, last = self._read()
        if segment in last:
            return
        totals.merge(tallies.totals())
        left = {path.stem for path, _ in pending(self.home / SEGMENTS)}
        document = {
            "version": _VERSION,
            "sealed": sorted({segment, *(name for name in last if name in left)}),
            "totals": totals.documents(),
        }
        write_whole(self.home / FILE, json.dumps(document, separators=(",", ":")).encode())

    def now(self) -> Tallies:
        """All that was counted, the segments that are not sealed yet too."""
        while True:
            totals, last = self._read()
            for path, _ in pending(self.home / SEGMENTS):
                if path.stem in last:
                    continue
                with suppress(FileNotFoundError):  # sealed just now
                    totals.merge(tallies_of(blocks_of(path)[0]).totals())
            if self._read()[1] == last:  # else some were sealed meanwhile, and would be in neither
                return totals

    def waiting(self) -> Tallies:
        """Counts of segments that are not sealed yet, by the minute.

        Raises:
            StoreError: a segment is of a newer version, or encrypted with a key that is not in the environment.
        """
        _, last = self._read()
        tallies = Tallies()
        for path, _ in pending(self.home / SEGMENTS):
            if path.stem not in last:
                with suppress(FileNotFoundError):  # sealed just now
                    tallies.merge(tallies_of(blocks_of(path)[0]))
        return tallies

    def _read(self) -> tuple[Tallies, frozenset[str]]:
        try:
            document = json.loads((self.home / FILE).read_bytes())
        except FileNotFoundError:
            return Tallies(), frozenset()
        return Tallies.read(document["totals"]), frozenset(document["sealed"])
