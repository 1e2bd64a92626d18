import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from watchkeep.constraints.checks import DISTANCES, EVERY, OF_MEASURE, SAGEMAKER, SHARES
from watchkeep.constraints.constraint import Constraint, Side, Sizes
from watchkeep.constraints.judging import MOST_SEVERE, Judgement, judge
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import Outcome
from watchkeep.frames.text_values import Dialect

KEPT, VIOLATED, UNDECIDED = Outcome.KEPT, Outcome.VIOLATED, Outcome.UNDECIDED
LEVEL = 1e-5


def limit(measure: str, side: Side, at: float) -> Constraint:
    return Constraint(check="limit_check", measure=measure, subject="c", side=side, limit=at)


def decided(constraint: Constraint, value: Value, sizes: Sizes, policy: Policy | None = None) -> Judgement:
    return judge(constraint, value, sizes, policy or Policy(), level=LEVEL)


@given(st.sampled_from(sorted(DISTANCES | SHARES | {"mean", "psi", "mmd"})), st.sampled_from(list(Dialect)))
def test_what_is_undefined_is_undecided_and_keeps_its_reason(measure: str, dialect: Dialect) -> None:
    found = decided(
        limit(measure, Side.AT_MOST, 0.1), Undefined("no rows"), Sizes(n=9, m=9), Policy(dialect=dialect)
    )

    assert (found.outcome, found.why, found.severity) == (UNDECIDED, "no rows", 0.0)


@pytest.mark.parametrize("dialect", [Dialect.SAGEMAKER, Dialect.SAGEMAKER_2020])
@pytest.mark.parametrize("measure", ["completeness", "linf", "mean"])
def test_sagemaker_compares_plain_numbers_whatever_the_sizes(dialect: Dialect, measure: str) -> None:
    policy, sizes = Policy(dialect=dialect), Sizes(n=1, m=1, chance=0.9)

    assert decided(limit(measure, Side.AT_LEAST, 0.5), 0.5, sizes, policy).outcome is KEPT
    assert decided(limit(measure, Side.AT_LEAST, 0.5), 0.4999, sizes, policy).outcome is VIOLATED
    assert decided(limit(measure, Side.AT_MOST, 0.5), 0.5001, sizes, policy).outcome is VIOLATED


@pytest.mark.parametrize(("n", "m"), [(100, 1_000), (5_000, 200), (50, 100_000)])
def test_a_share_is_violated_once_its_count_is_rarer_than_the_level(n: int, m: int) -> None:
    complete = limit("completeness", Side.AT_LEAST, 1.0)
    law = stats.nbinom(0.5, m / (n + m))
    first = next(count for count in range(1, n + 1) if law.sf(count - 1) <= LEVEL)

    assert decided(complete, 1 - (first - 1) / n, Sizes(n=n, m=m)).outcome is KEPT
    assert decided(complete, 1 - first / n, Sizes(n=n, m=m)).outcome is VIOLATED


def test_a_share_limited_from_above_is_judged_as_its_complement_is() -> None:
    sizes = Sizes(n=400, m=3_000)

    for bad in (0.01, 0.03, 0.05, 0.2):
        above = decided(limit("out_of_range", Side.AT_MOST, 0.01), bad, sizes)
        below = decided(limit("completeness", Side.AT_LEAST, 0.99), 1 - bad, sizes)
        assert above.outcome is below.outcome


@pytest.mark.parametrize("measure", sorted(SHARES))
def test_one_bad_row_of_a_few_is_no_proof(measure: str) -> None:
    side, at, value = (Side.AT_MOST, 0.0, 1 / 3) if measure in WORSE_ABOVE else (Side.AT_LEAST, 1.0, 2 / 3)

    found = decided(limit(measure, side, at), value, Sizes(n=3, m=10_000))

    assert (found.outcome, found.why) == (KEPT, "1 of 3 is within noise")


WORSE_ABOVE = {"out_of_range", "negative", "infinite", "outliers"}


def test_no_row_is_nothing_to_judge_a_share_by() -> None:
    assert decided(limit("completeness", Side.AT_LEAST, 1.0), 0.0, Sizes(n=0, m=9)).outcome is UNDECIDED


def test_a_distance_has_to_pass_its_limit_by_more_than_noise() -> None:
    sizes = Sizes(n=1_000, m=4_000)
    noise = math.sqrt(-math.log(LEVEL / 2) / 2) * math.sqrt(5_000 / 4_000_000)
    drift = limit("ks", Side.AT_MOST, 0.1)

    assert decided(drift, 0.1 + noise * 0.999, sizes).outcome is KEPT
    assert decided(drift, 0.1 + noise * 1.001, sizes).outcome is VIOLATED


