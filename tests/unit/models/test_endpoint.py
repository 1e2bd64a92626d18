import datetime
import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from watchkeep.adapters.models.endpoint import Endpoint, EndpointOptions
from watchkeep.adapters.models.endpoint_wire import WireError, read, written
from watchkeep.core.errors import ModelError, OptionError
from watchkeep.service.attribution.models import Model

ROWS = pa.table({"age": [31, 42, 53, 64, 75], "rate": [0.1, 0.2, 0.3, 0.4, 0.5]})
RATES = [[0.1], [0.2], [0.3], [0.4], [0.5]]


@dataclass
class Said:
    """One answer of the server."""

    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    waits_for: threading.Event | None = None


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: str
    connection: object

    @property
    def kind(self) -> str:
        return self.headers["Content-Type"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Play = Callable[[Request], Said]


@dataclass
class Server:
    """A server on loopback that answers each request as it is told, and remembers them."""

    port: int
    play: Play = lambda request: Said()
    asked: list[Request] = field(default_factory=list)

    def url(self, path: str = "/invocations", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            request = Request(self.path, dict(self.headers), body, self.client_address)
            told.asked.append(request)
            said = told.play(request)
            if said.waits_for is not None:
                said.waits_for.wait(10)
            content = said.body.encode() if isinstance(said.body, str) else said.body
            try:
                self.send_response(said.status)
                for name, text in {"Content-Length": str(len(content)), **said.headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # who asked is gone

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        told = Server(listening.server_port)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        listening.shutdown()
        thread.join()


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def endpoint(
    url: str, *, time: Time | None = None, features: tuple[str, ...] = (), **options: Any
) -> Endpoint:
    time = time or Time()
    return Endpoint(url, EndpointOptions(**options), features, sleep=time.sleep, clock=time.clock)


def csv_rows(body: str) -> list[list[str]]:
    return [line.split(",") for line in body.splitlines()]


def in_csv(request: Request) -> Said:
    return Said("".join(f"{row[1]}\n" for row in csv_rows(request.body)))


def in_turn(*answers: Said, then: Play = in_csv) -> Play:
    left = list(answers)
    return lambda request: left.pop(0) if left else then(request)


def predictions(found: object, **more: object) -> Said:
    return Said(json.dumps({"predictions": found, **more}))


def like_mlflow(request: Request) -> Said:
    """As MLflow's scoring server: the first line of CSV is a header."""
    if request.kind == "text/csv":
        return predictions([float(row[1]) for row in csv_rows(request.body)[1:]])
    if "dataframe_split" not in request.json:
        return Said("no dataframe", 400)
    return predictions([row[1] for row in request.json["dataframe_split"]["data"]])


# What it is


def test_it_is_a_model_that_calls_nobody_before_it_is_asked_for_scores(server: Server) -> None:
    model: Model = Endpoint(server.url("/invocations?key=1", user="me:secret@"), features=["age", "rate"])

    assert (model.name, model.kind) == (server.url(), "an endpoint")
    assert (model.features, model.labels) == (("age", "rate"), ())
    assert server.asked == []


def test_no_rows_are_no_call(server: Server) -> None:
    model = endpoint(server.url())

    assert model.scores(ROWS.slice(0, 0)).shape == (0, 1)
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "host:80/x",
        "http://",
        "http://host:eighty/",
        "http://[::1/",
        "http://a..b/x",
        "file:///x",
        "",
    ],
)
def test_what_is_no_url_of_http_is_refused(url: str) -> None:
    with pytest.raises(OptionError, match="http"):
        Endpoint(url)


def test_a_url_that_is_refused_is_shown_without_its_credentials() -> None:
    with pytest.raises(OptionError) as caught:
        Endpoint("http://me:pass/word@host/x?token=1")

    assert "pass" not in str(caught.value)
    assert "word" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"batch": 0},
        {"tries": 0},
        {"timeout_seconds": 0.0},
        {"timeout_seconds": float("inf")},
        {"calls_per_second": -1.0},
        {"calls_per_second": float("nan")},
        {"most_rows": 0},
        {"wire": "cvs"},
        {"headers": {"a b": "c"}},
        {"headers": {"Content-Length": "3"}},
        {"headers": {"X-Key": "secret\r\nX-Other: 1"}},
    ],
)
def test_options_are_checked_when_they_are_built(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError) as caught:
        EndpointOptions(**options)

    assert "secret" not in str(caught.value)


