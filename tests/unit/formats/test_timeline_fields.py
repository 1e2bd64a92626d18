"""What is known of how blocks differ comes back from a file as it went in."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from watchkeep.baselines.relation_days import RelationDays
from watchkeep.baselines.spread import Spread
from watchkeep.baselines.timeline import Timeline, Unrest
from watchkeep.core.errors import StateError
from watchkeep.formats.timeline_fields import timeline_fields, timeline_of_fields
from watchkeep.states.codec import decode, encode

RNG = np.random.default_rng(2)


def spread(means: int) -> Spread:
    of_length, of_unit = RNG.random((4, 2, means)), RNG.random((3, 3, means))
    lengths = np.array([1.0, 24.0])
    return Spread(lengths, of_length[0], of_length[1], np.array([1.0, 2.0, 24.0]), *of_unit)


def timeline(*, unrest: bool, relations: bool) -> Timeline:
    days = (
        RelationDays(99.5, RNG.random((2, 6)), spread(6), np.array([True, False] * 3)) if relations else None
    )
    return Timeline(
        step=1,
        blocks=500,
        days=30,
        seasons=np.array([0, 0, 0, 3, 3], np.int8),
        phase_rows=RNG.integers(0, 9, 168),
        phases=RNG.integers(0, 9, (168, 5)),
        terms=np.array([0, 2, 3, 4], np.intp),
        unrest=Unrest(spread(9), spread(2), RNG.random(2), days) if unrest else None,
    )


def same(one: Any, other: Any) -> bool:
    if is_dataclass(one):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


@pytest.mark.parametrize(("unrest", "relations"), [(False, False), (True, False), (True, True)])
def test_a_timeline_comes_back_as_it_went(unrest: bool, relations: bool) -> None:
    before = timeline(unrest=unrest, relations=relations)

    after = timeline_of_fields(decode(encode(timeline_fields(before))))

    assert same(before, after)
    assert same(after, before)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phases", np.zeros(7, np.int64)),
        ("means_variances", np.zeros(5)),
        ("offsets", np.zeros(3)),
        ("step", "daily"),
        ("relations_lengths", "none"),
    ],
)
def test_fields_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    damaged = {**timeline_fields(timeline(unrest=True, relations=True)), name: value}

    with pytest.raises(StateError):
        timeline_of_fields(damaged)
