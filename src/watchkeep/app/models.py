"""Models that are explained: opened from what people call them, and fitted to a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeep.adapters.models.endpoint import EndpointOptions
from watchkeep.adapters.models.held import held_model
from watchkeep.adapters.models.opening import open_model
from watchkeep.core.errors import OptionError
from watchkeep.service.attribution.captured import Captured
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.attribution.models import Model
from watchkeep.service.learned import Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What a user may say of a model.

    Args:
        trust: whether files that run code when they are opened (pickles) may be.
        endpoint: how an address is asked.
        explain: how features are sampled where a model's library cannot explain by itself.
    """

    trust: bool = False
    endpoint: EndpointOptions = EndpointOptions()  # noqa: RUF009 (it never changes)
    explain: SampledOptions = SampledOptions()  # noqa: RUF009 (it never changes)


def model_of(spec: object, options: ModelOptions, *, features: Sequence[str] = ()) -> Model | Captured:
    """A model by what people call it; a model itself is given back.

    Args:
        spec: a path, an address, "module:function", "captured" (attributions that came with the rows), an estimator,
            a booster or a function in memory, or a `Model`.
        options: how it is opened and asked.
        features: the columns it reads, in order, where it does not know them itself.

    Raises:
        ModelError: it cannot be opened.
        OptionError: it may not be.
    """
    if isinstance(spec, Model | Captured):
        return spec
    if not isinstance(spec, str | Path):
        return held_model(spec, tuple(features))
    spec = str(spec)
    captured = Captured.of(spec)
    if captured is not None:
        return captured
    return open_model(spec, trust=options.trust, features=tuple(features), endpoint=options.endpoint)


def with_model(learned: Learned, spec: object, options: ModelOptions) -> Learned:
    """A baseline whose windows a model explains.

    Raises:
        ModelError: it cannot be opened.
        OptionError: the baseline is not of attribution.
    """
    if spec is None:
        return learned
    if not isinstance(learned, AttributionLearned):
        kind = learned.baseline.kind
        raise OptionError(
            "model", got=str(spec), expected=f"a baseline of attribution; this one is of {kind}"
        )
    model = model_of(spec, options, features=learned.baseline.plan.features)
    known, own = learned.baseline, learned.baseline.plan.features
    if known.known is not None and model.features != own and sorted(model.features) == sorted(own):
        learned = replace(learned, baseline=known.in_order(tuple(model.features)))
    return replace(learned, model=model, options=options.explain)
