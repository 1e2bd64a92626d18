"""Which answers were given to which labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.views.values import mapping, real

MOST_CLASSES: Final = 10
"""Classes beyond which the commonest confusions are listed and no matrix is drawn."""
_MOST_SLIPS: Final = 12
_STRONGEST: Final = 0.5  # opacity of a cell that holds all rows of its label: words on it stay readable


@dataclass(frozen=True, slots=True)
class Cell:
    """The rows of one label that got one answer.

    Args:
        label, answer: the classes.
        rows: how many, or their weight.
        share: of the label's rows; None if it has none.
        before: that share in the baseline; None if there is none.
    """

    label: str
    answer: str
    rows: float
    share: float | None
    before: float | None

    @property
    def right(self) -> bool:
        """Whether the answer is the label."""
        return self.label == self.answer

    @property
    def shade(self) -> float:
        """How strong the cell's colour is, from 0 to 1."""
        return round(_STRONGEST * (self.share or 0.0), 3)


@dataclass(frozen=True, slots=True)
class Confusion:
    """The answers by label.

    Args:
        answers: the classes that were answered, in order; empty when there are too many to draw.
        lines: each label, its rows, and a cell per answer.
        slips: the commonest wrong answers, in place of the matrix; empty when that is drawn.
        classes: how many there are.
        compared: whether the baseline's shares are known.
    """

    answers: tuple[str, ...]
    lines: tuple[tuple[str, float, tuple[Cell, ...]], ...]
    slips: tuple[Cell, ...]
    classes: int
    compared: bool

    @classmethod
    def of(cls, table: object, before: object) -> Self | None:
        """The confusion matrix of a document beside the baseline's; None if nothing was counted."""
        rows, then = _table(table), _table(before)
        if not any(any(one.values()) for one in rows.values()):
            return None
        answers = list(dict.fromkeys([*rows, *(answer for one in rows.values() for answer in one)]))
        lines = tuple(_line(label, rows, then, answers) for label in rows)
        every = [cell for _, _, cells in lines for cell in cells]
        wide = len(answers) > MOST_CLASSES
        slips = sorted(
            (cell for cell in every if not cell.right and cell.rows > 0), key=lambda one: -one.rows
        )
        return cls(
            answers=() if wide else tuple(answers),
            lines=() if wide else lines,
            slips=tuple(slips[:_MOST_SLIPS]) if wide else (),
            classes=len(answers),
            compared=any(cell.before is not None for cell in every),
        )


def _table(value: object) -> dict[str, dict[str, float]]:
    return {
        str(label): {str(answer): max(0.0, real(n) or 0.0) for answer, n in mapping(row).items()}
        for label, row in mapping(value).items()
    }


def _line(
    label: str,
    rows: Mapping[str, Mapping[str, float]],
    then: Mapping[str, Mapping[str, float]],
    answers: list[str],
) -> tuple[str, float, tuple[Cell, ...]]:
    here, there = rows[label], then.get(label, {})
    total, known = sum(here.values()), sum(there.values())
    cells = tuple(
        Cell(
            label=label,
            answer=answer,
            rows=here.get(answer, 0.0),
            share=here.get(answer, 0.0) / total if total > 0 else None,
            before=there.get(answer, 0.0) / known if known > 0 else None,
        )
        for answer in answers
    )
    return label, total, cells
