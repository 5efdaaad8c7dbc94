"""Runs headrace, and has the process killed at a request to AWS: `python -m tests.killed AT COUNT WHEN ARGUMENTS…`.

AT is an operation such as DeleteStack, or `any`; the process dies before or after the COUNT-th of them takes effect.
"""

import os
import signal
import sys
from typing import Any

from botocore.client import BaseClient

from headrace.cli import main


def kill_at(operation: str, count: int, when: str) -> None:
    """Have this process killed at a request."""
    call, left = BaseClient._make_api_call, count

    def call_and_die(client: Any, name: str, request: Any) -> Any:
        nonlocal left
        left -= name == operation or operation == "any"
        if left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call(client, name, request)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    BaseClient._make_api_call = call_and_die


if __name__ == "__main__":
    kill_at(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    sys.argv[1:] = sys.argv[4:]
    main()
