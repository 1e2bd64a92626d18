"""A script of a user runs in a process of its own, and can do no more than answer, or fail in a sentence."""

import json
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from watchkeep.adapters.preprocessing import Script, after, rows_by
from watchkeep.core.errors import OptionError, ScriptError

RECORD = {
    "captureData": {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "41,red\n",
            "encoding": "CSV",
        },
        "endpointOutput": {"mode": "OUTPUT", "data": '{"p": 0.5}', "encoding": "JSON"},
    },
    "eventMetadata": {
        "eventId": "e1",
        "inferenceId": "i1",
        "customAttributes": ["a=1"],
        "inferenceTime": "2024-01-19T18:20:48Z",
    },
    "eventVersion": "0",
}
TEXT = json.dumps(RECORD)


def script(code: str, **more: Any) -> Script:
    return Script("pre.py", textwrap.dedent(code), **more)


def rows(code: str, *texts: str, kind: Any = "capture", **more: Any) -> list[Any]:
    return list(rows_by(script(code, **more), texts or (TEXT,), kind))


def test_the_record_has_all_that_scripts_look_for() -> None:
    (found,) = rows(
        """
        import json
        def preprocess_handler(record):
            given, answer = record.endpoint_input, record.endpoint_output
            return {
                "data": given.data, "encoding": given.encoding, "type": given.observedContentType, "mode": given.mode,
                "other": answer.observedContentType, "p": json.loads(answer.data)["p"],
                "transform": record.batch_transform_output, "truth": record.ground_truth,
                "id": record.event_metadata.event_id, "at": record.event_metadata.event_time,
                "attributes": record.event_metadata.custom_attribute[0], "version": record.event_version,
                "same": record.as_dict() is record.event_dict, "text": json.loads(str(record)) == record.as_dict(),
                "old": record.event_data.endpointInput.data, "oldest": record.event_data.groundTruthData,
            }
        """
    )

    assert found == [
        {
            "at": "2024-01-19T18:20:48Z",
            "attributes": "a=1",
            "data": "41,red\n",
            "encoding": "CSV",
            "id": "e1",
            "mode": "INPUT",
            "old": "41,red\n",
            "oldest": None,
            "other": None,
            "p": 0.5,
            "same": True,
            "text": True,
            "transform": None,
            "truth": None,
            "type": "text/csv",
            "version": "0",
        }
    ]
    assert list(found[0]) == sorted(found[0])


def test_merged_records_have_labels_and_outputs_of_transforms() -> None:
    merged = {
        "captureData": {"batchTransformOutput": {"data": "0.5", "encoding": "CSV"}},
        "groundTruthData": {"data": "1", "encoding": "CSV"},
    }

    found = rows(
        """
        def preprocess_handler(record):
            output, truth = record.batch_transform_output, record.ground_truth
            return {"p": output.data, "y": truth.data, "none": record.endpoint_input}
        """,
        json.dumps(merged),
    )

    assert found == [[{"none": None, "p": "0.5", "y": "1"}]]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("{1: 'a', 10: None, 2: 3.5}", [{"1": "a", "10": None, "2": 3.5}]),
        ("[]", []),
        ("None", []),
        ("record", None),
        ("record.as_dict()", None),
        ("[{'b': 1, 'a': 2}, {'c': True}]", [{"a": 2, "b": 1}, {"c": True}]),
        ("{}", [{}]),
        ("{'at': datetime.date(2024, 1, 19), 's': {2, 1}}", [{"at": "2024-01-19", "s": [1, 2]}]),
    ],
)
def test_what_a_handler_may_return(answer: str, expected: Any) -> None:
    assert rows(f"import datetime\ndef preprocess_handler(record):\n    return {answer}") == [expected]


def test_numbers_of_numpy_are_numbers() -> None:
    code = """
        import numpy as np
        def preprocess_handler(record):
            return {"a": np.float32(0.5), "b": np.int64(7), "c": np.array([1.0, 2.0]), "d": np.bool_(True)}
        """

    assert rows(code) == [[{"a": 0.5, "b": 7, "c": [1.0, 2.0], "d": True}]]


def test_lines_of_transforms_are_given_as_texts_and_as_dicts() -> None:
    csv = "def preprocess_handler(line):\n    return {str(i).zfill(3): v for i, v in enumerate(line.split(','))}"
    same = "def preprocess_handler(line):\n    return line"
    other = "def preprocess_handler(one, logger):\n    logger.info('seen')\n    return {'b': one['a'] * 2}"

    assert rows(csv, "41,red", kind="csv") == [[{"000": "41", "001": "red"}]]
    assert rows(same, "41,red", kind="csv") == [None]
    assert rows(same, '{"a": 1}', kind="json") == [None]
    assert rows(other, '{"a": 2}', kind="json") == [[{"b": 4}]]


def test_a_dict_that_a_handler_changes_is_a_row() -> None:
    code = """
        def preprocess_handler(one):
            one["b"] = one.pop("a") * 2
            return one
        """

    assert rows(code, '{"a": 2}', kind="json") == [[{"b": 4}]]


