"""First looks at reference answers: what problem they answer, of which classes, and where scores and errors lie."""

from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import pyarrow.compute as pc

from watchkeep.core.errors import OptionError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.frames.categories import row_texts
from watchkeep.frames.classes import Classes, canonical
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.roles import Roles
from watchkeep.frames.schema import is_embedding
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import read_answers
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.moments import Moments
from watchkeep.states.tallies import CellTally

FEW: Final = 20
"""Different whole numbers up to which labels are taken for classes."""
MOST_CLASSES: Final = 256
_SHARES: Final = (1 << 40, 3 << 40)  # rows that negatives and positives count for where bins are laid out


@dataclass(eq=False)
class LabelSurvey:
    """What labels, answers and scores look like.

    Args:
        roles: which column is which.
    """

    roles: Roles
    texts: dict[str, str] = field(default_factory=dict)
    labels: Moments = field(default_factory=Moments)
    present: int = 0
    numeric: bool = True
    fractional: bool = False
    many: bool = False
    listed: bool = False
    low: float = np.inf
    high: float = -np.inf

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        for name in (self.roles.label, self.roles.prediction):
            if name is not None and name in batch.names:
                self._classes(batch, name, label=name == self.roles.label)
        score = self.roles.score
        if score is not None and score in batch.names:
            array = batch.column(score)
            if is_embedding(array.type):
                self.listed = True
                return
            values = read_numbers(array).values
            finite = values[np.isfinite(values)]
            if len(finite):
                self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))

    def merge(self, *others: Self) -> Self:
        """All together; values in the order in which they appeared."""
        for other in others:
            self.labels = self.labels.merge(other.labels)
            self.present += other.present
            self.numeric &= other.numeric
            self.fractional |= other.fractional
            self.listed |= other.listed
            self.low, self.high = min(self.low, other.low), max(self.high, other.high)
            for text, first in other.texts.items():
                self.texts.setdefault(text, first)
            self.many = self.many or other.many or len(self.texts) > MOST_CLASSES
        return self

    def _classes(self, batch: Batch, name: str, *, label: bool) -> None:
        array = batch.column(name)
        read = read_numbers(array)
        strange = read.string + read.other
        self.numeric &= not strange
        self.fractional |= read.fractional > 0 and bool((np.floor(read.values) != read.values).any())
        if label:
            self.present += batch.rows - read.missing
            finite = read.values[np.isfinite(read.values)]
            self.labels = self.labels.merge(Moments.of(finite))
        if self.many:
            return
        for text in pc.unique(row_texts(array)).to_pylist():
            if text is not None and text != "nan":
                self.texts.setdefault(canonical(text), text)
        self.many = len(self.texts) > MOST_CLASSES

    @property
    def classes(self) -> Classes:
        """What labels and answers are of."""
        return Classes.among(self.texts.values())

    def problem(self, asked: Problem | None, source: str) -> Problem:
        """What is answered: as asked, or as the labels look.

        Two different values are classes; so are texts, and up to `FEW` whole numbers; other numbers are numbers.

        Raises:
            UnreadableSourceError: the labels fit no problem, or not the one that was asked for.
        """
        found = asked or self._looks(source)
        kinds = len(self.texts)
        if found is not Problem.REGRESSION:
            if self.many:
                raise UnreadableSourceError(
                    source, why=f"its labels have more than {MOST_CLASSES} different values"
                )
            if kinds < 2:
                only = next(iter(self.texts.values()), None)
                told = "no value" if only is None else f"one class only, {only!r}"
                raise UnreadableSourceError(
                    source, why=f"column {self.roles.label!r} holds {told}; quality needs two"
                )
        if found is Problem.BINARY and kinds > 2:
            names = ", ".join(map(repr, self.classes.names[:5]))
            raise UnreadableSourceError(
                source,
                why=f"a binary problem has two classes, its labels and predictions have {kinds}: {names}",
            )
        if found is Problem.REGRESSION and (not self.numeric or not self.labels.n):
            raise UnreadableSourceError(
                source, why="a regression needs numbers, its labels or predictions are none"
            )
        return found

    def _looks(self, source: str) -> Problem:
        if not self.present:
            raise UnreadableSourceError(source, why=f"column {self.roles.label!r} holds no label")
        if self.numeric and (self.fractional or self.many or len(self.texts) > FEW):
            return Problem.REGRESSION
        return Problem.BINARY if len(self.texts) <= 2 and not self.listed else Problem.MULTICLASS

    @property
    def probability(self) -> bool:
        """Whether all scores are within [0, 1]."""
        return self.low >= 0 and self.high <= 1


def with_positive(classes: Classes, positive: str | None) -> Classes:
    """The two classes, the positive one last.

    Raises:
        OptionError: the positive class is none of them.
    """
    if positive is None:
        return classes
    code = classes.code(positive)
    if code < 0:
        raise OptionError(
            "positive", got=positive, expected=f"one of {' and '.join(classes.names)}", choices=classes.names
        )
    return Classes((classes.names[1 - code], classes.names[code]))


class PlaceSurvey:
    """Where scores of either class, or errors, lie: the bins that they are counted in follow from it.

    Args:
        plan: without bins.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self._plan = plan
        self._tallies = CellTally(), CellTally()

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        answers = read_answers(batch, self._plan)
        if self._plan.problem is Problem.REGRESSION:
            known = ~np.isnan(answers.labels)
            gaps = (answers.predictions - answers.labels)[known]
            self._tallies[0].add(np.ascontiguousarray(gaps))
        elif answers.scores is not None:
            for label, tally in enumerate(self._tallies):
                tally.add(np.ascontiguousarray(answers.scores[answers.labels == label]))

    def merge(self, *others: Self) -> Self:
        """All together."""
        for tally, *those in zip(self._tallies, *(other._tallies for other in others), strict=True):  # noqa: SLF001
            tally.merge(*those)
        return self

    def bins(self) -> Bins | None:
        """Bins fine enough for both; None when there is nothing."""
        each = [tally.cells() for tally in self._tallies]
        filled = [(cells, share) for cells, share in zip(each, _SHARES, strict=True) if cells.total]
        if not filled:
            return None
        # However rare positives are, the scores that they have are cut finely: precision is decided there.
        alike = [
            Cells(one.shift, one.keys, one.counts * max(1, share // one.total), one.limit)
            for one, share in filled
        ]
        return Bins.of(alike[0].merge(*alike[1:]), mean=0.0, deviation=0.0)
