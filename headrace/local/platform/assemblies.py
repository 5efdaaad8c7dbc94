"""Synthesized apps, kept until something that synthesis reads has changed: it is a pure function of that."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headrace.checkout import CHECKOUT
from headrace.local.platform.deployment import start_synthesis

# What synthesis reads of the checkout; the packages and the CDK command line are those that two of these pin.
SOURCES: Final = (
    "app.py",
    "cdk.json",
    "cdk.context.json",
    "package-lock.json",
    "requirements.txt",
    "containers",
    "headrace",
    "lambdas",
    "stacks",
)
_USERS_CONTEXT: Final = Path.home() / ".cdk.json"
_SCRATCH_PREFIX: Final = ".new-"
_KEPT_SECONDS: Final = 24 * 3600


def digest_sources() -> str:
    """A digest of every file of the checkout that synthesis may read."""
    digest = hashlib.sha256()
    for path in sorted(file for source in SOURCES for file in [CHECKOUT / source, *(CHECKOUT / source).rglob("*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(CHECKOUT)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


@contextmanager
def synthesizing(environment: str, kept_in: Path, *context: str) -> Iterator[Callable[[], Path]]:
    """The app of an environment, synthesized while the block runs unless it has been before.

    Args:
        environment: Which of cdk.json.
        kept_in: Where synthesized apps are kept, also by other commands at the same time.
        context: What else to tell the app, as NAME=VALUE.

    Yields:
        What waits until it is synthesized, and returns its folder.
    """
    folder = kept_in / _compute_key(environment, *context)
    _remove_unused(kept_in)
    if folder.exists():
        os.utime(folder)
        yield lambda: folder
        return
    with (
        tempfile.TemporaryDirectory(dir=kept_in, prefix=_SCRATCH_PREFIX) as scratch,
        start_synthesis(environment, Path(scratch) / "assembly", *context) as synthesis,
    ):

        def finish() -> Path:
            synthesis.finish()
            # Another command may have made the same meanwhile.
            if not folder.exists():
                (Path(scratch) / "assembly").rename(folder)
            return folder

        yield finish


def _compute_key(environment: str, *context: str) -> str:
    users = _USERS_CONTEXT.read_text() if _USERS_CONTEXT.exists() else ""
    facts = json.dumps([environment, *context, sys.version, users, digest_sources()])
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _remove_unused(folder: Path) -> None:
    for kept in folder.iterdir():
        if time.time() - kept.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(kept, ignore_errors=True)
