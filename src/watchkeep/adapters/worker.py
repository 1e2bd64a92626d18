"""What a process does that reads parts of sources for another one: `python -m watchkeep.adapters.worker`.

It is told by its standard input, and answers by what was its standard output: pickled objects, each after its length.
"""

import os
import pickle
import struct
import sys
import traceback
from typing import IO, Any, Final

from watchkeep.core.errors import WatchkeepError
from watchkeep.service.folding import folded

_LENGTH: Final = struct.Struct("<Q")


def send(stream: IO[bytes], said: object) -> None:
    """Say something to the other side."""
    write(stream, pickle.dumps(said, protocol=pickle.HIGHEST_PROTOCOL))


def write(stream: IO[bytes], packed: bytes) -> None:
    """Say something that is pickled already."""
    stream.write(_LENGTH.pack(len(packed)))
    stream.write(packed)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """What the other side says next.

    Raises:
        EOFError: it says nothing any more.
    """
    return pickle.loads(read(stream))  # noqa: S301 (our own process said it)


def read(stream: IO[bytes]) -> bytes:
    """The same, pickled still."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError("the other side is gone")
    (size,) = _LENGTH.unpack(head)
    packed = stream.read(size)
    if len(packed) < size:
        raise EOFError("the other side is gone")
    return packed


def main() -> None:
    """Read parts until nobody asks for more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    asked = sys.stdin.buffer
    try:
        sys.path[:] = receive(asked)  # models may lie where the other process found them
        told = read(asked)
        while True:
            packed = read(asked)
            try:
                ask, fold, skip = pickle.loads(told)  # noqa: S301 (our own process said it)
                at, part = pickle.loads(packed)  # noqa: S301
                send(answers, folded(part, at, ask, fold, skip=skip))
            except WatchkeepError as error:
                send(answers, error)
            except Exception:  # noqa: BLE001 (whatever it is, the other process is to know)
                send(answers, RuntimeError(f"a process that reads failed:\n{traceback.format_exc()}"))
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody is left to be told


if __name__ == "__main__":
    main()
