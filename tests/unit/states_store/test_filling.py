"""Sources folded by the hour: every row is in one hour or told of, whoever reads and however the rows lie."""

import pickle
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import watchkeep as wk
from watchkeep.adapters.processes import Processes
from watchkeep.app.replaying import states_of
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import EmptySourceError, MissingColumnError, OptionError
from watchkeep.core.window import Window
from watchkeep.formats.profile_archive import pack_profile
from watchkeep.frames.batches import Batch
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.profile import Profile
from watchkeep.service import filling
from watchkeep.service.hourly import HourlyScan
from watchkeep.service.state_tree import OF_HOURS
from watchkeep.states.codec import State
from watchkeep.states.moments import Moments
from watchkeep.states.totals import Totals

DAYS, N = 4, 2_000
TIME = pa.timestamp("us", "UTC")


def people(n: int = N, seed: int = 1) -> pa.Table:
    """People of four days of March 2024, in order of time."""
    rng = np.random.default_rng(seed)
    times = np.sort(np.datetime64("2024-03-01", "us") + rng.integers(0, DAYS * 86_400_000_000, n))
    score = rng.random(n)
    return pa.table(
        {
            "id": [f"{seed}-{at}" for at in range(n)],
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(3, 1, n)),
            "age": rng.integers(18, 90, n),
            "color": pa.array(rng.choice(["red", "green", "été"], n)).dictionary_encode(),
            "at": pa.array(times).cast(TIME),
            "sex": rng.choice(["F", "M"], n),
            "score": score,
            "label": (rng.random(n) < score).astype(np.int64),
        }
    )


def model(rows: pa.Table) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(rows["age"], np.float64) / 50))


def other_model(rows: pa.Table) -> np.ndarray:
    return model(rows)


REFERENCE = people(1_500, 7)
QUALITY = wk.DataQuality().baseline(wk.read(REFERENCE, id="id", timestamp="at"))
ANSWERS = wk.ModelQuality(segments=["age < 30"]).baseline(
    wk.read(REFERENCE, label="label", score="score", id="id", timestamp="at")
)
GROUPS = wk.Bias().baseline(
    wk.read(REFERENCE, label="label", score="score", facets={"sex": ["F"]}, timestamp="at")
)
WHY = wk.Attribution(model=model, explained=20).baseline(wk.read(REFERENCE, features=["age"], timestamp="at"))
EACH = pytest.mark.parametrize(
    "baseline", [QUALITY, ANSWERS, GROUPS], ids=["data quality", "model quality", "bias"]
)


def filled(folder: Path, source: object, baseline: wk.Baseline = QUALITY, **given: Any) -> wk.Report:
    return wk.States(baseline, folder).fill(source, **given)


def bits(profile: Profile) -> str:
    return pack_profile(profile, {}).digest


def every_hour(folder: Path, baseline: wk.Baseline = QUALITY) -> list[tuple[Window, Profile]]:
    return list(states_of(baseline.learned, folder, Dialect.DEFAULT).each(OF_HOURS))


def hours(folder: Path) -> dict[str, str]:
    """The bits of every stored hour."""
    return {str(window.start): bits(profile) for window, profile in every_hour(folder)}


def differing(a: Profile, b: Profile) -> list[object]:
    """The states in which two profiles differ by more than rounding."""
    assert a.parts.keys() == b.parts.keys()
    return [key for key, state in a.parts.items() if state != b.parts[key] and not close(state, b.parts[key])]


def close(a: State, b: State) -> bool:
    if isinstance(a, Moments) and isinstance(b, Moments):
        first, second = ([one.n, one.mean, one.m2, one.m3, one.m4] for one in (a, b))
        return np.allclose(first, second, rtol=1e-9)
    return isinstance(a, Totals) and isinstance(b, Totals) and np.allclose(a.values, b.values, rtol=1e-9)


