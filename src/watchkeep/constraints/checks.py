"""The names of the checks, as violation files spell them."""

from types import MappingProxyType
from typing import Final

DATA_TYPE: Final = "data_type_check"
COMPLETENESS: Final = "completeness_check"
CATEGORIES: Final = "categorical_values_check"
DRIFT: Final = "baseline_drift_check"
MISSING_COLUMN: Final = "missing_column_check"
EXTRA_COLUMN: Final = "extra_column_check"
SAGEMAKER: Final = (DATA_TYPE, COMPLETENESS, CATEGORIES, DRIFT, MISSING_COLUMN, EXTRA_COLUMN)
"""The six that SageMaker knows."""

RANGE: Final = "range_check"
NEW_CATEGORY: Final = "new_category_check"
UNIQUENESS: Final = "uniqueness_check"
NON_NEGATIVE: Final = "non_negative_check"
FINITE: Final = "finite_check"
CONSTANT: Final = "constant_check"
EMBEDDING_NORM: Final = "embedding_norm_check"
DIMENSION: Final = "dimension_check"
ROW_VOLUME: Final = "row_volume_check"
FRESHNESS: Final = "freshness_check"
JOINT_DRIFT: Final = "joint_drift_check"
REJECTED: Final = "rejected_rows_check"
DAMAGED_FILES: Final = "damaged_files_check"
"""Whether so much of the source could be read that something can be said of it."""
LESS_THAN: Final = "LessThanThreshold"
"""Model quality as SageMaker spells it: a measure may not be less than its limit."""
GREATER_THAN: Final = "GreaterThanThreshold"
"""The same: a measure may not be greater."""
CONCEPT_DRIFT: Final = "concept_drift_check"
"""Realised quality beyond what answers and features lead to expect."""
BIAS: Final = "bias_check"
"""How differently groups are treated, against a range."""
BIAS_DRIFT: Final = "bias_drift_check"
"""The same as SageMaker has it: a measure may not be farther from 0 than in the baseline."""
ATTRIBUTION_DRIFT: Final = "feature_attribution_drift_check"
"""The order of features by attribution, as SageMaker spells it."""
FEATURE_ATTRIBUTION: Final = "feature_attribution_check"
"""The attribution of one feature, against a range around the baseline's."""
OF_ATTRIBUTION: Final = frozenset({ATTRIBUTION_DRIFT, FEATURE_ATTRIBUTION})
"""The checks of what answers rest on."""
LIMIT: Final = "limit_check"
"""A limit on any other measure, written by hand."""

OF_MEASURE: Final = MappingProxyType(
    {
        "type_match": DATA_TYPE,
        "completeness": COMPLETENESS,
        "domain_match": NEW_CATEGORY,
        "out_of_range": RANGE,
        "uniqueness": UNIQUENESS,
        "negative": NON_NEGATIVE,
        "infinite": FINITE,
        "distinct": CONSTANT,
        "dimension_match": DIMENSION,
        "row_count": ROW_VOLUME,
        "rows_per_day": ROW_VOLUME,
        "freshness": FRESHNESS,
        "mmd": JOINT_DRIFT,
        "rejected": REJECTED,
    }
)
"""The check a limit of ours belongs to, by measure."""
DISTANCES: Final = frozenset({"ks", "linf", "linf_robust", "js", "hellinger", "tv"})
"""Measures in [0, 1] that grow with the distance from the baseline, by chance too in small windows."""
SHARES: Final = frozenset(
    {
        "completeness",
        "type_match",
        "domain_match",
        "out_of_range",
        "negative",
        "infinite",
        "outliers",
        "dimension_match",
        "rejected",
        "new_values",
    }
)
"""Measures that are a share of rows."""
EVERY: Final = (
    *SAGEMAKER,
    RANGE,
    NEW_CATEGORY,
    UNIQUENESS,
    NON_NEGATIVE,
    FINITE,
    CONSTANT,
    EMBEDDING_NORM,
    DIMENSION,
    ROW_VOLUME,
    FRESHNESS,
    JOINT_DRIFT,
    REJECTED,
    DAMAGED_FILES,
    LESS_THAN,
    GREATER_THAN,
    CONCEPT_DRIFT,
    BIAS,
    BIAS_DRIFT,
    ATTRIBUTION_DRIFT,
    FEATURE_ATTRIBUTION,
    LIMIT,
)
"""Every check there is."""
