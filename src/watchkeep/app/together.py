"""The Python API: all the baselines of a model, and what they say of a window together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from watchkeep.alarms.decision import Decision
from watchkeep.app import store
from watchkeep.app.api import Baseline, Report, Time, window_of
from watchkeep.app.datasets import opened_of
from watchkeep.app.engines import engine_of
from watchkeep.app.joining import joined
from watchkeep.app.models import ModelOptions, with_model
from watchkeep.causes.ranking import Cause
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError, WatchkeepError
from watchkeep.core.verdicts import Status, Verdict
from watchkeep.frames.roles import Roles
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.folding import Engine
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Progress, Source
from watchkeep.service.together import Opened, Together, check_together
from watchkeep.views.html import report_html
from watchkeep.views.notebook import report_fragment

LABELLED = ("model-quality", "bias")
"""The kinds of baselines that labels are joined for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What some of a model's monitors need beside the window's rows.

    Args:
        labels: true outcomes, for model quality and bias.
        labels_id: the column of the ids in `labels`, if it has another name.
        arrival: the column in `labels` of the times when labels arrived.
        model: what answers, for attribution.
        options: how it is opened and asked.
    """

    labels: Source | None = None
    labels_id: str | None = None
    arrival: str | None = None
    model: object = None
    options: ModelOptions = ModelOptions()  # noqa: RUF009 (it never changes)

    def fitted(self, learned: Learned, source: Source, roles: Roles) -> tuple[Learned, Source]:
        """A baseline with its model, and the source with its labels.

        Raises:
            ModelError: the model cannot be opened.
            OptionError: there is no column of ids to join by, or the baseline takes no model.
        """
        if self.labels is not None:
            source = joined(
                source, self.labels, learned, roles, label_id=self.labels_id, arrival=self.arrival
            )
        return with_model(learned, self.model, self.options), source

    def opener(self, source: Source, roles: Roles) -> Opened:
        """The same for each of several, which need not all take a model or labels."""

        def opened(learned: Learned) -> tuple[Learned, Source]:
            explained = isinstance(learned, AttributionLearned)
            own = replace(
                self,
                labels=self.labels if learned.baseline.kind in LABELLED else None,
                model=self.model if explained else None,
            )
            return own.fitted(learned, source, roles)

        return opened


class Baselines:
    """All the baselines of one model: a window is checked against each, and causes are ranked over all.

    Args:
        baselines: of any kinds.
        names: what they are called; by kind when not given, the second of a kind "bias-2".

    Raises:
        OptionError: there is none.

    >>> import pyarrow as pa
    >>> import watchkeep as wk
    >>> people = {"age": [20 + i % 50 for i in range(1000)], "sex": ["F", "M"] * 500, "hired": [0, 1, 1, 0] * 250}
    >>> rows = pa.table(people)
    >>> data = wk.DataQuality().baseline(wk.read(rows, label="hired"))
    >>> groups = wk.Bias().baseline(wk.read(rows, label="hired", facets=["sex"]))
    >>> reports = Baselines(data, groups).check(rows)
    >>> str(reports.status), list(reports.reports)
    ('Completed', ['data-quality', 'bias'])
    """

    def __init__(self, *baselines: Baseline, names: Sequence[str] = ()) -> None:
        if not baselines:
            raise OptionError("baselines", got="none", expected="one baseline or more")
        kinds = [baseline.learned.baseline.kind for baseline in baselines]
        numbers = [kinds[: at + 1].count(kind) for at, kind in enumerate(kinds)]
        own = [kind if n == 1 else f"{kind}-{n}" for kind, n in zip(kinds, numbers, strict=True)]
        called = list(names or own)
        if len(set(called)) != len(baselines) or any(Path(name).name != name or not name for name in called):
            expected = f"{len(baselines)} different names, each of a folder"
            raise OptionError("names", got=", ".join(map(repr, called)), expected=expected)
        self._learned: dict[str, Learned] = {
            name: baseline.learned for name, baseline in zip(called, baselines, strict=True)
        }

    @classmethod
    def load(cls, folder: str | Path, *, roles: Roles | None = None) -> "Baselines":
        """Saved baselines: each a folder in this one, by whose name it goes.

        Raises:
            BaselineError: there is none, or one is damaged or of a newer version.
        """
        held = store.load_baselines(Path(folder), roles=roles)
        for one in held.values():
            if isinstance(one, WatchkeepError):
                raise one
        known = {name: Baseline(one) for name, one in held.items() if not isinstance(one, WatchkeepError)}
        return cls(*known.values(), names=tuple(known))

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        """Each, by name."""
        return {name: Baseline(learned) for name, learned in self._learned.items()}

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
        model: object = None,
        model_options: ModelOptions | None = None,
        policy: Policy | None = None,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> "Reports":
        """Check a window against each. One that cannot be run does not keep the others from it.

        Args:
            source: anything `read` takes, or what it made.
            labels, labels_id, arrival: true outcomes, for model quality and bias; see `Baseline.check`.
            start, end: keep only rows with start <= timestamp < end.
            find_segments: whether to search for slices of the rows where answers are worse.
            model: what answers, for attribution.
            model_options: how it is opened and asked.
            policy: the standard.
            engine: who reads, see `Baseline.check`.
            progress: is told how it goes.

        Raises:
            WatchkeepError: no monitor could be run.
        """
        opened, roles = opened_of(source)
        beside = Beside(
            labels=None if labels is None else opened_of(labels)[0],
            labels_id=labels_id,
            arrival=arrival,
            model=model,
            options=model_options or ModelOptions(),
        )
        return Reports(
            check_together(
                self._learned,
                beside.opener(opened, roles),
                source=opened.name,
                window=window_of(start, end),
                policy=policy or Policy(),
                created=datetime.now(UTC),
                roles=None if roles == Roles() else roles,
                progress=progress,
                search=find_segments,
                engine=engine_of(engine),
            )
        )


class Reports:
    """What all the monitors of a model found in one window."""

    def __init__(self, together: Together) -> None:
        self._together = together

    @property
    def reports(self) -> Mapping[str, Report]:
        """The report of each monitor that could be run, by name."""
        return {
            one.name: Report(one.findings, one.learned)
            for one in self._together.monitored
            if one.findings is not None and one.learned is not None
        }

    @property
    def failures(self) -> Mapping[str, str]:
        """Why the others could not be run, by name."""
        return {one.name: one.failure for one in self._together.monitored if one.findings is None}

    @property
    def status(self) -> Status:
        """Failed where a monitor could not be run, else Completed or CompletedWithViolations."""
        return self._together.status

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of all monitors, gravest first."""
        return self._together.verdicts

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The violated ones."""
        return self._together.violations

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What lies behind it, ranked over all monitors."""
        return self._together.causes

    @property
    def decision(self) -> Decision | None:
        """The decision with the most evidence of a change, of all monitors."""
        return self._together.decision

    def document(self) -> dict[str, object]:
        """The document `report.json` holds."""
        return store.together_of(self._together)

    def html(self) -> str:
        """One page that needs no network."""
        return report_html(self.document())

    def save(self, folder: str | Path) -> None:
        """Write report.json and report.html, and each monitor's report under `monitors`."""
        store.save_together(self._together, Path(folder))

    def _repr_html_(self) -> str:
        return report_fragment(self.document())

    def __repr__(self) -> str:
        return f"<Reports {self.status}: {', '.join(one.name for one in self._together.monitored)}>"
