"""`analysis.json`: measures of bias by facet and group (reference of the schema: SageMaker Clarify)."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats.json_text import shown
from watchkeep.formats.own_limits import OURS
from watchkeep.formats.places import Place, copied
from watchkeep.frames.classes import Classes
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.outcomes import Positive
from watchkeep.monitors.bias.groups import TITLES, GroupBias
from watchkeep.monitors.bias.limits import of_ours
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.stats.bias import MEASURES

DOCUMENT: Final = "analysis.json"
PRE: Final = "pre_training_bias_metrics"
POST: Final = "post_training_bias_metrics"
SECTIONS: Final = (PRE, POST)
_DESCRIPTIONS: Final = {
    "AD": "Accuracy Difference (AD)",
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "CI": "Class Imbalance (CI)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DI": "Disparate Impact (DI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "FT": "Flip Test (FT)",
    "GE": "Generalized Entropy (GE)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "KL": "Kullback-Liebler Divergence (KL)",
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "LP": "L-p Norm (LP)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "TE": "Treatment Equality (TE)",
    "TVD": "Total Variation Distance (TVD)",
}
_ONE: Final = r"[\[(]\s*([^,()\[\]]+),\s*([^,()\[\]]+)[\])]"
_INTERVALS: Final = re.compile(rf"^{_ONE}(\s*,\s*{_ONE})*$")
_INTERVAL: Final = re.compile(_ONE)
_INFINITE: Final = {"Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an `analysis.json` tells of bias.

    Args:
        label: the column of outcomes; None where the document does not say.
        positive: what counts as a positive label, as it spells it.
        facets: of each facet, of each group as it spells it, the measures by name.
        json: the object it was read from; the other fields are its reading.
    """

    label: str | None
    positive: str | None
    facets: Mapping[str, Mapping[str, Mapping[str, Value]]]
    json: Mapping[str, object] = field(repr=False)


def analysis(plan: BiasPlan, groups: Iterable[GroupBias]) -> dict[str, object]:
    """The `analysis.json` of some rows: what SageMaker has, and under a key of our own the crossings of facets.

    Args:
        plan: how they were read.
        groups: the measures.
    """
    listed = list(groups)
    told: dict[str, object] = {"version": "1.0"}
    facets = {facet.column: facet for facet in plan.facets}
    for section in SECTIONS:
        if not plan.tells("labels" if section == PRE else "predictions"):
            continue
        found: dict[str, object] = {}
        for column, facet in facets.items():
            found[column] = [
                {
                    "value_or_threshold": spelled(facet, _group(facet, one.group)),
                    "metrics": _metrics(one, section, plan),
                }
                for one in listed
                if one.facet == column
            ]
        told[section] = {
            "label": plan.roles.label or plan.roles.prediction or plan.roles.score,
            "label_value_or_threshold": positive_text(plan.label),
            "facets": found,
        }
    crossed = [one for one in listed if one.facet not in facets]
    if crossed and not plan.dialect.sagemaker:
        told[OURS] = {
            "intersections": [
                {
                    "facet": one.facet,
                    "value_or_threshold": one.group,
                    "rows": one.rows,
                    "metrics": [*_metrics(one, PRE, plan), *_metrics(one, POST, plan)],
                }
                for one in crossed
            ]
        }
    return told


def section_of(name: str) -> str:
    """Whether a measure is of labels, or of predictions too.

    >>> section_of("CI"), section_of("RD")
    ('pre_training_bias_metrics', 'post_training_bias_metrics')
    """
    needs = MEASURES[name].needs if name in MEASURES else "labels" if name == "CDDL" else "predictions"
    return PRE if needs in ("rows", "labels") else POST


def _metrics(group: GroupBias, section: str, plan: BiasPlan) -> list[dict[str, object]]:
    told = []
    for name, one in sorted(group.measures.items()):
        if section_of(name) != section or (of_ours(name) and plan.dialect.sagemaker):
            continue
        entry: dict[str, object] = {
            "name": name,
            "description": description(name),
            "value": number(one.value),
        }
        if isinstance(one.value, Undefined):
            entry["error"] = one.value.why
        told.append(entry)
    return told


def description(name: str) -> str:
    """A measure in words, as SageMaker's documents have it.

    >>> description("CI"), description("CG")
    ('Class Imbalance (CI)', 'Calibration gap (CG)')
    """
    title = TITLES.get(name, name)
    return _DESCRIPTIONS.get(name, f"{title[:1].upper()}{title[1:]} ({name})")


def number(value: Value) -> float | str | None:
    """A value as JSON: infinite ones as texts, undefined ones as null."""
    if isinstance(value, Undefined):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def _group(facet: Facet, name: str) -> Group:
    return next(one for one in facet.groups if one.name == name)


def spelled(facet: Facet, group: Group) -> str:
    """A group as SageMaker spells it: its values, or the interval. An interval without an end says so.

    >>> spelled(Facet("age", edges=(25.0, 40.0)), Group("> 40", (2,)))
    '(40, inf]'
    """
    if not facet.edges:
        return ",".join(facet.classes.names[level] for level in group.levels)
    edges = (-math.inf, *facet.edges, math.inf)
    return f"({edges[min(group.levels)]:.12g}, {edges[max(group.levels) + 1]:.12g}]"


