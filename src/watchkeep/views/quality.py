"""What a document says of a model's answers: how good they were, which, for whom, and how that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from watchkeep.views.columns import Judged, Rule
from watchkeep.views.confusion import Confusion
from watchkeep.views.curves import Square, squares
from watchkeep.views.judged_answers import of_drift
from watchkeep.views.labels import Labels, labels_of
from watchkeep.views.measure_words import short_label
from watchkeep.views.quality_measures import Limit, Measure, constant_words, in_order, measures_of
from watchkeep.views.segments import Found, Segments, found_of, segments_of
from watchkeep.views.unlabelled import Coverage, Estimates, Unsure, coverage_of, estimates_of, unsure_of
from watchkeep.views.values import mapping, real, text, whole
from watchkeep.views.words import amount, clip, count, listing, number, percent

_CLASSES = 5  # named in a sentence
_NAMED = 4  # measures that lack the same, named


@dataclass(frozen=True, slots=True)
class Quality:
    """What stands under `quality`, read.

    Args:
        answers: what the model answers, in a sentence.
        labelled, unlabelled: rows with a label, and without.
        measures: the ones to read first; `more`: the others.
        constant: what the best constant answer would reach, in a sentence; empty if that is not known.
        confusion: which answers were given; None for numbers.
        squares: curves of scores.
        segments: how good the answers were for slices of the rows; None if none is measured.
        found: slices where they were bad; empty if there are none, or were not looked for.
        searched: rows that were searched for them; None if none were.
        estimates: what was to be expected before labels came.
        labels: how labels were joined.
        unsure: how sure the model was.
        coverage: of its sets or intervals.
    """

    problem: str
    classes: tuple[str, ...]
    answers: str
    labelled: int
    unlabelled: int
    measures: tuple[Measure, ...]
    more: tuple[Measure, ...]
    constant: str
    confusion: Confusion | None
    squares: tuple[Square, ...]
    segments: Segments | None
    found: tuple[Found, ...]
    searched: float | None
    estimates: Estimates | None
    labels: Labels | None
    unsure: Unsure | None
    coverage: Coverage | None

    @classmethod
    def of(cls, value: object, verdicts: Sequence[Judged] = (), promises: Sequence[Rule] = ()) -> Self | None:
        """The answers of a document; None if it tells of none.

        Args:
            value: what stands under `quality`.
            verdicts: of a report, about the dataset.
            promises: of a baseline, which has no verdicts.
        """
        given = mapping(value)
        if not given:
            return None
        limits = {one.measure: Limit.judged(one) for one in verdicts if not of_drift(one)}
        limits |= {one.measure: Limit.promised(one) for one in promises if one.measure not in limits}
        told = measures_of(given.get("measures"), limits)
        first, more = in_order(told)
        then = mapping(given.get("before"))
        alone, labelled = "before" not in given, whole(given.get("labelled"))
        problem = text(given.get("problem"))
        classes = tuple(map(str, found)) if isinstance(found := given.get("classes"), list) else ()
        two = len(classes) == 2
        return cls(
            problem=problem,
            classes=classes,
            answers=_answers(given, problem, classes),
            labelled=labelled,
            unlabelled=whole(given.get("unlabelled")),
            measures=first,
            more=more,
            constant=constant_words(given.get("measures")),
            confusion=Confusion.of(given.get("confusion"), then.get("confusion")),
            squares=squares({}, given, two=two)
            if alone
            else squares(given, then, two=two)
            if labelled
            else (),
            segments=segments_of(given.get("segments"), told, problem),
            found=found_of(given.get("found")),
            searched=real(given.get("searched")),
            estimates=estimates_of(
                given.get("estimates"), told, limits, [one for one in verdicts if of_drift(one)]
            ),
            labels=labels_of(given.get("join")),
            unsure=unsure_of(given.get("uncertain")),
            coverage=coverage_of(given.get("coverage")),
        )

    @property
    def counted(self) -> str:
        """How many rows have a label, in words."""
        rows = self.labelled + self.unlabelled
        if not rows:
            return "There are no answers."
        if not self.unlabelled:
            return f"{amount(rows, 'answer')}, all with a label." if rows != 1 else "1 answer, with a label."
        return f"{count(self.labelled)} of {amount(rows, 'answer')} have a label ({percent(self.labelled / rows)})."

    @property
    def spotless(self) -> str:
        """That no slice was found, in a sentence; empty if there are some, or were not looked for."""
        if self.found or self.searched is None:
            return ""
        rows = amount(round(self.searched), "labelled row")
        if not self.searched:
            return "There is no labelled row to search among."
        return f"A search of {rows} found no segment that is worse than chance would make one."

    @property
    def good(self) -> str:
        """How good the answers are, in a few words; empty where nothing could be measured."""
        wanted = ("rmse", "r2") if self.problem == "Regression" else ("accuracy", "auc")
        every = {one.name: real(one.value) for one in (*self.measures, *self.more)}
        told = [
            f"{short_label(name)} {number(value, digits=3)}"
            for name in wanted
            if (value := every.get(name)) is not None
        ]
        return " and ".join(told)

    @property
    def blanks(self) -> list[tuple[str, list[str]]]:
        """Why some measures are missing: each reason once, with the measures it holds for."""
        found: dict[str, list[str]] = {}
        for one in (*self.measures, *self.more):
            if one.why:
                found.setdefault(one.why, []).append(one.label)
        return [(why, _few(names)) for why, names in found.items()]


def _few(names: Sequence[str]) -> list[str]:
    left = len(names) - _NAMED
    return [*names[:_NAMED], f"{count(left)} more"] if left > 1 else list(names)


def kind_words(problem: str, classes: Sequence[str]) -> str:
    """What a model answers, in a clause.

    >>> kind_words("MulticlassClassification", ["a", "b", "c"]), kind_words("Regression", [])
    ('answers one of 3 classes (a, b and c)', 'answers numbers')
    """
    if problem == "Regression":
        return "answers numbers"
    if len(classes) == 2:
        return f"answers {clip(classes[0], 40)} or {clip(classes[1], 40)}"
    if not classes:
        return "answers classes"
    return f"answers one of {count(len(classes))} classes ({listing(classes, most=_CLASSES)})"


def _answers(given: Mapping[str, object], problem: str, classes: Sequence[str]) -> str:
    sentence = f"The model {kind_words(problem, classes)}"
    positive, threshold = given.get("positive"), real(given.get("threshold"))
    if isinstance(positive, str):
        sentence += f"; {clip(positive, 40)} is the positive class"
        sentence += "" if threshold is None else f", answered where the score is above {number(threshold)}"
    return f"{sentence}."
