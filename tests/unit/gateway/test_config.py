"""What a gateway can be told."""

from typing import Any

import pytest

from watchkeep.core.errors import OptionError
from watchkeep.gateway import Endpoint, GatewayConfig, Limits, Timeouts, Upstream

MODELS = Upstream(url="http://127.0.0.1:9")
CHURN = Endpoint(name="churn", upstreams=(MODELS,))


@pytest.mark.parametrize(
    "url", ["http://models", "https://models:8443/base/", "unix:/run/models.sock", "http://[::1]:80"]
)
def test_upstreams_that_can_be_asked(url: str) -> None:
    assert Upstream(url=url).variant == "AllTraffic"


@pytest.mark.parametrize(
    "told",
    [
        {"url": "models:80"},
        {"url": "ftp://models"},
        {"url": "http://"},
        {"url": "http://models:99999"},
        {"url": "http://models:x"},
        {"url": "http://models/?a=b"},
        {"url": "http://user:word@models"},
        {"url": "http://[::1"},
        {"url": "unix:"},
        {"url": "http://models", "variant": "a/b"},
        {"url": "http://models", "weight": -1},
        {"url": "http://models", "weight": float("nan")},
    ],
)
def test_upstreams_that_cannot(told: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Upstream(**told)


@pytest.mark.parametrize(
    "told",
    [
        {"name": "a/b", "upstreams": (MODELS,)},
        {"name": "a", "upstreams": ()},
        {"name": "a", "upstreams": (MODELS, MODELS)},
        {"name": "a", "upstreams": (Upstream(url="http://models", weight=0),)},
    ],
)
def test_endpoints_that_cannot_be(told: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Endpoint(**told)


@pytest.mark.parametrize(
    "told",
    [
        {"endpoints": ()},
        {"endpoints": (CHURN, CHURN)},
        {"default": "chum"},
        {"port": 65536},
        {"workers": 0},
        {"via": "a b"},
    ],
)
def test_gateways_that_cannot_be(told: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        GatewayConfig(**{"endpoints": (CHURN,), **told})


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(OptionError, match="did you mean 'churn'"):
        GatewayConfig(endpoints=(CHURN,), default="chum")


def test_the_only_endpoint_is_the_default_one_of_several_is_not() -> None:
    other = Endpoint(name="fraud", upstreams=(MODELS,))

    assert GatewayConfig(endpoints=(CHURN,)).default == "churn"
    assert GatewayConfig(endpoints=(CHURN, other)).default is None


def test_limits_and_timeouts_are_above_nothing() -> None:
    with pytest.raises(OptionError):
        Limits(headers=0)
    with pytest.raises(OptionError):
        Limits(captured_bytes=-1)
    with pytest.raises(OptionError):
        Timeouts(answer=0)
    assert Limits(captured_bytes=0).captured_bytes == 0


def test_what_is_late_is_looked_for_often_enough() -> None:
    assert Timeouts().tick == 0.25
    assert Timeouts(head=0.1).tick == 0.025
