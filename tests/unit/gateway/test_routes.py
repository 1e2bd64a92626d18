"""Which endpoint a path is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.gateway.config import Endpoint, Upstream, is_name
from watchkeep.gateway.problems import Refusal
from watchkeep.gateway.routes import Route, Router

MODELS = (Upstream(url="http://127.0.0.1:9"),)
CHURN = Endpoint(name="churn", upstreams=MODELS)
FRAUD = Endpoint(name="fraud.v2", upstreams=MODELS, container=False, paths=("/score",))
ROUTER = Router((CHURN, FRAUD), "churn")
BARE = Router((CHURN, FRAUD))


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/endpoints/{}/invocations", "sagemaker"),
        ("/v1/models/{}:predict", "kserve-v1"),
        ("/v1/models/{}:explain", "kserve-v1"),
        ("/v1/models/{}/versions/3:predict", "kserve-v1"),
        ("/v1/models/{}/labels/canary:classify", "kserve-v1"),
        ("/v2/models/{}/infer", "kserve-v2"),
        ("/v2/models/{}/versions/7/infer", "kserve-v2"),
        ("/v2/models/{}/generate_stream", "kserve-v2"),
    ],
)
def test_predictions_of_a_named_model_are_captured(path: str, protocol: str) -> None:
    path = path.format("fraud.v2")

    assert ROUTER.route(path) == BARE.route(path) == Route("fraud.v2", protocol, path, captured=True)


@pytest.mark.parametrize(
    ("path", "endpoint", "protocol"),
    [
        ("/v1/models/fraud.v2", "fraud.v2", "kserve-v1"),
        ("/v1/models/fraud.v2/metadata", "fraud.v2", "kserve-v1"),
        ("/v1/models/fraud.v2/versions/3", "fraud.v2", "kserve-v1"),
        ("/v2/models/fraud.v2", "fraud.v2", "kserve-v2"),
        ("/v2/models/fraud.v2/ready", "fraud.v2", "kserve-v2"),
        ("/v1/models", "churn", "plain"),
        ("/v2/health/ready", "churn", "plain"),
        ("/v2/repository/models/x/load", "churn", "plain"),
        ("/ping", "churn", "plain"),
        ("/health", "churn", "plain"),
    ],
)
def test_what_looks_after_servers_is_not_captured(path: str, endpoint: str, protocol: str) -> None:
    assert ROUTER.route(path) == Route(endpoint, protocol, path, captured=False)


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/invocations", "invocations"),
        ("/v1/models/other:predict", "kserve-v1"),
        ("/v2/models/other/infer", "kserve-v2"),
        ("/predict", "plain"),
        ("/v1/chat/completions", "plain"),
        ("/a%20b", "plain"),
        ("/.well-known/x", "plain"),
    ],
)
def test_what_names_no_endpoint_is_for_the_default_one(path: str, protocol: str) -> None:
    assert ROUTER.route(path) == Route("churn", protocol, path, captured=True)


@pytest.mark.parametrize("end", ["invocations", "invocations-response-stream"])
def test_containers_are_asked_as_they_listen(end: str) -> None:
    assert ROUTER.route(f"/endpoints/churn/{end}") == Route(
        "churn", "sagemaker", "/invocations", captured=True
    )


def test_without_a_default_only_paths_that_name_an_endpoint_lead_anywhere() -> None:
    for path in ("/invocations", "/ping", "/predict", "/v2/models/other/infer"):
        refusal = BARE.route(path)
        assert isinstance(refusal, Refusal)
        assert refusal.status == 404
    assert isinstance(BARE.route("/v2/models/churn/infer"), Route)


def test_paths_can_be_listed() -> None:
    router = Router((FRAUD,), "fraud.v2")

    routes = [router.route(path) for path in ("/score", "/other", "/invocations")]

    assert [isinstance(route, Route) and route.captured for route in routes] == [True, False, True]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/endpoints/nobody/invocations", 404),
        ("/endpoints/-x/invocations", 400),
        ("/endpoints/x-/invocations", 400),
        (f"/endpoints/{'x' * 64}/invocations", 400),
        ("/endpoints//invocations", 400),
        ("/endpoints/../invocations", 400),
        ("/endpoints/..%2fchurn/invocations", 400),
        ("/endpoints/%2e%2e/invocations", 400),
        ("/endpoints/ch%75rn/invocations", 400),
        ("/endpoints/churn%00/invocations", 400),
        ("/endpoints/churn%0d%0aX:/invocations", 400),
        ("/endpoints/ch@rn/invocations", 400),
        ("/v2/models/..%5c/infer", 400),
        ("/v2/models/%252e/infer", 400),
        ("/v1/models/:predict", 400),
        ("/v1/models/a\\b:predict", 400),
        ("/./invocations", 400),
        ("/a/..", 400),
        ("//invocations", 400),
        ("/invocations#x", 400),
        ("/%", 400),
        ("/%zz", 400),
        ("/%2", 400),
    ],
)
def test_paths_that_lead_nowhere(path: str, status: int) -> None:
    refusal = ROUTER.route(path)

    assert isinstance(refusal, Refusal)
    assert refusal.status == status


@given(st.text(st.sampled_from("abz09-._~/%2eEfF5c\\:"), max_size=30))
def test_whatever_the_path_a_captured_endpoint_is_a_known_one(text: str) -> None:
    for path in (f"/endpoints/{text}/invocations", f"/v2/models/{text}/infer", f"/{text}"):
        route = ROUTER.route(path)
        if isinstance(route, Route):
            assert route.endpoint in ("churn", "fraud.v2")
            assert ".." not in route.path.split("/")


@pytest.mark.parametrize("name", ["a", "A9", "churn-v2.1", "a--b", "a_b", "x" * 63])
def test_names_that_are(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a ", "-a", "a-", "é", "a\n", "x" * 64, "%41"])
def test_names_that_are_not(name: str) -> None:
    assert not is_name(name)
