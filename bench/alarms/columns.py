"""Which columns are numbers, which are categories, and how two of them hang together: as all tools here see them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Reals = npt.NDArray[np.float64]


def numeric(frame: pd.DataFrame) -> list[str]:
    """Columns of numbers with more than two values.

    >>> numeric(pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 1], "c": ["a", "b", "c"]}))
    ['x']
    """
    return [
        str(name)
        for name in frame.columns
        if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].nunique() > 2
    ]


def categorical(frame: pd.DataFrame) -> list[str]:
    """The other columns, times apart."""
    numbers = set(numeric(frame))
    return [
        str(name)
        for name in frame.columns
        if name not in numbers and not pd.api.types.is_datetime64_any_dtype(frame[name])
    ]


def graded(frame: pd.DataFrame, *, values: int = 10, commonest: float = 0.5) -> list[str]:
    """Columns of numbers that can move a little: at least ten values, none of which half of the rows have."""
    return [
        name
        for name in numeric(frame)
        if frame[name].nunique() >= values and frame[name].value_counts(normalize=True).iloc[0] < commonest
    ]


def numbers(values: pd.Series) -> Reals:
    """A column as doubles, NaN where it has no value."""
    found: Reals = values.to_numpy(np.float64, na_value=np.nan)
    return found


def associations(frame: pd.DataFrame) -> dict[str, float]:
    """For each column of numbers or of two categories its greatest rank correlation with another one, in [0, 1]."""
    ranked = {}
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            ranked[str(name)] = values.rank()
        elif values.nunique() == 2:
            ranked[str(name)] = (values == values.mode().iloc[0]).astype(float)
    if len(ranked) < 2:
        return dict.fromkeys(ranked, 0.0)
    matrix = np.abs(pd.DataFrame(ranked).corr().to_numpy(copy=True))
    np.fill_diagonal(matrix, 0.0)
    return dict(zip(ranked, np.nan_to_num(matrix).max(axis=0).tolist(), strict=True))
