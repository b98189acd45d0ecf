"""Speed and size beside moto_server, in one run with one driver, as ratios.

    python bench/run.py [--only workflows,functions,objects,start] [--write docs/benchmarks.md]

Nothing is asserted: figures belong to the machine that they were measured on.
"""

import argparse
import asyncio
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import functions, objects, workflows
from bench.servers import Cumulet, Moto, Server

SERVERS: tuple[type[Server], ...] = (Cumulet, Moto)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: ours, moto's where it has one, what is wanted, and whether that is reached."""

    figure: str
    unit: str
    ours: float
    moto: float | None
    wanted: str
    good: bool

    @property
    def ratio(self) -> str:
        return f"{self.ours / self.moto:.2f}" if self.moto else "-"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default="start,workflows,functions,objects")
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    lines: list[Line] = []
    for name in given.only.split(","):
        for line in GROUPS[name]():
            lines.append(line)
            print(row(line), flush=True)
    if given.write:
        given.write.write_text(page(lines))


def starts() -> list[Line]:
    """Start to first answer, and memory after it: medians of 7, the servers by turns."""
    times: dict[str, list[float]] = {"cumulet": [], "moto": []}
    sizes: dict[str, list[float]] = {"cumulet": [], "moto": []}
    for _ in range(7):
        for kind in SERVERS:
            with kind() as server:
                times[server.name].append(server.started)
                sizes[server.name].append(server.memory())
    start = {name: statistics.median(found) for name, found in times.items()}
    size = {name: statistics.median(found) for name, found in sizes.items()}
    return [
        Line("start to first answer", "s", start["cumulet"], start["moto"], "<= 0.45 s", start["cumulet"] <= 0.45),
        Line("memory after the first call", "MB", size["cumulet"], size["moto"], "<= 90 MB", size["cumulet"] <= 90),
    ]


def workflow_lines() -> list[Line]:
    found: dict[str, dict[str, float]] = {}
    for kind in SERVERS:
        with kind() as server:
            found[server.name] = {
                "latency": asyncio.run(workflows.latency(server.port)) * 1000,
                "throughput": asyncio.run(workflows.throughput(server.port)),
                "transitions": asyncio.run(workflows.transitions(server.port)),
                "map": asyncio.run(workflows.map_items(server.port)),
            }
    ours, moto = found["cumulet"], found["moto"]
    table = (
        ("latency", "one Pass, StartExecution to SUCCEEDED, p50", "ms", "<= 1/4 of moto", lambda r: r <= 0.25),
        ("throughput", "executions a second, 8 clients, durable", "1/s", ">= 8 x moto", lambda r: r >= 8),
        ("transitions", "1,000 turns of Pass and Choice: transitions", "1/s", ">= 10 x moto", lambda r: r >= 10),
        ("map", "inline Map of 1,000 Pass: items", "1/s", ">= 10 x moto", lambda r: r >= 10),
    )
    return [
        Line(figure, unit, ours[key], moto[key], wanted, bool(good(ours[key] / moto[key])))
        for key, figure, unit, wanted, good in table
    ]


def function_lines() -> list[Line]:
    with Cumulet() as server:
        p50 = asyncio.run(functions.warm(server.port)) * 1000
    return [Line("warm Python function through HTTP, p50", "ms", p50, None, "<= 3 ms", p50 <= 3)]


def object_lines() -> list[Line]:
    found: dict[str, objects.Figures] = {}
    with tempfile.TemporaryDirectory(prefix="cumulet-bench-") as folder:
        for kind in SERVERS:
            with kind() as server:
                found[server.name] = objects.measure(server, Path(folder))
    ours, moto = found["cumulet"], found["moto"]
    pairs = (
        ("aws s3 cp of 1 GiB in", "s", ours.big_in, moto.big_in),
        ("aws s3 cp of 1 GiB out", "s", ours.big_out, moto.big_out),
        ("aws s3 cp of 1,000 objects of 4 KiB in, median of 5", "s", ours.small_in, moto.small_in),
        ("memory at the most meanwhile", "MB", ours.peak, moto.peak),
    )
    return [Line(figure, unit, a, b, "less than moto", a < b) for figure, unit, a, b in pairs]


GROUPS: dict[str, Callable[[], list[Line]]] = {
    "start": starts, "workflows": workflow_lines, "functions": function_lines, "objects": object_lines,
}  # fmt: skip


def row(line: Line) -> str:
    moto = f"{line.moto:.2f}" if line.moto is not None else "-"
    verdict = "yes" if line.good else "NO"
    return f"| {line.figure} ({line.unit}) | {line.ours:.2f} | {moto} | {line.ratio} | {line.wanted} | {verdict} |"


def page(lines: list[Line]) -> str:
    head = "| figure | cumulet | moto_server | ratio | to reach | reached |\n|---|---|---|---|---|---|\n"
    return (
        "# Benchmarks\n\nMade by `make bench` (bench/run.py): both servers on one machine in one run, one driver.\n"
        f"Python {platform.python_version()}, {platform.machine()}, 2 cores shared by server and driver. The ratios\n"
        "are what counts. Cumulet's executions and objects are durable (fsync), moto's live in memory.\n\n"
        + head
        + "\n".join(map(row, lines))
        + "\n"
    )


if __name__ == "__main__":
    main()
