"""Slices of the rows: how good the answers were in each, and where they were found to be bad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import Final

from watchkeep.views.measure_words import direction, label
from watchkeep.views.quality_measures import Measure, measures_of
from watchkeep.views.strips import Compared, Strip, banded, strips
from watchkeep.views.values import objects, real, text, whole
from watchkeep.views.words import clip, figure, percent

_SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "Regression": ("rmse", "mae", "bias"),
    "MulticlassClassification": ("accuracy", "balanced_accuracy"),
    "BinaryClassification": ("accuracy", "precision", "recall", "auc"),
}
_ERRORS: Final = 3.0  # standard errors by which a segment that is called worse differs
_FEWEST: Final = 30  # labelled rows without which none is
_MOST: Final = 40
_KINDS: Final = {"risen": "worse than in the baseline", "worst": "worse than elsewhere"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A slice that was asked for.

    Args:
        rule: which rows; empty if the name says it.
        labelled: its rows with a label; None in a baseline, which tells no measures.
        measures: those of the table, None for one it lacks; `worse`: whether each is worse than of all rows.
        strip: the first measure beside that of all rows.
    """

    name: str
    rule: str
    labelled: int | None
    measures: tuple[Measure | None, ...]
    worse: tuple[bool, ...]
    strip: Strip | None

    @property
    def bad(self) -> bool:
        """Whether any measure is worse than of all rows."""
        return any(self.worse)


@dataclass(frozen=True, slots=True)
class Segments:
    """The slices that were asked for, the worst first; `labels` of the measures shown, `left` are not listed."""

    labels: tuple[str, ...]
    listed: tuple[Segment, ...]
    left: int

    @property
    def measured(self) -> bool:
        """Whether anything was measured in them: a baseline only names them."""
        return any(one.labelled is not None for one in self.listed)


def segments_of(value: object, whole_measures: Sequence[Measure], problem: str) -> Segments | None:
    """The segments of a document; None if there are none."""
    given = objects(value)
    if not given:
        return None
    whole_by = {one.name: one for one in whole_measures}
    names = [name for name in _SHOWN.get(problem, ("accuracy", "rmse")) if name in whole_by]
    read = [_read(one, names, whole_by) for one in given]
    read.sort(key=lambda one: -one[0])
    shown = read[:_MOST]
    drawn = strips(_one_unit([_compared(one, whole_by) for _, one in shown]), reference="all rows")
    listed = [
        Segment(one.name, one.rule, one.labelled, one.measures, one.worse, strip)
        for (_, one), strip in zip(shown, drawn, strict=True)
    ]
    return Segments(tuple(map(label, names)), tuple(listed), len(read) - len(shown))


def _read(
    one: Mapping[str, object], names: Sequence[str], whole_by: Mapping[str, Measure]
) -> tuple[float, Segment]:
    """A segment, and by how many standard errors its worst measure is worse than of all rows."""
    name, rule = text(one.get("name")), text(one.get("rule"))
    labelled = whole(one.get("labelled")) if "labelled" in one else None
    own = {each.name: each for each in measures_of(one.get("measures"), {})}
    by = [_behind(own.get(each), whole_by[each], labelled or 0) if each != "bias" else 0.0 for each in names]
    enough = (labelled or 0) >= _FEWEST
    segment = Segment(
        name=name,
        rule="" if rule == name else rule,
        labelled=labelled,
        measures=tuple(own.get(each) for each in names),
        worse=tuple(enough and far > _ERRORS for far in by),
        strip=None,
    )
    return (max(by, default=0.0) if enough else 0.0), segment


def _behind(own: Measure | None, of_all: Measure, labelled: int) -> float:
    value, reference = real(own.value) if own is not None else None, real(of_all.value)
    if own is None or value is None or reference is None or not labelled:
        return 0.0
    error = hypot(own.scatter or 0.0, of_all.scatter or 0.0)
    if 0 < reference < 1:  # few rows may show no scatter by chance
        error = max(error, sqrt(reference * (1 - reference) / labelled) if direction(own.name) > 0 else 0.0)
    return direction(own.name) * (reference - value) / error if error > 0 else 0.0


def _compared(one: Segment, whole_by: Mapping[str, Measure]) -> Compared | None:
    first = one.measures[0] if one.measures else None
    if first is None:
        return None
    value, reference = real(first.value), real(whole_by[first.name].value)
    if value is None or reference is None:
        return None
    low, high = banded(value, first.scatter)
    return Compared(value, low, high, reference, other=first.was, better=direction(first.name))


def _one_unit(rows: Sequence[Compared | None]) -> list[Compared | None]:
    """The rows with one step for all of them, as they tell the same measure: as far as any of them goes."""
    places = [
        abs(each - row.reference) for row in rows if row is not None for each in (row.at, row.low, row.high)
    ]
    places += [abs(row.other - row.reference) for row in rows if row is not None and row.other is not None]
    step = max(places, default=0.0)
    return [None if row is None else replace(row, step=step) for row in rows]


@dataclass(frozen=True, slots=True)
class Found:
    """A slice that was found.

    Args:
        rule: which rows it is, as it could be asked for.
        kind: whether it got worse or is worst, in words; empty if that is not told.
        rows, share: how many, and of all rows.
        mean, rest, before: the mean loss there, elsewhere, and there in the baseline; empty if not known.
        carries: which share of the losses lies there beyond what would by its size; None if not known.
        chance: of finding as bad a slice where there is none, in words.
    """

    rule: str
    kind: str
    sentence: str
    rows: str
    share: str
    mean: str
    rest: str
    before: str
    carries: float | None
    chance: str


def found_of(value: object) -> tuple[Found, ...]:
    """The slices found, in the document's order."""
    return tuple(_found(one) for one in objects(value)[:_MOST])


def _found(one: Mapping[str, object]) -> Found:
    share, carries, chance = real(one.get("share")), real(one.get("excess_share")), real(one.get("chance"))
    return Found(
        rule=text(one.get("rule")),
        kind=_KINDS.get(text(one.get("kind")), ""),
        sentence=clip(text(one.get("sentence")), 500),
        rows=figure(one.get("rows")),
        share="" if share is None else percent(share),
        mean=figure(one.get("mean")),
        rest=figure(one.get("rest")),
        before="" if one.get("before") is None else figure(one.get("before")),
        carries=None if carries is None else min(max(carries, 0.0), 1.0),
        chance="" if chance is None else percent(chance),
    )
