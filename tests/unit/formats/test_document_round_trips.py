"""Whatever users or later versions add to a document, and wherever, is written back as it came."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watchkeep.formats import constraints, statistics, violations

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
unknown_keys = st.dictionaries(st.text(max_size=6).map("x-".__add__), anything, max_size=2)
number = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
share = st.sampled_from([0, 1, 0.5, 1.0])
count = st.integers(0, 1000) | st.integers(0, 1000).map(float)
text = st.text(max_size=4)
switch = st.sampled_from(["Enabled", "Disabled", "ENABLED", "disabled", True, False, None])


@st.composite
def salted(
    draw: st.DrawFn, required: dict[str, Any], optional: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An object of known keys, with unknown ones among them, in any order."""
    known = draw(st.fixed_dictionaries(required, optional=optional or {}))
    items = list({**known, **draw(unknown_keys)}.items())
    return dict(draw(st.permutations(items)))


common = salted({"num_present": count, "num_missing": count})
kll = salted(
    {},
    {
        "buckets": st.lists(
            salted({"lower_bound": number, "upper_bound": number, "count": count}), max_size=2
        ),
        "sketch": salted({}, {"data": st.lists(st.lists(number, max_size=3), max_size=2)}),
    },
)
numeric = salted(
    {},
    {
        "common": common,
        "mean": number | st.sampled_from(["NaN", "Infinity", None]),
        "std_dev": number,
        "distribution": salted({}, {"kll": kll}),
    },
)
categorical = salted({}, {"buckets": st.lists(salted({"value": text, "count": count}), max_size=2)})
strings = salted(
    {}, {"common": common, "distinct_count": count, "distribution": salted({}, {"categorical": categorical})}
)
kind = st.sampled_from(["Integral", "Fractional", "String", "Unknown"])


def named(
    optional: dict[str, Any], required: dict[str, Any] | None = None
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Features, each with a name of its own."""
    features = st.lists(salted({"name": text, **(required or {})}, optional), max_size=3)
    return features.map(
        lambda made: [feature | {"name": f"{i}{feature['name']}"} for i, feature in enumerate(made)]
    )


config = salted(
    {},
    {
        "evaluate_constraints": switch,
        "emit_metrics": switch,
        "datatype_check_threshold": share,
        "distribution_constraints": salted(
            {},
            {"comparison_threshold": share, "comparison_method": st.sampled_from(["Simple", "linf_robust"])},
        ),
    },
)
limits = st.lists(
    st.fixed_dictionaries(
        {"measure": text, "at_most": number}, optional={"reason": text, "evidence": unknown_keys}
    ),
    max_size=2,
)
own = salted({}, {"constraints": limits})


@given(
    salted(
        {"dataset": salted({"item_count": count})},
        {
            "version": number,
            "features": named(
                {"numerical_statistics": numeric, "string_statistics": strings, "common": common},
                {"inferred_type": kind},
            ),
        },
    )
)
def test_statistics(document: dict[str, Any]) -> None:
    written = statistics.parse(document).document()

    assert json.dumps(written) == json.dumps(document)  # as text: order, and 330 or 330.0, count too


@given(
    salted(
        {},
        {
            "version": number,
            "monitoring_config": config,
            "watchkeep": own,
            "features": named(
                {
                    "inferred_type": kind,
                    "completeness": share,
                    "num_constraints": salted({}, {"is_non_negative": st.booleans()}),
                    "string_constraints": salted(
                        {}, {"domains": st.lists(text), "monitoring_config_overrides": config}
                    ),
                    "monitoringConfigOverrides": config,
                    "watchkeep": own,
                }
            ),
        },
    )
)
def test_constraints(document: dict[str, Any]) -> None:
    read = constraints.parse(document)

    assert json.dumps(read.document()) == json.dumps(document)
    assert [feature.document() for feature in read.features] == document.get("features", [])


@given(
    salted(
        {
            "violations": st.lists(
                salted(
                    {"constraint_check_type": text, "description": text}, {"feature_name": st.none() | text}
                )
            )
        }
    )
)
def test_violations(document: dict[str, Any]) -> None:
    assert violations.parse(document).document() == document
