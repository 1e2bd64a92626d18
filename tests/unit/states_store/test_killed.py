"""Processes that are killed, and processes that work at once, on a real folder."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.unit.states_store.shelves import KEY, Memory, bits, hour, profile, store

from watchkeep.adapters.state_files import open_shelf
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_upkeep import compact, forget

Act = Callable[[StateStore], object]
ACTS = 240
CHILD = """
import sys
from pathlib import Path
from tests.unit.states_store import test_killed
test_killed.work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
"""


def act(number: int) -> Act:
    """The so-and-so-many-eth thing to do."""
    at, kind = number * 2 // 3, number % 12
    if kind == 5:
        return lambda states: states.replace(hour(max(0, at - 3)), profile(1_000 + number))
    if kind == 7:
        return compact
    if kind == 8:
        return lambda states: states.put(hour(max(0, at - 20)), profile(2_000 + number))
    if number % 36 == 35:
        return lambda states: forget(states, hour(max(0, at - 48)))
    return lambda states: states.put(hour(at), profile(number))


def opened(folder: Path) -> StateStore:
    return StateStore(open_shelf(folder), KEY)


def work(folder: Path, what: str, first: int) -> None:
    """What a process does, and tells of."""
    states = opened(folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in range(first, ACTS):
        act(number)(states)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if what == "merging":
            compact(states)


def process(folder: Path, what: str, first: int = 0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(folder), what, str(first)]
    root = Path(__file__).parents[3]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": f"{root}:{root / 'src'}"}
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def expected() -> Sequence[str]:
    """What all that is stored says after each act, where nobody is killed and nothing is merged before."""
    states, answers = store(Memory()), []
    for number in range(ACTS):
        if number % 12 != 7:
            act(number)(states)
        answers.append(bits(states.over()))
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("what", ["putting", "merging"])
def test_a_kill_at_any_moment_leaves_the_old_answer_or_the_new_one(tmp_path: Path, what: str) -> None:
    answers, moments = expected(), random.Random(what)
    done = 0
    for _ in range(12):
        child = process(tmp_path, what, done)
        time.sleep(moments.uniform(0, 0.15))
        child.send_signal(signal.SIGKILL)
        told, _ = child.communicate()
        done = 1 + int(told.split()[-1]) if told.split() else done

        if not done:
            continue
        found = bits(opened(tmp_path).over())
        assert found in answers[done - 1 : done + 1]
        assert bits(opened(tmp_path).over()) == found

    assert done > 20
    for number in range(done, ACTS):
        act(number)(opened(tmp_path))
    assert bits(opened(tmp_path).over()) == answers[-1]


@pytest.mark.slow
def test_readers_see_whole_answers_while_others_put_and_merge(tmp_path: Path) -> None:
    states = opened(tmp_path)
    for at in range(30):
        states.put(hour(at), profile(at))
    known = {0: bits(states.over())}
    plain = store(Memory())
    for at in range(30):
        plain.put(hour(at), profile(at))
    for at in range(30, 90):
        plain.put(hour(at), profile(at))
        known[at - 29] = bits(plain.over())
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.unit.states_store.test_killed import *\n"
        "states = opened(Path(sys.argv[1]))\nprint('ready', flush=True)\n"
    )
    merging = "for _ in range(40): compact(states); forget(states, hour(24))\n"
    putting = "for at in range(30, 90): states.put(hour(at), profile(at))\n"
    root = Path(__file__).parents[3]
    others = [
        subprocess.Popen(
            [sys.executable, "-c", script + body, str(tmp_path)],
            stdout=subprocess.DEVNULL,
            env={"PYTHONPATH": f"{root}:{root / 'src'}"},
        )
        for body in (merging, merging, putting)
    ]

    seen = []
    while any(one.poll() is None for one in others):
        seen.append(bits(states.over()))
    seen.append(bits(states.over()))

    assert [one.returncode for one in others] == [0, 0, 0]
    order = {found: number for number, found in known.items()}
    assert all(found in order for found in seen)
    assert [order[found] for found in seen] == sorted(order[found] for found in seen)
    assert seen[-1] == known[60]
