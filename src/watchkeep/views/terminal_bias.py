"""How groups are treated, in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from watchkeep.views.bias import Bias, Group
from watchkeep.views.console import STYLES, WIDEST, heading, more, new_table, plain
from watchkeep.views.words import DASH, SYMBOLS, clip, count, listing

_MOST_GROUPS = 24
_MOST_CROSSED = 12
_UNFAIR = "△"
_NAME, _CELL, _BAND = 22, 11, 17  # characters of a column


def print_bias(bias: Bias, console: Console) -> None:
    """Print how groups are treated: each with its size, the measures to read first, what is outside its range."""
    heading("Groups", console)
    if bias.outcomes:
        console.print(plain(bias.outcomes))
    if bias.unfair:
        console.print(plain(bias.unfair, STYLES["undecided"]))
    for note in bias.notes:
        console.print(plain(note))
    shown = _print_groups(bias.groups, bias.names, _MOST_GROUPS, console, compared=bias.compared)
    titles = bias.titles
    console.print(plain("; ".join(f"{name} {titles[name]}" for name in shown), "dim"))
    beside = "0, of DI 1, where a group is treated as the others are"
    marks = f"; {SYMBOLS['violated']} outside its limits, {SYMBOLS['undecided']} too little to tell"
    console.print(plain(f"Each is {beside}; ± one standard error{marks if bias.compared else ''}", "dim"))
    past = [
        f"{clip(one.subject, 60)} ({listing(one.past)})" for one in (*bias.groups, *bias.crossed) if one.past
    ]
    if past:
        console.print(plain(f"Past the limit, within noise: {listing(past, most=6)}", STYLES["undecided"]))
    if any(one.estimate for group in bias.groups for one in group.every):
        _print_estimates(bias, console)
    if bias.crossed:
        heading("Groups of two facets together", console)
        _print_groups(bias.crossed, bias.crossed_names, _MOST_CROSSED, console, compared=False)


def _print_groups(
    groups: Sequence[Group], names: Sequence[str], most: int, console: Console, *, compared: bool
) -> Sequence[str]:
    """Print a table of them; gives the measures that there is room for."""
    table = new_table(console)
    table.add_column("Group", overflow="fold", ratio=1, min_width=_NAME)
    table.add_column("Rows", justify="right", no_wrap=True)
    room = min(console.width, WIDEST) - _NAME - _CELL
    fitting = names[: max(2, room // _CELL)]
    for name in fitting:
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups[:most]:
        table.add_row(
            plain(clip(group.subject, 60)),
            count(group.rows),
            *(_cell(group, name, compared) for name in fitting),
        )
    console.print(table)
    more(len(groups) - most, "group", console)
    return fitting


def _cell(group: Group, name: str, compared: bool) -> Text:
    one = group.measure(name)
    if one is None:
        return plain(DASH)
    mark = SYMBOLS[one.outcome] if one.outcome in ("violated", "failed", "undecided") else ""
    style = STYLES.get(one.outcome, "") if mark else ""
    if one.unfair and not mark:
        mark, style = _UNFAIR, STYLES["undecided"]
    cell = plain(f"{mark} {one.told}".strip(), style)
    if one.error:
        cell.append(f"\n±{one.error}", "dim")
    return cell.append(f"\nwas {one.before}", "dim") if compared and one.before else cell


def _print_estimates(bias: Bias, console: Console) -> None:
    heading("Estimated without labels", console)
    console.print(plain(bias.estimates))
    names = list(dict.fromkeys(one.name for group in bias.groups for one in group.every if one.estimate))
    table = new_table(console)
    table.add_column("Group", overflow="fold", ratio=1, min_width=_NAME)
    names = names[: max(2, (min(console.width, WIDEST) - _NAME) // _BAND)]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for group in bias.groups[:_MOST_GROUPS]:
        found = [group.measure(name) for name in names]
        cells = [plain(DASH if one is None or not one.estimate else one.estimate) for one in found]
        table.add_row(plain(clip(group.subject, 60)), *cells)
    console.print(table)
