"""Refuses what does not fit before a WSGI application is asked."""

import io
from collections.abc import Iterable, Sequence
from time import perf_counter_ns

from watchkeep.capture.admission import Admission
from watchkeep.capture.admission_columns import Problem
from watchkeep.capture.exchange import Capturing
from watchkeep.capture.flagging import Checked
from watchkeep.capture.refusing import CONTENT_TYPE, STATUS, looked_at, reasons, refusal
from watchkeep.capture.wsgi import Application, CaptureMiddleware, Environment, StartResponse, path_of


class AdmissionMiddleware:
    """An application that is asked only what fits; what it is asked, and what it is not, is recorded.

    Args:
        app: the application.
        capturing: which requests are captured; these are looked at, too.
        admission: what they must be like.
        names: of values that come without; None for those of the columns.
    """

    def __init__(
        self,
        app: Application,
        capturing: Capturing,
        admission: Admission,
        names: Sequence[str] | None = None,
    ) -> None:
        self.app, self.capturing, self.admission, self._names = app, capturing, admission, names
        self._captured = CaptureMiddleware(app, capturing)

    def __call__(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """One request, as WSGI has it; see `CaptureMiddleware`."""
        if not self.capturing.wants(environ["REQUEST_METHOD"], path_of(environ)):
            return self._captured(environ, start_response)
        body, complete = self._body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        start = perf_counter_ns()
        kind = environ.get("CONTENT_TYPE") or ""
        problems = looked_at(self.admission, body, kind, self._names) if complete else []
        spent = (perf_counter_ns() - start) // 1000
        if why := reasons(problems):
            whole = len(body) <= self.admission.bytes
            checked = Checked.of(self.capturing, problems, refused=True, whole=whole, spent=spent)
            return CaptureMiddleware(_refusing(why), checked)(environ, start_response)
        if problems:
            checked = Checked.of(self.capturing, problems, refused=False)
            return CaptureMiddleware(self.app, checked)(environ, start_response)
        return self._captured(environ, start_response)

    def _body(self, environ: Environment) -> tuple[bytes, bool]:
        """The body, up to one byte more than it may have; and whether that is all that was sent."""
        stream, most = environ["wsgi.input"], self.admission.bytes + 1
        length = environ.get("CONTENT_LENGTH") or ""
        told = int(length) if length.isdecimal() else None
        if told is None and not environ.get("wsgi.input_terminated"):
            return b"", True
        wanted = most if told is None else min(told, most)
        pieces: list[bytes] = []
        while wanted and (piece := stream.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces), told is None or not wanted


def _refusing(why: Sequence[Problem]) -> Application:
    """An application that refuses a request."""
    body = refusal(why)

    def app(environ: Environment, start_response: StartResponse) -> list[bytes]:
        environ["wsgi.input"].read()
        headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
        start_response(f"{STATUS} Unprocessable Content", headers)
        return [body]

    return app
