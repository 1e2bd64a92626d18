"""Rows that fairness is learned from, in memory: labels, groups, what the model said, and features."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.core.errors import OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.categories import row_texts
from watchkeep.frames.classes import Codes
from watchkeep.frames.facets import Facet
from watchkeep.frames.outcomes import NO_OUTCOME
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import column_type
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.model_quality.rows import Doubles, Mask, Sieve, column_of

NO_LABEL = "no label"
NO_GROUP = "no value of a facet"
NO_ANSWER = "no prediction"
OTHERS = "others"
MOST_CATEGORIES = 250
"""Categories of a feature that a model tells apart; the rest are one."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows that have a label, a group and, where there is a model, its answer.

    Args:
        labels: 0 or 1, shape (rows,).
        groups: of each row, shape (rows,), the place of its name among `names`.
        names: of the groups.
        levels: of each facet of the plan, the level of each row.
        answers: what the model decided, 0 or 1; None without a model.
        scores: what it was decided by; None without scores.
        features: shape (rows, features); NaN where there is none.
        kinds: whether each feature is a category.
        ids: of rows, as texts; None without them.
        places: of the rows among all that were read, shape (rows,).
        left_out: rows that were not used, by why.
    """

    labels: Codes
    groups: Codes
    names: tuple[str, ...]
    levels: tuple[Codes, ...]
    answers: Codes | None
    scores: Doubles | None
    features: Doubles
    kinds: npt.NDArray[np.bool_]
    ids: npt.NDArray[np.object_] | None
    places: npt.NDArray[np.int64]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: Mask) -> Self:
        """Some of the rows."""
        return replace(
            self,
            labels=self.labels[chosen],
            groups=self.groups[chosen],
            levels=tuple(one[chosen] for one in self.levels),
            answers=None if self.answers is None else self.answers[chosen],
            scores=None if self.scores is None else self.scores[chosen],
            features=self.features[chosen],
            ids=None if self.ids is None else self.ids[chosen],
            places=self.places[chosen],
        )

    def parted(self, share: float, *, seed: int) -> tuple[Self, Self]:
        """Rows to learn from, and a share of them held out, by chance."""
        held = np.random.default_rng(seed).random(len(self)) < share
        return self.where(~held), self.where(held)

    def counts(self) -> Doubles:
        """Rows by group and label, shape (groups, 2)."""
        codes = self.groups * 2 + self.labels
        return np.bincount(codes, minlength=2 * len(self.names)).reshape(-1, 2).astype(np.float64)


class Collector:
    """Reads batches into `TrainingRows`.

    Args:
        plan: how labels, groups and answers are read.
        facets: the columns whose groups are to be treated alike.
        features: the columns that a model may learn from.
    """

    def __init__(self, plan: BiasPlan, facets: Sequence[str], features: Sequence[str]) -> None:
        self._plan, self._features = plan, tuple(features)
        self._facets = [at for at, one in enumerate(plan.facets) if one.column in facets]
        self._texts: dict[str, dict[str, int]] = {}
        self._kinds = [False] * len(self._features)
        self._pieces: list[TrainingRows] = []
        self._left_out: dict[str, int] = {}
        self._read = 0

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        for why, count in batch.rejected.items():
            self._left_out[why] = self._left_out.get(why, 0) + count
        if not batch.rows:
            return
        batch, plan, sieve = batch.decoded_once(), self._plan, Sieve(batch.rows)
        labels = plan.label.codes(batch.column(plan.roles.label or "", reader="the role label")).astype(
            np.intp
        )
        sieve.out(labels == NO_OUTCOME, NO_LABEL)
        answers, scores = self._answers(batch, sieve)
        levels = [
            one.codes(batch.column(one.column, reader="a facet")).astype(np.intp) for one in plan.facets
        ]
        for at in self._facets:
            sieve.out(levels[at] == plan.facets[at].missing, NO_GROUP)
        for why, count in sieve.rejected.items():
            self._left_out[why] = self._left_out.get(why, 0) + count
        kept, name = sieve.kept, plan.roles.id
        ids = None
        if name is not None and name in batch.names:
            ids = np.array(row_texts(batch.column(name)).to_pylist(), dtype=object)[kept]
        features = [self._feature(at, name, batch)[kept] for at, name in enumerate(self._features)]
        self._pieces.append(
            TrainingRows(
                labels=labels[kept],
                groups=self._groups(levels)[kept],
                names=(),
                levels=tuple(one[kept] for one in levels),
                answers=None if answers is None else answers[kept],
                scores=None if scores is None else scores[kept],
                features=np.stack(features, axis=1) if features else np.zeros((int(kept.sum()), 0)),
                kinds=np.zeros(0, np.bool_),
                ids=ids,
                places=self._read + np.flatnonzero(kept),
            )
        )
        self._read += batch.rows

    def rows(self) -> TrainingRows:
        """All that was read.

        Raises:
            OptionError: no row can be used.
        """
        pieces = self._pieces
        if not sum(map(len, pieces)):
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(self._left_out.items()))
            raise OptionError(
                "DATA", got="no row that can be used", expected=f"labelled rows; {reasons or 'it is empty'}"
            )
        groups = np.concatenate([one.groups for one in pieces])
        seen = np.unique(groups)
        names = self._names()
        first = pieces[0]

        def together(of: str) -> Any:
            found = [getattr(one, of) for one in pieces]
            return None if found[0] is None else np.concatenate(found)

        return replace(
            first,
            labels=np.concatenate([one.labels for one in pieces]),
            groups=np.searchsorted(seen, groups),
            names=tuple(names[code] for code in seen.tolist()),
            levels=tuple(np.concatenate(each) for each in zip(*(one.levels for one in pieces), strict=True)),
            answers=together("answers"),
            scores=together("scores"),
            features=_held(np.concatenate([one.features for one in pieces])),
            kinds=np.array(self._kinds, np.bool_),
            ids=together("ids"),
            places=np.concatenate([one.places for one in pieces]),
            left_out=dict(sorted(self._left_out.items())),
        )

    def _answers(self, batch: Batch, sieve: Sieve) -> tuple[Codes | None, Doubles | None]:
        plan, scores = self._plan, None
        if plan.prediction is None:
            return None, None
        if plan.roles.score is not None and plan.roles.score in batch.names:
            scores = column_of(batch, plan.roles.score, "the role score")
            sieve.out(~np.isfinite(scores), NO_ANSWER)
        name = plan.roles.prediction or plan.roles.score or ""
        answers = plan.prediction.codes(batch.column(name, reader="the role prediction")).astype(np.intp)
        sieve.out(answers == NO_OUTCOME, NO_ANSWER)
        return answers, scores

    def _groups(self, levels: Sequence[Codes]) -> Codes:
        """The group of each row: of several facets, each combination is one."""
        found = np.zeros(len(levels[0]), np.intp)
        for at in self._facets:
            places, names = _places(self._plan.facets[at])
            found = found * len(names) + places[levels[at]]
        return found

    def _names(self) -> list[str]:
        names = [""]
        for at in self._facets:
            of = _places(self._plan.facets[at])[1]
            names = [f"{before}, {one}" if before else one for before in names for one in of]
        return names

    def _feature(self, at: int, name: str, batch: Batch) -> Doubles:
        if name not in batch.names:
            return np.full(batch.rows, np.nan)
        array = batch.column(name)
        if column_type(array.type).numeric and not pa.types.is_dictionary(array.type):
            return column_of(batch, name, "a feature")
        self._kinds[at] = True
        codes = self._texts.setdefault(name, {})
        texts = row_texts(array).to_pylist()
        for text in texts:
            if text is not None and text not in codes:
                codes[text] = min(len(codes), MOST_CATEGORIES)
        return np.array([np.nan if text is None else codes[text] for text in texts], np.float64)


def _held(features: Doubles) -> Doubles:
    """Features, with 0 in those that no row has a value of: no tree can be cut there."""
    return np.where(np.isnan(features).all(axis=0), 0.0, features)


def _places(facet: Facet) -> tuple[Codes, list[str]]:
    """The group of each level, and the names of groups; levels that are in none are the others."""
    places = np.full(facet.missing + 1, len(facet.groups), np.intp)
    for at, group in enumerate(facet.groups):
        places[list(group.levels)] = at
    names = [facet.subject(one) for one in facet.groups]
    return places, [*names, f"{facet.column}={OTHERS}"]


def features_of(names: Sequence[str], plan: BiasPlan) -> tuple[str, ...]:
    """The columns that a model may learn from: features, and no facet."""
    facets = {one.column for one in plan.facets}
    return tuple(name for name in names if plan.roles.of(name) is Role.FEATURE and name not in facets)
