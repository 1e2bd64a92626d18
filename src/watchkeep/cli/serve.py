"""`watchkeep serve`."""

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path

import click

from watchkeep.app.policies import policies_in
from watchkeep.capture.home import home_of
from watchkeep.capture.policies import EndpointPolicy
from watchkeep.cli import COMPLETED
from watchkeep.core.errors import MissingExtraError, OptionError, about


@click.command("serve")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on: one of this machine."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8471, show_default=True, help="0: any that is free."
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML: sampling, privacy, admission and columns of endpoints, as for the gateway.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Where everything is kept (WATCHKEEP_HOME).")
def command(host: str, port: int, policy_file: Path | None, home: Path | None) -> int:
    """Serve the API: captures, labels and events of payload loggers in, metrics out.

    \b
        watchkeep serve
        curl -d '{"captures": [{"endpoint": "churn", "input": {"age": 41}, "output": {"score": 0.5}}]}' \\
            -H 'Content-Type: application/json' http://127.0.0.1:8471/api/v1/captures
    """  # noqa: D301 (click wants the character itself)
    try:
        import uvicorn

        from watchkeep.web.api import LIMIT, application
    except ImportError as error:
        raise MissingExtraError("watchkeep serve", extra="server") from error
    if not _is_here(host):
        expected = "an address of this machine alone, such as 127.0.0.1: the API has no tokens yet"
        raise OptionError("--host", got=host, expected=expected)
    told = {} if policy_file is None else policies_in(policy_file)
    with about(str(policy_file)):
        policies = {
            name: EndpointPolicy.of(options, limit=LIMIT, endpoint=name) for name, options in told.items()
        }
    with _listening(host, port) as sock:
        app = application(home_of(home), policies)
        click.echo(f"Serving {home_of(home)} at http://{host}:{sock.getsockname()[1]}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([sock])
    return COMPLETED


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        expected = f"an address to listen at ({error.strerror or error})"
        raise OptionError("listen", got=f"{host}:{port}", expected=expected) from error


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
