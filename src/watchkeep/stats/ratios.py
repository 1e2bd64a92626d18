"""A share or a mean, of sums that may be of no rows."""

import math

from watchkeep.core.undefined import Undefined, Value


def ratio(name: str, part: float, whole: float, unit: str = "row") -> Value:
    """`part` over `whole`; Undefined where that is 0, saying of which unit `name` needs one.

    >>> ratio("brier", 1.0, 8.0), ratio("brier", 0.0, 0.0)
    (0.125, Undefined(why='brier needs 1 row, has 0'))
    """
    if whole == 0:
        return Undefined(f"{name} needs 1 {unit}, has 0")
    found = float(part) / float(whole)
    return found if math.isfinite(found) else Undefined(f"{name} needs sums that a double can hold")
