"""The function as Lambda starts it: one module for both kinds of events."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from headrace.normalizer.contract import DEFAULT_TRANSFORMATION
from headrace.transformations.registry import NAMES
from lambdas.image_normalizer.contract import FUNCTION_HANDLER, Variable
from lambdas.image_normalizer.environment import EnvironmentVariableError
from tests.conftest import PROJECT

MODULE = "lambdas.image_normalizer.handler"
VARIABLES = {
    Variable.SOURCE: "point",
    Variable.CACHE_BUCKET: "work",
    Variable.KEEPS_ALL: "false",
    Variable.DNS_SUFFIX: "amazonaws.com",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
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
        "userRequest": {"url": "https://images.test/a?width=0", "headers": {}},
    }

    assert handler.handle(event, None)["errorCode"] == "BadOption"
    assert read_line(capsys)["door"] == "object_lambda"


def test_does_not_start_without_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(Variable.SOURCE, raising=False)

    with pytest.raises(EnvironmentVariableError):
        importlib.import_module(MODULE)


def read_lists(transformation: str) -> tuple[set[str], list[list[str]]]:
    """The files of the repository that a bundle carries beside the function's own, and the lists that say so."""
    folder = PROJECT / "headrace" / "transformations" / transformation
    lists = [place / "modules.txt" for place in (PROJECT / "lambdas" / "image_normalizer", folder)]
    listed = [path.read_text().splitlines() for path in lists if path.exists()]
    own = [path.relative_to(PROJECT).as_posix() for path in folder.rglob("*.py")]
    return {line for part in (*listed, own) for line in part}, listed


def list_modules(transformation: str) -> set[str]:
    """What a fresh interpreter has loaded when the function of a transformation is ready."""
    program = f"import sys; before = {{*sys.modules}}; import {MODULE}; print(*({{*sys.modules}} - before))"
    command = [sys.executable, "-c", program]
    environment = os.environ | VARIABLES | {Variable.TRANSFORMATION: transformation}
    done = subprocess.run(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("transformation", "wanted"), [("image", {"PIL"}), ("text", set())])
def test_starts_with_nothing_but_the_standard_library_and_what_transforms(
    transformation: str, wanted: set[str]
) -> None:
    packages = {module.partition(".")[0] for module in list_modules(transformation)}

    assert packages - sys.stdlib_module_names == {"headrace", "lambdas"} | wanted


def test_starts_without_the_decoders_that_few_images_need() -> None:
    decoders = {name for name in list_modules(DEFAULT_TRANSFORMATION) if name.endswith("ImagePlugin")}

    assert decoders == {"PIL.JpegImagePlugin"}


@pytest.mark.parametrize("transformation", NAMES)
def test_loads_exactly_the_modules_that_its_bundle_carries(transformation: str) -> None:
    lines, listed = read_lists(transformation)
    carried = {line.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for line in lines}

    assert {name for name in list_modules(transformation) if name.partition(".")[0] == "headrace"} == carried
    assert [list(part) for part in listed] == [sorted(set(part)) for part in listed]
