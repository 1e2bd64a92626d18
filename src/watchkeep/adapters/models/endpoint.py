"""Models behind an HTTP endpoint: SageMaker, MLflow and KServe, or what speaks like one of them."""

import base64
import math
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.adapters.models.endpoint_wire import (
    CONTENT_TYPES,
    Answer,
    NoScoreError,
    WireError,
    read,
    shown,
    wire_of,
    written,
)
from watchkeep.core.errors import ModelError, OptionError

Doubles = npt.NDArray[np.float64]

_TRIED: Final = ("csv", "mlflow", "json")
_TRIED_ROWS: Final = 2  # with one, a server that takes the first line for a header could not be told
_NOT_THIS_WIRE: Final = frozenset({400, 406, 413, 415, 422, 424, 500, 501})
_MOMENTARY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOO_LARGE: Final = 413
_SECRET: Final = re.compile("auth|cookie|key|password|secret|token", re.IGNORECASE)
"""Headers whose values are not shown, even where the endpoint repeats them."""
_FIRST_WAIT, _LONGEST_WAIT, _LONGEST_ASKED_WAIT = 0.5, 30.0, 60.0  # seconds
_IDLE: Final = 1.0  # seconds after which a connection may have been closed by the other side
_LARGEST: Final = 64 * 2**20  # bytes of an answer
_SHOWN: Final = 8
"""Columns that are named where they may be what an endpoint does not understand."""
_SUMS_TO_ONE: Final = 2e-3  # how far scores that are rounded to three digits may be from it


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """How an endpoint is asked.

    Args:
        batch: rows a request, at most.
        tries: of each request, at most; more than the first only after faults of the moment.
        timeout_seconds: how long to wait for a connection, and for each piece of an answer.
        calls_per_second: requests begun a second, at most; None for as many as go.
        wire: one of `CONTENT_TYPES`; None to tell it by the URL, or by trying.
        headers: sent with each request, beside ours or instead of them; never shown.
        most_rows: how many rows may be asked about in all; None for no limit.
    """

    batch: int = 1000
    tries: int = 4
    timeout_seconds: float = 30.0
    calls_per_second: float | None = None
    wire: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    most_rows: int | None = None

    def __post_init__(self) -> None:
        for name, count in (("batch", self.batch), ("tries", self.tries), ("most_rows", self.most_rows)):
            if count is not None and count < 1:
                raise OptionError(name, got=str(count), expected="a number >= 1")
        for name, value in (
            ("timeout_seconds", self.timeout_seconds),
            ("calls_per_second", self.calls_per_second),
        ):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise OptionError(name, got=str(value), expected="a number > 0")
        if self.wire is not None and self.wire not in CONTENT_TYPES:
            expected = f"one of {', '.join(CONTENT_TYPES)}"
            raise OptionError("wire", got=self.wire, expected=expected, choices=CONTENT_TYPES)
        for name, text in self.headers.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or name.lower() in _OURS:
                raise OptionError(
                    "headers", got=name, expected=f"the name of a header, not {' or '.join(_OURS)}"
                )
            if not re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", text):
                raise OptionError("headers", got=name, expected="one line of Latin text as its value")
        object.__setattr__(self, "headers", MappingProxyType(dict(self.headers)))


_OURS: Final = ("content-length", "host", "transfer-encoding")


