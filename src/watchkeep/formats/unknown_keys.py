"""Keys of a `constraints.json` that nobody reads: they are kept, and a misspelt one limits nothing."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from watchkeep.formats.monitoring import OVERRIDE_KEYS
from watchkeep.formats.quality_statistics import SECTIONS

Schema = Mapping[str, "Schema | None"]
"""The keys that are read of an object, each with those of the object under it; None where any may stand."""

_CONFIG: Final[Schema] = {
    "evaluate_constraints": None,
    "emit_metrics": None,
    "datatype_check_threshold": None,
    "domain_content_threshold": None,
    "distribution_constraints": {
        "enable_comparisons": None,
        "perform_comparison": None,
        "min_domain_mass": None,
        "comparison_threshold": None,
        "comparison_method": None,
        "categorical_comparison_threshold": None,
        "categorical_drift_method": None,
    },
}
_OVERRIDES: Final[Schema] = dict.fromkeys(OVERRIDE_KEYS, _CONFIG)
_FEATURE: Final[Schema] = {
    "name": None,
    "inferred_type": None,
    "completeness": None,
    "num_constraints": {"is_non_negative": None, **_OVERRIDES},
    "string_constraints": {"domains": None, **_OVERRIDES},
    "watchkeep": {"constraints": None},
    **_OVERRIDES,
}
_TOP: Final[Schema] = {
    "version": None,
    "features": _FEATURE,
    "monitoring_config": _CONFIG,
    "watchkeep": {"constraints": None},
}
_ANSWERS: Final[Schema] = {
    "version": None,
    "watchkeep": {"constraints": None},
    **dict.fromkeys((f"{section}_constraints" for section in SECTIONS.values()), None),
}


def unknown_keys(document: Mapping[str, object], *, kind: str, ours: bool) -> list[str]:
    """The keys that limit nothing, for people: where each stands, and which it resembles.

    Args:
        document: `constraints.json`.
        kind: of the baseline. Of bias and attribution nothing is told: most of their files is another tool's.
        ours: whether the file was written by us; of others only keys are told that resemble one that is read.

    >>> told = {"monitoring_config": {"datatype_treshold": 0.9, "comment": "ours"}}
    >>> unknown_keys(told, kind="data-quality", ours=False)
    ["monitoring_config.datatype_treshold (did you mean 'datatype_check_threshold'?)"]
    >>> len(unknown_keys(told, kind="data-quality", ours=True))
    2
    """
    schema = {"data-quality": _TOP, "model-quality": _ANSWERS}.get(kind)
    return [] if schema is None else list(_unknown(document, schema, "", ours))


def _unknown(given: object, schema: Schema, at: str, ours: bool) -> Iterator[str]:
    if isinstance(given, list):
        for place, item in enumerate(given):
            yield from _unknown(item, schema, f"{at}[{place}]", ours)
    if not isinstance(given, Mapping):
        return
    for key, value in given.items():
        where = f"{at}.{key}" if at else str(key)
        if key in schema:
            inner = schema[key]
            if inner is not None:
                yield from _unknown(value, inner, where, ours)
            continue
        near = get_close_matches(str(key), schema, n=1)
        if ours or near:
            yield where + (f" (did you mean {near[0]!r}?)" if near else "")
