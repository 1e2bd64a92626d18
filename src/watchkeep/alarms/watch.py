"""The watch: window after window against a baseline, with a budget of false alarms.

Every window is compared as it is, and together with those before it: the last 2, 3, 4, 6, ... windows as one. Each
comparison asks of each column, and of each way a column may change, how unlikely the difference is if nothing
changed. The evidence is the sum of w / p over all these chances p, with weights w that sum to one: the inverse of
their weighted harmonic mean. The watch rings when it reaches 1 / budget. A harmonic mean of chances is itself about
a chance when it is small, however they depend on each other; so of unchanged windows a share of about the budget
rings at most, whatever the number of columns, the size of the windows, and what they have in common.

References:
    Good (1958), JASA 53, 799-813; Wilson (2019), PNAS 116, 1195-1200 (the harmonic mean p-value);
    Vovk and Wang (2020), Biometrika 107, 791-808 (its price under any dependence: a factor of log K at the most).
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.comparison import MEANS
from watchkeep.alarms.decision import COLUMNS, GROUPS, Decision, Outcome
from watchkeep.alarms.witness import Chances, Change, Reals, Witness
from watchkeep.stats.normal import upper_quantile

LENGTHS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Windows that are taken together as one."""
WEIGHTS: Final = (0.5, 0.09, 0.07, 0.06, 0.06, 0.06, 0.05, 0.04, 0.02, 0.02)
"""Share of the evidence that each length has; of what a short history lacks, the others have more."""
ANCHOR: Final = 0.03
"""Share of all windows there ever were, against the baseline alone: what creeps is seen in the end."""
REMEMBERED: Final = 2 * LENGTHS[-1]
"""Windows that can be put right when late rows come in."""
PRICE: Final = 1.25
"""What the evidence is divided by: chances are approximations, good to about that factor far out in the tails."""
MARGIN: Final = 0.005
"""Standard deviations of a row that are too little to matter."""
FEW: Final = 5
"""Rows below which a window is no evidence."""
FEW_REFERENCE: Final = 30
"""Rows of a baseline below which nothing can be held against it."""
BLIND: Final = 1.0
"""Standard deviations: where no smaller shift would be seen, silence says nothing."""
WARNING: Final = 0.1
"""The level from which on a window is suspicious."""
CALM: Final = 5
"""Windows in a row that are not suspicious, after which an alarm is over."""
NAMING: Final = 0.05
"""How often a name is wrong."""
HORIZONS: Final = (1, 7, 30)
_HIGHEST: Final = 1e9
_EXPONENT: Final = 600.0

Sums = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sighting:
    """One window as a watch remembers it.

    Args:
        key: what tells it from other windows.
        digest: what tells its rows from others'.
        start, end: its bounds; None when it has none.
        rows: its rows.
        sums: what each witness keeps of it.
        learnable: whether later windows may be compared with it.
        why: why it cannot be said not to have changed; empty when it can.
    """

    key: str
    digest: str
    start: datetime | None
    end: datetime | None
    rows: int
    sums: tuple[Sums, ...]
    learnable: bool = True
    why: str = ""


@dataclass(frozen=True, eq=False)
class Alarm:
    """An alarm that is open.

    Args:
        key: the window that rang.
        number: its number.
        sums: the windows that made it ring, for each witness: what is already known to have changed.
        calm: windows in a row, up to the last, that were not suspicious.
    """

    key: str
    number: int
    sums: tuple[Sums, ...]
    calm: int = 0