def test_headers_are_not_shown_by_the_options() -> None:
    assert "hush" not in repr(EndpointOptions(headers={"Authorization": "Bearer hush"}))


# Wires


def test_csv_is_a_row_a_line_without_a_header(server: Server) -> None:
    server.play = in_csv
    model = endpoint(server.url(), wire="csv")

    assert model.scores(ROWS).tolist() == RATES
    assert server.asked[0].body == "31,0.1\n42,0.2\n53,0.3\n64,0.4\n75,0.5\n"
    assert (server.asked[0].kind, server.asked[0].headers["Accept"]) == ("text/csv", "text/csv")


def test_csv_may_be_answered_in_one_line_a_batch(server: Server) -> None:
    server.play = lambda request: Said(",".join(row[1] for row in csv_rows(request.body)))

    assert endpoint(server.url(), wire="csv").scores(ROWS).tolist() == RATES


def test_values_in_csv_are_quoted_where_they_must_be() -> None:
    noon = datetime.datetime(2024, 5, 6, 12, 0, tzinfo=datetime.UTC)
    rows = pa.table(
        {
            "text": ['say "a, b"', "line\nbreak", None, "NaN", ""],
            "number": pa.array([1.5, float("nan"), None, 1e300, -0.0]),
            "whole": pa.array([2**60, None, 0, 1, 2]),
            "flag": [True, False, None, True, True],
            "kind": pa.array(["x", "y", None, "x", "x"]).dictionary_encode(),
            "at": pa.array([noon, None, noon, noon, noon], pa.timestamp("ns", "UTC")),
            "day": [datetime.date(2024, 5, 6), None, None, None, None],
            "hour": pa.array([3_600_000_000_123, None, None, None, None], pa.time64("ns")),
        }
    )

    assert written("csv", rows.column_names, rows.slice(0, 3)).decode() == (
        '"say ""a, b""",1.5,1152921504606846976,1,x,2024-05-06T12:00:00+00:00,2024-05-06,01:00:00\n'
        '"line\nbreak",,,0,y,,,\n'
        ",,0,,,2024-05-06T12:00:00+00:00,,\n"
    )
    assert written("csv", rows.column_names, rows.slice(3)).decode().startswith("NaN,1e+300,1,1,x,2024")
    assert written("csv", ["only"], pa.table({"only": [None, 1.0]})) == b'""\n1.0\n'


def test_values_in_json_keep_their_types() -> None:
    rows = pa.table({"t": ["ä", None], "n": [float("nan"), 0.1], "i": [1, 2], "b": [True, None]})

    assert json.loads(written("json", rows.column_names, rows)) == {
        "instances": [["ä", None, 1, True], [None, 0.1, 2, None]]
    }


def test_what_json_cannot_hold_is_not_sent(server: Server) -> None:
    model = endpoint(server.url(), wire="json", most_rows=3)
    with pytest.raises(ModelError, match="infinite"):
        model.scores(pa.table({"a": [float("inf")]}))
    with pytest.raises(ModelError, match=r"'a' is of type list<.*cannot be sent"):
        model.scores(pa.table({"a": [[1, 2]]}))

    assert (server.asked, model.calls, model.rows_sent) == ([], 0, 0)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (0.25, [0.25]),
        ([0.25], [0.25]),
        ([1, 2.5, 0], [1.0, 2.5, 0.0]),
        ({"score": 0.25, "predicted_label": 1}, [0.25]),
        ({"scores": [0.1, 0.2, 0.4]}, [0.1, 0.2, 0.4]),
        ({"probability": 0.25}, [0.25]),
        ({"predicted_label": 0, "probability": 0.9, "probabilities": [0.9, 0.1]}, [0.1]),
        ({"predicted_label": 2}, [2.0]),
        (True, [1.0]),
    ],
)
def test_predictions_in_json_are_numbers_lists_or_objects(
    server: Server, row: object, expected: list[float]
) -> None:
    server.play = lambda request: predictions([row for _ in request.json["instances"]])

    assert endpoint(server.url(), wire="json").scores(ROWS).tolist() == [expected] * 5
    assert server.asked[0].json["instances"][0] == [31, 0.1]
    assert server.asked[0].kind == "application/json"


