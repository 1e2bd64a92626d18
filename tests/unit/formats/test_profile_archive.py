"""Profiles in bytes: older versions are moved on, newer ones refused, and blocks hold every form of state."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.core.errors import BaselineError, StateError, StoreError
from watchkeep.formats import profile_archive
from watchkeep.formats.container import state_of, state_row
from watchkeep.formats.migrations import Migrations
from watchkeep.formats.profile_archive import pack_profile, unpack_profile
from watchkeep.formats.state_block import pack_states, unpack_states
from watchkeep.profiles.profile import Profile
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells
from watchkeep.states.codec import Fields, State, whole
from watchkeep.states.distinct import Distinct
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.presence import Presence
from watchkeep.states.totals import Totals


class Old(Presence):
    """Presence as a version before the first might have been: it told what was missing, not what was present."""

    version = 0

    def fields(self) -> Fields:
        return {"rows": self.rows, "missing": self.missing, "nan": self.nan}


def present(fields: Fields) -> Fields:
    return {
        "rows": fields["rows"],
        "present": whole(fields, "rows") - whole(fields, "missing"),
        "nan": fields["nan"],
        "infinite": 0,
    }


def as_version(monkeypatch: pytest.MonkeyPatch, version: int, pack: Callable[[], bytes]) -> bytes:
    """A file that says it is of some version."""
    with monkeypatch.context() as patched:
        patched.setattr(profile_archive, "VERSION", version)
        return pack()


def test_a_state_of_an_older_version_is_moved_on_when_it_is_read() -> None:
    content = pack_profile(Profile(4, parts={("age", "presence"): Old(4, 3, 1)}), {}).content

    found = unpack_profile(content, "a file", Migrations(states={("presence", 0): present}))

    state = found.profile.parts["age", "presence"]
    assert type(state) is Presence
    assert state == Presence(4, 3, 1)


def test_states_of_two_versions_stand_side_by_side() -> None:
    parts = {("a", "presence"): Old(4, 3), ("b", "presence"): Presence(5, 5), ("c", "presence"): Old(6, 2)}

    found, _ = unpack_states(pack_states(parts, {}), Migrations(states={("presence", 0): present}))

    assert found == {
        ("a", "presence"): Presence(4, 3),
        ("b", "presence"): Presence(5, 5),
        ("c", "presence"): Presence(6, 2),
    }


def test_a_state_from_which_no_way_leads_on_is_refused() -> None:
    content = pack_profile(Profile(4, parts={("age", "presence"): Old(4, 3)}), {}).content

    with pytest.raises(StoreError, match=r"a file: .* no way from version 0 of a state 'presence'"):
        unpack_profile(content, "a file")


def test_a_state_of_a_newer_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = pack_profile(Profile(4, parts={("age", "presence"): Presence(4, 3)}), {}).content
    monkeypatch.setattr(Presence, "version", 0)

    with pytest.raises(StoreError, match=r"'presence' of version 1.* reads up to 0; upgrade Watchkeep"):
        unpack_profile(content, "a file")


def test_a_file_of_an_older_version_is_moved_on_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile(3, parts={("age", "presence"): Presence(3, 2)})
    old = as_version(monkeypatch, 0, lambda: pack_profile(profile, {"hour": 5}).content)
    monkeypatch.setattr(profile_archive, "VERSION", 2)
    steps: list[int] = []

    def step(version: int) -> Callable[[bytes], bytes]:
        def moved(block: bytes) -> bytes:
            steps.append(version)
            parts, told = unpack_states(block)
            return pack_states(parts, told | {"rows": 10 * int(str(told["rows"])) + version})

        return moved

    found = unpack_profile(old, "a file", Migrations(profiles={0: step(0), 1: step(1)}))

    assert steps == [0, 1]
    assert found.profile.rows == 301
    assert found.profile.parts == profile.parts
    assert found.meta == {"hour": 5}
    with pytest.raises(StoreError, match="no way from version 1 of a file"):
        unpack_profile(old, "a file", Migrations(profiles={0: step(0)}))


def test_a_file_of_a_newer_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    new = as_version(monkeypatch, 7, lambda: pack_profile(Profile(3), {}).content)

    with pytest.raises(
        StoreError, match="a file: it has version 7, and this Watchkeep reads up to 1; upgrade"
    ):
        unpack_profile(new, "a file")


def test_a_state_of_a_baseline_is_moved_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    row = state_row("age", "presence", Old(4, 3, 1))

    assert state_of(row, "b", Migrations(states={("presence", 0): present})) == Presence(4, 3, 1)
    with pytest.raises(BaselineError, match=r"b: .*no way from version 0"):
        state_of(row, "b")
    monkeypatch.setattr(Presence, "version", 0)
    with pytest.raises(BaselineError, match=r"b: .*'presence' of version 1"):
        state_of((*row[:3], 1, row[4]), "b")


ODD: dict[tuple[str, str], State] = {
    ("a", "cells"): Cells.of(np.array([1.5, -2.25, 1e300])),
    ("b", "cells"): Cells.empty(),
    ("a", "distinct"): Distinct.of(np.array([2**64 - 1, 0, 7], np.uint64)),
    ("b", "distinct"): Distinct.empty(),
    ("a", "frequencies"): Frequencies.of({"é\n": 3, "": 1}),
    ("b", "frequencies"): Frequencies(),
    ("a", "totals"): Totals(np.array([[1.5, -0.0], [2**52 + 0.5, 3.0]])),
    ("b", "totals"): Totals(np.array([[1.0, 2.0]])),
    ("", "category counts"): CategoryCounts(np.array([2**40, 0]), Frequencies(limit=64)),
    ("ü", "presence"): Presence(2**70, 2**69),
}


def test_a_block_holds_states_of_every_form_in_their_order() -> None:
    found, told = unpack_states(pack_states(ODD, {"rows": [1, None]}))

    assert found == ODD
    assert list(found) == list(ODD)
    assert told == {"rows": [1, None]}


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_block_raises_a_state_error_or_gives_states(data: st.DataObject) -> None:
    block = bytearray(pack_states(ODD, {}))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))

    try:
        found, _ = unpack_states(bytes(block))
    except StateError:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    "block", [b"", b"x" * 4, struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2**60) + b"{}"]
)
def test_a_block_of_another_form_raises_a_state_error(block: bytes) -> None:
    with pytest.raises(StateError):
        unpack_states(block)
