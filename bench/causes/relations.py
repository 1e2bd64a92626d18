"""Which features hang together: rank correlation of numbers, Cramér's V where one is a category."""

from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

RELATED: Final = 0.3
"""From here on two features hang together: |Spearman's rank correlation|, or Cramér's V."""
_BINS: Final = 5


def partners(rows: pd.DataFrame) -> dict[str, int]:
    """With how many others each feature hangs together.

    >>> a = np.arange(100)
    >>> partners(pd.DataFrame({"a": a, "b": -a, "c": pd.Categorical(a // 50), "d": a % 7}))
    {'a': 2, 'b': 2, 'c': 2, 'd': 0}
    """
    ranks = {str(name): rows[name].rank() for name in rows if pd.api.types.is_numeric_dtype(rows[name])}
    classes = {
        str(name): pd.qcut(rows[name], _BINS, labels=False, duplicates="drop")
        if name in ranks
        else rows[name]
        for name in rows
    }
    found = dict.fromkeys(classes, 0)
    for one, other in combinations(classes, 2):
        if one in ranks and other in ranks:
            strength = abs(ranks[one].corr(ranks[other]))
        else:
            strength = cramers_v(classes[one], classes[other])
        if strength >= RELATED:
            found[one] += 1
            found[other] += 1
    return found


def cramers_v(one: pd.Series, other: pd.Series) -> float:
    """Cramér's V of two columns of categories, in [0, 1]; 0 where one of them has a single category.

    >>> cramers_v(pd.Series(list("aabb")), pd.Series(list("xxyy")))
    1.0
    """
    counts = pd.crosstab(one, other).to_numpy()
    least = min(counts.shape) - 1
    if least < 1:
        return 0.0
    statistic = chi2_contingency(counts, correction=False).statistic
    return float(np.sqrt(statistic / (counts.sum() * least)))
