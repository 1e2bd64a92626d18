"""A baseline of attribution out of SageMaker Clarify's `analysis.json` alone."""

from datetime import datetime

import numpy as np

from watchkeep.formats.explanations import Explanations
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.measures import Attributed
from watchkeep.monitors.attribution.plan import AttributionPlan, Place
from watchkeep.profiles.profile import Profile


def foreign_attribution(
    told: Explanations, roles: Roles, *, path: str, created: datetime
) -> AttributionBaseline:
    """The attributions that a file tells; the rows that they are of are not known.

    Args:
        told: the file.
        roles: which column is what; features are those of the file.
        path: where it lies.
        created: when it was written.
    """
    labels = tuple(told.labels)
    features = tuple(told.labels[labels[0]])
    size = len(features)
    plan = AttributionPlan(
        roles=roles,
        features=features,
        labels=labels,
        units=((1.0,) * len(features),) * len(labels),
        dialect=Dialect.SAGEMAKER,
    )
    known = {
        Place(at): Attributed(
            rows=0,
            values=np.array([told.labels[label][name] for name in features]),
            direction=np.zeros(size),
            spread=np.zeros(size),
            covariance=np.zeros((size, size)),
            score=0.0,
        )
        for at, label in enumerate(labels)
    }
    return AttributionBaseline(
        created=created,
        source=path,
        plan=plan,
        profile=Profile(),
        expected=tuple(told.expected[label] or 0.0 for label in labels),
        known=known,
    )
