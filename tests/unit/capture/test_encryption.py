"""With a key nothing readable of what was captured lies on the disk, and everything that reads it still does."""

import json
import os
import pickle
import random
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios.test_capture_kills import killed
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import HOUR, files, record, seen

from watchkeep.adapters.captures.by_hour import ByHour
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.opening import open_source
from watchkeep.adapters.sources.parquet_files import parquet_bytes
from watchkeep.adapters.sources.stored.columns import TIME
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.capture.encryption import KEY, Keys, key_id_in
from watchkeep.capture.record import HEAD, Inference, decode, encode, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.core.errors import MissingExtraError, OptionError, StoreError, UnreadableSourceError
from watchkeep.service.ports import Ask

OLD, NEW = "0f" * 32, "a5" * 32
MARKER = "Ottoline-Quenby"
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(KEY, f"new:{NEW}")
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def recorded(home: Path, *records: Inference) -> None:
    """Records in a complete segment."""
    recorder = Recorder(Settings(folder=home / "segments", delay=60))
    for one in records:
        recorder.record(one)
    recorder.close()
    assert recorder.counts.stored == len(records)


def sealed(home: Path, *records: Inference) -> Path:
    recorded(home, *records)
    assert watchkeep("captures", "seal").code == 0
    return home / "captures"


def someone(event: str, user: str, **more: Any) -> Inference:
    return record(event, [{"user": user, "age": 41}], **more)


def on_disk(home: Path) -> bytes:
    """All bytes below a folder."""
    return b"\x1f".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def parquets(home: Path) -> list[Path]:
    return sorted(home.rglob("*.parquet"))


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=200), st.integers(0))
def test_what_is_sealed_is_opened_and_a_changed_bit_is_noticed(data: bytes, where: int) -> None:
    keys = Keys.of(f"new:{NEW},{OLD}")
    one, other = keys.sealed(data), keys.sealed(data)
    changed = bytearray(one)
    changed[where // 8 % len(one)] ^= 1 << where % 8

    assert keys.opened(one) == keys.opened(other) == data
    assert one != other
    assert keys.opened(bytes(changed)) is None
    assert keys.opened(one[: where % len(one)]) is None
    assert Keys.of(OLD).opened(one) is None
    assert len(one) % 8 == len(data) % 8


@settings(max_examples=30)
@given(PRINTABLE.filter(lambda text: text.lower() not in (NEW, OLD)))
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    for given_text in (text, f"{NEW},{text}", f"{text},{OLD}"):
        with pytest.raises(OptionError) as caught:
            Keys.of(given_text)
        assert NEW not in str(caught.value)
        assert OLD not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", NEW[:-2], NEW + "ab", f":{NEW}", f"a b:{NEW}", f"{NEW},{NEW}", f"x:{NEW},x:{OLD}", "ü" * 64]
)
def test_keys_are_of_32_bytes_and_each_is_there_once(text: str) -> None:
    with pytest.raises(OptionError, match="WATCHKEEP_ENCRYPTION_KEY"):
        Keys.of_environment({KEY: text})


def test_keys_are_shown_and_sent_nowhere(home: Path) -> None:
    options = Settings(folder=home)

    assert options.keys is not None
    for text in (repr(options), repr(options.keys), str(options.keys.ids)):
        assert NEW not in text.lower()
        assert repr(bytes.fromhex(NEW)) not in text
        assert "new/" in text
    with pytest.raises(TypeError):
        pickle.dumps(options.keys)


def test_without_a_key_nothing_is_encrypted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    store = sealed(home, someone("e1", MARKER))

    assert seen(store, ["user"]) == [("e1", 0, MARKER)]
    assert parquets(store)[0].read_bytes().startswith(b"PAR1")


def test_it_says_what_is_to_be_installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[encryption\]'"):
            Settings(folder=home)
    monkeypatch.setattr("pyarrow.parquet.encryption.EncryptionConfiguration", object)
    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[encryption\]'"):
        parquet_bytes(pa.table({"a": [1]}))


def test_a_changed_block_is_taken_for_a_damaged_one(home: Path) -> None:
    keys = Keys.of_environment()
    blocks = [b"".join(encode([someone(f"e{at}", MARKER)], keys=keys)) for at in range(3)]
    changed = bytearray(blocks[1])
    changed[-20] ^= 1
    body = bytes(changed[HEAD.size :])
    magic, _, size = HEAD.unpack_from(changed)
    changed[: HEAD.size] = HEAD.pack(
        magic, zlib.crc32(body), size
    )  # by somebody who knows how blocks are made

    first, rest = decode(memoryview(blocks[0] + changed + blocks[2]))
    assert first is not None
    assert [one.event_id for one in records_of(first)] == ["e0"]
    assert decode(rest) == (None, rest)
    assert MARKER.encode() not in b"".join(blocks)


