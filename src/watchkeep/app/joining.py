"""Labels that arrive in a source of their own."""

from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.core.errors import OptionError
from watchkeep.frames.roles import Roles
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Source
from watchkeep.service.rows import rows_of


def joined(
    predictions: Source,
    labels: Source,
    learned: Learned,
    roles: Roles,
    *,
    label_id: str | None = None,
    arrival: str | None = None,
) -> JoinedSource:
    """Predictions, each with its label if one has come.

    Args:
        predictions, labels: the two sources.
        learned: the baseline whose roles hold, where `roles` says nothing else.
        roles: which column is what.
        label_id: the column of the ids in `labels`, if it has another name.
        arrival: the column in `labels` of the times when they arrived.

    Raises:
        OptionError: no role says which column holds the ids.
    """
    own = learned.baseline.roles.under(roles)
    if own.id is None:
        raise OptionError(
            "id", got="nothing", expected="the column by which labels are joined to predictions"
        )
    label = own.label or "label"
    return JoinedSource(
        rows_of(predictions, own),
        labels,
        id=own.id,
        label=label,
        label_id=label_id,
        label_name=label,
        arrival=arrival,
    )