@EACH
def test_the_hours_of_a_source_are_all_its_rows(tmp_path: Path, baseline: wk.Baseline) -> None:
    rows = people()

    report = filled(tmp_path, rows, baseline)

    plain, total = baseline.scan(rows), report.findings.profile
    assert (total.rows, total.rejected, total.seen) == (plain.rows, plain.rejected, plain.seen)
    assert differing(total, plain) == []
    assert differing(wk.States(baseline, tmp_path).over(), plain) == []
    every = every_hour(tmp_path, baseline)
    assert sum(profile.rows for _, profile in every) == N
    window, first = every[0]
    within = baseline.check(rows, start=window.start, end=window.end).findings.profile
    assert bits(Profile(first.rows, parts=first.parts)) == bits(Profile(within.rows, parts=within.parts))


@EACH
def test_rows_in_any_order_make_the_same_hours(tmp_path: Path, baseline: wk.Baseline) -> None:
    rows = people(700)
    order = np.random.default_rng(3).permutation(len(rows))
    filled(tmp_path / "a", rows, baseline)
    filled(tmp_path / "b", rows.take(pa.array(order)), baseline)

    a, b = (every_hour(tmp_path / name, baseline) for name in "ab")
    for (window, one), (other_window, other) in zip(a, b, strict=True):
        assert window == other_window
        assert differing(one, other) == []


def test_processes_and_one_process_make_the_same_hours_to_the_bit(tmp_path: Path) -> None:
    for at in range(6):
        pq.write_table(people(400, at), tmp_path / f"{at}.parquet")
    source = [str(tmp_path / f"{at}.parquet") for at in range(6)]

    filled(tmp_path / "a", source, engine=Processes(1))
    filled(tmp_path / "b", source, engine=Processes(2))

    assert hours(tmp_path / "a") == hours(tmp_path / "b")
    names = [sorted(one.name for one in (tmp_path / name).rglob("*.p0.*")) for name in "ab"]
    assert names[0] == names[1]


@EACH
def test_what_counts_an_hour_can_be_sent_to_other_processes(baseline: wk.Baseline) -> None:
    learned = baseline.learned.in_force(Dialect.DEFAULT)
    begin = learned.begin(Dialect.DEFAULT)

    make = pickle.loads(pickle.dumps(partial(HourlyScan, begin, "at", 24)))
    scan = make(3)
    scan.add(Batch.of(people(30).slice(0, 5)))
    hours = pickle.loads(pickle.dumps(scan.hours()))

    assert sum(profile.rows for profile in hours.profiles.values()) == 5


def test_the_same_source_again_stores_nothing_twice_and_another_one_is_added(tmp_path: Path) -> None:
    rows = people()
    for _ in range(2):
        assert filled(tmp_path, rows).findings.profile.rows == N
        assert wk.States(QUALITY, tmp_path).over().rows == N

    late = people(10, 99)
    filled(tmp_path, late)

    assert wk.States(QUALITY, tmp_path).over().rows == N + 10
    assert differing(wk.States(QUALITY, tmp_path).over(), QUALITY.scan(pa.concat_tables([rows, late]))) == []


def test_hours_that_are_read_again_make_way(tmp_path: Path) -> None:
    rows = people()
    filled(tmp_path, rows)
    corrected = people(500, 5)

    filled(tmp_path, corrected, start="2024-03-01", end="2024-03-05", again=True)

    assert wk.States(QUALITY, tmp_path).over().rows == 500
    held = wk.States(QUALITY, tmp_path).held("2024-03-01", "2024-03-05")
    met = {str(at)[:13] for at in np.asarray(corrected["at"])}
    assert held.hours == len(met)
    gaps = [gap.end - gap.start for gap in held.missing if gap.end is not None and gap.start is not None]
    assert sum(gap.total_seconds() / 3600 for gap in gaps) == 96 - len(met)


def untimed(n: int = 300) -> pa.Table:
    rows = people(n)
    times = rows["at"].to_pylist()
    told = [
        "soon" if at % 50 == 1 else None if at % 50 == 2 else time.isoformat()
        for at, time in enumerate(times)
    ]
    return rows.set_column(rows.column_names.index("at"), "at", pa.array(told))


def test_rows_without_a_time_are_rejected_counted_and_kept_for_longer_windows(tmp_path: Path) -> None:
    report = filled(tmp_path, untimed())

    assert report.findings.profile.rows == 288
    rejected = {"timestamp is missing": 6, "timestamp is not a time": 6}
    assert report.findings.profile.rejected == rejected
    assert report.findings.profile.unplaced == 12
    states = wk.States(QUALITY, tmp_path)
    assert states.over().rejected == rejected
    assert states.over("2024-03-01", "2024-03-03").rejected == {}
    week = states.over("2024-02-26", "2024-03-04")  # not all that they came with: Monday is another week's
    assert week.rejected == {}
    assert states.replay(every="day").document()["beside"] == rejected
    filled(tmp_path, untimed())
    assert states.over().rejected == rejected


