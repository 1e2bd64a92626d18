"""A baseline of bias made by SageMaker: nothing but `analysis.json`."""

from dataclasses import replace
from datetime import datetime

from watchkeep.core.errors import BaselineError
from watchkeep.core.undefined import Value
from watchkeep.formats.bias_analysis import Analysis, facet_of, positive_of, subject_of
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import BiasScan


def foreign_bias(told: Analysis, roles: Roles, *, path: str, created: datetime) -> BiasBaseline:
    """A baseline as far as the document tells it: its measures, no rows.

    Args:
        told: the document.
        roles: which column holds the answers; the document does not say. A score is positive above 0.5.
        path: where it lies.
        created: when it was written.

    Raises:
        BaselineError: it names no facet, or no positive label.
    """
    if not told.facets:
        raise BaselineError(path, why="it tells of no facet")
    facets = tuple(facet_of(column, list(groups)) for column, groups in told.facets.items())
    if told.positive is None:
        raise BaselineError(path, why="it does not say which label is positive (label_value_or_threshold)")
    positive = positive_of(told.positive)
    plan = BiasPlan(
        roles=replace(
            roles if roles.label is not None or told.label is None else replace(roles, label=told.label),
            facets={facet.column: () for facet in facets},
        ),
        facets=facets,
        label=positive,
        prediction=prediction_of(roles, positive),
        dialect=Dialect.SAGEMAKER,
    )
    known: dict[tuple[str, str], Value] = {}
    for facet in facets:
        for text, metrics in told.facets[facet.column].items():
            subject = subject_of(facet, text) or f"{facet.column}={text}"
            known |= {(subject, name): value for name, value in metrics.items()}
    return BiasBaseline(
        created=created, source=path, plan=plan, profile=BiasScan(plan).profile(), known=known
    )


def prediction_of(roles: Roles, positive: Positive) -> Positive | None:
    """What counts as a positive answer, where the labels' positive is known; None without a column of answers."""
    if roles.prediction is not None:
        return positive
    return None if roles.score is None else Positive(threshold=0.5)
