"""A client that calls an endpoint all the while."""

import re
import threading
import time
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.patience import SLOW_TEST_SECONDS

# What stands for the answer of an endpoint that there is not.
GONE: Final = "no endpoint"
_NOT_FOUND: Final = re.compile("Endpoint .* not found")


def ask(client: Any, endpoint: str) -> str:
    """What an endpoint answers, or that there is none.

    Args:
        client: One of SageMaker's runtime.
        endpoint: The endpoint's name.
    """
    try:
        answer = client.invoke_endpoint(EndpointName=endpoint, Body=b"1", ContentType="text/csv")
    except ClientError as error:
        if _NOT_FOUND.search(str(error)):
            return GONE
        raise
    return str(answer["Body"].read().decode())


class Caller:
    """Calls an endpoint all the while, and notes every answer with what may have answered.

    Args:
        endpoint: Its name.
        models: What may answer at first.
        most_calls: How many calls it makes a second at most.
    """

    def __init__(self, endpoint: str, *models: str, most_calls: int) -> None:
        self.wrong: list[str] = []
        self.answers: list[str] = []
        self._endpoint = endpoint
        self._pause = 1 / most_calls
        self._client: Any = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
        self._changed = threading.Condition()
        self._models = models
        self._is_done = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Caller":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_done = True
        self._thread.join()

    def expect(self, *models: str) -> None:
        """Say what may answer from now on; what is under way may still be answered by what might before."""
        with self._changed:
            self._models = models

    def await_calls(self, count: int, *models: str) -> None:
        """Wait until so many more calls have been answered, and each of these models has answered one of them."""
        with self._changed:
            start = len(self.answers)
            assert self._changed.wait_for(
                lambda: len(self.answers) >= start + count and set(models) <= set(self.answers[start:]),
                SLOW_TEST_SECONDS,
            )

    def _run(self) -> None:
        while not self._is_done:
            began, before = time.monotonic(), self._models
            answer = self._call()
            with self._changed:
                self.answers.append(answer)
                if answer not in {*before, *self._models}:
                    self.wrong.append(f"{answer} instead of {before} or {self._models}")
                self._changed.notify_all()
            time.sleep(max(0, began + self._pause - time.monotonic()))

    def _call(self) -> str:
        try:
            return ask(self._client, self._endpoint)
        except (BotoCoreError, ClientError) as error:
            return repr(error)