def test_the_end_that_a_killed_writer_left_is_put_aside(home: Path) -> None:
    recorded(home, someone("e1", MARKER))
    (path,) = complete(home / "segments")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-7])

    told = watchkeep("captures", "seal", "--json").document
    assert (told["records"], told["torn_bytes"]) == (1, len(whole) - 7)
    assert seen(home / "captures", ["user"]) == [("e1", 0, MARKER)]
    assert MARKER.encode() not in on_disk(home)

    # Nobody can look into it, so it goes with the first who is forgotten.
    forgotten = watchkeep("captures", "forget", "churn", "--id", "e1", "--json", "--patience", "0").document
    assert (forgotten["records"], forgotten["torn"], forgotten["left"]) == (1, 1, [])


def test_killed_processes_leave_nothing_readable_and_lose_nothing_whole(home: Path) -> None:
    chance = random.Random(5)
    for _ in range(3):
        killed(home, chance.uniform(0, 0.1))
    found = [
        one
        for path in complete(home / "segments")
        for block in blocks_of(path)[0]
        for one in records_of(block)
    ]
    assert len(found) > 3
    assert b'"age"' not in on_disk(home)
    assert b"AllTraffic" not in on_disk(home)
    assert watchkeep("captures", "seal", "--json").document["records"] == len(found)


def test_all_that_is_done_with_captures_is_done_with_encrypted_ones(home: Path, tmp_path: Path) -> None:
    people = [someone(f"e{at}", f"{MARKER}-{at}", inference=f"order-{at}") for at in range(4)]
    store = sealed(home, *people[:2])
    sealed(home, *people[2:])
    labels = tmp_path / "labels.csv"
    labels.write_text("order,churned\n" + "".join(f"order-{at},{MARKER}\n" for at in range(4)))
    options = ("--id", "order", "--label", "churned")
    assert watchkeep("labels", "churn", str(labels), *options, "--json").document["labels"] == 4

    assert seen(store, ["user"]) == [(f"e{at}", 0, f"{MARKER}-{at}") for at in range(4)]
    assert len(parquets(home)) == 3
    assert all(path.read_bytes().startswith(b"PARE") for path in parquets(home))
    assert MARKER.encode() not in on_disk(home)

    assert watchkeep("captures", "compact", "--older", "0", "--json").document["after"] == 1
    assert len(seen(store)) == 4
    told = watchkeep("captures", "forget", "churn", "--id", "order-2", "--patience", "0", "--json").document
    assert (told["records"], told["labels"], told["left"]) == (1, 1, [])
    assert [row[0] for row in seen(store)] == ["e0", "e1", "e3"]
    assert MARKER.encode() not in on_disk(home)

    assert watchkeep("captures", "export", "churn", "--out", str(tmp_path / "plain")).code == 0
    lines = b"".join(path.read_bytes() for path in (tmp_path / "plain").rglob("*.jsonl"))
    assert lines.count(MARKER.encode()) == 3
    other = str(tmp_path / "other")
    assert watchkeep("captures", "import", str(tmp_path / "plain"), "--home", other).code == 0
    assert [row[1:] for row in seen(Path(other, "captures"), ["user"])] == [
        (0, f"{MARKER}-{at}") for at in (0, 1, 3)
    ]
    assert MARKER.encode() not in on_disk(Path(other))


def test_monitors_see_the_same(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [someone(f"e{at}", f"user {at % 7}", hour=at % 3) for at in range(60)]
    sealed(home, *people)
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "plain"))
    monkeypatch.delenv(KEY)
    sealed(tmp_path / "plain", *people)

    read = []
    for where in (tmp_path / "plain", home):
        monkeypatch.setenv("WATCHKEEP_HOME", str(where))
        monkeypatch.setenv(KEY, NEW)
        folder = where / "baseline"
        assert watchkeep("baseline", "data-quality", "captures:churn", "--out", str(folder)).code == 0
        read.append(json.loads((folder / "statistics.json").read_text())["features"])
    assert read[0] == read[1]


