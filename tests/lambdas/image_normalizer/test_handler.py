"""The function as Lambda starts it: one module for both kinds of events."""

import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from lambdas.image_normalizer.contract import FUNCTION_HANDLER, Variable
from lambdas.image_normalizer.environment import EnvironmentVariableError

MODULE = "lambdas.image_normalizer.handler"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv(Variable.SOURCE, "point")
    monkeypatch.setenv(Variable.CACHE_BUCKET, "work")
    monkeypatch.setenv(Variable.KEEPS_ALL, "false")
    yield importlib.import_module(MODULE)
    sys.modules.pop(MODULE)


def read_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_is_what_the_infrastructure_names(handler: ModuleType) -> None:
    assert f"lambdas.{FUNCTION_HANDLER}" == f"{MODULE}.{handler.handle.__name__}"


def test_answers_the_function_url(handler: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    handler._LOG._out = sys.stdout
    event = {"rawPath": "/", "headers": {}, "requestContext": {"http": {"method": "GET"}}}

    assert handler.handle(event, None)["statusCode"] == 400
    assert read_line(capsys)["door"] == "function_url"


def test_answers_object_lambda(handler: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    handler._LOG._out = sys.stdout
    event = {
        "headObjectContext": {"inputS3Url": "http://127.0.0.1:1/a"},
        "configuration": {},
        "userRequest": {"url": "https://pictures.test/a?width=0", "headers": {}},
    }

    assert handler.handle(event, None)["errorCode"] == "BadOption"
    assert read_line(capsys)["door"] == "object_lambda"


def test_does_not_start_without_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(Variable.SOURCE, raising=False)

    with pytest.raises(EnvironmentVariableError):
        importlib.import_module(MODULE)
