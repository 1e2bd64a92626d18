"""One self-contained page per document: no network, no fonts to fetch, complete without its script.

The page forbids itself the network and every script but its own by a content security policy, so that even
a hole in the escaping would not let a column's name run.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from watchkeep.views import attribution, charts, curves, decisions, levels, words
from watchkeep.views.columns import OUTCOMES
from watchkeep.views.reading import Baseline, Report
from watchkeep.views.tables import MOST_REASONS, measure_table, policy_lines, timing_words
from watchkeep.views.values import real
from watchkeep.views.watches import Watch

MOST_COLUMNS: Final = 200
"""Columns drawn on one page; the rest are counted."""
MOST_VERDICTS: Final = 200
"""Verdicts listed on one page; the rest are counted."""


def report_html(document: Mapping[str, object]) -> str:
    """A report as one HTML page of bounded size.

    Args:
        document: the report document; keys it lacks are left out of the page.

    >>> page = report_html({"version": 1, "monitor": "m", "kind": "bias", "status": "Completed"})
    >>> page.startswith("<!DOCTYPE html>"), "Nothing was checked." in page
    (True, True)
    """
    report = Report.of(document)
    shown = report.columns[:MOST_COLUMNS]
    present = [outcome for outcome in OUTCOMES if any(column.outcome == outcome for column in shown)]
    return _page(
        "report.html",
        report=report,
        quality=report.quality,
        bias=report.bias,
        attribution=report.attribution,
        violated=report.having("violated"),
        failed=report.having("failed"),
        undecided=report.undecided,
        bad=[column for column in shown if column.outcome in ("violated", "failed")],
        open=[column for column in shown if column.outcome == "undecided"],
        calm=[column for column in shown if column.outcome not in ("violated", "failed", "undecided")],
        present=present if len(present) > 1 else [],
        not_drawn=len(report.columns) - len(shown),
        most_reasons=MOST_REASONS,
        table=measure_table(report, most=MOST_COLUMNS),
        judged=policy_lines(report),
        timing=timing_words(report),
    )


def baseline_html(document: Mapping[str, object]) -> str:
    """A baseline as one HTML page of bounded size.

    Args:
        document: the baseline document; keys it lacks are left out of the page.

    >>> "A bias baseline of 10 rows" in baseline_html({"version": 1, "kind": "bias", "rows": 10})
    True
    """
    baseline = Baseline.of(document)
    columns = baseline.columns[:MOST_COLUMNS]
    left = len(baseline.columns) - len(columns)
    return _page(
        "baseline.html",
        baseline=baseline,
        quality=baseline.quality,
        bias=baseline.bias,
        attribution=baseline.attribution,
        columns=columns,
        not_drawn=left,
    )


def watch_html(document: Mapping[str, object]) -> str:
    """A watch as one HTML page: what it said of its last window, and the windows before.

    Args:
        document: the watch document; keys it lacks are left out of the page.

    >>> "It has seen no window yet." in watch_html({"version": 1, "kind": "watch", "decision": None})
    True
    """
    return _page("watch.html", watch=Watch.of(document))


def fragment(template: str, **values: object) -> str:
    """A template of ours, filled in; every value is escaped, and invisible characters are spelled out."""
    return _environment().get_template(template).render(values)


def _page(template: str, **values: object) -> str:
    script, policy = _script()
    return fragment(template, script=script, policy=policy, most_verdicts=MOST_VERDICTS, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("watchkeep", "views/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": words.amount,
        "clip": words.clip,
        "counted": _counted,
        "drawn": _drawn,
        "gauge": levels.gauge_of,
        "levels": levels.levels_of,
        "figure": words.figure,
        "listing": lambda names, most: words.listing(names, most=most),
        "moment": words.moment,
        "percent": words.percent,
        "spaced": words.spaced,
        "strength": decisions.strength,
    }
    environment.globals |= {
        "symbols": words.SYMBOLS,
        "WIDTH": charts.WIDTH,
        "HEIGHT": charts.HEIGHT,
        "SIDE": curves.SIDE,
    }
    environment.globals |= {
        "TALL": levels.TALL,
        "RINGS": _down(levels.RINGS),
        "LOOK": _down(levels.SUSPICIOUS),
    }
    environment.globals |= {
        "FLOWING": attribution.FLOWING,
        "ROW": attribution.ROW,
        "SLOPE": attribution.SIDE,
    }
    return environment


def _down(level: float) -> float:
    """Where a level stands, in percent from the top of its chart."""
    return round(100 - 100 * levels.height(level), 2)


def _visible(value: object) -> object:
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _counted(value: object) -> str:
    given = real(value)
    return words.figure(value) if given is None else words.count(given)


def _drawn(chart: Mapping[str, object], bars: int) -> charts.Histogram | charts.Bars | charts.Blank:
    return charts.drawn(chart, bars=bars)


@cache
def _script() -> tuple[Markup, str]:
    """The page's script, and the policy that allows it and nothing else."""
    environment = _environment()
    source = PackageLoader("watchkeep", "views/templates").get_source(environment, "filter.js")[0]
    digest = b64encode(sha256(source.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return Markup(source), policy  # noqa: S704 (our own file)
