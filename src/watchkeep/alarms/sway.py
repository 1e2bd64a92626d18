"""How far stretches of time may differ though nothing changed, and how unlikely it is that they differ by more."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.witness import Places, Reals
from watchkeep.baselines.spread import Spread
from watchkeep.stats.normal import log_upper, unskewed
from watchkeep.stats.student import log_upper_t, t_of_normal

_LEAST = 0.1  # share of variance, below which blocks tell nothing of its shape
_REACHED = 0.4  # skewness of a gamma variable whose tail is that of rare rows on either side, by the root of its excess
_MOST = 1.6  # times that a shape may be more pronounced than where it was learned


@dataclass(frozen=True, slots=True, eq=False)
class Sway:
    """What time alone does to the difference of k means of segments and references.

    Args:
        segments, references: the variances it adds to those of either, in variances of a row, shape (segments, k).
        degrees: of freedom with which they are known, of the same shape.
        share: the share it had in all variance where its shape was learned.
        skew, excess: that shape: skewness and excess kurtosis.
    """

    segments: Reals
    references: Reals
    degrees: Reals
    share: Reals
    skew: Reals
    excess: Reals

    @property
    def variance(self) -> Reals:
        """Of the difference, in variances of a row."""
        return self.segments + self.references

    @classmethod
    def of(cls, spread: Spread, segments: Reals, references: Reals) -> "Sway":
        """The sway of segments that are so many blocks long, against references that are; both (segments,)."""
        variances = spread.variance(segments), spread.variance(references)
        return cls(*variances, spread.freedom(segments), *spread.shape(segments))

    def pick(self, means: "Places | slice") -> "Sway":
        """That of some of the means."""
        return Sway(*(one[:, means] for one in self.each))

    def or_else(self, other: "Sway", where: npt.NDArray[np.bool_]) -> "Sway":
        """This one or, where that is said, the other."""
        return Sway(*(np.where(where, b, a) for a, b in zip(self.each, other.each, strict=True)))

    @property
    def each(self) -> tuple[Reals, ...]:
        """Its fields, in order."""
        return self.segments, self.references, self.degrees, self.share, self.skew, self.excess


@dataclass(frozen=True, slots=True, eq=False)
class Deviates:
    """Differences on the scale of a law that is symmetric about 0, of any one shape.

    Args:
        values: positive where there is more than was expected.
        degrees: of freedom of Student's law, infinite for a normal one; None when all are.
    """

    values: Reals
    degrees: Reals | None = None

    def quantiles(self) -> Reals:
        """What is exceeded as rarely as normal `values` are, all >= 0."""
        return self.values if self.degrees is None else t_of_normal(self.values, self.degrees)

    def log_above(self) -> Reals:
        """Logarithms of the chances to be above."""
        if self.degrees is None:
            return log_upper(self.values)
        return log_upper_t(self.values, self.degrees)

    def log_beyond(self) -> Reals:
        """Logarithms of the chances to be as far out on either side."""
        logs: Reals = np.minimum(0.0, np.log(2.0) + Deviates(np.abs(self.values), self.degrees).log_above())
        return logs


def deviates(
    gap: Reals, noise: Reals, tilt: Reals, sway: Sway | None, *, excess: Reals | float = 0.0
) -> Deviates:
    """Differences of means in row standard deviations, on a scale on which their chances are known.

    Args:
        gap: the differences, of any shape.
        noise: their variances if rows came in random order, of the same shape.
        tilt: their skewness then.
        sway: what time adds; None if nothing.
        excess: their excess kurtosis in random order.
    """
    total = noise if sway is None else noise + sway.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        z = gap / np.sqrt(total)
    good = np.isfinite(z) & np.isfinite(tilt)
    z, tilt = np.where(good, z, 0.0), np.where(good, tilt, 0.0)
    # A gamma variable as skewed has an excess of its own. What there is beyond makes either tail longer: at z by as
    # much, to first order, as so much more skewness would; far out, as rare rows on either side do (`_REACHED`).
    beyond = np.maximum(0.0, excess - 1.5 * tilt**2)
    more = np.sign(z) * np.minimum(beyond * np.abs(z) / 4, _REACHED * np.sqrt(beyond))
    if sway is None:
        # Where the excess is known, rows on the other side are not held to make this side's tail shorter.
        held = np.where((excess != 0) & (tilt * z < 0), 0.0, tilt)
        return Deviates(unskewed(z, held + more))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(good, sway.variance / total, 0.0)
    like = likeness(share, sway)
    # Skewness makes a tail longer, never shorter: what few blocks show of it, or rows of other phases, proves too much
    # where it says that something could not be.
    tilt, skew = (np.where(each * z > 0, each, 0.0) for each in (tilt, sway.skew * like**1.5))
    skewness = tilt * (1 - share) ** 1.5 + more * (1 - share) ** 2 + skew
    return heavy(unskewed(z, skewness), share, sway.excess * like**2 - 1.5 * skew**2, sway)


def heavy(values: Reals, share: Reals, excess: Reals, sway: Sway) -> Deviates:
    """Normal deviates with so much excess kurtosis, of which a share rests on a variance learned from few blocks."""
    excess = np.maximum(0.0, excess)
    stretched = np.sqrt((6 + 4 * excess) / (6 + 2 * excess))
    # The heavier the tails, the less is known of a variance.
    inverse = share**2 / sway.degrees * (1 + excess / 2) + excess / (6 + 4 * excess)
    return Deviates(values * stretched, 1 / np.maximum(inverse, 1e-9))


def likeness(share: Reals, sway: Sway) -> Reals:
    """How much of the shape that was learned shows where time has such a share of all variance."""
    like: Reals = np.clip(share / np.maximum(sway.share, _LEAST), 0.0, _MOST)
    return like
