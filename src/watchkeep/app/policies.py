"""Policies of endpoints, as one file says for several of them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from watchkeep.core.errors import OptionError

_OPTION = "--policy"
_EXPECTED = "a YAML file of policies: endpoint, then sampling, privacy, admission, policy and columns"


def policies_in(path: Path, endpoints: Collection[str] | None = None) -> Mapping[str, Mapping[str, Any]]:
    """The options of each endpoint that a file tells; see `EndpointPolicy.of`.

    Args:
        path: a YAML file.
        endpoints: all that may be there; any, when not given.

    Raises:
        OptionError: it cannot be read, is no such file, or is about another endpoint.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = _why(error)
        raise OptionError(
            _OPTION, got=str(path), expected=_EXPECTED + (f" ({why})" if why else "")
        ) from error
    if not isinstance(found, dict) or not all(isinstance(policy, dict) for policy in found.values()):
        raise OptionError(_OPTION, got=str(path), expected=_EXPECTED)
    for name in found:
        if not isinstance(name, str) or (endpoints is not None and name not in endpoints):
            told = (
                "names of endpoints"
                if endpoints is None
                else f"endpoints of this gateway: {', '.join(endpoints)}"
            )
            raise OptionError(_OPTION, got=str(name), expected=told, choices=endpoints or ())
    return found


def _why(error: Exception) -> str:
    """Why a file cannot be read, and in which line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem or error.context}"
    return str(error.strerror or "") if isinstance(error, OSError) else ""
