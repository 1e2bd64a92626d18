"""A measure meets its limit: what is decided, and by what margin.

In our own dialect a limit passed is not yet a violation: it has to be passed by more than the two samples differ
by chance. Shares of rows are held against the exact tail of a negative binomial law, distances against the
Dvoretzky-Kiefer-Wolfowitz bound, tests bring their own probability. What is too small a sample to ever show a
violation is undecided.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeep.constraints.checks import DISTANCES, SHARES
from watchkeep.constraints.constraint import Constraint, Side, Sizes
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Fault, Undefined, Value
from watchkeep.core.verdicts import Outcome, Verdict
from watchkeep.stats.distances import critical_c, noise
from watchkeep.stats.normal import upper_quantile
from watchkeep.stats.tails import rare_count

MOST_SEVERE = 100.0
JOINT = "mmd"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided about one constraint.

    Args:
        outcome: the decision.
        why: the clause that tells why, where it is not plain from value and limit.
        evidence: the numbers it rests on.
        severity: how far outside: about the excess over what was allowed, 0 unless violated, at most 100.
    """

    outcome: Outcome
    why: str = ""
    evidence: Mapping[str, object] | None = None
    severity: float = 0.0

    def verdict(self, constraint: Constraint, value: Value, sentence: str) -> Verdict:
        """The verdict of a constraint on a value."""
        return Verdict(
            check=constraint.check,
            measure=constraint.measure,
            subject=constraint.subject,
            outcome=self.outcome,
            value=value,
            limit=constraint.limit,
            sentence=sentence,
            evidence=self.evidence or {},
            side=str(constraint.side),
            severity=self.severity,
        )


def judge(constraint: Constraint, value: Value, sizes: Sizes, policy: Policy, *, level: float) -> Judgement:
    """Decide one constraint.

    Args:
        constraint: the limit.
        value: the measure.
        sizes: what it was taken over.
        policy: the standard.
        level: the chance of a violation by noise that this constraint may spend.

    >>> rate = Constraint(check="c", measure="completeness", subject="age", side=Side.AT_LEAST, limit=1.0)
    >>> judge(rate, 0.99, Sizes(n=100, m=100), Policy(), level=1e-4).outcome
    <Outcome.KEPT: 'kept'>
    >>> judge(rate, 0.80, Sizes(n=100, m=100), Policy(), level=1e-4).outcome
    <Outcome.VIOLATED: 'violated'>
    """
    if isinstance(value, Undefined):
        return Judgement(Outcome.FAILED if isinstance(value, Fault) else Outcome.UNDECIDED, value.why)
    if policy.dialect.sagemaker:
        if constraint.allows(value):
            return Judgement(Outcome.KEPT)
        return Judgement(Outcome.VIOLATED, severity=_severity(constraint, value))
    if sizes.chance is not None:
        return _tested(constraint, value, sizes, level=level)
    if sizes.error is not None:
        return _scattered(constraint, value, sizes, policy, level=level)
    if constraint.measure in SHARES:
        return _share(constraint, value, sizes, level=level)
    if constraint.measure in DISTANCES:
        return _distance(constraint, value, sizes, policy, level=level)
    if constraint.allows(value):
        return Judgement(Outcome.KEPT)
    return Judgement(Outcome.VIOLATED, severity=_severity(constraint, value))


def _share(constraint: Constraint, value: float, sizes: Sizes, *, level: float) -> Judgement:
    if not sizes.n:
        return Judgement(Outcome.UNDECIDED, "there is no row to judge by")
    bad, allowed = (
        (1 - value, 1 - constraint.limit) if constraint.side is Side.AT_LEAST else (value, constraint.limit)
    )
    count = round(bad * sizes.n)
    evidence: dict[str, object] = {"rows": sizes.n, "beyond": count, "baseline_rows": sizes.m}
    if constraint.allows(value):
        return Judgement(Outcome.KEPT, evidence=evidence)
    chance = rare_count(count, sizes.n, rate=max(0.0, allowed), m=max(1, sizes.m))
    evidence |= {"chance": chance, "level": level}
    if chance > level:
        return Judgement(Outcome.KEPT, f"{count} of {sizes.n} is within noise", evidence)
    return Judgement(Outcome.VIOLATED, evidence=evidence, severity=_severity(constraint, value))


