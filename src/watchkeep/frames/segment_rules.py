"""The language of segments: the conditions of SQL's WHERE over the columns of one row, read into a tree.

    rule      = both {OR both}
    both      = one {AND one}
    one       = NOT one | "(" rule ")" | name condition
    condition = (= | == | != | <> | < | <= | > | >=) value | IS [NOT] NULL
              | [NOT] (IN "(" value {"," value} ")" | BETWEEN value AND value | LIKE text)
    value     = number | 'text' | TRUE | FALSE

Names are bare (`age`, `payload.age`) or in double quotes; words of the language may be in either case. SQL parsers
for whole queries take longer to import than a small check takes to run, read some column names as functions, and
forget where in the text a condition stood, which our errors tell.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from watchkeep.core.errors import OptionError

Value: TypeAlias = bool | int | float | str
"""What a column is compared with."""

DEEPEST: Final = 50
"""How deep parentheses and NOTs may nest."""

_WORDS: Final = frozenset(["AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"])
_NAME: Final = r"[^\W\d][\w$]*"
_TOKEN: Final = re.compile(
    rf"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>(?:{_NAME}|"(?:[^"]|"")*")(?:\.(?:{_NAME}|"(?:[^"]|"")*"))*)
    | (?P<sign><=|>=|<>|!=|==|[=<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_INTEGER: Final = re.compile(r"[-+]?\d{1,18}")  # longer ones are doubles
_PART: Final = re.compile(rf'{_NAME}|"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class Compare:
    """A column beside one value. `sign` is one of = < <= > >=; `at` is the place of the name in the rule."""

    column: str
    sign: str
    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column that equals one of some values."""

    column: str
    values: tuple[Value, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Like:
    """A column whose text is like a pattern: % stands for any characters, _ for one, a backslash for none."""

    column: str
    pattern: str
    at: int


@dataclass(frozen=True, slots=True)
class Null:
    """A column without a value."""

    column: str
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """What a condition is not; unknown where the condition is."""

    part: "Rule"


@dataclass(frozen=True, slots=True)
class Every:
    """Several conditions that hold together."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Several conditions of which one holds."""

    parts: tuple["Rule", ...]


Rule: TypeAlias = Compare | OneOf | Like | Null | Not | Every | Some


def parse_rule(text: str) -> Rule:
    """The tree of a rule.

    Raises:
        OptionError: the text is no rule; the error names the place, counted from 1, and what is expected there.

    >>> parse_rule("age < 30")
    Compare(column='age', sign='<', value=30, at=1)
    >>> parse_rule("age < ")
    Traceback (most recent call last):
    watchkeep.core.errors.OptionError: segment: got 'age < ', expected a number, 'text', TRUE or FALSE at place 7
    """
    reader = _Reader(text)
    rule = reader.rule(0)
    reader.finish()
    return rule


def conditions(rule: Rule) -> Iterator[Compare | OneOf | Like | Null]:
    """The conditions of a rule on single columns, from left to right."""
    if isinstance(rule, Not):
        yield from conditions(rule.part)
    elif isinstance(rule, Every | Some):
        for part in rule.parts:
            yield from conditions(part)
    else:
        yield rule


def written_name(column: str) -> str:
    """A column's name as a rule spells it: bare where it can be.

    >>> print(written_name("age"), written_name("marital status"), written_name("in"))
    age "marital status" "in"
    """
    parts = column.split(".")
    if all(re.fullmatch(_NAME, part) for part in parts) and column.upper() not in _WORDS:
        return column
    return '"' + column.replace('"', '""') + '"'


def written_value(value: Value) -> str:
    """A value as a rule spells it; read back, it is the same value.

    >>> print(written_value("it's"), written_value(35.0), written_value(0.1), written_value(True))
    'it''s' 35 0.1 true
    """
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


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
    def __init__(self, text: str) -> None:
        self._text = text
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
        if self._next.kind != "name" or self._next.word in _WORDS:
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
        wanted = "a number, 'text', TRUE or FALSE"
        if token.word == "NULL":
            wanted += " (no value equals NULL: write IS NULL)"
        elif token.kind == "name":
            wanted += " (texts stand in single quotes)"
        raise self._unexpected(wanted)

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
        match = _TOKEN.match(self._text, self._place)
        if match is None or match.lastgroup is None:
            start = len(self._text) - len(self._text[self._place :].lstrip())
            quote = self._text[start]
            wanted = f"a closing {quote}" if quote in "'\"" else "a name, a number, a 'text' or a sign"
            raise self._wrong(f"{wanted} for what begins", start + 1)
        self._place = match.end()
        return _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)

    def _unexpected(self, wanted: str) -> OptionError:
        return self._wrong(wanted, self._next.at)

    def _wrong(self, wanted: str, at: int) -> OptionError:
        return OptionError("segment", got=self._text, expected=f"{wanted} at place {at}")


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
