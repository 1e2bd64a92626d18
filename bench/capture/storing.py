"""How fast records are written, sealed, and acknowledged."""

import json
import random
import tempfile
import threading
import time
from pathlib import Path

from watchkeep.adapters.captures.sealing import Sealer
from watchkeep.adapters.state_files import open_shelf
from watchkeep.capture.record import Inference
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import Segment

KINDS = ("objects", "instances", "csv")


def body(kind: str, chance: random.Random, fields: int = 20) -> tuple[str, bytes, bytes]:
    """A content type, a body of one row, and an answer."""
    values = [round(chance.random(), 4) for _ in range(fields)]
    if kind == "csv":
        return "text/csv", ",".join(map(str, values)).encode(), b"%.4f" % chance.random()
    if kind == "instances":
        text = json.dumps({"instances": [values]})
    else:
        texts = {f"f{at}": chance.choice(["a", "b", "c"]) for at in range(fields - 5, fields)}
        text = json.dumps({f"f{at}": value for at, value in enumerate(values[:-5])} | texts)
    answer = {"predictions": [round(chance.random(), 4)]}
    return "application/json", text.encode(), json.dumps(answer).encode()


def records_of(kind: str, count: int) -> list[Inference]:
    """So many records of one hour."""
    chance, start = random.Random(7), 1_700_000_400_000_000
    found = []
    for number in range(count):
        content_type, given, said = body(kind, chance)
        event_id = f"00000000-0000-4000-8000-{number:012x}"
        common = ("bench", "A", event_id, "", start + number * 1000, 250, 3, 200, 1.0, "", "")
        found.append(Inference(*common, content_type, content_type, given, said))
    return found


def sealed(kind: str, count: int = 200_000) -> dict[str, float]:
    """Records a second of processor time: written to a segment, and sealed to Parquet with fsync."""
    records = records_of(kind, count)
    with tempfile.TemporaryDirectory() as scratch:
        segments = Path(scratch) / "segments"
        segment = Segment.new(segments)
        start = time.process_time()
        for at in range(0, count, 500):
            segment.append(records[at : at + 500], given=False)
        written = count / (time.process_time() - start)
        segment.close()
        bytes_ = sum(path.stat().st_size for path in segments.iterdir())
        sealer = Sealer(segments, open_shelf(Path(scratch) / "store"))
        start, wall = time.process_time(), time.perf_counter()
        sealer.seal()
        rate, wall_rate = count / (time.process_time() - start), count / (time.perf_counter() - wall)
        stored = sum(path.stat().st_size for path in (Path(scratch) / "store").rglob("*.parquet"))
    return {
        "written": written,
        "sealed": rate,
        "sealed_wall": wall_rate,
        "segment_bytes": bytes_ / count,
        "stored_bytes": stored / count,
    }


def acknowledged(threads: int = 64, seconds: float = 5) -> float:
    """Records a second that are on the disk before whoever recorded them goes on."""
    (one,) = records_of("objects", 1)
    with tempfile.TemporaryDirectory() as scratch:
        recorder = Recorder(Settings(folder=Path(scratch)))
        end = time.monotonic() + seconds
        counts = [0] * threads

        def run(number: int) -> None:
            done = threading.Event()
            while time.monotonic() < end:
                done.clear()
                recorder.record(one._replace(event_id=""), lambda _: done.set())
                done.wait()
                counts[number] += 1

        several = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
        for thread in several:
            thread.start()
        for thread in several:
            thread.join()
        recorder.close()
    return sum(counts) / seconds
