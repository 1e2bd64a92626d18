"""Optional libraries, imported when a model needs them, and what all their answers have to be."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import MissingExtraError, ModelError

Doubles = npt.NDArray[np.float64]


def library(name: str, what: str) -> Any:
    """An optional library.

    Args:
        name: the module.
        what: what needs it, for people: "a LightGBM model".

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what libraries say of each other while they are imported
            return import_module(name)
    except ImportError as error:
        raise MissingExtraError(what, extra="explain") from error


@contextmanager
def heard() -> Iterator[list[str]]:
    """Keeps warnings of a library as notes, in their order and each once, instead of letting them out."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield notes
        finally:
            notes += dict.fromkeys(short(each.message) for each in caught)


def short(reason: object, *, most: int = 300) -> str:
    r"""The first lines of a library's message as one line of at most `most` characters, without a stack trace.

    >>> short("bad\nmodel\nStack trace:\n  [bt] (0)")
    'bad model'
    """
    line = " ".join(str(reason).split("Stack trace")[0].split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def told(error: BaseException) -> str:
    """What an exception says, with its class, as one line.

    >>> told(KeyError("age"))
    "KeyError: 'age'"
    """
    return f"{type(error).__name__}: {short(error)}".removesuffix(": ")


def as_scores(found: object, rows: int, model: str) -> Doubles:
    """An answer of a model as scores, shape (rows, labels).

    Args:
        found: numbers of shape (rows,) or (rows, labels), in whatever holds them.
        rows: how many were asked for.
        model: the name of the model.

    Raises:
        ModelError: it is of another shape, is no numbers, or holds NaN.
    """
    try:
        scores = np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        why = f"it gave scores that are no numbers: {told(error)}"
        raise ModelError(model, why=why) from error
    if scores.ndim == 1:
        scores = scores[:, None]
    if scores.ndim != 2 or len(scores) != rows or not scores.shape[1]:
        shape = np.shape(scores) if scores.ndim != 2 or scores.shape[1] != 1 else (len(scores),)
        raise ModelError(
            model, why=f"it gave scores of shape {shape}, expected ({rows},) or ({rows}, labels)"
        )
    if scores.size and np.isnan(scores.min()):  # NaN spreads to the least of all
        bad = int(np.isnan(scores).any(axis=1).sum())
        raise ModelError(model, why=f"its scores are NaN in {bad} of {rows} rows")
    return scores


def as_texts(values: Sequence[object] | npt.NDArray[Any]) -> tuple[str, ...]:
    """Names of classes as text.

    >>> as_texts(np.array([0, 1]))
    ('0', '1')
    """
    return tuple(str(value) for value in values)
