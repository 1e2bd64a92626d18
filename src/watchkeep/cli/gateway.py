"""`watchkeep gateway`."""

import re
from functools import partial
from pathlib import Path

import click

from watchkeep.app.policies import policies_in
from watchkeep.capture.home import home_of
from watchkeep.cli import COMPLETED
from watchkeep.cli.output import console
from watchkeep.core.errors import OptionError, about
from watchkeep.gateway import Endpoint, GatewayConfig, Limits, Upstream, serve
from watchkeep.gateway.recording import gates_of, policies_of, recording

_TARGET = re.compile(r"(?P<endpoint>[^/=]+)(?:/(?P<variant>[^/=]+))?=(?P<url>[^*]+)(?:\*(?P<weight>.+))?")


@click.command("gateway")
@click.argument("targets", metavar="ENDPOINT[/VARIANT]=URL[*WEIGHT]...", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="0: any that is free."
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that answer."
)
@click.option(
    "--durability",
    type=click.Choice(["async", "sync"]),
    default="async",
    show_default=True,
    help="sync: an answer is complete only when its record is on the disk.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=1 << 20,
    show_default=True,
    help="Bytes of a body that are kept.",
)
@click.option("--default", metavar="ENDPOINT", help="Which endpoint gets requests whose path names none.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML: sampling, privacy, admission and columns of each endpoint.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Where everything is kept (WATCHKEEP_HOME).")
def command(
    targets: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    durability: str,
    limit: int,
    default: str | None,
    policy_file: Path | None,
    home: Path | None,
) -> int:
    """Stand in front of model servers, pass everything on as it is, and record what passes.

    Servers of any protocol: SageMaker's containers and clients (/invocations, /endpoints/NAME/invocations), MLflow,
    KServe V1 and V2, TensorFlow Serving, plain JSON.

    \b
        watchkeep gateway churn=http://127.0.0.1:9000
        watchkeep gateway churn=http://127.0.0.1:9000*0.9 churn/B=http://127.0.0.1:9001*0.1 --port 8470
    """  # noqa: D301 (click wants the character itself)
    upstreams: dict[str, list[Upstream]] = {}
    for target in targets:
        found = _TARGET.fullmatch(target)
        if found is None:
            raise OptionError("target", got=target, expected="ENDPOINT[/VARIANT]=URL[*WEIGHT]")
        own = Upstream(
            url=found["url"], variant=found["variant"] or "AllTraffic", weight=_weight(found["weight"])
        )
        upstreams.setdefault(found["endpoint"], []).append(own)
    config = GatewayConfig(
        endpoints=tuple(Endpoint(name=name, upstreams=tuple(own)) for name, own in upstreams.items()),
        host=host,
        port=port,
        workers=workers,
        default=default,
        strict=durability == "sync",
        limits=Limits(captured_bytes=limit),
    )
    where = home_of(home)
    options = {} if policy_file is None else policies_in(policy_file, list(upstreams))
    with about(str(policy_file)):  # what is wrong with them is told now, not by workers
        policies = policies_of(options, limit)
    for name, policy in policies.items():
        policy.tell(where, name)

    def ready(listens: int) -> None:
        console().print(
            f"Answering at http://{host}:{listens}, recording into {where}", markup=False, soft_wrap=True
        )

    serve(
        config,
        partial(recording, where, durability == "sync", limit, options),
        open_gates=partial(gates_of, options, limit),
        ready=ready,
    )
    return COMPLETED


def _weight(told: str | None) -> float:
    try:
        return float(told or 1)
    except ValueError as error:
        raise OptionError("weight", got=str(told), expected="a number, 0 or more") from error
