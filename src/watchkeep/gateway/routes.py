"""Which endpoint a request is for, and how it is asked: from its path alone."""

import re
from typing import Final, NamedTuple

from watchkeep.gateway.config import Endpoint, is_name
from watchkeep.gateway.problems import Refusal

SAGEMAKER: Final = "sagemaker"
"""`/endpoints/{name}/invocations`, and `-response-stream`."""
INVOCATIONS: Final = "invocations"
"""`/invocations` of SageMaker's containers and of MLflow."""
KSERVE_V1: Final = "kserve-v1"
"""`/v1/models/{name}:predict` and `:explain`; TensorFlow Serving's versions, labels, `:classify` and `:regress`."""
KSERVE_V2: Final = "kserve-v2"
"""`/v2/models/{name}/infer`, and that of a version; also its `generate`, and the streaming ones."""
PLAIN: Final = "plain"
"""Any other path."""

PREDICTIONS: Final = frozenset({SAGEMAKER, INVOCATIONS, KSERVE_V1, KSERVE_V2})
"""Protocols whose posts ask a model and change nothing."""

_SAGEMAKER: Final = re.compile(r"/endpoints/([^/]*)/invocations(?:-response-stream)?")
_V1: Final = re.compile(
    r"/v1/models/([^/:]*)(?:/(?:versions|labels)/[^/:]*)?(?::(predict|explain|classify|regress)|/metadata)?"
)
_V2: Final = re.compile(r"/v2/models/([^/]*)(?:/versions/[^/]*)?(?:/([^/]*))?")
_V2_PREDICTS: Final = frozenset({"infer", "infer_stream", "generate", "generate_stream"})
_CONTROL: Final = re.compile(r"/v1/models(?:/.*)?|/v2(?:/.*)?|/ping|/health|/version")
"""Paths by which servers are looked after."""
_NEEDLESS: Final = re.compile(
    r"%(?:[01][0-9A-Fa-f]|2[DEFdef]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[CFcf]|7[EFef])"
)
"""Encodings of control characters, of what separates or leads to folders, and of what never needs to be encoded."""
_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Route(NamedTuple):
    """Where a request goes.

    Args:
        endpoint: the name of the one that answers.
        protocol: how it is asked.
        path: what the upstream is asked for, without the query.
        captured: whether such requests are captured, if their method is.
    """

    endpoint: str
    protocol: str
    path: str
    captured: bool


NOWHERE: Final = Route("", "", "", captured=False)
"""Where requests go that are refused."""


class Router:
    """Finds the endpoint of a request by its path.

    Args:
        endpoints: by their names.
        default: which one gets paths that name none; None refuses them.

    >>> from watchkeep.gateway.config import Upstream
    >>> churn = Endpoint(name="churn", upstreams=(Upstream(url="http://127.0.0.1:9000"),))
    >>> Router((churn,)).route("/endpoints/churn/invocations")
    Route(endpoint='churn', protocol='sagemaker', path='/invocations', captured=True)
    """

    def __init__(self, endpoints: tuple[Endpoint, ...], default: str | None = None) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._default = default

    def route(self, path: str) -> Route | Refusal:
        """Where a path leads, or why it leads nowhere.

        Args:
            path: as the client sent it, without the query.
        """
        if why := _trick(path):
            return Refusal(400, "bad-path", f"The path {why}.")
        if found := _SAGEMAKER.fullmatch(path):
            return self._sagemaker(found[1], path)
        if path == "/invocations":
            return self._to_default(path, INVOCATIONS, captured=True)
        if found := _V1.fullmatch(path):
            return self._by_model(found[1], path, KSERVE_V1, captured=bool(found[2]))
        if found := _V2.fullmatch(path):
            return self._by_model(found[1], path, KSERVE_V2, captured=found[2] in _V2_PREDICTS)
        return self._to_default(path, PLAIN, captured=not _CONTROL.fullmatch(path))

    def _sagemaker(self, name: str, path: str) -> Route | Refusal:
        if not is_name(name):
            return Refusal(
                400, "bad-endpoint-name", "The path's endpoint has a name that no endpoint can have."
            )
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Refusal(404, "no-such-endpoint", f"There is no endpoint {name}.")
        return Route(name, SAGEMAKER, "/invocations" if endpoint.container else path, captured=True)

    def _by_model(self, name: str, path: str, protocol: str, *, captured: bool) -> Route | Refusal:
        if name in self._endpoints:
            return Route(name, protocol, path, captured)
        if not is_name(name):
            return Refusal(400, "bad-model-name", "The path's model has a name that no model can have.")
        return self._to_default(path, protocol, captured=captured)

    def _to_default(self, path: str, protocol: str, *, captured: bool) -> Route | Refusal:
        if self._default is None:
            return Refusal(404, "no-such-endpoint", "The path names no endpoint, and none is the default.")
        if protocol == PLAIN and captured:
            listed = self._endpoints[self._default].paths
            captured = listed is None or path in listed
        return Route(self._default, protocol, path, captured)


def _trick(path: str) -> str | None:
    """What is wrong with a path that could be read as another one."""
    if "%" in path:
        if _ENCODED.search(path):
            return "has a percent sign that encodes nothing"
        if _NEEDLESS.search(path):
            return "encodes a character that must not be, or need not be"
    if "\\" in path:
        return "has a backslash"
    if "#" in path:
        return "has a fragment"
    if "//" in path:
        return "has an empty segment"
    if "/." in path and any(segment in (".", "..") for segment in path.split("/")):
        return "has a segment that leads elsewhere"
    return None
