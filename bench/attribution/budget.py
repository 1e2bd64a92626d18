"""An endpoint on loopback that counts the rows it is asked about, and commands that have a budget."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import watchkeep as wk
from watchkeep.adapters.models.endpoint import Endpoint, EndpointOptions
from watchkeep.app.models import ModelOptions
from watchkeep.core.errors import ModelError
from watchkeep.monitors.attribution.evaluation import AttributionFindings
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.stats.shapley import Method as Sampler

NAMES: Final = tuple("abcdefghij")
ROWS: Final = 2_000
_ROOMY: Final = 300

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one command asked.

    Args:
        command: "baseline" or "check".
        method: how features were sampled.
        budget: rows it might ask about.
        counted: rows the endpoint was asked about.
        told: the same, as the product says.
        explained: rows it explained with them.
        said: why it refused; empty when it did not.
    """

    command: str
    method: str
    budget: int
    counted: int
    told: int
    explained: int
    said: str


def score(matrix: Doubles) -> Doubles:
    """A curved score of ten features, shape (rows,)."""
    found: Doubles = (
        2 * matrix[:, 0] + np.sin(2 * matrix[:, 1]) * matrix[:, 2] + np.maximum(matrix[:, 3], matrix[:, 4])
    )
    found += matrix[:, 5] * matrix[:, 6] * (matrix[:, 7] > 0) + 0.1 * matrix[:, 8] ** 2 - 0.05 * matrix[:, 9]
    return found


def people(rows: int, seed: int) -> pa.Table:
    """Rows of ten normal features."""
    drawn = np.random.default_rng([9, seed]).standard_normal((len(NAMES), rows))
    return pa.table(dict(zip(NAMES, drawn, strict=True)))


@contextmanager
def counting() -> Iterator[tuple[str, list[int]]]:
    """A server that speaks SageMaker's CSV: its address, and the rows of each request so far."""
    counts: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            matrix = np.array(list(csv.reader(io.StringIO(text))), float)
            counts.append(len(matrix))
            body = "\n".join(map(repr, score(matrix).tolist())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/invocations", counts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(method: Sampler, budgets: Sequence[int]) -> list[Asked]:
    """With each budget a baseline, and a check of windows against a baseline that had room."""
    out = []
    with counting() as (address, counts):
        roomy = _monitor(_endpoint(address), method, None).baseline(people(_ROOMY, 1))
        for budget in budgets:
            for command in ("baseline", "check"):
                counts.clear()
                endpoint = _endpoint(address)
                explained, said = _spend(command, endpoint, method, budget, roomy)
                said = said.replace(address, "the endpoint").removeprefix("the endpoint: ")
                out.append(Asked(command, method, budget, sum(counts), endpoint.rows_sent, explained, said))
    return out


def _spend(
    command: str, endpoint: Endpoint, method: Sampler, budget: int, roomy: wk.Baseline
) -> tuple[int, str]:
    """Rows that were explained, and why not if they were not."""
    try:
        if command == "check":
            findings = roomy.check(
                people(ROWS, 2), model=endpoint, model_options=_options(method, budget)
            ).findings
            assert isinstance(findings, AttributionFindings)
            return sum(one.rows for one in findings.attributed.values()), findings.unanswered
        learned = _monitor(endpoint, method, budget).baseline(people(ROWS, 1)).learned
        assert isinstance(learned, AttributionLearned)
        return sum(one.rows for one in learned.baseline.attributed.values()), ""
    except ModelError as error:
        return 0, str(error)


def _monitor(endpoint: Endpoint, method: Sampler, budget: int | None) -> wk.Attribution:
    return wk.Attribution(model=endpoint, options=_options(method, budget))


def _options(method: Sampler, budget: int | None) -> ModelOptions:
    return ModelOptions(explain=SampledOptions(method=method, budget=budget))


def _endpoint(address: str) -> Endpoint:
    return Endpoint(address, EndpointOptions(batch=5_000), NAMES)
