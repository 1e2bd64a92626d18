"""What every monitor's baseline can do, so that nobody needs to know whose it is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Final, Protocol, Self, TypeVar

from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.findings import Findings, Reference
from watchkeep.profiles.profile import Profile
from watchkeep.service.folding import HERE, Engine
from watchkeep.service.joining import Labelled
from watchkeep.service.ports import Ask, Progress, Source
from watchkeep.service.review import Review

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")
"""The monitors, as commands name them."""


class Counting(Protocol):
    """Batches in, a profile out."""

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        ...

    def profile(self) -> Profile:
        """All that was read so far."""
        ...


Begin = Callable[[int], Counting]
"""Makes what counts the rows of a part, by its number. It can be sent to other machines."""


class Known(Reference, Protocol):
    """A baseline of any monitor."""

    @property
    def roles(self) -> Roles:
        """Which column is what."""
        ...

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """The limits, each with rule, reason and evidence."""
        ...


class Document(Protocol):
    """Something with a form in JSON."""

    def document(self) -> dict[str, object]:
        """The JSON object."""
        ...


class Learned(Protocol):
    """A baseline and its limits as a document: what windows are checked against."""

    @property
    def baseline(self) -> Known:
        """The states; its constraints are those of the document."""
        ...

    @property
    def document(self) -> Document:
        """`constraints.json`: suggested, or edited since."""
        ...

    @property
    def suggested(self) -> Mapping[tuple[str, str, str, str], Constraint]:
        """What the rules suggested, by key."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it knows, in order."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names that rows without names of their own have, by position; none where they are not known."""
        ...

    @property
    def id(self) -> str:
        """Twelve digits that change with any state and any limit."""
        ...

    @property
    def states_id(self) -> str:
        """Twelve digits that change with any state, and with no limit."""
        ...

    def packed(self) -> bytes:
        """The states as the bytes of a file.

        Raises:
            BaselineError: it was made of files that tell no states.
        """
        ...

    def files(self) -> dict[str, dict[str, object]]:
        """The JSON documents of the baseline's folder, by name."""
        ...

    def told(self) -> dict[str, object]:
        """The baseline for people: what it holds, limits, reasons."""
        ...

    def files_of(self, findings: Findings) -> Mapping[str, dict[str, object] | str]:
        """The files of a report's folder, by path, but for the report itself: JSON documents, or texts."""
        ...

    def report(self, findings: Findings) -> dict[str, object]:
        """The report document of what was found."""
        ...

    def in_force(self, dialect: Dialect) -> Self:
        """The same with the limits of its document, as a dialect judges them."""
        ...

    def begin(self, dialect: Dialect) -> Begin:
        """What counts a window's rows, part by part; of a baseline that is in force."""
        ...

    def scan(self, source: Source, *, window: Window, dialect: Dialect, engine: Engine = HERE) -> Profile:
        """The states of a window's rows; of a baseline that is in force.

        Raises:
            EmptySourceError: no row is left to analyse.
            SourceError: the source cannot be read.
        """
        ...

    def judge(
        self, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
    ) -> Findings:
        """Judge states; of a baseline that is in force."""
        ...

    def panel(self, *, false_alarms: float, margin: float = MARGIN) -> Panel:
        """What a watch over this baseline listens to."""
        ...

    def check(
        self,
        source: Source,
        *,
        window: Window,
        policy: Policy,
        created: datetime,
        roles: Roles | None = None,
        progress: Progress | None = None,
        review: Review | None = None,
        search: bool = False,
        engine: Engine = HERE,
    ) -> Findings:
        """Check one window.

        Args:
            source: the window's rows.
            window: keeps only rows of this time.
            policy: the standard.
            created: now.
            roles: which column is what, where it is not as the baseline says.
            progress: is told how it goes.
            review: is shown every batch, and lists the answers that are least certain; of model quality.
            search: whether to search for segments where answers are worse; of model quality, some seconds.
            engine: who reads.

        Raises:
            EmptySourceError: no row is left to analyse.
            MissingColumnError: a role names a column that is nowhere.
            OptionError: an option is of another monitor.
            SourceError: the source cannot be read.
        """
        ...


def only_answers(kind: str, review: Review | None, *, search: bool) -> None:
    """Check that nothing is asked for that only a baseline of model quality can do.

    Raises:
        OptionError: something is.
    """
    if review is not None or search:
        raise OptionError(
            "review" if review is not None else "find-segments",
            got=f"a baseline of {kind}",
            expected="one of model-quality",
        )


def require_known(roles: Roles | None, names: tuple[str, ...], source: Source, ask: Ask) -> None:
    """Check that the columns which roles of a window name are somewhere.

    Args:
        roles: given with the window; None when it is as the baseline says.
        names: the columns that the baseline knows.
        source, ask: the window, and what is asked of it.

    Raises:
        MissingColumnError: one is nowhere.
    """
    if roles is None:
        return
    if not set(roles.ignored) <= set(names):
        Roles(ignored=roles.ignored).require([*names, *source.schema(ask).names])
    if roles.label is not None and not isinstance(source, Labelled):
        available = source.schema(ask).names
        if roles.label not in available:  # one that the baseline remembers may well come later
            raise MissingColumnError(roles.label, reader="the role label", available=available)


F = TypeVar("F", bound=Findings)


def timed(findings: F, started: float, read: float) -> F:
    """Findings with the seconds that reading and judging took, up to now.

    Args:
        findings: of a window.
        started, read: when reading began and when it ended, by `perf_counter`.
    """
    judged = perf_counter()
    timing = {"read_seconds": read - started, "judge_seconds": judged - read, "seconds": judged - started}
    return replace(findings, timing=timing)