class Endpoint:
    """A model that answers over HTTP; see `Model`.

    Nothing is called before the first `scores`. Rows go in batches, over one connection that is kept for as
    long as one `scores` takes. A batch that is too large for the endpoint (413) is halved, and so are all after
    it. Connections that fail, and statuses that say "not now", are tried again after a random wait that grows,
    or after the wait that the answer asks for; other statuses are errors at once. No redirect is followed, no
    proxy is used, and the certificates of https are verified. For one thread at a time.

    Without a wire, the first two rows of the first batch are sent as CSV, then as MLflow's JSON, then as
    SageMaker's, until one is answered with two rows of scores; these answers are used.

    Where the first answer has two scores a row that are shares of one, only the second is kept: that of the
    positive class.

    Args:
        url: of the scoring itself, http or https; a user and a password in it are sent as Basic authentication.
        options: how it is asked.
        features: the columns it reads, in order; none when not known. MLflow and KServe are sent these names.
        sleep, clock: seconds.

    Raises:
        OptionError: the URL is none.
    """

    kind: Final = "an endpoint"

    def __init__(
        self,
        url: str,
        options: EndpointOptions = EndpointOptions(),
        features: Sequence[str] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = _Place.of(url, options.headers)
        self.features = tuple(features)
        self._options, self._sleep, self._clock = options, sleep, clock
        self._wire = options.wire or wire_of(self._place.target.partition("?")[0])
        self._batch = options.batch
        self._chance = random.Random(0)  # noqa: S311 (it spreads retries)
        self._next_call = -math.inf
        self._calls = self._rows_sent = 0
        self._first: Answer | None = None
        self._two_classes = False

    @property
    def name(self) -> str:
        """The URL, without credentials and query."""
        return self._place.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The label headers of the first answer, one of each score; none before it, or when it has none."""
        if self._first is None or len(self._first.labels) != self._first.scores.shape[1]:
            return ()
        return self._first.labels[1:] if self._two_classes else self._first.labels

    @property
    def calls(self) -> int:
        """Requests begun, with those that failed, were tried again, or tried a wire."""
        return self._calls

    @property
    def rows_sent(self) -> int:
        """Rows asked about: each counts once a `scores`, when the first request that holds it begins.

        That a request is tried again, halved, or written in another wire adds none.
        """
        return self._rows_sent

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`.

        Raises:
            ModelError: it is not there, refuses, or answers otherwise than with one row of finite scores for
                each; with `answering` when it may answer later. Before anything is sent: the columns are not the
                features, or `most_rows` would be passed.
        """
        count = rows.num_rows
        self._refuse_before_sending(rows)
        parts: list[Doubles] = []
        with closing(_Line(self._place, self._options.timeout_seconds, self._clock)) as line:
            at = 0
            while at < count:
                piece = rows.slice(
                    at, min(self._batch, count - at, self._batch if self._wire else _TRIED_ROWS)
                )
                line.end = at + piece.num_rows
                try:
                    answer = self._ask(line, self._wire, piece) if self._wire else self._tried(line, piece)
                except _RefusedError as error:
                    if error.status != _TOO_LARGE or piece.num_rows == 1 or not self._wire:
                        raise
                    self._batch = piece.num_rows // 2
                    continue
                parts.append(self._kept(answer))
                at = line.end
        width = 1 if self._first is None else self._first.scores.shape[1] - self._two_classes
        return np.concatenate(parts) if parts else np.empty((0, width))

    def _refuse_before_sending(self, rows: pa.Table) -> None:
        if not rows.num_columns or (self.features and rows.num_columns != len(self.features)):
            expected = len(self.features) or "some"
            raise ModelError(self.name, why=f"expected {expected} columns, got {rows.num_columns}")
        most, after = self._options.most_rows, self._rows_sent + rows.num_rows
        if most is not None and after > most:
            why = f"{rows.num_rows} more rows would make {after} in all, and at most {most} may be sent"
            raise ModelError(self.name, why=why)

    def _tried(self, line: "_Line", piece: pa.Table) -> Answer:
        """The answer of the first wire that is understood, which is kept."""
        reasons: dict[str, list[str]] = {}
        answering, numberless = False, ""
        for wire in _TRIED:
            try:
                answer = self._ask(line, wire, piece)
            except ModelError as error:
                if isinstance(error, _RefusedError) and error.status not in _NOT_THIS_WIRE:
                    raise
                if isinstance(error.__cause__, NoScoreError):
                    numberless = numberless or f"{error.why} (it was sent {wire})"
                reasons.setdefault(error.why, []).append(wire)
                answering |= error.answering
            else:
                self._wire = wire
                return answer
        why = numberless or _not_understood(reasons, self.features or piece.column_names)
        raise ModelError(self.name, why=why, answering=answering)

    def _kept(self, answer: Answer) -> Doubles:
        """The scores of an answer that is like the first one."""
        scores = answer.scores
        shares = bool(scores.shape[1] == 2 and _are_shares(scores))
        if self._first is None:
            self._first, self._two_classes = answer, shares
        expected = self._first.scores.shape[1]
        if scores.shape[1] != expected:
            why = f"expected {expected} scores of each row as at first, got {scores.shape[1]}"
            raise ModelError(self.name, why=why)
        if self._two_classes and not shares:
            raise ModelError(
                self.name, why="expected two scores of each row that sum to 1 as at first, got others"
            )
        return scores[:, 1:] if self._two_classes else scores

    def _ask(self, line: "_Line", wire: str, piece: pa.Table) -> Answer:
        try:
            body = written(wire, self.features or piece.column_names, piece)
            return read(wire, self._posted(line, wire, body), piece.num_rows)
        except WireError as error:
            raise ModelError(self.name, why=self._place.redacted(str(error))) from error

    def _posted(self, line: "_Line", wire: str, body: bytes) -> bytes:
        ours = {"Content-Type": CONTENT_TYPES[wire], "Accept": CONTENT_TYPES[wire], **self._place.credentials}
        theirs = {name.lower() for name in self._options.headers}
        headers = {name: text for name, text in ours.items() if name.lower() not in theirs}
        headers.update(self._options.headers)
        statuses: list[int | None] = []
        for left in reversed(range(self._options.tries)):
            self._begin(line)
            asked_wait, status = None, None
            try:
                reply = line.post(body, headers)
            except ssl.SSLCertVerificationError as error:
                why = f"its certificate cannot be verified: {error.verify_message}"
                raise _RefusedError(self.name, why=why, status=None) from error
            except (OSError, HTTPException) as error:
                reason = self._place.redacted(shown(str(error) or type(error).__name__))
            else:
                if 200 <= reply.status < 300:
                    return reply.body
                status, reason = reply.status, reply.sentence
                if status not in _MOMENTARY:
                    raise _RefusedError(self.name, why=f"it answered {reason}", status=status)
                asked_wait = reply.asked_wait
            statuses.append(status)
            if left:
                self._sleep(self._wait(self._options.tries - 1 - left) if asked_wait is None else asked_wait)
        raise _RefusedError(self.name, why=_given_up(statuses, reason), status=status, answering=True)

    def _begin(self, line: "_Line") -> None:
        """Waits until a request may begin, and counts it."""
        if self._options.calls_per_second is not None:
            wait = self._next_call - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._next_call = max(self._next_call, self._clock()) + 1 / self._options.calls_per_second
        self._calls += 1
        self._rows_sent += max(0, line.end - line.counted)
        line.counted = max(line.end, line.counted)

    def _wait(self, failed_before: int) -> float:
        return self._chance.random() * min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(failed_before, 10))


