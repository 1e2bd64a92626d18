"""The first four moments of a column, merged without losing digits."""

import math
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.states.codec import Fields, floats, whole
from watchkeep.stats import compiled
from watchkeep.stats.scratch import CHUNK, Scratch

_ALONE = (
    8192  # OpenBLAS shares a dot product of 10,001 numbers out to threads, which then spin: twice the CPU
)
_SUMS = attrgetter("n", "mean", "m2", "m3", "m4")


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean, and sums of powers of the deviations from it. `Moments()` is the identity of merge.

    Args:
        n: values.
        mean: their mean, in the column's unit.
        m2, m3, m4: sum((x - mean)**k), k = 2, 3, 4.

    Sums that overflow a double are infinite or NaN here; what is finished from them is then Undefined.

    References:
        Pébay (2008), Sandia report SAND2008-6212, equations 2.1 and 3.1 (pairwise updates).

    >>> Moments.of(np.array([1.0, 2.0, 4.0])).merge(Moments.of(np.array([5.0]))).mean
    3.0
    """

    kind: ClassVar[str] = "moments"
    version: ClassVar[int] = 1

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Self:
        """The moments of finite values, shape (n,)."""
        sums = PowerSums()
        scratch = Scratch()
        for start in range(0, len(values), CHUNK):
            sums.add(values[start : start + CHUNK], scratch)
        return cls.about(sums)

    @classmethod
    def weighted(cls, values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> Self:
        """The moments of values that occur `counts` times each; both of shape (k,)."""
        n = int(counts.sum())
        if n == 0:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            pivot = float((values * counts).sum() / n)
            d = values - pivot
            terms, sums = counts.astype(np.float64), []
            for _ in range(4):  # a power costs fifty times as much as a product
                terms *= d
                sums.append(float(terms.sum()))
            return cls.about(PowerSums(n, pivot, *sums))

    @classmethod
    def about(cls, sums: "PowerSums") -> Self:
        """The moments that sums of powers tell."""
        if not sums.n:
            return cls()
        n, pivot, s1, s2, s3, s4 = sums.n, sums.pivot, sums.s1, sums.s2, sums.s3, sums.s4
        shift = s1 / n
        return cls(
            n,
            pivot + shift,
            max(0.0, s2 - n * shift**2) if math.isfinite(s2) else s2,
            s3 - 3 * shift * s2 + 2 * n * shift**3 if math.isfinite(s3) else math.nan,
            s4 - 4 * shift * s3 + 6 * shift**2 * s2 - 3 * n * shift**4 if math.isfinite(s4) else math.nan,
        )

    def merge(self, *others: Self) -> Self:
        """All together: deviations are taken from the mean of all."""
        filled = [each for each in (self, *others) if each.n]
        if len(filled) < 2:
            return filled[0] if filled else self
        table = np.array(list(map(_SUMS, filled)), np.float64).T
        n, mean, m2, m3, m4 = table
        with np.errstate(over="ignore", invalid="ignore"):
            whole_mean = float((n * mean).sum() / n.sum())
            d = mean - whole_mean
            return type(self)(
                sum(each.n for each in filled),
                whole_mean,
                float((m2 + n * d**2).sum()),
                float((m3 + 3 * d * m2 + n * d**3).sum()),
                float((m4 + 4 * d * m3 + 6 * d**2 * m2 + n * d**4).sum()),
            )

    @property
    def total(self) -> Value:
        """The sum of the values."""
        return _finite(self.mean * self.n, "sum")

    def average(self) -> Value:
        """The mean."""
        return _finite(self.mean, "mean") if self.n else Undefined("mean needs 1 number, has 0")

    def deviation(self) -> Value:
        """The population standard deviation, sqrt(m2 / n)."""
        if not self.n:
            return Undefined("standard deviation needs 1 number, has 0")
        return _finite(math.sqrt(self.m2 / self.n) if self.m2 >= 0 else math.nan, "standard deviation")

    def skewness(self) -> Value:
        """The population skewness, sqrt(n) m3 / m2**1.5 (scipy.stats.skew with bias=True)."""
        why = self._flat("skewness")
        return why or _finite(_quotient(math.sqrt(self.n) * self.m3, self.m2, 1.5), "skewness")

    def kurtosis(self) -> Value:
        """The excess kurtosis, n m4 / m2**2 - 3 (scipy.stats.kurtosis with bias=True)."""
        why = self._flat("kurtosis")
        return why or _finite(_quotient(self.n * self.m4, self.m2, 2.0) - 3, "kurtosis")

    @property
    def varies(self) -> bool:
        """Whether the values differ."""
        # Rounding leaves a little m2 in a constant column: less than 1e-14 of the mean is no spread.
        return self.m2 > self.n * (1e-14 * self.mean) ** 2

    def _flat(self, what: str) -> Undefined | None:
        if self.n < 2:
            return Undefined(f"{what} needs 2 numbers, has {self.n}")
        if not self.varies and not math.isnan(self.m2):
            return Undefined(f"{what} needs numbers that differ, all are the same")
        return None

    def fields(self) -> Fields:
        """For the codec."""
        return {"n": self.n, "powers": np.array([self.mean, self.m2, self.m3, self.m4])}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        return cls(whole(fields, "n"), *(float(each) for each in floats(fields, "powers")))


@dataclass(slots=True)
class PowerSums:
    """Sums of powers of deviations from a pivot, added to in place.

    Args:
        n: values.
        pivot: a number near their mean, so that the sums do not cancel; chosen by the first values added.
        s1, s2, s3, s4: sum((x - pivot)**k).
    """

    n: int = 0
    pivot: float = 0.0
    s1: float = 0.0
    s2: float = 0.0
    s3: float = 0.0
    s4: float = 0.0

    def add(self, values: npt.NDArray[np.float64], scratch: Scratch) -> None:
        """Add finite values, shape (n,), n <= CHUNK."""
        size = len(values)
        if not size:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            if not self.n:
                self.pivot = _pivot(values[:1024])
            if compiled.library is not None:
                self._grow(size, *compiled.library.power_sums(values, self.pivot))
                return
            d = np.subtract(values, self.pivot, out=scratch.first[:size]) if self.pivot else values
            squares = np.multiply(d, d, out=scratch.second[:size])
            self._grow(size, float(np.add.reduce(d)), 0.0, 0.0, 0.0)
            for start in range(0, size, _ALONE):
                some, powers = d[start : start + _ALONE], squares[start : start + _ALONE]
                two, three, four = np.dot(some, some), np.dot(some, powers), np.dot(powers, powers)
                self._grow(0, 0.0, float(two), float(three), float(four))

    def _grow(self, n: int, s1: float, s2: float, s3: float, s4: float) -> None:
        self.n += n
        self.s1 += s1
        self.s2 += s2
        self.s3 += s3
        self.s4 += s4


def _pivot(few: npt.NDArray[np.float64]) -> float:
    """A number near the mean; 0 when the mean is so few deviations from 0 that no digit to speak of is lost."""
    mean, deviation = float(np.add.reduce(few)) / len(few), float(few.std())
    return 0.0 if abs(mean) <= 4 * deviation else mean


def _quotient(above: float, below: float, power: float) -> float:
    try:
        return float(above / below**power)
    except (OverflowError, ZeroDivisionError):
        return math.nan


def _finite(value: float, what: str) -> Value:
    return (
        float(value)
        if math.isfinite(value)
        else Undefined(f"{what} overflows a double: the numbers are too large")
    )
