"""Models that a program holds already: a function, a booster, an estimator."""

from collections.abc import Callable
from typing import Any

from watchkeep.adapters.models.estimators import model_of
from watchkeep.adapters.models.function import Function
from watchkeep.core.errors import OptionError
from watchkeep.service.attribution.models import Model


def held_model(held: object, features: tuple[str, ...] = ()) -> Model:
    """A model in memory: what `predict` of an estimator or booster gives, or what a function returns.

    Args:
        held: an estimator of scikit-learn, a booster of LightGBM or XGBoost, or a function; see `Function`.
        features: the columns it reads, in order, where it does not know them itself.

    Raises:
        ModelError: its library, or its kind, cannot be used.
        OptionError: it is none of these.
    """
    if hasattr(held, "predict"):
        return model_of(held, f"a {type(held).__name__}", features, ())
    if not callable(held):
        expected = (
            "a path, an address, 'module:function', an estimator, a function, or an object with `scores`"
        )
        raise OptionError("model", got=f"a {type(held).__name__}", expected=expected)
    call: Callable[[Any], object] = held
    labels = tuple(str(each) for each in getattr(held, "labels", ()))
    name = getattr(held, "__qualname__", type(held).__name__)
    return Function(name, call, features or tuple(getattr(held, "features", ())), labels)
