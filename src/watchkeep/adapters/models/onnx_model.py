"""Models in the exchange format ONNX, by onnxruntime."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.libraries import Doubles, as_scores, library, short
from watchkeep.adapters.models.matrix import chosen, matrix_of
from watchkeep.core.errors import ModelError

_WHAT: Final = "an ONNX model"
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tensor(float)": "float32",
        "tensor(double)": "float64",
        "tensor(float16)": "float16",
        "tensor(int64)": "int64",
        "tensor(int32)": "int32",
        "tensor(bool)": "bool",
    }
)
_PROVIDER: Final = "CPUExecutionProvider"


@dataclass(frozen=True, eq=False)
class Onnx:
    """A graph of ONNX; see `Model`. Of two classes, its score is the probability of the second.

    Args:
        name: where it comes from.
        session: onnxruntime's `InferenceSession`.
        features: its inputs when each is one column, or as given.
        output: the output that is read as scores.
        width: how many columns its one input has; None when the graph does not say, or it has several inputs.
    """

    name: str
    session: Any
    features: tuple[str, ...]
    output: str
    width: int | None = None
    labels: tuple[str, ...] = ()  # the graph does not name its classes
    kind: str = "ONNX"

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: probabilities if the graph has them, else its first output of numbers."""
        fed = self._fed(rows)
        if not rows.num_rows:
            return np.zeros((0, 1))
        try:
            found = self.session.run([self.output], fed)[0]
        except _errors() as error:
            raise ModelError(self.name, why=f"onnxruntime cannot ask it: {short(error)}") from error
        probable = _probable(self.output)
        if isinstance(found, list):  # one mapping of classes to probabilities for each row
            found, probable = [list(row.values()) for row in found], True
        scores = as_scores(found, rows.num_rows, self.name)
        return scores[:, 1:] if probable and scores.shape[1] == 2 else scores

    def _fed(self, rows: pa.Table) -> dict[str, Any]:
        inputs = self.session.get_inputs()
        names, columns = chosen(rows, self.features, self.name, count=self.width)
        if len(inputs) == 1:
            return {inputs[0].name: self._cast(matrix_of(names, columns, self.name), inputs[0])}
        fed = {}
        for each, column in zip(inputs, columns, strict=True):
            if each.type == "tensor(string)":
                texts = ["" if text is None else str(text) for text in column.to_pylist()]
                fed[each.name] = np.array(texts, object)[:, None]
            else:
                fed[each.name] = self._cast(matrix_of([each.name], [column], self.name), each)
        return fed

    def _cast(self, matrix: Doubles, given: Any) -> Any:
        kind = _TYPES.get(given.type)
        if kind is None:
            raise ModelError(self.name, why=f"its input {given.name!r} is a {given.type}, expected numbers")
        if not kind.startswith("float") and matrix.size and math.isnan(matrix.min()):
            raise ModelError(
                self.name, why=f"its input {given.name!r} is of whole numbers, and values are missing"
            )
        return matrix.astype(kind, copy=False)


def onnx_file(path: Path, name: str, features: tuple[str, ...] = ()) -> Onnx:
    """Opens an ONNX file, to be asked on the processor.

    Raises:
        ModelError: it is damaged, of a newer version, or gives no scores.
        MissingExtraError: onnxruntime is not installed.
    """
    runtime = library("onnxruntime", _WHAT)
    try:
        session = runtime.InferenceSession(str(path), providers=[_PROVIDER])
    except _errors() as error:
        why = f"onnxruntime {runtime.__version__} cannot read it: {short(error)}"
        raise ModelError(name, why=why) from error
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else [None]
    width = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None
    own = tuple(each.name for each in inputs) if len(inputs) > 1 else features
    return Onnx(name, session, own, _output(session, name), width)


def _output(session: Any, name: str) -> str:
    outputs = session.get_outputs()
    numeric = [each.name for each in outputs if each.type in ("tensor(float)", "tensor(double)")]
    mapped = [each.name for each in outputs if each.type.startswith("seq(map(")]
    found = mapped + [each for each in numeric if _probable(each)] + numeric
    if not found:
        kinds = ", ".join(f"{each.name!r} of {each.type}" for each in outputs)
        raise ModelError(name, why=f"it has no output of scores; it has {kinds}")
    return str(found[0])


def _probable(output: str) -> bool:
    return "prob" in output.lower()


def _errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its errors have no common ancestor."""
    state = library("onnxruntime.capi.onnxruntime_pybind11_state", _WHAT)
    kinds = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NotImplemented",
        "RuntimeException",
    )
    return (ValueError, RuntimeError, *(getattr(state, kind) for kind in kinds if hasattr(state, kind)))
