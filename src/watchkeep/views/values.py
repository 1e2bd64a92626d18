"""Values out of a JSON document that may hold anything: the right type, or a harmless default."""

from collections.abc import Mapping
from math import isfinite

from watchkeep.views.words import clip, figure


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is an object of JSON, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Mapping[str, object]]:
    """The objects in the value if it is a list, else none."""
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []


def text(value: object, default: str = "") -> str:
    """The value as text; `default` when there is none."""
    return default if value is None or isinstance(value, Mapping | list) else str(value)


def real(value: object) -> float | None:
    """The value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 and isfinite(value) else None


def whole(value: object) -> int:
    """The value as a count; 0 when it is none."""
    return round(real(value) or 0)


def pairs(value: object, *, most: int = 12) -> tuple[tuple[str, str], ...]:
    """The first entries of an object, both sides as short text."""
    return tuple((clip(str(name), 60), figure(part)) for name, part in list(mapping(value).items())[:most])
