"""The report page in a real browser: headless Chromium, which `make test` installs where it can."""

import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
from tests.scenarios.world import rows

import watchkeep as wk

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if BROWSER is None and os.environ.get("CI") != "true":
    pytest.skip("no Chromium here", allow_module_level=True)

HOSTILE = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a report with violations, a hostile column and an alarm of a watch, acknowledged once."""
    train, today = rows(2000, seed=1), rows(500, seed=2, income=1.5)
    train = train.append_column(HOSTILE, pa.array(["<script>1</script>", "b"] * 1000))
    today = today.append_column(HOSTILE, pa.array(["'\"><script>document.title='owned'</script>"] * 500))
    baseline = wk.DataQuality().baseline(wk.read(train, timestamp="at"))
    watch = wk.Watch(baseline)
    for window in (train.slice(0, 400), train.slice(400, 3), train.slice(500, 400)):
        watch.observe(baseline.check(window))
    watch.acknowledge(by=HOSTILE, note=HOSTILE)
    report = baseline.check(today)
    assert watch.observe(report).alarm
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report.html(), "utf-8")
    return path


def browse(page: Path, *flags: str) -> bytes:
    """What the browser prints of a page."""
    assert BROWSER is not None, "CI must have a browser"
    with_home = page.parent / f"browser-{len(list(page.parent.iterdir()))}"
    quiet = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        " --disable-component-update --disable-sync --hide-scrollbars"
    )
    command = [BROWSER, "--headless", *quiet.split(), f"--user-data-dir={with_home}", *flags, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout


def test_the_page_finds_columns_and_runs_nobody_elses_script(page: Path) -> None:
    seen = browse(page, "--dump-dom").decode()

    assert (
        '<div class="wk-find" id="find" role="search">' in seen
    )  # our script took the attribute `hidden` away
    assert "<title>owned</title>" not in seen
    assert "<img" not in seen


def test_the_page_shows_the_evidence_of_every_window(page: Path) -> None:
    seen = browse(page, "--dump-dom").decode()

    assert "</span> Changed</h1>" in seen
    assert "Evidence of the last 4 windows, on a logarithmic scale" in seen
    assert "It rang in window 4" in seen
    assert "1 window with too little data." in seen
    assert "acknowledged (“&lt;img src=x" in seen


@pytest.mark.parametrize(("width", "scheme"), [(1280, 1), (1280, 0), (390, 1), (390, 0)])
def test_the_page_is_drawn_in_both_themes_wide_and_narrow(page: Path, width: int, scheme: int) -> None:
    shot = page.parent / f"{width}-{scheme}.png"

    browse(
        page,
        f"--screenshot={shot}",
        f"--window-size={width},1600",
        f"--blink-settings=preferredColorScheme={scheme}",
    )

    colours, corner = drawn(shot)
    assert len(colours) > 50  # text, bars and badges, not a blank sheet
    assert (sum(corner) > 3 * 128) is (scheme == 1)


def drawn(shot: Path) -> tuple[set[bytes], bytes]:
    """The colours of a PNG as Chromium writes it (8 bits a channel), and that of its first pixel."""
    data, at, packed = shot.read_bytes(), 8, b""
    width = height = channels = 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
            channels = {2: 3, 6: 4}[colour]
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    lines, stride = zlib.decompress(packed), width * channels
    above = bytearray(stride)
    colours: set[bytes] = set()
    corner = b""
    for row in range(height):
        start = row * (stride + 1)
        above = unfiltered(lines[start], bytearray(lines[start + 1 : start + 1 + stride]), above, channels)
        corner = corner or bytes(above[:3])
        colours |= {bytes(above[x : x + 3]) for x in range(0, stride, 16 * channels)}
    return colours, corner


def unfiltered(method: int, line: bytearray, above: bytearray, step: int) -> bytearray:
    """A line of a PNG without its filter (PNG specification, section 9)."""
    for x in range(len(line)):
        left = line[x - step] if x >= step else 0
        up, corner = above[x], above[x - step] if x >= step else 0
        if method == 4:
            p = left + up - corner
            near = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))
            line[x] = (line[x] + near[2]) & 255
        else:
            line[x] = (line[x] + (0, left, up, (left + up) // 2)[method]) & 255
    return line
