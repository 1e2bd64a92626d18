"""What must not be stored of a body, by rules on columns and by detectors: replaced before anything is written."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from watchkeep.capture import csv_bodies
from watchkeep.capture.changes import changes_of
from watchkeep.capture.columns import Columns, Rule, Unreadable
from watchkeep.capture.detectors import Finder, replaced
from watchkeep.capture.forms import DELIMITERS, encoded, form_of
from watchkeep.capture.json_bodies import DEEP, Ruling, read, written
from watchkeep.capture.searching import searched
from watchkeep.capture.tokens import Tokeniser
from watchkeep.core.errors import OptionError

BROKEN: Final = "it is not what its content type says"
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Redacted(NamedTuple):
    """A body as it may be stored.

    Args:
        body: the bytes; the same object when nothing had to be replaced, and none when the body is withheld.
        counts: how many values were replaced, by action and name of a column ("hash user") or by kind ("card");
            "withheld" counts a body that is not stored, "unreadable" one that is stored and was not looked into.
        why: it could not be looked into; None when it could.
    """

    body: bytes
    counts: Mapping[str, int] = _NOTHING
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Rules on columns, and detectors for all texts. Make one by `of`.

    Args:
        columns: the rules.
        finder: the detectors; None when there are none.
        template: stands in place of what a detector found.
        keep: whether a body that cannot be looked into is stored all the same.
        tokeniser: turns tokens back; None when no column is tokenised.
    """

    columns: Columns
    finder: Finder | None
    template: str
    keep: bool
    tokeniser: Tokeniser | None = field(repr=False)

    @classmethod
    def of(cls, options: Mapping[str, Any], *, key: bytes | None = None) -> Self:
        """The privacy that some options describe.

        Args:
            options: `columns`: what is done with each, by name: "drop", "hash", "tokenise", {"truncate": characters}
                or {"round": places}; `detect`: "all", or a list of kinds and groups; `replace`: what stands in place
                of what was found, "<{kind}>" when not given; `unreadable`: "withhold" or "keep" bodies that cannot be
                looked into.
            key: 16 bytes or more, by which columns are hashed and tokenised.

        Raises:
            OptionError: an option or a value is none of these, or a rule needs a key and there is none.
            MissingExtraError: a column is to be tokenised, and the library for it is not installed.

        >>> privacy = Privacy.of({"columns": {"zip": {"truncate": 3}}, "detect": "all"})
        >>> privacy.redact(b'{"zip": "94105", "note": "ann@example.org", "fare": 1.10}', "application/json").body
        b'{"zip":"941","note":"<email>","fare":1.10}'
        """
        if not isinstance(options, Mapping):
            raise OptionError("privacy", got=str(options), expected=f"a mapping of {', '.join(_OPTIONS)}")
        for name in options:
            if name not in _OPTIONS:
                raise OptionError("privacy", got=str(name), expected=", ".join(_OPTIONS), choices=_OPTIONS)
        wanted = options.get("columns", {})
        if not isinstance(wanted, Mapping):
            raise OptionError("columns", got=str(wanted), expected="an action for each column by its name")
        changes, tokeniser = changes_of({str(name): action for name, action in wanted.items()}, key)
        rules = [(name, Rule(f"{action} {name}", change)) for name, (action, change) in changes.items()]
        detect = options.get("detect", ())
        kinds = [detect] if isinstance(detect, str) else detect
        if not isinstance(kinds, Collection):
            raise OptionError("detect", got=str(detect), expected="'all', or a list of what is to be found")
        unreadable = options.get("unreadable", "withhold")
        if unreadable not in ("keep", "withhold"):
            choices = ("keep", "withhold")
            raise OptionError("unreadable", got=str(unreadable), expected="keep or withhold", choices=choices)
        return cls(
            columns=Columns.of(rules),
            finder=Finder.of(map(str, kinds)) if kinds else None,
            template=_template(options.get("replace", "<{kind}>")),
            keep=unreadable == "keep",
            tokeniser=tokeniser,
        )

    def redact(
        self, body: bytes, content_type: str | None, *, names: Sequence[str] | None = None
    ) -> Redacted:
        """A body as it may be stored.

        Args:
            body: JSON, JSON Lines, CSV or plain text, by its content type; others cannot be looked into.
            content_type: as the header says it; None when there was none, and JSON is tried.
            names: what columns are called that have a place and no name; () when there is nothing among them to
                protect, None when nobody knows: then rules on names withhold such a body.
        """
        if not body or not (self.columns or self.finder):
            return Redacted(body)
        counts: dict[str, int] = {}
        try:
            form, charset = form_of(content_type or "", body)
            text = body.decode(charset)
            mark = "\ufeff" * text.startswith("\ufeff")
            bare = text.removeprefix(mark)
            new = (self._json if form == "json" else self._plain)(bare, form, names, counts)
            return (
                Redacted(body)
                if new is bare
                else Redacted(mark.encode(charset) + encoded(new, charset, form), counts)
            )
        except Unreadable as error:
            why = str(error)
        except RecursionError:
            why = DEEP
        except ValueError:
            why = BROKEN
        return Redacted(body, {"unreadable": 1}, why) if self.keep else Redacted(b"", {"withheld": 1}, why)

    def text(self, text: str) -> str:
        """A text beside a body, such as an id or custom attributes, after the detectors.

        >>> Privacy.of({"detect": ["email"]}).text("for ann@example.org")
        'for <email>'
        """
        hits = self.finder.find(text) if self.finder else []
        return replaced(text, hits, self.template) if hits else text

    def reveal(self, token: str) -> str:
        """The value that a token stands for.

        Raises:
            OptionError: no column is tokenised, or it is no token that this key made.
        """
        if self.tokeniser is None:
            raise OptionError("token", got=token, expected="a token of a column that is tokenised; none is")
        return self.tokeniser.text(token)

    def _json(self, text: str, _: str, names: Sequence[str] | None, counts: dict[str, int]) -> str:
        if not self.columns or self.columns.unmentioned(text, names):
            _checked(text)
        else:
            text = self._ruled(text, names, counts)
        return searched(text, self.finder, self.template, counts) if self.finder else text

    def _ruled(self, text: str, names: Sequence[str] | None, counts: dict[str, int]) -> str:
        """JSON after the rules on columns, or one JSON a line."""
        try:
            body = read(text)
        except ValueError:
            lines = [self._line(line, names, counts) for line in text.split("\n")]
            return "\n".join(lines) if counts else text
        return self._after(body, names, counts) or text

    def _line(self, line: str, names: Sequence[str] | None, counts: dict[str, int]) -> str:
        new = self._after(read(line), names, counts) if line.strip() else None
        return line if new is None else new + "\r" * line.endswith("\r")

    def _after(self, body: Any, names: Sequence[str] | None, counts: dict[str, int]) -> str | None:
        """A body after the rules; None when they changed nothing."""
        ruling = Ruling(self.columns, names, counts)
        body = ruling.body(body)
        return written(body) if ruling.changed else None

    def _plain(self, text: str, form: str, names: Sequence[str] | None, counts: dict[str, int]) -> str:
        """Lines of cells; plain text is looked at as CSV, as it is read so where captures are stored."""
        delimiter = DELIMITERS.get(form, ",")
        new = text
        if self.columns and text:
            new = csv_bodies.ruled(text, delimiter, self.columns, names, counts)
        hits = self.finder.find(new) if self.finder else []
        for hit in hits:
            counts[hit.kind] = counts.get(hit.kind, 0) + 1
        return replaced(new, hits, self.template) if hits else text if new == text else new


_OPTIONS: Final = ("columns", "detect", "replace", "unreadable")
_UNFIT: Final = re.compile(r'[",;\\\x00-\x1f\x7f]').search
_VALID: Final = json.JSONDecoder(parse_float=len, parse_int=len, parse_constant=len).decode


def _template(given: object) -> str:
    if not isinstance(given, str) or _UNFIT(given):
        raise OptionError(
            "replace", got=str(given), expected="text without quotes, commas, semicolons and backslashes"
        )
    return given


def _checked(text: str) -> None:
    """Raises ValueError for a text that is neither JSON nor has JSON in each line."""
    try:
        _VALID(text)
    except ValueError:
        for line in text.split("\n"):
            if line.strip():
                _VALID(line)