def test_json_lines_are_objects_of_features(server: Server) -> None:
    def play(request: Request) -> Said:
        rows = [json.loads(line)["features"] for line in request.body.splitlines()]
        return Said("".join(json.dumps({"score": row[1]}) + "\n" for row in rows))

    server.play = play

    model = endpoint(server.url(), wire="jsonlines")
    assert model.scores(ROWS).tolist() == RATES
    assert model.scores(ROWS.slice(0, 1)).tolist() == [[0.1]]
    assert server.asked[0].kind == "application/jsonlines"


def test_mlflow_is_sent_names(server: Server) -> None:
    server.play = like_mlflow

    assert endpoint(server.url(), wire="mlflow").scores(ROWS).tolist() == RATES
    assert endpoint(server.url(), wire="mlflow", features=("x", "y")).scores(ROWS).tolist() == RATES
    assert [one.json["dataframe_split"]["columns"] for one in server.asked] == [["age", "rate"], ["x", "y"]]


def test_kserve_v1_is_told_by_its_url(server: Server) -> None:
    server.play = lambda request: predictions([row[1] for row in request.json["instances"]])

    assert endpoint(server.url("/v1/models/credit:predict")).scores(ROWS).tolist() == RATES
    assert [one.path for one in server.asked] == ["/v1/models/credit:predict"]


def test_kserve_v2_is_sent_one_tensor_of_numbers(server: Server) -> None:
    def play(request: Request) -> Said:
        (tensor,) = request.json["inputs"]
        data = np.array(tensor["data"]).reshape(tensor["shape"])[:, 1].tolist()
        output = {"name": "out", "shape": [len(data), 1], "datatype": "FP64", "data": data}
        return Said(json.dumps({"outputs": [output]}))

    server.play = play

    assert endpoint(server.url("/v2/models/credit/infer?x=1")).scores(ROWS.slice(0, 2)).tolist() == RATES[:2]
    assert server.asked[0].json["inputs"] == [
        {"name": "input-0", "shape": [2, 2], "datatype": "FP64", "data": [31, 0.1, 42, 0.2]}
    ]


def test_kserve_v2_is_sent_a_tensor_a_column_when_some_hold_text() -> None:
    rows = pa.table({"town": ["Rome", None], "age": [3, 4], "own": [True, False]})

    assert json.loads(written("kserve-v2", rows.column_names, rows))["inputs"] == [
        {"name": "town", "shape": [2, 1], "datatype": "BYTES", "data": ["Rome", None]},
        {"name": "age", "shape": [2, 1], "datatype": "FP64", "data": [3, 4]},
        {"name": "own", "shape": [2, 1], "datatype": "FP64", "data": [1, 0]},
    ]


def tensors(*outputs: tuple[str, str, list[int], list[Any]]) -> bytes:
    names = ("name", "datatype", "shape", "data")
    return json.dumps({"outputs": [dict(zip(names, one, strict=True)) for one in outputs]}).encode()


