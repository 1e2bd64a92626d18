"""Which rows to label, for whoever asks."""

from dataclasses import replace

from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.service.labelling import Labelling, plan_labels
from watchkeep.service.monitors import AnyLearned, QualityLearned
from watchkeep.service.ports import Progress, Source
from watchkeep.service.reading import ask_of


def label_plan(
    learned: AnyLearned,
    source: Source,
    roles: Roles,
    *,
    window: Window,
    measure: str,
    share: float,
    progress: Progress | None = None,
) -> Labelling:
    """Choose rows of a window to label, see `plan_labels`.

    Raises:
        OptionError: the baseline is not of model quality, or the measure has no estimate.
        SourceError: the window cannot be read.
    """
    if not isinstance(learned, QualityLearned):
        raise OptionError("baseline", got=learned.baseline.kind, expected="a baseline of model-quality")
    baseline = learned.baseline
    if roles != Roles():
        baseline = replace(baseline, plan=replace(baseline.plan, roles=baseline.roles.under(roles)))
    ask = ask_of(source, baseline.roles, window=window)
    return plan_labels(baseline, source, ask, measure=measure, share=share, progress=progress)
