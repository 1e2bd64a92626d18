import pytest

from watchkeep.views.confusion import MOST_CLASSES, Confusion


def read(table: object, before: object = None) -> Confusion:
    matrix = Confusion.of(table, before)
    assert matrix is not None
    return matrix


def test_shares_are_of_the_rows_of_a_label() -> None:
    matrix = read({"a": {"a": 90, "b": 10}, "b": {"a": 1, "b": 3}}, {"a": {"a": 4, "b": 1}})

    (label, rows, cells), (_, _, others) = matrix.lines
    assert (label, rows) == ("a", 100)
    assert [(one.share, one.before) for one in cells] == [(0.9, 0.8), (0.1, 0.2)]
    assert [one.before for one in others] == [None, None]
    assert [one.right for one in cells] == [True, False]


def test_an_answer_that_is_no_label_has_its_column() -> None:
    assert read({"a": {"a": 1, "other": 2}}).answers == ("a", "other")


def test_of_many_classes_the_commonest_confusions_are_told() -> None:
    names = [f"c{i}" for i in range(MOST_CLASSES + 1)]
    table = {one: {other: 100 if one == other else 1 for other in names} for one in names}
    table["c3"]["c5"] = 40
    matrix = read(table)

    assert matrix.answers == ()
    assert matrix.lines == ()
    assert (matrix.slips[0].label, matrix.slips[0].answer, matrix.slips[0].rows) == ("c3", "c5", 40)
    assert len(matrix.slips) == 12
    assert matrix.classes == MOST_CLASSES + 1


@pytest.mark.parametrize("table", [None, {}, [], {"a": {"a": 0}}, {"a": 3}, {"a": {"a": "many"}}])
def test_where_nothing_was_counted_there_is_no_matrix(table: object) -> None:
    assert Confusion.of(table, None) is None


def test_a_label_without_rows_has_no_share() -> None:
    assert read({"a": {"a": 1}, "b": {"a": 0}}).lines[1][2][0].share is None


def test_no_cell_is_so_strong_that_words_cannot_be_read() -> None:
    assert read({"a": {"a": 7}}).lines[0][2][0].shade == 0.5
