"""Rules as people write them, read into trees.

    rule      = both {OR both}
    both      = one {AND one}
    one       = NOT one | "(" rule ")" | name condition
    condition = (= | == | != | <> | < | <= | > | >=) value | IS [NOT] NULL
              | [NOT] (IN "(" value {"," value} ")" | BETWEEN value AND value | LIKE text)
    value     = number | 'text' | TRUE | FALSE

Names are bare (`age`, `payload.age`) or in double quotes; words of the language may be in either case. Where it is said
so, texts that are names may be bare too, and numbers have a unit of time: `country in (IS, LI) and latency > 50ms`.

SQL parsers for whole queries take longer to import than a small check takes to run, read some column names as
functions, and forget where in the text a condition stood, which our errors tell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from watchkeep.core.errors import OptionError
from watchkeep.core.rules import (
    NAME,
    WORDS,
    Compare,
    Every,
    Like,
    Not,
    Null,
    OneOf,
    Rule,
    Some,
    Span,
    Value,
)

DEEPEST: Final = 50
"""How deep parentheses and NOTs may nest."""
UNITS: Final = {"us": 1.0, "ms": 1e3, "s": 1e6, "min": 6e7}
"""Units of time, in microseconds."""


def _tokens(more: str = "") -> re.Pattern[str]:
    return re.compile(
        rf"""\s*(?:
          (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])){more}
        | (?P<text>'(?:[^']|'')*')
        | (?P<name>(?:{NAME}|"(?:[^"]|"")*")(?:\.(?:{NAME}|"(?:[^"]|"")*"))*)
        | (?P<sign><=|>=|<>|!=|==|[=<>(),])
        | (?P<end>\Z)
        )""",
        re.VERBOSE,
    )


_TOKEN: Final = _tokens()
_BARE: Final = _tokens(r"| (?P<span>\d+(?:\.\d+)?[a-zA-Z]+(?![\w.]))")
_INTEGER: Final = re.compile(r"[-+]?\d{1,18}")  # longer ones are doubles
_SPAN: Final = re.compile(r"([\d.]+)([a-zA-Z]+)")
_PART: Final = re.compile(rf'{NAME}|"(?:[^"]|"")*"')


def parse_rule(text: str, *, option: str = "segment", bare: bool = False) -> Rule:
    """The tree of a rule.

    Args:
        text: the rule.
        option: what an error calls it.
        bare: whether texts may be bare, and numbers have a unit of time.

    Raises:
        OptionError: the text is no rule; the error names the place, counted from 1, and what is expected there.

    >>> parse_rule("age < 30")
    Compare(column='age', sign='<', value=30, at=1)
    >>> parse_rule("age < ")
    Traceback (most recent call last):
    watchkeep.core.errors.OptionError: segment: got 'age < ', expected a number, 'text', TRUE or FALSE at place 7
    """
    reader = _Reader(text, option, bare=bare)
    rule = reader.rule(0)
    reader.finish()
    return rule


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The token in capitals if it may be a word of the language, else as it stands."""
        return self.text.upper() if self.kind == "name" else self.text


