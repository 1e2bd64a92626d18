from collections.abc import Iterator

import pyarrow as pa
import pytest

from watchkeep.core.errors import MissingColumnError, ModelError, OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import parse_segment
from watchkeep.monitors.attribution.choice import own_column
from watchkeep.monitors.attribution.plan import AttributionPlan
from watchkeep.service.attribution.captured import Captured
from watchkeep.service.attribution.captured_rows import NO_SCORE, NONE, OFF_SCALE, SOME, CapturedMethod
from watchkeep.service.ports import Ask

SHAP = '[[{"feature_header": "b", "attributions": [{"attribution": [2.0]}]}, {"feature_header": "a", %s}]]'
ANSWER = '{"explanations": {"kernel_shap": %s}}' % (SHAP % '"attributions": [{"attribution": [1.0]}]')


class Held:
    name = "rows in memory"

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def schema(self, ask: Ask) -> pa.Schema:
        return self.table.schema

    def batches(self, ask: Ask) -> Iterator[Batch]:
        yield Batch.of(self.table if ask.columns is None else self.table.select(list(ask.columns)))


def outputs(
    spec: str, table: pa.Table, features: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    captured = Captured.of(spec)
    assert captured is not None
    return captured.outputs(Held(table), Ask(), table.column_names, features)


def named(*names: str) -> pa.Table:
    return pa.table({name: [0.5] for name in names})


@pytest.mark.parametrize(
    ("spec", "names", "told"),
    [
        ("captured", ("a", "b", "a_label0", "b_label0"), (("a", "b"), ("label0",))),
        ("captured", ("a", "a_p", "a_q", "b", "b_p", "b_q"), (("a", "b"), ("p", "q"))),
        ("captured", ("a", "a_bracket", "b", "a_label0", "b_label0"), (("a", "b"), ("label0",))),
        ("captured", ("a", "a_odd", "a_p", "b", "b_p"), (("a", "b"), ("p",))),
        ("captured", ("a_b_label0", "c_label0"), (("a_b", "c"), ("label0",))),
        ("captured:shap_{feature}", ("a", "shap_a", "b"), (("a",), ("label0",))),
        ("captured:shap_{feature}", ("shap_a", "shap_b"), (("a", "b"), ("label0",))),
        ("captured:{label}.{feature}", ("a", "yes.a", "no.a"), (("a",), ("yes", "no"))),
        ("captured:phi({feature})", ("phi(a)",), (("a",), ("label0",))),
    ],
)
def test_columns_are_found_by_what_they_are_called(
    spec: str, names: tuple[str, ...], told: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    assert outputs(spec, named(*names)) == told


def test_features_that_are_named_need_their_columns() -> None:
    table = named("a", "b", "a_label0", "b_label0")

    assert outputs("captured", table, ("b",)) == (("b",), ("label0",))
    with pytest.raises(MissingColumnError, match="c_label0"):
        outputs("captured", table, ("a", "c"))
    with pytest.raises(MissingColumnError, match="<feature>_label0"):
        outputs("captured", named("a", "b"))


def test_answers_tell_features_in_their_order_up_to_the_first_that_explains() -> None:
    table = pa.table({"explanations": ['{"explanations": {}}', ANSWER], "a": [1.0, 2.0]})

    assert outputs("captured", table) == (("b", "a"), ("label0",))
    assert outputs("captured:explanations", table, ("a",)) == (("a",), ("label0",))
    with pytest.raises(ModelError, match="do not explain 'c'"):
        outputs("captured", table, ("c",))
    with pytest.raises(ModelError, match="did not explain it \\(1 row\\)"):
        outputs("captured", table.slice(0, 1))
    with pytest.raises(MissingColumnError, match="'said'"):
        outputs("captured:said", table)


@pytest.mark.parametrize("spec", ["captured:", "captured:{label}", "captured:{feature}{feature}"])
def test_what_is_no_template_and_no_column_is_refused(spec: str) -> None:
    with pytest.raises(OptionError, match="shap_"):
        Captured.of(spec)


def method(
    spec: str, features: tuple[str, ...] = ("a", "b"), *, labels: tuple[str, ...] = ("label0",)
) -> CapturedMethod:
    captured = Captured.of(spec)
    assert captured is not None
    roles, segments = Roles(score="score"), (parse_segment("high: a > 1"),)
    plan = AttributionPlan(
        roles=roles, features=features, labels=labels, units=((1.0,) * len(features),), segments=segments
    )
    return CapturedMethod(captured, plan)


def test_rows_lacking_an_attribution_are_counted_by_reason_and_left_out() -> None:
    nan, inf = float("nan"), float("inf")
    table = pa.table(
        {
            "a": [1.0, 2.0, 3.0, 4.0, 5.0],
            "b": [0.0] * 5,
            "a_label0": [0.5, None, None, 1.0, inf],
            "b_label0": [0.25, None, 1.0, nan, 1.0],
            "score": [1.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    rows, why = method("captured").read(Batch.of(table))

    assert dict(why) == {NONE: 1, SOME: 3}
    assert rows.num_rows == 1
    told = method("captured").contributions(rows)
    assert told.values.tolist() == [[[0.5, 0.25]]]
    assert (told.scores.tolist(), told.expected.tolist()) == ([[1.0]], [0.25])
    assert rows.column(own_column("segment 0")).to_pylist() == [False]


def test_text_of_unknown_type_is_read_as_numbers() -> None:
    table = pa.table({"a": ["1"], "b": ["x"], "a_label0": ["0.5"], "b_label0": ["-1e-1"], "score": ["2"]})
    rows, why = method("captured").read(Batch.of(table, textual=frozenset(table.column_names)))

    assert not why
    assert method("captured").contributions(rows).values.tolist() == [[[0.5, -0.1]]]


def test_answers_are_read_in_the_plans_order() -> None:
    table = pa.table({"a": [2.0, 0.0], "explanations": [ANSWER, "{}"]})
    rows, why = method("captured").read(Batch.of(table))

    assert dict(why) == {"its explanation cannot be read": 1}
    assert method("captured").contributions(rows).values.tolist() == [[[1.0, 2.0]]]
    others = method("captured", ("a", "c")).read(Batch.of(table))[1]
    assert others["other features or labels were explained"] == 1


def test_without_a_score_contributions_are_counted_from_0_and_it_is_said() -> None:
    table = pa.table({"a": [1.0], "a_label0": [0.5], "b_label0": [0.25]})
    rows, _ = method("captured").read(Batch.of(table))
    told = method("captured").contributions(rows)

    assert (told.scores.tolist(), told.expected.tolist()) == ([[0.75]], [0.0])
    assert method("captured").notes(rows) == (NO_SCORE,)


def test_contributions_on_another_scale_than_the_score_are_told() -> None:
    columns = {"a": [1.0, 2.0], "a_label0": [0.5, -0.5], "b_label0": [0.25, 0.25]}
    off = pa.table(columns | {"score": [0.1, 0.9]})
    right = pa.table(columns | {"score": [1.75, 0.75]})

    assert method("captured").notes(method("captured").read(Batch.of(off))[0]) == (OFF_SCALE,)
    assert method("captured").notes(method("captured").read(Batch.of(right))[0]) == ()