def test_rows_without_a_time_of_one_hour_are_that_hours(tmp_path: Path) -> None:
    rows = untimed(3)
    hour = rows.set_column(
        rows.column_names.index("at"), "at", pa.array(["2024-03-01T05:10:00Z", "soon", None])
    )

    filled(tmp_path, hour)

    ((_, only),) = every_hour(tmp_path)
    assert (only.rows, only.unplaced) == (1, 2)


def test_rows_without_a_time_that_are_read_again_are_not_told_twice(tmp_path: Path) -> None:
    filled(tmp_path, untimed())
    filled(tmp_path, untimed(250), again=True)

    assert sum(wk.States(QUALITY, tmp_path).over().rejected.values()) == 10


def test_times_that_stand_for_something_else_are_no_times(tmp_path: Path) -> None:
    rows = people(6)
    odd = ["0001-01-01T00:00:00", "9999-12-31T23:00:00", "1970-01-01T00:00:00", "2024-03-01T00:59:59.999999Z"]
    odd += ["2024-03-01T01:00:00Z", "1969-12-31T23:59:59Z"]

    filled(tmp_path, rows.set_column(rows.column_names.index("at"), "at", pa.array(odd)))

    assert list(hours(tmp_path)) == [
        "1969-12-31 23:00:00+00:00",
        "1970-01-01 00:00:00+00:00",
        "2024-03-01 00:00:00+00:00",
        "2024-03-01 01:00:00+00:00",
    ]
    assert wk.States(QUALITY, tmp_path).over().rejected == {"timestamp is not a time": 2}


def test_more_hours_than_may_be_held_are_read_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(untimed(600), tmp_path / "rows.parquet")
    one = filled(tmp_path / "a", str(tmp_path / "rows.parquet"))
    monkeypatch.setattr(filling, "HELD", 1)  # the least there is: a day at a time

    other = filled(tmp_path / "b", str(tmp_path / "rows.parquet"))

    assert hours(tmp_path / "a") == hours(tmp_path / "b")
    assert bits(one.findings.profile) == bits(other.findings.profile)


def test_only_rows_of_the_window_and_of_the_rule_are_stored(tmp_path: Path) -> None:
    young = wk.DataQuality().baseline(wk.read(REFERENCE, id="id", timestamp="at", where="age < 40"))
    rows = people()

    report = filled(tmp_path, rows, young, start="2024-03-02", end="2024-03-03")

    found = report.findings.profile
    plain = young.check(rows, start="2024-03-02", end="2024-03-03").findings.profile
    assert (found.rows, found.outside) == (plain.rows, plain.outside)
    assert wk.States(young, tmp_path).over().outside == {"rule": plain.outside["rule"]}


def test_labels_that_are_joined_count_in_the_hours_of_their_answers(tmp_path: Path) -> None:
    rows = people()
    answers, labels = rows.drop_columns(["label"]), rows.select(["id", "label"]).slice(0, 1_500)

    report = filled(tmp_path, answers, ANSWERS, labels=labels)

    plain = ANSWERS.check(answers, labels=labels)
    assert report.document()["rows"] == plain.document()["rows"]
    assert differing(report.findings.profile, plain.findings.profile) == []


