"""The command `watchkeep`: subcommands are verbs.

Each command lives in a module of its own that is imported when the command is called, so `--help` is quick.
"""

import os
import sys
from importlib import import_module
from types import MappingProxyType
from typing import Final, NoReturn

import click

from watchkeep import __version__
from watchkeep.core.errors import BadInputError, OptionError, WatchkeepError

COMPLETED, VIOLATED, BAD_INPUT, FAILED = 0, 1, 2, 3
"""Exit codes: completed; with violations (or undecided, when strict); usage or bad input; our own fault."""
UNREAD = 141
"""Whoever read our output closed it before its end; shells call a program that was ended for it so."""

COMMANDS: Final = MappingProxyType(
    {
        "baseline": "Learn what the reference data looks like.",
        "check": "Hold a window of data against a baseline.",
        "replay": "Judge stored windows again, without reading a row.",
        "compare": "Compare two datasets at a glance; nothing is saved.",
        "show": "Draw a report, a baseline or a watch.",
        "label-plan": "Tell which rows to label for quality to be known better.",
        "mitigate": "Treat groups alike, and tell what it costs.",
        "acknowledge": "End the open alarm of a watch, on record.",
        "captures": "List, seal and keep what models were asked and answered.",
        "admission": "Tell model servers what requests must be like.",
        "labels": "Take the true outcomes of predictions into the store.",
        "gateway": "Stand in front of model servers, and record what passes.",
        "serve": "Serve the API: captures, labels and events in, metrics out.",
        "demo": "Watch a real model through a real blizzard.",
        "doctor": "Tell whether this installation works, and with what.",
    }
)


ALIASES: Final = MappingProxyType({"capture": "captures"})
"""Other names of commands."""


class Verbs(click.Group):
    """The commands, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """All commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002 (click's signature)
        """The command of that name."""
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            expected = "one of " + ", ".join(COMMANDS)
            raise OptionError("command", got=cmd_name, expected=expected, choices=COMMANDS)
        command = import_module(f"watchkeep.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 (for the type checker)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="watchkeep")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def watchkeep(debug: bool) -> None:
    """Keep watch over machine-learning models in production.

    Exit codes: 0 completed, 1 completed with violations, 2 usage or bad input, 3 failed.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    # Our matrices are small: threads that wait for each other cost more than they bring.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; gives the exit code. Errors are one sentence on standard error, never a traceback."""
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    try:
        code = watchkeep.main(args=arguments, prog_name="watchkeep", standalone_mode=False)
        return code if isinstance(code, int) else COMPLETED
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return BAD_INPUT
    except click.ClickException as error:
        if debug:
            raise
        _tell(error.format_message())
        return BAD_INPUT
    except (BadInputError, WatchkeepError) as error:
        if debug:
            raise
        _tell(str(error))
        return BAD_INPUT if isinstance(error, BadInputError) else FAILED
    except (KeyboardInterrupt, click.exceptions.Abort):
        _tell("interrupted")
        return FAILED
    except (BrokenPipeError, SystemExit) as error:
        if BrokenPipeError not in (type(error), type(error.__context__)):
            raise
        return UNREAD  # click says 1, which would be violations
    except Exception as error:
        if debug:
            raise
        _tell(
            f"this is a fault of ours: {type(error).__name__}: {error} (run again with --debug for the traceback)"
        )
        return FAILED


def _tell(sentence: str) -> None:
    line = " ".join(sentence.split())
    click.echo(f"watchkeep: {line}", err=True)
