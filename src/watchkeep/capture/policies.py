"""What is done with the requests and records of an endpoint: admission, sampling, privacy, names of columns."""

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.steps import Step
from watchkeep.core.errors import OptionError, about

if TYPE_CHECKING:
    from watchkeep.capture.admission import Admission

Policy = Literal["flag", "refuse"]
"""What becomes of a request that is not as admission wants it. `flag`: its record says so. `refuse`: it is answered
with status 422, and the model is not asked."""
_POLICIES: Final = ("flag", "refuse")
OPTIONS: Final = ("sampling", "privacy", "admission", "policy", "columns")
"""What may be said of an endpoint; each as `middleware` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EndpointPolicy:
    """What is done with an endpoint's requests and their records. Make one by `of`.

    Args:
        admission: what requests must be like; None when nothing is said about it.
        refuses: whether those that are not are refused, by whoever is asked before the model.
        flagging: looks at records of requests that nobody looked at before.
        after: what is done with records after admission.
        columns: names of values that come without; None when nothing is said about them.
    """

    admission: "Admission | None" = None
    refuses: bool = False
    flagging: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    columns: ColumnNames | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """What values of requests are called that come without names; None where nobody said."""
        return self.columns.input or None if self.columns is not None else None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done with records of requests that nobody looked at before, until they are written."""
        return (*self.flagging, *self.after)

    def tell(self, home: Path, endpoint: str) -> None:
        """Have the names of columns known to whoever seals the endpoint's records, if there are any told.

        Raises:
            OptionError: the home cannot be written.
        """
        if self.columns is not None:
            self.columns.tell(home, endpoint)

    @classmethod
    def of(cls, options: Mapping[str, Any], *, limit: int, endpoint: str = "") -> Self:
        """The policy that some options describe.

        Args:
            options: `sampling`, `privacy`, `admission`, `policy` and `columns`, as `middleware` takes them.
            limit: bytes of a body that is captured.
            endpoint: whose; errors tell it.

        Raises:
            DocumentError: the admission does not follow its schema.
            OptionError: an option is none, or a value cannot be used.
        """
        with about(f"policy of {endpoint}") if endpoint else nullcontext():
            return cls._of(options, limit)

    @classmethod
    def _of(cls, options: Mapping[str, Any], limit: int) -> Self:
        for name in options:
            if name not in OPTIONS:
                raise OptionError("policy", got=str(name), expected=", ".join(OPTIONS), choices=OPTIONS)
        policy = options.get("policy", "flag")
        admission = admission_of(options.get("admission"), policy)
        given = options.get("columns")
        columns = None if given is None else ColumnNames.of(given)
        flagging: tuple[Step, ...] = ()
        if admission is not None:
            from watchkeep.capture.flagging import Flagging

            flagging = (Flagging(admission, limit, columns.input or None if columns is not None else None),)
        return cls(
            admission=admission,
            refuses=policy == "refuse",
            flagging=flagging,
            after=_after(options.get("sampling"), options.get("privacy"), columns or UNNAMED),
            columns=columns,
        )


def admission_of(
    given: "Mapping[str, Any] | str | os.PathLike[str] | None", policy: str = "flag"
) -> "Admission | None":
    """What requests must be like; None where nothing is said about it.

    Args:
        given: a file that `watchkeep admission` wrote, or what it holds.
        policy: see `Policy`.

    Raises:
        DocumentError: it does not follow its schema.
        OptionError: the policy is none, or is to refuse and nothing is given.
    """
    if policy not in _POLICIES:
        raise OptionError("policy", got=str(policy), expected="'flag' or 'refuse'", choices=_POLICIES)
    if given is None:
        if policy == "refuse":
            expected = "a file that `watchkeep admission` wrote, since the policy is to refuse"
            raise OptionError("admission", got="nothing", expected=expected)
        return None
    from watchkeep.capture.admission import Admission

    return Admission.of(given) if isinstance(given, Mapping) else Admission.read(given)


def _after(
    sampling: Mapping[str, Any] | None, privacy: Mapping[str, Any] | None, columns: ColumnNames
) -> tuple[Step, ...]:
    """What is done with records after admission: those chosen that are kept, and redacted."""
    steps: list[Step] = []
    if sampling is not None:
        from watchkeep.capture.sampling import Sampling

        steps.append(Sampling.of(sampling, columns=columns))
    if privacy is not None:
        from watchkeep.capture.redacting import redaction

        steps.append(redaction(privacy, columns=columns))
    return tuple(steps)
