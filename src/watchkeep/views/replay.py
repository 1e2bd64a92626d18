"""Stored windows that were judged again, in a terminal."""

from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

from watchkeep.alarms.decision import Outcome
from watchkeep.views.console import STYLES, fact_list, heading, more, new_table, plain
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import DASH, SYMBOLS, amount, clip, count, listing, moment, number, span

_MOST: Final = 60
_MOST_MISSING: Final = 5
_BLIND: Final = str(Outcome.TOO_LITTLE)


def print_replay(document: Mapping[str, object], console: Console, *, verbose: bool = False) -> None:
    """Print a replay: how often it rang, what is missing, and the windows one by one.

    Args:
        document: as `watchkeep replay --json` prints it; keys it lacks are left out.
        console: where to, and how wide.
        verbose: all the windows; if not, of many only those that rang, were violated or are worth a look.

    >>> import io
    >>> console = Console(file=io.StringIO(), width=80)
    >>> print_replay({"version": 1, "kind": "replay", "windows": [], "alarms": 0}, console)
    >>> print(console.file.getvalue().splitlines()[1])
    Of no window it rang in none, and limits were violated in none.
    """
    windows = objects(document.get("windows"))
    alarms, violated = whole(document.get("alarms")), whole(document.get("violated"))
    style = STYLES["violated" if alarms or violated else "kept"]
    console.print(plain(f"replay of {clip(text(document.get('states')), 200)}".strip(), "dim"))
    often = f"it rang in {_none(alarms)}, and limits were violated in {_none(violated)}"
    console.print(plain(f"Of {_no(len(windows), 'window')} {often}.", style))
    console.print()
    console.print(fact_list(_facts(document)))
    shown = windows if verbose or len(windows) <= _MOST else [one for one in windows if _tells(one)][:_MOST]
    if shown:
        heading("Windows", console)
        table = new_table(console)
        for name, right in (
            ("Window", False),
            ("Rows", True),
            ("Violated", True),
            ("Evidence", True),
            ("", False),
        ):
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for one in shown:
            table.add_row(*_row(one))
        console.print(table)
    more(len(windows) - len(shown), "window", console)


def _facts(document: Mapping[str, object]) -> list[tuple[str, str]]:
    window, hours = mapping(document.get("window")), mapping(document.get("hours"))
    facts = [("Stretch", span(window.get("start"), window.get("end")) if window else DASH)]
    facts.append(("Hours", f"{amount(whole(hours.get('stored')), 'hour')} stored"))
    missing = objects(hours.get("missing"))
    facts += [("", f"missing: {span(one.get('start'), one.get('end'))}") for one in missing[:_MOST_MISSING]]
    if len(missing) > _MOST_MISSING:
        facts.append(("", f"and {count(len(missing) - _MOST_MISSING)} stretches more"))
    if document.get("limits"):
        facts.append(("Limits", clip(text(document.get("limits")), 200)))
    facts += [
        (
            "Rejected",
            f"{count(whole(rows))} rows of no known hour, which only longer windows count: {clip(why, 80)}",
        )
        for why, rows in mapping(document.get("beside")).items()
    ]
    skipped = mapping(document.get("skipped"))
    if skipped:
        names = listing([str(name) for name in skipped])
        told = (
            f"{amount(len(skipped), 'file')} that could not be read, which only longer windows tell: {names}"
        )
        facts.append(("Left out", told))
    return facts


def _tells(one: Mapping[str, object]) -> bool:
    decision = mapping(one.get("decision"))
    return bool(decision.get("alarm") or decision.get("warning") or one.get("violations"))


def _row(one: Mapping[str, object]) -> list[Text]:
    window, decision = mapping(one.get("window")), mapping(one.get("decision"))
    subjects = list(dict.fromkeys(text(each.get("subject")) for each in objects(one.get("violations"))))
    alarm, level = bool(decision.get("alarm")), real(decision.get("level"))
    style = STYLES["violated"] if alarm else STYLES["undecided"] if decision.get("warning") else ""
    return [
        plain(moment(window.get("start")).removesuffix(" UTC").removesuffix(" 00:00")),
        plain(count(whole(mapping(one.get("rows")).get("analysed")))),
        plain(str(len(objects(one.get("violations")))), STYLES["violated"] if subjects else ""),
        plain(DASH if level is None else number(level, digits=2), style),
        plain(_answer(decision, subjects, alarm=alarm), style),
    ]


def _answer(decision: Mapping[str, object], subjects: list[str], *, alarm: bool) -> str:
    named = decision.get("named")
    names = listing([str(name) for name in named]) if isinstance(named, list) and named else ""
    if alarm:
        since = moment(decision.get("since")).removesuffix(" UTC").removesuffix(" 00:00")
        return f"{SYMBOLS['violated']} rings: {names or 'no column by itself'}, since {since}"
    if decision.get("warning"):
        return "worth a look"
    said = ["changed before"] if decision.get("open") else []
    said += [_BLIND] * (not said and decision.get("outcome") == _BLIND)
    said += [f"outside its limits: {listing(subjects)}"] * bool(subjects)
    return "; ".join(said)


def _no(n: int, noun: str) -> str:
    return amount(n, noun) if n else f"no {noun}"


def _none(n: int) -> str:
    return count(n) if n else "none"
