"""The documents: every command, option, measure and rule has its place in them, and Python in them compiles."""

import json
import re
from importlib import import_module
from pathlib import Path
from types import CodeType

import click
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.baselines import rules
from watchkeep.cli import COMMANDS, run
from watchkeep.measures.index import MEASURES
from watchkeep.monitors.data_quality.dataset import NAMES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text, command = page("cli.md"), import_module(f"watchkeep.cli.{name.replace('-', '_')}").command

    assert f"## `watchkeep {name}" in text
    options = [option for one in command.params if isinstance(one, click.Option) for option in one.opts]
    assert [option for option in options if option.startswith("--") and option not in text] == []


def test_every_documented_option_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        run([name, "--help"])
        command = import_module(f"watchkeep.cli.{name.replace('-', '_')}").command
        for inner in getattr(command, "commands", ()):
            run([name, inner, "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) | {"--version", "--debug"}

    assert set(re.findall(r"--[a-z][a-z-]+", page("cli.md"))) <= known


def test_every_measure_is_documented() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", page("measures.md")))

    assert {measure.name for measure in MEASURES} | set(NAMES) <= named


@pytest.mark.parametrize(
    "answers",
    [
        {"y": [0, 1] * 60, "score": [0.2, 0.9] * 60},
        {"y": ["a", "b", "c"] * 40, "score": [[0.6, 0.3, 0.1]] * 120},
        {"y": [1.5, 2.25, 4.0] * 40, "prediction": [1.0, 2.0, 4.5] * 40},
    ],
    ids=["binary", "several", "numbers"],
)
def test_every_measure_of_answers_is_documented(answers: dict[str, list[object]]) -> None:
    rows = pa.table(answers)
    score, prediction = (name if name in answers else None for name in ("score", "prediction"))
    reference = wk.read(rows, label="y", score=score, prediction=prediction)
    baseline = wk.ModelQuality().baseline(reference)
    told = json.loads(json.dumps(baseline.check(rows).document()))["quality"]
    names = {one["measure"] for one in told["measures"]}
    names -= {name for name in names if name.endswith("_best_constant_classifier")}

    assert len(names) > 8
    assert sorted(name for name in names if f"`{name}`" not in page("model-quality.md")) == []
    assert sorted(key for key in told if f"`{key}`" not in page("reports.md")) == []


def test_every_suggestion_rule_is_documented() -> None:
    folder = Path(next(iter(rules.__path__)))
    found = {
        name for file in folder.glob("*.py") for name in re.findall(r'rule="(\w+)"', file.read_text("utf-8"))
    }
    found |= {"CompleteIfComplete", "RetainCompleteness"}

    assert len(found) > 10
    assert sorted(name for name in found if name not in page("constraints.md")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_in_the_documents_compiles(path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)

    assert all(isinstance(compile(block, path.name, "exec"), CodeType) for block in blocks)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_the_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_measure_of_groups_and_every_key_told_of_them_is_documented() -> None:
    rows = pa.table(
        {"sex": ["F", "M"] * 60, "g": ["a", "b", "b"] * 40, "y": [0, 1, 1] * 40, "p": [0.2, 0.7] * 60}
    )
    reference = wk.read(rows, label="y", score="p", facets={"sex": "F"}, features=["p"])
    told = wk.Bias(stratum="g").baseline(reference).check(rows.drop_columns(["y"])).document()["bias"]
    assert isinstance(told, dict)

    names = {str(name) for name in told["titles"]}
    assert len(names) == 25
    assert sorted(name for name in names if f"`{name}`" not in page("bias.md")) == []
    keys = {*told, *(key for one in told["groups"] for key in one)}
    keys |= {key for one in told["groups"] for each in one["measures"] for key in each}
    assert sorted(key for key in keys if f"`{key}`" not in page("reports.md")) == []
