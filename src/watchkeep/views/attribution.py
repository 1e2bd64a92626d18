"""What a document says of attributions: which features answers rest on, before and now, and how their order flows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.views.dependence import Dependences
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import amount, clip, count, figure, number, percent, why

FLOWING: Final = 14
"""Features whose way from rank to rank is drawn; those below are counted."""
ROW: Final = 26
"""Height of a rank, in the chart's unit."""
SIDE: Final = 180
"""Width of the chart between its columns of names, in its own unit: it stretches to its place on the page."""
LONGEST: Final = 26
"""Characters of a name beside the chart."""
_MOST_NOTES: Final = 6


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a place, ready to be shown.

    Args:
        name: of the column.
        told, error, share: its attribution, its standard error, and the share of all; a dash where there is none.
        before, before_share: the same in the baseline; empty where none is compared.
        bar, before_bar: widths in percent of the widest.
        rank, before_rank: its place, 1 for the largest; None where there is none.
        direction: whether it raises scores or lowers them on the whole, in words.
        outcome: of its verdicts, the worst; empty without one.
    """

    name: str
    told: str
    error: str
    share: str
    before: str
    before_share: str
    bar: float
    before_bar: float
    rank: int | None
    before_rank: int | None
    direction: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One line of the rank-flow chart.

    Args:
        name: the feature.
        before, now: heights of its two ends, in the chart's unit.
        rose: places it has risen; below 0 where it fell.
        tone: how it is drawn: "violated", "moved" or "kept".
    """

    name: str
    before: float
    now: float
    rose: int
    tone: str


