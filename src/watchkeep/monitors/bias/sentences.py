"""What a verdict about bias says, in words."""

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.constraints.judging import Judgement
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import Outcome
from watchkeep.monitors.bias.groups import TITLES
from watchkeep.monitors.model_quality.measures import Sampled


def sentence(constraint: Constraint, one: Sampled, judgement: Judgement) -> str:
    """One sentence on what was decided and why."""
    if isinstance(one.value, Undefined) or judgement.outcome is Outcome.UNDECIDED:
        return f"{constraint.subject}: {judgement.why}"
    scatter = "" if one.error is None else f" ± {one.error:.2g}"
    bound = "at least" if constraint.side is Side.AT_LEAST else "at most"
    before = constraint.evidence.get("baseline")
    then = f"; in the baseline {before:.4g}" if isinstance(before, float) else ""
    why = f" ({judgement.why})" if judgement.why else ""
    title = TITLES.get(constraint.measure, "")
    named = f"{title} ({constraint.measure})" if title else constraint.measure
    allowed = f"{bound} {constraint.limit:.4g} is allowed"
    if constraint.check == checks.BIAS_DRIFT:
        allowed = f"no farther from 0 than {constraint.limit:.4g} is allowed"
    return f"{constraint.subject}: {named} is {one.value:.4g}{scatter}, {allowed}{then}{why}"
