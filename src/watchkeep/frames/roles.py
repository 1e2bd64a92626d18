"""What each column is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.frames.segments import parse_segment


class Role(StrEnum):
    """What a column is to the model that is watched."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    LABEL = "label"
    TIMESTAMP = "timestamp"
    ID = "id"
    FACET = "facet"
    WEIGHT = "weight"
    QUERY = "query"
    MEMBERS = "members"
    IGNORED = "ignored"

    @property
    def identifies(self) -> bool:
        """Whether its values only tell rows, or groups of rows, apart."""
        return self in (Role.ID, Role.QUERY)


SINGLE: Final = (
    Role.LABEL,
    Role.PREDICTION,
    Role.SCORE,
    Role.TIMESTAMP,
    Role.ID,
    Role.WEIGHT,
    Role.QUERY,
    Role.MEMBERS,
)
"""Roles that one column plays, in the order of documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which rows count, and which column plays which role in them.

    A column named nowhere is a feature, unless `features` lists them all.

    Args:
        label, prediction, score, timestamp, id, weight: the one column of that role, if any.
        query: the column that is the same for rows that were ranked together.
        members: the column of the lists of scores that several models, or passes of one, gave to a row.
        facets: column to the values that make up its sensitive group; no values means every value is a group.
            A facet is a feature as well, unless it is ignored.
        features: when not empty, the only features: other columns are ignored.
        ignored: columns not looked at.
        where: the rule of the rows that count, such as "region = 'EU' and age < 30"; None for all.

    Raises:
        OptionError: one column is given two roles that exclude each other, or the rule cannot be read.

    >>> roles = Roles(label="churned", ignored=("row",))
    >>> roles.of("churned"), roles.of("age"), roles.of("row")
    (<Role.LABEL: 'label'>, <Role.FEATURE: 'feature'>, <Role.IGNORED: 'ignored'>)
    """

    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    timestamp: str | None = None
    id: str | None = None
    weight: str | None = None
    query: str | None = None
    members: str | None = None
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    where: str | None = None

    def __post_init__(self) -> None:
        seen: dict[str, Role] = {}
        for role, column in (*self._single(), *((Role.IGNORED, name) for name in self.ignored)):
            if column in seen and seen[column] is not role:
                raise OptionError(
                    f"--{role}", got=column, expected=f"another column: it is the {seen[column]} already"
                )
            seen[column] = role
        if self.where is not None:
            _require_rule(self.where)

    def _single(self) -> tuple[tuple[Role, str], ...]:
        pairs: list[tuple[Role, str | None]] = [(role, getattr(self, role)) for role in SINGLE]
        return tuple((role, column) for role, column in pairs if column is not None)

    def of(self, column: str) -> Role:
        """The role of a column."""
        if column in self.ignored:
            return Role.IGNORED
        for role, name in self._single():
            if name == column:
                return role
        if column in self.facets:
            return Role.FACET
        return Role.FEATURE if not self.features or column in self.features else Role.IGNORED

    def named(self) -> dict[str, Role]:
        """Every column that is named by a role, in the order of the roles."""
        named = {column: role for role, column in self._single()}
        named |= dict.fromkeys(self.facets, Role.FACET)
        return named | {name: Role.FEATURE for name in self.features if name not in named}

    def require(self, available: Collection[str]) -> None:
        """Check that every column named by a role is there.

        Raises:
            MissingColumnError: one is not.
        """
        for column, role in {**dict.fromkeys(self.ignored, Role.IGNORED), **self.named()}.items():
            if column not in available:
                raise MissingColumnError(column, reader=f"the role {role}", available=available)

    def under(self, given: Self) -> Self:
        """These roles, where `given` says nothing else.

        >>> Roles(label="churned", score="p").under(Roles(score="q", ignored=("churned",))).document()
        {'score': 'q', 'ignored': ['churned']}
        """
        taken = {column for _, column in given._single()} | set(given.ignored)
        single = {str(role): column for role, column in self._single() if column not in taken}
        return type(self)(
            **single | {str(role): column for role, column in given._single()},
            facets=given.facets or {name: self.facets[name] for name in self.facets if name not in taken},
            features=given.features or tuple(name for name in self.features if name not in given.ignored),
            ignored=tuple(
                dict.fromkeys([*(name for name in self.ignored if name not in taken), *given.ignored])
            ),
            where=self.where if given.where is None else given.where,
        )

    def document(self) -> dict[str, object]:
        """The form it takes in JSON documents."""
        document: dict[str, object] = {str(role): column for role, column in self._single()}
        if self.facets:
            document["facets"] = {name: list(values) for name, values in self.facets.items()}
        if self.features:
            document["features"] = list(self.features)
        if self.ignored:
            document["ignored"] = list(self.ignored)
        if self.where is not None:
            document["where"] = self.where
        return document


def _require_rule(where: object) -> None:
    """Check that a rule can be read.

    Raises:
        OptionError: it cannot.
    """
    if not isinstance(where, str):
        raise OptionError("--where", got=repr(where), expected="a rule, as a text")
    try:
        parse_segment(where)
    except OptionError as error:
        raise OptionError("--where", got=where, expected=error.expected) from error
