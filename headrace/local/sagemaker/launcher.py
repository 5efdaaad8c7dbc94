"""Starts a container program where and as it is to run; run as a script, with nothing but Python.

    launcher.py [guard] [mount SOURCE TARGET]... [place FOLDER] [obey-permissions] -- PROGRAM [ARGUMENT ...]

`guard` stays beside the program and ends with it whatever it started, daemons included, and all of it at once when its
own standard input ends. `mount` shows SOURCE read-only at TARGET, `place` shows FOLDER as /opt/ml, both to the program
alone. `obey-permissions` makes permission bits bind root.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

# From <sched.h>, <sys/mount.h>, <sys/prctl.h> and <linux/capability.h>.
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 24, 36
CAP_DAC_OVERRIDE = 1

CONTAINER_ROOT = Path("/opt/ml")
# What reaches a whole group is for the program to heed, not for its guard.
GROUP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
ENDING_SECONDS = 5.0
ENDING_INTERVAL_SECONDS = 0.002
NOT_EXECUTABLE, NOT_FOUND = 126, 127


def main(arguments: list[str]) -> None:
    """Does what the arguments say and becomes the program, or its guard."""
    end = arguments.index("--")
    words, program = arguments[:end], arguments[end + 1 :]
    if words[:1] == ["guard"]:
        guard(words[1:], program)
    become(words, program)


def become(words: list[str], program: list[str], *, is_guarded: bool = False) -> NoReturn:
    """Prepares what the words say and becomes the program."""
    try:
        prepare(words)
    except OSError as error:
        sys.exit(f"the container's program {program[0]} could not be started: {error.strerror}")
    # Python ignores these, and the program would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if is_guarded and sys.platform == "linux":
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"the container's program {program[0]} could not be started: {error.strerror}\n")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def prepare(words: list[str]) -> None:
    """Mounts what is to be mounted and drops the rights that are to be dropped."""
    if "mount" in words or "place" in words:
        enter_mount_namespace()
    rest = iter(words)
    for word in rest:
        if word == "mount":
            mount_read_only(next(rest), next(rest))
        elif word == "place":
            place(next(rest))
        elif os.geteuid() == 0:
            call("prctl", PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def guard(words: list[str], program: list[str]) -> NoReturn:
    """Runs the program as a child and ends as it ended, when nothing that it started is left."""
    if sys.platform == "linux":
        call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Where the local cloud was started with this ignored, no child could be waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
        become(words, program, is_guarded=True)
    for number in GROUP_SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    has_ended = threading.Event()
    threading.Thread(target=end_when_abandoned, args=(child, has_ended), daemon=True).start()
    status = await_child(child)
    has_ended.set()
    end_children()
    end_like(status)


def end_when_abandoned(child: int, has_ended: threading.Event) -> None:
    """Kills the program when the other end of standard input is closed, or its holder is gone."""
    while os.read(0, 1):
        pass
    if not has_ended.is_set():
        os.kill(child, signal.SIGKILL)


def await_child(child: int) -> int:
    """A child's status when it has ended; those that were adopted meanwhile are buried."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return status


def end_children() -> None:
    """Kills every child, and the orphans that each of them leaves, until there is none."""
    deadline = time.monotonic() + ENDING_SECONDS
    # Of a program that forks faster than it can be killed, the rest is left after a while.
    while time.monotonic() < deadline:
        for pid in list_children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(ENDING_INTERVAL_SECONDS)


def list_children() -> Iterator[int]:
    """The processes whose parent is this one, adopted ones included; none on systems without /proc."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                yield int(entry.name)


def end_like(status: int) -> NoReturn:
    """Ends with the exit code, or by the signal, of a child."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


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


def place(folder: str) -> None:
    """Shows a folder as /opt/ml; the machine's own /opt stays as it is."""
    if not CONTAINER_ROOT.is_dir():
        cover_parent()
        CONTAINER_ROOT.mkdir()
    call("mount", folder.encode(), str(CONTAINER_ROOT).encode(), None, MS_BIND | MS_REC, None)
    # The same folder again, through what is mounted now.
    os.chdir(Path.cwd())


def cover_parent() -> None:
    """Puts an /opt of the program's own, where folders can be made, over the machine's, with the same in it."""
    parent = CONTAINER_ROOT.parent
    covered = Path(f"/proc/self/fd/{os.open(parent, os.O_RDONLY | os.O_DIRECTORY)}")
    call("mount", b"none", str(parent).encode(), b"tmpfs", 0, b"mode=0755")
    for entry in covered.iterdir():
        show_again(entry, parent / entry.name)


def show_again(source: Path, target: Path) -> None:
    """Shows what is covered at its old place."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    call("mount", str(source).encode(), str(target).encode(), None, MS_BIND | MS_REC, None)


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
