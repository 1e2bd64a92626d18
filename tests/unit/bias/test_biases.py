"""Counting groups and measuring them: a worked example, fairlearn, and the laws of merging."""

import numpy as np
import pyarrow as pa
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from watchkeep.core.errors import MissingColumnError
from watchkeep.core.undefined import Undefined
from watchkeep.frames.batches import Batch
from watchkeep.frames.classes import Classes
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Roles
from watchkeep.monitors.bias.groups import GroupBias
from watchkeep.monitors.bias.measures import biases
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import NO_OUTCOMES, BiasScan
from watchkeep.profiles.profile import Profile

SEX = Facet("sex", Classes(("F", "M")), groups=(Group("F", (0,)), Group("M", (1,))))
AGE = Facet("age", edges=(40.0,), groups=(Group("> 40", (1,)),))
YES = Positive(Classes(("yes",)))
PLAN = BiasPlan(roles=Roles(label="label", prediction="answer"), facets=(SEX, AGE), label=YES, prediction=YES)


def rows(n: int, seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)

    def maybe(values: object, share: float) -> pa.Array:
        return pa.array(values, mask=random.random(n) < share)

    return pa.table(
        {
            "sex": maybe(random.choice(["F", "M", "X"], n, p=[0.3, 0.6, 0.1]), 0.05),
            "age": maybe(random.integers(17, 90, n), 0.02),
            "label": maybe(random.choice(["yes", "no"], n, p=[0.3, 0.7]), 0.1),
            "answer": maybe(random.choice(["yes", "no"], n, p=[0.4, 0.6]), 0.1),
            "weight": random.gamma(2, 1, n),
        }
    )


def profile_of(table: pa.Table, plan: BiasPlan = PLAN) -> Profile:
    scan = BiasScan(plan)
    scan.add(Batch.of(table))
    return scan.profile()


def group(found: tuple[GroupBias, ...], subject: str) -> GroupBias:
    return next(one for one in found if one.subject == subject)


def test_the_worked_example_comes_out_of_its_rows() -> None:
    cells = {("M", 0, 0): 55, ("M", 0, 1): 10, ("M", 1, 0): 5, ("M", 1, 1): 30}
    cells |= {("F", 0, 0): 30, ("F", 0, 1): 5, ("F", 1, 0): 5, ("F", 1, 1): 10}
    one = [cell for cell, count in cells.items() for _ in range(count)]
    table = pa.table({"sex": [c[0] for c in one], "y": [c[1] for c in one], "p": [c[2] for c in one]})
    plan = BiasPlan(
        roles=Roles(label="y", prediction="p"),
        facets=(Facet("sex", Classes(("F",)), groups=(Group("F", (0,)),)),),
        label=Positive(Classes(("1",))),
        prediction=Positive(Classes(("1",))),
    )

    found = group(biases(plan, profile_of(table, plan)), "sex=F")

    assert (found.rows, found.others, found.missing) == (50, 100, 0)
    expected = {"CI": 0.333333, "DPL": 0.05, "DI": 0.75, "RD": 0.190476, "TE": 0.5, "GE": 0.077523}
    for name, value in expected.items():
        assert found.measures[name].value == pytest.approx(value, abs=5e-7)


def test_fairlearn_finds_the_same_of_every_group_and_crossing() -> None:
    table = rows(5_000)
    frame = table.to_pandas().dropna()
    frame["old"] = np.where(frame["age"] > 40, "> 40", "<= 40")
    y, p = frame["label"] == "yes", frame["answer"] == "yes"
    found = biases(PLAN, profile_of(pa.Table.from_pandas(frame)))

    masks = {"sex=F": frame["sex"] == "F", "age > 40": frame["age"] > 40}
    masks["sex=M, age > 40"] = (frame["sex"] == "M") & (frame["age"] > 40)
    for subject, mask in masks.items():
        for name, score in (("RD", recall_score), ("DPPL", selection_rate)):
            by = MetricFrame(metrics=score, y_true=y, y_pred=p, sensitive_features=mask).by_group
            value = group(found, subject).measures[name].value
            assert value == pytest.approx(by[False] - by[True], abs=1e-9), (subject, name)


def test_rows_without_a_value_are_in_no_group_and_counted() -> None:
    table = rows(1_000)
    sexes, found = table["sex"].to_pylist(), group(biases(PLAN, profile_of(table)), "sex=F")

    assert found.rows + found.others + found.missing == profile_of(table).rows
    assert found.missing == pytest.approx(sexes.count(None), rel=0.1)


