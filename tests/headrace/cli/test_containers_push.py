"""`headrace containers push` builds and pushes what a registry lacks, and nothing else."""

import base64
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from headrace.cli import cli, containers
from headrace.container_images import container_image_tag
from headrace.container_images.engine import Engine, EngineError, EngineName
from headrace.recipes import big_mart


class NotingEngine(Engine):
    """An engine that notes what it is called with, and has built nothing yet."""

    def __init__(self) -> None:
        super().__init__(EngineName.PODMAN)
        object.__setattr__(self, "notes", [])

    notes: list[str]

    def call(self, title: str, _arguments: Any, *, stdin: str | None = None) -> str:
        self.notes.append(title)
        return ""

    def has_image(self, name: str) -> bool:
        return f"built {name}" in self.notes


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry that has the container image of inference."""

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if "/inference/" in self.path else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> NotingEngine:
    noting = NotingEngine()

    def build(_engine: Engine, container: Any, _settings: Any) -> None:
        noting.notes.append(f"built localhost/headrace/{container}:{container_image_tag(container)}")

    monkeypatch.setattr(containers, "find_engine", lambda _: noting)
    monkeypatch.setattr(containers, "build_container_image", build)
    return noting


def push(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["containers", "push", *arguments])
    return done.exit_code, done.stdout


def test_builds_and_pushes_what_the_registry_lacks(registry: str, engine: NotingEngine) -> None:
    code, printed = push("--build", "--registry", registry, "inference", "training")

    tags = {name: container_image_tag(name) for name in (big_mart.INFERENCE, big_mart.TRAINING)}
    target = f"{registry}/headrace/training:{tags[big_mart.TRAINING]}"
    assert (code, printed.splitlines()) == (
        0,
        [f"{registry}/headrace/inference:{tags[big_mart.INFERENCE]}\talready there", f"{target}\tpushed"],
    )
    assert engine.notes == [
        f"built localhost/headrace/training:{tags[big_mart.TRAINING]}",
        "tagging training",
        f"pushing {target}",
    ]


def test_builds_nothing_unless_asked_to(registry: str, engine: NotingEngine) -> None:
    code, _ = push("--registry", registry, "training")

    assert (code, engine.notes) == (1, [])


def test_needs_no_engine_when_the_registry_has_everything(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Engine:
        raise EngineError("no engine")

    monkeypatch.setattr(containers, "find_engine", fail)

    assert push("--build", "--registry", registry, "inference")[0] == 0


class AccountOfAnEngineer:
    """Stands for `boto3.client`: refuses what the policy for engineers does not allow."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, _: str) -> "AccountOfAnEngineer":
        return self

    class exceptions:  # noqa: N801 (botocore's name)
        class ImageNotFoundException(Exception):  # noqa: N818 (botocore's name)
            """ECR's answer for a tag that is not there."""

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 (botocore's name)
        self.asked.append(f"cloudformation:DescribeStacks {StackName}")
        uri = "000000000000.dkr.ecr.eu-west-1.amazonaws.com/inference:1"
        return {"Stacks": [{"Outputs": [{"OutputKey": "InferenceImageUri", "OutputValue": uri}]}]}

    def describe_images(self, **_: Any) -> None:
        self.asked.append("ecr:DescribeImages")
        raise self.exceptions.ImageNotFoundException

    def get_authorization_token(self) -> dict[str, Any]:
        self.asked.append("ecr:GetAuthorizationToken")
        return {"authorizationData": [{"authorizationToken": base64.b64encode(b"AWS:secret")}]}


def test_asks_the_account_no_more_than_an_engineer_may(engine: NotingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    account = AccountOfAnEngineer()
    monkeypatch.setattr(boto3, "client", account)
    monkeypatch.setattr(containers, "read_region", lambda _: None)

    code, printed = push("--build", "inference")

    assert (code, printed.split()[-1]) == (0, "pushed")
    assert engine.notes[-1].startswith("pushing ")
    assert account.asked == [
        "cloudformation:DescribeStacks headrace-dev-registry",
        "ecr:DescribeImages",
        "ecr:GetAuthorizationToken",
    ]
