from hypothesis import given
from hypothesis import strategies as st

from watchkeep.views.strips import Compared, banded, strips

numbers = st.floats(-1e12, 1e12)


def drawn(row: Compared) -> tuple[float, float, float | None]:
    (strip,) = strips([row])
    assert strip is not None
    return strip.reference, strip.at, strip.limit


def test_worse_is_to_the_left_whichever_way_is_better() -> None:
    for row in (
        Compared(0.7, 0.65, 0.75, 0.8, limit=0.75),
        Compared(5.0, 4.8, 5.2, 4.0, limit=4.5, better=-1),
    ):
        reference, at, limit = drawn(row)
        assert limit is not None
        assert at < limit < reference


def test_limits_of_all_units_stand_in_one_line() -> None:
    told = strips(
        [Compared(0.7, 0.7, 0.7, 0.8, limit=0.75), Compared(900, 900, 900, 400, limit=410, better=-1)]
    )

    assert len({one.limit for one in told if one is not None}) == 1
    assert len({one.reference for one in told if one is not None}) == 1


def test_a_value_far_away_is_cut_and_says_so() -> None:
    (far,) = strips([Compared(0.0, 0.0, 0.0, 0.8, limit=0.799)])

    assert far is not None
    assert far.cut == -1
    assert far.at == 0


def test_without_limit_and_error_there_is_nothing_to_measure_by() -> None:
    assert strips([Compared(0.5, 0.5, 0.5, 0.6), None]) == [None, None]


def test_a_limit_on_the_better_side_of_the_reference_is_still_drawn() -> None:
    reference, _, limit = drawn(Compared(0.7, 0.6, 0.8, 0.8, limit=0.85))

    assert limit is not None
    assert limit > reference


def test_the_row_is_told_to_those_who_do_not_see_it() -> None:
    (one,) = strips([Compared(0.7, 0.65, 0.75, 0.8, limit=0.75)])

    assert one is not None
    assert one.label == "0.7, band 0.65 to 0.75; baseline 0.8; limit 0.75"


@given(st.lists(st.tuples(numbers, st.floats(0, 1e9), numbers, st.none() | numbers), max_size=6))
def test_every_mark_stays_within_its_place(rows: list[tuple[float, float, float, float | None]]) -> None:
    compared = [
        Compared(at, *banded(at, error), reference, limit=limit) for at, error, reference, limit in rows
    ]

    for one in strips(compared):
        if one is not None:
            marks = [one.reference, one.at, one.left, one.left + one.width]
            marks += [] if one.limit is None else [one.limit]
            assert all(0 <= mark <= 100.01 for mark in marks)