class _Reader:
    def __init__(self, text: str, option: str, *, bare: bool) -> None:
        self._text, self._option, self._bare = text, option, bare
        self._place = 0
        self._next = self._token()

    def finish(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("AND, OR or the end")

    def rule(self, depth: int) -> Rule:
        parts = [self._both(depth)]
        while self._take("OR"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self, depth: int) -> Rule:
        parts = [self._one(depth)]
        while self._take("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self, depth: int) -> Rule:
        if depth > DEEPEST:
            raise self._wrong(f"at most {DEEPEST} conditions inside each other", self._next.at)
        if self._take("NOT"):
            return Not(self._one(depth + 1))
        if self._take("("):
            rule = self.rule(depth + 1)
            self._expect(")")
            return rule
        if self._next.kind != "name" or self._next.word in WORDS:
            raise self._unexpected("the name of a column, NOT or (")
        name = self._advance()
        column = ".".join(_unquoted(part) for part in _PART.findall(name.text))
        return self._condition(column, name.at)

    def _condition(self, column: str, at: int) -> Rule:
        sign = self._next.text
        if self._next.kind == "sign" and sign not in "(,)":
            self._advance()
            if sign in ("<>", "!="):
                return Not(Compare(column, "=", self._value(), at))
            return Compare(column, "=" if sign == "==" else sign, self._value(), at)
        if self._take("IS"):
            negated = self._take("NOT")
            self._expect("NULL")
            return Not(Null(column, at)) if negated else Null(column, at)
        negated = self._take("NOT")
        rule = self._membership(column, at)
        return Not(rule) if negated else rule

    def _membership(self, column: str, at: int) -> Rule:
        if self._take("IN"):
            self._expect("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._expect(")")
            return OneOf(column, tuple(values), at)
        if self._take("BETWEEN"):
            low = self._value()
            self._expect("AND")
            return Every((Compare(column, ">=", low, at), Compare(column, "<=", self._value(), at)))
        if self._take("LIKE"):
            pattern = self._value()
            if not isinstance(pattern, str):
                raise self._wrong("a 'text' after LIKE", at)
            return Like(column, pattern, at)
        raise self._unexpected("=, <>, <, <=, >, >=, IN, BETWEEN, LIKE or IS after a column's name")

    def _value(self) -> Value:
        token = self._next
        if token.kind == "number":
            self._advance()
            return int(token.text) if _INTEGER.fullmatch(token.text) else float(token.text)
        if token.kind == "text":
            self._advance()
            return token.text[1:-1].replace("''", "'")
        if token.word in ("TRUE", "FALSE"):
            self._advance()
            return token.word == "TRUE"
        if self._bare and token.kind == "span":
            return self._span()
        if self._bare and token.kind == "name" and token.word != "NULL":
            self._advance()
            return token.text
        wanted = "a number, 'text', TRUE or FALSE"
        if token.word == "NULL":
            wanted += " (no value equals NULL: write IS NULL)"
        elif token.kind == "name":
            wanted += " (texts stand in single quotes)"
        raise self._unexpected(wanted)

    def _span(self) -> Span:
        token = self._advance()
        found = _SPAN.fullmatch(token.text)
        assert found is not None  # noqa: S101 (it is such a token)
        number, unit = found.groups()
        if unit not in UNITS:
            near = get_close_matches(unit, UNITS, n=1, cutoff=0.5)
            raise self._wrong(f"a unit of time ({', '.join(UNITS)})", token.at, near)
        return Span(float(number) * UNITS[unit])

    def _take(self, word: str) -> bool:
        if self._next.word != word or self._next.kind not in ("name", "sign"):
            return False
        self._advance()
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(word)

    def _advance(self) -> _Token:
        token, self._next = self._next, self._token()
        return token

    def _token(self) -> _Token:
        match = (_BARE if self._bare else _TOKEN).match(self._text, self._place)
        if match is None or match.lastgroup is None:
            start = len(self._text) - len(self._text[self._place :].lstrip())
            quote = self._text[start]
            wanted = f"a closing {quote}" if quote in "'\"" else "a name, a number, a 'text' or a sign"
            raise self._wrong(f"{wanted} for what begins", start + 1)
        self._place = match.end()
        return _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)

    def _unexpected(self, wanted: str) -> OptionError:
        words = [word for word in WORDS if word != self._next.word and re.search(rf"\b{word}\b", wanted)]
        return self._wrong(wanted, self._next.at, get_close_matches(self._next.word, words, n=1))

    def _wrong(self, wanted: str, at: int, near: Sequence[str] = ()) -> OptionError:
        hint = f"; did you mean {near[0]}?" if near else ""
        return OptionError(self._option, got=self._text, expected=f"{wanted} at place {at}{hint}")


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
