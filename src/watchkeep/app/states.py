"""The Python API of stored states, and checks that store the hours they read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from watchkeep.adapters.sources.spark_table import table_of
from watchkeep.app.api import Baseline, Report, Time, window_of
from watchkeep.app.datasets import opened_of
from watchkeep.app.engines import engine_of
from watchkeep.app.joining import joined
from watchkeep.app.models import ModelOptions, with_model
from watchkeep.app.replaying import LEVELS, Replay, replay, reports, spanned, states_of
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window, instant
from watchkeep.frames.roles import Roles
from watchkeep.monitors.bias.evaluation import BiasFindings
from watchkeep.monitors.findings import Findings
from watchkeep.monitors.model_quality.evaluation import QualityFindings
from watchkeep.profiles.profile import Profile
from watchkeep.service.filling import fill
from watchkeep.service.folding import Engine
from watchkeep.service.joining import Labelled, account_of
from watchkeep.service.learned import Learned, timed
from watchkeep.service.ports import Progress, Source
from watchkeep.service.state_store import Held, StateStore
from watchkeep.service.state_upkeep import Upkeep, compact, forget
from watchkeep.service.weighing import own_weights, weighed


def check_hours(
    learned: Learned,
    source: Source,
    states: StateStore,
    *,
    window: Window,
    policy: Policy,
    created: datetime,
    roles: Roles | None = None,
    again: bool = False,
    engine: Engine,
    progress: Progress | None = None,
) -> Findings:
    """Check a window, and store its hours. What is past is merged, so that long stretches are judged soon.

    Args:
        learned: the baseline; of attribution, with its model.
        source: the window's rows; with labels joined to them, if there are any.
        states: where to store them.
        window: keeps only rows of this time; it begins and ends at whole hours.
        policy: the standard.
        created: now.
        roles: which column is what, where it is not as the baseline says; only the event time may differ.
        again: whether these hours were read before, and what is stored of them makes way.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: no row has an hour.
        MissingColumnError: there is no column of the event time.
        OptionError: an option does not go together with stored states.
        SourceError: the source cannot be read.
        StoreError: the store is of another baseline, damaged, or cannot be written.
    """
    started, force = perf_counter(), learned.in_force(policy.dialect)
    if (
        engine.name == "spark"
        and not again
        and (table_of(source) is not None or isinstance(source, Labelled))
    ):
        # The digits of sums depend on Spark's partitions: the same rows would be stored twice.
        expected = "--again beside --states, where Spark reads tables or joins labels: the hours are then stored anew"
        raise OptionError("again", got="nothing", expected=expected)
    filled = fill(
        states,
        force,
        source,
        window=window,
        dialect=policy.dialect,
        roles=roles,
        again=again,
        engine=engine,
        progress=progress,
    )
    compact(states, until=created, progress=progress)
    read = perf_counter()
    findings = force.judge(filled.total, window=window, policy=policy, source=source.name, created=created)
    if isinstance(source, Labelled) and isinstance(findings, QualityFindings | BiasFindings):
        findings = replace(findings, unmatched=source.account().unmatched, join=account_of(source))
    own = force.baseline.roles if roles is None else force.baseline.roles.under(roles)
    weights, labelled = own_weights(source, own, window), isinstance(source, Labelled)
    return timed(weighed(findings, weights, used=not labelled, even=not labelled), started, read)


class States:
    """What was counted of every hour, in a folder: any stretch of it is judged without reading a row.

    Args:
        baseline: whose states they are.
        where: a folder, or a URL such as s3://bucket/folder; it is made when something is stored.
        policy: the standard that stretches are judged by; its dialect tells how rows are read.

    Raises:
        OptionError: it is a file, or no URL that can be opened.

    >>> import tempfile
    >>> import pyarrow as pa
    >>> import watchkeep as wk
    >>> times = pa.array(range(0, 7_200, 2), pa.timestamp("s", "UTC"))
    >>> rows = pa.table({"age": [20 + i % 50 for i in range(3600)], "at": times})
    >>> baseline = wk.DataQuality().baseline(wk.read(rows, timestamp="at"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     states = States(baseline, folder)
    ...     _ = states.fill(rows)
    ...     [report.findings.profile.rows for report in states.reports(every="hour")], states.over().rows
    ([1800, 1800], 3600)
    """

    def __init__(self, baseline: Baseline, where: str | Path, *, policy: Policy | None = None) -> None:
        self._baseline, self._policy = baseline, policy or Policy()
        self._store = states_of(baseline.learned, where, self._policy.dialect)

    def fill(
        self,
        source: object,
        *,
        labels: object = None,
        labels_id: str | None = None,
        arrival: str | None = None,
        start: Time = None,
        end: Time = None,
        again: bool = False,
        model: object = None,
        model_options: ModelOptions | None = None,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Check a source, and store its hours. The same again stores nothing twice.

        Args:
            source: see `Baseline.check`.
            labels, labels_id, arrival: see `Baseline.check`.
            start, end: see `Baseline.check`; whole hours.
            again: whether these hours were read before, and what is stored of them makes way.
            model, model_options, engine, progress: see `Baseline.check`.

        Raises:
            EmptySourceError: no row has an hour.
            OptionError: an option does not go together with stored states.
            SourceError: a source cannot be read.
            StoreError: the store is of another baseline, damaged, or cannot be written.
        """
        opened, roles = opened_of(source)
        learned = self._baseline.learned
        if labels is not None:
            opened = joined(opened, opened_of(labels)[0], learned, roles, label_id=labels_id, arrival=arrival)
        findings = check_hours(
            with_model(learned, model, model_options or ModelOptions()),
            opened,
            self._store,
            window=window_of(start, end),
            policy=self._policy,
            created=datetime.now(UTC),
            roles=None if roles == Roles() else roles,
            again=again,
            engine=engine_of(engine),
            progress=progress,
        )
        return Report(findings, learned)

    def put(self, start: str | datetime, state: Profile) -> bool:
        """Store what was counted of rows of an hour (`Baseline.scan`), beside what is stored of it already.

        Args:
            start: when the hour begins.
            state: of its rows.

        Returns:
            Whether it was new: the same again changes nothing.
        """
        return self._store.put(_instant(start), state)

    def replace(self, start: str | datetime, state: Profile) -> bool:
        """Store what was counted of all rows of an hour, in place of what is stored of it. See `put`."""
        return self._store.replace(_instant(start), state)

    def withdraw(self, start: str | datetime) -> bool:
        """Store nothing of an hour any more; gives whether anything was."""
        return self._store.withdraw(_instant(start))

    def over(self, start: Time = None, end: Time = None) -> Profile:
        """The state of a stretch: all that is stored of it, merged.

        Raises:
            EmptySourceError: nothing is.
            OptionError: it does not begin and end at whole hours, or cuts days whose hours were dropped.
            StoreError: the store is of another baseline, or a file of it is damaged.
        """
        return self._store.over(window_of(start, end))

    def judge(self, start: Time = None, end: Time = None) -> Report:
        """Judge a stretch as one window. See `over`."""
        window = window_of(start, end)
        whole = spanned(self._store, window)
        return self._baseline.judge(
            self.over(start, end), start=whole.start, end=whole.end, policy=self._policy
        )

    def reports(self, start: Time = None, end: Time = None, *, every: str = "day") -> Iterator[Report]:
        """The report of every stored window that holds a row: of every "hour", "day" or "week"."""
        window = window_of(start, end)
        return reports(self._baseline.learned, self._store, window, policy=self._policy, every=every)

    def replay(self, start: Time = None, end: Time = None, *, every: str = "day") -> Replay:
        """Judge the stored windows one after the other, as a new watch sees them."""
        window = window_of(start, end)
        return replay(self._baseline.learned, self._store, window, policy=self._policy, every=every)

    def held(self, start: Time = None, end: Time = None) -> Held:
        """Which hours are stored, and which are missing between them."""
        return self._store.held(window_of(start, end))

    def compact(self) -> Upkeep:
        """Merge what is past, where that is not done yet; `fill` does it by itself."""
        return compact(self._store)

    def forget(self, before: str | datetime, *, keep: str | None = "day") -> Upkeep:
        """Drop the hours before some time, and keep the days or weeks that they made, or nothing of them.

        Args:
            before: days or weeks that end by then are put together.
            keep: "day" or "week", or None to keep nothing.
        """
        if keep is not None and keep not in LEVELS:
            raise OptionError("keep", got=keep, expected="day or week, or None", choices=tuple(LEVELS))
        return forget(self._store, _instant(before), keep=None if keep is None else LEVELS[keep])

    def __repr__(self) -> str:
        return f"<States of {self._baseline.states_id} in {self._store.name}>"


def _instant(time: str | datetime) -> datetime:
    return instant(time, option="start") if isinstance(time, str) else time