def test_keys_are_changed_one_after_the_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    store = sealed(home, someone("e1", MARKER, hour=1))
    monkeypatch.setenv(KEY, f"old:{OLD}")
    sealed(home, someone("e2", MARKER, hour=2))
    recorded(home, someone("e3", MARKER, hour=3))
    monkeypatch.setenv(KEY, f"{NEW},{OLD}")  # it has another name now, and is the same
    sealed(home, someone("e4", MARKER, hour=4))

    assert [row[0] for row in seen(store)] == ["e1", "e2", "e3", "e4"]
    monkeypatch.setenv(KEY, NEW)
    hidden = [path for path in parquets(store) if not _opens(path)]
    assert len(hidden) == 1  # what was in a segment has the key that there was when it was sealed


def _opens(path: Path) -> bool:
    try:
        return bool(list(open_source(str(path)).batches(Ask(columns=None))))
    except UnreadableSourceError:
        return False


@pytest.mark.parametrize(
    ("other", "said"),
    [(None, f"{KEY} is not set"), (OLD, f"{KEY} holds '"), (f"new:{OLD}", f"{KEY} holds 'new/")],
)
def test_without_its_key_nothing_is_read_and_nothing_is_lost(
    other: str | None, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sealed(home, someone("e1", MARKER))
    recorded(home, someone("e2", MARKER))
    (waiting,) = complete(home / "segments")
    if other is None:
        monkeypatch.delenv(KEY)
    else:
        monkeypatch.setenv(KEY, other)
    recorded(home, someone("e3", MARKER, hour=5))

    told = watchkeep("captures", "seal")
    assert told.code == 2
    assert f"{waiting}: it is encrypted with key 'new/" in told.err
    assert said in told.err
    assert complete(home / "segments") == [waiting]  # that of e3 is sealed
    read = watchkeep("baseline", "data-quality", "captures:churn", "--out", str(home / "baseline"))
    assert read.code == 2
    assert "parquet: it is encrypted with key 'new/" in read.err
    assert said in read.err
    assert NEW not in told.err + read.err
    assert watchkeep("captures", "forget", "churn", "--id", "e1", "--patience", "0").code == 2

    monkeypatch.setenv(KEY, f"{NEW},{OLD}")
    assert watchkeep("captures", "seal").code == 0
    assert [row[0] for row in seen(store)] == ["e1", "e2", "e3"]


def test_a_changed_file_is_not_read(home: Path) -> None:
    (path,) = parquets(sealed(home, *(someone(f"e{at}", MARKER) for at in range(20))))
    content = path.read_bytes()
    key = content.index(b"wrappedDEK") + 20
    for at in (100, key, content.index(b"new/"), content.index(b"new/") + 8, len(content) - 60):
        changed = bytearray(content)
        changed[at] ^= 4
        path.write_bytes(changed)
        with (
            pytest.raises(UnreadableSourceError, match="it is encrypted"),
            opened_file(File.local(path)) as one,
        ):
            one.read()


def test_what_is_old_goes_though_its_key_is_gone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = sealed(home, someone("e1", MARKER))
    monkeypatch.setenv(KEY, OLD)

    told = watchkeep("captures", "expire", "--older", "1", "--json")
    assert told.code == 0, told.err
    assert not files(store)["records"]


def test_what_an_import_puts_aside_is_encrypted(home: Path) -> None:
    table = pa.table({TIME: pa.array([HOUR, HOUR + 3_600_000_000], pa.int64()), "user": [MARKER, "b"]})
    with ByHour(memory=1) as by_hour:
        by_hour.add(table)
        assert by_hour._folder is not None
        kept = on_disk(Path(by_hour._folder.name))
        assert pa.concat_tables([own for _, own in by_hour.tables()]) == table
    assert kept
    assert MARKER.encode() not in kept


def test_the_page_reads_it_without_us(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / ".watchkeep"))
    monkeypatch.setenv(KEY, f"{NEW},old:{OLD}")
    rows = [{"city": city, "age": age} for city, age in (("Lima", 20), ("Lima", 40), ("Oslo", 50))]
    sealed(tmp_path / ".watchkeep", record("e1", rows), record("e2", rows, hour=1))
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[3] / "docs" / "capture-privacy.md").read_text(encoding="utf-8")
    (code,) = [one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "KmsClient" in one]

    told: dict[str, Any] = {}
    exec(compile(code, "capture-privacy.md", "exec"), told)
    assert told["rows"] == [("Lima", 30.0), ("Oslo", 50.0)]
    assert told["frame"].shape == (6, 2)


def test_an_unknown_id_is_told_as_it_is() -> None:
    envelope = Keys.of(f"new:{NEW}").sealed(b"x")

    assert key_id_in(envelope).startswith("new/")
    assert os.fsencode(key_id_in(envelope)) in envelope
    with pytest.raises(StoreError, match="newer than this Watchkeep"):
        decode(memoryview(b"WKE2" + bytes(40)))
