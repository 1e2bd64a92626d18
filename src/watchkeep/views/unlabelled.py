"""What is known of answers without their labels: what quality to expect, and how sure the model was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watchkeep.views.columns import Judged
from watchkeep.views.measure_words import direction, label, like, worded
from watchkeep.views.quality_measures import FIRST, OUT, Limit, Measure, reading_order
from watchkeep.views.strips import Compared, Strip, strips
from watchkeep.views.values import mapping, objects, real, text
from watchkeep.views.words import amount, clip, figure, number, percent, why

_MOST: Final = 40
_MEANS: Final = {
    "confidence": "confidence",
    "margin": "margin",
    "entropy": "entropy in bits",
    "spread": "spread of members",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure as it was to be expected.

    Args:
        told, band: the estimate and what it may be wrong by, as they are shown.
        why: there is none, else empty.
        realised: what labels said, as it is shown; empty while they have not.
        outside: whether that is outside the band, on the worse side or on either where none is.
        better: whether it is, on the better side.
        outcome: what came of holding it against what labels said, or its limit while there are none; empty if nothing.
        first: whether it is to be read first.
        strip: all of it on one scale, beside the baseline.
    """

    label: str
    told: str
    band: str
    why: str
    realised: str
    outside: bool
    better: bool
    outcome: str
    first: bool
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates, what they rest on, and what was said of those that labels contradict."""

    sentence: str
    measures: tuple[Estimate, ...]
    more: tuple[Estimate, ...]
    drifted: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether labels have said anything yet."""
        return any(one.realised for one in (*self.measures, *self.more))


def estimates_of(
    value: object, realised: Sequence[Measure], limits: Mapping[str, Limit], drift: Sequence[Judged] = ()
) -> Estimates | None:
    """The estimates of a document; None if there are none.

    Args:
        value: what stands under `estimates`.
        realised: the measures that labels gave, for the baseline's values.
        limits: of measures, by name.
        drift: verdicts on whether labels bore the estimates out.
    """
    given = mapping(value)
    if not given:
        return None
    listed = sorted(
        objects(given.get("measures"))[:_MOST], key=lambda one: reading_order(text(one.get("measure")))
    )
    before = {one.name: one.was for one in realised}
    drawn = strips([_compared(one, before, limits) for one in listed])
    outcomes = {name: one.outcome for name, one in limits.items() if one.outcome != "undecided"}
    if any(real(one.get("realised")) is not None for one in listed):
        outcomes = {one.measure: one.outcome for one in drift}
    told = [_estimate(one, strip, outcomes) for one, strip in zip(listed, drawn, strict=True)]
    return Estimates(
        sentence=clip(text(given.get("sentence")), 800),
        measures=tuple(one for one in told if one.first),
        more=tuple(one for one in told if not one.first),
        drifted=tuple(worded(one.sentence, one.measure) for one in drift if one.outcome == "violated"),
    )


def _estimate(one: Mapping[str, object], strip: Strip | None, outcomes: Mapping[str, str]) -> Estimate:
    name = text(one.get("measure"))
    at, low, high = (real(one.get(name)) for name in ("value", "low", "high"))
    error = (high - low) / 4 if low is not None and high is not None and high > low else None
    actual = real(one.get("realised"))
    outside = one.get("outside") is True
    better = outside and None not in (actual, at) and direction(name) * ((actual or 0.0) - (at or 0.0)) > 0
    return Estimate(
        label=label(name),
        told=figure(one.get("value")) if at is None else like(at, error),
        band="" if low is None or high is None else f"{like(low, error)} to {like(high, error)}",
        why=why(one.get("value")) or "",
        realised="" if actual is None else like(actual, error),
        outside=outside and not better,
        better=better,
        outcome=outcomes.get(name, ""),
        first=name in FIRST or outcomes.get(name) in OUT,
        strip=strip,
    )


def _compared(
    one: Mapping[str, object], before: Mapping[str, float | None], limits: Mapping[str, Limit]
) -> Compared | None:
    name = text(one.get("measure"))
    at, low, high = (real(one.get(each)) for each in ("value", "low", "high"))
    reference = before.get(name)
    if at is None or low is None or high is None or reference is None:
        return None
    limit = limits[name].edge if name in limits else None
    return Compared(
        at, low, high, reference, limit=limit, other=real(one.get("realised")), better=direction(name)
    )


@dataclass(frozen=True, slots=True)
class Unsure:
    """How sure the model was: means by name, and the rows that it was least sure of, in a sentence."""

    means: tuple[tuple[str, str], ...]
    sentence: str
    share: float | None


def unsure_of(value: object) -> Unsure | None:
    """How sure the model was, in a document; None if that is not told."""
    given = mapping(value)
    if not given:
        return None
    rows, share, below = (real(given.get(name)) for name in ("rows", "share", "threshold"))
    sentence = ""
    if rows is not None:
        what = "Least sure of" if below is None else f"Confidence below {number(below)}"
        of_all = "" if share is None else f" ({percent(share)} of all)"
        file = text(given.get("file"))
        listed = f", listed in {clip(file, 200)}" if file else ""
        sentence = f"{what}: {amount(round(rows), 'row')}{of_all}{listed}."
    then = mapping(given.get("baseline"))
    means = [(told, _beside(given[name], then.get(name))) for name, told in _MEANS.items() if name in given]
    return Unsure(tuple(means), sentence, share)


def _beside(now: object, then: object) -> str:
    """A mean, and that of the baseline in brackets."""
    return figure(now) if then is None else f"{figure(now)} (baseline {figure(then)})"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often a set or interval held the label, in a sentence; `short` if that is less often than was asked for."""

    sentence: str
    short: bool


def coverage_of(value: object) -> Coverage | None:
    """The coverage of a document; None if it was not measured."""
    given = mapping(value)
    if not given:
        return None
    asked, got, error, then = (real(given.get(name)) for name in ("asked", "value", "error", "baseline"))
    reason = why(given.get("value"))
    return Coverage(
        sentence=_covered(asked, got, error, then, reason),
        short=asked is not None and got is not None and got + 2 * (error or 0.0) < asked,
    )


def _covered(
    asked: float | None, got: float | None, error: float | None, then: float | None, reason: str | None
) -> str:
    if got is None:
        return f"How often the model's sets or intervals held the label is not known: {reason or 'not measured'}."
    scatter = "" if error is None else f" ± {percent(error)}"
    of_asked = "" if asked is None else f"; {percent(asked)} was asked for"
    before = "" if then is None else f"; in the baseline {percent(then)}"
    return f"The model's sets or intervals held {percent(got)}{scatter} of the labels{of_asked}{before}."
