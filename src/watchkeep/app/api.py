"""The Python API: read, learn, check, merge, judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from watchkeep.adapters.sources import open_source
from watchkeep.alarms.decision import Decision
from watchkeep.alarms.record import Record
from watchkeep.app import store
from watchkeep.app.joining import joined
from watchkeep.app.labelling import label_plan
from watchkeep.app.reviewing import review_list
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError
from watchkeep.core.undefined import Value
from watchkeep.core.verdicts import Status, Verdict
from watchkeep.core.window import Window, instant
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import parse_segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.findings import Cause, Findings
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.profiles.profile import Profile
from watchkeep.service.answers import learn_answers
from watchkeep.service.baselining import learn
from watchkeep.service.bias import BiasOptions, learn_bias
from watchkeep.service.labelling import HALVED, Labelling
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Progress, Source
from watchkeep.service.quality import QualityOptions
from watchkeep.service.review import REVIEWED
from watchkeep.service.rows import kept
from watchkeep.stats.flip_test import NEIGHBOURS
from watchkeep.views.html import report_html
from watchkeep.views.notebook import baseline_fragment, report_fragment

Time = str | datetime | None
Values = str | float | Sequence[str | float] | None
"""A value, or several; numbers as people write them. None, or none of them, for each value."""
Facets = Mapping[str, Values] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from, and which column is what. Made by `read`; nothing is read yet."""

    source: Source
    roles: Roles