@pytest.mark.parametrize(
    ("source", "given", "error", "told"),
    [
        (people(50).drop_columns(["at"]), {}, MissingColumnError, "storing hours reads column 'at'"),
        (people(50), {"start": "2024-03-01T00:30"}, OptionError, "whole hours, such as 2024-03-01T00:00:00Z"),
        (wk.read(people(50), ignore=["age"]), {}, OptionError, "roles: .* those of the baseline"),
        (people(50), {"start": "2030-01-01"}, EmptySourceError, "no rows in the window"),
    ],
    ids=["no time", "half an hour", "other roles", "no rows"],
)
def test_what_cannot_be_stored_is_refused_in_a_sentence(
    tmp_path: Path, source: object, given: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        filled(tmp_path, source, **given)

    assert not list(tmp_path.rglob("*.p0.*"))


def test_the_event_time_may_be_told_with_the_source(tmp_path: Path) -> None:
    without = wk.DataQuality().baseline(wk.read(REFERENCE.drop_columns(["at"]), id="id"))
    with pytest.raises(OptionError, match=r"timestamp: .* kept by the hour"):
        filled(tmp_path, people(50), without)

    filled(tmp_path, wk.read(people(50), timestamp="at"), without)

    assert wk.States(without, tmp_path).over().rows == 50


def explained(profile: Profile) -> float:
    """Rows that were explained."""
    (state,) = [state for (_, part), state in profile.parts.items() if part == "explained"]
    found: float = state.values[0]  # type: ignore[attr-defined]
    return found


def test_each_hour_of_attributions_explains_rows_of_its_own(tmp_path: Path) -> None:
    rows = people()
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=100)

    report = filled(tmp_path / "states", str(tmp_path / "rows.parquet"), WHY)

    met = np.unique(np.asarray(rows["at"]).astype("datetime64[h]"), return_counts=True)[1]
    assert report.findings.profile.rows == N
    assert explained(report.findings.profile) == np.minimum(met, 20).sum()
    each = [profile for _, profile in every_hour(tmp_path / "states", WHY)]
    assert [one.rows for one in each] == met.tolist()
    assert [explained(one) for one in each] == np.minimum(met, 20).tolist()
    filled(tmp_path / "states", str(tmp_path / "rows.parquet"), WHY)
    assert wk.States(WHY, tmp_path / "states").over().rows == N


def test_hours_share_one_budget_of_explanations(tmp_path: Path) -> None:
    small = wk.ModelOptions(explain=small_budget())
    report = filled(tmp_path, people(), WHY, model=model, model_options=small)

    counts = [explained(profile) for _, profile in every_hour(tmp_path, WHY)]
    assert 0 < sum(counts) == explained(report.findings.profile)
    assert max(counts) - min(counts) <= 2


def small_budget() -> Any:
    from watchkeep.service.attribution.explaining import SampledOptions

    return SampledOptions(budget=1_000)


def test_attributions_need_their_model_and_its_way_of_explaining(tmp_path: Path) -> None:
    WHY.save(tmp_path / "why")
    again = wk.load(tmp_path / "why")

    with pytest.raises(OptionError, match="model: got 'nothing'"):
        filled(tmp_path / "states", people(50), again)
    filled(tmp_path / "states", people(50), again, model=other_model)
    assert wk.States(again, tmp_path / "states").judge().findings.profile.rows == 50


def test_the_hours_of_an_engine_that_cannot_keep_order_are_refused_for_attributions(tmp_path: Path) -> None:
    class Elsewhere(Processes):
        def in_order(self, why: str) -> Any:
            raise OptionError(why, got="elsewhere", expected="here")

    with pytest.raises(OptionError, match="states: got 'elsewhere'"):
        filled(tmp_path, people(50), WHY, engine=Elsewhere(1))


def test_policies_of_another_dialect_have_a_store_of_their_own(tmp_path: Path) -> None:
    filled(tmp_path, people(100))
    strict = wk.States(QUALITY, tmp_path, policy=Policy(dialect=Dialect.SAGEMAKER))

    with pytest.raises(
        wk.WatchkeepError, match=r"holds states of baseline .* .default dialect., and this one is"
    ):
        strict.over()


def test_times_with_a_zone_and_hours_given_as_texts_are_the_same_hours(tmp_path: Path) -> None:
    states, profile = wk.States(QUALITY, tmp_path), QUALITY.scan(people(20))

    assert states.put("2024-03-01T05:00:00+02:00", profile)
    assert not states.put(datetime(2024, 3, 1, 3, tzinfo=UTC), profile)
    assert states.over("2024-03-01T03:00:00Z", "2024-03-01T04:00:00Z").rows == 20
    assert states.replace("2024-03-01T03:00:00Z", QUALITY.scan(people(5)))
    assert states.over().rows == 5
    assert states.withdraw("2024-03-01T03:00:00Z")
    assert states.held().hours == 0
