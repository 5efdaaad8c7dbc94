"""Stops this SageMaker notebook instance after it has not been used for a while; runs on the instance.

Standard library only, and the AWS CLI that notebook instances have. It must run on Python 3.9, the system's own there:
https://docs.aws.amazon.com/linux/al2023/ug/python.html
"""

from __future__ import annotations

import argparse
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

JUPYTER = "https://localhost:8443/api"
METADATA = Path("/opt/ml/metadata/resource-metadata.json")
UPTIME = Path("/proc/uptime")
UTC = timezone.utc  # noqa: UP017 (datetime.UTC came with Python 3.11)


def last_activity(kernels: Iterable[Mapping[str, Any]], terminals: Iterable[Mapping[str, Any]]) -> datetime | None:
    """When somebody was last active; now, if a kernel is busy; None if nothing is open."""
    times = []
    for kernel in kernels:
        if kernel["execution_state"] not in ("idle", "starting"):
            return datetime.now(UTC)
        times.append(_parse(kernel["last_activity"]))
    times.extend(_parse(terminal["last_activity"]) for terminal in terminals)
    return max(times, default=None)


def is_idle(last: datetime | None, booted: datetime, now: datetime, idle: timedelta) -> bool:
    """Whether there has been no activity for that long; right after the start, the start counts as activity."""
    return now - max(last or booted, booted) > idle


def main() -> None:
    """Stop the instance if it is idle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle-minutes", type=int, required=True)
    idle = timedelta(minutes=parser.parse_args().idle_minutes)

    now = datetime.now(UTC)
    seconds_up = float(UPTIME.read_text().split()[0])
    last = last_activity(_ask("kernels"), _ask("terminals"))
    if is_idle(last, now - timedelta(seconds=seconds_up), now, idle):
        _stop(last)


def _stop(last: datetime | None) -> None:
    instance = json.loads(METADATA.read_text())
    name, region = instance["ResourceName"], instance["ResourceArn"].split(":")[3]
    sys.stdout.write(f"idle since {last or 'the start'}: stopping {name}\n")
    # systemd runs this as root, for whom no region is configured.
    command = ["aws", "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name, "--region", region]
    subprocess.run(command, check=True)


def _ask(what: str) -> list[dict[str, Any]]:
    # Jupyter's certificate on the instance is its own.
    context = ssl._create_unverified_context()  # noqa: S323
    with urllib.request.urlopen(f"{JUPYTER}/{what}", context=context, timeout=10) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
    return found


def _parse(time: str) -> datetime:
    return datetime.fromisoformat(time.replace("Z", "+00:00"))


if __name__ == "__main__":
    main()
