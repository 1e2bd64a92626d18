"""What the peers' scripts share: the rows as pandas frames, and which columns hold what."""

import pandas as pd

KEYS = ("id", "at")
"""Identify a row or its time: no peer is asked about their drift."""


def frames(files: list[str]) -> list[pd.DataFrame]:
    """The files, read whole, as these tools want them."""
    return [pd.read_parquet(file) for file in files]


def numeric(frame: pd.DataFrame) -> list[str]:
    """The columns to treat as numbers."""
    numbers = frame.select_dtypes(["int64", "float64"]).columns
    return [name for name in numbers if name not in ("label", "prediction")]


def categorical(frame: pd.DataFrame) -> list[str]:
    """The columns to treat as categories: strings, booleans, the label and the prediction."""
    return [name for name in frame.columns if name not in KEYS and name not in numeric(frame)]
