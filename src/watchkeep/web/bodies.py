"""What the API is sent."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from watchkeep.adapters.captures.label_segments import is_outcome, told_labels
from watchkeep.adapters.sources.stored.labels import ARRIVAL, ID
from watchkeep.capture.exchange import VARIANT
from watchkeep.capture.names import EXPECTED, is_name
from watchkeep.capture.record import Inference

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_JSON: Final = "application/json"


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"expected {EXPECTED}")
    return text


Name = Annotated[str, AfterValidator(_name)]
Id = Annotated[str, StringConstraints(max_length=1024)]
Micros = Annotated[int, Field(ge=0, le=2**53)]


class Body(BaseModel):
    """One side of an inference as text or bytes: what a server was sent, or sent."""

    model_config = ConfigDict(extra="forbid")
    data: str = Field(description="The body; base64 when encoding says so.")
    content_type: Id = _JSON
    encoding: Annotated[str, StringConstraints(pattern="^(text|base64)$")] = "text"

    def content(self) -> bytes:
        """Its bytes.

        Raises:
            ValueError: it is not base64.
        """
        if self.encoding == "text":
            return self.data.encode()
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise ValueError("data is not base64") from error


class Capture(BaseModel):
    """One recorded inference."""

    model_config = ConfigDict(extra="forbid")
    endpoint: Name
    variant: Name = VARIANT
    input: Any = Field(None, description="JSON as the model was asked; or input_body.")
    output: Any = Field(None, description="JSON as the model answered; or output_body.")
    input_body: Body | None = None
    output_body: Body | None = None
    event_id: Id = Field("", description="Names this inference; sent twice, it counts once.")
    inference_id: Id = Field("", description="What the asker calls it; labels are joined by it.")
    time: AwareDatetime | None = Field(None, description="When it was asked; now, when not told.")
    model_latency: Micros | None = Field(None, description="Microseconds.")
    overhead_latency: Micros | None = Field(None, description="Microseconds.")
    status: int = Field(200, ge=0, le=999)
    custom_attributes: Id = ""

    def inference(self, now: datetime) -> Inference:
        """The record.

        Raises:
            ValueError: a body is not base64.
        """
        given, given_type = _side(self.input, self.input_body, there="input" in self.model_fields_set)
        said, said_type = _side(self.output, self.output_body, there="output" in self.model_fields_set)
        return Inference(
            self.endpoint,
            self.variant,
            self.event_id,
            self.inference_id,
            _micros(self.time or now),
            -1 if self.model_latency is None else self.model_latency,
            -1 if self.overhead_latency is None else self.overhead_latency,
            self.status,
            1.0,
            "",
            self.custom_attributes,
            given_type,
            said_type,
            given,
            said,
        )


def _side(value: Any, body: Body | None, *, there: bool) -> tuple[bytes | None, str]:
    if body is not None:
        return body.content(), body.content_type
    return (json.dumps(value, separators=(",", ":")).encode(), _JSON) if there else (None, "")


class Captures(BaseModel):
    """Some inferences."""

    model_config = ConfigDict(extra="forbid")
    captures: list[Capture] = Field(min_length=1, max_length=10_000)


def _outcome(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError as error:
        expected = "expected a number, true, false, or a text of at most 1,024 characters"
        raise ValueError(f"{expected}; leave out what has no outcome yet") from error


class Label(BaseModel):
    """The true outcome of one inference."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    label: Annotated[bool | int | float | Id, WrapValidator(_outcome)]
    arrival: AwareDatetime | None = Field(None, description="When it came to be known; now, when not told.")


class Labels(BaseModel):
    """True outcomes of what an endpoint predicted."""

    model_config = ConfigDict(extra="forbid")
    endpoint: Name
    name: Name = Field("label", description="What the outcome is called: the column of the role label.")
    labels: list[Label] = Field(min_length=1, max_length=100_000)

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in (ID, ARRIVAL):
            raise ValueError(f"the store calls another column {name}")
        return name

    def told(self, now: datetime) -> tuple[Inference, int]:
        """They as a record for the intake, and how many tell no outcome, and are left out."""
        sound = [
            (one.id, one.label, None if one.arrival is None else _micros(one.arrival))
            for one in self.labels
            if is_outcome(one.label)
        ]
        return told_labels(self.endpoint, self.name, sound, now=_micros(now)), len(self.labels) - len(sound)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
