"""How good a model's answers were, in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from watchkeep.views.confusion import Cell, Confusion
from watchkeep.views.console import STYLES, fact_list, heading, more, new_grid, new_table, plain
from watchkeep.views.labels import Labels
from watchkeep.views.quality import Quality
from watchkeep.views.quality_measures import OUT, Measure
from watchkeep.views.segments import Segment, Segments
from watchkeep.views.unlabelled import Estimates
from watchkeep.views.words import DASH, SYMBOLS, clip, count, listing, percent

_MOST_CLASSES = 6  # drawn as a matrix
_MOST_COMPARED = 3  # of which the baseline's shares stand beside
_MOST_SLIPS = 5
_MOST_SEGMENTS = 20
_MOST_FOUND = 8
_WORSE, _BETTER = "▼", "△"


def print_quality(quality: Quality, console: Console) -> None:
    """Print how good answers were: measures, where they fail, segments, which answers, estimates, labels."""
    if quality.estimates is not None and not quality.labelled:  # then they are all there is
        _print_estimates(quality.estimates, console)
    heading("Quality", console)
    console.print(plain(f"{quality.answers} {quality.counted}"))
    # What repeats another measure is told only where it is outside its limit: nothing that is, is left out.
    _print_measures([*quality.measures, *(one for one in quality.more if one.outcome in OUT)], console)
    for reason, names in quality.blanks[:8]:
        console.print(plain(f"{DASH} {clip(', '.join(names), 160)}: {reason}", "dim"))
    past = [one.label for one in quality.measures if one.noise]
    if past:
        console.print(plain(f"Past the limit, within noise: {listing(past, most=8)}", "dim"))
    if quality.constant:
        console.print(plain(quality.constant, "dim"))
    _print_found(quality, console)
    if quality.segments is not None:
        _print_segments(quality.segments, console)
    if quality.confusion is not None:
        _print_confusion(quality.confusion, console)
    if quality.estimates is not None and quality.labelled:
        _print_estimates(quality.estimates, console)
    _print_sure(quality, console)
    if quality.labels is not None:
        _print_labels(quality.labels, console)


def _print_measures(measures: Sequence[Measure], console: Console) -> None:
    if not measures:
        return
    compared = any(one.before for one in measures)
    limited = any(one.limit for one in measures)
    table = new_table(console)
    table.add_column("Measure", overflow="fold", ratio=1)
    table.add_column("Window" if compared else "Value", justify="right", overflow="fold")
    table.add_column("±", justify="right", overflow="fold")
    if compared:
        table.add_column("Baseline", justify="right", overflow="fold")
    if limited:
        table.add_column("Limit", justify="right", overflow="fold")
    for one in measures:
        symbol = SYMBOLS[one.outcome] if one.outcome in (*OUT, "undecided") else " "
        style = STYLES.get(one.outcome, "") if symbol != " " else ""
        name = Text.assemble((f"{symbol} ", style), plain(one.label), overflow="fold")
        cells = [plain(one.told, style), plain(one.error, "dim")]
        cells += [plain(one.before)] * compared + [plain(one.limit or DASH)] * limited
        table.add_row(name, *cells)
    console.print(table)


def _print_found(quality: Quality, console: Console) -> None:
    found = quality.found
    if not found and not quality.spotless:
        return
    heading("Where it fails", console)
    if not found:
        console.print(plain(quality.spotless))
        return
    table = new_grid()
    for at, one in enumerate(found[:_MOST_FOUND], start=1):
        table.add_row(plain(f"{at}.", "dim"), plain(one.sentence or clip(one.rule, 300)))
    console.print(table)
    more(len(found) - _MOST_FOUND, "segment", console)


def _print_segments(segments: Segments, console: Console) -> None:
    heading("Segments", console)
    listed = segments.listed[:_MOST_SEGMENTS]
    if not segments.measured:
        console.print(
            fact_list((clip(one.name, 60), clip(one.rule or "the rows of that name", 200)) for one in listed)
        )
        return
    table = new_table(console)
    table.add_column("Segment", overflow="fold", ratio=1)
    table.add_column("Labels", justify="right")
    for name in segments.labels:
        table.add_column(clip(name, 20), justify="right", overflow="fold")
    for one in listed:
        table.add_row(_segment_name(one), count(one.labelled or 0), *map(_value, one.measures, one.worse))
    console.print(table)
    more(len(segments.listed) - len(listed) + segments.left, "segment", console)
    if any(one.bad for one in listed):
        console.print(plain(f"{_WORSE} worse than all rows by more than three standard errors", "dim"))


def _segment_name(one: Segment) -> Text:
    name = plain(clip(one.name, 80))
    return name.append(f"\n{clip(one.rule, 160)}", "dim") if one.rule else name


def _value(one: Measure | None, worse: bool) -> Text:
    told = DASH if one is None else one.told
    return plain(f"{_WORSE} {told}", STYLES["undecided"]) if worse else plain(told)


def _print_confusion(matrix: Confusion, console: Console) -> None:
    heading("Answers by label", console)
    if not 0 < len(matrix.answers) <= _MOST_CLASSES:
        _print_slips(matrix, console)
        return
    beside = matrix.compared and len(matrix.answers) <= _MOST_COMPARED
    table = new_table(console)
    table.add_column("Label", overflow="fold", ratio=1)
    table.add_column("Rows", justify="right")
    for answer in matrix.answers:
        table.add_column(plain(clip(answer, 16)), justify="right", overflow="fold")
    for label, rows, cells in matrix.lines:
        table.add_row(
            plain(clip(label, 60)), count(rows), *(plain(_share(one, beside=beside)) for one in cells)
        )
    console.print(table)
    note = "in brackets, those of the baseline" if beside else ""
    console.print(plain(f"Shares of each label's rows{'; ' if note else ''}{note}", "dim"))


def _share(one: Cell, *, beside: bool) -> str:
    share = DASH if one.share is None else percent(one.share)
    return f"{share} ({percent(one.before)})" if beside and one.before is not None else share


def _print_slips(matrix: Confusion, console: Console) -> None:
    cells = [one for _, _, line in matrix.lines for one in line if not one.right and one.rows > 0]
    slips = matrix.slips or sorted(cells, key=lambda one: -one.rows)
    for one in slips[:_MOST_SLIPS]:
        told = f"{clip(one.label, 40)} answered {clip(one.answer, 40)}: {count(one.rows)} rows"
        before = "" if one.before is None else f" (baseline {percent(one.before)})"
        console.print(plain(f"{told}, {percent(one.share or 0.0)} of that label{before}"))
    console.print(plain(f"The commonest wrong answers of {count(matrix.classes)} classes", "dim"))


def _print_estimates(estimates: Estimates, console: Console) -> None:
    heading("Estimated without labels", console)
    if estimates.sentence:
        console.print(plain(estimates.sentence))
    if not estimates.measures:
        return
    table = new_table(console)
    table.add_column("Measure", overflow="fold", ratio=1)
    table.add_column("Estimate", justify="right", overflow="fold")
    table.add_column("Band", justify="right", overflow="fold")
    if estimates.known:
        table.add_column("Labels said", justify="right", overflow="fold")
    for one in estimates.measures:
        style = STYLES.get(one.outcome, "") if one.outcome in OUT else ""
        name = Text.assemble((f"{SYMBOLS[one.outcome]} " if style else "", style), plain(one.label))
        if one.why:
            name.append(f"\n{one.why}", "dim")
        sign = f"{_WORSE} " if one.outside else f"{_BETTER} " if one.better else ""
        said = plain(f"{sign}{one.realised}" if one.realised else DASH)
        said.stylize(STYLES["undecided"] if one.outside else "")
        table.add_row(name, plain(one.told), plain(one.band or DASH), *[said] * estimates.known)
    console.print(table)
    marks = {_WORSE: "outside the band", _BETTER: "better than the band"}
    used = [any(one.outside for one in estimates.measures), any(one.better for one in estimates.measures)]
    told = [f"{sign} {words}" for (sign, words), here in zip(marks.items(), used, strict=True) if here]
    if told:
        console.print(plain("; ".join(told), "dim"))
    for sentence in estimates.drifted[:_MOST_SLIPS]:
        console.print(plain(f"{SYMBOLS['violated']} {clip(sentence, 400)}", STYLES["violated"]))


def _print_sure(quality: Quality, console: Console) -> None:
    if quality.unsure is None and quality.coverage is None:
        return
    heading("How sure the model was", console)
    if quality.unsure is not None:
        if quality.unsure.sentence:
            console.print(plain(quality.unsure.sentence))
        means = ", ".join(f"{name} {value}" for name, value in quality.unsure.means)
        if means:
            console.print(plain(f"On the average: {means}", "dim"))
    if quality.coverage is not None:
        told = (
            f"{_WORSE} {quality.coverage.sentence}" if quality.coverage.short else quality.coverage.sentence
        )
        console.print(plain(told, STYLES["undecided"] if quality.coverage.short else ""))


def _print_labels(labels: Labels, console: Console) -> None:
    heading("Labels", console)
    console.print(fact_list((name, "; ".join([main, *rest])) for name, main, rest in labels.facts))
