"""Progress on a terminal: a bar on standard error. What people should know at once is told everywhere."""

import sys
from typing import Final

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from watchkeep.service.ports import Progress as Told
from watchkeep.service.ports import Silent
from watchkeep.views.words import clip

_LONGEST: Final = 1000  # characters of a note


class Notes(Silent):
    """Draws nothing; notes are lines on standard error."""

    def note(self, sentence: str) -> None:
        """A line on standard error."""
        click.echo(f"watchkeep: {clip(sentence, _LONGEST)}", err=True)


class Bar:
    """Draws rows as they are read; gone when the read is over."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, what: str, *, rows: int | None) -> None:
        """A read begins."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task(what, total=rows)

    def advance(self, rows: int) -> None:
        """So many rows more are done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, rows)

    def stop(self) -> None:
        """The read is over."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def note(self, sentence: str) -> None:
        """A line above the bar."""
        told = f"watchkeep: {clip(sentence, _LONGEST)}"
        if self._progress is None:
            click.echo(told, err=True)
        else:
            self._progress.console.print(told, markup=False, highlight=False, soft_wrap=True)


def progress() -> Told:
    """A bar when standard error is a terminal; elsewhere nothing but notes."""
    return Bar() if sys.stderr.isatty() else Notes()
