"""Measures ours against its peers side by side: fresh processes, taking turns, medians.

A benchmark is a script with the peers it needs in its inline metadata, a list of cases, and `main(cases)` at its end:

    # /// script
    # requires-python = ">=3.11"
    # dependencies = ["headrace", "sagemaker==2.257.7"]
    # [tool.uv.sources]
    # headrace = { path = "..", editable = true }
    # ///

Every run of every side is its own process, so that one's imports, caches and memory never help or burden the
other; only `run` is timed, after `prepare` and one untimed warm-up where the case asks for it.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MIB = 1024 * 1024
# Linux counts resident memory in KiB, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way of doing the work.

    Args:
        name: What the table calls it.
        prepare: Makes what `run` needs; neither timed nor counted.
        run: The work, given what `prepare` made.
    """

    name: str
    run: Callable[[Any], object]
    prepare: Callable[[], Any] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Case:
    """Work that several sides do.

    Args:
        name: What the table calls it.
        ours: Our side.
        peers: The others; ratios are theirs over ours.
        repeats: How often `run` is called within one timed run, for work of milliseconds.
        warm_up: Whether `run` is called once untimed first.
        runs: How many processes each side gets, unless the command line says otherwise.
    """

    name: str
    ours: Side
    peers: tuple[Side, ...]
    repeats: int = 1
    warm_up: bool = True
    runs: int = 5

    @property
    def sides(self) -> tuple[Side, ...]:
        """All sides, ours first."""
        return (self.ours, *self.peers)


@dataclass(frozen=True)
class Measurement:
    """One timed run: seconds per repeat, and the peak memory of its process."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def main(cases: Sequence[Case]) -> None:
    """Measure the cases the command line chooses and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--case", help="only the case of this name")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, help="processes per side")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    chosen = [case for case in cases if arguments.case in (None, case.name)]
    if not chosen:
        parser.error(f"--case: there is no {arguments.case!r}; there are {', '.join(case.name for case in cases)}")
    if arguments.side:
        sys.stdout.write(json.dumps(_measure_here(chosen[0], arguments.side)) + "\n")
        return
    results = [_compare(case, arguments.runs or case.runs) for case in chosen]
    sys.stdout.write(json.dumps(results, indent=2) if arguments.json else _render(results))
    sys.stdout.write("\n")


def _compare(case: Case, runs: int) -> dict[str, Any]:
    measured: dict[str, list[Measurement]] = {side.name: [] for side in case.sides}
    for number in range(runs):
        for side in case.sides:
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K{case.name}: run {number + 1} of {runs}, {side.name}")
            measured[side.name].append(_measure_apart(case.name, side.name))
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return {
        "case": case.name,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "runs": runs,
        "sides": {name: _summarize(runs_of_side, measured[case.ours.name]) for name, runs_of_side in measured.items()},
    }


def _measure_apart(case: str, side: str) -> Measurement:
    command = [sys.executable, sys.argv[0], "--case", case, "--side", side]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def _measure_here(case: Case, name: str) -> dict[str, float]:
    (side,) = (side for side in case.sides if side.name == name)
    prepared = side.prepare()
    if case.warm_up:
        side.run(prepared)
    cpu_before, wall_before = _cpu_seconds(), time.perf_counter()
    for _ in range(case.repeats):
        side.run(prepared)
    wall, cpu = time.perf_counter() - wall_before, _cpu_seconds() - cpu_before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / _MIB
    return {"wall_seconds": wall / case.repeats, "cpu_seconds": cpu / case.repeats, "peak_mib": peak}


def _cpu_seconds() -> float:
    """User and system time of this process and of the children it has waited for."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _summarize(runs: Sequence[Measurement], ours: Sequence[Measurement]) -> dict[str, float]:
    """Medians, and the median of the ratios turn by turn: a machine that slows down slows both down."""
    return {
        "wall_seconds": statistics.median(run.wall_seconds for run in runs),
        "cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
        "peak_mib": statistics.median(run.peak_mib for run in runs),
        "wall_ratio": statistics.median(a.wall_seconds / b.wall_seconds for a, b in zip(runs, ours, strict=True)),
        "cpu_ratio": statistics.median(
            a.cpu_seconds / max(b.cpu_seconds, 1e-9) for a, b in zip(runs, ours, strict=True)
        ),
    }


def _render(results: Sequence[Mapping[str, Any]]) -> str:
    header = f"{'':40} {'wall':>11} {'CPU':>11} {'peak':>9} {'wall x':>8} {'CPU x':>8}"
    lines = []
    for result in results:
        lines += [f"{result['case']} ({result['machine']}, medians of {result['runs']})", header]
        for name, side in result["sides"].items():
            lines.append(
                f"  {name:38} {_show(side['wall_seconds']):>11} {_show(side['cpu_seconds']):>11} "
                f"{side['peak_mib']:>5.0f} MiB {side['wall_ratio']:>8.2f} {side['cpu_ratio']:>8.2f}"
            )
        lines.append("")
    return "\n".join(lines).rstrip()


def _show(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.2f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.1f} µs"
