"""Documents in a terminal, or in a file that a terminal's output is piped to.

User text is never read as markup: it goes in as `Text`, with its invisible characters spelled out.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from watchkeep.views.columns import Judged
from watchkeep.views.console import (
    STYLES,
    WIDEST,
    fact_list,
    heading,
    more,
    name_text,
    new_grid,
    new_table,
    plain,
)
from watchkeep.views.decisions import Decided
from watchkeep.views.judged_answers import of_segment
from watchkeep.views.levels import spark
from watchkeep.views.reading import Baseline, Report
from watchkeep.views.tables import evidence_lines, measure_table, policy_lines, timing_words
from watchkeep.views.terminal_attribution import print_attribution
from watchkeep.views.terminal_bias import print_bias
from watchkeep.views.terminal_quality import print_quality
from watchkeep.views.values import real
from watchkeep.views.watches import Watch
from watchkeep.views.words import DASH, SYMBOLS, amount, clip, count, figure, listing, moment, spaced

_MOST_VERDICTS: Final = 50
_MOST_CAUSES: Final = 8
_MOST_REASONS: Final = 10


def print_report(document: Mapping[str, object], console: Console, *, verbose: bool = False) -> None:
    """Print a report: what happened, the rows, the causes, the violations by severity, what is undecided.

    Args:
        document: the report document; keys it lacks are left out.
        console: where to, and how wide.
        verbose: also every measure, and how the report was judged.

    >>> import io
    >>> console = Console(file=io.StringIO(), width=60)
    >>> print_report({"version": 1, "monitor": "m", "kind": "bias", "status": "Completed"}, console)
    >>> print(console.file.getvalue().splitlines()[2])
    Nothing was checked.
    """
    report = Report.of(document)
    status = spaced(report.status)
    badge = Text(f"{SYMBOLS[report.outcome]} {status}", STYLES[report.outcome])
    title = [f"{clip(report.kind, 40)} report"] + [f"of {clip(report.source, 200)}"] * bool(report.source)
    console.print(plain(" ".join(title), "dim"))
    if report.decision is None:
        console.print(badge)
        console.print(plain(report.headline, "bold"))
    else:
        _print_answer(report.decision, console)
        console.print(plain(f"{SYMBOLS[report.outcome]} {status}: {report.limits}", "dim"))
    console.print()
    console.print(fact_list(_report_facts(report)))
    _print_causes(report, console)
    _print_monitors(report, console)
    for name, decision in report.proofs:
        _print_evidence(decision, console, of=name)
    violated = report.having("violated")
    if report.quality is not None:
        print_quality(report.quality, console)
        violated = [one for one in violated if of_segment(one)]  # the table of measures has the others
    if report.bias is not None:
        print_bias(report.bias, console)
    if report.attribution is not None:
        print_attribution(report.attribution, console)
    _print_verdicts("Violations", violated, console)
    _print_verdicts("Could not be run", report.having("failed"), console)
    _print_undecided(report, console)
    if verbose:
        _print_measures(report, console)
        times = ", ".join(timing_words(report))
        lines = [*policy_lines(report), *[("time", times)] * bool(times)]
        if lines:
            heading("How it was judged", console)
            console.print(fact_list(lines))


def print_baseline(document: Mapping[str, object], console: Console, *, verbose: bool = False) -> None:
    """Print a baseline: what it was learned from, its columns, and how many constraints each has.

    Args:
        document: the baseline document; keys it lacks are left out.
        console: where to, and how wide.
        verbose: also every constraint, in words.
    """
    baseline = Baseline.of(document)
    console.print(plain(baseline.headline, "bold"))
    console.print()
    facts = [("Source", clip(baseline.source, 200) or DASH), ("Created", baseline.created)]
    facts += [("Rejected", f"{count(n)} rows: {clip(reason, 120)}") for reason, n in baseline.rejected]
    facts += [("Time", clip(baseline.judged, 200))] * bool(baseline.judged)
    facts += [("Dialect", clip(baseline.dialect, 40))] * bool(baseline.dialect)
    console.print(fact_list([*facts, *baseline.roles]))
    if baseline.quality is not None:
        print_quality(baseline.quality, console)
    elif baseline.bias is not None:
        print_bias(baseline.bias, console)
    elif baseline.attribution is not None:
        print_attribution(baseline.attribution, console)
    else:
        _print_columns(baseline, console, verbose=verbose)
    if verbose:
        heading("Constraints", console)
        rules_of = [baseline.constraints, *(column.constraints for column in baseline.columns)]
        for rule in (rule for group in rules_of for rule in group):
            console.print(
                Padding(plain(clip(rule.sentence or rule.check or rule.measure, 500)), (0, 0, 0, 2))
            )


def _print_columns(baseline: Baseline, console: Console, *, verbose: bool) -> None:
    console.print()
    table = new_table(console)
    table.add_column("Column", overflow="fold", ratio=3)
    table.add_column("Type", overflow="fold", ratio=2)
    table.add_column("Missing", justify="right", no_wrap=True)
    table.add_column("Constraints", justify="right")
    shown = baseline.columns if verbose else baseline.columns[:_MOST_VERDICTS]
    for column in shown:
        missing = next((figure(line.baseline) for line in column.lines if line.name == "missing"), DASH)
        rules = count(len(column.constraints))
        table.add_row(name_text(column.name), plain(clip(column.type, 30)), missing, rules)
    if shown:
        console.print(table)
    more(len(baseline.columns) - len(shown), "column", console)


def print_watch(document: Mapping[str, object], console: Console) -> None:
    """Print a watch: what it said of its last window, and the evidence of the windows before.

    Args:
        document: the watch document; keys it lacks are left out.
        console: where to, and how wide.

    >>> import io
    >>> console = Console(file=io.StringIO(), width=60)
    >>> print_watch({"version": 1, "kind": "watch", "decision": None}, console)
    >>> print(console.file.getvalue().splitlines()[1])
    It has seen no window yet.
    """
    watch = Watch.of(document)
    console.print(plain("watch", "dim"))
    if watch.decision is None:
        console.print(plain(watch.headline, "bold"))
    else:
        _print_answer(watch.decision, console)
    if watch.facts:
        console.print()
        console.print(fact_list(watch.facts))
    if watch.decision is not None:
        _print_evidence(watch.decision, console)


def _print_answer(decision: Decided, console: Console) -> None:
    style = STYLES[decision.tone]
    console.print(Text.assemble((f"{decision.symbol} ", style), plain(decision.sentence, style)))


def _print_evidence(decision: Decided, console: Console, *, of: str = "") -> None:
    heading(f"Evidence of {clip(of, 60)}" if of else "Evidence", console)
    line = spark(decision, most=max(8, min(console.width, WIDEST) - 32))
    console.print(fact_list(evidence_lines(decision, line)))


def _report_facts(report: Report) -> list[tuple[str, str]]:
    rows = [
        f"{count(n)} {word}"
        for word in ("read", "analysed")
        if (n := real(report.rows.get(word))) is not None
    ]
    unmatched = real(report.rows.get("unmatched"))
    rows += [f"{count(unmatched)} without a match"] if unmatched else []
    rows += [f"{count(n)} outside the {clip(of, 20)}" for of, n in report.outside]
    facts = [("Window", report.window), ("Rows", ", ".join(rows) or DASH)]
    facts += [("", f"{count(n)} rejected: {clip(reason, 120)}") for reason, n in report.rejected]
    facts += [("", line) for line in (*report.left_out, *report.weighing)]
    checks = [f"{count(n)} {outcome}" for outcome, n in report.outcomes.items() if n or outcome == "kept"]
    facts.append(("Checks", ", ".join(checks)))
    if report.baseline:
        made = [moment(report.baseline.get("created"))]
        known = real(report.baseline.get("rows"))
        made += [] if known is None else [amount(round(known), "row")]
        made += [figure(report.baseline[key]) for key in ("source", "id") if report.baseline.get(key)]
        facts.append(("Baseline", ", ".join(made)))
    return facts


def _print_causes(report: Report, console: Console) -> None:
    if not report.causes:
        return
    heading("What lies behind it", console)
    table, ranked = new_grid(), any(cause.share for cause in report.causes)
    for i, cause in enumerate(report.causes[:_MOST_CAUSES], start=1):
        what = f"{cause.pattern}: " * bool(cause.pattern) + (cause.sentence or cause.subject)
        share = [plain(cause.share, "dim")] * ranked
        table.add_row(plain(f"{i}.", "dim"), *share, plain(clip(what, 400)))
    console.print(table)
    more(len(report.causes) - _MOST_CAUSES, "cause", console)


def _print_monitors(report: Report, console: Console) -> None:
    if not report.monitors:
        return
    heading("Monitors", console)
    table = new_grid()
    for one in report.monitors:
        table.add_row(
            plain(one.symbol, STYLES[one.outcome]),
            plain(clip(one.name, 60)),
            plain(clip(one.told, 600)),
        )
    console.print(table)


def _print_verdicts(title: str, verdicts: Sequence[Judged], console: Console) -> None:
    if not verdicts:
        return
    heading(f"{title} ({count(len(verdicts))})", console)
    table = new_table(console)
    table.add_column("Where", overflow="fold", ratio=3)
    table.add_column("What", overflow="fold", ratio=4)
    table.add_column("Value", justify="right", overflow="fold", max_width=14)
    table.add_column("Limit", justify="right", overflow="fold", max_width=14)
    for verdict in verdicts[:_MOST_VERDICTS]:
        what = plain(clip(verdict.measure or verdict.check, 80))
        if verdict.check and verdict.measure:
            what.append(f"\n{clip(verdict.check, 80)}", "dim")
        table.add_row(
            name_text(verdict.subject),
            what,
            plain(clip(figure(verdict.value), 28)),
            plain(clip(verdict.limit, 28)),
        )
    console.print(table)
    more(len(verdicts) - _MOST_VERDICTS, "verdict", console)


def _print_undecided(report: Report, console: Console) -> None:
    groups = report.undecided
    if not groups:
        return
    heading(f"Not decided ({count(sum(len(verdicts) for _, verdicts in groups))})", console)
    table = new_grid()
    for reason, verdicts in groups[:_MOST_REASONS]:
        where = listing(list(dict.fromkeys(verdict.subject for verdict in verdicts)))
        table.add_row(plain(count(len(verdicts)), "yellow"), plain(f"{clip(reason, 300)} ({where})"))
    console.print(table)
    more(len(groups) - _MOST_REASONS, "reason", console)


def _print_measures(report: Report, console: Console) -> None:
    measures = measure_table(report, most=len(report.measures))
    if not measures.rows:
        return
    heading("All measures", console)
    table = new_table(console)
    table.add_column("Where", overflow="fold", ratio=3)
    table.add_column("Measure", overflow="fold", ratio=3)
    table.add_column("Value", justify="right", overflow="fold", ratio=3)
    for subject, cells in measures.rows:
        first = True
        for name, (value, note) in zip(measures.names, cells, strict=True):
            if value:
                why = f" {measures.reasons[note - 1]}" if note else ""
                where = name_text(subject) if first else plain("")
                table.add_row(where, plain(clip(name, 60)), plain(value + why))
                first = False
    console.print(table)