def test_of_several_tensors_that_of_scores_is_read() -> None:
    label = ("label", "INT64", [2], [0, 1])
    flat = tensors(label, ("out", "FP32", [2, 3], [1, 2, 3, 4, 5, 6]))
    nested = tensors(("x", "FP32", [2], [9, 9]), ("probabilities", "FP32", [2, 2], [[1, 2], [3, 4]]), label)

    assert read("kserve-v2", flat, 2).scores.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert read("kserve-v2", nested, 2).scores.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (tensors(("a", "FP32", [2, 2], [1, 2, 3])), r"shape is \[2, 2\], and it holds 3"),
        (tensors(("a", "FP32", [3], [1, 2, 3])), "2 rows, got 3"),
        (tensors(("a", "FP32", [10**12, 0], [])), "2 rows, got 1000000000000"),
        (tensors(("a", "BYTES", [2], ["x", "y"])), "holds .x., expected numbers"),
        (tensors(("a", "INT64", [2], [1, 2]), ("b", "INT64", [2], [1, 2])), "several outputs.*a, b"),
        (tensors(("a", "FP32", [-1], [])), "not a list"),
        (b'{"outputs": []}', "no list of outputs"),
        (b"[0.1, 0.2]", "no list of outputs"),
    ],
)
def test_tensors_that_are_no_scores_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        read("kserve-v2", body, 2)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ({"content_type": "text/csv", "data": "0.6\n0.7\n"}, [[0.6], [0.7]]),
        ({"content_type": "application/json", "data": '{"predictions": [0.6, 0.7]}'}, [[0.6], [0.7]]),
        ({"content_type": "application/jsonlines", "data": '{"score": 0.6}\n{"score": 0.7}'}, [[0.6], [0.7]]),
    ],
)
def test_answers_that_come_with_explanations_are_read(inner: object, expected: list[list[float]]) -> None:
    body = json.dumps(
        {
            "version": "1.0",
            "predictions": inner,
            "label_headers": ["p"],
            "explanations": {"kernel_shap": [None, None]},
        }
    )
    answer = read("csv", body.encode(), 2)

    assert (answer.scores.tolist(), answer.labels) == (expected, ("p",))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "empty, expected scores of 2 rows"),
        ("0.1\n", "2 rows, got 1"),
        ("0.1\n0.2\n0.3\n", "2 rows, got 3"),
        ("0.1\nNaN\n", "row 1 of 2 is nan"),
        ("0.1\ninf\n", "row 1 of 2 is inf"),
        ("0.1\nyes\n", "'yes', expected numbers"),
        ("0.1,0.2\n0.3\n", r"as many scores of each row, got \[1, 2\]"),
        ('{"predictions": [NaN, 1]}', "row 0 of 2 is nan"),
        ('{"predictions": [null, 1]}', "holds null, expected numbers"),
        ('{"predictions": [[], []]}', r"as many scores of each row, got \[0\]"),
        ('{"predictions": ["no", "yes"]}', "holds .no., expected numbers"),
        ('{"predictions": [{"score": 1}, {"probability": 1}]}', "score, of others not"),
        ('{"predictions": [{"a": 1}, {"a": 1}]}', "a row's answer has a, expected one of"),
        ('{"predictions": {"content_type": "text/csv", "data": ""}}', "2 rows, got 0"),
        ('{"predictions": [1' + "0" * 400 + ", 1]}", "beyond all floats"),
        ('{"predictions": [0.1, ', "neither JSON nor CSV"),
        ("[" * 100_000, "neither JSON nor CSV"),
        ("<html><body>Sign in</body></html>", "a page.*Sign in"),
        ("a" * 200_000, "cannot be read as CSV"),
    ],
)
def test_answers_that_are_no_scores_are_refused(body: str, why: str) -> None:
    with pytest.raises(WireError, match=why):
        read("csv", body.encode(), 2)


def test_an_answer_that_is_no_text_is_refused() -> None:
    with pytest.raises(WireError, match="not UTF-8"):
        read("csv", b"\x1f\x8b\x08\xff", 1)


def test_a_list_that_answers_one_row_holds_its_scores() -> None:
    assert read("csv", b"[0.1, 0.2, 0.3]", 1).scores.tolist() == [[0.1, 0.2, 0.3]]
    assert read("csv", b"[0.1, 0.2, 0.3]", 3).scores.tolist() == [[0.1], [0.2], [0.3]]
    assert read("csv", b"0.1,0.2,0.3", 1).scores.tolist() == [[0.1, 0.2, 0.3]]
    assert read("csv", b"0.6", 1).scores.tolist() == [[0.6]]


# Which wire


def test_csv_is_tried_first_and_its_answers_are_used(server: Server) -> None:
    server.play = in_csv
    model = endpoint(server.url())

    assert model.scores(ROWS).tolist() == RATES
    assert [len(csv_rows(one.body)) for one in server.asked] == [2, 3]
    assert (model.calls, model.rows_sent) == (2, 5)


def test_a_server_that_takes_the_first_row_for_a_header_is_asked_as_mlflow(server: Server) -> None:
    server.play = like_mlflow
    model = endpoint(server.url())

    assert model.scores(ROWS).tolist() == RATES
    assert [one.kind for one in server.asked] == ["text/csv", "application/json", "application/json"]
    assert (model.calls, model.rows_sent) == (3, 5)
    model.scores(ROWS)
    assert (model.calls, model.rows_sent) == (4, 10)


def test_one_row_is_enough_to_tell_the_wire(server: Server) -> None:
    server.play = like_mlflow

    assert endpoint(server.url()).scores(ROWS.slice(0, 1)).tolist() == [[0.1]]


