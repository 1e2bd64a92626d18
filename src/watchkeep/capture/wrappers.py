"""Objects of servers' forms that hold rows under one name, and say nothing else about them."""

from collections.abc import Mapping
from typing import Any, Final

MEMBERS: Final = ("instances", "predictions", "dataframe_records")
"""Under these names lie rows, one each."""
BESIDE: Final = frozenset(
    {"signature_name", "id", "parameters", "params", "model_name", "model_version", "model_spec", "context"}
)
"""What such a body may hold beside its rows."""
SIDES: Final = ("inputs", "outputs")


def is_wrapper(body: Mapping[str, Any], name: str) -> bool:
    """Whether what lies under a name is all that an object has to say: its rows.

    A request of the Open Inference Protocol may list the outputs that it wants; these hold no values.

    >>> is_wrapper({"instances": [1], "age": 3}, "instances")
    False
    >>> is_wrapper({"id": "7", "inputs": [], "outputs": [{"name": "predict_proba"}]}, "inputs")
    True
    """
    others = body.keys() - BESIDE - {name}
    return not others or (name == SIDES[0] and others == {SIDES[1]} and _are_wishes(body[SIDES[1]]))


def _are_wishes(outputs: object) -> bool:
    return isinstance(outputs, list) and all(
        isinstance(one, dict) and "name" in one and one.keys() <= {"name", "parameters"} for one in outputs
    )
