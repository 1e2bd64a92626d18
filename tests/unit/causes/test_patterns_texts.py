"""Bugs planted in columns of categories are named; other shares and new categories are not."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.causes.patterns.naming import bugs_of
from watchkeep.causes.patterns.pattern import Bug, Pattern
from watchkeep.measures.columns import Column

Rng = np.random.Generator
Texts = npt.NDArray[np.str_]
Make = Callable[[Rng, int], Texts]
Break = Callable[[Texts, Rng], object]

SIZES = ((3000, 300), (20_000, 3000), (5000, 5000))
"""Rows of the baseline and of the window."""


def _zipf(count: int, prefix: str) -> Make:
    names = np.array([f"{prefix}{chr(97 + at % 26)}{at:02d}" for at in range(count)])
    shares = 1 / np.arange(1, count + 1) ** 1.1
    return lambda rng, n: rng.choice(names, n, p=shares / shares.sum())


MAKERS: Mapping[str, Make] = {
    "few": _zipf(8, "cat"),
    "station": _zipf(40, "Station "),
    "sku": _zipf(200, "Sku-"),
    "airport": lambda rng, n: rng.choice(["EWR", "JFK", "LGA"], n, p=[0.5, 0.3, 0.2]),
    "plan": lambda rng, n: rng.choice(
        ["basic", "premium", "enterprise", "trial"], n, p=[0.5, 0.25, 0.15, 0.1]
    ),
    "sex": lambda rng, n: rng.choice(["M", "F"], n, p=[0.6, 0.4]),
}


def _some(of: Callable[[Texts], Texts], share: float) -> Break:
    def change(x: Texts, rng: Rng) -> object:
        return np.where(rng.random(len(x)) < share, of(x), x)

    return change


def _names(names: Mapping[str, str]) -> Break:
    return lambda x, rng: np.array([names[each] for each in x.tolist()])


PLANTED: Sequence[tuple[str, str, Break, Pattern]] = (
    ("capitals", "few station sku plan", lambda x, rng: np.char.upper(x), Pattern.SPELLING),
    ("some capitals", "few plan", _some(lambda x: np.char.upper(x), 0.4), Pattern.SPELLING),
    ("blanks", "few station airport", lambda x, rng: np.char.add(x, " "), Pattern.SPELLING),
    ("a prefix", "few station sku airport", lambda x, rng: np.char.add("us_", x), Pattern.AFFIX),
    ("a suffix", "few sku plan", lambda x, rng: np.char.add(x, "-v2"), Pattern.AFFIX),
    ("four characters", "plan", lambda x, rng: x.astype("U4"), Pattern.TRUNCATED),
    (
        "unknown",
        "few sku airport sex",
        _some(lambda x: np.full(len(x), "unknown"), 0.2),
        Pattern.NULL_CODE,
    ),
    (
        "no category",
        "airport",
        lambda x, rng: [None if rng.random() < 0.4 else each for each in x],
        Pattern.MISSING,
    ),
    ("a default", "few station plan", lambda x, rng: np.full(len(x), "other"), Pattern.MERGED),
    (
        "rare ones in one",
        "plan",
        _names({"basic": "basic", "premium": "rest", "enterprise": "rest", "trial": "rest"}),
        Pattern.MERGED,
    ),
    ("words for letters", "sex", _names({"M": "male", "F": "female"}), Pattern.RECODED),
    (
        "other names",
        "plan",
        _names({"basic": "B1", "premium": "X", "enterprise": "Q3", "trial": "T4"}),
        Pattern.RECODED,
    ),
)


def _columns(before: Mapping[str, object], now: Mapping[str, object]) -> Sequence[Column]:
    baseline = wk.DataQuality().baseline(pa.table(dict(before)))
    return baseline.check(pa.table(dict(now))).findings.columns


def _named(before: Mapping[str, object], now: Mapping[str, object]) -> dict[str, Bug]:
    """The bug of each column, one by one: among a hundred columns some are alike enough to look swapped."""
    named: dict[str, Bug] = {}
    for column in _columns(before, now):
        named |= bugs_of([column], [column.name])
    return named


@pytest.mark.parametrize("seed", range(3))
def test_planted_bugs_are_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, few = SIZES[seed]
    before: dict[str, object] = {}
    now: dict[str, object] = {}
    wanted: dict[str, Pattern] = {}
    for title, makers, change, pattern in PLANTED:
        for maker in makers.split():
            name = f"{title} ({maker})"
            before[name] = MAKERS[maker](rng, rows)
            now[name] = change(MAKERS[maker](rng, few), rng)
            wanted[name] = pattern

    named = _named(before, now)

    assert {name: bug.pattern for name, bug in named.items()} == wanted
    assert all(bug.fit > 0.3 and 0 < bug.share <= 1 for bug in named.values())


def _other_shares(x: Texts, rng: Rng) -> Texts:
    labels, at = np.unique(x, return_inverse=True)
    weights = rng.gamma(1, 1, len(labels))[at]
    return rng.choice(x, len(x), p=weights / weights.sum())


def _a_new_one(x: Texts, rng: Rng) -> Texts:
    return np.where(rng.random(len(x)) < 0.1, "Brandnew", x.astype("U30"))


def _three_new(x: Texts, rng: Rng) -> Texts:
    fresh = rng.choice(["Alpha", "Beta", "Gamma"], len(x), p=[0.6, 0.3, 0.1])
    return np.where(rng.random(len(x)) < 0.25, fresh, x.astype("U30"))


def _one_less(x: Texts, rng: Rng) -> Texts:
    return np.resize(x[x != np.unique(x)[0]], len(x))


@pytest.mark.parametrize("seed", range(8))
def test_natural_changes_are_not_named(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    rows, few = (*SIZES, (500, 300))[seed % 4]
    before: dict[str, object] = {}
    now: dict[str, object] = {}
    for of in (_other_shares, _a_new_one, _three_new, _one_less):
        for maker in MAKERS:
            before[f"{of.__name__} ({maker})"] = MAKERS[maker](rng, rows)
            now[f"{of.__name__} ({maker})"] = of(MAKERS[maker](rng, few), rng)

    assert _named(before, now) == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("7 12 30", "007 012 030", "leading zeros"),
        ("7 12 30", "7.0 12.0 30.0", "'.0'"),
        ("São-Paulo Zürich Genève", "SÃ£o-Paulo ZÃ¼rich GenÃ¨ve", "a broken encoding"),
        ("São-Paulo Zürich Genève", "Sao-Paulo Zurich Geneve", "without their accents"),
        ("new-york los-angeles san-jose", "new_york los_angeles san_jose", "underscores"),
        ("'a' 'b' 'c'", "a b c", "quotes"),
    ],
)
def test_how_labels_are_written_now_is_told(old: str, new: str, told: str) -> None:
    rng = np.random.default_rng(9)
    at, later = (rng.choice(3, n, p=[0.5, 0.3, 0.2]) for n in (3000, 800))

    (bug,) = _named({"city": np.array(old.split())[at]}, {"city": np.array(new.split())[later]}).values()

    assert bug.pattern is Pattern.SPELLING
    assert told in bug.sentence


def test_codes_that_are_counted_from_another_start_are_recoded() -> None:
    rng = np.random.default_rng(10)
    before = rng.choice(["0", "1", "2"], 3000, p=[0.5, 0.3, 0.2])
    now = rng.choice(["1", "2", "3"], 800, p=[0.5, 0.3, 0.2])

    (bug,) = _named({"code": before}, {"code": now}).values()

    assert bug.pattern is Pattern.RECODED
    assert "'0' as '1', '1' as '2', '2' as '3'" in bug.sentence


def test_a_text_that_took_the_place_of_missing_values_is_told_to_have() -> None:
    rng = np.random.default_rng(11)
    before = [each if rng.random() > 0.2 else None for each in rng.choice(["a", "b"], 3000)]
    now = [each if rng.random() > 0.2 else "N/A" for each in rng.choice(["a", "b"], 800)]

    (bug,) = _named({"x": before}, {"x": now}).values()

    assert bug.pattern is Pattern.NULL_CODE
    assert "fewer are missing" in bug.sentence


def test_a_few_hundred_labels_of_which_not_all_can_be_counted_are_still_recognised() -> None:
    rng = np.random.default_rng(12)
    make = _zipf(400, "item ")

    (bug,) = _named({"item": make(rng, 20_000)}, {"item": np.char.upper(make(rng, 5000))}).values()

    assert bug.pattern is Pattern.SPELLING
    assert bug.share > 0.9