def test_json_is_tried_last(server: Server) -> None:
    def play(request: Request) -> Said:
        if request.kind != "application/json" or "instances" not in request.json:
            return Said("what is this?", 415)
        return predictions([{"score": row[1]} for row in request.json["instances"]])

    server.play = play

    model = endpoint(server.url())
    assert model.scores(ROWS).tolist() == RATES
    assert (model.calls, model.rows_sent) == (4, 5)


def test_when_no_wire_is_understood_each_answer_is_told(server: Server) -> None:
    server.play = in_turn(
        Said("no csv", 415), Said("<html>hello</html>"), then=lambda request: predictions([1])
    )
    model = endpoint(server.url())

    with pytest.raises(
        ModelError, match=r"csv: it answered 415 .*no csv; mlflow: .*hello.*; json: .*got 1\)"
    ) as caught:
        model.scores(ROWS)
    assert not caught.value.answering
    assert (model.calls, model.rows_sent) == (3, 2)


def test_one_cause_in_every_wire_is_told_once_with_the_columns_and_what_to_say(server: Server) -> None:
    server.play = lambda request: Said("expected 2 features", 400)
    rows = pa.table({f"column {at}": [1.0, 2.0] for at in range(13)})

    with pytest.raises(ModelError) as caught:
        endpoint(server.url()).scores(rows)
    named = ", ".join(f"'column {at}'" for at in range(8))
    assert caught.value.why == (
        "it answered 400 Bad Request: expected 2 features, to csv, mlflow and json alike; it was sent 13 columns: "
        f"{named} and 5 more; --wire says which wire it speaks, --feature or --ignore which columns are sent"
    )


def test_a_server_that_fails_at_every_wire_says_so_once(server: Server) -> None:
    server.play = lambda request: Said("crash", 500)

    with pytest.raises(ModelError) as caught:
        endpoint(server.url(), tries=2).scores(ROWS)
    assert caught.value.why.startswith(
        "it answered 500 each time, 2 tries: Internal Server Error: crash, to csv, "
    )
    assert caught.value.why.count("500") == 1
    assert caught.value.answering


def test_different_faults_of_the_moment_are_told_by_the_last(server: Server) -> None:
    server.play = in_turn(Said("", 503), then=lambda request: Said("", 429))

    with pytest.raises(
        ModelError, match=r"no answer in 3 tries, the last: it answered 429 Too Many Requests$"
    ):
        endpoint(server.url(), wire="csv", tries=3).scores(ROWS)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("nan\n0.5\n", r"the score of row 0 of 2 is nan, expected a finite number \(it was sent csv\)"),
        ('{"predictions": [0.5, null]}', r"the answer holds null, expected numbers \(it was sent csv\)"),
    ],
)
def test_a_score_that_is_no_number_is_told_as_such_and_not_as_a_wire(
    server: Server, body: str, why: str
) -> None:
    server.play = lambda request: Said(body)

    with pytest.raises(ModelError, match=f": {why}$"):
        endpoint(server.url()).scores(ROWS)


def test_a_wire_with_numbers_is_taken_after_one_without(server: Server) -> None:
    def play(request: Request) -> Said:
        return Said("nan\nnan\n") if request.kind == "text/csv" else like_mlflow(request)

    server.play = play

    assert endpoint(server.url()).scores(ROWS).tolist() == RATES


def test_a_server_that_fails_at_csv_is_asked_otherwise_after_all_tries(server: Server) -> None:
    server.play = lambda request: Said("crash", 500) if request.kind == "text/csv" else like_mlflow(request)
    model = endpoint(server.url(), tries=3)

    assert model.scores(ROWS).tolist() == RATES
    assert model.calls == 3 + 2


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405])
def test_what_would_fail_in_every_wire_is_not_tried_again(server: Server, status: int) -> None:
    server.play = lambda request: Said("", status, {"Location": "http://127.0.0.1:9/elsewhere"})
    model = endpoint(server.url())

    with pytest.raises(ModelError, match=f"it answered {status} ") as caught:
        model.scores(ROWS)
    assert (model.calls, caught.value.answering) == (1, False)


# Scores and labels


def test_of_two_classes_the_score_of_the_positive_one_is_kept(server: Server) -> None:
    def play(request: Request) -> Said:
        rates = [row[1] for row in request.json["instances"]]
        return predictions([[1 - rate, rate] for rate in rates], label_headers=["no", "yes"])

    server.play = play
    model = endpoint(server.url(), wire="json", batch=2)

    assert np.allclose(model.scores(ROWS), RATES)
    assert model.labels == ("yes",)


