"""A Graviton function on this machine: qemu, Debian's CPython for arm64, AWS's own runtime client and its emulator."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from headrace.loopback import find_free_port
from tests.interpreters import find_python
from tests.patience import PATIENCE_SECONDS

QEMU = "qemu-aarch64-static"
BOOTSTRAP = "mmdebstrap"
DEBIAN_PACKAGES = {QEMU: "qemu-user-static", BOOTSTRAP: "mmdebstrap"}
# Debian's release with the CPython of the function's runtime.
RELEASE = "trixie"
ARM64_PACKAGES = "python3.13,libstdc++6,libgcc-s1"
RUNTIME_CLIENT = "awslambdaric==4.2.2"
# The only package index's file with AWS's emulator in it.
EMULATOR = "aws-sam-cli==1.170.0"
EMULATOR_PATH = "samcli/local/rapid/aws-lambda-rie-x86_64"
GRAVITON = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13", "--only-binary", ":all:")


def list_missing_tools() -> list[str]:
    """What this machine lacks, after installing what can be installed."""
    missing = _find_missing()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
        subprocess.run(
            command, capture_output=True, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        )
        missing = _find_missing()
    return missing


def make_root(folder: Path) -> Path:
    """CPython for arm64 and the libraries it needs, unpacked but not installed."""
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirror = subprocess.run(targets, capture_output=True, text=True, check=True).stdout.split()[0]
    root = folder / "root"
    command = [BOOTSTRAP, "--quiet", "--variant=extract", "--architectures=arm64", f"--include={ARM64_PACKAGES}"]
    subprocess.run([*command, RELEASE, str(root), mirror], capture_output=True, check=True)
    # Unpacking alone leaves out the link that installing makes.
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")
    return root


def install(folder: Path, package: str, *options: str) -> Path:
    """The package in its own folder."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", *options, "--target", str(folder), package]
    subprocess.run(command, check=True)
    return folder


def compile_bytecode(*folders: Path) -> None:
    """Compile here, if there is such a Python, what takes most of a minute in emulation."""
    with suppress(pytest.skip.Exception):
        command = [str(find_python("3.13")), "-m", "compileall", "-q", "-x", "/(idlelib|ensurepip)/"]
        subprocess.run([*command, *map(str, folders)], check=False)


@contextmanager
def start_function(folder: Path, bundle: Path, handler: str) -> Iterator[str]:
    """Where a function with this bundle and handler can be invoked, one invocation at a time."""
    root = make_root(folder)
    client = install(folder / "client", RUNTIME_CLIENT, *GRAVITON)
    emulator = install(folder / "emulator", EMULATOR, "--no-deps") / EMULATOR_PATH
    emulator.chmod(0o755)
    compile_bytecode(root / "usr" / "lib" / "python3.13", bundle, client)
    start = folder / "bootstrap"
    python = root / "usr" / "bin" / "python3.13"
    start.write_text(f"#!/bin/sh\nexec {QEMU} -L {root} {python} -S -m awslambdaric {handler}\n")
    start.chmod(0o755)
    port, api_port = find_free_port(), find_free_port()
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
    environment = os.environ | {
        "PYTHONPATH": f"{bundle}:{client}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(bundle),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(emulator), *addresses, str(start), handler],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        # The emulator leaves its child behind; both are in their own group.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def invoke(url: str, event: dict[str, Any]) -> dict[str, Any]:
    """What the function answers; errors have the status of success, too."""
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=100) as answer:  # noqa: S310
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _find_missing() -> list[str]:
    return [package for tool, package in DEBIAN_PACKAGES.items() if not shutil.which(tool)]


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
