"""What answers rest on, in a terminal."""

from rich.console import Console

from watchkeep.views.attribution import Attribution, Feature, Place
from watchkeep.views.console import STYLES, heading, new_table, plain
from watchkeep.views.words import SYMBOLS, amount, clip

_MOST_PLACES = 6
_MOST = 12
_BAR = 16  # characters


def print_attribution(attribution: Attribution, console: Console) -> None:
    """Print which features answers rest on: those with the largest attribution first, before and now."""
    heading("What the answers rest on", console)
    console.print(plain(attribution.how, "dim"))
    if attribution.unanswered:
        console.print(plain(f"No row was explained: {attribution.unanswered}", STYLES["undecided"]))
    for caution in attribution.cautions:
        console.print(plain(caution, STYLES["undecided"]))
    for note in attribution.notes:
        console.print(plain(note, "dim"))
    for place in attribution.places[:_MOST_PLACES]:
        _print_place(place, console, compared=attribution.compared, several=len(attribution.places) > 1)
    if len(attribution.places) > _MOST_PLACES:
        console.print(plain(f"and {amount(len(attribution.places) - _MOST_PLACES, 'more segment')}", "dim"))


def _print_place(place: Place, console: Console, *, compared: bool, several: bool) -> None:
    if several:
        console.print()
        console.print(plain(place.title, "bold"))
    told = f"{place.sizes}."
    if place.order:
        told += f" The order agrees with the baseline's by {place.order} (ndcg)."
    elif place.why:
        told += f" How well the order agrees with the baseline's (ndcg) is not known: {place.why}."
    console.print(plain(told))
    if not place.features:
        return
    table = new_table(console)
    table.add_column("Feature", overflow="fold", ratio=1, min_width=16)
    table.add_column("Share", no_wrap=True, min_width=_BAR)
    table.add_column("Window" if compared else "Attribution", justify="right", no_wrap=True)
    if compared:
        table.add_column("Baseline", justify="right", no_wrap=True)
        table.add_column("Rank", justify="right", no_wrap=True)
    for one in place.features[:_MOST]:
        sign = f"{SYMBOLS[one.outcome]} " if one.outcome in ("violated", "undecided", "failed") else ""
        cells = [sign + clip(one.name, 60), _bar(one), one.told]
        if compared:
            moved = one.rank and one.before_rank and one.rank != one.before_rank
            cells += [one.before, f"{one.before_rank} > {one.rank}" if moved else str(one.rank or "–")]
        style = STYLES["violated"] if one.outcome == "violated" else ""
        table.add_row(*(plain(cell, style) for cell in cells))
    console.print(table)
    if len(place.features) > _MOST:
        console.print(plain(f"and {amount(len(place.features) - _MOST, 'more feature')}", "dim"))


def _bar(one: Feature) -> str:
    """A share as a bar, and in figures."""
    return "█" * round(one.bar / 100 * (_BAR - 7)) + f" {one.share}"
