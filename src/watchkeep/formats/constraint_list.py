"""Constraints as the list the monitors judge, from and to a `constraints.json`.

What SageMaker's schema has a key for is kept there and nowhere else: type, completeness, domain, non-negativity,
drift. Everything else stands under our own key. So a limit edited by hand is the limit that is judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.errors import OptionError
from watchkeep.core.verdicts import DATASET
from watchkeep.formats.constraints import (
    DOCUMENT,
    Constraints,
    FeatureConstraints,
    Limit,
    build,
    feature_constraints,
)
from watchkeep.formats.monitoring import CategoricalMethod, ComparisonMethod, MonitoringConfig
from watchkeep.formats.places import InferredType
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.measures.index import BY_NAME
from watchkeep.monitors.data_quality.dataset import NAMES as OF_DATASET
from watchkeep.states.frequencies import Frequencies

_STANDARD = (checks.COMPLETENESS, checks.CATEGORIES, checks.NON_NEGATIVE)
_HAND = "written by hand"


def inferred_type(kind: ColumnType) -> InferredType:
    """The type as SageMaker's files spell it: they know four."""
    if kind.numeric or kind is ColumnType.UNKNOWN:
        return InferredType(str(kind))
    return InferredType.STRING


def to_document(
    columns: Sequence[BaselineColumn], suggested: Sequence[Constraint], dialect: Dialect
) -> Constraints:
    """The `constraints.json` of suggested constraints.

    In SageMaker's dialects it holds what SageMaker's own suggestion holds, and no key of ours.
    """
    by_subject: dict[str, list[Constraint]] = {}
    for constraint in suggested:
        by_subject.setdefault(constraint.subject, []).append(constraint)
    features = [
        _feature(column, by_subject.get(column.name, []), dialect)
        for column in columns
        if column.role is not Role.IGNORED
    ]
    ours = [] if dialect.sagemaker else [_limit(one) for one in by_subject.get(DATASET, [])]
    return build(features, limits=ours)


def _feature(column: BaselineColumn, suggested: Sequence[Constraint], dialect: Dialect) -> FeatureConstraints:
    by_check = {constraint.check: constraint for constraint in suggested}
    completeness = by_check.get(checks.COMPLETENESS)
    domain = by_check.get(checks.CATEGORIES)
    presence = column.presence
    observed = presence.present / presence.rows if presence.rows else None
    suggested_share = observed if completeness is None else completeness.limit
    limits = [
        _limit(one)
        for one in suggested
        if one.check not in _STANDARD and not (one.check == checks.DATA_TYPE and one.limit == 1.0)
    ]
    return feature_constraints(
        column.name,
        inferred_type(column.type),
        completeness=observed if dialect.sagemaker else suggested_share,
        is_non_negative=checks.NON_NEGATIVE in by_check if column.type.numeric and presence.present else None,
        domains=None if domain is None or column.type is not ColumnType.STRING else domain.domain,
        limits=() if dialect.sagemaker else limits,
    )


def _limit(constraint: Constraint) -> Limit:
    limit = Limit(measure=constraint.measure)
    if constraint.side is Side.AT_LEAST:
        limit["at_least"] = constraint.limit
    else:
        limit["at_most"] = constraint.limit
    limit["rule"], limit["reason"] = constraint.rule, constraint.reason
    limit["evidence"] = dict(constraint.evidence)
    return limit


def to_constraints(
    document: Constraints,
    columns: Sequence[BaselineColumn],
    dialect: Dialect,
    suggested: Mapping[tuple[str, str, str, str], Constraint] | None = None,
    *,
    name: str = DOCUMENT,
) -> tuple[Constraint, ...]:
    """The constraints a `constraints.json` asks for, in the order of the columns, then those of the dataset.

    Args:
        document: the file, edited or not.
        columns: the baseline's columns. A feature that is none of them is passed over: there is nothing to judge.
        dialect: whose rules apply. SageMaker's judge no limit of ours and no sign.
        suggested: what the baseline suggested, by key, for the reasons the standard keys cannot hold.
        name: what errors call the file.

    Raises:
        OptionError: a limit of ours is on a measure that there is not.
    """
    known = {column.name: column for column in columns}
    found: list[Constraint] = []
    for feature in document.features:
        column = known.get(feature.name)
        config = replace(document.config, **feature.settings)
        if column is not None and config.evaluate_constraints:
            found += _of_feature(feature, column, config, dialect, name)
    if not dialect.sagemaker and document.config.evaluate_constraints:
        found += [_ours(limit, DATASET, name) for limit in document.limits]
    return tuple(_with_reason(constraint, suggested or {}) for constraint in found)


