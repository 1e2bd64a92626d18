"""Attributions that came with the rows: they are used as they are, and nobody is asked."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from watchkeep.core.errors import MissingColumnError, ModelError, OptionError
from watchkeep.formats.online_explanations import EXPLANATIONS, Answered, read_answer
from watchkeep.service.ports import Ask, Source

CAPTURED: Final = "captured"
"""What `--model` calls attributions that came with the rows, and the name of this way of explaining."""
AS_CLARIFY: Final = "{feature}_{label}"
"""How the columns are called, unless somebody says otherwise: as in SageMaker Clarify's `out.csv`."""
READER: Final = "--model captured"
_LABEL: Final = re.compile("label[0-9]+")

Found = dict[str, list[str]]
"""Features by label."""


@dataclass(frozen=True, slots=True)
class Captured:
    """Attributions that came with the rows, in columns of numbers or in a column of an endpoint's answers.

    Args:
        template: how a column of attributions is called, with `{feature}` and, where there are several outputs,
            `{label}` in it; None where `column` is given.
        column: of the answers of a SageMaker endpoint that explains, as JSON text.
        either: whether `column` is looked at only where no column follows the template.
    """

    template: str | None = AS_CLARIFY
    column: str | None = EXPLANATIONS
    either: bool = True

    @property
    def name(self) -> str:
        """What was explained, for people."""
        return CAPTURED

    @property
    def kind(self) -> str:
        """The same in words."""
        return "attributions that came with the rows"

    @property
    def features(self) -> tuple[str, ...]:
        """None are known before rows are read."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """As for features."""
        return ()

    @classmethod
    def of(cls, spec: str) -> "Captured | None":
        """What `--model` says of captured attributions; None if it speaks of something else.

        Raises:
            OptionError: what follows the colon is no template and no column.

        >>> Captured.of("captured:shap_{feature}").template, Captured.of("captured:answer").column
        ('shap_{feature}', 'answer')
        >>> Captured.of("model.json") is None
        True
        """
        head, colon, said = spec.partition(":")
        if head != CAPTURED:
            return None
        if not colon:
            return cls()
        if "{" not in said and said:
            return cls(None, said, either=False)
        if said.count("{feature}") != 1 or said.count("{label}") > 1:
            raise OptionError(
                "--model", got=spec, expected="a column of answers, or names such as shap_{feature}"
            )
        return cls(said, None, either=False)

    def column_of(self, feature: str, label: str) -> str:
        """What the column of a feature's attributions is called."""
        template = self.template or AS_CLARIFY
        return template.replace("{label}", label).replace("{feature}", feature)

    def outputs(
        self, source: Source, ask: Ask, names: Sequence[str], features: Sequence[str], own: Sequence[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The features and the labels that the rows carry attributions of.

        Args:
            source, ask: the rows; read up to the first that is explained, where answers have to be looked at.
            names: their columns.
            features: those that count; all if empty.
            own: columns that may be features, where no others are named; all if empty.

        Raises:
            MissingColumnError: there is no column of attributions.
            ModelError: no row is explained, or a feature that counts is not.
        """
        if self.template is not None:
            found = _partners(self.template, names, features or own or names)
            found = found if found or features else _matching(self.template, names)
            if found:
                return _usual(self, found, names, features)
        if self.column is None or (self.either and self.column not in names):
            wanted = self.column_of(features[0] if features else "<feature>", "label0")
            raise MissingColumnError(wanted, reader=READER, available=names)
        if self.column not in names:
            raise MissingColumnError(self.column, reader=READER, available=names)
        answer = _first(source, replace(ask, columns=[self.column]), self.column)
        for name in features:
            if name not in answer.features:
                raise ModelError(CAPTURED, why=f"the answers in {self.column!r} do not explain {name!r}")
        labels = answer.labels or tuple(f"label{at}" for at in range(len(answer.values)))
        return tuple(features) or answer.features, labels


def _partners(template: str, names: Sequence[str], features: Sequence[str]) -> Found:
    """The features that have a column which is called as a template says, by that column's label."""
    found: Found = {}
    known = set(names)
    for feature in features:
        head, labelled, tail = template.replace("{feature}", feature).partition("{label}")
        if not labelled and head in known:
            found.setdefault("label0", []).append(feature)
        for name in names if labelled else ():
            if name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
                found.setdefault(name[len(head) : len(name) - len(tail)], []).append(feature)
    return found


def _matching(template: str, names: Sequence[str]) -> Found:
    """What a template finds where features have no columns of their own: labels are then `label0`, `label1`, ..."""
    pattern = re.escape(template).replace(re.escape("{feature}"), "(?P<feature>.+)")
    pattern = pattern.replace(re.escape("{label}"), f"(?P<label>{_LABEL.pattern})")
    found: Found = {}
    for matched in filter(None, (re.fullmatch(pattern, name) for name in names)):
        found.setdefault(matched.groupdict().get("label", "label0"), []).append(matched["feature"])
    return found


def _usual(
    captured: Captured, found: Found, names: Sequence[str], features: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The features and labels that are meant: what is called like attributions by chance has few partners.

    Raises:
        MissingColumnError: a feature that counts has no column.
    """
    usual = {label: held for label, held in found.items() if _LABEL.fullmatch(label)} or found
    most = max(usual.values(), key=len)
    labels = tuple(label for label, held in usual.items() if held == most)
    for name in features:
        if name not in most:
            raise MissingColumnError(captured.column_of(name, labels[0]), reader=READER, available=names)
    return tuple(features) or tuple(most), labels


def _first(source: Source, ask: Ask, column: str) -> Answered:
    """The first answer that explains.

    Raises:
        ModelError: none does.
    """
    why: Counter[str] = Counter()
    for batch in source.batches(ask):
        texts = batch.column(column).to_pylist() if column in batch.names else [None] * batch.rows
        for text in texts:
            answer = read_answer(text)
            if isinstance(answer, Answered):
                return answer
            why[answer.why] += 1
    raise ModelError(CAPTURED, why=none_explained(why))


def none_explained(reasons: Mapping[str, int]) -> str:
    """Why no row at all was explained.

    >>> none_explained({"no attribution was captured": 12})
    'no row carries attributions: no attribution was captured (12 rows)'
    """
    told = ", ".join(f"{why} ({count:,} row{'s' * (count != 1)})" for why, count in reasons.items())
    return f"no row carries attributions{': ' if told else ''}{told}"
