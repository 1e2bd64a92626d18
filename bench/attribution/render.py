"""The page: what was measured, as tables and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

METHOD: Final = """\
Written by `python -m bench.attribution`, not by hand. What was measured before is kept in `bench/data/attribution`;
`--again` measures it anew.

**Cost.** 500 trees, 30 features. The library's own call (LightGBM `predict(pred_contrib=True)`, XGBoost
`predict(pred_contribs=True)` of a `DMatrix` that is built beforehand), the product's `Model.contributions`, and its
`AttributionScan` with `--explain-rows 0` take turns on the same rows, in one process with all cores; every second turn
goes backwards. Both of the product's explain and ask for the scores, and the scan sums; start-up (opening the model, a
baseline) is not in it. The attributions that the scan ends with are compared with the library's.

**Adding up.** Through files that the product opens. *Scores* are the product's beside the library's own.

**Sampling.** A curved function of ten features against 12 reference rows: all 1,024 coalitions are added up here by the
definition of Shapley values. 100 seeds, 20 rows.

**Budget.** An HTTP server on loopback counts the rows of the requests it gets.

**False alarms.** Trees of LightGBM (100, with 15 leaves) are taught on some rows of a table. The others are shuffled
anew for each round: a baseline, then windows of the rest, at most 40 to a round. A window *violates* when any limit is
violated; it *rings* by itself, without a watch. The budget is one in 1,000 for either; *upper* is the 95 %
Clopper-Pearson bound, per 1,000. Contributions of unchanged rows are looked up once they are known; of the first window
they are compared with those of the model asked anew. *NDCG < 0.90* is
SageMaker's rule on the same windows and the same attributions."""

_MUST_COST: Final = 1.1
_MUST_ALARMS: Final = 1.5
_MUST_ADD: Final = 1e-6
_BUDGET: Final = 1 / 1000
_CALLED: Final = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}

Spent = Mapping[str, Sequence[Mapping[str, float]]]
"""Seconds of each turn by who took it: "native", "model" or "scan"; each has "wall" and "cpu"."""
Run = tuple[str, int, int, Spent]
"""Library, depth, rows and what was spent."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Args:
        title: its heading.
        text: under it.
        met: whether its goals are.
    """

    title: str
    text: str
    met: bool = True


