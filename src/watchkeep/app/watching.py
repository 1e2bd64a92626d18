"""The Python API of watches."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from watchkeep.adapters.whole_file import alone, write_whole
from watchkeep.alarms.decision import Decision
from watchkeep.alarms.record import Note, Record, started
from watchkeep.alarms.track import Track, tracks
from watchkeep.alarms.watch import MARGIN
from watchkeep.app.api import Baseline, Report
from watchkeep.core.errors import MissingSourceError, OptionError, WatchError
from watchkeep.formats import watch_file
from watchkeep.monitors.findings import Findings
from watchkeep.monitors.model_quality.drift import outturns
from watchkeep.service.learned import Learned


class Watch:
    """Window after window against a baseline, with a budget of false alarms.

    Of windows in which nothing changed a share of about `false_alarms` rings, at most, whatever the number of
    columns and of rows. The watch keeps the evidence of windows that do not ring: many small signs ring together.

    Args:
        baseline: what the model learned from.
        false_alarms: unchanged windows that may ring, as a share; 1/1000 is one in a thousand.
        margin: what is too little to matter, in standard deviations of a row: differences of about that size do not
            ring however many rows show them.

    Raises:
        OptionError: the budget is not within (0, 0.5], or the margin not within [0, 1).

    >>> import pyarrow as pa
    >>> import watchkeep as wk
    >>> baseline = wk.DataQuality().baseline(pa.table({"age": [20 + i % 50 for i in range(5000)]}))
    >>> watch = Watch(baseline, false_alarms=1/1000)
    >>> watch.observe(baseline.check(pa.table({"age": [20 + i % 50 for i in range(500)]}))).alarm
    False
    >>> decision = watch.observe(baseline.check(pa.table({"age": [30 + i % 50 for i in range(500)]})))
    >>> decision.alarm, decision.named
    (True, ('age',))
    """

    def __init__(self, baseline: Baseline, *, false_alarms: float = 1 / 1000, margin: float = MARGIN) -> None:
        if not 0 < false_alarms <= 0.5:
            raise OptionError("false_alarms", got=str(false_alarms), expected="a share above 0, at most 0.5")
        if not 0 <= margin < 1:
            raise OptionError("margin", got=str(margin), expected="standard deviations from 0 to below 1")
        self._baseline = baseline
        self._panel = baseline.learned.panel(false_alarms=false_alarms, margin=margin)
        self._record = started(baseline.states_id, self._panel)
        self._name = "this watch"

    def observe(self, report: Report) -> Decision:
        """What a window says, after those before it.

        Windows come in order; one seen before changes nothing, and one that late rows were added to is judged
        again with those after it.

        Args:
            report: of this watch's baseline.

        Raises:
            WatchError: the report is of another baseline, or its window begins before the last one ended.
        """
        findings = report.findings
        if report.learned.baseline is not self._baseline.learned.baseline:
            other = report.learned.states_id
            if other != self._record.baseline:
                raise WatchError(
                    self._name,
                    why=f"it watches over baseline {self._record.baseline}, and the report is of {other}",
                )
        record, decision = self._record.observe(self._panel, findings.sighting, name=self._name)
        self._record = record.turned_out(decision.key, outturns(decision.key, findings.verdicts))
        report.watched(decision, self._record)
        return decision

    @property
    def baseline(self) -> Baseline:
        """What windows are held against."""
        return self._baseline

    @property
    def decisions(self) -> Sequence[Decision]:
        """What was said of every window, in order."""
        return self._record.decisions

    @property
    def notes(self) -> Sequence[Note]:
        """What people did: alarms acknowledged, baselines replaced."""
        return self._record.notes

    @property
    def track(self) -> Sequence[Track]:
        """How estimates made before labels came have turned out, by measure; of model quality."""
        return tracks(self._record.outturns)

    @property
    def record(self) -> Record:
        """All there is to this watch, as a value."""
        return self._record

    def acknowledge(self, *, by: str, note: str = "") -> None:
        """End the open alarm. The evidence starts again; the baseline stays: a lasting change rings again."""
        self._record = self._record.acknowledged(by=by, text=note, at=datetime.now(UTC))

    def rebaseline(self, baseline: Baseline, *, by: str, note: str = "") -> None:
        """Go on with another baseline. The evidence starts again; past decisions stay on record."""
        record = self._record
        self._panel = baseline.learned.panel(false_alarms=record.false_alarms, margin=record.margin)
        self._baseline = baseline
        self._record = record.rebased(baseline.states_id, self._panel, by=by, text=note, at=datetime.now(UTC))

    def save(self, path: str | Path) -> None:
        """Write the watch to a file: the old one stays until the new one is whole.

        Raises:
            BadInputError: it cannot be written.
        """
        write_whole(Path(path), watch_file.pack(self._record))

    @classmethod
    def load(cls, path: str | Path, baseline: Baseline) -> "Watch":
        """A saved watch, with its baseline.

        Raises:
            MissingSourceError: there is no such file.
            WatchError: it is damaged, of a newer version, or of another baseline.
        """
        file = Path(path)
        if not file.is_file():
            raise MissingSourceError(str(path), looked_for="one that a watch was saved to", what="file")
        record = watch_file.unpack(file.read_bytes(), str(path))
        if record.baseline != baseline.states_id:
            raise WatchError(
                str(path),
                why=f"it watches over baseline {record.baseline}, not {baseline.states_id}; "
                "begin a new watch, or give it the new baseline on purpose (`rebaseline`)",
            )
        watch = cls(baseline, false_alarms=record.false_alarms, margin=record.margin)
        watch._record, watch._name = record, str(path)
        return watch

    def __repr__(self) -> str:
        seen = len(self.decisions)
        alarms = sum(one.alarm for one in self.decisions)
        return f"<Watch over {self._record.baseline}: {seen} windows, {alarms} alarms>"


def observe(path: Path, learned: Learned, findings: Findings) -> tuple[Decision, Record]:
    """Let the watch of a file take a window, and save it before anybody is told.

    The file is begun if it is not there; one process at a time.

    Raises:
        WatchError: it is damaged, of another baseline, or the window is out of order.
        BadInputError: it cannot be written.
    """
    baseline = Baseline(learned)
    with alone(path):
        if path.exists():
            watch = Watch.load(path, baseline)
        else:
            watch = Watch(baseline, false_alarms=findings.policy.false_alarms)
        before = watch.record
        decision = watch.observe(Report(findings, learned))
        if watch.record is not before:
            watch.save(path)
    return decision, watch.record


def acknowledge(path: Path, *, by: str, note: str) -> str | None:
    """End the open alarm of the watch in a file; gives the key of the window that rang, None when none was open.

    Raises:
        MissingSourceError: there is no such file.
        WatchError: it is damaged or of a newer version.
    """
    if not path.is_file():
        raise MissingSourceError(str(path), looked_for="one that a watch was saved to", what="file")
    with alone(path):
        record = watch_file.unpack(path.read_bytes(), str(path))
        after = record.acknowledged(by=by, text=note, at=datetime.now(UTC))
        write_whole(path, watch_file.pack(after))
    return None if record.history.alarm is None else record.history.alarm.key
