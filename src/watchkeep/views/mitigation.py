"""What treating groups alike does and costs, in a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from watchkeep.monitors.bias.groups import LABELS
from watchkeep.views.console import STYLES, fact_list, heading, more, new_table, plain
from watchkeep.views.measure_words import label
from watchkeep.views.values import mapping, objects, real, text, whole
from watchkeep.views.words import DASH, clip, count, figure, listing, number, spaced, why

_METHODS = {
    "thresholds": "Thresholds of each group's own",
    "calibrated": "Scores that keep what they mean, with some decisions left to chance",
    "reweighing": "Training rows weighed so that group and label are independent",
    "reduction": "Training under the constraint that groups are treated alike",
    "adversarial": "Training against a network that guesses the group",
}
_MOST_GROUPS = 12


def print_mitigation(document: Mapping[str, object], console: Console, *, verbose: bool = False) -> None:
    """Print the table of before and after.

    Args:
        document: as `mitigation.json` has it; keys it lacks are left out.
        console: where to, and how wide.
        verbose: also groups of other facets and of two together, and the measures of labels.
    """
    method = text(document.get("method"))
    rows = mapping(document.get("rows"))
    console.print(plain("mitigation", "dim"))
    console.print(plain(f"{_METHODS.get(method, spaced(method))}.", "bold"))
    parity = text(document.get("parity"))
    facts = [("Method", clip(method, 40) + (f", {clip(parity.replace('_', ' '), 40)}" if parity else ""))]
    facts.append(
        (
            "Rows",
            f"{count(whole(rows.get('learned')))} learned from, {count(whole(rows.get('held_out')))} held out",
        )
    )
    facts += [
        ("", f"{count(whole(n))} not used: {clip(str(reason), 80)}")
        for reason, n in mapping(rows.get("left_out")).items()
    ]
    groups = document.get("groups")
    facts.append(
        ("Groups", listing([str(one) for one in groups], most=8) if isinstance(groups, list) else DASH)
    )
    if document.get("trained") is True:
        facts.append(
            ("Models", "before and after are models trained here on the same rows, not the one you serve")
        )
    console.print()
    console.print(fact_list(facts))
    _print_bias(document, console, verbose=verbose)
    _print_quality(document, console)


def _print_bias(document: Mapping[str, object], console: Console, *, verbose: bool) -> None:
    heading("Bias of the held-out rows", console)
    every, facets = objects(document.get("bias")), document.get("facets")
    chosen = [str(one) for one in facets] if isinstance(facets, list) else []
    groups = [one for one in every if verbose or text(one.get("facet")) in chosen]
    table = new_table(console)
    table.add_column("Group", overflow="fold", ratio=1)
    table.add_column("Measure", overflow="fold", ratio=2)
    for name in ("Before", "After"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups[:_MOST_GROUPS]:
        shown = True
        for one in objects(group.get("measures")):
            name = text(one.get("measure"))
            if not verbose and name in LABELS:  # which no decision changes
                continue
            subject = f"{clip(text(group.get('subject')), 50)}" if shown else ""
            title = plain(f"{clip(text(one.get('title')), 50)} ").append(name, "dim")
            table.add_row(plain(subject), title, *(_side(one.get(side)) for side in ("before", "after")))
            shown = False
    console.print(table)
    more(len(every) - len(groups[:_MOST_GROUPS]), "group", console)
    console.print(
        plain("△ outside the range in which groups count as treated alike; ± one standard error", "dim")
    )


def _side(value: object) -> Text:
    given = mapping(value)
    known, error = real(given.get("value")), real(given.get("error"))
    if known is None:
        return plain(DASH if why(given.get("value")) else figure(given.get("value")), "dim")
    far = given.get("unfair") is True
    cell = plain(f"{'△ ' if far else ''}{known:.3f}", STYLES["undecided"] if far else "")
    return cell.append(f" ±{number(error, digits=2)}", "dim") if error is not None else cell


def _print_quality(document: Mapping[str, object], console: Console) -> None:
    heading("What it costs: quality of the held-out rows", console)
    table = new_table(console)
    table.add_column("Measure", overflow="fold", ratio=1)
    for name in ("Before", "After", "Change"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in objects(document.get("quality")):
        before, after = real(one.get("before")), real(one.get("after"))
        told = [DASH if each is None else f"{each:.4f}" for each in (before, after)]
        change = DASH if before is None or after is None else f"{after - before:+.4f}"
        table.add_row(plain(label(text(one.get("measure")))), *map(plain, told), plain(change, "dim"))
    console.print(table)
