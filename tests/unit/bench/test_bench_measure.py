import subprocess
import sys
from pathlib import Path

import pytest
from bench.measure import ROOT, CommandError, Cost, Job, Samples, alternate, ratio, run
from hypothesis import given
from hypothesis import strategies as st

seconds = st.floats(0.01, 1000)


def python(program: str, **options: object) -> Job:
    return Job(name=program, command=(sys.executable, "-c", program, "{out}"), **options)  # type: ignore[arg-type]


def cpu(*runs: float) -> Samples:
    return Samples(tuple(Cost(wall=0, cpu=run, peak=0) for run in runs))


def peaks(scratch: Path, *programs: str) -> list[int]:
    """Measured from a fresh process, as the benchmark does: a child counts as no smaller than its parent."""
    ask = (
        "import sys; from pathlib import Path; from bench.measure import Job, run\n"
        "for program in sys.argv[2:]:\n"
        "    job = Job(name='', command=(sys.executable, '-c', program))\n"
        "    print(run(job, scratch=Path(sys.argv[1])).peak)\n"
    )
    words = [sys.executable, "-c", ask, str(scratch), *programs]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return [int(line) for line in done.stdout.split()]


def test_a_run_tells_what_the_process_needed_and_said(tmp_path: Path) -> None:
    cost = run(python("print(sum(range(100_000)))"), scratch=tmp_path)

    assert cost.wall > 0
    assert cost.cpu > 0
    assert cost.output == "4999950000\n"


def test_memory_is_that_of_the_greatest_process_of_a_command(tmp_path: Path) -> None:
    large = "x = b'x' * 80_000_000"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}])"

    small, own, childs = peaks(tmp_path, "pass", large, outer)

    assert small < 60e6
    assert 80e6 < own < 140e6
    assert 80e6 < childs < 140e6


def test_output_lands_in_a_path_that_is_gone_afterwards(tmp_path: Path) -> None:
    writes = python("import os, sys; os.mkdir(sys.argv[1]); print(sys.argv[1])", writes="")

    out = Path(run(writes, scratch=tmp_path).output.strip())

    assert tmp_path in out.parents
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (python("raise SystemExit('no such baseline')"), "exit code 1: no such baseline"),
        (python("raise SystemExit(3)"), "exit code 3: and printed nothing"),
        (python("raise OSError('disk')", good=frozenset({0, 1})), "exit code 1: OSError: disk"),
        (python("import time; time.sleep(60)", limit=0.3), "ended after 0 s"),
        (python("pass", writes="report.json"), "it did not write report.json"),
        (Job(name="none", command=("/nowhere/watchkeep",)), "/nowhere/watchkeep cannot be started"),
    ],
)
def test_a_command_that_does_not_do_its_work_says_why(job: Job, why: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=why):
        run(job, scratch=tmp_path)


def test_an_exit_code_that_may_be_is_success(tmp_path: Path) -> None:
    assert run(python("raise SystemExit(1)", good=frozenset({0, 1})), scratch=tmp_path).wall > 0


def test_variables_are_added_to_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    job = python("import os; print(os.environ['OURS'], os.environ['THEIRS'])", environment={"THEIRS": "2"})

    assert run(job, scratch=tmp_path).output == "1 2\n"


def test_commands_take_turns_and_every_second_round_goes_backwards(tmp_path: Path) -> None:
    log = tmp_path / "log"
    say = "open({!r}, 'a').write({!r})"
    few = {"b": 2}
    jobs = [python(say.format(str(log), name), at_most=few.get(name)) for name in "abc"]

    samples = alternate(jobs, rounds=3, scratch=tmp_path)

    assert log.read_text() == "abc" + "cba" + "ac"
    assert [len(samples[job.name].costs) for job in jobs] == [3, 2, 3]


def test_a_command_that_fails_is_not_run_again_and_the_others_go_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    bad = python(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(2)")
    good = python("pass")

    samples = alternate([bad, good], rounds=3, scratch=tmp_path)

    assert log.read_text() == "x"
    assert samples[bad.name] == Samples(why="exit code 2: and printed nothing")
    assert len(samples[good.name].costs) == 3


def test_times_are_medians_and_memory_is_the_worst() -> None:
    samples = Samples((Cost(1, 10, 100), Cost(9, 90, 300), Cost(2, 20, 200), Cost(4, 40, 50)))

    assert (samples.wall, samples.cpu, samples.peak) == (3, 30, 300)


def test_a_ratio_is_taken_round_by_round() -> None:
    found = ratio(cpu(4, 20, 9), cpu(2, 10, 3))

    assert found is not None
    assert (found.median, found.low, found.high) == (2, 2, 3)


def test_start_up_is_taken_off_both_sides() -> None:
    found = ratio(cpu(5), cpu(3), top_start=1, bottom_start=2)

    assert found is not None
    assert found.median == 4


@pytest.mark.parametrize(("top", "bottom"), [(cpu(), cpu(1)), (cpu(1), cpu()), (cpu(1), cpu(0.5, 0.4))])
def test_there_is_no_ratio_to_nothing(top: Samples, bottom: Samples) -> None:
    assert ratio(top, bottom, bottom_start=0.5) is None


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=9), st.floats(0.1, 10))
def test_a_slower_machine_has_the_same_ratio(rounds: list[tuple[float, float]], slower: float) -> None:
    fast = ratio(cpu(*(top for top, _ in rounds)), cpu(*(bottom for _, bottom in rounds)))
    slow = ratio(cpu(*(top * slower for top, _ in rounds)), cpu(*(bottom * slower for _, bottom in rounds)))

    assert fast is not None
    assert slow is not None
    assert slow.median == pytest.approx(fast.median)
    assert fast.low <= fast.median <= fast.high


@given(
    st.lists(st.floats(0, 50), min_size=3, max_size=9),
    st.lists(st.floats(0, 50), min_size=3, max_size=9),
)
def test_what_a_machine_does_beside_changes_no_ratio_once_it_leaves_each_job_in_peace(
    above: list[float], below: list[float]
) -> None:
    found = ratio(
        cpu(*(5 + more for more in [*above, 0.0])),
        cpu(*(3 + more for more in [*below, 0.0])),
        top_start=1,
        bottom_start=1,
    )

    assert found is not None
    assert found.least == pytest.approx(2.0)