def test_two_scores_that_are_no_shares_are_both_kept(server: Server) -> None:
    server.play = lambda request: predictions(
        [[0.9, 0.8] for _ in request.json["instances"]], label_headers=["a", "b"]
    )
    model = endpoint(server.url(), wire="json")

    assert model.scores(ROWS).tolist() == [[0.9, 0.8]] * 5
    assert model.labels == ("a", "b")


def test_label_headers_that_do_not_fit_the_scores_are_left_out(server: Server) -> None:
    server.play = lambda request: predictions(
        [0.5 for _ in request.json["instances"]], label_headers=["a", "b"]
    )
    model = endpoint(server.url(), wire="json")
    model.scores(ROWS)

    assert model.labels == ()


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ([[1, 2, 3]], [[1, 2]], "expected 3 scores of each row as at first, got 2"),
        ([[0.5, 0.5]], [[3, 2]], "sum to 1"),
        ([[0.5, 0.5]], [[0.5]], "expected 2 scores"),
    ],
)
def test_scores_that_change_their_shape_are_refused(
    server: Server, first: object, then: object, why: str
) -> None:
    server.play = in_turn(predictions(first), predictions(then))
    model = endpoint(server.url(), wire="json")
    model.scores(ROWS.slice(0, 1))

    with pytest.raises(ModelError, match=why):
        model.scores(ROWS.slice(0, 1))


def test_one_score_too_few_says_what_came(server: Server) -> None:
    server.play = lambda request: Said("0.1\n" * 4)

    with pytest.raises(ModelError, match="expected scores of 5 rows, got 4") as caught:
        endpoint(server.url(), wire="csv").scores(ROWS)
    assert not caught.value.answering


@pytest.mark.parametrize("rows", [pa.table({"a": [1]}), pa.table({"a": [1], "b": [1], "c": [1]})])
def test_other_columns_than_the_features_are_not_sent(server: Server, rows: pa.Table) -> None:
    with pytest.raises(ModelError, match=f"expected 2 columns, got {rows.num_columns}"):
        endpoint(server.url(), features=("a", "b")).scores(rows)
    assert server.asked == []


# Batches, budgets and rates


def test_rows_go_in_batches_over_one_connection(server: Server) -> None:
    server.play = in_csv
    model = endpoint(server.url(), wire="csv", batch=2)

    assert model.scores(ROWS).tolist() == RATES
    assert [len(csv_rows(one.body)) for one in server.asked] == [2, 2, 1]
    assert len({one.connection for one in server.asked}) == 1
    assert (model.calls, model.rows_sent) == (3, 5)


def test_a_batch_that_is_too_large_is_halved_for_good(server: Server) -> None:
    server.play = lambda request: in_csv(request) if len(csv_rows(request.body)) < 3 else Said("", 413)
    model = endpoint(server.url(), wire="csv")

    assert model.scores(ROWS).tolist() == RATES
    assert [len(csv_rows(one.body)) for one in server.asked] == [5, 2, 2, 1]
    assert (model.calls, model.rows_sent) == (4, 5)
    model.scores(ROWS)
    assert (model.calls, model.rows_sent) == (7, 10)


def test_one_row_that_is_too_large_is_an_error(server: Server) -> None:
    server.play = lambda request: Said("too much", 413)
    model = endpoint(server.url(), wire="csv")

    with pytest.raises(ModelError, match=r"413 .*too much"):
        model.scores(ROWS)
    assert (model.calls, model.rows_sent) == (3, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="others may drop what came before a reset")
def test_a_server_that_hangs_up_on_a_large_body_is_still_understood() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            while True:
                heard, _ = listening.accept()
                with heard:
                    begins = heard.recv(100)
                    if b"enough" in begins:
                        return
                    heard.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        model = endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/invocations", wire="csv")
        with pytest.raises(ModelError, match="413"):
            model.scores(pa.table({"a": ["x" * 2_000_000] * 2}))
        with socket.create_connection(listening.getsockname()) as told:
            told.sendall(b"enough")
            thread.join()


