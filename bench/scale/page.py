"""bench/SCALE.md, drawn from what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MB = 1024 * 1024


def page(told: Mapping[str, Any]) -> str:
    """The page."""
    lines = [
        "# How cost grows",
        "",
        "Written by `make bench-scale`; CPU is user + system seconds of whole processes, least of the rounds, start-up",
        f"apart. Measured {told.get('date', '')} on {_machine(told.get('machine', {}))}.",
        "",
    ]
    for name, draw in (("local", _local), ("spark", _spark), ("curves", _curves), ("capacity", _capacity)):
        if name in told:
            lines += [*draw(told[name]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _machine(machine: Mapping[str, Any]) -> str:
    memory = machine.get("memory", 0) / 2**30
    return f"{machine.get('cores')} cores of {machine.get('processor')}, {memory:.0f} GB, {machine.get('python')}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def _local(told: Mapping[str, Any]) -> Iterator[str]:
    one, two = told["threads 1"], told["threads 2"]
    yield "## One machine: `watchkeep check`, 40 columns"
    yield ""
    yield f"Start-up (a check of 10 rows): {told['start']:.2f} CPU s."
    yield ""
    rows = []
    for (size, cpu, wall, peak), (_, cpu2, wall2, peak2) in zip(one, two, strict=True):
        rows.append(
            [
                f"{size:g}M",
                f"{cpu:.2f}",
                f"{cpu / size:.3f}",
                f"{cpu / size / (one[0][1] / one[0][0]):.2f}x",
                f"{wall:.2f}",
                f"{peak / MB:.0f}",
                f"{cpu2:.2f}",
                f"{wall2:.2f}",
                f"{wall / wall2:.2f}x",
                f"{peak2 / MB:.0f}",
            ]
        )
    yield from table(
        [
            "rows",
            "CPU s",
            "per million",
            "beside the first",
            "wall s",
            "peak MB",
            "CPU s, 2 processes",
            "wall s",
            "speed-up",
            "peak MB of one",
        ],
        rows,
    )
    yield ""
    yield (
        "All files come from the disk: before each check the kernel's cache is made to forget them. What the kernel"
        " needs to read them is among the CPU seconds."
    )


def _spark(told: Mapping[str, Any]) -> Iterator[str]:
    plain = told["aggregate"]
    yield f"## A Spark cluster of two workers with one core each, {told['rows']:,} rows x 40 columns"
    yield ""
    yield "CPU of the executors, their Pythons, the driver and its JVM; each way was warm before."
    yield ""
    rows = [
        [name, f"{one['cpu']:.1f}", f"{one['wall']:.1f}", f"{plain['cpu'] / one['cpu']:.2f}x less"]
        for name, one in told.items()
        if isinstance(one, dict)
    ]
    yield from table(["what", "CPU s", "wall s", "beside the aggregate"], rows)
    yield ""
    yield (
        "`aggregate` is Spark's own count, min, max, avg and stddev of the columns (of texts and times without the last"
        " two); `fold of files` hands out parts of files, `fold of rows` goes through `mapInArrow`."
    )


def _curves(told: Mapping[str, Any]) -> Iterator[str]:
    yield "## Curves"
    for name, unit in (("rows", "million rows"), ("columns", "columns of a million rows")):
        one = told[name]
        yield ""
        yield f"By {name}: exponent **{one['exponent']:.3f}** (1 is linear)."
        yield ""
        yield from table(
            [unit, "CPU s", "peak MB"],
            [[f"{size:g}", f"{cpu:.2f}", f"{peak / MB:.0f}"] for size, cpu, _, peak in one["points"]],
        )
    yield ""
    yield from table(
        ["monitor", "CPU s per million rows"],
        [[one["kind"], f"{one['cpu_per_million']:.3f}"] for one in told["monitors"]],
    )


def _capacity(told: Mapping[str, Any]) -> Iterator[str]:
    constants, needs = told["constants"], told["demand"]
    yield "## A million requests a second, simulated"
    yield ""
    yield (
        "100,000 endpoints, each with one hourly window; traffic by rank to the power of -1.1; data quality, model"
        " quality and bias of each. What work takes was measured above:"
    )
    yield ""
    yield from table(
        ["constant", "value"],
        [
            ["a row, three monitors", f"{constants['row'] * 1e6:.2f} µs"],
            ["starting a task (assumed)", f"{constants['task'] * 1e3:.0f} ms"],
            ["merging what a part gave", f"{constants['merge'] * 1e3:.2f} ms"],
            ["judging a window", f"{constants['judge'] * 1e3:.0f} ms"],
            ["bytes of a row", f"{constants['bytes_per_row']:.0f}"],
            ["bytes of a window's states", f"{constants['state_bytes'] / 1024:.0f} kB"],
        ],
    )
    yield ""
    yield (
        f"An hour is {needs['rows'] / 1e9:.1f} billion rows, {needs['bytes'] / 2**30:,.0f} GB in"
        f" {needs['parts']:,.0f} parts. Core-seconds: folding {needs['fold']:,.0f}, tasks {needs['tasks']:,.0f},"
        f" merging {needs['merge']:,.0f}, judging {needs['judge']:,.0f}: {_cores(needs):.1f} cores that never rest."
        f" States of the hour: {needs['states'] / 2**30:,.1f} GB."
    )
    yield ""
    yield from table(
        ["cores", "busy", "half judged after", "99 % after", "all after"],
        [
            [str(cores), f"{busy / cores / 3600:.0%}", _minutes(half), _minutes(most), _minutes(last)]
            for cores, busy, half, most, last, _ in told["hours"]
        ],
    )


def _cores(needs: Mapping[str, float]) -> float:
    return sum(needs[name] for name in ("fold", "tasks", "merge", "judge")) / 3600


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"
