"""What the process of a script does: `python -I runner.py MEGABYTES`. It needs nothing but Python.

It is told by its standard input, and answers by what was its standard output: JSON, each after its length.
"""

import inspect
import json
import logging
import os
import resource
import struct
import sys
import traceback
from collections.abc import Callable
from datetime import date
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
_ITSELF = None
"""Answered for a record that is to be read as it is."""


class Side:
    """A request, an answer, or a label."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.data = told.get("data")
        self.encoding = told.get("encoding")
        self.observedContentType = self.observed_content_type = told.get("observedContentType")
        self.mode = told.get("mode")


class Metadata:
    """What is known of a record beside its bodies."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.event_id = told.get("eventId")
        self.event_time = told.get("inferenceTime")
        self.custom_attribute = told.get("customAttributes")
        self.inference_id = told.get("inferenceId")


class Data:
    """The sides under the names that they have in the record."""

    def __init__(self, record: "Record") -> None:
        self.endpointInput = record.endpoint_input
        self.endpointOutput = record.endpoint_output
        self.batchTransformOutput = record.batch_transform_output
        self.groundTruthData = record.ground_truth


class Record:
    """What a handler is given of a capture."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.event_dict: dict[str, Any] = json.loads(text)
        data = self.event_dict.get("captureData") or {}
        self.endpoint_input = _side(data.get("endpointInput"))
        self.endpoint_output = _side(data.get("endpointOutput"))
        self.batch_transform_output = _side(data.get("batchTransformOutput"))
        self.ground_truth = _side(self.event_dict.get("groundTruthData"))
        self.event_metadata = Metadata(self.event_dict.get("eventMetadata") or {})
        self.event_version = self.event_dict.get("eventVersion")
        self.event_data = Data(self)

    def as_dict(self) -> dict[str, Any]:
        """The record as it is written."""
        return self.event_dict

    def __str__(self) -> str:
        return self._text


def _side(told: Any) -> Side | None:
    return Side(told) if isinstance(told, dict) else None


def _given(kind: str, text: str) -> Any:
    """What the handler is given of a record."""
    return Record(text) if kind == "capture" else json.loads(text) if kind == "json" else text


def _rows(given: Any, answer: Any, text: str) -> list[dict[str, Any]] | None:
    """What a handler answered, as rows whose columns are in the order of their names.

    A dict that it was given is the record itself as long as the handler changed nothing in it.

    Raises:
        TypeError: it is none that can be read.
    """
    if answer is given and not isinstance(given, dict):
        return _ITSELF
    own = given.event_dict if isinstance(given, Record) else given
    if isinstance(own, dict) and answer is own and answer == json.loads(text):
        return _ITSELF
    if isinstance(given, str) and answer == given:
        return _ITSELF
    several = [answer] if isinstance(answer, dict) else [] if answer is None else answer
    if not isinstance(several, list | tuple) or not all(isinstance(one, dict) for one in several):
        raise TypeError(
            f"it returned {_kind(answer)}; expected a dict, a list of dicts, [] or the record itself"
        )
    return [dict(sorted((str(key), value) for key, value in one.items())) for one in several]


def _kind(answer: Any) -> str:
    if isinstance(answer, list | tuple):
        odd = next(one for one in answer if not isinstance(one, dict))
        return f"a list that holds {type(odd).__name__}"
    return f"a value of type {type(answer).__name__}"


def _value(value: Any) -> Any:
    """A value that JSON does not know: those of NumPy, dates, sets."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(
        f"a column holds a value of type {type(value).__name__}; expected a text, a number or None"
    )


def _handler(script: dict[str, Any], name: str) -> Callable[..., Any]:
    space: dict[str, Any] = {"__name__": "watchkeep_script", "__file__": script["name"]}
    exec(compile(script["code"], script["name"], "exec"), space)  # noqa: S102 (it is what the process is for)
    handler = space.get(name)
    if not callable(handler):
        raise TypeError(f"it has no function {name}")
    return handler  # type: ignore[no-any-return]


def _takes_logger(handler: Callable[..., Any]) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(one.kind in kinds for one in parameters) > 1


def _fault(error: BaseException, name: str) -> dict[str, Any]:
    """What went wrong, and in which line of the script."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == name:
            line = frame.lineno
    said = "".join(traceback.format_exception_only(error)).strip().splitlines() or [type(error).__name__]
    return {
        "line": line,
        "said": "more memory than it may take" if isinstance(error, MemoryError) else said[-1],
    }


class _Work:
    """Answers questions about a script."""

    def __init__(self) -> None:
        self._script: dict[str, Any] = {"name": "?", "code": ""}
        self._call: Callable[[Any], Any] | None = None

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            if "script" in asked:
                self._begin(asked["script"])
                return {}
            if "post" in asked:
                _handler(self._script, "postprocess_handler")()
                return {}
            return {"rows": [self._one(asked["kind"], text) for text in asked["records"]]}
        except BaseException as error:  # noqa: BLE001 (a script may raise anything, also SystemExit)
            return {"fault": _fault(error, self._script["name"])}

    def _begin(self, script: dict[str, Any]) -> None:
        self._script = script
        if script["handler"] != "preprocess_handler":
            return
        handler = _handler(script, "preprocess_handler")
        logger = logging.getLogger("preprocess")
        self._call = (lambda given: handler(given, logger)) if _takes_logger(handler) else handler

    def _one(self, kind: str, text: str) -> list[dict[str, Any]] | None:
        assert self._call is not None  # noqa: S101 (it was begun)
        given = _given(kind, text)
        return _rows(given, self._call(given), text)


def _read(stream: IO[bytes]) -> dict[str, Any] | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    told: dict[str, Any] = json.loads(stream.read(size))
    return told


def _packed(answer: dict[str, Any]) -> bytes:
    try:
        return json.dumps(answer, default=_value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return json.dumps({"fault": {"line": None, "said": str(error)}}).encode()


def main() -> None:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a script prints is no answer
    sys.stdout = sys.stderr
    most = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    work, asked = _Work(), sys.stdin.buffer
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 (nothing is to be read by a script)
    try:
        while (told := _read(asked)) is not None:
            packed = _packed(work.answer(told))
            answers.write(_LENGTH.pack(len(packed)) + packed)
            answers.flush()
    except BrokenPipeError:
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