def test_what_a_script_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = f"""
        import os, time
        def preprocess_handler(one):
            child = os.fork()
            if not child:
                time.sleep(600)
            open({str(told)!r}, "w").write(str(child))
            raise ValueError("enough")
        """

    with pytest.raises(ScriptError, match="enough"):
        rows(code, "41", kind="csv")

    child = Path("/proc", told.read_text())
    while child.exists() and child.joinpath("stat").read_text().split()[2] != "Z":
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def preprocess_handler(record):\n    x = 1\n    return {'a': float('x')}\n",
            "pre.py, line 3: ValueError: could not convert string to float: 'x'",
        ),
        (
            "import nothing_there\n",
            "pre.py, line 1: ModuleNotFoundError: No module named 'nothing_there'",
        ),
        ("def preprocess_handler(record)\n", "pre.py, line 1: SyntaxError: expected ':'"),
        ("x = 1\n", "pre.py: TypeError: it has no function preprocess_handler"),
        (
            "def preprocess_handler(record):\n    return 7\n",
            "it returned a value of type int; expected a dict, a list of dicts, [] or the record itself",
        ),
        ("def preprocess_handler(record):\n    return [1]\n", "it returned a list that holds int"),
        (
            "def preprocess_handler(record):\n    return {'a': object()}\n",
            "a column holds a value of type object",
        ),
        ("def preprocess_handler(record):\n    raise SystemExit(3)\n", "pre.py, line 2: SystemExit: 3"),
        (
            "import os\ndef preprocess_handler(record):\n    os._exit(3)\n",
            "its process ended amid 1 records (exit code 3)",
        ),
        (
            "import os\ndef preprocess_handler(record):\n    [os.write(n, b'x' * 99) for n in (3, 4)]\n",
            "its process answered something that was not asked",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence_with_the_line(code: str, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        rows(code)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_script_has_so_much_time_and_so_much_memory() -> None:
    with pytest.raises(ScriptError, match=r"1 records took longer than 0.5 seconds"):
        rows("def preprocess_handler(record):\n    while True: pass", seconds=0.5)
    with pytest.raises(ScriptError, match=r"loading took longer than 0.5 seconds"):
        rows("import time\ntime.sleep(60)", seconds=0.5)
    with pytest.raises(ScriptError, match=r"line 2: more memory than it may take"):
        rows("def preprocess_handler(record):\n    return {'a': len(bytearray(1 << 29))}", megabytes=200)
    code = "def preprocess_handler(record):\n    return {'a': len(bytearray(1 << 29))}"
    assert rows(code, megabytes=900) == [[{"a": 1 << 29}]]


def test_it_sees_no_environment_and_its_prints_are_no_answers(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    found = rows(
        """
        import os, subprocess, sys
        def preprocess_handler(record, logger=None):
            print("printed")
            subprocess.run(["/bin/echo", "echoed"])
            logger.info("logged")
            own = [name for name in os.environ if not name.endswith("_NUM_THREADS")]
            return {"own": ",".join(own), "stdin": sys.stdin.read(), "path": sys.path[0] != os.getcwd()}
        """
    )

    assert found == [[{"own": found[0][0]["own"], "path": True, "stdin": ""}]]
    assert "secret" not in found[0][0]["own"]
    assert "AWS" not in found[0][0]["own"]
    told = capfd.readouterr()
    assert told.out == ""
    assert {"printed", "echoed", "logged"} <= set(told.err.split())


def test_records_cross_in_batches_and_one_process_serves_them_all() -> None:
    code = """
        import os
        seen = 0
        def preprocess_handler(line):
            global seen
            seen += 1
            return {"n": int(line), "seen": seen, "process": os.getpid()}
        """
    texts = [str(n) for n in range(5000)]

    found = [row for (row,) in rows(code, *texts, kind="csv")]
    again = [row for (row,) in rows(code, "7", kind="csv")]

    assert [row["n"] for row in found] == list(range(5000))
    assert [row["seen"] for row in found] == list(range(1, 5001))
    assert {row["process"] for row in found + again} == {found[0]["process"]}
    assert again[0]["seen"] == 5001


def test_a_process_that_failed_is_begun_anew() -> None:
    code = "def preprocess_handler(line):\n    return {'a': int(line)}"
    with pytest.raises(ScriptError):
        rows(code, "x", kind="csv")

    assert rows(code, "7", kind="csv") == [[{"a": 7}]]


def test_postprocessing_is_called_once_in_a_folder(tmp_path: Path) -> None:
    code = "def postprocess_handler():\n    open('called', 'a').write('x')\n"

    after(Script("post.py", code), tmp_path)

    assert (tmp_path / "called").read_text() == "x"
    with pytest.raises(ScriptError, match=r"post.py, line 2: ZeroDivisionError"):
        after(Script("post.py", "def postprocess_handler():\n    1 / 0\n"), tmp_path)
    with pytest.raises(ScriptError, match="it has no function postprocess_handler"):
        after(Script("post.py", "x = 1\n"), tmp_path)


def test_a_script_is_read_and_its_limits_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "pre.py"
    path.write_text("x = 1\n")

    assert Script.read(path, option="--preprocess").code == "x = 1\n"
    for options in ({"seconds": 0.0}, {"megabytes": 1}, {"seconds": float("nan")}):
        with pytest.raises(OptionError, match="--preprocess"):
            Script.read(path, option="--preprocess", **options)
    path.write_bytes(b"\xff\xfe")
    for other in (path, tmp_path / "none.py"):
        with pytest.raises(OptionError, match="a Python script that can be read"):
            Script.read(other, option="--preprocess")
