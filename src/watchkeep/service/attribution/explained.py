"""Rows of a source explained and summed, and a baseline held to the same way of explaining."""

from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import ModelError, OptionError
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.halves import Explainer
from watchkeep.monitors.attribution.limits import ATTRIBUTION, suggest
from watchkeep.monitors.attribution.measures import attributions, unexplained
from watchkeep.monitors.attribution.plan import ALL, AttributionPlan
from watchkeep.monitors.attribution.scan import AttributionScan, Reading
from watchkeep.profiles.profile import Profile
from watchkeep.service.attribution.captured import CAPTURED, Captured
from watchkeep.service.attribution.captured_rows import CapturedMethod
from watchkeep.service.attribution.curves import LEAST, spread
from watchkeep.service.attribution.explainers import Method, method_of
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.service.attribution.models import Contributions, Model
from watchkeep.service.folding import HERE, Engine, Fold, in_one, itself, nothing_counted
from watchkeep.service.ports import Ask, Progress, Silent, Source

ANEW: Final = 1_000
"""Reference rows that are explained anew, at the most."""
_NO_MODEL: Final = "the model, with --model: a file, an address, module:function, or captured"


class Nobody:
    """Explains no row: the rows of a window are counted though its model does not answer."""

    name: Final = "nothing"
    asked: Final = None

    def affordable(self) -> None:
        """See `Method`."""

    def contributions(self, rows: pa.Table) -> Contributions | None:  # noqa: ARG002 (whatever they are)
        """See `Method`: none."""
        return None


def way_of(model: Model | Captured | None, baseline: AttributionBaseline, options: SampledOptions) -> Method:
    """How rows are explained beside a baseline's.

    Raises:
        OptionError: no model is given.
        ModelError: it reads other features.
    """
    if model is None:
        raise OptionError("model", got="nothing", expected=_NO_MODEL)
    if isinstance(model, Captured):
        return CapturedMethod(model, baseline.plan)
    require_features(model, baseline.plan.features)
    return method_of(model, baseline.background, options)


def scanned(
    scan: AttributionScan,
    source: Source,
    ask: Ask,
    *,
    engine: Engine = HERE,
    progress: Progress | None = None,
    what: str = "Explaining the window",
) -> Profile:
    """The states of a window's rows.

    Raises:
        EmptySourceError: no row is left to explain.
        ModelError: the model does not answer, or cannot use the rows.
        SourceError: the source cannot be read.
    """
    # Where some rows are chosen, only these are explained: later and here, by who may have a budget.
    apart = scan.most == ALL or isinstance(scan.explainer, Reading)
    begin = partial(of_part, scan.plan, scan.explainer if apart else Nobody(), scan.most)
    fold = Fold(begin, itself, in_one)
    scan.merge(engine.fold(source, ask, fold, progress=progress or Silent(), what=what))
    profile = scan.profile()
    if not profile.rows:
        raise nothing_counted(source, ask, profile)
    return profile


def of_part(plan: AttributionPlan, explainer: Explainer, most: int | None, part: int) -> AttributionScan:
    """What reads the rows of a part; see `AttributionScan`."""
    return AttributionScan(plan, explainer, most=most, part=part)


def alike(baseline: AttributionBaseline, method: Method, *, sagemaker: bool) -> AttributionBaseline:
    """The baseline as a method explains it: its kept rows are explained anew where it was made in another way.

    Raises:
        ModelError: the model gives other outputs, does not answer, or cannot use the rows.
    """
    if method.name == baseline.method or baseline.known is not None:
        return baseline
    affordable, kept = method.affordable(), _anew(baseline, method)
    available = kept.num_rows
    if affordable is not None:
        kept = spread(kept, max(1, affordable // 2))
    plan = baseline.plan
    scan = AttributionScan(plan, method, most=kept.num_rows)
    scan.take(kept)
    profile = scan.profile()
    anew = replace(
        baseline,
        profile=Profile(baseline.rows, baseline.rejected, {}, profile.parts),
        expected=tuple((np.zeros(len(plan.labels)) if scan.expected is None else scan.expected).tolist()),
        method=method.name,
        dependence=(),
        notes=few(plan, profile, of=available),
    )
    limits = [one for one in suggest(anew, sagemaker=sagemaker) if one.measure == ATTRIBUTION]
    others = [one for one in baseline.constraints if one.measure != ATTRIBUTION]
    return replace(anew, constraints=(*others, *limits))


def few(plan: AttributionPlan, profile: Profile, *, of: int) -> tuple[str, ...]:
    """What a reader must know where fewer than `LEAST` reference rows were asked about, of more that there are."""
    explained = max((one.rows for one in attributions(plan, profile).values()), default=0)
    if explained + sum(unexplained(profile).values()) >= min(LEAST, of):
        return ()
    rows = "1 reference row was" if explained == 1 else f"{explained} reference rows were"
    why = "mean attributions of so few scatter widely"
    return (f"Only {rows} explained: {why}. A larger --budget, or more --explain-rows, explains more.",)


def _anew(baseline: AttributionBaseline, method: Method) -> pa.Table:
    """The rows of a baseline that can be explained in another way.

    Raises:
        ModelError: there are none, or the other way cannot explain them.
    """
    if method.name == CAPTURED:
        why = (
            f"the baseline was made another way ({baseline.method}), and captured attributions are comparable with"
            " captured ones only; make a baseline with --model captured, or check with the model"
        )
        raise ModelError(CAPTURED, why=why)
    if baseline.kept is None:
        why = f"the baseline was made of {baseline.method} attributions, and holds no rows to explain in another way"
        raise ModelError(method.name, why=why)
    return spread(baseline.kept, ANEW)


def require_features(model: Model, features: tuple[str, ...]) -> None:
    """Check that a model reads what a baseline holds.

    Raises:
        ModelError: it reads other features, or in another order.
    """
    if not model.features or model.features == features:
        return
    missing = [name for name in model.features if name not in features]
    more = [name for name in features if name not in model.features]
    why = f"it reads {len(model.features)} features, the baseline has {len(features)}"
    if missing:
        near = get_close_matches(missing[0], features, n=1)
        why = f"it reads {missing[0]!r}, which the baseline does not have"
        why += f"; did you mean {near[0]!r}?" if near else ""
    elif more:
        why = f"it does not read {more[0]!r}, which the baseline has"
    elif len(model.features) == len(features):
        why = "it reads the baseline's features in another order"
    raise ModelError(model.name, why=why)
