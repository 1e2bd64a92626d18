from pathlib import Path

import pytest
from tests.unit.sources.joins import joined, lines, rows_of, table

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask

EVENTS = ("inferenceId", "eventId", "inferenceTime")


def truth(event: str | None, data: object, encoding: str | None = "CSV") -> dict[str, object]:
    ground = {"data": data} | ({"encoding": encoding} if encoding else {})
    return {"groundTruthData": ground, "eventMetadata": {"eventId": event}, "eventVersion": "0"}


def capture(event: str, inference: str | None, time: str, body: str) -> dict[str, object]:
    metadata = {"eventId": event, "inferenceTime": time} | ({"inferenceId": inference} if inference else {})
    side = {"observedContentType": "text/csv", "mode": "OUTPUT", "encoding": "CSV", "data": body}
    return {"captureData": {"endpointOutput": side}, "eventMetadata": metadata, "eventVersion": "0"}


@pytest.mark.parametrize("id_", ["inferenceId", "eventId"])
def test_captures_meet_their_ground_truth(tmp_path: Path, id_: str) -> None:
    hour = Path("2024/01/19/18")
    lines(
        tmp_path / "captures" / hour / "a.jsonl",
        capture("e1", "i1", "2024-01-19T18:20:00Z", "0.1"),
        capture("e2", None, "2024-01-19T18:30:00Z", "0.2"),
        capture("e3", "i3", "2024-01-19T18:40:00Z", "0.3"),
    )
    lines(tmp_path / "labels" / hour / "z.jsonl", truth("i1", "0"), truth("e3", "5"))
    lines(
        tmp_path / "labels" / "2024/01/19/20" / "a.jsonl",
        truth("i1", "1\n"),
        truth("e2", "[0]", "JSON"),
        truth(None, "1"),
        truth("e9", "{broken", "JSON"),
    )
    source = JoinedSource(
        open_source(tmp_path / "captures"), open_source(tmp_path / "labels"), id=id_, label="churned"
    )

    assert rows_of(source) == [
        {"_c0": "0.1", "churned": "1"},
        {"_c0": "0.2", "churned": "0"},
        {"_c0": "0.3", "churned": None},
    ]
    account = source.account()
    assert (account.matched, account.changed_labels, account.unmatched_labels) == (2, 1, 1)
    assert (account.labels_without_id, account.labels_without_value) == (1, 1)
    assert account.delay is not None
    assert (account.delay.median, account.delay.max) == (90 * 60, 100 * 60)
    assert source.schema(Ask()).field("churned").metadata == {b"textual": b"1"}
    with_ids = rows_of(source, Ask(columns=["_c0", "churned", *EVENTS]))
    assert with_ids[1]["eventId"] == "e2"
    assert with_ids[1]["churned"] == "0"
    later = Ask(window=Window.between("2024-01-19T18:30:00Z", None))
    assert rows_of(source, later) == [{"_c0": "0.2", "churned": "0"}, {"_c0": "0.3", "churned": None}]