def _given_up(statuses: Sequence[int | None], reason: str) -> str:
    """Why a request was given up.

    Args:
        statuses: of each try; None where there was no answer.
        reason: what came of the last.

    >>> _given_up([500, 500], "500 Internal Server Error: oh"), _given_up([None], "timed out")
    ('it answered 500 each time, 2 tries: Internal Server Error: oh', 'no answer in 1 try, the last: timed out')
    """
    tries, status = f"{len(statuses)} {'try' if len(statuses) == 1 else 'tries'}", statuses[-1]
    if status is None or len(set(statuses)) > 1:
        said = "" if status is None else "it answered "
        return f"no answer in {tries}, the last: {said}{reason}"
    often = " each time" if len(statuses) > 1 else ""
    begins = reason.removeprefix(str(status)).strip(" :")
    return f"it answered {status}{often}, {tries}" + (f": {begins}" if begins else "")


def _not_understood(reasons: Mapping[str, Sequence[str]], columns: Sequence[str]) -> str:
    """Why no wire is understood, what may be the reason, and what to say.

    Args:
        reasons: what came of them, and the wires it came of.
        columns: what was sent.

    >>> _not_understood({"it answered 400": ["csv", "json"]}, ["age"]).partition("; --wire")[0]
    "it answered 400, to csv and json alike; it was sent 1 column: 'age'"
    """
    if len(reasons) == 1:
        ((reason, wires),) = reasons.items()
        cause = f"{reason}, to {', '.join(wires[:-1])} and {wires[-1]} alike"
    else:
        told = "; ".join(f"{' and '.join(wires)}: {reason}" for reason, wires in reasons.items())
        cause = f"it understood no wire that was tried ({told})"
    named = ", ".join(repr(name) for name in columns[:_SHOWN])
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    noun = "column" if len(columns) == 1 else "columns"
    return (
        f"{cause}; it was sent {len(columns)} {noun}: {named}{more}; --wire says which wire it speaks, --feature or"
        " --ignore which columns are sent"
    )


def _are_shares(scores: Doubles) -> bool:
    return bool((scores >= 0).all() and (np.abs(scores.sum(axis=1) - 1) <= _SUMS_TO_ONE).all())


