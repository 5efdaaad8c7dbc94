"""Starts a container program with folders that it cannot write to; run as a script, with nothing but Python.

    launcher.py mount SOURCE TARGET [SOURCE TARGET ...] -- PROGRAM [ARGUMENT ...]
    launcher.py obey-permissions -- PROGRAM [ARGUMENT ...]

`mount` shows each SOURCE read-only at TARGET, to the program alone. `obey-permissions` makes permission bits bind root.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

# From <sched.h>, <sys/mount.h>, <sys/prctl.h> and <linux/capability.h>.
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1


def main(arguments: list[str]) -> None:
    """Does what the arguments say and becomes the program."""
    end = arguments.index("--")
    method, *paths = arguments[:end]
    try:
        if method == "mount":
            enter_mount_namespace()
            for source, target in zip(paths[::2], paths[1::2], strict=True):
                mount_read_only(source, target)
        elif os.geteuid() == 0:
            call("prctl", PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
        # Python ignores these, and the program would inherit that.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(arguments[end + 1], arguments[end + 1 :])  # noqa: S606
    except OSError as error:
        sys.exit(f"the container's program {arguments[end + 1]} could not be started: {error}")


def enter_mount_namespace() -> None:
    """Leaves the mounts of the machine to this process alone; an ordinary user needs a user namespace for that."""
    user, group = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if user else 0))
    if user:
        own = Path("/proc/self")
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{user} {user} 1")
        (own / "gid_map").write_text(f"{group} {group} 1")
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def mount_read_only(source: str, target: str) -> None:
    """Shows a folder at another, or at its own place, without the right to write."""
    call("mount", source.encode(), target.encode(), None, MS_BIND, None)
    # A user namespace may not lift these restrictions of the file system below.
    kept = os.statvfs(target).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC)
    call("mount", None, target.encode(), None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, None)


def call(function: str, *arguments: object) -> None:
    """Calls a function of the C library; raises OSError when it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
