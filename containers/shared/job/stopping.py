"""Ending at once, and cleanly, when SageMaker stops the job."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from containers.shared.sagemaker import STOPPED_EXIT

LOOK_SECONDS = 0.2


def run_until_stopped(
    work: Callable[[], int], *, discard: Callable[[], None], save: Callable[[], None] | None = None
) -> int:
    """Run the work and return its exit code; on SIGTERM discard what is half-written and end the process.

    Work that can be saved is saved first.

    The work runs in its own thread, because a handler only runs when the main thread is not in a native call.
    """
    codes: list[int] = []

    def note_code() -> None:
        try:
            codes.append(work())
        except SystemExit as ending:
            codes.append(int(ending.code or 0))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if save:
            save()
        discard()
        os._exit(STOPPED_EXIT)

    signal.signal(signal.SIGTERM, stop)
    worker = threading.Thread(target=note_code, daemon=True)
    worker.start()
    # A signal that another thread receives does not wake the main thread, which has to look for itself.
    while worker.is_alive():
        worker.join(LOOK_SECONDS)
    return codes[0]