@dataclass(frozen=True, eq=False)
class History:
    """All that a watch remembers: a value.

    Args:
        count: windows observed.
        fresh: the number of the first window that the next is taken together with: the one after the last alarm.
        learned: sums of the windows learned from that are no longer remembered one by one.
        learned_windows: how many those are.
        sightings: the last windows, oldest first.
        alarm: the open alarm.
    """

    learned: tuple[Sums, ...]
    count: int = 0
    fresh: int = 0
    learned_windows: int = 0
    sightings: tuple[Sighting, ...] = ()
    alarm: Alarm | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """What a watch listens to, and how.

    Args:
        witnesses: with the share of the evidence each has; the shares sum to 1.
        budget: unchanged windows that may ring, as a share.
        rows: rows of the baseline.
        margin: what is too little to matter, in standard deviations of a row.
        alike: whether of every subject the same shift of a mean, in standard deviations of a row, is seen.
        unit: what the rows are that it counts, for people.
        price: what chances that are only about right cost: the budget is divided by it.
        about: what the subjects are, see `Decision.about`.
        parts: see `Decision.parts`.
    """

    witnesses: tuple[tuple[Witness, float], ...]
    budget: float
    rows: int
    margin: float = MARGIN
    alike: bool = True
    price: float = PRICE
    unit: str = "rows"
    about: str = COLUMNS
    parts: tuple[str, ...] | None = None

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, each once."""
        return tuple(dict.fromkeys(name for witness, _ in self.witnesses for name in witness.subjects))

    def start(self) -> History:
        """A watch that has seen nothing."""
        return History(tuple(np.zeros(len(witness.baseline)) for witness, _ in self.witnesses))

    def observe(self, history: History, sighting: Sighting) -> tuple[History, Decision]:
        """What a window says after those before it, and the history with it. Neither argument is changed."""
        if sighting.rows < FEW or self.rows < FEW_REFERENCE:
            return self._unseen(history, sighting)
        known = self._evidence(history, sighting)
        level, told = known.level, known
        if history.alarm is not None:
            beyond = self._evidence(history, sighting, alarm=history.alarm)
            level = min(level, beyond.level)
        rings = level >= 1
        suspicious = known.level >= WARNING
        after = self._after(history, sighting, known, rings=rings, suspicious=suspicious)
        named, changes = told.named() if suspicious else ((), {})
        first = self._first(history, sighting, told.longest)
        outcome, why = Outcome.UNCHANGED, ""
        shift, lasting = self._shift(history, sighting) if self.alike else (0.0, 1)
        within = {horizon: self._detectable(sighting.rows, horizon) for horizon in HORIZONS}
        if rings or after.alarm is not None:
            outcome = Outcome.CHANGED
        elif level < WARNING and sighting.why:
            why = sighting.why
        elif level < WARNING and shift > BLIND:
            why = f"only a shift of {shift:.2g} standard deviations would have been seen"
        elif level < WARNING and not self.alike and not any(within.values()):
            why = "no change would have been seen, however long it lasts"
        elif level < WARNING and self.about == GROUPS and not self._seeing(history, sighting):
            why = "no group has rows enough for a change to be seen"
        if why:
            outcome = Outcome.TOO_LITTLE
        return after, Decision(
            key=sighting.key,
            digest=sighting.digest,
            number=history.count,
            start=sighting.start,
            end=sighting.end,
            rows=sighting.rows,
            outcome=outcome,
            level=level,
            alarm=rings,
            warning=WARNING <= level < 1,
            open=None if after.alarm is None else after.alarm.key,
            evidence=told.shares(),
            changes=changes,
            named=named if rings or level >= WARNING else (),
            since=(first.start or first.key) if rings or level >= WARNING else None,
            windows=told.longest if rings or level >= WARNING else 0,
            detectable=self._detectable(sighting.rows, 1),
            within=within,
            shift=shift,
            lasting=lasting,
            why=why,
            about=self.about,
            parts=self.parts,
        )

    def _unseen(self, history: History, sighting: Sighting) -> tuple[History, Decision]:
        why = f"a window needs {FEW} {self.unit}, has {sighting.rows}"
        if self.rows < FEW_REFERENCE:
            why = f"a baseline needs {FEW_REFERENCE} {self.unit}, has {self.rows}"
        decision = Decision(
            key=sighting.key,
            digest=sighting.digest,
            number=history.count,
            start=sighting.start,
            end=sighting.end,
            rows=sighting.rows,
            outcome=Outcome.TOO_LITTLE,
            level=0.0,
            alarm=False,
            warning=False,
            open=None if history.alarm is None else history.alarm.key,
            why=why,
            about=self.about,
        )
        return self._remember(history, replace(sighting, learnable=False)), decision

    def _evidence(self, history: History, sighting: Sighting, alarm: Alarm | None = None) -> "Evidence":
        """The evidence against the reference or, of a change beyond a known one, against the windows that rang."""
        past = history.sightings
        together = (
            past[len(past) - (history.count - history.fresh) :] if history.count > history.fresh else ()
        )
        together = together[-(LENGTHS[-1] - 1) :]
        lengths = [length for length in LENGTHS if length <= len(together) + 1]
        weights = np.array(WEIGHTS[: len(lengths)])
        creeping = alarm is None and history.learned_windows > 0
        found = []
        for at, (witness, share) in enumerate(self.witnesses):
            newest_first = [sighting.sums[at], *(one.sums[at] for one in reversed(together))]
            suffixes = np.cumsum(newest_first, axis=0, dtype=np.float64)
            segments = suffixes[[length - 1 for length in lengths]]
            if alarm is None:
                before = witness.baseline + history.learned[at]
                older = past
            else:
                before = np.asarray(alarm.sums[at], np.float64)
                older = together
            pool = [before, *(one.sums[at] * (one.learnable or alarm is not None) for one in older)]
            totals = np.cumsum(pool, axis=0, dtype=np.float64)
            references = totals[[len(older) + 1 - length for length in lengths]]
            if creeping:
                every = totals[-1] - witness.baseline + sighting.sums[at]
                segments = np.concatenate([segments, [every]])
                references = np.concatenate([references, [witness.baseline]])
            found.append((witness, share, witness.chances(segments, references, margin=self.margin)))
        if creeping:
            weights = np.append(weights, ANCHOR)
        return Evidence(
            self, tuple(found), weights / weights.sum(), (*lengths, history.count + 1)[: len(weights)]
        )

    def _after(
        self, history: History, sighting: Sighting, known: "Evidence", *, rings: bool, suspicious: bool
    ) -> History:
        alarm = history.alarm
        if rings:
            past = history.sightings
            recent = [*past, sighting][-min(known.longest, history.count - history.fresh + 1) :]
            sums = [np.sum([one.sums[at] for one in recent], axis=0) for at in range(len(self.witnesses))]
            alarm = Alarm(sighting.key, history.count, tuple(sums))
        elif alarm is not None:
            alarm = replace(alarm, calm=0 if suspicious else alarm.calm + 1)
        learnable = not suspicious and alarm is None and not sighting.why
        after = self._remember(history, replace(sighting, learnable=learnable))
        over = alarm is not None and alarm.calm >= CALM
        fresh = after.count if rings or over else history.fresh
        return replace(after, alarm=None if over else alarm, fresh=fresh)

    def _remember(self, history: History, sighting: Sighting) -> History:
        sightings = (*history.sightings, sighting)
        learned, windows = history.learned, history.learned_windows
        for gone in sightings[:-REMEMBERED]:
            if gone.learnable:
                learned = tuple(a + b for a, b in zip(learned, gone.sums, strict=True))
                windows += 1
        return replace(
            history,
            learned=learned,
            learned_windows=windows,
            sightings=sightings[-REMEMBERED:],
            count=history.count + 1,
        )

    def _first(self, history: History, sighting: Sighting, windows: int) -> Sighting:
        every = (*history.sightings, sighting)
        return every[max(0, len(every) - windows)]

    def _shift(self, history: History, sighting: Sighting) -> tuple[float, int]:
        """The smallest shift of a mean, in standard deviations, that the last windows would have shown; how many."""
        seen = min(history.count - history.fresh, len(history.sightings)) + 1
        place = _place(seen)
        before = history.sightings[len(history.sightings) - LENGTHS[place] + 1 :]
        rows = sighting.rows + sum(one.rows for one in before)
        share = self.witnesses[0][1] * WEIGHTS[place] * MEANS / 2
        z = upper_quantile(
            min(0.5, self.budget / self.price * share / max(1, len(self.witnesses[0][0].subjects)))
        )
        return z * math.sqrt(1 / rows + 1 / self.rows + self.margin**2), LENGTHS[place]

    def _seeing(self, history: History, sighting: Sighting) -> bool:
        """Whether a change of any subject would have been seen in the windows since the last alarm."""
        seen = min(history.count - history.fresh, len(history.sightings)) + 1
        return bool(self._detectable(sighting.rows, seen))

    def _detectable(self, rows: int, horizon: int) -> dict[str, float]:
        place = _place(horizon)
        out: dict[str, float] = {}
        for witness, share in self.witnesses:
            chance = self.budget / self.price * share * WEIGHTS[place] / max(1, len(witness.subjects))
            smallest = witness.detectable(rows * LENGTHS[place], chance=chance, margin=self.margin)
            for name, value in zip(witness.subjects, smallest.tolist(), strict=True):
                if value == value:  # a subject of which nothing can be seen has none
                    out[name] = min(value, out.get(name, value))
        return out


def _place(windows: int) -> int:
    """The place of the longest of `LENGTHS` that so many windows fill."""
    return max(at for at, length in enumerate(LENGTHS) if length <= windows)


@dataclass(frozen=True, eq=False)
class Evidence:
    """All chances of one window, put together.

    Args:
        panel: what they come from.
        found: chances by witness, with its share.
        weights: share of each segment, shape (segments,).
        lengths: windows of each segment, shape (segments,).
    """

    panel: Panel
    found: tuple[tuple[Witness, float, tuple[Chances, ...]], ...]
    weights: Reals
    lengths: tuple[int, ...]

    @cached_property
    def _parts(self) -> list[tuple[Witness, Chances, Reals]]:
        """W / p times the budget of every chance, shape (segments, k)."""
        out = []
        for witness, share, listed in self.found:
            for one in listed:
                scale = self.panel.budget * share / max(1, len(witness.subjects)) / self.panel.price
                inverse = np.exp(np.minimum(-one.logs, _EXPONENT))
                out.append((witness, one, inverse * (self.weights[:, None] * one.weights * scale)))
        return out

    @cached_property
    def level(self) -> float:
        """The sum of w / p over all, times the budget: 1 rings."""
        return min(_HIGHEST, float(sum(part.sum() for _, _, part in self._parts)))

    @cached_property
    def longest(self) -> int:
        """The windows of the segment that shows most."""
        with np.errstate(divide="ignore"):  # the logarithm of a weight of 0
            rings = [
                np.logaddexp.reduce(
                    np.log(share / max(1, len(witness.subjects)) * one.weights) - one.logs, axis=1
                )
                for witness, share, listed in self.found
                for one in listed
            ]
        # As logarithms: where several segments show all that a double holds, one of them still shows most.
        return self.lengths[int(np.argmax(np.logaddexp.reduce(rings, axis=0)))]

    def by_subject(self, *, direct: bool = False) -> dict[str, float]:
        """The level by subject; `direct` leaves out what a subject only has in common with others."""
        out = dict.fromkeys(self.panel.subjects, 0.0)
        for witness, one, part in self._parts:
            if direct and one.change is Change.RELATION:
                continue
            levels = np.bincount(one.subjects, part.sum(axis=0), len(witness.subjects))
            for name, value in zip(witness.subjects, levels.tolist(), strict=True):
                out[name] += value
        return out

    def shares(self) -> dict[str, float]:
        """Each subject's share of the evidence, largest first."""
        levels = self.by_subject()
        total = sum(levels.values())
        ranked = sorted(levels, key=lambda name: -levels[name])
        return {name: levels[name] / total for name in ranked} if total else {}

    def named(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """The subjects that changed, by the step-down method of Holm, and the kind of change each shows most.

        A column that changes is related otherwise to all others, which did not change: relations name a subject, the
        one that shows most, only if none shows by itself.
        """
        levels, kinds = self.by_subject(direct=True), self._kinds()
        ranked = sorted(levels, key=lambda name: -levels[name])
        named: list[str] = []
        for place, name in enumerate(ranked):
            chance = (
                self.panel.budget / self.panel.price / len(ranked) / levels[name] if levels[name] else 1.0
            )
            if chance > NAMING / (len(ranked) - place):
                break
            named.append(name)
        if not named:
            named = list(self.shares())[:1]
        return tuple(named), {name: kinds[name] for name in named}

    def _kinds(self) -> dict[str, str]:
        best: dict[str, tuple[float, str]] = {}
        for witness, one, part in self._parts:
            for at, value in zip(one.subjects.tolist(), part.sum(axis=0).tolist(), strict=True):
                name = witness.subjects[at]
                if value > best.get(name, (-1.0, ""))[0]:
                    best[name] = (value, str(one.change))
        return {name: kind for name, (_, kind) in best.items()}
