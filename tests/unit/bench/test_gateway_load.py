"""The load of the gateway's benchmark, and the servers that it is put on."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.gateway.load import paced, quantile, script, wrk
from bench.gateway.raw import answer_of
from bench.gateway.servers import bare, gateway, raw, started


def test_answers_have_the_size_and_the_headers_that_were_asked_for() -> None:
    head, _, body = answer_of(100, 2).partition(b"\r\n\r\n")

    assert len(body) == 100
    assert b"content-length: 100\r\n" in head
    assert head.count(b"x-more-") == 2


def test_quantiles_are_of_what_was_seen() -> None:
    late = [float(each) for each in range(100)]

    assert (quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1.0)) == (50.0, 99.0, 99.0)


@pytest.mark.slow
def test_every_request_is_answered_by_each_of_the_servers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        _, upstream, words = raw(100, 0)
        stack.enter_context(started("raw", upstream, *words))
        for name, port, words in (
            bare(upstream),
            gateway(upstream, watching=False),
            gateway(upstream, watching=True, workers=2),
        ):
            server = stack.enter_context(started(name, port, *words))
            late = paced(port, "/invocations", rate=200, seconds=0.5, connections=4)
            assert len(late) == 100
            assert 0 < late[0] <= late[-1]
            assert len(server.workers()) == (2 if name == "watch" else 1)
            assert server.cpu() > 0
            if shutil.which("wrk") is not None:
                load = wrk(port, script(tmp_path, "/invocations"), connections=4, seconds=1)
                assert load.errors == 0
                assert load.requests > 0
                assert load.p99 > 0


def test_a_server_that_does_not_start_is_told() -> None:
    with pytest.raises(RuntimeError, match="nobody does not answer"), started("nobody", 9, "false"):
        pass
