"""Privacy as a step of recording: what must not be stored is taken out of a record before it is written."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchkeep.capture.admission import LONGEST
from watchkeep.capture.admission_columns import UNKNOWN
from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.flags import ADMISSION, admission_of, with_flag
from watchkeep.capture.privacy import Privacy
from watchkeep.capture.record import Inference
from watchkeep.capture.tokens import LEAST
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import OptionError

KEY: Final = "WATCHKEEP_PRIVACY_KEY"
"""The environment variable with the key of hashes and tokens, as hexadecimal digits."""


def redaction(options: Mapping[str, Any], *, columns: ColumnNames = UNNAMED) -> "Redaction":
    """The step that some options describe; see `Privacy.of`. Its key is that of the environment.

    Args:
        options: what must not be stored.
        columns: names of values that come without.

    Raises:
        OptionError: an option is none, the key is not hexadecimal, or a rule needs a key and there is none.
        MissingExtraError: a column is to be tokenised, and the library for it is not installed.
    """
    text = os.environ.get(KEY)
    try:
        key = None if text is None else bytes.fromhex(text)
    except ValueError as error:
        raise OptionError(
            KEY, got="a text that is not shown", expected="32 or more hexadecimal digits"
        ) from error
    try:
        privacy = Privacy.of(options, key=key)
    except OptionError as error:
        if error.option != "key":
            raise
        got = "nothing" if key is None else error.got
        expected = f"{2 * LEAST} or more hexadecimal digits: {error.expected}"
        raise OptionError(KEY, got=got, expected=expected) from error
    return Redaction(privacy, columns.input or None, columns.output)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes out of bodies, and of custom attributes, what must not be stored. Ids stay: labels are joined by them.

    Args:
        privacy: what that is.
        names: what columns of requests are called that come without names; None when nobody knows.
        answers: the same of answers; () when there is nothing among them to protect.
    """

    privacy: Privacy
    names: Sequence[str] | None = None
    answers: Sequence[str] | None = ()

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:  # noqa: ARG002
        """See `Step`: every record stays; a body that cannot be looked into does not, and its flags say why."""
        return [self._redacted(one) for one in records]

    def _redacted(self, one: Inference) -> Inference:
        flags, given, said = one.flags, one.input, one.output
        if given:
            found = self.privacy.redact(given, one.input_type, names=self.names)
            given = found.body
            if found.why is not None and not given:
                given, flags = None, with_flag(flags, "input", f"withheld: {found.why}")
        if said:
            found = self.privacy.redact(said, one.output_type, names=self.answers)
            said = found.body
            if found.why is not None and not said:
                said, flags = None, with_flag(flags, "output", f"withheld: {found.why}")
        attributes = self.privacy.text(one.attributes) if one.attributes else ""
        if flags:
            flags = self._without_values(flags)
        if given is one.input and said is one.output and attributes == one.attributes and flags == one.flags:
            return one
        return one._replace(input=given, output=said, flags=flags, attributes=attributes)

    def _without_values(self, flags: str) -> str:
        """What admission found, without the values that it found."""
        problems = admission_of(flags)
        if not problems:
            return flags
        for problem in problems:
            if isinstance(problem, dict):
                problem.pop("got", None)
                if problem.get("what") == UNKNOWN:
                    problem["column"] = self._told(str(problem.get("column", "")))
        return with_flag(flags, ADMISSION, problems)

    def _told(self, name: str) -> str:
        """The name of a column that nobody knows: whoever asked made it up, so that it may say anything."""
        for dot in re.finditer(r"\.", name):
            if self.privacy.columns.of_path(name[: dot.start()]) is not None:
                return name[: dot.start()]
        cut = self.privacy.finder is not None and len(name) >= LONGEST
        return "" if cut else self.privacy.text(name)