def test_rows_beyond_the_budget_are_not_sent(server: Server) -> None:
    server.play = in_csv
    model = endpoint(server.url(), most_rows=9)
    model.scores(ROWS)
    asked = len(server.asked)

    with pytest.raises(ModelError, match="5 more rows would make 10 in all, and at most 9"):
        model.scores(ROWS)
    assert (len(server.asked), model.rows_sent) == (asked, 5)
    model.scores(ROWS.slice(0, 4))
    assert model.rows_sent == 9


def test_no_more_requests_begin_a_second_than_allowed(server: Server) -> None:
    server.play = in_turn(Said("", 503, {"Retry-After": "0"}))
    time = Time()
    endpoint(server.url(), time=time, wire="csv", batch=2, calls_per_second=4.0).scores(ROWS)

    assert len(server.asked) == 4
    assert time.slept == [0.0, 0.25, 0.25, 0.25]


# Faults


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_faults_of_the_moment_are_tried_again(server: Server, status: int) -> None:
    server.play = in_turn(Said("", status), Said("", status))
    time = Time()
    model = endpoint(server.url(), time=time, wire="csv")

    assert model.scores(ROWS).tolist() == RATES
    assert (model.calls, model.rows_sent, len(time.slept)) == (3, 5, 2)
    assert 0 <= time.slept[0] <= 0.5
    assert 0 <= time.slept[1] <= 1.0


@pytest.mark.parametrize(("said", "waited"), [("7", 7.0), ("9999", 60.0)])
def test_the_wait_that_is_asked_for_is_kept(server: Server, said: str, waited: float) -> None:
    server.play = in_turn(Said("", 429, {"Retry-After": said}))
    time = Time()
    endpoint(server.url(), time=time, wire="csv").scores(ROWS)

    assert time.slept == [waited]


@pytest.mark.parametrize("said", ["soon", "-3", "Wed, 21 Oct 2026 07:28:00 GMT", "1e3"])
def test_a_wait_that_is_not_in_seconds_is_ours(server: Server, said: str) -> None:
    server.play = in_turn(Said("", 429, {"Retry-After": said}))
    time = Time()
    endpoint(server.url(), time=time, wire="csv").scores(ROWS)

    assert len(time.slept) == 1
    assert time.slept[0] <= 0.5


def test_faults_of_the_moment_that_stay_are_an_error(server: Server) -> None:
    server.play = lambda request: Said("<h1>\nbusy\x1b[31m</h1>", 503)
    time = Time()
    model = endpoint(server.url(), time=time, tries=6)

    with pytest.raises(
        ModelError, match=r"it answered 503 each time, 6 tries: Service Unavailable: <h1> busy\[31m</h1>$"
    ) as caught:
        model.scores(ROWS)
    assert caught.value.answering
    assert (model.calls, model.rows_sent, len(time.slept)) == (6, 2, 5)


def test_other_errors_are_told_at_once(server: Server) -> None:
    server.play = lambda request: Said("bad " + "x" * 500, 422)
    model = endpoint(server.url(), wire="csv")

    with pytest.raises(ModelError, match=r"it answered 422 Unprocessable \w+: bad x{196}$") as caught:
        model.scores(ROWS)
    assert (model.calls, caught.value.answering) == (1, False)


def test_an_answer_that_does_not_come_is_tried_again(server: Server) -> None:
    late = threading.Event()
    server.play = in_turn(Said("0", waits_for=late))
    model = endpoint(server.url(), wire="csv", timeout_seconds=0.2)
    try:
        assert model.scores(ROWS).tolist() == RATES
    finally:
        late.set()
    assert model.calls == 2


def test_an_answer_that_never_comes_is_an_error(server: Server) -> None:
    late = threading.Event()
    server.play = lambda request: Said("0", waits_for=late)
    try:
        with pytest.raises(ModelError, match="no answer in 2 tries, the last: timed out") as caught:
            endpoint(server.url(), wire="csv", timeout_seconds=0.1, tries=2).scores(ROWS)
    finally:
        late.set()
    assert caught.value.answering


def test_a_connection_that_is_refused_is_an_error_after_all_tries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    model = endpoint(f"http://127.0.0.1:{port}/invocations", tries=3)

    with pytest.raises(ModelError, match=r"no answer in 3 tries, the last: .*refused") as caught:
        model.scores(ROWS)
    assert caught.value.answering
    assert model.calls == 3