def test_rows_with_neither_label_nor_prediction_are_rejected_and_counted() -> None:
    table = rows(1_000)
    neither = sum(
        a is None and b is None
        for a, b in zip(table["label"].to_pylist(), table["answer"].to_pylist(), strict=True)
    )

    profile = profile_of(table)

    assert profile.rejected == {NO_OUTCOMES: neither}
    assert profile.rows == 1_000 - neither


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.booleans(), st.integers(0, 9))
def test_parts_merged_are_the_whole(first: int, second: int, weighted: bool, seed: int) -> None:
    plan = PLAN
    if weighted:
        roles = Roles(label="label", prediction="answer", weight="weight")
        plan = BiasPlan(roles=roles, facets=(SEX, AGE), label=YES, prediction=YES)
    table = rows(first + second, seed)
    parts = profile_of(table[:first], plan), profile_of(table[first:], plan)

    merged, swapped = parts[0].merge(parts[1]), parts[1].merge(parts[0])

    whole = profile_of(table, plan)
    assert merged.rows == swapped.rows == whole.rows
    for key, state in whole.parts.items():
        assert merged.parts[key] == swapped.parts[key] == state


def test_errors_are_as_large_as_theory_and_repetition_say() -> None:
    found = group(biases(PLAN, profile_of(rows(4_000))), "sex=F").measures["DPL"]
    again = [
        group(biases(PLAN, profile_of(rows(4_000, seed)), replicates=0), "sex=F").measures["DPL"].value
        for seed in range(2, 42)
    ]

    scatter = float(np.std(np.array(again, np.float64), ddof=1))
    assert found.error == pytest.approx(np.sqrt(0.21 / 1026 + 0.21 / 2394), rel=0.15)
    assert scatter == pytest.approx(found.error, rel=0.35)  # of 40: within three standard errors


def test_all_weights_of_one_change_nothing() -> None:
    table = rows(800)
    table = table.set_column(table.column_names.index("weight"), "weight", pa.array(np.ones(800)))
    roles = Roles(label="label", prediction="answer", weight="weight")
    plan = BiasPlan(roles=roles, facets=(SEX, AGE), label=YES, prediction=YES)

    for one, other in zip(
        biases(PLAN, profile_of(table)), biases(plan, profile_of(table, plan)), strict=True
    ):
        assert one.subject == other.subject
        assert one.measures == other.measures


def test_twice_the_weight_is_twice_the_rows() -> None:
    table = rows(600)
    heavy = table.set_column(
        table.column_names.index("weight"), "weight", pa.array([2.0] * 300 + [1.0] * 300)
    )
    roles = Roles(label="label", prediction="answer", weight="weight")
    plan = BiasPlan(roles=roles, facets=(SEX, AGE), label=YES, prediction=YES)

    weighted = biases(plan, profile_of(heavy, plan), replicates=0)
    doubled = biases(PLAN, profile_of(pa.concat_tables([table, table[:300]])), replicates=0)

    for one, other in zip(weighted, doubled, strict=True):
        for name, measure in one.measures.items():
            assert measure.value == pytest.approx(other.measures[name].value, abs=1e-9)


def test_without_predictions_only_labels_are_measured() -> None:
    plan = BiasPlan(roles=Roles(label="label"), facets=(SEX,), label=YES)

    found = group(biases(plan, profile_of(rows(500), plan)), "sex=F")

    assert set(found.measures) == {"CI", "DPL", "KL", "JS", "LP", "TVD", "KS"}


def test_without_labels_predictions_are_measured_and_the_rest_says_what_is_missing() -> None:
    table = rows(500).drop_columns(["label"])

    found = group(biases(PLAN, profile_of(table)), "sex=F")

    assert isinstance(found.measures["DPPL"].value, float)
    assert found.measures["RD"].value == Undefined("RD needs 1 row labelled positive of the others, has 0")
    assert found.measures["RD"].error is None


def test_an_empty_group_has_no_measure_and_is_told_why() -> None:
    table = rows(500)
    mine = table.filter(pa.array([sex != "F" for sex in table["sex"].to_pylist()]))

    found = group(biases(PLAN, profile_of(mine)), "sex=F")

    assert found.rows == 0
    assert found.measures["DPL"].value == Undefined("DPL needs 1 row of the group, has 0")


def test_strata_tell_conditional_disparity() -> None:
    cells = {("a", "F", 0): 10, ("a", "F", 1): 5, ("a", "M", 0): 20, ("a", "M", 1): 30}
    cells |= {("b", "F", 0): 20, ("b", "F", 1): 5, ("b", "M", 0): 25, ("b", "M", 1): 10}
    one = [cell for cell, count in cells.items() for _ in range(count)]
    table = pa.table({"dept": [c[0] for c in one], "sex": [c[1] for c in one], "y": [c[2] for c in one]})
    plan = BiasPlan(
        roles=Roles(label="y"),
        facets=(Facet("sex", Classes(("F",)), groups=(Group("F", (0,)),)),),
        label=Positive(Classes(("1",))),
        strata=Facet("dept", Classes(("a", "b"))),
    )

    found = group(biases(plan, profile_of(table, plan)), "sex=F").measures["CDDL"]

    assert found.value == pytest.approx(0.152381, abs=5e-7)
    assert found.error is not None
    assert 0.03 < found.error < 0.2


def test_a_window_without_a_facet_is_refused_by_name() -> None:
    with pytest.raises(MissingColumnError, match="age"):
        profile_of(rows(10).drop_columns(["age"]))
