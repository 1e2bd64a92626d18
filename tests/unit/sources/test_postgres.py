import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.unit.sources.lakes import outside, rows_of, within

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import DuplicateColumnError, MissingExtraError, OptionError, UnreadableSourceError
from watchkeep.service.ports import Ask

ROWS = """
create table rides as
select g as n, g * 1.5 as price, g / 2.0::float8 as x, timestamptz '2024-01-01Z' + g * interval '1 day' as at,
       date '2024-01-01' + g as day, case when g % 2 = 0 then 'even' end as s, g % 2 = 0 as b
from generate_series(1, 4) g
"""


def run(folder: Path, *words: object) -> None:
    """A program of the server, which does not run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C"}
    with (folder / "said").open("wb") as said:
        subprocess.run(
            [str(word) for word in words],
            user=user,
            env=environment,
            stdout=said,
            stderr=said,
            cwd=folder,
            check=True,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a database, up to the query."""
    is_root = os.geteuid() == 0
    if not (shutil.which("initdb") and shutil.which("pg_ctl")) or (is_root and not has_user("postgres")):
        pytest.skip("there is no PostgreSQL here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if is_root:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        run(folder, "initdb", "-D", data, "-A", "trust", "-U", "ada")
        run(folder, "pg_ctl", "-D", data, "-l", folder / "log", "-o", f"-p {port} -k {folder}", "-w", "start")
        url = f"postgresql://ada:secret@127.0.0.1:{port}/postgres"
        fill(url)
        yield f"{url}?query="
        run(folder, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def has_user(name: str) -> bool:
    return any(user.pw_name == name for user in pwd.getpwall())


def fill(url: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(ROWS)
        connection.commit()


def test_the_rows_are_those_of_the_query(server: str) -> None:
    source = open_source(f"{server}select * from rides where n %3C 3 order by n&application_name=watchkeep")

    rows = rows_of(source)

    first = {"n": 1, "price": 1.5, "x": 0.5, "at": datetime(2024, 1, 2, tzinfo=UTC), "day": date(2024, 1, 2)}
    assert rows[0] == {**first, "s": None, "b": False}
    assert [row["n"] for row in rows] == [1, 2]
    assert rows_of(source) == rows
    assert source.name.startswith("postgresql://ada:***@127.0.0.1:")
    assert "secret" not in source.name


def test_a_window_holds_the_rows_of_its_time(server: str) -> None:
    source = open_source(f"{server}select * from rides")
    ask = within("2024-01-03", "2024-01-05", columns=["n"])

    assert sorted(row["n"] for row in rows_of(source, ask)) == [2, 3]
    assert outside(source, ask) == 2


def test_numbers_of_any_precision_are_doubles(server: str) -> None:
    query = "select 1e30::numeric as much, 'NaN'::numeric as odd, null::numeric as none, 0.1::numeric(4, 2) as tenth"

    (row,) = rows_of(open_source(server + query))

    assert (row["much"], row["none"], row["tenth"]) == (1e30, None, 0.1)
    assert row["odd"] != row["odd"]


@pytest.mark.parametrize(
    "query",
    [
        "insert into rides (n) values (9) returning n",
        "delete from rides returning n",
        "with gone as (delete from rides returning n) select * from gone",
        "drop table rides",
        "select 1; delete from rides",
    ],
)
def test_a_query_changes_nothing(server: str, query: str) -> None:
    with pytest.raises(UnreadableSourceError, match=r"the server says: .*(read-only|multiple commands)"):
        rows_of(open_source(server + query))

    assert len(rows_of(open_source(f"{server}select n from rides"))) == 4


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nope from rides", 'column "nope" does not exist$'),
        ("nonsense", 'syntax error at or near "nonsense"$'),
        ("select 1 / (g - 9000) as q from generate_series(1, 9000) g", "division by zero$"),
    ],
)
def test_what_is_wrong_with_a_query_is_told_in_the_servers_words(server: str, query: str, why: str) -> None:
    with pytest.raises(UnreadableSourceError, match=f"the server says: {why}") as raised:
        rows_of(open_source(server + query))

    assert "secret" not in str(raised.value)


def test_two_columns_of_one_name_are_an_error(server: str) -> None:
    with pytest.raises(DuplicateColumnError):
        open_source(f"{server}select 1 as a, 2 as a").schema(Ask())


def test_a_server_that_does_not_answer_is_an_error_without_the_password() -> None:
    source = open_source("postgresql://ada:secret@127.0.0.1:1/db?query=select 1&password=hidden")

    with pytest.raises(UnreadableSourceError, match="the server says: connection to server at") as raised:
        source.schema(Ask())

    assert "secret" not in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("rest", ["", "?query=", "?query=select 1&query=select 2", "?sslmode=require"])
def test_a_url_without_one_query_is_an_error(rest: str) -> None:
    with pytest.raises(OptionError, match=r"a postgresql source: got 'postgres://ada:.*@host/db") as raised:
        open_source(f"postgres://ada:secret@host/db{rest}")

    assert "secret" not in str(raised.value)


def test_a_library_that_is_not_installed_is_an_error_that_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[postgres\]'"):
        open_source("postgresql://host/db?query=select 1")