@dataclass(frozen=True, slots=True)
class Place:
    """An output of the model, over all rows or those of a segment.

    Args:
        title: what it is, for people.
        features: those with the largest attribution first.
        flows: of those that are among the first on either side; empty where nothing is compared.
        order: the NDCG; empty where there is none, `why` tells the reason then.
        outcome: of the verdict on the order.
        sizes: how many rows were explained.
    """

    title: str
    features: tuple[Feature, ...]
    flows: tuple[Flow, ...]
    order: str
    why: str
    outcome: str
    sizes: str

    @property
    def height(self) -> int:
        """Of the rank-flow chart, in its unit."""
        return round(max((max(one.before, one.now) for one in self.flows), default=0.0)) + ROW // 2

    @property
    def widest(self) -> int:
        """Characters of the longest name beside the rank-flow chart, its change of rank included."""
        return min(LONGEST, max((len(one.name) for one in self.flows), default=0)) + 4

    @property
    def label(self) -> str:
        """The rank-flow chart in words."""
        told = [
            f"{one.name} {'rose' if one.rose > 0 else 'fell'} by {abs(one.rose)}"
            for one in self.flows
            if one.rose
        ]
        return "; ".join(told) or "every feature kept its rank"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What stands under `attribution`, read.

    Args:
        how: what was explained and how, in a sentence.
        places: over all rows, then of segments.
        compared: whether a baseline stands beside the window.
        unanswered: why no row could be explained; empty when rows were.
        cautions: what cannot be concluded from it: sentences.
        notes: what a reader must know of how rows were explained: sentences.
        dependence: how the score goes with the features that matter most.
    """

    how: str
    places: tuple[Place, ...]
    compared: bool
    unanswered: str
    cautions: tuple[str, ...]
    notes: tuple[str, ...]
    dependence: Dependences

    @classmethod
    def of(cls, value: object) -> Self | None:
        """The attributions of a document; None if it tells of none."""
        given = mapping(value)
        if not given:
            return None
        compared = given.get("compared") is True
        return cls(
            how=_how(given),
            places=tuple(_place(one, given, compared=compared) for one in objects(given.get("places"))),
            compared=compared,
            unanswered=clip(text(given.get("unanswered")), 400),
            cautions=_sentences(given.get("cautions")),
            notes=_notes(given),
            dependence=Dependences.of(given.get("dependence")),
        )


def _how(given: Mapping[str, object]) -> str:
    model, kind = clip(text(given.get("model")), 80), clip(text(given.get("model_kind")), 40)
    method = clip(text(given.get("method")), 160)
    what = {
        "mean_abs": "the mean size of a feature's contributions to the score",
        "median": "the median of a feature's contributions to the score, with their sign",
        "mean_sq": "the mean square of a feature's contributions to the score",
    }.get(text(given.get("aggregation")), "")
    told = f"Of {_model(model, kind)}" if model else "Of the model"
    if method == "captured":
        return f"Contributions came with the rows and are used as they are. Attribution is {what}."
    told = f"{told}, {method or 'as its file tells'}"
    before = clip(text(given.get("baseline_model")), 80)
    if before:
        own = f"by {_model(model, kind)}, {method or 'as its file tells'}"
        then = _model(before, clip(text(given.get("baseline_model_kind")), 40))
        same = before == model and given.get("anew") is not True
        told = f"Window and baseline {own}" if same else f"Window {own}; baseline by {then}"
    return f"{told}. Attribution is {what}." if what else f"{told}."


def _model(name: str, kind: str) -> str:
    return f"{name} ({kind})" if kind else name


def _sentences(value: object) -> tuple[str, ...]:
    return tuple(clip(text(one), 300) for one in value[:_MOST_NOTES]) if isinstance(value, list) else ()


def _notes(given: Mapping[str, object]) -> tuple[str, ...]:
    """What is to be told of rows without an explanation, and of those with one."""
    told = [*_sentences(given.get("notes"))]
    for key, whose in (("not_explained", ""), ("baseline_not_explained", " of the baseline")):
        counts = mapping(given.get(key))
        rows = sum(whole(n) for n in counts.values())
        if rows:
            why = ", ".join(f"{clip(str(reason), 120)} ({count(whole(n))})" for reason, n in counts.items())
            verb = "was" if rows == 1 else "were"
            told.append(f"{amount(rows, 'row')}{whose} {verb} not explained: {why}.")
    return tuple(told)


def _place(given: Mapping[str, object], whole_: Mapping[str, object], *, compared: bool) -> Place:
    listed = objects(given.get("features"))
    most = max(
        (real(one.get(key)) or 0.0 for one in listed for key in ("share", "baseline_share")), default=0.0
    )
    features = sorted((_feature(one, most, compared=compared) for one in listed), key=_first)
    labels = whole_.get("labels")
    several = isinstance(labels, list) and len(labels) > 1
    segment = given.get("segment")
    title = " · ".join(
        [
            *([clip(text(given.get("label")), 40)] if several else []),
            clip(text(segment), 80) if segment is not None else "all rows",
        ]
    )
    order, unknown = given.get("ndcg"), why(given.get("ndcg")) or ""
    if unknown and text(whole_.get("unanswered")):
        unknown = "no row was explained"  # the reason stands above
    then = given.get("baseline_explained")
    sizes = f"{amount(whole(given.get('explained')), 'row')} explained"
    return Place(
        title=title,
        features=tuple(features),
        flows=_flows(features) if compared else (),
        order=_short(order) if compared and not unknown and order is not None else "",
        why=unknown if compared else "",
        outcome=text(given.get("outcome")),
        sizes=sizes if then is None else f"{sizes}, {amount(whole(then), 'row')} of the baseline",
    )


def _first(one: Feature) -> tuple[float, float, str]:
    far = float("inf")
    return (one.rank or far, one.before_rank or far, one.name)


def _feature(given: Mapping[str, object], most: float, *, compared: bool) -> Feature:
    share, before = real(given.get("share")), real(given.get("baseline_share"))
    error, direction = real(given.get("error")), real(given.get("direction"))
    rank, then = real(given.get("rank")), real(given.get("baseline_rank"))
    return Feature(
        name=text(given.get("feature")),
        told=_short(given.get("attribution")),
        error="" if error is None else number(error, digits=2),
        share="–" if share is None else percent(share),
        before=_short(given.get("baseline_attribution")) if compared else "",
        before_share="–" if before is None else percent(before),
        bar=0.0 if share is None or not most else round(100 * share / most, 1),
        before_bar=0.0 if before is None or not most else round(100 * before / most, 1),
        rank=None if rank is None else round(rank),
        before_rank=None if then is None else round(then),
        direction="" if not direction else "raises scores" if direction > 0 else "lowers scores",
        outcome=text(given.get("outcome")),
    )


def _flows(features: Sequence[Feature]) -> tuple[Flow, ...]:
    ranked = [one for one in features if one.rank is not None and one.before_rank is not None]
    now = {one.name: at for at, one in enumerate(sorted(ranked, key=lambda one: (one.rank or 0, one.name)))}
    then = {
        one.name: at
        for at, one in enumerate(sorted(ranked, key=lambda one: (one.before_rank or 0, one.name)))
    }
    shown = [one for one in ranked if min(now[one.name], then[one.name]) < FLOWING]
    return tuple(
        Flow(
            name=one.name,
            before=(min(then[one.name], FLOWING) + 0.5) * ROW,
            now=(min(now[one.name], FLOWING) + 0.5) * ROW,
            rose=(one.before_rank or 0) - (one.rank or 0),
            tone="violated"
            if one.outcome == "violated"
            else "moved"
            if one.rank != one.before_rank
            else "kept",
        )
        for one in shown
    )


def _short(value: object) -> str:
    known = real(value)
    return figure(value) if known is None else number(known, digits=4)
