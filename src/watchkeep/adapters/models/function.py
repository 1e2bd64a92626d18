"""Models that are a function of Python, named by where it is."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.frames import frame_of
from watchkeep.adapters.models.libraries import Doubles, as_scores, told
from watchkeep.adapters.models.matrix import chosen
from watchkeep.core.errors import ModelError

_NAMED: Final = re.compile(r"(?P<home>.+\.py|[A-Za-z_]\w*(?:\.\w+)*):(?P<what>[A-Za-z_]\w*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Function:
    """A function that is given rows and returns scores; see `Model`.

    Args:
        name: "module:function" or "file.py:function".
        call: takes a pandas frame, or an Arrow table if it has the attribute `takes = "arrow"`; returns numbers of
            shape (rows,) or (rows, labels).
        features: the columns it is given; none for all there are.
        labels: what its scores are called.
    """

    name: str
    call: Callable[[Any], object]
    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    kind: str = "a Python function"

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`."""
        if not rows.num_rows:
            return np.zeros((0, len(self.labels) or 1))
        if self.features:
            names, _ = chosen(rows, self.features, self.name)
            rows = rows.select(names)
        given = rows if getattr(self.call, "takes", "") == "arrow" else frame_of(rows, self.name)
        try:
            found = self.call(given)
        except Exception as error:  # what it raises is its own business, and is told
            raise ModelError(self.name, why=f"it raised {told(error)}", answering=True) from error
        return as_scores(found, rows.num_rows, self.name)


def names_function(spec: str) -> bool:
    """Whether this is how functions are named.

    >>> names_function("shop.models:score"), names_function("models/score.py:score"), names_function("model.pkl")
    (True, True, False)
    """
    return _NAMED.fullmatch(spec) is not None


def function(spec: str, features: tuple[str, ...] = ()) -> Function:
    """Opens a function: its module, or file, is run. Modules are looked for in the working directory, too.

    Args:
        spec: "module:function" or "path/to/file.py:function".
        features: the columns it is given; else those of its attribute `features`, if it has one. Its attribute
            `labels` names its scores.

    Raises:
        ModelError: there is no such module, file or function, or it raised while it was imported.
    """
    named = _NAMED.fullmatch(spec)
    if named is None:
        raise ModelError(spec, why='expected "module:function" or "file.py:function"')
    home, what = named["home"], named["what"]
    held = _of_file(home, spec) if home.endswith(".py") else _of_module(home, spec)
    if what not in held:
        names = sorted(each for each, it in held.items() if callable(it) and not each.startswith("_"))
        raise ModelError(
            spec, why=f"{home} holds nothing named {what!r}; it has {', '.join(names) or 'no functions'}"
        )
    found = held[what]
    if not callable(found):
        raise ModelError(spec, why=f"{what!r} is a {type(found).__name__}, expected a function")
    labels = tuple(str(each) for each in getattr(found, "labels", ()))
    return Function(spec, found, features or tuple(getattr(found, "features", ())), labels)


def _of_file(home: str, spec: str) -> dict[str, Any]:
    if not Path(home).is_file():
        raise ModelError(spec, why=f"there is no file {home}")
    folder = str(Path(home).resolve().parent)
    found = spec_from_file_location(f"watchkeep_model_{Path(home).stem}", home)
    assert found is not None and found.loader is not None  # noqa: S101, PT018 (it ends with .py)
    module = module_from_spec(found)
    sys.modules[found.name] = module  # where dataclasses and pickles of the file look for it
    sys.path.insert(0, folder)  # as `python file.py` looks
    try:
        found.loader.exec_module(module)
        return vars(module)
    except Exception as error:  # what it raises is its own business, and is told
        raise ModelError(spec, why=f"{home} raised {told(error)} while it was imported") from error
    finally:
        sys.path.remove(folder)


def _of_module(home: str, spec: str) -> dict[str, Any]:
    here = str(Path.cwd())
    sys.path.insert(0, here)  # as `python -m` looks; the installed command does not
    try:
        return vars(import_module(home))
    except ModuleNotFoundError as error:
        own = error.name is not None and (home == error.name or home.startswith(f"{error.name}."))
        why = f"there is no module {error.name!r}" if own else f"{home} needs the module {error.name!r}"
        raise ModelError(spec, why=f"{why}, in {here} or among what is installed") from error
    except Exception as error:  # what it raises is its own business, and is told
        raise ModelError(spec, why=f"{home} raised {told(error)} while it was imported") from error
    finally:
        sys.path.remove(here)
