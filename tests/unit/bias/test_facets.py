import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import OptionError
from watchkeep.frames.classes import Classes
from watchkeep.frames.facets import OTHER, Facet, Group
from watchkeep.monitors.bias.survey import MOST, FacetSurvey


def facet_of(values: object, named: tuple[str, ...] = ()) -> Facet:
    survey = FacetSurvey("group", named)
    survey.add(values if isinstance(values, pa.Array) else pa.array(values))
    return survey.facet(source="rows")


def test_without_values_every_value_is_a_group() -> None:
    facet = facet_of(["b", "a", None, "a"])

    assert facet.levels == ("a", "b", OTHER)
    assert facet.groups == (Group("a", (0,)), Group("b", (1,)))


def test_the_values_named_are_one_group_and_all_others_the_rest() -> None:
    facet = facet_of(["a", "b", "c", None], ("c", "a"))

    assert facet.groups == (Group("c,a", (2, 0)),)
    assert facet.codes(pa.array(["a", "b", "c", None, "new"])).tolist() == [0, 1, 2, 4, 3]


def test_of_many_values_only_those_named_are_told_apart() -> None:
    facet = facet_of([f"v{n}" for n in range(30)], ("v7",))

    assert (facet.groups, facet.whole) == ((Group("v7", (0,)),), False)
    assert facet.codes(pa.array(["v7", "v8", "new"])).tolist() == [0, 1, 1]


def test_a_sign_before_a_value_says_how_it_is_meant() -> None:
    numbers = list(range(100))

    assert facet_of(numbers, ("=7",)).codes(pa.array([7, 8])).tolist() == [0, 1]
    assert facet_of([1, 2, 3], (">1",)).groups == (Group("> 1", (1,)),)
    assert facet_of([">50K", "<=50K"], (">50K",)).groups == (Group(">50K", (1,)),)


def test_sagemaker_cuts_fractions_and_whole_numbers_that_hardly_repeat() -> None:
    def groups(values: list[float]) -> tuple[Group, ...]:
        survey = FacetSurvey("x", ("2",), sagemaker=True)
        survey.add(pa.array(values))
        return survey.facet(source="rows").groups

    assert groups([1.0, 2.0, 3.0] * 100) == (Group("> 2", (1,)),)
    assert groups([1, 2, 3] * 100) == (Group("2", (1,)),)
    assert groups(list(range(30))) == (Group("> 2", (1,)),)


@pytest.mark.parametrize("values", [[1, 0], ["1", "0"], [True, False], [1.0, 0.0], ["1.0", "false"]])
def test_a_value_is_found_however_it_is_spelled(values: list[object]) -> None:
    facet = facet_of(values, ("1",))
    levels = facet.groups[0].levels

    assert [code in levels for code in facet.codes(pa.array(values)).tolist()] == [True, False]


def test_many_numbers_are_cut_where_it_is_said() -> None:
    facet = facet_of(list(range(17, 91)), ("40",))

    assert facet.groups == (Group("> 40", (1,)),)
    assert facet.codes(pa.array([17, 40, 41, 120, None])).tolist() == [0, 0, 1, 1, 3]


def test_a_new_maximum_renames_no_band() -> None:
    assert facet_of(list(range(90)), ("40",)).groups == facet_of(list(range(500)), ("40",)).groups


def test_several_cuts_make_a_group_of_each_band() -> None:
    facet = facet_of(np.linspace(0, 1, 100).tolist(), ("0.75", "0.25"))

    assert [group.name for group in facet.groups] == ["<= 0.25", "> 0.25 to 0.75", "> 0.75"]


def test_many_numbers_without_cuts_are_cut_in_quarters() -> None:
    facet = facet_of(list(range(100)))

    assert facet.edges == (24.0, 49.0, 74.0)
    assert np.bincount(facet.codes(pa.array(range(100)))).tolist() == [25, 25, 25, 25]


def test_numbers_written_as_text_are_numbers() -> None:
    facet = facet_of([str(n) for n in range(100)], ("40",))

    assert facet.codes(pa.array(["40", "41", "old", None])).tolist() == [0, 1, 2, 3]


def test_a_text_in_a_facet_of_numbers_is_another_value_and_no_value_is_none() -> None:
    facet = Facet("age", edges=(40.0,))

    assert facet.codes(pa.array(["39", "", "x", None])).tolist() == [0, 2, 2, 3]


def test_repeated_values_as_a_dictionary_are_read_alike() -> None:
    values = pa.array(["F", None, "M", "F"])
    facet = facet_of(values.dictionary_encode(), ("F",))

    assert facet.codes(values.dictionary_encode()).tolist() == facet.codes(values).tolist() == [0, 3, 1, 0]


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-5, 5)), min_size=1))
def test_a_number_is_above_its_bands_lower_edge_and_not_above_its_upper(values: list[float | None]) -> None:
    edges = (-2.0, 0.5, 3.0)
    codes = Facet("x", edges=edges).codes(pa.array(values, pa.float64()))

    lows, highs = (-np.inf, *edges), (*edges, np.inf)
    for value, code in zip(values, codes.tolist(), strict=True):
        assert (code == 5) if value is None else lows[code] < value <= highs[code]


def test_a_group_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(
        OptionError, match=r"facet: got 'group=Femal', expected a value of column 'group'.*Female"
    ):
        facet_of(["Female", "Male"], ("Femal",))


def test_a_cut_that_is_no_number_is_refused() -> None:
    with pytest.raises(OptionError, match="expected numbers to cut 'group' at"):
        facet_of(list(range(100)), ("old",))


def test_too_many_groups_are_refused_with_a_way_out() -> None:
    with pytest.raises(
        OptionError, match=f"got 'group with 10,000 groups', expected at most {MOST} of them; name"
    ):
        facet_of([f"g{n}" for n in range(10_000)])


def test_a_facet_without_a_value_is_refused() -> None:
    with pytest.raises(OptionError, match="in rows it has none"):
        facet_of(pa.nulls(3, pa.string()))


def test_levels_of_classes_end_with_other_values() -> None:
    assert Facet("sex", Classes(("F",))).levels == ("F", OTHER)
