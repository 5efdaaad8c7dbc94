"""Endpoints: what they serve, their log, and a form to try them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from headrace.local.page.answers import PageError
from headrace.local.page.forms import Form
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.local.page.sections.listings import ENDPOINT, Listed, LogPage, describe, list_resources, read_log_page
from headrace.normalizer.errors import NormalizeError
from headrace.normalizer.formats import detect_format

CONTENT_TYPES: Final = ("text/csv", "application/json", "application/jsonlines")
ACCEPTED: Final = ("application/json", "text/csv", "application/jsonlines")
PHOTOGRAPH: Final = "application/x-image"
_BUSY_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 4.0
_MOST_SHOWN: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Question:
    """What an endpoint is asked.

    Args:
        body: What is sent.
        content_type: Of which type that is.
        accept: Of which type the answer is to be.
    """

    body: bytes
    content_type: str
    accept: str

    @property
    def rows(self) -> str:
        """What is sent, if it is text."""
        return "" if self.content_type == PHOTOGRAPH else self.body.decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of a question.

    Args:
        question: The question.
        seconds: How long the answer took.
        answer: The answer, as text.
        answer_bytes: How long it is.
        answer_type: Of which type it says to be.
        variant: What answered.
        error: Why there is no answer.
    """

    question: Question
    seconds: float
    answer: str = ""
    answer_bytes: int = 0
    answer_type: str = ""
    variant: str = ""
    error: str = ""


class Endpoints:
    """The section of endpoints.

    Args:
        clients: Finds the client of a service.
        clock: Measures how long answers take, in seconds.
    """

    name: Final = "endpoints"
    title: Final = "Endpoints"

    def __init__(self, clients: FindClient, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clients = clients
        self._clock = clock

    def answer(self, request: Request) -> View:
        """All endpoints, or one of them, which a form may ask something."""
        match request.segments[1:]:
            case []:
                return show_endpoints(list_resources(self._clients, ENDPOINT) or [])
            case [name]:
                trial = self._try(name, read_question(request.form)) if request.form else None
                return self._show_endpoint(name, trial)
        raise PageError(404, "an endpoint has a name")

    def _show_endpoint(self, name: str, trial: Trial | None) -> View:
        found = describe(self._clients, ENDPOINT, name)
        sagemaker = self._clients("sagemaker")
        config: Mapping[str, Any] = {}
        if "EndpointConfigName" in found:
            config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        models = {
            variant["ModelName"]: sagemaker.describe_model(ModelName=variant["ModelName"])
            for variant in config.get("ProductionVariants", ())
        }
        return show_endpoint(found, config, models, read_log_page(self._clients, ENDPOINT, name), trial)

    def _try(self, name: str, question: Question) -> Trial:
        start = self._clock()
        try:
            answer = self._clients("sagemaker-runtime").invoke_endpoint(
                EndpointName=name, Body=question.body, ContentType=question.content_type, Accept=question.accept
            )
            content = answer["Body"].read()
        except ClientError as error:
            why = f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
            return Trial(question=question, seconds=self._clock() - start, error=why)
        except BotoCoreError as error:
            return Trial(question=question, seconds=self._clock() - start, error=str(error))
        return Trial(
            question=question,
            seconds=self._clock() - start,
            answer=content[:_MOST_SHOWN].decode(errors="backslashreplace"),
            answer_bytes=len(content),
            answer_type=answer.get("ContentType", ""),
            variant=answer.get("InvokedProductionVariant", ""),
        )


def read_question(form: Form) -> Question:
    """What a form asks an endpoint.

    Raises:
        PageError: If it asks nothing, or what cannot be sent.
    """
    photograph, accept = form.files.get("photograph", b""), form.text("accept")
    if accept not in ACCEPTED:
        raise PageError(422, f"{accept!r} is not one of the content types {', '.join(ACCEPTED)}")
    if photograph:
        try:
            detect_format(photograph)
        except NormalizeError as error:
            raise PageError(422, f"the file is not a photograph: {error}") from None
        return Question(body=photograph, content_type=PHOTOGRAPH, accept=accept)
    content_type, rows = form.text("content_type"), form.text("row")
    if content_type not in CONTENT_TYPES:
        raise PageError(422, f"{content_type!r} is not one of the content types {', '.join(CONTENT_TYPES)}")
    if not rows.strip():
        raise PageError(422, "enter a row, or choose a photograph")
    # Browsers send the ends of lines in forms as CR LF.
    body = rows.replace("\r\n", "\n").encode(errors="replace")
    return Question(body=body, content_type=content_type, accept=accept)


def show_endpoints(listed: list[Listed]) -> View:
    """All endpoints."""
    is_busy = any(endpoint.is_busy for endpoint in listed)
    return View("endpoints.html", "Endpoints", {"endpoints": listed}, _BUSY_SECONDS if is_busy else _IDLE_SECONDS)


def show_endpoint(
    found: Mapping[str, Any],
    config: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    log: LogPage,
    trial: Trial | None,
) -> View:
    """One endpoint.

    Args:
        found: Its description.
        config: That of its configuration.
        models: Those of the models in it, by name.
        log: The end of its log.
        trial: What it was asked just now.
    """
    values = {
        "endpoint": found,
        "config": {key: value for key, value in config.items() if key != "ResponseMetadata"},
        "packages": {name: _find_package(model) for name, model in models.items()},
        "log": log,
        "trial": trial,
        "content_types": CONTENT_TYPES,
        "accepted": ACCEPTED,
    }
    # What was answered stands there until the reader leaves.
    return View("endpoint.html", found["EndpointName"], values, _IDLE_SECONDS / 2 if trial is None else None)


def _find_package(model: Mapping[str, Any]) -> str:
    """The version of the registry that a model was made from; empty for one that was not."""
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
    return next((found["ModelPackageName"] for found in containers if found.get("ModelPackageName")), "")
