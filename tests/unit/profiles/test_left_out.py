"""How much may be left out before nothing is said of the whole."""

import pytest

from watchkeep.frames.batches import DAMAGED, FilesMet
from watchkeep.monitors.findings import of_left_out
from watchkeep.profiles.left_out import TOLERATED, share_left_out, too_much_left_out
from watchkeep.profiles.profile import Profile


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (Profile(1000), ""),
        (Profile(900, {"the label is missing": 100}), ""),
        (Profile(900, {DAMAGED: 100}, files=FilesMet(20, 1)), ""),
        (Profile(900, {DAMAGED: 101}, files=FilesMet(20, 1)), "1 of 20 files (10.1 % of the rows)"),
        (Profile(900, files=FilesMet(20, 2, 100, 10)), ""),
        (Profile(900, files=FilesMet(20, 2, 100, 11)), "2 of 20 files (11 % of the bytes)"),
        (Profile(900, files=FilesMet(2000, 201)), "201 of 2,000 files (10.1 %)"),
        (
            Profile(900, skipped={"a.parquet, row groups 0 to 2": "bad"}, files=FilesMet(4, 1)),
            "1 of 4 parts of files (25 %)",
        ),
    ],
)
def test_too_much_is_more_than_a_tenth_of_files_bytes_or_rows(profile: Profile, told: str) -> None:
    why = too_much_left_out(profile)

    assert bool(told) == bool(why) == (share_left_out(profile) > TOLERATED)
    assert why.startswith(told)
    assert [str(one.outcome) for one in of_left_out(profile)] == ["undecided"] * bool(told)


def test_what_was_met_adds_up_over_files_and_profiles() -> None:
    a, b = FilesMet(3, 1, 30, 10), FilesMet(2, 0, 5, 0)

    assert a.merge(b) == FilesMet(5, 1, 35, 10)
    assert Profile(files=a).merge(Profile(files=b), Profile()).files == a.merge(b)
