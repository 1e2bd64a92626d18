"""The command line itself: help, options, errors, exit codes."""

import json
from pathlib import Path

import click
import pytest
from tests.scenarios.world import baseline, rows, violated, watchkeep, write

from watchkeep.cli import COMMANDS, run
from watchkeep.cli import doctor as doctor_module
from watchkeep.cli.doctor import Finding
from watchkeep.cli.output import exit_code
from watchkeep.cli.progress import Bar

TRAIN, MOVED = rows(600, seed=1), rows(400, seed=3, income=11.0)


def test_help_names_every_command_and_each_has_its_own() -> None:
    told = watchkeep("--help")

    assert told.code == 0
    for name, summary in COMMANDS.items():
        assert f"{name} " in told.out
        assert summary in told.out
        own = watchkeep(name, "--help")
        assert (own.code, own.err) == (0, "")
        assert own.out.startswith(f"Usage: watchkeep {name}")
        assert "\\b" not in own.out


@pytest.mark.parametrize("name", ["baseline", "check", "compare", "label-plan", "acknowledge"])
def test_examples_in_a_help_stand_on_lines_of_their_own(name: str) -> None:
    lines = [line.strip() for line in watchkeep(name, "--help").out.splitlines()]

    assert [line for line in lines if line.startswith(f"watchkeep {name} ")]


def test_no_command_at_all_is_answered_with_the_help() -> None:
    answer = watchkeep()

    assert answer.code == 2
    assert "baseline" in answer.out + answer.err


def test_the_version_is_printed() -> None:
    assert watchkeep("--version").out.startswith("watchkeep, version ")


def test_every_option_says_what_it_is() -> None:
    for name in COMMANDS:
        command = __import__(f"watchkeep.cli.{name.replace('-', '_')}", fromlist=["command"]).command
        assert command.help
        assert [one.name for one in command.params if isinstance(one, click.Option) and not one.help] == []


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 3, "interrupted"),
        (RuntimeError("two\nlines"), 3, "RuntimeError: two lines"),
        (click.exceptions.Exit(5), 5, ""),
    ],
)
def test_what_goes_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    def fail() -> list[Finding]:
        raise raised

    monkeypatch.setattr(doctor_module, "findings", fail)
    answer = watchkeep("doctor")

    assert answer.code == code
    assert said in answer.err
    assert len(answer.err.strip().splitlines()) == bool(said)


def test_debug_shows_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "findings", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run(["doctor", "--debug"])


def test_the_doctor_says_when_something_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "findings", lambda: [Finding("numpy", "not installed", well=False)])

    answer = watchkeep("doctor")

    assert (answer.code, answer.out) == (3, "BAD numpy  not installed\n")


@pytest.mark.parametrize(
    ("outcomes", "strict", "code"),
    [
        ({"kept": 3}, False, 0),
        ({"undecided": 1}, False, 0),
        ({"undecided": 1}, True, 1),
        ({"failed": 1}, True, 1),
        ({"violated": 1}, False, 1),
    ],
)
def test_outcomes_decide_the_exit_code(outcomes: dict[str, int], strict: bool, code: int) -> None:
    assert exit_code({"outcomes": outcomes}, strict=strict) == code


def test_roles_may_come_from_a_file_and_the_command_line_wins(tmp_path: Path) -> None:
    data = write(TRAIN, tmp_path / "t.parquet")
    (tmp_path / "roles.yaml").write_text("label: age\nscore: maybe\nfacets: {color: [red]}\nignored: [at]\n")

    answer = watchkeep(
        "baseline",
        "data-quality",
        data,
        "--out",
        tmp_path / "b",
        "--json",
        "--schema",
        tmp_path / "roles.yaml",
        "--score",
        "income",
    )

    assert answer.document["roles"] == {
        "label": "age",
        "score": "income",
        "facets": {"color": ["red"]},
        "ignored": ["at"],
    }
    assert "at" not in [one["name"] for one in answer.document["columns"]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "a file that can be read"),
        ("[a]", "a mapping"),
        ("{", "YAML or JSON"),
        ("lable: age", "did you mean 'label'?"),
        ("label: [age]", "the name of a column"),
        ("ignored: age", "a list"),
        ("facets: 3", "columns, or a mapping"),
    ],
)
def test_a_roles_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, content: str | None, why: str
) -> None:
    data, path = write(TRAIN, tmp_path / "t.parquet"), tmp_path / "roles.yaml"
    if content is not None:
        path.write_text(content)

    answer = watchkeep("baseline", "data-quality", data, "--out", tmp_path / "b", "--schema", path)

    assert answer.is_one_sentence, answer
    assert why in answer.err


def test_roles_given_at_the_check_change_nothing_else(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN, "--score", "income")
    data = write(MOVED, tmp_path / "w.parquet")

    def report(*options: str) -> set[tuple[str, str]]:
        return violated(watchkeep("check", known, data, "--out", tmp_path / "r", "--json", *options).document)

    assert ("baseline_drift_check", "income") in report()
    assert report("--timestamp", "at") == report()
    assert report("--ignore", "income") == set()
    assert report("--feature", "age", "--feature", "color") == {
        ("baseline_drift_check", "income")
    }  # the score stays


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN)

    answer = watchkeep("show", known, "--html", tmp_path / "train.parquet" / "page.html")

    assert answer.is_one_sentence


def test_the_baseline_can_be_shown_as_json_and_in_full(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN)

    assert watchkeep("show", known, "--json").document["rows"] == 600
    assert len(watchkeep("show", known, "--verbose").out) > len(watchkeep("show", known).out)
    limits = json.loads((known / "constraints.json").read_text())
    assert len(limits["features"]) == len(TRAIN.column_names)


def test_a_bar_goes_along_with_a_read(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()

    bar.advance(3)
    bar.start("Reading", rows=None)
    bar.advance(3)
    bar.stop()
    bar.stop()

    assert capsys.readouterr().out == ""
