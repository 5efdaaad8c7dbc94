"""Folders that a container program sees but cannot write to, under any user.

Where the system lets a process have its own mounts, the folder itself is shown read-only, as on AWS: writing fails
with EROFS. Elsewhere (in most containers, on macOS) the program gets a copy without write permission: writing fails
with EACCES, and what others write meanwhile is not seen. Neither stops a program that means to break out.
"""

import functools
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from headrace.local.sagemaker.launcher_command import PROBE_SECONDS, launch_with

WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
EXPECT_READ_ONLY = """
import errno, os, sys
try:
    os.mkdir(sys.argv[1])
except OSError as error:
    sys.exit(error.errno != errno.EROFS)
sys.exit(1)
"""


class Protection(StrEnum):
    """How a folder is kept from being written to."""

    MOUNT = "mount"
    PERMISSIONS = "obey-permissions"


@dataclass(frozen=True)
class ReadOnlyFolder:
    """A folder and where the program sees it, which may be the same place."""

    source: Path
    target: Path


def protect_folders(folders: Sequence[ReadOnlyFolder], protection: Protection) -> tuple[str, ...]:
    """Put the folders in place; the launcher's words for a program that cannot write to them."""
    if protection is Protection.PERMISSIONS:
        for folder in folders:
            copy_without_write_permission(folder)
        return (protection.value,) if folders else ()
    words: list[str] = []
    for folder in folders:
        folder.target.mkdir(parents=True, exist_ok=True)
        words += [protection.value, str(folder.source), str(folder.target)]
    return tuple(words)


def copy_without_write_permission(folder: ReadOnlyFolder) -> None:
    """Make the target a copy of the source without write permission."""
    if folder.source != folder.target:
        shutil.copytree(folder.source, folder.target, symlinks=True)
    for parent, _, names in os.walk(folder.target):
        for path in (Path(parent), *(Path(parent, name) for name in names)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~WRITE_BITS)


@functools.cache
def find_protection() -> Protection:
    """The best that this system allows, by trying."""
    with tempfile.TemporaryDirectory() as folder:
        words = protect_folders([ReadOnlyFolder(Path(folder), Path(folder))], Protection.MOUNT)
        probe = [*launch_with(words), sys.executable, "-I", "-S", "-c", EXPECT_READ_ONLY, str(Path(folder, "written"))]
        answer = subprocess.run(probe, capture_output=True, timeout=PROBE_SECONDS, check=False)
    return Protection.MOUNT if answer.returncode == 0 else Protection.PERMISSIONS