def subject_of(facet: Facet, text: str) -> str | None:
    """The subject of a group as a document spells it; None of one the facet does not have.

    Of an interval only the lower end counts: SageMaker ends the last one at the largest value it saw.

    >>> subject_of(Facet("age", edges=(40.0,), groups=(Group("> 40", (1,)),)), "(40, 90]")
    'age > 40'
    """
    intervals = _intervals(text)
    for group in facet.groups:
        own = spelled(facet, group)
        if own == text or (intervals and facet.edges and _intervals(own)[0][0] == intervals[0][0]):
            return facet.subject(group)
    return None


def _intervals(text: str) -> list[tuple[float, float]]:
    """The intervals that a text is made of, increasing; none of another text.

    >>> _intervals("(40.0, 60.0],(60.0, 99.0]"), _intervals("A,B")
    ([(40.0, 60.0), (60.0, 99.0)], [])
    """
    if not _INTERVALS.match(text):
        return []
    found = sorted((_real(low), _real(high)) for low, high in _INTERVAL.findall(text))
    return [] if any(math.isnan(end) for pair in found for end in pair) else found


def facet_of(column: str, texts: Sequence[str]) -> Facet:
    """The facet whose groups a document spells so.

    Where an interval ends that no other begins at is the largest value that was seen: it has no end.

    >>> facet_of("age", ["(100, 225]"]).groups
    (Group(name='> 100', levels=(1,)),)
    >>> facet_of("sex", ["F", "X,Y"]).groups
    (Group(name='F', levels=(0,)), Group(name='X,Y', levels=(1, 2)))
    """
    found = [_intervals(text) for text in texts]
    if texts and all(found):
        return _cut(column, found)
    from_texts: list[str] = []
    made = []
    for text in texts:
        values = text.split(",")
        from_texts += [value for value in values if value not in from_texts]
        made.append(Group(text, tuple(from_texts.index(value) for value in values)))
    return Facet(column, Classes(tuple(from_texts)), groups=tuple(made))


def _cut(column: str, found: Sequence[list[tuple[float, float]]]) -> Facet:
    lows = {low for pairs in found for low, _ in pairs}
    highs = {high for pairs in found for low, high in pairs if high in lows or low == -math.inf}
    edges = tuple(sorted(edge for edge in lows | highs if math.isfinite(edge)))
    facet = Facet(column, edges=edges)
    names, ends = facet.levels[:-1], (-math.inf, *edges, math.inf)
    groups = []
    for pairs in found:
        low, high = pairs[0][0], pairs[-1][1]
        levels = [
            at for at in range(len(names)) if ends[at] >= low and (high not in edges or ends[at + 1] <= high)
        ]
        name = names[levels[0]] if len(levels) == 1 else f"> {low:.12g}"
        if levels and levels[-1] == len(names) - 1 and math.isfinite(low):
            name = f"> {low:.12g}"
        groups.append(Group(name, tuple(levels)))
    return Facet(column, edges=edges, groups=tuple(groups))


def positive_of(text: str) -> Positive:
    """What counts as positive, as a document spells it: values, or an interval.

    >>> positive_of("(100, 225]").threshold, positive_of("1,2").values.names
    (100.0, ('1', '2'))
    """
    found = _intervals(text)
    return Positive(threshold=found[0][0]) if found else Positive(Classes(tuple(text.split(","))))


def positive_text(positive: Positive) -> str:
    """What counts as positive, as SageMaker spells it.

    >>> positive_text(Positive(threshold=40.0)), positive_text(Positive(Classes(("1", "2"))))
    ('(40, inf]', '1,2')
    """
    return positive.name if positive.threshold is None else f"({positive.threshold:.12g}, inf]"


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> Analysis:
    """An `analysis.json` read and checked; sections that are not about bias are left alone.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> ci = {"name": "CI", "value": 0.37}
    >>> told = {"label": "y", "facets": {"Sex": [{"value_or_threshold": "0", "metrics": [ci]}]}}
    >>> parse({"pre_training_bias_metrics": told}).facets["Sex"]["0"]["CI"]
    0.37
    """
    top = Place(copied(document), name)
    label: str | None = None
    positive: str | None = None
    facets: dict[str, dict[str, dict[str, Value]]] = {}
    for section in SECTIONS:
        place = top.child(section)
        if place is None:
            continue
        label = label or _text(place.child("label"))
        positive = positive or _text(place.child("label_value_or_threshold"))
        held = place.need("facets")
        for column in held.mapping():
            groups = facets.setdefault(column, {})
            for item in held.items(column):
                text = _text(item.need("value_or_threshold")) or ""
                groups.setdefault(text, {}).update(_read(item))
    return Analysis(label, positive, facets, top.mapping())


def _read(item: Place) -> Iterator[tuple[str, Value]]:
    for metric in item.items("metrics"):
        name, value = metric.need("name").text(), metric.child("value")
        if value is None:
            why = _text(metric.child("error")) or "the document holds no value"
            yield name, Undefined(why)
        elif isinstance(value.value, str) and value.value in _INFINITE:
            yield name, _INFINITE[value.value]
        else:
            known = value.maybe_number()
            yield name, Undefined(f"the document says {shown(value.value)}") if known is None else known


def _text(place: Place | None) -> str | None:
    """A text, or a number as one."""
    if place is None:
        return None
    if isinstance(place.value, int | float) and not isinstance(place.value, bool):
        return f"{place.value:.12g}"
    return place.text()
