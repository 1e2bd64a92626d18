"""What the world sends instead of data: one clear sentence and exit code 2, or counted rows; nothing half written."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scenarios.world import baseline, program, rows, watchkeep, write

TRAIN, TODAY = rows(600, seed=1), rows(200, seed=2)
Maker = Callable[[Path], object]


def _parquet(damage: Callable[[bytes], bytes]) -> Maker:
    def make(path: Path) -> None:
        path.write_bytes(damage(write(TODAY, path.with_name("sound.parquet")).read_bytes()))

    return make


def _noise(whole: bytes) -> bytes:
    return whole[:200] + random.Random(3).randbytes(400) + whole[600:]


UNUSABLE: dict[str, tuple[Maker, str]] = {
    "missing.parquet": (lambda _: None, "there is no such source"),
    "empty.parquet": (lambda path: path.touch(), "0 bytes"),
    "empty.csv": (lambda path: path.touch(), "empty"),
    "empty.jsonl": (lambda path: path.touch(), "empty"),
    "folder": (lambda path: path.mkdir(), "no data files"),
    "header.csv": (lambda path: path.write_text("age,income\n"), "holds no rows"),
    "zero.parquet": (lambda path: write(TODAY.slice(0, 0), path), "holds no rows"),
    "garbage.parquet": (lambda path: path.write_bytes(b"PAR1" + b"?" * 500 + b"PAR1"), "Parquet"),
    "cut.parquet": (_parquet(lambda whole: whole[: len(whole) // 2]), "not a parquet file"),
    "bits.parquet": (_parquet(_noise), "bits.parquet"),
    "wide.csv": (lambda path: path.write_bytes("a,b\n1,2\n".encode("utf-16")), "UTF-16"),
    "binary.csv": (lambda path: path.write_bytes(b"a\x00b,c\n" * 50), "not a text file"),
    "twice.csv": (lambda path: path.write_text("a,a\n1,2\n"), "two columns are named 'a'"),
    "twice.parquet": (
        lambda path: pq.write_table(pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]), path),
        "two columns are named 'a'",
    ),
    "open.csv": (lambda path: path.write_text('a,b\n1,2\n"oops,3\n4,5\n'), "quote is never closed"),
    "junk.jsonl": (lambda path: path.write_text("nope\n" * 10), "10 not JSON"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_source_that_cannot_be_used_is_one_sentence(tmp_path: Path, name: str) -> None:
    make, why = UNUSABLE[name]
    make(tmp_path / name)
    known = baseline(tmp_path / "known", TRAIN)
    before = sorted(tmp_path.rglob("*"))

    learned = watchkeep("baseline", "data-quality", tmp_path / name, "--out", tmp_path / "b")
    checked = watchkeep("check", known, tmp_path / name, "--out", tmp_path / "r")

    for answer in (learned, checked):
        assert answer.is_one_sentence, answer
        assert why in answer.err
        assert name in answer.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content", "analysed", "rejected"),
    [
        (
            "ragged.csv",
            b"a,b\n" + b"1,2\n" * 90 + b"1\n" * 7 + b"1,2,3\n" * 3,
            90,
            {"wrong number of fields": 10},
        ),
        ("latin1.csv", b"a,b\n" + b"x,1\n" * 90 + "ë,1\n".encode("latin1") * 10, 90, {"not UTF-8": 10}),
        ("mark.csv", b"\xef\xbb\xbfa,b\n" + b"1,2\n" * 50, 50, {}),
        ("quoted.csv", b'a,b\n"x ""y"" z",1\n' + b'"two\nlines",2\n' * 9, 10, {}),
        (
            "torn.jsonl",
            b'{"a":1}\n' * 90 + b'{"a":\n' + b"[1,2]\n" + b'{"a":1}\n',
            91,
            {"not JSON": 1, "not an object": 1},
        ),
    ],
)
def test_rows_that_cannot_be_read_are_counted(
    tmp_path: Path, name: str, content: bytes, analysed: int, rejected: dict[str, int]
) -> None:
    (tmp_path / name).write_bytes(content)

    learned = watchkeep("baseline", "data-quality", tmp_path / name, "--out", tmp_path / "b", "--json")
    drawn = watchkeep("show", tmp_path / "b")
    report = watchkeep("check", tmp_path / "b", tmp_path / name, "--out", tmp_path / "r", "--json")

    assert (learned.document["rows"], sum(learned.document["rejected"].values())) == (
        analysed,
        sum(rejected.values()),
    )
    assert learned.document["columns"][0]["name"] == "a"
    assert report.document["rows"]["analysed"] == analysed
    assert report.document["rows"]["read"] == analysed + sum(rejected.values())
    if name != "torn.jsonl":  # the reasons of JSON have names of their own
        assert report.document["rows"]["rejected"] == rejected
        assert all(reason in drawn.out for reason in rejected)


USAGE = [
    (("chek",), "did you mean 'check'?"),
    (("baseline", "data-qualty", "{data}", "--out", "{new}"), "'data-quality'"),
    (("baseline", "data-quality", "{data}"), "--out"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--label", "incme"), "did you mean 'income'?"),
    (
        ("baseline", "data-quality", "{data}", "--out", "{new}", "--facet", "colr=red"),
        "did you mean 'color'?",
    ),
    (
        ("baseline", "data-quality", "{data}", "--out", "{new}", "--label", "age", "--score", "age"),
        "another column",
    ),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--ignore", "colr"), "did you mean 'color'?"),
    (("check", "{known}", "{data}", "--out", "{new}", "--ignore", "colr"), "did you mean 'color'?"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--timestamp", "color"), "holds no times"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--where", ""), "--where"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--segment", "age < 30"), "--segment"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--facet", "=x"), "column=value"),
    (("baseline", "data-quality", "{data}", "--out", "{new}", "--format", "csv"), "not a text file"),
    (("baseline", "data-quality", "{data}", "--out", "{home}"), "new or empty folder"),
    (("baseline", "data-quality", "{data}", "--out", "{data}"), "this is a file"),
    (("check", "{known}", "{data}", "--out", "{new}", "--label", "incme"), "did you mean 'income'?"),
    (("check", "{known}", "{data}", "--out", "{new}", "--start", "yesterday"), "2013-02-08"),
    (("check", "{known}", "{data}", "--out", "{new}", "--start", "2024-02-30"), "2024-02-30"),
    (
        ("check", "{known}", "{data}", "--out", "{new}", "--start", "2024-03-02", "--end", "2024-03-01"),
        "after",
    ),
    (("check", "{known}", "{data}", "--out", "{new}", "--start", "2031-01-01"), "no rows"),
    (("check", "{known}", "{data}", "--out", "{new}", "--min-row", "3"), "--min-rows"),
    (("check", "{known}", "{data}", "--out", "{new}", "--min-rows", "0"), "1 or more"),
    (("check", "{known}", "{data}", "--out", "{new}", "--false-alarms", "nan"), "probability"),
    (("check", "{known}", "{data}", "--out", "{new}", "--engine", "sparc"), "spark"),
    (("check", "{known}", "{home}/windwo.parquet", "--out", "{new}"), "did you mean '"),
    (("check", "{known}", "duckdb:///{home}/no.db?query=select 1", "--out", "{new}"), "no such source"),
    (("check", "{known}x", "{data}", "--out", "{new}"), "a baseline"),
    (("check", "{home}", "{data}", "--out", "{new}"), "no baseline"),
    (("show", "{new}"), "no such"),
    (("show", "{data}"), "window.parquet"),
    (("compare", "{data}", "{new}.csv"), "no such source"),
]


@pytest.mark.parametrize(
    ("arguments", "why"), USAGE, ids=lambda value: " ".join(value[:1]) if isinstance(value, tuple) else value
)
def test_a_slip_of_the_user_is_one_sentence_that_helps(
    tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    known = baseline(tmp_path / "known", TRAIN, "--timestamp", "at")
    data = write(TODAY, tmp_path / "window.parquet")
    places = {"known": known, "data": data, "home": tmp_path, "new": tmp_path / "new"}

    answer = watchkeep(*(argument.format(**places) for argument in arguments))

    assert answer.is_one_sentence, answer
    assert why in answer.err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["known", "window.parquet"]


def _newer(whole: bytes) -> bytes:
    with pa.ipc.open_file(pa.BufferReader(whole)) as reader:
        table = reader.read_all()
    told = {
        key: re.sub(rb'("version": ?)(\d+)', rb"\g<1>99", value, count=1)
        for key, value in table.schema.metadata.items()
    }
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema.with_metadata(told)) as writer:
        writer.write_table(table.replace_schema_metadata(told))
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("baseline.arrow", lambda whole: b""),
        ("baseline.arrow", lambda whole: whole[: len(whole) // 2]),
        ("baseline.arrow", lambda whole: b"no arrow at all"),
        ("baseline.arrow", _newer),
        ("constraints.json", lambda whole: b""),
        ("constraints.json", lambda whole: whole[:-20]),
        ("constraints.json", lambda whole: b"[]"),
        ("constraints.json", lambda whole: whole.replace(b'"completeness": 1.0', b'"completeness": "all"')),
        ("constraints.json", lambda whole: whole.replace(b'"completeness": 1.0', b'"completeness": 1.5')),
        ("constraints.json", lambda whole: whole.replace(b'"Robust"', b'"Robst"')),
        ("constraints.json", lambda whole: whole.replace(b'"income"', b'"age"')),
        ("constraints.json", lambda whole: b"\xff\xfe" + whole),
    ],
)
def test_a_damaged_baseline_is_one_sentence_that_names_the_file(
    tmp_path: Path, file: str, damage: Callable[[bytes], bytes]
) -> None:
    known = baseline(tmp_path, TRAIN)
    whole = (known / file).read_bytes()
    (known / file).write_bytes(damage(whole))
    assert damage(whole) != whole

    answer = watchkeep("check", known, write(TODAY, tmp_path / "w.parquet"), "--out", tmp_path / "r")

    assert answer.is_one_sentence, answer
    assert file in answer.err
    assert not (tmp_path / "r").exists()


def test_a_baseline_without_its_constraints_says_what_is_missing(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN)
    (known / "constraints.json").unlink()

    answer = watchkeep("check", known, write(TODAY, tmp_path / "w.parquet"), "--out", tmp_path / "r")

    assert answer.is_one_sentence
    assert "constraints.json: it is missing" in answer.err


def test_a_report_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    for content in ("", "[1]", "{}", json.dumps({"verdicts": 3}), "\x00"):
        (tmp_path / "report.json").write_text(content)
        assert watchkeep("show", tmp_path / "report.json").is_one_sentence


def test_nothing_but_json_goes_to_standard_output(tmp_path: Path) -> None:
    known = baseline(tmp_path, TRAIN)
    write(TODAY, tmp_path / "w.parquet")

    good = program("check", known, "w.parquet", "--out", "r", "--json", cwd=tmp_path)
    bad = program("check", known, "no.parquet", "--out", "r", "--json", cwd=tmp_path)

    assert good.document["rows"]["analysed"] == TODAY.num_rows
    assert bad.is_one_sentence


def test_the_traceback_is_shown_to_who_asks_for_it(tmp_path: Path) -> None:
    answer = program("--debug", "show", "nowhere", cwd=tmp_path)

    assert "Traceback" in answer.err
    assert answer.code != 0