def cost(rounds: Sequence[Run], whole: Sequence[Run]) -> Section:
    """What explaining costs beside the library.

    Args:
        rounds: rows are those of a round.
        whole: rows are those of a piece.
    """
    lines = [
        "| trees | rows | library: wall s | CPU s | `contributions`: wall | CPU | scan: wall | CPU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    worst = 0.0
    for library, depth, rows, spent in rounds:
        text, highest = _compared(spent, least=True)
        lines.append(
            f"| {_trees(library, depth)} | {rows:,}, least of {len(spent['scan'])} rounds | {text} |"
        )
        worst = max(worst, highest)
    for library, depth, rows, spent in whole:
        pieces = len(spent["scan"])
        text, highest = _compared(spent, least=True)
        lines.append(f"| {_trees(library, depth)} | {rows:,}, least of {pieces} pieces | {text} |")
        worst = max(worst, highest)
        text, _ = _compared(spent, least=False)
        lines.append(f"| {_trees(library, depth)} | **{pieces * rows:,}**, all {pieces} pieces | {text} |")
        worst = max(worst, _ratio(spent, "scan", "cpu", least=False))
    met = worst <= _MUST_COST
    must = (
        f"Must: at most {_MUST_COST:g}x of the library's call, wall and CPU, of the least; and CPU of all pieces, whose"
        f" wall is also what else the machine did. At most {worst:.3f}x: {_told(met)}."
    )
    had = ", ".join(f"{_cores(spent):.2f}" for *_, spent in (*rounds, *whole))
    busy = f"Cores that the library's calls had, from the first line to the last: {had}. Others used the machine too."
    return Section("Cost", "\n".join([*lines, "", must, "", busy]), met)


def _compared(spent: Spent, *, least: bool) -> tuple[str, float]:
    cells = [f"{_of(spent, 'native', unit, least=least):,.2f}" for unit in ("wall", "cpu")]
    highest = 0.0
    for name in ("model", "scan"):
        for unit in ("wall", "cpu"):
            if name in spent:
                times = _ratio(spent, name, unit, least=least)
                highest = max(highest, times)
                cells.append(f"{times:.3f}x")
            else:
                cells.append("")
    return " | ".join(cells), highest


def _ratio(spent: Spent, name: str, unit: str, *, least: bool) -> float:
    return _of(spent, name, unit, least=least) / _of(spent, "native", unit, least=least)


def _of(spent: Spent, name: str, unit: str, *, least: bool) -> float:
    seconds = [one[unit] for one in spent[name]]
    return min(seconds) if least else sum(seconds)


def _cores(spent: Spent) -> float:
    """Cores that were busy with the library's calls: fewer than there are where others used the machine."""
    return _of(spent, "native", "cpu", least=False) / _of(spent, "native", "wall", least=False)


def _trees(library: str, depth: int) -> str:
    return f"{_CALLED[library]}, " + (f"depth {depth}" if depth else "its defaults")


def added(found: Sequence[Mapping[str, Any]]) -> Section:
    """Whether contributions add up."""
    lines = [
        "| model | explained by | rows | sum + expected - score, at most | of the largest score | scores apart |",
        "|---|---|---|---|---|---|",
    ]
    met = True
    for one in found:
        share = one["apart"] / one["largest"]
        allowed = 10 * _MUST_ADD * one["largest"] if one["single"] else _MUST_ADD
        met &= one["apart"] <= allowed and one["scores"] <= allowed
        lines.append(
            f"| {one['model']} | {one['method']} | {one['rows']:,} | {one['apart']:.1e} | {share:.1e}"
            f" | {one['scores']:.1e} |"
        )
    must = (
        f"Must: at most {_MUST_ADD:g}; of XGBoost, which reckons in single precision, {10 * _MUST_ADD:g} of the largest"
        f" score: {_told(met)}."
    )
    return Section("Adding up", "\n".join([*lines, "", must]), met)


def sampling(found: Sequence[Mapping[str, Any]]) -> Section:
    """What sampling states of its error."""
    lines = [
        "| method | coalitions of 1,022 | values | mean size | error | stated | within two stated | adds up to |",
        "|---|---|---|---|---|---|---|---|",
    ]
    met = True
    for one in found:
        met &= 0.8 <= one["stated"] / one["error"] <= 1.25 and one["apart"] <= _MUST_ADD
        lines.append(
            f"| {one['method']} | {one['samples']} | {one['values']:,} | {one['size']:.3f} | {one['error']:.4f}"
            f" | {one['stated']:.4f} | {one['within']:.1%} | {one['apart']:.0e} |"
        )
    must = (
        "*Error* is the root of the mean squared distance to the truth, *stated* that of the standard errors stated."
        f" Must: within a quarter of each other: {_told(met)}."
    )
    return Section("Sampling", "\n".join([*lines, "", must]), met)


def budgets(found: Sequence[Mapping[str, Any]]) -> Section:
    """Whether budgets are kept."""
    lines = [
        "| `--budget` | `--shap` | command | rows asked, counted | as the product says | rows explained |",
        "|---|---|---|---|---|---|",
    ]
    met = True
    for one in sorted(found, key=lambda one: one["budget"]):
        met &= one["counted"] <= one["budget"] and one["counted"] == one["told"]
        explained = f"{one['explained']:,}" if not one["said"] else f"refused: {one['said']}"
        lines.append(
            f"| {one['budget']:,} | {one['method']} | {one['command']} | {one['counted']:,} | {one['told']:,}"
            f" | {explained} |"
        )
    lines += ["", f"Must: never more than the budget, and as many as the product says: {_told(met)}."]
    return Section("Budget", "\n".join(lines), met)


def alarms(found: Mapping[str, Any]) -> Section:
    """False alarms by table and size."""
    lines = [
        "| rows of | window | windows | violate | upper | ring | upper | NDCG < 0.90 | upper |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    met = bool(found)
    sums = dict.fromkeys(("windows", "violating", "ringing", "rule"), 0)
    for one in found.values():
        for size, tally in one["sizes"].items():
            lines.append(f"| {one['says']} | {int(size):,} | {_counted(tally)} |")
            sums = {name: sums[name] + tally[name] for name in sums}
            most = max(1.0, _MUST_ALARMS * _BUDGET * tally["windows"])
            met &= max(tally["violating"], tally["ringing"]) <= most
    lines += [
        f"| all | | {_counted(sums)} |",
        "",
        f"Must: at most {_MUST_ALARMS:g} in 1,000 of each table and size: {_told(met)}.",
    ]
    return Section("False alarms", "\n".join(lines), met)


def _counted(tally: Mapping[str, int]) -> str:
    windows = tally["windows"]
    cells = [f"{windows:,}"]
    for name in ("violating", "ringing", "rule"):
        cells += [str(tally[name]), f"{1000 * upper(tally[name], windows):.2f}"]
    return " | ".join(cells)


def upper(count: int, windows: int) -> float:
    """The 95 % bound of a share, after Clopper and Pearson."""
    from scipy.stats import beta

    return 1.0 if count >= windows else float(beta.ppf(0.95, count + 1, windows - count))


def power(found: Mapping[str, Mapping[str, Any]]) -> Section:
    """What is seen of changes, by table and change."""
    first = next(iter(found.values()), {})
    sizes = next(iter(first.values()), {"sizes": ()})["sizes"]
    told = [each for one in found.values() for each in one.values() if each["columns"]]
    windows = [tally["windows"] for each in told for tally in each["sizes"].values()]
    what = (
        f"Share of {min(windows, default=0)} windows that violate / ring / have an NDCG below 0.90. Features and"
        " numbers are first, second and third by attribution."
    )
    lines = [
        what,
        "",
        f"| window | change | {' | '.join(found)} |",
        f"|---|---|{'---|' * len(found)}",
    ]
    for size in sizes:
        for name in first:
            cells = []
            for one in found.values():
                tally, columns = one[name]["sizes"][size], one[name]["columns"]
                if not columns:
                    cells.append("")
                    continue
                shares = (tally[key] / tally["windows"] for key in ("violating", "ringing", "rule"))
                about = f"`{columns[0]}`" if len(columns) == 1 else f"{len(columns)}"
                cells.append(f"{about}: " + " / ".join(f"{share:.0%}" for share in shares))
            lines.append(f"| {int(size):,} | {name} | {' | '.join(cells)} |")
    return Section("What is seen", "\n".join(lines))


def _told(met: bool) -> str:
    return "met" if met else "**missed**"
