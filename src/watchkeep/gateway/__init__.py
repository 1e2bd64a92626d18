"""A reverse proxy in front of model servers, which shows a watch what passes and alters none of it."""

from watchkeep.gateway.config import Endpoint, GatewayConfig, Limits, Timeouts, Upstream
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.exchange import Exchange, Watch
from watchkeep.gateway.routes import Route
from watchkeep.gateway.server import Server
from watchkeep.gateway.workers import OpenWatch, serve

__all__ = [
    "Counters",
    "Endpoint",
    "Exchange",
    "GatewayConfig",
    "Limits",
    "OpenWatch",
    "Route",
    "Server",
    "Timeouts",
    "Upstream",
    "Watch",
    "serve",
]
