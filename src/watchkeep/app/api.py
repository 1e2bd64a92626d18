"""The Python API: baselines check, scan and judge; reports tell."""

from datetime import UTC, datetime
from pathlib import Path

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.record import Record
from watchkeep.app import store
from watchkeep.app.datasets import opened_of
from watchkeep.app.engines import engine_of
from watchkeep.app.joining import joined
from watchkeep.app.labelling import label_plan
from watchkeep.app.models import ModelOptions, with_model
from watchkeep.app.reviewing import review_list
from watchkeep.app.sources import open_source
from watchkeep.causes.ranking import Cause
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Value
from watchkeep.core.verdicts import Status, Verdict
from watchkeep.core.window import Window, instant
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.service.folding import Engine
from watchkeep.service.labelling import HALVED, Labelling
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Progress
from watchkeep.service.review import REVIEWED
from watchkeep.service.rows import kept
from watchkeep.views.html import report_html
from watchkeep.views.notebook import baseline_fragment, report_fragment

Time = str | datetime | None


class Baseline:
    """What a model learned from, to hold windows against. Made by a monitor, or by `load`."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._force: dict[Dialect, Learned] = {}

    @property
    def id(self) -> str:
        """Twelve digits that change with any state and any limit."""
        return self._learned.id

    @property
    def states_id(self) -> str:
        """Twelve digits that change with any state, and with no limit."""
        return self._learned.states_id

    @property
    def learned(self) -> Learned:
        """The states behind it, and its limits."""
        return self._learned

    @property
    def rows(self) -> int:
        """Rows it was learned from."""
        return self._learned.baseline.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it knows, in order."""
        return self._learned.columns

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """The limits, each with rule, reason and evidence."""
        return self._learned.baseline.constraints

    def check(
        self,
        source: object,
        *,
        labels: object = None,
        labels_id: str | None = None,
        arrival: str | None = None,
        start: Time = None,
        end: Time = None,
        find_segments: bool = False,
        review: str | Path | None = None,
        review_below: float = REVIEWED,
        model: object = None,
        model_options: ModelOptions | None = None,
        policy: Policy | None = None,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> "Report":
        """Check a window.

        Args:
            source: anything `read` takes, or what it made: its roles then hold where they differ from the baseline's.
            labels: a source of true outcomes, joined by the role `id`; of model quality and bias.
            labels_id: the column of the ids in `labels`, if it has another name.
            arrival: the column in `labels` of the times when labels arrived: the last one counts.
            start, end: keep only rows with start <= timestamp < end; ISO 8601 texts or aware datetimes.
            find_segments: whether to search for slices of the rows where answers are worse; of model quality.
            review: a CSV file to write the ids of the least certain answers to; of model quality.
            review_below: the probability of an answer below which it is listed, in (0, 1].
            model: what answers; of attribution, where the baseline was loaded, or another model is to explain.
            model_options: how it is opened and asked.
            policy: the standard; the default allows one false alarm in 1,000 checks.
            engine: who reads: what `watchkeep.engine` gives, or "local" or "spark"; this machine when not given.
            progress: is told how it goes.

        Raises:
            EmptySourceError: no row is left to analyse.
            OptionError: an option is of another monitor, or there is no column of ids to join by.
            SourceError: a source cannot be read.
        """
        opened, roles = opened_of(source)
        if labels is not None:
            opened = joined(
                opened, opened_of(labels)[0], self._learned, roles, label_id=labels_id, arrival=arrival
            )
        learned = with_model(self._learned, model, model_options or ModelOptions())
        with review_list(None if review is None else Path(review), below=review_below) as listed:
            findings = learned.check(
                opened,
                window=window_of(start, end),
                policy=policy or Policy(),
                created=datetime.now(UTC),
                roles=None if roles == Roles() else roles,
                progress=progress,
                review=listed,
                search=find_segments,
                engine=engine_of(engine),
            )
        return Report(findings, self._learned)

    def label_plan(
        self,
        source: object,
        *,
        measure: str = "accuracy",
        share: float = HALVED,
        labels: object = None,
        labels_id: str | None = None,
        start: Time = None,
        end: Time = None,
        progress: Progress | None = None,
    ) -> Labelling:
        """Choose the few rows of a window whose labels tell most of how good its answers are.

        Args:
            source: as for `check`.
            measure: whose band is to become narrower.
            share: how wide the band is to be, as a share of what it is; in (0, 1).
            labels, labels_id: as for `check`: labels of the plan that have come, to tell the measure from.
            start, end: as for `check`.
            progress: is told how it goes.

        Raises:
            OptionError: the baseline is not of the quality of two classes, or the measure has no estimate.
            SourceError: the source cannot be read.
        """
        opened, roles = opened_of(source)
        return label_plan(
            self._learned,
            opened,
            roles,
            window=window_of(start, end),
            measure=measure,
            share=share,
            labels=None if labels is None else opened_of(labels)[0],
            labels_id=labels_id,
            progress=progress,
        )

    def scan(
        self, rows: object, *, policy: Policy | None = None, engine: Engine | str | None = None
    ) -> Profile:
        """The state of some rows: it merges with the states of other rows of the same baseline.

        Args:
            rows: an Arrow table or record batch; anything else `read` takes is read whole.
            policy: whose dialect tells types apart.
            engine: who reads, see `check`.
        """
        standard = policy or Policy()
        learned = self._in_force(standard.dialect)
        if hasattr(rows, "num_rows") and hasattr(rows, "schema"):
            fold = learned.begin(standard.dialect)(0)
            fold.add(kept(Batch.of(rows), learned.baseline.roles))
            return fold.profile()
        return learned.scan(
            open_source(rows), window=Window(), dialect=standard.dialect, engine=engine_of(engine)
        )

    def judge(
        self, state: Profile, *, start: Time = None, end: Time = None, policy: Policy | None = None
    ) -> "Report":
        """Judge a state: no row is read."""
        standard = policy or Policy()
        findings = self._in_force(standard.dialect).judge(
            state,
            window=window_of(start, end),
            policy=standard,
            source="a merged state",
            created=datetime.now(UTC),
        )
        return Report(findings, self._learned)

    def _in_force(self, dialect: Dialect) -> Learned:
        if dialect not in self._force:
            self._force[dialect] = self._learned.in_force(dialect)
        return self._force[dialect]

    def save(self, folder: str | Path) -> None:
        """Write statistics.json, constraints.json and baseline.arrow; the folder appears whole or not at all."""
        store.save_baseline(self._learned, Path(folder))

    def document(self) -> dict[str, object]:
        """The baseline for people: columns, limits, reasons."""
        return self._learned.told()

    def _repr_html_(self) -> str:
        return baseline_fragment(self.document())

    def __repr__(self) -> str:
        return f"<Baseline {self.id}: {self.rows} rows, {len(self.columns)} columns, {len(self.constraints)} limits>"


class Report:
    """What a check found."""

    def __init__(self, findings: Findings, learned: Learned) -> None:
        self.findings = findings
        self._learned = learned
        self._watched: tuple[Decision, Record] | None = None

    @property
    def decision(self) -> Decision:
        """Whether the window as a whole changed: by itself, or as a watch said that observed it."""
        return self._watched[0] if self._watched is not None else self.findings.decision

    def watched(self, decision: Decision, record: Record) -> None:
        """Take a watch's decision: documents and pages then tell of the windows before, too."""
        self._watched = (decision, record)

    @property
    def status(self) -> Status:
        """Completed, or CompletedWithViolations."""
        return self.findings.status

    @property
    def learned(self) -> Learned:
        """The baseline it was held against."""
        return self._learned

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every constraint's answer, gravest first."""
        return self.findings.verdicts

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The violated ones."""
        return self.findings.violations

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What to look at first."""
        return self.findings.causes

    @property
    def measures(self) -> dict[tuple[str, str], Value]:
        """Value by (measure, subject); a subject is a column or "dataset"."""
        return {(one.measure, one.subject): one.value for one in self.findings.measures}

    def document(self) -> dict[str, object]:
        """The document `report.json` holds."""
        return store.report_of(self.findings, self._learned, self._watched)

    def html(self) -> str:
        """One page that needs no network."""
        return report_html(self.document())

    def save(self, folder: str | Path) -> None:
        """Write the report's five files; the folder appears whole or not at all."""
        store.save_report(self.findings, self._learned, Path(folder), self._watched)

    def _repr_html_(self) -> str:
        return report_fragment(self.document())

    def __repr__(self) -> str:
        rows = self.findings.profile.rows
        return f"<Report {self.status}: {rows} rows, {len(self.violations)} of {len(self.verdicts)} limits violated>"


def load(folder: str | Path, *, roles: Roles | None = None) -> Baseline:
    """A saved baseline, ours or one that SageMaker made (statistics.json and constraints.json).

    Raises:
        BaselineError: it is missing, damaged, or of a newer version.
        DocumentError: a JSON document does not follow its schema.
    """
    return Baseline(store.load_baseline(Path(folder), roles=roles))


def window_of(start: Time, end: Time) -> Window:
    """The window between two times."""
    sides = [
        instant(side, option=name) if isinstance(side, str) else side
        for name, side in (("start", start), ("end", end))
    ]
    return Window(*sides)