def _distance(
    constraint: Constraint, value: float, sizes: Sizes, policy: Policy, *, level: float
) -> Judgement:
    smaller = min(sizes.n, sizes.m)
    if smaller < policy.min_rows:
        side = "window" if sizes.n <= sizes.m else "baseline"
        return Judgement(
            Outcome.UNDECIDED,
            f"{constraint.measure} needs {policy.min_rows} values, the {side} has {smaller}",
        )
    margin = noise(sizes.n, sizes.m, c=critical_c(level / max(1, sizes.bins)))
    evidence = {"rows": sizes.n, "baseline_rows": sizes.m, "noise": margin}
    bar = constraint.limit + margin
    if value > bar and constraint.side is Side.AT_MOST:
        return Judgement(
            Outcome.VIOLATED, f"noise {margin:.2g}", evidence, _severity(constraint, value - margin)
        )
    if bar >= 1:
        return Judgement(
            Outcome.UNDECIDED,
            f"{sizes.n} values are too few: noise is {margin:.2g}, and no {constraint.measure} can pass"
            f" {constraint.limit:g} by more",
            evidence,
        )
    return Judgement(Outcome.KEPT, "" if constraint.allows(value) else f"within noise {margin:.2g}", evidence)


def _scattered(
    constraint: Constraint, value: float, sizes: Sizes, policy: Policy, *, level: float
) -> Judgement:
    """A measure with a standard error passes its limit when it does so by more than it scatters."""
    assert sizes.error is not None  # noqa: S101 (the caller looked)
    if sizes.n < policy.min_rows:
        return Judgement(
            Outcome.UNDECIDED,
            f"{constraint.measure} needs {policy.min_rows} rows to be judged by, has {sizes.n}",
        )
    margin = upper_quantile(min(0.5, level)) * sizes.error
    evidence = {"rows": sizes.n, "baseline_rows": sizes.m, "error": sizes.error, "noise": margin}
    if constraint.allows(value):
        return Judgement(Outcome.KEPT, evidence=evidence)
    if abs(value - constraint.limit) <= margin:
        return Judgement(Outcome.KEPT, f"within noise {margin:.2g}", evidence)
    return Judgement(Outcome.VIOLATED, f"noise {margin:.2g}", evidence, _severity(constraint, value))


def _tested(constraint: Constraint, value: float, sizes: Sizes, *, level: float) -> Judgement:
    if isinstance(sizes.chance, Undefined):
        return Judgement(Outcome.UNDECIDED, sizes.chance.why)
    evidence = {"rows": sizes.n, "baseline_rows": sizes.m, "chance": sizes.chance, "level": level}
    if constraint.allows(value):
        return Judgement(Outcome.KEPT, evidence=evidence)
    if sizes.chance is not None and sizes.chance > level:
        return Judgement(Outcome.KEPT, "within noise", evidence)
    return Judgement(Outcome.VIOLATED, evidence=evidence, severity=_severity(constraint, value))


def _severity(constraint: Constraint, value: float) -> float:
    excess = abs(value - constraint.limit)
    if constraint.measure in SHARES:
        allowed = 1 - constraint.limit if constraint.side is Side.AT_LEAST else constraint.limit
        # A floor under what is allowed, so that a limit of 0 does not make a handful of rows the gravest of all.
        return min(MOST_SEVERE, excess / (allowed + 0.05))
    if constraint.measure == JOINT:
        # What moved jointly is mostly told by the columns that moved: they come first.
        return min(MOST_SEVERE, excess)
    return min(MOST_SEVERE, excess / max(1e-9, abs(constraint.limit)))
