"""Options that several commands share: sources, roles, dialects."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import yaml

from watchkeep.adapters.preprocessing import Script
from watchkeep.adapters.preprocessing.script import MEGABYTES, SECONDS
from watchkeep.adapters.sources import FORMATS
from watchkeep.app.engines import DAMAGED, ENGINES, engine
from watchkeep.core.errors import OptionError
from watchkeep.frames.roles import SINGLE, Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.service.folding import Engine

F = TypeVar("F", bound=Callable[..., Any])
DIALECTS = [str(dialect) for dialect in Dialect]
_SINGLE = [str(role) for role in SINGLE]


def roles_options(command: F) -> F:
    """The options that say which column is what."""
    options = [
        click.option("--schema", type=click.Path(path_type=Path), help="A YAML or JSON file with the roles."),
        click.option("--ignore", multiple=True, metavar="C", help="A column not looked at. May be repeated."),
        click.option(
            "--feature", multiple=True, metavar="C", help="A feature; with it, other columns are ignored."
        ),
        click.option(
            "--facet", multiple=True, metavar="C[=V,V]", help="A sensitive group's column and its values."
        ),
        click.option(
            "--members", metavar="C", help="The column of lists: the scores of an ensemble's members."
        ),
        click.option("--query", metavar="C", help="The column that rows ranked together have in common."),
        click.option("--weight", metavar="C", help="The column of row weights."),
        click.option("--id", metavar="C", help="The column that identifies a row."),
        click.option("--timestamp", metavar="C", help="The column of the event time."),
        click.option("--score", metavar="C", help="The column of the model's score."),
        click.option("--prediction", metavar="C", help="The column of the model's prediction."),
        click.option("--label", metavar="C", help="The column of the true outcome."),
    ]
    return _with(command, options)


def source_options(command: F) -> F:
    """The options that say how to read a source."""
    options = [
        click.option(
            "--where",
            metavar="RULE",
            help="Only rows of which RULE holds, such as \"region = 'EU' and age < 30\".",
        ),
        click.option(
            "--header/--no-header",
            default=None,
            help="Whether CSV begins with names; told by the data if not given.",
        ),
        click.option(
            "--format",
            type=click.Choice(list(FORMATS)),
            help="The format; told by names and content if not given.",
        ),
    ]
    return _with(command, options)


def window_options(command: F) -> F:
    """The options that say which rows are the window, and where labels are that come in a source of their own."""
    options = [
        click.option(
            "--labels-id", metavar="C", help="The column of the ids in --labels, if it has another name."
        ),
        click.option(
            "--labels",
            multiple=True,
            metavar="SOURCE",
            help="The true outcomes, joined by --id (model-quality, bias). May be repeated.",
        ),
    ]
    return time_options(_with(command, options))


def time_options(command: F) -> F:
    """The options that say which time is meant."""
    options = [
        click.option("--end", metavar="T", help="Only rows before this time."),
        click.option(
            "--start",
            metavar="T",
            help="Only rows from this time on (ISO 8601; UTC unless it says otherwise).",
        ),
    ]
    return _with(command, options)


def engine_options(command: F) -> F:
    """The options that say who reads."""
    options = [
        click.option(
            "--damaged",
            type=click.Choice(DAMAGED),
            default=DAMAGED[0],
            show_default=True,
            help="What becomes of files that cannot be read: an error, or they are left out, named and counted.",
        ),
        click.option(
            "--spark",
            multiple=True,
            metavar="KEY=VALUE",
            help="A setting of Spark, such as spark.master=spark://host:7077. May be repeated.",
        ),
        click.option(
            "--threads",
            type=int,
            metavar="N",
            help="Parts of the data that are read at a time, each by a process; one for each core if not given.",
        ),
        click.option(
            "--engine",
            type=click.Choice(ENGINES),
            default=ENGINES[0],
            show_default=True,
            help="What reads: this machine, or a Spark cluster.",
        ),
    ]
    return _with(command, options)


def engine_from(given: dict[str, Any]) -> Engine:
    """Takes the engine options out of a command's arguments.

    Raises:
        MissingExtraError: Spark is not installed.
        OptionError: an option cannot be used.
    """
    settings = {}
    for text in given.pop("spark"):
        key, equals, value = text.partition("=")
        if not equals:
            raise OptionError(
                "--spark", got=text, expected="KEY=VALUE, such as spark.master=spark://host:7077"
            )
        settings[key] = value
    return engine(
        given.pop("engine"),
        threads=given.pop("threads"),
        settings=settings,
        damaged=given.pop("damaged"),
    )


def script_options(command: F) -> F:
    """The options that name a script that makes rows of records."""
    options = [
        click.option(
            "--script-memory",
            type=int,
            default=MEGABYTES,
            show_default=True,
            metavar="MB",
            help="Memory that a script's process may take.",
        ),
        click.option(
            "--script-seconds",
            type=float,
            default=SECONDS,
            show_default=True,
            metavar="N",
            help="Seconds that a script may take for some thousand records.",
        ),
        click.option(
            "--preprocess",
            metavar="FILE",
            help="A script whose preprocess_handler makes rows of captures, or of lines of CSV or JSON.",
        ),
    ]
    return _with(command, options)


def script_from(given: dict[str, Any], option: str = "preprocess") -> Script | None:
    """The script that the arguments of a command name.

    Raises:
        OptionError: it cannot be read, or a limit is none.
    """
    if given[option] is None:
        return None
    return Script.read(
        given[option],
        option=f"--{option}",
        seconds=given["script_seconds"],
        megabytes=given["script_memory"],
    )


def dialect_option(command: F) -> F:
    """The option that chooses whose rules apply."""
    text = "Whose rules apply: ours, or those of SageMaker Model Monitor to the letter."
    return _with(
        command, [click.option("--dialect", type=click.Choice(DIALECTS), default="default", help=text)]
    )


def _with(command: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in options:
        command = option(command)
    return command


def roles_from(given: dict[str, Any]) -> Roles:
    """Takes the role options out of a command's arguments; those of the command line win over the file's.

    Raises:
        OptionError: an option or the schema file cannot be used.
    """
    path = given.pop("schema")
    told: dict[str, Any] = {} if path is None else _schema(path)
    single = {name: given.pop(name) or told.get(name) for name in _SINGLE}
    where = given.pop("where")
    named = [_facet(text) for text in given.pop("facet")]
    for name, _ in named:
        if sum(name == other for other, _ in named) > 1:
            raise OptionError("--facet", got=f"{name}, twice", expected=f"each column once: {name}=V,V")
    facets = {**_facets_of(told.get("facets", {}), path), **dict(named)}
    return Roles(
        **single,
        facets=facets,
        features=given.pop("feature") or tuple(_texts(told.get("features", []), "features", path)),
        ignored=given.pop("ignore") or tuple(_texts(told.get("ignored", []), "ignored", path)),
        where=told.get("where") if where is None else where,
    )


def _facet(text: str) -> tuple[str, tuple[str, ...]]:
    column, equals, values = text.partition("=")
    if not column or (equals and not values):
        raise OptionError("--facet", got=text, expected="a column, or column=value,value")
    return column, values_of(values) if values else ()


def values_of(text: str) -> tuple[str, ...]:
    """Values by commas; one that has a comma itself stands in double quotes.

    >>> values_of('a,b'), values_of('"Exec, managerial",Sales')
    (('a', 'b'), ('Exec, managerial', 'Sales'))
    """
    return tuple(next(csv.reader([text])))


def _schema(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError("--schema", got=str(path), expected="a file that can be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(
            "--schema", got=str(path), expected=f"YAML or JSON; {' '.join(str(error).split())}"
        ) from error
    known = (*_SINGLE, "facets", "features", "ignored", "where")
    if not isinstance(document, dict):
        raise OptionError("--schema", got=str(path), expected=f"a mapping with keys among {', '.join(known)}")
    for key, value in document.items():
        if key not in known:
            raise OptionError(
                f"--schema {path}", got=str(key), expected=f"one of {', '.join(known)}", choices=known
            )
        if key in (*_SINGLE, "where") and value is not None and not isinstance(value, str):
            expected = "a rule" if key == "where" else "the name of a column"
            raise OptionError(f"--schema {path}: {key}", got=repr(value), expected=expected)
    return cast("dict[str, Any]", document)


def _facets_of(value: object, path: Path | None) -> dict[str, tuple[str, ...]]:
    if isinstance(value, list):
        return dict.fromkeys(_texts(value, "facets", path), ())
    if isinstance(value, dict):
        return {
            str(name): tuple(_texts(values or [], f"facets.{name}", path)) for name, values in value.items()
        }
    raise OptionError(f"--schema {path}: facets", got=repr(value), expected="columns, or a mapping to values")


def _texts(value: object, key: str, path: Path | None) -> list[str]:
    if not isinstance(value, list):
        raise OptionError(f"--schema {path}: {key}", got=repr(value), expected="a list")
    return [str(each) for each in value]
