"""What a decision could have seen: the smallest change of each column, columns alike told together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watchkeep.alarms.decision import COLUMNS, FEATURES, GROUPS, MEASURES
from watchkeep.views.measure_words import label, unit_kind
from watchkeep.views.values import mapping, real
from watchkeep.views.words import DASH, listing, number

_UNITS: Final = {
    "numeric": "sd",
    "categorical": "% of rows",
    "rate": "points",
    "loss": "",
    "error": "label units",
}
_PARTS: Final = ("categorical", "rate")  # told in hundredths
_MOST_GROUPS: Final = 8


@dataclass(frozen=True, slots=True)
class Detectable:
    """Columns of which equally small changes are seen, and how small, for each horizon in a unit."""

    names: tuple[str, ...]
    sizes: tuple[str, ...]
    unit: str

    @property
    def label(self) -> str:
        """The columns in a few words."""
        return listing(self.names)


def detectable_of(
    value: object, kinds: Mapping[str, str], *, about: str = COLUMNS, parts: object = None
) -> tuple[tuple[int, ...], tuple[Detectable, ...], int]:
    """The horizons in windows, columns grouped by what is seen of them, and how many columns were left out.

    Args:
        value: what stands under `detectable` of a decision.
        kinds: of charts, by column.
        about: columns, measures of answers, or groups, as `Decision.about` spells it.
        parts: columns whose sizes are shares of rows, and no other's is; if it is no list, kinds tell.

    >>> detectable_of({"1": {"a": 0.2, "b": 0.2}, "7": {"a": 0.08, "b": 0.08}}, {"a": "numeric", "b": "numeric"})
    ((1, 7), (Detectable(names=('a', 'b'), sizes=('0.2', '0.08'), unit='sd'),), 0)
    """
    by_horizon = {
        int(horizon): mapping(sizes)
        for horizon, sizes in mapping(value).items()
        if horizon.isdecimal() and len(horizon) < 6
    }
    horizons = tuple(sorted(by_horizon))
    if isinstance(parts, list):
        of_rows = set(map(str, parts))
        names = {str(name) for sizes in by_horizon.values() for name in sizes}
        kinds = {name: "categorical" if name in of_rows else "numeric" for name in names}
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name in dict.fromkeys(str(name) for sizes in by_horizon.values() for name in sizes):
        kind = _kind(name, kinds, about)
        seen = tuple(_size(by_horizon[horizon].get(name), kind) for horizon in horizons)
        groups.setdefault((_UNITS.get(kind, ""), seen), []).append(label(name) if about == MEASURES else name)
    if about == FEATURES:  # each has a size of its own, and those of much attribution have large ones
        least = {name: _least(name, by_horizon) for names in groups.values() for name in names}
        ranked = sorted(groups.items(), key=lambda group: -max(least[name] for name in group[1]))
    else:
        ranked = sorted(groups.items(), key=lambda group: -len(group[1]))
    shown = [Detectable(tuple(names), sizes, unit) for (unit, sizes), names in ranked[:_MOST_GROUPS]]
    return horizons, tuple(shown), sum(len(names) for _, names in ranked[_MOST_GROUPS:])


def explained(rows: Sequence[Detectable], *, about: str) -> str:
    """What the sizes mean, in sentences.

    Args:
        rows: as read.
        about: as above.

    >>> row = Detectable(("accuracy",), ("2.7",), "points")
    >>> print(explained([row], about=MEASURES))
    Points: so many more of a hundred rows answered wrongly. Silence rules out what is larger.
    """
    units = {row.unit for row in rows}
    if about == GROUPS:
        return (
            "Points: a difference in positive answers (in labels, where there are no answers) that grew or shrank by so"
            " many in a hundred."
        )
    if about == FEATURES:
        return (
            "A feature's attribution that rose or fell by so much, in the unit of the attributions themselves; those of"
            " much attribution come first. Silence rules out what is larger."
        )
    if about == MEASURES:
        sets = " or outside their sets" if any(label("coverage") in row.names for row in rows) else ""
        told = [f"Points: so many more of a hundred rows answered wrongly{sets}."] * ("points" in units)
        told += ["Brier score: a rise of it by so much."] * ("" in units)
        told += ["Errors: a rise by so much, in the unit of the label."] * ("label units" in units)
    else:
        share = ", in percent of all rows" if any(units) else " of all rows"
        told = ["Numbers: a shift of the mean, in standard deviations (sd) of the baseline."]
        told += [f"Categories: a change of the largest one’s share{share}."]
    return " ".join([*told, "Silence rules out what is larger."])


def _kind(name: str, kinds: Mapping[str, str], about: str) -> str:
    """A key of the units; attributions are in the score's own, whatever the feature holds."""
    if about == MEASURES:
        return unit_kind(name)
    return "rate" if about == GROUPS else "" if about == FEATURES else kinds.get(name, "")


def _least(name: str, by_horizon: Mapping[int, Mapping[str, object]]) -> float:
    """The size that is seen of a subject, in the first horizon that tells one."""
    sizes = (real(by_horizon[horizon].get(name)) for horizon in sorted(by_horizon))
    return next((size for size in sizes if size is not None), 0.0)


def _size(value: object, kind: str) -> str:
    size = real(value)
    if size is None:
        return DASH
    return number(100 * size if kind in _PARTS else size, digits=2)