class _RefusedError(ModelError):
    """A request that was answered with an error, or not at all (`status` is None)."""

    def __init__(self, model: str, *, why: str, status: int | None, answering: bool = False) -> None:
        super().__init__(model, why=why, answering=answering)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL, in the pieces that are used of it.

    Args:
        target: path and query, as requests name them.
        name: the URL, as people may see it.
        credentials: the header that holds them; none when the URL has none.
        secrets: what must not be shown.
    """

    secure: bool
    host: str
    port: int | None
    target: str = field(repr=False)
    name: str
    credentials: Mapping[str, str] = field(repr=False)
    secrets: Sequence[str] = field(repr=False)

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> "_Place":
        """Raises OptionError when the URL is none of http or https."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError as error:
            raise _not_a_url(url) from error
        if parts.scheme not in ("http", "https") or not host or any(mark <= " " for mark in host):
            raise _not_a_url(url)
        path = quote(parts.path or "/", safe="/:@%!$&'()*+,;=~")
        query = quote(parts.query, safe="/:@%!$&'()*+,;=~?")
        shown_host = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
        credentials, secrets = _credentials(parts)
        secrets += [
            text.split()[-1] for name, text in headers.items() if _SECRET.search(name) and text.strip()
        ]
        return cls(
            secure=parts.scheme == "https",
            host=host,
            port=port,
            target=path + (f"?{query}" if query else ""),
            name=f"{parts.scheme}://{shown_host}{parts.path}",
            credentials=credentials,
            secrets=[secret for secret in (*secrets, parts.query, query) if secret],
        )

    def redacted(self, text: str) -> str:
        """A text of the other side, which may repeat what it was sent."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _credentials(parts: SplitResult) -> tuple[dict[str, str], list[str]]:
    if parts.username is None and parts.password is None:
        return {}, []
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    secrets = [password, parts.password] if parts.password else [user, parts.username]
    return {"Authorization": f"Basic {token}"}, [token, *(secret for secret in secrets if secret)]


def _not_a_url(url: str) -> OptionError:
    got = re.split(r"[?#]", url.rpartition("@")[2])[0]
    return OptionError(
        "endpoint", got=got, expected="a URL of http or https, as http://host:port/invocations"
    )


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    sentence: str
    """Status, reason and how the body begins."""
    asked_wait: float | None
    """Seconds to wait before the next try; None when it does not say."""
    body: bytes


class _Line:
    """One connection, opened when it is needed and kept between requests.

    Args:
        place: where to.
        timeout: seconds.
        clock: seconds.
    """

    def __init__(self, place: _Place, timeout: float, clock: Callable[[], float]) -> None:
        self._place, self._clock, self._used = place, clock, -math.inf
        self._connection = (
            HTTPSConnection(place.host, place.port, timeout=timeout, context=ssl.create_default_context())
            if place.secure
            else HTTPConnection(place.host, place.port, timeout=timeout)
        )
        self.end = 0
        """Where the rows end that are asked about now."""
        self.counted = 0
        """Where the rows end that were asked about so far."""

    def close(self) -> None:
        """Ends the connection; the next request would open another."""
        self._connection.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> _Reply:
        """One request and its answer.

        Raises:
            OSError, HTTPException: there was no whole answer.
            WireError: the answer is too large.
        """
        if self._clock() - self._used > _IDLE:
            self.close()
        try:
            reply = self._exchanged(body, headers)
        except BaseException:
            self.close()
            raise
        self._used = self._clock()
        return reply

    def _exchanged(self, body: bytes, headers: Mapping[str, str]) -> _Reply:
        refused = False
        try:
            self._connection.request("POST", self._place.target, body, dict(headers))
        except (BrokenPipeError, ConnectionResetError):
            if self._connection.sock is None:
                raise
            refused = True  # a server that will not read a large body answers, and hangs up
        with self._connection.getresponse() as response:
            if (response.length or 0) > _LARGEST:
                raise WireError(f"the answer is larger than {_LARGEST} bytes")
            found = response.read(_LARGEST + 1)
            if len(found) > _LARGEST:
                raise WireError(f"the answer is larger than {_LARGEST} bytes")
            if response.length:
                raise IncompleteRead(found, response.length)
            begins = shown(self._place.redacted(found[:20_000].decode("utf-8", "replace")))
            sentence = f"{response.status} {shown(response.reason)}" + (f": {begins}" if begins else "")
            reply = _Reply(response.status, sentence, _asked_wait(response.getheader("Retry-After")), found)
        if refused:
            self.close()
        return reply


def _asked_wait(header: str | None) -> float | None:
    said = (header or "").strip()
    return min(float(said), _LONGEST_ASKED_WAIT) if re.fullmatch(r"[0-9]{1,9}", said) else None