def read(
    source: object,
    *,
    label: str | None = None,
    prediction: str | None = None,
    score: str | None = None,
    timestamp: str | None = None,
    id: str | None = None,  # noqa: A002 (the role's name)
    weight: str | None = None,
    query: str | None = None,
    members: str | None = None,
    facets: Facets = (),
    features: Sequence[str] = (),
    ignore: Sequence[str] = (),
    format: str | None = None,  # noqa: A002 (the option's name)
    header: bool | None = None,
    where: str | None = None,
) -> Dataset:
    """Rows and the roles of their columns.

    Args:
        source: a path, folder, glob or URL; a pandas, Polars, Arrow or DuckDB frame; or a list of these.
        label, prediction, score, timestamp, id, weight: the column of that role.
        query: the column that rows ranked together have in common.
        members: the column of lists of the scores that an ensemble's members gave.
        facets: columns of sensitive groups, or a mapping from column to the group's values.
        features: when given, other columns are ignored.
        ignore: columns not looked at.
        format: parquet, csv, jsonl, arrow or capture; told by name and content when not given.
        header: whether CSV has a row of names; told by the content when not given.
        where: a rule such as "region = 'EU' and age < 30": only rows of which it holds.

    Raises:
        MissingSourceError: there is nothing at that path.
        OptionError: a role or option cannot be used.

    >>> import pyarrow as pa
    >>> read(pa.table({"age": [41, 7]}), label="age").roles.label
    'age'
    """
    groups: Mapping[str, Values] = facets if isinstance(facets, Mapping) else dict.fromkeys(facets, ())
    roles = Roles(
        label=label,
        prediction=prediction,
        score=score,
        timestamp=timestamp,
        id=id,
        weight=weight,
        query=query,
        members=members,
        facets={name: _texts(values) for name, values in groups.items()},
        features=tuple(features),
        ignored=tuple(ignore),
        where=where,
    )
    return Dataset(open_source(source, format=format, header=header), roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """The data quality monitor: does a window still look like the data the model learned from?

    Args:
        dialect: "default", or "sagemaker" / "sagemaker-2020" to learn types and limits as Model Monitor does.

    >>> import pyarrow as pa
    >>> reference = pa.table({"age": [20 + i % 50 for i in range(1000)]})
    >>> baseline = DataQuality().baseline(reference)
    >>> report = baseline.check(pa.table({"age": [None] * 90 + [30] * 10}))
    >>> str(report.status), report.violations[0].check
    ('CompletedWithViolations', 'completeness_check')
    """

    dialect: str = "default"

    def baseline(self, reference: object, *, progress: Progress | None = None) -> "Baseline":
        """Learn a baseline from a `Dataset`, or from anything `read` takes.

        Raises:
            EmptySourceError: there are no rows.
            SourceError: they cannot be read.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        learned = learn(
            data.source,
            data.roles,
            kind="data-quality",
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            progress=progress,
        )
        return Baseline(learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuality:
    """The model quality monitor: does the model still answer as well as on the reference data?

    Args:
        problem: "BinaryClassification", "MulticlassClassification" or "Regression"; told by the labels when not given.
        positive: the positive of two classes; the larger when not given.
        threshold: a score above it is a positive answer, where there is no column of predictions.
        segments: slices of the rows to be measured apart, each a rule such as "young: age < 30".
        dialect: "default", or "sagemaker" / "sagemaker-2020".

    >>> import pyarrow as pa
    >>> rows = pa.table({"y": [0, 1] * 500, "p": [0.2, 0.9] * 450 + [0.7, 0.4] * 50})
    >>> baseline = ModelQuality().baseline(read(rows, label="y", score="p"))
    >>> baseline.check(pa.table({"y": [0, 1] * 50, "p": [0.2, 0.9] * 45 + [0.6, 0.4] * 5})).measures["auc", "dataset"]
    0.99
    """

    problem: str | None = None
    positive: str | None = None
    threshold: float = 0.5
    segments: Sequence[str] = ()
    dialect: str = "default"

    def baseline(self, reference: object, *, progress: Progress | None = None) -> "Baseline":
        """Learn a baseline from a `Dataset` with a label, and a prediction or a score.

        Raises:
            EmptySourceError: there are no rows.
            OptionError: an option or a role cannot be used.
            SourceError: they cannot be read, or the labels fit no problem.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        options = QualityOptions(
            problem=None if self.problem is None else problem_of(self.problem),
            positive=self.positive,
            threshold=self.threshold,
            segments=tuple(parse_segment(text) for text in self.segments),
        )
        learned = learn_answers(
            data.source,
            data.roles,
            options,
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            progress=progress,
        )
        return Baseline(learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """The bias monitor: are groups of people treated alike, and as they were in the reference data?

    Args:
        positive: the label that counts as positive, or several; of labels that are numbers the one they must be above.
            The later of two when not given.
        threshold: a score above it is a positive answer, where there is no column of predictions.
        stratum: the column that groups are compared within, for conditional demographic disparity.
        neighbours: how many neighbours the flip test asks.
        dialect: "default", or "sagemaker" / "sagemaker-2020".

    >>> import pyarrow as pa
    >>> rows = pa.table({"sex": ["F", "M", "M"] * 300, "hired": ["no", "yes", "no"] * 150 + ["no", "yes", "yes"] * 150})
    >>> baseline = Bias().baseline(read(rows, label="hired", facets={"sex": ["F"]}))
    >>> baseline.check(rows).measures["DPL", "sex=F"]
    0.75
    """

    positive: Values = ()
    threshold: float = 0.5
    stratum: str | None = None
    neighbours: int = NEIGHBOURS
    dialect: str = "default"

    def baseline(self, reference: object, *, progress: Progress | None = None) -> "Baseline":
        """Learn a baseline from a `Dataset` with facets, and a label, a prediction or a score.

        Raises:
            EmptySourceError: there are no rows.
            OptionError: an option, a role or a facet cannot be used.
            SourceError: they cannot be read.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        options = BiasOptions(
            positive=_texts(self.positive),
            threshold=self.threshold,
            stratum=self.stratum,
            neighbours=self.neighbours,
        )
        learned = learn_bias(
            data.source,
            data.roles,
            options,
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            progress=progress,
        )
        return Baseline(learned)


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
        policy: Policy | None = None,
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
            policy: the standard; the default allows one false alarm in 1,000 checks.
            progress: is told how it goes.

        Raises:
            EmptySourceError: no row is left to analyse.
            OptionError: an option is of another monitor, or there is no column of ids to join by.
            SourceError: a source cannot be read.
        """
        opened, roles = _opened(source)
        if labels is not None:
            opened = joined(
                opened, _opened(labels)[0], self._learned, roles, label_id=labels_id, arrival=arrival
            )
        with review_list(None if review is None else Path(review), below=review_below) as listed:
            findings = self._learned.check(
                opened,
                window=_window(start, end),
                policy=policy or Policy(),
                created=datetime.now(UTC),
                roles=None if roles == Roles() else roles,
                progress=progress,
                review=listed,
                search=find_segments,
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
        opened, roles = _opened(source)
        return label_plan(
            self._learned,
            opened,
            roles,
            window=_window(start, end),
            measure=measure,
            share=share,
            labels=None if labels is None else _opened(labels)[0],
            labels_id=labels_id,
            progress=progress,
        )

    def scan(self, rows: object, *, policy: Policy | None = None) -> Profile:
        """The state of some rows: it merges with the states of other rows of the same baseline.

        Args:
            rows: an Arrow table or record batch; anything else `read` takes is read whole.
            policy: whose dialect tells types apart.
        """
        standard = policy or Policy()
        learned = self._in_force(standard.dialect)
        if hasattr(rows, "num_rows") and hasattr(rows, "schema"):
            fold = learned.fold(standard.dialect)
            batch, fold.account.outside = kept(Batch.of(rows), learned.baseline.roles)
            fold.add(batch)
            return fold.profile()
        return learned.scan(open_source(rows), window=Window(), dialect=standard.dialect)

    def judge(
        self, state: Profile, *, start: Time = None, end: Time = None, policy: Policy | None = None
    ) -> "Report":
        """Judge a state: no row is read."""
        standard = policy or Policy()
        findings = self._in_force(standard.dialect).judge(
            state,
            window=_window(start, end),
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
        return self.findings.causes()

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


def _texts(values: Values) -> tuple[str, ...]:
    """Values as texts."""
    if values is None:
        return ()
    several = (values,) if isinstance(values, str | float | int) else values
    return tuple(one if isinstance(one, str) else f"{one:.12g}" for one in several)


def _opened(source: object) -> tuple[Source, Roles]:
    """A source, and the roles that were given with it."""
    if isinstance(source, Dataset):
        return source.source, source.roles
    return open_source(source), Roles()


def problem_of(name: str) -> Problem:
    """The problem of that name.

    Raises:
        OptionError: there is none.
    """
    choices = [str(problem) for problem in Problem]
    if name not in choices:
        raise OptionError("problem", got=name, expected=f"one of {', '.join(choices)}", choices=choices)
    return Problem(name)


def dialect_of(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        OptionError: there is none.
    """
    choices = [str(dialect) for dialect in Dialect]
    if name not in choices:
        raise OptionError("dialect", got=name, expected=f"one of {', '.join(choices)}", choices=choices)
    return Dialect(name)


def _window(start: Time, end: Time) -> Window:
    sides = [
        instant(side, option=name) if isinstance(side, str) else side
        for name, side in (("start", start), ("end", end))
    ]
    return Window(*sides)
