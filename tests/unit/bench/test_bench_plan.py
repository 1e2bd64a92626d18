from pathlib import Path

import pytest
from bench.environments import PEERS
from bench.files import CSV_ROWS, TINY_ROWS
from bench.measure import Job
from bench.plan import PEER_ROWS, Place, constants, jobs, preparations

PLACE = Place(Path("/data"), Path("/scratch"), {peer.name: Path("/envs", peer.name) for peer in PEERS})


def of(rows: int, *, peers: bool = True) -> dict[str, Job]:
    listed = jobs(PLACE, rows, peers=peers, limit=60)
    named = {job.name: job for job in listed}
    assert len(named) == len(listed)
    return named


@pytest.mark.parametrize("rows", [CSV_ROWS, PEER_ROWS, 10_000_000])
def test_every_start_up_is_measured_beside_its_command_and_reads_few_rows(rows: int) -> None:
    listed = of(rows)

    for job in listed.values():
        if job.start is not None:
            start = listed[job.start]
            assert start.start is None
            assert f"-{rows}-" not in " ".join(start.command)
            assert start.good == job.good or job.start == "start of decode"


def test_check_reads_the_current_file_and_baseline_the_reference() -> None:
    listed = of(5_000)

    assert listed["check"].command[-4:] == (
        "/scratch/baseline-5000",
        "/data/v1-5000-current.parquet",
        "--out",
        "{out}",
    )
    assert "/data/v1-5000-reference.parquet" in listed["baseline"].command
    assert f"/data/v1-{TINY_ROWS}-current.parquet" in listed["start of check"].command


def test_the_roles_of_all_columns_that_are_no_features_are_told() -> None:
    words = of(5_000)["baseline"].command

    told = {words[at]: words[at + 1] for at in range(len(words) - 1) if words[at].startswith("--")}
    assert told == {
        "--out": "{out}",
        "--label": "label",
        "--prediction": "prediction",
        "--score": "score",
        "--timestamp": "at",
        "--id": "id",
    }


def test_what_is_prepared_is_what_the_commands_read() -> None:
    made, answers, report = preparations(PLACE, 5_000)

    assert made.command[made.command.index("--out") + 1] == of(5_000)["check"].command[-4]
    assert answers.command[answers.command.index("--out") + 1] == of(5_000)["check of answers"].command[-4]
    draw = next(job for job in constants(PLACE, 5_000, hours=720) if "--html" in job.command)
    assert report.command[-1] == draw.command[draw.command.index("show") + 1]


def test_csv_is_read_at_one_size() -> None:
    assert "check of CSV" in of(CSV_ROWS)
    assert "check of CSV" not in of(CSV_ROWS + 1)


def test_peers_are_asked_once_and_for_no_more_than_they_can_do() -> None:
    asked, too_many, unwanted = of(PEER_ROWS), of(PEER_ROWS + 1), of(PEER_ROWS, peers=False)

    for peer in PEERS:
        assert (asked[peer.name].at_most, asked[peer.name].side) == (1, "both")
        assert asked[peer.name].command[0] == f"/envs/{peer.name}"
        assert peer.name not in too_many
        assert peer.name not in unwanted


def test_a_peer_that_is_not_installed_is_left_out() -> None:
    alone = Place(PLACE.data, PLACE.scratch, {})

    names = {job.name for job in jobs(alone, PEER_ROWS, peers=True, limit=60)}

    assert names.isdisjoint(peer.name for peer in PEERS)