def _of_feature(
    feature: FeatureConstraints,
    column: BaselineColumn,
    config: MonitoringConfig,
    dialect: Dialect,
    name: str,
) -> Iterator[Constraint]:
    ours = [] if dialect.sagemaker else [_ours(limit, feature.name, name) for limit in feature.limits]
    taken = {constraint.measure for constraint in ours}

    def limit(
        check: str, measure: str, side: Side, bound: float, domain: tuple[str, ...] | None = None
    ) -> Constraint:
        return Constraint(
            check=check, measure=measure, subject=feature.name, side=side, limit=bound, domain=domain
        )

    typed = (
        feature.inferred_type not in (None, InferredType.UNKNOWN) and column.type is not ColumnType.UNKNOWN
    )
    if typed and "type_match" not in taken and not column.role.identifies:
        yield limit(checks.DATA_TYPE, "type_match", Side.AT_LEAST, config.datatype_check_threshold)
    if feature.completeness is not None:
        yield limit(checks.COMPLETENESS, "completeness", Side.AT_LEAST, feature.completeness)
    if feature.domains is not None and column.part("categories", Frequencies) is not None:
        threshold = config.domain_content_threshold
        yield limit(checks.CATEGORIES, "domain_match", Side.AT_LEAST, threshold, feature.domains)
    if feature.is_non_negative and column.type.numeric and not dialect.sagemaker:
        yield limit(checks.NON_NEGATIVE, "negative", Side.AT_MOST, 0.0)
    if config.perform_comparison and not column.role.identifies and column.role is not Role.TIMESTAMP:
        yield from _drift(feature.name, column, config, dialect)
    yield from ours


def _drift(
    name: str, column: BaselineColumn, config: MonitoringConfig, dialect: Dialect
) -> Iterator[Constraint]:
    robust = config.comparison_method is ComparisonMethod.ROBUST
    measure, side, bound = "ks", Side.AT_MOST, config.comparison_threshold
    if column.type.categorical:
        measure, bound = "linf", config.categorical_threshold
        if config.categorical_drift_method is CategoricalMethod.CHI_SQUARED:
            measure, side = "chi2_p", Side.AT_LEAST
        elif dialect.sagemaker and robust:
            measure = "linf_robust"
        listed = column.part("categories", Frequencies)
        if listed is None or (dialect.sagemaker and not listed.exact):
            return
    elif column.type.numeric:
        if dialect.sagemaker:
            measure = "linf_robust" if robust else "linf"
    else:
        return
    yield Constraint(check=checks.DRIFT, measure=measure, subject=name, side=side, limit=bound)


def _ours(limit: Limit, subject: str, name: str) -> Constraint:
    side = Side.AT_LEAST if "at_least" in limit else Side.AT_MOST
    measure = limit["measure"]
    known = (*BY_NAME, *OF_DATASET)
    if measure not in known:
        about = f"{name}: a limit of {subject!r}"
        raise OptionError(about, got=measure, expected="the name of a measure", choices=known)
    check = checks.OF_MEASURE.get(measure, checks.LIMIT)
    if limit.get("rule") == "RetainNorm":
        check = checks.EMBEDDING_NORM
    return Constraint(
        check=check,
        measure=measure,
        subject=subject,
        side=side,
        limit=limit["at_least"] if side is Side.AT_LEAST else limit["at_most"],
        rule=limit.get("rule", _HAND),
        reason=limit.get("reason", ""),
        evidence=limit.get("evidence", {}),
    )


def _with_reason(
    constraint: Constraint, suggested: Mapping[tuple[str, str, str, str], Constraint]
) -> Constraint:
    origin = suggested.get(constraint.key)
    if constraint.reason or constraint.rule != _HAND:
        return constraint
    if constraint.check == checks.DRIFT:
        reason = "the file's comparison_threshold applies to every column"
        return replace(constraint, rule="ComparisonThreshold", reason=reason)
    if origin is not None and (origin.limit == constraint.limit or constraint.check == checks.CATEGORIES):
        return replace(constraint, rule=origin.rule, reason=origin.reason, evidence=origin.evidence)
    return constraint


def retyped(baseline: Baseline, document: Constraints) -> tuple[BaselineColumn, ...]:
    """The columns with a type changed by hand between Integral and Fractional."""
    wanted = {feature.name: feature.inferred_type for feature in document.features}
    numeric = (InferredType.INTEGRAL, InferredType.FRACTIONAL)
    return tuple(
        replace(column, type=ColumnType(str(wanted[column.name])))
        if column.type.numeric and wanted.get(column.name) in numeric
        else column
        for column in baseline.columns
    )
