"""Documents as a piece of HTML for a notebook's cell.

A scoped section rather than an iframe: a frame needs a height fixed beforehand, is dropped by the viewers
that clean untrusted notebooks, and would carry the whole page into every saved cell. Every rule of the style
sheet is confined to the class `wk`, so nothing leaks into the notebook; the section brings its own background
and ink, so that it can be read on any theme, and follows the theme of JupyterLab, VS Code and Colab where
they tell it. A viewer that removes the styles still shows headings, lists and tables. There is no script.
"""

from collections.abc import Mapping
from typing import Final

from watchkeep.views.html import fragment
from watchkeep.views.reading import Baseline, Report

_MOST_CARDS: Final = 12
_MOST_VERDICTS: Final = 20


def report_fragment(document: Mapping[str, object]) -> str:
    """A report as one `<section>` for `_repr_html_`: what happened, why, and the columns it happened to.

    Columns within their limits are counted and not drawn: the page of `report_html` has them all.

    >>> html = report_fragment({"version": 1, "monitor": "m", "kind": "bias", "status": "Completed"})
    >>> html.startswith('<section class="wk"'), "<script" in html
    (True, False)
    """
    report = Report.of(document)
    bad = [column for column in report.columns if column.outcome in ("violated", "failed")]
    return fragment(
        "cell_report.html",
        report=report,
        quality=report.quality,
        bias=report.bias,
        attribution=report.attribution,
        verdicts=[*report.having("violated"), *report.having("failed")],
        columns=bad[:_MOST_CARDS],
        left=len(report.columns) - len(bad[:_MOST_CARDS]),
        most_verdicts=_MOST_VERDICTS,
    ).strip()


def baseline_fragment(document: Mapping[str, object]) -> str:
    """A baseline as one `<section>` for `_repr_html_`: what it holds, and its first columns.

    >>> "2 rows" in baseline_fragment({"version": 1, "kind": "bias", "rows": 2})
    True
    """
    baseline = Baseline.of(document)
    columns = baseline.columns[:_MOST_CARDS]
    left = len(baseline.columns) - len(columns)
    return fragment(
        "cell_baseline.html",
        baseline=baseline,
        quality=baseline.quality,
        bias=baseline.bias,
        attribution=baseline.attribution,
        columns=columns,
        left=left,
    ).strip()
