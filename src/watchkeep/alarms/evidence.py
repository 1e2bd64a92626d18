"""How unlikely the differences of columns are if nothing changed: a chance for every way each may change."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.comparison import MEANS, Comparison
from watchkeep.alarms.sway import Sway, heavy, likeness
from watchkeep.alarms.timed import TimedComparison
from watchkeep.alarms.witness import Chances, Reals
from watchkeep.baselines.buckets import Buckets
from watchkeep.baselines.timeline import Timeline
from watchkeep.stats.normal import upper_quantile

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Columns:
    """The witness of what columns look like one by one.

    Args:
        buckets: theirs.
        timeline: how blocks of the baseline differ; None when rows are judged as exchangeable. With it, sums are rows
            by bucket, then rows by phase of the week, then parts of blocks.
    """

    buckets: Buckets
    timeline: Timeline | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """The columns."""
        return self.buckets.subjects

    @cached_property
    def baseline(self) -> Reals:
        """The baseline's sums."""
        rows = self.buckets.baseline.astype(np.float64)
        return rows if self.timeline is None else np.concatenate([rows, self.timeline.sums])

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns of which a change is seen as a share of rows, and not as a shift of a mean."""
        return tuple(name for name, told in zip(self.subjects, self._numeric, strict=True) if not told)

    @cached_property
    def _numeric(self) -> Flags:
        if not self.subjects:
            return np.zeros(0, np.bool_)
        return np.add.reduceat(self.buckets.location != 0, self.buckets.starts[:-1]) > 0

    def chances(self, segments: Reals, references: Reals, *, margin: float) -> tuple[Chances, ...]:
        """The chances of segments, each against its reference, if nothing changed.

        That is, if both are of the same rows in random order or, with a timeline, of blocks like the baseline's.

        Args:
            segments: sums, shape (segments, sums).
            references: sums of what each segment is compared with, of the same shape.
            margin: what is too small to matter, in standard deviations of a row: no reference counts for more than
                1 / margin**2 rows.
        """
        if not self.subjects:
            return ()
        timeline = self.timeline
        if timeline is None or timeline.unrest is None:
            return Comparison(self.buckets, segments, references, margin).all()
        return TimedComparison(
            self.buckets, segments, references, margin, timeline=timeline, unrest=timeline.unrest
        ).all()

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:
        """See `Witness.detectable`: shifts of a mean in standard deviations, or of the largest category's share."""
        if not self.subjects:
            return np.zeros(0)
        buckets, starts = self.buckets, self.buckets.starts[:-1]
        baseline = buckets.baseline.astype(np.float64)
        m = np.add.reduceat(baseline, starts)
        numeric = self._numeric
        largest = np.maximum.reduceat(baseline, starts) / np.maximum(m, 1)
        deviation = np.where(numeric, 1.0, np.sqrt(largest * (1 - largest)))
        with np.errstate(divide="ignore"):
            variance = 1 / rows + 1 / m + margin**2
        z = np.full(len(m), upper_quantile(min(0.5, chance * MEANS / 2)))
        if self.timeline is None or self.timeline.unrest is None:
            out = z * np.sqrt(variance) * deviation
        else:
            out = self._in_time(z, variance, rows / max(1.0, float(m.max()))) * deviation
            # Scores are bounded: no mean of theirs can shift by more.
            reach = np.where(numeric, np.maximum.reduceat(np.abs(buckets.location), starts), 1.0)
            out = np.where(out <= reach, out, np.nan)
        return np.where((m > 0) & (deviation > 0), out, np.nan)

    def _in_time(self, z: Reals, noise: Reals, share: float) -> Reals:
        """The shifts that are as rare as z, of windows that have such a share of the baseline's rows."""
        assert self.timeline is not None  # noqa: S101 (the caller looked)
        assert self.timeline.unrest is not None  # noqa: S101
        count, starts = len(self.subjects), self.buckets.starts
        numeric = self._numeric
        own = np.split(self.buckets.baseline, starts[1:-1])
        largest = np.array(
            [begin + int(np.argmax(rows)) for begin, rows in zip(starts[:-1], own, strict=True)]
        )
        blocks = float(self.timeline.blocks)
        lengths = np.array([max(1.0, share * blocks)]), np.array([blocks])
        sway = Sway.of(self.timeline.unrest.means, *lengths).pick(
            np.where(numeric, np.arange(count), 2 * count + largest)
        )
        variance = noise + sway.variance
        part = sway.variance / variance
        law = heavy(z[None], part, sway.excess * likeness(part, sway) ** 2, sway)
        found: Reals = (law.quantiles() * np.sqrt(variance))[0]
        return found