def test_the_largest_of_many_gaps_has_more_noise_than_one() -> None:
    drift, value = limit("linf", Side.AT_MOST, 0.1), 0.19

    assert decided(drift, value, Sizes(n=1_000, m=4_000)).outcome is VIOLATED
    assert decided(drift, value, Sizes(n=1_000, m=4_000, bins=10**6)).outcome is KEPT


@pytest.mark.parametrize(("n", "m", "side"), [(29, 1_000, "window"), (1_000, 7, "baseline")])
def test_a_distance_of_too_few_values_is_undecided(n: int, m: int, side: str) -> None:
    found = decided(limit("ks", Side.AT_MOST, 0.1), 1.0, Sizes(n=n, m=m))

    assert found.outcome is UNDECIDED
    assert f"the {side} has {min(n, m)}" in found.why


def test_a_sample_that_could_never_show_a_violation_is_undecided_not_kept() -> None:
    found = decided(limit("ks", Side.AT_MOST, 0.7), 0.05, Sizes(n=30, m=30))

    assert found.outcome is UNDECIDED
    assert "too few" in found.why


def test_the_noise_of_a_distance_is_seldom_passed_by_two_equal_samples() -> None:
    rng = np.random.default_rng(3)
    drift = limit("ks", Side.AT_MOST, 0.0)
    level = 0.05

    rung = 0
    for _ in range(400):
        value = float(stats.ks_2samp(rng.random(200), rng.random(300), method="asymp").statistic)
        rung += judge(drift, value, Sizes(n=200, m=300), Policy(), level=level).outcome is VIOLATED

    # 400 tries at 0.05 pass 35 once in 1,000 times.
    assert rung <= 35


def test_a_test_brings_its_own_chance() -> None:
    joint = limit("mmd", Side.AT_MOST, 0.02)

    assert decided(joint, 0.5, Sizes(n=99, m=99, chance=LEVEL / 2)).outcome is VIOLATED
    assert decided(joint, 0.5, Sizes(n=99, m=99, chance=LEVEL * 2)).outcome is KEPT
    assert decided(joint, 0.01, Sizes(n=99, m=99, chance=0.0)).outcome is KEPT
    assert (
        decided(joint, 0.5, Sizes(n=9, m=9, chance=Undefined("mmd needs 50 rows, has 9"))).outcome
        is UNDECIDED
    )


@pytest.mark.parametrize("measure", ["mean", "psi", "distinct", "row_count"])
def test_any_other_measure_is_compared_as_it_is(measure: str) -> None:
    assert decided(limit(measure, Side.AT_MOST, 3.0), 3.0, Sizes(n=1, m=1)).outcome is KEPT
    assert decided(limit(measure, Side.AT_MOST, 3.0), 3.1, Sizes(n=1, m=1)).outcome is VIOLATED


def test_a_graver_violation_is_more_severe_up_to_a_bound() -> None:
    share, mean = limit("completeness", Side.AT_LEAST, 1.0), limit("mean", Side.AT_MOST, 1.0)
    sizes = Sizes(n=100_000, m=100_000)

    grades = [decided(share, value, sizes).severity for value in (0.99, 0.9, 0.5, 0.0)]

    assert 0 < grades[0] < grades[1] < grades[2] < grades[3] <= MOST_SEVERE
    assert decided(mean, 1e300, sizes).severity == MOST_SEVERE
    assert decided(mean, 0.5, sizes).severity == 0


@given(
    st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(sorted(DISTANCES | SHARES))
)
def test_a_value_on_the_allowed_side_is_never_violated(value: float, n: int, m: int, measure: str) -> None:
    for side in Side:
        assert decided(limit(measure, side, value), value, Sizes(n=n, m=m)).outcome is not VIOLATED


@pytest.mark.parametrize("options", [{"false_alarms": 0.0}, {"false_alarms": 1.0}, {"min_rows": 0}])
def test_a_policy_checks_its_numbers(options: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        Policy(**options)  # type: ignore[arg-type] # what a user may give


def test_every_check_has_one_name_and_every_measure_of_ours_one_check() -> None:
    assert len(set(EVERY)) == len(EVERY)
    assert set(SAGEMAKER) <= set(EVERY)
    assert set(OF_MEASURE.values()) <= set(EVERY)
    assert not DISTANCES & SHARES
