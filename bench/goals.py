"""What must be reached, and whether it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.results import Results

MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure and its limits; smaller is better for all of them.

    Args:
        figure: what is measured.
        unit: after the number: "x", "s", "MB", "%".
        must: the limit.
        aim: what we would like, if there is such a figure.
        measured: what it was; None when it was not measured.
        spread: the smallest and greatest of the rounds, if known.
    """

    figure: str
    unit: str
    must: float
    aim: float | None
    measured: float | None
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None when nothing was measured.

        >>> Goal("time", "s", must=1.0, aim=None, measured=1.0).met
        True
        """
        return None if self.measured is None else self.measured <= self.must


def goals(results: Results) -> list[Goal]:
    """All goals, judged."""
    return [
        _times(results, "check", 1 * MEGA, must=2.2, aim=1.5),
        _times(results, "check", 10 * MEGA, must=2.2, aim=1.5),
        _times(results, "baseline", 1 * MEGA, must=3.0, aim=2.0),
        _times(results, "baseline", 10 * MEGA, must=3.0, aim=2.0),
        _times(results, "check of answers", 10 * MEGA, must=2.5),
        Goal("peak memory, check or baseline, 10M rows", "MB", 600, 300, _peak(results)),
        Goal("the same above 1M rows", "%", 20, None, _growth(results)),
        Goal("`check` of 100k rows, start-up included", "s", 1.5, 1.0, _wall(results, "check", MEGA // 10)),
        Goal("`watchkeep --help`", "s", 0.3, None, _wall(results, "watchkeep --help")),
        Goal("`import watchkeep`, whole process", "s", 0.15, None, _wall(results, "import watchkeep")),
        Goal("`report.html` of 40 columns", "KB", 1000, 300, _fact(results, "report.html bytes", 1000)),
        Goal("drawing it, start-up included", "s", 1.0, None, _wall(results, "watchkeep show --html")),
        Goal(
            "merging 720 hourly states of 100 columns and judging them",
            "s",
            1.0,
            0.3,
            _fact(results, "hourly seconds"),
        ),
    ]


def missed(judged: Sequence[Goal]) -> list[str]:
    """The figures whose limits are not kept; what was not measured is not among them."""
    return [goal.figure for goal in judged if goal.met is False]


def _times(results: Results, name: str, rows: int, *, must: float, aim: float | None = None) -> Goal:
    row = results.find(name, rows)
    times = row.times if row else None
    figure = f"`{name}` of {rows // MEGA}M rows: CPU over decoding"
    if times is None:
        return Goal(figure, "x", must, aim, None)
    return Goal(figure, "x", must, aim, times.least, (times.low, times.high))


def _peaks(results: Results, rows: int) -> dict[str, int]:
    found = {name: results.find(name, rows) for name in ("check", "baseline")}
    return {name: row.peak for name, row in found.items() if row is not None and row.peak is not None}


def _peak(results: Results) -> float | None:
    peaks = _peaks(results, 10 * MEGA)
    return max(peaks.values()) / MEGA if peaks else None


def _growth(results: Results) -> float | None:
    small, large = _peaks(results, MEGA), _peaks(results, 10 * MEGA)
    grown = [100 * (large[name] / small[name] - 1) for name in small if name in large]
    return max(grown, default=None)


def _wall(results: Results, name: str, rows: int = 0) -> float | None:
    row = results.find(name, rows)
    return row.wall if row else None


def _fact(results: Results, name: str, per: float = 1.0) -> float | None:
    return results.facts[name] / per if name in results.facts else None