def test_names_by_place_skip_the_label_which_the_predictions_do_not_have(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", capture("e1", None, "2024-01-19T18:20:00Z", "0.1,34"))
    source = JoinedSource(open_source(path), table(eventId=["e1"], y=[1]), id="eventId", label="y")
    ask = Ask(positional=["p", "y", "age"])

    assert rows_of(source, ask) == [{"p": "0.1", "age": "34", "y": 1}]
    assert source.schema(ask).names == ["p", "age", "y"]


@pytest.mark.parametrize(
    ("data", "encoding"), [("1\n0\n1\n", "CSV"), ("[1, 0, 1]", "JSON"), ("[[1], [0], [1]]", "JSON")]
)
def test_each_row_of_a_captured_body_meets_its_own_label(tmp_path: Path, data: str, encoding: str) -> None:
    when = "2024-01-19T18:20:00Z"
    lines(
        tmp_path / "captures" / "a.jsonl",
        capture("e1", None, when, "0.1\n0.2\n0.3"),
        capture("e2", "i2", when, "0.4"),
        capture("e3", None, when, "0.5\n0.6"),
        capture("e4", None, when, "0.7\n0.8"),
    )
    labels = lines(
        tmp_path / "labels.jsonl",
        truth("e1", data, encoding),
        truth("i2", "1"),
        truth("e3", data, encoding),
        truth("e4", "1"),
    )
    source = JoinedSource(open_source(tmp_path / "captures"), open_source(labels), id="eventId", label="y")

    assert [(row["_c0"], row["y"]) for row in rows_of(source)] == [
        ("0.1", "1"),
        ("0.2", "0"),
        ("0.3", "1"),
        ("0.4", "1"),
        ("0.5", None),  # three labels are not those of two rows
        ("0.6", None),
        ("0.7", None),  # nor is one
        ("0.8", None),
    ]
    account = source.account()
    assert (account.predictions, account.matched, account.unmatched) == (8, 4, 4)
    assert (account.labels, account.unmatched_labels, account.duplicate_predictions) == (8, 4, 0)


@pytest.mark.parametrize(
    ("data", "encoding", "label"),
    [
        ("1", "CSV", "1"),
        (" yes \r\n", "CSV", "yes"),
        ('"a,b"', "CSV", "a,b"),
        ("1", None, "1"),
        ("0.5", "JSON", "0.5"),
        ("true", "json", "true"),
        ('["yes"]', "JSON", "yes"),
        ('"\\ud800"', "JSON", "?"),
        (1, "JSON", "1"),
        ([2.0], "JSON", "2.0"),
        ("1,0", "CSV", None),
        ("", "CSV", None),
        ("null", "JSON", None),
        ("[]", "JSON", None),
        ('{"y": 1}', "JSON", None),
        ("{broken", "JSON", None),
        ("[" * 100_000, "JSON", None),
        ("MQ==", "BASE64", None),
        ("x" * 200_000, "CSV", None),
    ],
)
def test_labels_of_ground_truth_are_one_value(
    tmp_path: Path, data: object, encoding: str | None, label: str | None
) -> None:
    rows = lines(tmp_path / "a.jsonl", truth("1", data, encoding))
    others = lines(tmp_path / "b.jsonl", truth("2", "7"), truth("3", "[8]", "JSON"))
    source = joined(table(id=["1", "2", "3"]), open_source([rows, others]))

    assert [row["y"] for row in rows_of(source)] == [label, "7", "8"]
    assert source.account().labels_without_value == (label is None)


def test_folders_that_are_no_hours_say_nothing_of_arrival(tmp_path: Path) -> None:
    lines(tmp_path / "2024/02/30/10" / "a.jsonl", truth("1", "1"))
    source = joined(table(id=["1"], t=["2024-01-01"]), open_source(tmp_path))

    list(source.batches(Ask(timestamp="t")))

    assert source.account().delay is None


def test_a_label_of_the_hour_of_its_event_has_no_negative_delay(tmp_path: Path) -> None:
    lines(tmp_path / "labels" / "2024/01/19/18" / "a.jsonl", truth("1", "1"), truth("2", "1"))
    predictions = table(id=["1", "2"], t=["2024-01-19T18:59:59Z", "2024-01-19T19:00:00Z"])
    source = joined(predictions, open_source(tmp_path / "labels"))

    list(source.batches(Ask(timestamp="t")))

    delay = source.account().delay
    assert delay is not None
    assert (delay.median, delay.max, delay.negative) == (-3600, 0, 1)


def test_a_column_of_arrival_outweighs_the_hours_of_the_folders(tmp_path: Path) -> None:
    early, late = {"id": 1, "y": "early", "seen": "2024-01-02"}, {"id": 1, "y": "late", "seen": "2024-01-01"}
    lines(tmp_path / "2024/01/19/18" / "a.jsonl", early)
    lines(tmp_path / "2024/01/19/19" / "a.jsonl", late)
    labels = [open_source(tmp_path / "2024/01/19/19"), open_source(tmp_path / "2024/01/19/18")]

    for source in (open_source(tmp_path), open_source([str(part.name) for part in labels])):
        assert rows_of(joined(table(id=[1]), source)) == [{"id": 1, "y": "late"}]
        assert rows_of(joined(table(id=[1]), source, arrival="seen")) == [{"id": 1, "y": "early"}]
