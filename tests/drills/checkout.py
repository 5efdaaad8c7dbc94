"""A copy of the checkout to change and run, with the tools and the caches of the original."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT

# What is expensive to make and safe to share, by its path.
SHARED = ("node_modules", ".headrace/environments", ".headrace/lambda-packages")
# What is expensive to make and written to: mypy's knowledge of all that has not been touched.
TYPES = ".mypy_cache"


class Checkout:
    """The tracked files, committed once, so that Git knows what has been changed since.

    Args:
        folder: Where to make it.
        checks_types: Whether mypy is run there.
    """

    def __init__(self, folder: Path, *, checks_types: bool = False) -> None:
        self.folder = folder
        tracked = _git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        for name in filter(None, tracked):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name)
        self._copy_bytecode()
        for name in SHARED:
            (PROJECT / name).mkdir(parents=True, exist_ok=True)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(PROJECT / name)
        if checks_types:
            self._copy_types()
        _git(folder, "init", "--quiet")
        self.commit()

    def _copy_bytecode(self) -> None:
        """Copy what is compiled already: compiling everything again takes longer than most drills."""
        for package in {path.parent for path in self.folder.rglob("*.py")}:
            compiled = package / "__pycache__"
            compiled.mkdir()
            for path in (PROJECT / compiled.relative_to(self.folder)).glob("*.pyc"):
                shutil.copy2(path, compiled)

    def _copy_types(self) -> None:
        """Copy what mypy knows, by SQLite's own means: `make test` runs mypy beside the tests, and it writes there."""
        for path in (PROJECT / TYPES).rglob("*.db"):
            copy = self.folder / path.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as known, closing(sqlite3.connect(copy)) as copied:
                known.backup(copied)

    def commit(self) -> None:
        """Keep all as it is, so that what is touched from now on is counted anew."""
        _git(self.folder, "add", "--all")
        drill = ("-c", "user.name=drill", "-c", "user.email=drill@localhost", "-c", "gc.auto=0")
        _git(self.folder, *drill, "commit", "--quiet", "-m", "Before")

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def insert_after(self, name: str, anchor: str, text: str) -> None:
        """Put text behind the one place where an anchor is."""
        content = (self.folder / name).read_text(encoding="utf-8")
        assert content.count(anchor) == 1, f"{name} has {anchor!r} {content.count(anchor)} times"
        self.write(name, content.replace(anchor, anchor + text))

    def configure_dev(self, sections: Mapping[str, Any]) -> None:
        """Set sections of the settings of `dev`."""
        cdk = json.loads((self.folder / "cdk.json").read_text(encoding="utf-8"))
        cdk["context"]["environments"]["dev"] |= sections
        self.write("cdk.json", json.dumps(cdk, indent=2))

    def list_touched(self) -> set[str]:
        """The files that are new or changed."""
        _git(self.folder, "add", "--all", "--intent-to-add")
        return set(_git(self.folder, "diff", "--name-only").split())

    def count_added_lines(self, name: str) -> int:
        """How many lines a file has got."""
        return int(_git(self.folder, "diff", "--numstat", "--", name).split()[0])

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of this Python's environment there."""
        scripts = Path(sys.executable).parent
        found = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "PATH": os.pathsep.join([str(scripts), str(self.folder / "node_modules" / ".bin"), os.environ["PATH"]]),
            **environment,
        }
        return subprocess.run(command, cwd=self.folder, env=found, capture_output=True, text=True, check=False)


def _git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return answer.stdout
