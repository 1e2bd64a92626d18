"""A limit for people."""

from watchkeep.constraints.constraint import Constraint
from watchkeep.formats.column_documents import finite


def promise(constraint: Constraint) -> dict[str, object]:
    """A limit and its reason, for people."""
    bound = "at least" if constraint.side == "at_least" else "at most"
    return {
        "check": constraint.check,
        "measure": constraint.measure,
        "side": str(constraint.side),
        "limit": finite(constraint.limit),
        "sentence": f"{constraint.measure} {bound} {constraint.limit:.6g}",
        "rule": constraint.rule,
        "reason": constraint.reason,
        "evidence": dict(constraint.evidence),
    }
