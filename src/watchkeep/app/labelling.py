"""Which rows to label, for whoever asks."""

from dataclasses import replace

from watchkeep.app.joining import joined
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.service.answers import QualityLearned
from watchkeep.service.labelling import HALVED, Labelling, plan_labels
from watchkeep.service.learned import Learned
from watchkeep.service.ports import Progress, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.rows import rows_of


def label_plan(
    learned: Learned,
    source: Source,
    roles: Roles,
    *,
    window: Window,
    measure: str,
    share: float = HALVED,
    labels: Source | None = None,
    labels_id: str | None = None,
    progress: Progress | None = None,
) -> Labelling:
    """Choose rows of a window to label, see `plan_labels`.

    Args:
        learned: a baseline of model quality.
        source: the window's rows.
        roles: which column is what, where it is not as the baseline says.
        window: keeps only rows of this time.
        measure: whose band is to become narrower.
        share: how wide the band is to be, as a share of what it is.
        labels: labels that have come, joined by id.
        labels_id: the column of their ids, if it has another name.
        progress: is told how it goes.

    Raises:
        OptionError: the baseline is not of model quality, or the measure has no estimate.
        SourceError: the window cannot be read.
    """
    if not isinstance(learned, QualityLearned):
        raise OptionError("baseline", got=learned.baseline.kind, expected="a baseline of model-quality")
    baseline = learned.baseline
    if roles != Roles():
        baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.roles.under(roles)))
    source = rows_of(source, baseline.roles)
    names = baseline.plan.names or None
    ask = ask_of(source, baseline.roles, positional=names, window=window)
    labelled = None
    if labels is not None:
        both = joined(source, labels, learned, roles, label_id=labels_id)
        labelled = both, ask_of(both, baseline.roles, positional=names, window=window)
    return plan_labels(
        baseline, source, ask, measure=measure, share=share, labelled=labelled, progress=progress
    )