def test_an_answer_that_breaks_off_is_tried_again(server: Server) -> None:
    broken = Said("0.1\n", 200, {"Content-Length": "400", "Connection": "close"})
    server.play = in_turn(broken)
    model = endpoint(server.url(), wire="csv")

    assert model.scores(ROWS).tolist() == RATES
    assert model.calls == 2


def test_what_is_no_http_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            heard, _ = listening.accept()
            with heard:
                heard.recv(65536)
                heard.sendall(b"SSH-2.0-hello\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(ModelError, match="no answer in 1 try, the last: SSH-2"):
            endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/", wire="csv", tries=1).scores(ROWS)
        thread.join()


def test_an_answer_that_is_too_large_is_not_read(server: Server) -> None:
    server.play = lambda request: Said("", 200, {"Content-Length": str(2**40)})
    model = endpoint(server.url(), wire="csv")

    with pytest.raises(ModelError, match="larger than 67108864 bytes"):
        model.scores(ROWS)
    assert model.calls == 1


def test_an_answer_of_no_stated_length_is_read_up_to_a_limit(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchkeep.adapters.models.endpoint._LARGEST", 20)
    chunks = b"".join(b"4\r\n0.1\n\r\n" for _ in range(9)) + b"0\r\n\r\n"
    server.play = lambda request: Said(chunks, 200, {"Transfer-Encoding": "chunked"})

    with pytest.raises(ModelError, match="larger than 20 bytes"):
        endpoint(server.url(), wire="csv").scores(ROWS)


def test_a_certificate_that_cannot_be_verified_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    monkeypatch.setattr("http.client.HTTPSConnection.connect", refuse)
    model = endpoint("https://127.0.0.1:9/invocations")

    with pytest.raises(ModelError, match="cannot be verified: self-signed certificate") as caught:
        model.scores(ROWS)
    assert (model.calls, caught.value.answering) == (1, False)


def test_a_connection_that_was_idle_is_opened_anew(server: Server) -> None:
    server.play = in_csv
    endpoint(server.url(), wire="csv", batch=2, calls_per_second=0.1).scores(ROWS)

    assert len({one.connection for one in server.asked}) == 3


# Secrets and headers


def test_credentials_are_sent_and_never_shown(server: Server) -> None:
    server.play = lambda request: Said(f"{request.headers['Authorization']} h@sh h%40sh {request.path}", 400)
    model = endpoint(server.url("/invocations?token=very-secret", user="me:h%40sh@"), wire="csv")

    with pytest.raises(ModelError) as caught:
        model.scores(ROWS)
    assert server.asked[0].headers["Authorization"] == "Basic bWU6aEBzaA=="
    assert server.asked[0].path == "/invocations?token=very-secret"
    assert (
        str(caught.value)
        == f"{server.url()}: it answered 400 Bad Request: Basic *** *** *** /invocations?***"
    )
    assert "h%40sh" not in repr(vars(model))


def test_a_user_without_a_password_is_a_secret_too(server: Server) -> None:
    server.play = lambda request: Said("no, tok-123", 403)

    with pytest.raises(ModelError, match=r"no, \*\*\*$"):
        endpoint(server.url(user="tok-123@"), wire="csv").scores(ROWS)


def test_headers_are_sent_instead_of_ours(server: Server) -> None:
    server.play = lambda request: Said(f"bad {request.headers['authorization']}", 403)
    headers = {
        "authorization": "Bearer hush",
        "ACCEPT": "application/json",
        "X-Amzn-SageMaker-Target-Model": "a",
    }
    model = endpoint(server.url(user="me:pw@"), wire="csv", headers=headers)

    with pytest.raises(ModelError, match=r"bad Bearer \*\*\*$"):
        model.scores(ROWS)
    sent = server.asked[0].headers
    assert (sent["authorization"], sent["ACCEPT"]) == ("Bearer hush", "application/json")
    assert sent["X-Amzn-SageMaker-Target-Model"] == "a"
    assert {"Authorization", "Accept"}.isdisjoint(sent)


def test_no_proxy_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.play = in_csv

    assert endpoint(server.url(), wire="csv", tries=1).scores(ROWS).tolist() == RATES


def test_paths_are_sent_quoted(server: Server) -> None:
    server.play = in_csv
    endpoint(server.url("/my model/ä%20b"), wire="csv").scores(ROWS)

    assert server.asked[0].path == "/my%20model/%C3%A4%20b"
