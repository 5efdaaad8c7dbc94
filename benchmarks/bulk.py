"""Normalizing in bulk on four instances, one of which is killed in the middle, beside one instance.

    python benchmarks/bulk.py --photographs 100000

It is started in the checkout; `make bench` leaves it out, because 100,000 photographs take many minutes. The program of
the container runs as SageMaker starts it, a process for each instance, over a bucket in this process that counts what
is written and by whom. The second instance is killed with SIGKILL when it has made half of its share; then the job runs
again under another name, as an execution does that is started again.

Four processes on one machine take turns on its processors, so how much sooner four machines end is computed: the CPU
time of the one instance over that of the instance with the most, both its runs together.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bucket import KINDS, NAME, PHOTOGRAPHS, Bucket, digest, make_photograph, serve

from headrace.normalizer.normalize import normalize

PROJECT = Path(__file__).resolve().parents[1]
INSTANCES, VICTIM = 4, 1
GOAL_TIMES, GOAL_DIFFERENCE = 3.0, 0.05
RESULT = "small/"


@dataclass(frozen=True)
class Run:
    """How the process of an instance ended."""

    exit_code: int
    cpu_seconds: float


class Job:
    """The instances of a job, each a process with its own root.

    Args:
        name: The job's.
        instances: How many there are.
        address: The bucket's.
        folder: For their roots.
    """

    def __init__(self, name: str, instances: int, address: str, folder: Path) -> None:
        self.name = name
        self._folder = folder / name
        self._hosts = [f"algo-{number + 1}" for number in range(instances)]
        self._processes = [self._start(host, address, folder / name / host) for host in self._hosts]

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()

    def _start(self, host: str, address: str, root: Path) -> "subprocess.Popen[bytes]":
        config = root / "config"
        config.mkdir(parents=True)
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": self._hosts}))
        (config / "processingjobconfig.json").write_text(json.dumps({"ProcessingJobName": self.name}))
        environment = {
            **os.environ,
            "HEADRACE_ML_ROOT": str(root),
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": f"{self.name}.{host}",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-m", "containers.normalizer", "--source", f"s3://{NAME}/{PHOTOGRAPHS}"]
        with (root / "log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--destination", f"s3://{NAME}/{RESULT}"],
                cwd=PROJECT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, index: int) -> None:
        """End an instance as a lost machine does."""
        self._processes[index].send_signal(signal.SIGKILL)

    def check_running(self, index: int) -> None:
        """End with the log of an instance that has ended by itself."""
        if self._processes[index].poll() is not None:
            sys.exit((self._folder / self._hosts[index] / "log").read_text(errors="replace"))

    def wait(self) -> list[Run]:
        """How each instance ended, in their order."""
        runs = []
        for process in self._processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            runs.append(Run(process.returncode, usage.ru_utime + usage.ru_stime))
        return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=100_000, help="how many there are (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.photographs < INSTANCES * 10:
        parser.error(f"--photographs: give at least {INSTANCES * 10}")
    with tempfile.TemporaryDirectory() as folder:
        four = run_four(arguments.photographs, Path(folder))
        one = run_one(arguments.photographs, Path(folder))
    sys.stdout.write(f"{json.dumps(compare(arguments.photographs, one, four), indent=2)}\n")


def run_one(photographs: int, folder: Path) -> dict[str, Any]:
    bucket = Bucket(photographs, f"{RESULT}normalized/")
    begin = time.perf_counter()
    with Job("one", 1, serve(bucket), folder) as job:
        (run,) = job.wait()
    return {"wall_seconds": time.perf_counter() - begin, **asdict(run), **check(bucket)}


def run_four(photographs: int, folder: Path) -> dict[str, Any]:
    bucket = Bucket(photographs, f"{RESULT}normalized/")
    victim = f"first.algo-{VICTIM + 1}"
    bucket.let(victim, photographs // INSTANCES // 2)
    address = serve(bucket)
    begin = time.perf_counter()
    with Job("first", INSTANCES, address, folder) as first:
        while not bucket.reached.wait(1):
            first.check_running(VICTIM)
        first.kill(VICTIM)
        runs = [first.wait()]
    missing = photographs - len(bucket.written)
    with Job("again", INSTANCES, address, folder) as again:
        runs.append(again.wait())
    wall = time.perf_counter() - begin
    names = [f"algo-{number + 1}" for number in range(INSTANCES)]
    return {
        "wall_seconds": wall,
        "exit_codes": [[run.exit_code for run in turn] for turn in runs],
        "missing_after_the_kill": missing,
        "made": [bucket.writers[f"first.{name}"] + bucket.writers[f"again.{name}"] for name in names],
        "cpu_seconds": [sum(turn[number].cpu_seconds for turn in runs) for number in range(INSTANCES)],
        "summary": json.loads(bucket.documents[f"{RESULT}summary.json"]),
        **check(bucket),
    }


def check(bucket: Bucket) -> dict[str, int]:
    """Photographs with no normalized image, with several, with another than this process makes; and images of none."""
    expected = [digest(normalize(make_photograph(kind))) for kind in range(min(KINDS, len(bucket.paths)))]
    found = {path: bucket.written.get(f"{bucket.result}{path}", []) for path in bucket.paths}
    return {
        "lost": sum(not etags for etags in found.values()),
        "doubled": sum(len(etags) > 1 for etags in found.values()),
        "unknown": len(bucket.written.keys() - {f"{bucket.result}{path}" for path in bucket.paths}),
        "wrong": sum(etags[:1] != [expected[bucket.find_kind(path)]] for path, etags in found.items() if etags),
    }


def compare(photographs: int, one: dict[str, Any], four: dict[str, Any]) -> dict[str, Any]:
    mean = photographs / INSTANCES
    difference = max(abs(made - mean) for made in four["made"]) / mean
    times = one["cpu_seconds"] / max(four["cpu_seconds"])
    is_exact = not any(side[key] for side in (one, four) for key in ("lost", "doubled", "unknown", "wrong"))
    return {
        "photographs": photographs,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "one": one,
        "four": four,
        "largest_difference_of_shares": difference,
        "times_faster_on_paper": times,
        "reached": {"exact": is_exact, "shares": difference <= GOAL_DIFFERENCE, "times": times >= GOAL_TIMES},
    }


if __name__ == "__main__":
    main()
