"""A story told in steps: each has a title, does one thing, and says what came of it.

Commands are run as a user would run them, each in a process of its own, and printed before they run, so that
every line can be copied into a terminal.
"""

import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from watchkeep.core.errors import WatchkeepError

SUCCESS: Final = (0, 1)
"""Exit codes of commands that did their work: completed, and completed with violations."""

ITEM: Final = "· "
"""What an item of a list begins with."""

_PROMPT: Final = "  $ "
_MORE: Final = " \\"
_TIE: Final = "\0"  # stands for a space at which no line may end; no argument of a process can hold it

Telling = Callable[[Path], str]
"""Looks at the scenario's folder and says what a step has left there: a line, or several."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scenario plays: the folder its files lie in, and the console it talks to."""

    home: Path
    console: Console

    def say(self, line: str, *, style: str = "") -> None:
        """Print a line as it is: nothing in it is markup."""
        self.console.print(Text(line, style=style), soft_wrap=True)

    def tell(self, lines: str, *, indent: int = 4) -> None:
        """Print what was found: lines, broken at the width of the console; items of a list hang."""
        for line in lines.splitlines():
            hanging = indent + len(ITEM) * line.startswith(ITEM)
            broken = textwrap.fill(
                line,
                max(20, self.console.width - 1),
                initial_indent=" " * indent,
                subsequent_indent=" " * hanging,
                break_on_hyphens=False,
            )
            self.say(broken)

    def head(self, title: str) -> None:
        """Print a heading."""
        self.say(f"\n{title}", style="bold cyan")


class Step(Protocol):
    """One step of a scenario. Steps in a row that share a title are told under one heading."""

    @property
    def title(self) -> str:
        """What the step is for, as a heading."""
        ...

    def run(self, stage: Stage) -> None:
        """Do it.

        Raises:
            WatchkeepError: it cannot be done.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A step in Python: what users have before they come to us, such as data and a model."""

    title: str
    do: Telling

    def run(self, stage: Stage) -> None:
        """Do the work and print what it returns."""
        stage.tell(self.do(stage.home), indent=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A step that is a command line of ours.

    Args:
        title: what it is for.
        arguments: what is typed after `watchkeep`; relative paths start at the scenario's folder.
        tell: says what came of it; None prints what the command printed.
        note: what to know before it runs; lines.

    >>> Command(title="Look", arguments=("show", "reports/a day")).line
    "watchkeep show 'reports/a day'"
    """

    title: str
    arguments: Sequence[str]
    tell: Telling | None = None
    note: Sequence[str] = ()

    @property
    def line(self) -> str:
        """The command as it is typed into a shell."""
        return " ".join(("watchkeep", *map(_quoted, self.arguments)))

    def folded(self, width: int) -> str:
        r"""The command in lines of at most `width` characters where that can be, as a shell reads them.

        >>> print(Command(title="", arguments=("check", "b", "x.csv", "--out", "reports/1")).folded(30))
        watchkeep check b x.csv \
            --out reports/1
        """
        whole = " ".join(part.replace(" ", _TIE) for part in self._parts())
        lines = textwrap.wrap(
            whole,
            max(20, width - len(_MORE)),
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        return f"{_MORE}\n".join(lines).replace(_TIE, " ")

    def _parts(self) -> list[str]:
        """What stays on one line: a word, or an option with its value."""
        parts = ["watchkeep"]
        for word in map(_quoted, self.arguments):
            if parts[-1].startswith("--") and " " not in parts[-1] and not word.startswith("--"):
                parts[-1] += f" {word}"
            else:
                parts.append(word)
        return parts

    def run(self, stage: Stage) -> None:
        """Print the command, run it, and print what came of it.

        Raises:
            WatchkeepError: the command did not do its work; it said why on standard error.
        """
        self.announce(stage)
        self.told(stage, self.done(stage))

    def announce(self, stage: Stage) -> None:
        """Print the command."""
        for line in self.note:
            stage.tell(line, indent=2)
        folded = self.folded(stage.console.width - len(_PROMPT))
        stage.say(_PROMPT + folded.replace("\n", "\n" + " " * len(_PROMPT)), style="bold")

    def done(self, stage: Stage) -> str:
        """Run the command; what it printed.

        Raises:
            WatchkeepError: the command did not do its work; it said why on standard error.
        """
        done = subprocess.run(  # noqa: S603 (our own interpreter and our own program)
            (sys.executable, "-m", "watchkeep", *self.arguments),
            cwd=stage.home,
            env=_environment(stage.console, colours=self.tell is None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        # An interpreter that cannot even start the program exits with 1 as well, but prints nothing.
        if done.returncode not in SUCCESS or not done.stdout.strip():
            why = done.stderr.strip() or "it gave no reason"
            raise WatchkeepError(f"{self.line}: ended with exit code {done.returncode}: {why}")
        return done.stdout

    def told(self, stage: Stage, printed: str) -> None:
        """Print what came of it."""
        if self.tell is None:
            stage.console.print(Text.from_ansi(printed.rstrip()), soft_wrap=True)
        else:
            stage.tell(self.tell(stage.home))


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Commands that do not wait for each other: as many run at a time as there are cores, and are told in their order.

    Args:
        title: what they are for.
        commands: at least one.
    """

    title: str
    commands: Sequence[Command]

    def run(self, stage: Stage) -> None:
        """Run them.

        Raises:
            WatchkeepError: a command did not do its work; those that have not begun do not.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            begun = [pool.submit(command.done, stage) for command in self.commands]
            try:
                for command, printed in zip(self.commands, begun, strict=True):
                    command.announce(stage)
                    command.told(stage, printed.result())
            finally:
                pool.shutdown(cancel_futures=True)


def _quoted(word: str) -> str:
    """A word as it is typed into a shell: in double quotes where single ones would have to be taken apart."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def play(steps: Sequence[Step], stage: Stage) -> None:
    """Run the steps in their order; each new title becomes a heading.

    Raises:
        WatchkeepError: a step cannot be done; those after it are not tried.
    """
    title = None
    for step in steps:
        if step.title != title:
            title = step.title
            stage.head(title)
        step.run(stage)


def _environment(console: Console, *, colours: bool) -> dict[str, str]:
    """The environment of a command that draws for our console, and finds our modules from another folder."""
    environment = dict(os.environ) | {"COLUMNS": str(console.width), "PYTHONIOENCODING": "utf-8"}
    if modules := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(
            str(Path(part).resolve()) for part in modules.split(os.pathsep)
        )
    if colours and console.is_terminal and not console.no_color:
        environment["FORCE_COLOR"] = "1"
    return environment
