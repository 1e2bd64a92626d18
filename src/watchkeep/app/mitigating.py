"""Treating groups alike, for whoever asks."""

from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from watchkeep.adapters.fairness import Fairlearn
from watchkeep.adapters.folders import Made, whole_folder
from watchkeep.core.errors import OptionError
from watchkeep.formats import json_text
from watchkeep.formats.mitigation import DOCUMENT, mitigation_document, thresholds_document
from watchkeep.frames.roles import Roles
from watchkeep.service.bias import BiasLearned
from watchkeep.service.learned import Learned
from watchkeep.service.mitigating import HELD_OUT, Method, Mitigation, Parity, mitigate
from watchkeep.service.ports import Progress, Source

THRESHOLDS: Final = "thresholds.json"
WEIGHTS: Final = "weights.parquet"
MODEL: Final = "model.pkl"
_A_MITIGATION: Final = Made("a mitigation", DOCUMENT, frozenset({DOCUMENT, THRESHOLDS, WEIGHTS, MODEL}))


def mitigated(
    learned: Learned,
    source: Source,
    roles: Roles,
    *,
    method: str,
    parity: str | None = None,
    held_out: float = HELD_OUT,
    seed: int = 0,
    progress: Progress | None = None,
) -> Mitigation:
    """Treat groups alike, see `service.mitigating.mitigate`.

    Args:
        learned: a baseline of bias.
        source: labelled rows.
        roles: which column is what, where it is not as the baseline says.
        method, parity: how, and in which sense; as `Method` and `Parity` spell them. Equalised odds, if it is not said.
        held_out: the share of rows that before and after are told of.
        seed: the same one gives the same result.
        progress: is told how it goes.

    Raises:
        MissingExtraError: the libraries of the extra `fairness` are not installed.
        OptionError: the baseline is not of bias, or the rows lack what the method needs.
        SourceError: they cannot be read.
    """
    if not isinstance(learned, BiasLearned):
        raise OptionError("baseline", got=learned.baseline.kind, expected="a baseline of bias")
    if learned.baseline.known is not None:
        raise OptionError("baseline", got=learned.baseline.source, expected="a baseline that Watchkeep made")
    chosen = _among(Method, "method", method)
    if parity is not None and chosen in (Method.CALIBRATED, Method.REWEIGHING):
        raise OptionError("parity", got=parity, expected=f"nothing: {chosen} has a sense of its own")
    return mitigate(
        learned.baseline,
        source,
        Fairlearn(seed=seed),
        method=chosen,
        parity=Parity.EQUALIZED_ODDS if parity is None else _among(Parity, "parity", parity),
        roles=roles,
        held_out=held_out,
        seed=seed,
        progress=progress,
    )


def document_of(found: Mitigation, source: str) -> dict[str, object]:
    """What was done and what came of it, as JSON."""
    return mitigation_document(
        method=str(found.method),
        parity=None if found.parity is None else str(found.parity),
        facets=found.facets,
        groups=found.names,
        rows={"learned": found.fitted, "held_out": found.held_out, "left_out": dict(found.left_out)},
        before=found.before,
        after=found.after,
        quality=found.quality,
        trained=found.trained,
        source=source,
    )


def save_mitigation(found: Mitigation, source: str, folder: Path) -> dict[str, object]:
    """Write what came of it; the folder appears whole or not at all. Gives the document.

    Raises:
        OptionError: the folder exists and was not written by us.
        BadInputError: it cannot be written.
    """
    document = document_of(found, source)
    with whole_folder(folder, _A_MITIGATION) as partial:
        (partial / DOCUMENT).write_text(json_text.dumps(document), encoding="utf-8")
        if found.decisions:
            told = thresholds_document(found.decisions)
            (partial / THRESHOLDS).write_text(json_text.dumps(told), encoding="utf-8")
        if found.weights is not None:
            pq.write_table(_weights(found), partial / WEIGHTS)
        if found.model is not None:
            (partial / MODEL).write_bytes(found.model.packed())
    return document


def _weights(found: Mitigation) -> pa.Table:
    """The weight of every row that was used: by its place among the rows, from 0, and by its id where it has one."""
    assert found.weights is not None  # noqa: S101 (the caller looked)
    places, weights = found.weights
    columns: dict[str, object] = {"row": pa.array(places.astype(np.int64))}
    if found.ids is not None:
        columns["id"] = pa.array(found.ids.tolist(), pa.string())
    return pa.table(columns | {"weight": pa.array(weights)})


W = TypeVar("W", Method, Parity)


def _among(words: type[W], option: str, given: str) -> W:
    choices = [str(word) for word in words]
    if given not in choices:
        raise OptionError(option, got=given, expected=f"one of {', '.join(choices)}", choices=choices)
    return words(given)
