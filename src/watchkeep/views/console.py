"""What every part of a terminal's report is made of: text that is never markup, tables, lists of facts."""

from collections.abc import Iterable
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchkeep.views.words import amount, clip

STYLES: Final = {"violated": "bold red", "failed": "bold magenta", "undecided": "yellow", "kept": "green"}
"""The colour of each outcome."""
WIDEST: Final = 110
"""A table wider than this parts its columns too far for the eye."""


def plain(text: str, style: str = "") -> Text:
    """Text that is shown as it is, folded where it is too long."""
    return Text(text, style, overflow="fold")


def name_text(name: str) -> Text:
    """A name out of the user's data."""
    return plain(clip(name, 120))


def heading(title: str, console: Console) -> None:
    """Print what stands above a part."""
    console.print()
    console.print(plain(title, "bold"))


def more(left: int, noun: str, console: Console) -> None:
    """Print how many are not listed, if any."""
    if left > 0:
        console.print(plain(f"and {amount(left, noun)} more", "dim"))


def fact_list(lines: Iterable[tuple[str, str]]) -> Table:
    """Names and what is said of each."""
    table = new_grid()
    for name, value in lines:
        table.add_row(plain(name, "dim"), plain(value))
    return table


def new_grid() -> Table:
    """Two columns without lines, to be filled."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", max_width=24)
    table.add_column(overflow="fold")
    return table


def new_table(console: Console) -> Table:
    """A table without columns yet, as wide as the terminal or as the eye takes in."""
    width = min(console.width, WIDEST)
    return Table(box=SIMPLE_HEAD, width=width, pad_edge=False, show_edge=False, header_style="dim")
