"""The monitors of a model, read from any document, and what they say together."""

import io

from rich.console import Console

from watchkeep.views.html import report_html
from watchkeep.views.monitors import monitors_of
from watchkeep.views.notebook import report_fragment
from watchkeep.views.reading import Report
from watchkeep.views.terminal import print_report

CALM = {
    "outcome": "not changed",
    "sentence": "Not changed: the evidence is 2 % of what it takes to ring.",
    "level": 0.02,
}
RANG = {
    "outcome": "changed",
    "sentence": "Changed: true_negative_rate (worse).",
    "alarm": True,
    "level": 1.04,
    "named": ["true_negative_rate"],
    "changes": {"true_negative_rate": "mean"},
    "evidence": {"true_negative_rate": 1.0},
    "subjects": "measures",
}
LOOK = {
    "outcome": "not changed",
    "sentence": "Worth a look: sex=F (treated otherwise, beside the others); the evidence is 22 % of what it takes.",
    "warning": True,
    "level": 0.22,
    "named": ["sex=F"],
    "subjects": "groups",
}
BLIND = {
    "outcome": "too little data to tell",
    "sentence": "Too little data to tell: no label has come.",
    "level": 0,
}


def _document(**more: object) -> dict[str, object]:
    return {"version": 1, "monitor": "m", "kind": "model", "status": "CompletedWithViolations", **more}


def several(**decisions: dict[str, object]) -> dict[str, object]:
    """A report over monitors of these names, all of whose limits are kept."""
    monitors = [
        {"name": name, "kind": "bias", "status": "Completed", "outcomes": {"kept": 3}, "decision": decision}
        for name, decision in decisions.items()
    ]
    gravest = max(decisions.values(), key=lambda one: float(str(one["level"])))
    return _document(status="Completed", outcomes={"kept": 9}, decision=gravest, monitors=monitors)


def printed(document: dict[str, object]) -> str:
    console = Console(file=io.StringIO(), width=400)
    print_report(document, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_monitor_that_could_not_be_run_says_why_and_has_no_page() -> None:
    failed, run = monitors_of(
        [
            {"name": "why", "kind": "attribution", "status": "Failed", "why": "<b>m.json</b> is not there"},
            {
                "name": "data",
                "kind": "data-quality",
                "status": "Completed",
                "outcomes": {"kept": 12, "violated": 0},
                "report": "monitors/data/report.html",
            },
        ]
    )
    assert (failed.outcome, failed.page) == ("failed", "")
    assert (run.outcome, run.told, run.page) == ("kept", "12 kept", "monitors/data/report.html")


def test_the_mark_of_a_monitor_is_the_worst_of_its_limits_and_its_answer() -> None:
    kept, violated = {"kept": 5}, {"kept": 4, "violated": 1}
    found = monitors_of(
        [
            {"name": "n", "status": "Completed", "outcomes": outcomes, "decision": decision}
            for outcomes in (kept, violated)
            for decision in (CALM, RANG, LOOK, BLIND)
        ]
    )

    assert [(one.symbol, one.word, one.outcome) for one in found] == [
        ("✓", "kept", "kept"),
        ("▲", "changed", "violated"),
        ("△", "worth a look", "undecided"),
        ("◌", "too little data to tell", "undecided"),
        *[("▲", "violated", "violated")] * 4,
    ]
    assert found[0].told == "Not changed. Checks: 5 kept."
    assert found[5].told == "Changed: true negative rate (worse). Checks: 4 kept, 1 violated."


def test_every_monitor_that_changed_or_is_worth_a_look_is_in_the_headline_and_has_its_evidence() -> None:
    document = several(data=CALM, quality=RANG, groups=LOOK)
    report = Report.of(document)

    assert report.headline == (
        "Changed in quality: true negative rate (worse). Worth a look in groups: sex=F (treated otherwise, beside the"
        " others); the evidence is 22 % of what it takes."
    )
    assert report.decision is not None
    assert (report.decision.head, report.decision.symbol) == ("Changed", "▲")
    assert report.decision.lead.startswith("In quality: true negative rate (worse). Worth a look in groups")
    assert [name for name, _ in report.proofs] == ["quality", "groups"]
    text = printed(document)
    assert f"▲ {report.headline}" in text
    assert "Evidence of quality" in text
    assert "Evidence of groups" in text
    for page in (report_html(document), report_fragment(document)):
        assert "Worth a look in groups" in page
        assert page.count("a window rings at 1") == 2
        assert "▲</span> changed" in page
        assert "△</span> worth a look" in page


def test_monitors_that_did_not_change_are_told_with_the_most_evidence_and_the_blind_beside_them() -> None:
    calm = Report.of(several(data=CALM, groups=CALM | {"level": 0.05}, quality=BLIND))
    blind = Report.of(several(quality=BLIND, groups=BLIND))

    assert calm.headline == (
        "Not changed in data and groups: the evidence is 5 % of what it takes to ring, at the most."
        " Too little data to tell in quality: no label has come."
    )
    assert [name for name, _ in calm.proofs] == ["groups"]
    assert blind.headline == (
        "Too little data to tell in quality: no label has come; in groups: no label has come."
    )
    assert blind.decision is not None
    assert (blind.decision.symbol, blind.decision.head) == ("◌", "Too little data to tell")


def test_one_monitor_alone_speaks_for_itself() -> None:
    assert Report.of(several(quality=RANG)).headline == "Changed: true negative rate (worse)."


def test_the_page_of_several_monitors_draws_each_and_escapes_all() -> None:
    page = report_html(
        _document(
            monitors=[
                {
                    "name": "<i>data</i>",
                    "kind": "data-quality",
                    "status": "Failed",
                    "why": "<script>x</script>",
                },
                {
                    "name": "n",
                    "status": "Completed",
                    "outcomes": {"kept": 1},
                    "report": "javascript:alert(1)",
                },
            ],
            causes=[{"subject": "<img>", "sentence": "<img src=x>", "pattern": "<b>", "share": 0.5}],
        )
    )
    assert "<script>x" not in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "&lt;i&gt;data" in page
    assert "50 %" in page


def test_whatever_is_missing_or_of_another_type_reads_as_absent() -> None:
    for damaged in (None, 3, "x", [1, "y"], [{"outcomes": [], "decision": 3, "report": 5, "baseline": "x"}]):
        assert len(monitors_of(damaged)) <= 1
        assert Report.of(_document(monitors=damaged, decision=damaged)).headline
