"""`watchkeep show`."""

from contextlib import suppress
from pathlib import Path

import click

from watchkeep.app.store import REPORT, load_baseline
from watchkeep.cli.output import answer, answer_baseline, answer_watch, console, print_json
from watchkeep.core.errors import DocumentError, MissingSourceError
from watchkeep.formats import json_text, watch_file
from watchkeep.formats.decisions import watch_file_document
from watchkeep.formats.mitigation import DOCUMENT as MITIGATION
from watchkeep.views.html import baseline_html, report_html, watch_html
from watchkeep.views.mitigation import print_mitigation


@click.command("show")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write one HTML file instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the document, alone.")
@click.option("--verbose", is_flag=True, help="Print every measure.")
def command(path: Path, html: Path | None, as_json: bool, verbose: bool) -> int:
    """Draw the report, baseline, watch or mitigation at PATH.

    Exit code for a report: 0 completed, 1 with violations; for a baseline or a watch: 0.
    """
    report = path / REPORT if path.is_dir() else path
    if not path.exists():
        raise MissingSourceError(
            str(path), looked_for="a report, a baseline or a watch", what="file or folder"
        )
    if report.is_file() and watch_file.is_watch(report.read_bytes()):
        document = watch_file_document(watch_file.unpack(report.read_bytes(), str(report)))
        if html is not None:
            _write(html, watch_html(document))
            return 0
        return answer_watch(document, as_json=as_json)
    if report.is_file():
        document = _report(report)
        if html is not None:
            _write(html, report_html(document))
            return 0
        return answer(document, as_json=as_json, verbose=verbose)
    if (path / MITIGATION).is_file():
        return _show_mitigation(path / MITIGATION, as_json=as_json, verbose=verbose)
    baseline = load_baseline(path).told()
    if html is not None:
        _write(html, baseline_html(baseline))
        return 0
    return answer_baseline(baseline, as_json=as_json, verbose=verbose)


def _show_mitigation(path: Path, *, as_json: bool, verbose: bool) -> int:
    document = json_text.loads(path.read_text(encoding="utf-8"), str(path))
    if as_json:
        print_json(document)
    else:
        print_mitigation(document, console(), verbose=verbose)
    return 0


def _report(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        got = "bytes that are no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DocumentError(
            str(path), at="the file", got=got, expected="a report.json, or a folder of a report or a baseline"
        ) from error
    document = json_text.loads(text, str(path))
    if "verdicts" not in document or "outcomes" not in document:
        raise DocumentError(
            str(path), at="the top", got="neither verdicts nor outcomes", expected="a report.json"
        )
    return document


def _write(path: Path, page: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8", errors="backslashreplace")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise DocumentError(str(path), at="the file", got=str(error), expected="a place to write") from error
    click.echo(f"Wrote {path}")
