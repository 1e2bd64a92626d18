"""Which columns have rules, by their names or by their places."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from watchkeep.capture.changes import Change


class Unreadable(Exception):  # noqa: N818 (it becomes a reason, never a traceback)
    """A body that cannot be looked into, and why."""


ANYWHERE: Final = "**."
"""How the name of a column begins that is looked for at any depth."""
_PLACE: Final = re.compile("_c(0|[1-9][0-9]{0,8})").fullmatch
UNNAMED: Final = "its columns have no names"


class Rule(NamedTuple):
    """What is done with a column.

    Args:
        label: names it in counts.
        change: what is done with each value; None when the column is dropped.
    """

    label: str
    change: Change | None


class Places(NamedTuple):
    """Rules on the values of a row without names.

    Args:
        width: how many values it must have, so that each is what its place says; None when that does not matter.
        rules: names and rules by place.
    """

    width: int | None
    rules: Mapping[int, tuple[str, Rule]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Rules by the names of columns. Make them by `of`.

    Args:
        exact: by the whole dotted name.
        anywhere: by the last part of a name at any depth, then the name; longer ones first.
        marks: of which JSON with any of these names holds one, unless it has escapes.
    """

    exact: Mapping[str, Rule]
    anywhere: Mapping[str, tuple[tuple[str, Rule], ...]]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, rules: Iterable[tuple[str, Rule]]) -> Self:
        """Rules by name; those that begin with `**.` hold at any depth."""
        exact: dict[str, Rule] = {}
        anywhere: dict[str, list[tuple[str, Rule]]] = {}
        for name, rule in rules:
            if name.startswith(ANYWHERE):
                name = name.removeprefix(ANYWHERE)
                anywhere.setdefault(name.rpartition(".")[2], []).append((name, rule))
            else:
                exact[name] = rule
        deepest = {
            last: tuple(sorted(found, key=lambda one: -len(one[0]))) for last, found in anywhere.items()
        }
        parts = [
            name.split(".") for name in (*exact, *(name for found in anywhere.values() for name, _ in found))
        ]
        marks = {
            f'{part}"'
            for name in parts
            for part in (name[-1], *(name[-2:-1] if name[-1].isdecimal() else ()))
        }
        return cls(exact=exact, anywhere=deepest, marks=tuple(marks))

    def unmentioned(self, text: str, names: Sequence[str] | None) -> bool:
        """Whether no rule can be about anything in some JSON: a quick look, that rather says no."""
        if names is None or "\\" in text or any(mark in text for mark in self.marks):
            return False
        places = self.places(names)
        return places.width is None and not places.rules

    def __bool__(self) -> bool:
        return bool(self.exact or self.anywhere)

    def rule(self, path: str, key: str) -> Rule | None:
        """What is done with a column; None when nothing is.

        Args:
            path: its dotted name.
            key: the last part of it.
        """
        found = self.exact.get(path)
        if found is None and key in self.anywhere:
            for name, rule in self.anywhere[key]:
                if path == name or path.endswith(f".{name}"):
                    return rule
        return found

    def of_path(self, path: str) -> Rule | None:
        """The same, told the dotted name alone."""
        return self.rule(path, path.rpartition(".")[2])

    def parts(self, name: str) -> Mapping[int, tuple[str, Rule]]:
        """Rules on single places of a column that has several, which are called by its name, a dot and the place."""
        return {
            int(part): (full, rule)
            for full, rule in self.exact.items()
            if full.startswith(f"{name}.") and (part := full[len(name) + 1 :]).isdecimal() and len(part) < 10
        }

    def places(self, names: Sequence[str] | None) -> Places:
        """Rules by place, for columns of these names; those beyond are called `_c` and their place.

        Raises:
            Unreadable: nobody knows the names, and some rules are about columns that have one.
        """
        if names is None and (self.anywhere or not all(map(_PLACE, self.exact))):
            raise Unreadable(UNNAMED)
        named = {
            at: (name, rule)
            for at, name in enumerate(names or ())
            if (rule := self.of_path(name)) is not None
        }
        width = len(names or ())
        beyond = {
            int(place[1]): (name, rule)
            for name, rule in self.exact.items()
            if (place := _PLACE(name)) and int(place[1]) >= width
        }
        return Places(width if named else None, named | beyond)
