"""From counts to measures of bias of every group, each with its standard error."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.outcomes import NEGATIVE, NO_OUTCOME, POSITIVE
from watchkeep.monitors.bias.groups import CALIBRATION, DISPARITIES, FLIP_TEST, GroupBias, Ratio
from watchkeep.monitors.bias.plan import BiasPlan, Crossing
from watchkeep.monitors.bias.scan import SAMPLE, SCORES, STRATA, SUMS, TABLE
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile
from watchkeep.states.rows import RowSample
from watchkeep.states.totals import Totals
from watchkeep.stats.bias import MEASURES, BiasMeasure, conditional_disparity, disparities
from watchkeep.stats.bias_formulas import Outcomes, Over
from watchkeep.stats.cell_bootstrap import redrawn
from watchkeep.stats.flip_test import MOST, WHOLE, flip_test

Doubles = npt.NDArray[np.float64]

BRIEF: Final = ("CI", "DPL", "DPPL", "DI", "AD", "RD", "SD")
"""The measures of crossings that have many groups."""
MANY: Final = 32
REPLICATES: Final = 200
"""Of the bootstrap."""
_SEED: Final = 2021
_USUAL: Final = 0.5  # share of replicates that must have a value for their scatter to be one
_HELD: Final = {
    "rows": np.array([True, False, False, False]),
    "labels": np.array([True, False, True, False]),
    "predictions": np.array([True, True, False, False]),
    "both": np.ones(4, np.bool_),
}
"""The cells that a measure of each kind has: tn, fp, fn, tp."""
_NULL: Final = 2 / 3  # weight of the variance that unchanged rates would have, see `GroupBias.noise`


def biases(
    plan: BiasPlan, profile: Profile, *, reference: Profile | None = None, replicates: int = REPLICATES
) -> tuple[GroupBias, ...]:
    """The measures of every group: of each facet, then of crossings.

    Args:
        plan: how the rows were counted.
        profile: what was counted.
        reference: what was counted of the rows that these are judged beside, for `GroupBias.noise`.
        replicates: of the bootstrap; with 0 there are no standard errors.
    """
    found: list[GroupBias] = []
    for place in plan.places:
        found += _Groups(plan, place, profile, reference, replicates).found()
    return tuple(found)


class _Groups:
    """The groups of a facet or of a crossing, all at once: the first axis of tables is theirs."""

    def __init__(
        self,
        plan: BiasPlan,
        place: int | Crossing,
        profile: Profile,
        reference: Profile | None,
        replicates: int,
    ) -> None:
        self.plan, self.place, self.profile = plan, place, profile
        self.subject, self.groups = plan.subject(place), plan.groups(place)
        self.sagemaker = plan.dialect.sagemaker
        members = np.zeros((len(self.groups), plan.levels(place)))
        for at, group in enumerate(self.groups):
            members[at, list(group.levels)] = 1.0
        self.members = members
        tables = self._part(TABLE, profile)
        assert tables is not None  # noqa: S101 (every scan counts it)
        self.tables = tables
        self.weights = tables[1 if len(tables) > 1 else 0]
        self.d, self.a = self.split(self.weights)
        enough = replicates and tables[0].sum() >= 2
        self.replicates = replicates if enough else 0
        before = None if reference is None else self._part(TABLE, reference)
        self.before = None if before is None else before[1 if len(before) > 1 else 0]
        self.then = None if self.before is None else self.split(self.before)
        self.brief = isinstance(place, Crossing) and len(self.groups) > MANY

    def found(self) -> list[GroupBias]:
        """All measures of all groups."""
        rows, missing = self.members @ self.tables[0].sum(axis=(1, 2)), int(self.tables[0][-1].sum())
        every = int(self.tables[0].sum()) - missing
        measures: list[dict[str, Sampled]] = [{} for _ in self.groups]
        noise: list[dict[str, float | None]] = [{} for _ in self.groups]
        among: list[dict[str, int]] = [{} for _ in self.groups]
        worth = self._worth()
        for name, measure in MEASURES.items():
            if not self.plan.tells(measure.needs) or (self.brief and name not in BRIEF):
                continue
            errors = self._scatter(measure, self.weights)
            expected = [None] * len(errors) if self.before is None else self._scatter(measure, self.before)
            mine, others = _outcomes(self.d, measure), _outcomes(self.a, measure)
            for at in range(len(self.groups)):
                value = measure.of(_one(mine, at), _one(others, at), sagemaker=self.sagemaker)
                error = None if isinstance(value, Undefined) else errors[at]
                measures[at][name] = Sampled(value, error)
                noise[at][name] = _mixed(error, expected[at])
                sides = _among(mine, measure, at), _among(others, measure, at)
                fewer = sum(sides) if name == "CI" else min(sides)  # which is a share of them all
                among[at][name] = round(fewer * worth)
        self._disparities(measures, noise, among)
        self._calibration(measures, noise, among)
        self._flips(measures, noise, among)
        return [
            GroupBias(
                self.plan.subjects(self.place)[at],
                self.subject,
                group.name,
                int(rows[at]),
                every - int(rows[at]),
                missing,
                measures[at],
                isinstance(self.place, Crossing),
                not self.tables[0][:, :NO_OUTCOME].any(),
                among[at],
                noise[at],
                self._ratios(at),
            )
            for at, group in enumerate(self.groups)
        ]

    def _ratios(self, at: int) -> dict[str, Ratio]:
        """What DI and EOR are made of."""
        if self.plan.prediction is None:
            return {}
        found = {}
        accepted = [
            self._share(at, MEASURES["DI"], lambda one: (one.accepted, one.rows), side) for side in (0, 1)
        ]
        found["DI"] = Ratio(accepted[1][0], accepted[0][1], accepted[1][1])
        pairs = []
        for counts in (lambda one: (one.tp, one.positives), lambda one: (one.fp, one.negatives)):
            sides = sorted(self._share(at, MEASURES["EOR"], counts, side) for side in (0, 1))
            pairs.append((sides[0][0] / max(sides[1][0], 1e-300), sides))
        (below, below_variance), above_variance = min(pairs)[1][1], min(pairs)[1][0][1]
        found["EOR"] = Ratio(below, above_variance, below_variance)
        return found

    def _share(
        self, at: int, measure: BiasMeasure, counts: Callable[[Outcomes], tuple[Doubles, Doubles]], side: int
    ) -> tuple[float, float]:
        """A share of one side, 0 for d and 1 for a, and its variance."""
        rows = [self.d, self.a][side]
        positive, n = (float(one[at]) for one in counts(_outcomes(rows, measure)))
        then, m = positive, n
        if self.then is not None:
            then, m = (float(one[at]) for one in counts(_outcomes(self.then[side], measure)))
        n, positive = n * self._worth(), positive * self._worth()
        own, known = (positive + 0.5) / (n + 1), (then + 0.5) / (m + 1)
        variance = (_NULL * known * (1 - known) + (1 - _NULL) * own * (1 - own)) / max(n, 1e-300)
        return (positive / n if n > 0 else 0.0), variance

    def split(self, table: Doubles) -> tuple[Doubles, Doubles]:
        """Outcomes of groups, and of all other rows that have a value, shape (..., groups, 3, 3) each."""
        return self._split(table, axis=-3)

    def _split(self, table: Doubles, *, axis: int) -> tuple[Doubles, Doubles]:
        levels = np.moveaxis(table, axis, -1)
        d = levels @ self.members.T
        a = levels[..., :-1].sum(axis=-1, keepdims=True) - d
        return np.moveaxis(d, -1, axis), np.moveaxis(a, -1, axis)

    def _part(self, part: str, profile: Profile) -> Doubles | None:
        state = profile.part(self.subject, part, Totals)
        return None if state is None else state.values

    def _scatter(self, measure: BiasMeasure, known: Doubles) -> list[float | None]:
        """Errors of groups as large as these are.

        Half a row is added to each cell: cells that happen to be empty scatter too.

        Args:
            measure: whose.
            known: a table whose shares of outcomes the groups are to have: their own, or the reference's.
        """
        if not self.replicates or known.sum() <= 0:
            return [None] * len(self.groups)
        before = [_outcomes(each, measure) for each in self.split(known)]
        now = [_outcomes(each, measure) for each in (self.d, self.a)]
        worth = self._worth()
        if measure.name == "CI":
            share = (before[0].rows + 0.5) / (before[0].rows + before[1].rows + 1)
            rows = (now[0].rows + now[1].rows) * worth
            return [
                2 * float((s * (1 - s) / n) ** 0.5) if n > 0 else None
                for s, n in zip(share, rows, strict=True)
            ]
        rng = np.random.default_rng(_SEED)
        sides = []
        for then, mine in zip(before, now, strict=True):
            cells = np.stack([then.tn, then.fp, then.fn, then.tp], axis=-1) * worth
            used = np.stack([mine.tn, mine.fp, mine.fn, mine.tp], axis=-1).sum(axis=-1) * worth
            smooth = np.where(_HELD[measure.needs], cells + 0.5, 0.0)
            means = smooth / smooth.sum(axis=-1, keepdims=True) * used[:, None]
            again = rng.poisson(means, (self.replicates, *means.shape)).astype(np.float64)
            sides.append(Outcomes(*np.moveaxis(again, -1, 0)))
        over = Over(sagemaker=self.sagemaker)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _scatters(measure.formula(sides[0], sides[1], over))

    def _worth(self) -> float:
        """What a unit of weight is worth in rows of equal weight."""
        squares = float(self.tables[2].sum()) if len(self.tables) > 1 else 0.0
        return float(self.weights.sum()) / squares if squares > 0 else 1.0

    def _disparities(
        self,
        measures: list[dict[str, Sampled]],
        noise: list[dict[str, float | None]],
        among: list[dict[str, int]],
    ) -> None:
        """CDDL and CDDPL."""
        strata = self._part(STRATA, self.profile)
        if strata is None or self.brief:
            return
        strata = strata * self._worth()  # as rows of equal weight, which it is drawn as
        drawn = (
            np.stack(list(redrawn(strata[None], self.replicates, seed=_SEED))) if self.replicates else None
        )
        for name, axis in DISPARITIES.items():
            if not self.plan.tells("labels" if name == "CDDL" else "predictions"):
                continue
            tables = self._by_outcome(strata, axis)
            errors: list[float | None] = [None] * len(self.groups)
            if drawn is not None:
                errors = _scatters(disparities(self._by_outcome(drawn, axis), sagemaker=self.sagemaker))
            for at, table in enumerate(tables):
                value = conditional_disparity(table, name=name, sagemaker=self.sagemaker)
                measures[at][name] = Sampled(value, None if isinstance(value, Undefined) else errors[at])
                noise[at][name] = measures[at][name].error
                among[at][name] = int(table.sum(axis=(0, 2)).min())

    def _by_outcome(self, strata: Doubles, axis: int) -> Doubles:
        """Rows by group, stratum, d or a, and outcome, shape (..., groups, strata, 2, 2)."""
        sides = [each.sum(axis=axis)[..., :NO_OUTCOME] for each in reversed(self._split(strata, axis=-3))]
        return np.swapaxes(np.stack(sides, axis=-2), -4, -3)

    def _calibration(
        self,
        measures: list[dict[str, Sampled]],
        noise: list[dict[str, float | None]],
        among: list[dict[str, int]],
    ) -> None:
        """CG: by how much more the scores of d exceed what came true than those of a do."""
        sums, placed = self._part(SUMS, self.profile), self._part(SCORES, self.profile)
        if sums is None or placed is None or not self.plan.tells("both"):
            return
        rows, worth = placed.sum(axis=(1, 3))[:, :NO_OUTCOME], self._worth()  # by level and label
        sides = []
        for held, told in zip(
            self._split(rows, axis=0), self._split(sums[:, :NO_OUTCOME], axis=0), strict=True
        ):
            n = held.sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                gap = (told[:, :, 0].sum(axis=1) - held[:, POSITIVE]) / n
                square = (told[:, :, 1].sum(axis=1) - 2 * told[:, POSITIVE, 0] + held[:, POSITIVE]) / n
                sides.append((n * worth, gap, np.maximum(0.0, square - gap**2) / (n * worth)))
        (n_d, gap_d, variance_d), (n_a, gap_a, variance_a) = sides
        for at in range(len(self.groups)):
            fewer = min(n_d[at], n_a[at])
            among[at][CALIBRATION] = round(float(fewer))
            if fewer <= 0:
                whose = "the group" if n_d[at] <= 0 else "the others"
                measures[at][CALIBRATION] = Sampled(Undefined(f"CG needs 1 labelled row of {whose}, has 0"))
                continue
            error = float((variance_d[at] + variance_a[at]) ** 0.5)
            measures[at][CALIBRATION] = Sampled(float(gap_d[at] - gap_a[at]), error)
            noise[at][CALIBRATION] = error

    def _flips(
        self,
        measures: list[dict[str, Sampled]],
        noise: list[dict[str, float | None]],
        among: list[dict[str, int]],
    ) -> None:
        """FT, of the groups of facets: those of crossings are too many and too small."""
        sample = self.profile.part(DATASET, SAMPLE, RowSample)
        if sample is None or isinstance(self.place, Crossing):
            return
        first = len(self.plan.facets)
        whole = sample.values[~np.isnan(sample.values).any(axis=1)]
        levels, positive = whole[:, self.place], whole[:, first] == POSITIVE
        others = [name != self.subject for name in self.plan.features]
        features = whole[:, first + 1 :][:, others]
        held = levels < self.plan.facets[self.place].missing
        for at, group in enumerate(self.groups):
            d = np.isin(levels, group.levels)
            a = held & ~d
            value, error = flip_test(
                features[d],
                positive[d],
                features[a],
                positive[a],
                neighbours=self.plan.neighbours,
                most=WHOLE if self.sagemaker else MOST,
            )
            measures[at][FLIP_TEST] = Sampled(value, error)
            noise[at][FLIP_TEST] = error
            among[at][FLIP_TEST] = int(min(d.sum(), a.sum()))


def _scatters(again: Doubles) -> list[float | None]:
    """The standard deviations of replicates, shape (replicates, groups); None where too few of them have a value."""
    found: list[float | None] = []
    for column in again.T:
        finite = column[np.isfinite(column)]
        usual = len(finite) > max(1, _USUAL * len(column))
        found.append(float(np.std(finite, ddof=1)) if usual else None)
    return found


def _mixed(error: float | None, expected: float | None) -> float | None:
    if error is None or expected is None:
        return error
    return float((_NULL * expected**2 + (1 - _NULL) * error**2) ** 0.5)


def _one(outcomes: Outcomes, at: int) -> Outcomes:
    return Outcomes(outcomes.tn[at], outcomes.fp[at], outcomes.fn[at], outcomes.tp[at])


def _among(outcomes: Outcomes, measure: BiasMeasure, at: int) -> float:
    rows: Doubles = getattr(outcomes, measure.among)
    return float(rows[at])


def _outcomes(table: Doubles, measure: BiasMeasure) -> Outcomes:
    """The rows that a measure is about: those with a label, with a prediction, or with both."""
    if measure.needs == "both":
        return Outcomes.of(table[..., :NO_OUTCOME, :NO_OUTCOME])
    none = np.zeros(table.shape[:-2])
    if measure.needs == "rows":
        return Outcomes(table.sum(axis=(-2, -1)), none, none, none)
    if measure.needs == "labels":
        labels = table.sum(axis=-1)
        return Outcomes(labels[..., NEGATIVE], none, labels[..., POSITIVE], none)
    predictions = table.sum(axis=-2)
    return Outcomes(predictions[..., NEGATIVE], predictions[..., POSITIVE], none, none)
