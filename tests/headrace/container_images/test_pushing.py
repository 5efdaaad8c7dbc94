import base64
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from headrace.container_images import container_image_tag
from headrace.container_images.engine import Engine, EngineError, EngineName
from headrace.container_images.pushing import (
    Target,
    aim_at_registry,
    aim_at_stacks,
    is_in_ecr,
    is_in_registry,
    log_in_to_ecr,
    push_container_image,
)
from headrace.recipes import big_mart

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TAG = container_image_tag(big_mart.TRAINING)


class Registry(http.server.BaseHTTPRequestHandler):
    """Holds one image and asks for credentials for another."""

    def do_HEAD(self) -> None:
        status = {"there": 200, "secret": 401, "broken": 500}.get(self.path.split("/")[2], 404)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class FakeEngine(Engine):
    """An engine that notes what it is called with."""

    def __init__(self, *, has_image: bool = True) -> None:
        super().__init__(EngineName.PODMAN)
        object.__setattr__(self, "calls", [])
        object.__setattr__(self, "_has_image", has_image)

    calls: list[tuple[list[str], str | None]]
    _has_image: bool

    def call(self, title: str, arguments: Any, *, stdin: str | None = None) -> str:
        self.calls.append((list(arguments), stdin))
        return ""

    def has_image(self, name: str) -> bool:
        return self._has_image


@pytest.fixture
def ecr() -> Iterator[tuple[Any, Stubber]]:
    client: Any = boto3.client("ecr", region_name="eu-west-1")
    with Stubber(client) as stubber:
        yield client, stubber


def test_aims_at_the_deployed_repository_with_the_current_tag() -> None:
    outputs = {"TrainingImageUri": f"{REGISTRY}/dev-training-x1:{'0' * 16}"}

    assert aim_at_stacks(outputs, big_mart.TRAINING, "dev") == Target(REGISTRY, "dev-training-x1", TAG)


def test_says_what_to_deploy_when_there_is_no_repository() -> None:
    with pytest.raises(
        EngineError, match="environment prod has a repository for training; deploy it first: cdk deploy"
    ):
        aim_at_stacks({}, big_mart.TRAINING, "prod")


@pytest.mark.parametrize(
    ("registry", "place"),
    [
        ("localhost:5055", f"localhost:5055/headrace/training:{TAG}"),
        ("registry.example.com/ml/images/", f"registry.example.com/ml/images/training:{TAG}"),
    ],
)
def test_aims_at_a_registry_with_or_without_a_path(registry: str, place: str) -> None:
    assert str(aim_at_registry(registry, big_mart.TRAINING)) == place


def test_sees_a_tag_that_a_registry_has(registry: str) -> None:
    assert is_in_registry(Target(registry, "there", "1"))


@pytest.mark.parametrize("repository", ["absent", "secret"])
def test_sees_no_tag_that_a_registry_does_not_show(registry: str, repository: str) -> None:
    assert not is_in_registry(Target(registry, repository, "1"))


def test_passes_on_what_is_wrong_with_a_registry(registry: str) -> None:
    with pytest.raises(EngineError, match="answers 500"):
        is_in_registry(Target(registry, "broken", "1"))


def test_says_when_a_registry_does_not_answer() -> None:
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1 does not answer"):
        is_in_registry(Target("127.0.0.1:1", "training", "1"))


def test_sees_a_tag_in_ecr(ecr: tuple[Any, Stubber]) -> None:
    client, stubber = ecr
    # The registry may be another account's.
    expected = {"registryId": "123456789012", "repositoryName": "training", "imageIds": [{"imageTag": "1"}]}
    stubber.add_response("describe_images", {"imageDetails": []}, expected)

    assert is_in_ecr(client, Target(REGISTRY, "training", "1"))


def test_sees_that_a_tag_is_not_in_ecr(ecr: tuple[Any, Stubber]) -> None:
    client, stubber = ecr
    stubber.add_client_error("describe_images", "ImageNotFoundException")

    assert not is_in_ecr(client, Target(REGISTRY, "training", "1"))


def test_never_shows_the_password_on_the_command_line(ecr: tuple[Any, Stubber]) -> None:
    client, stubber = ecr
    token = base64.b64encode(b"AWS:secret").decode()
    stubber.add_response("get_authorization_token", {"authorizationData": [{"authorizationToken": token}]})
    engine = FakeEngine()

    log_in_to_ecr(engine, client, REGISTRY)

    assert engine.calls == [(["login", "--username", "AWS", "--password-stdin", REGISTRY], "secret")]


def test_tags_and_pushes_over_plain_http_on_this_machine() -> None:
    engine = FakeEngine()
    target = aim_at_registry("localhost:5055", big_mart.TRAINING)

    push_container_image(engine, big_mart.TRAINING, target)

    commands = [arguments for arguments, _ in engine.calls]
    assert commands == [
        ["tag", f"localhost/headrace/training:{TAG}", str(target)],
        ["push", "--format", "v2s2", "--tls-verify=false", str(target)],
    ]


def test_pushes_over_tls_elsewhere() -> None:
    engine = FakeEngine()

    push_container_image(engine, big_mart.TRAINING, Target(REGISTRY, "training", TAG))

    assert engine.calls[-1][0] == ["push", "--format", "v2s2", f"{REGISTRY}/training:{TAG}"]


def test_says_to_build_before_a_push() -> None:
    with pytest.raises(
        EngineError, match="training has not been built from its current files; run 'headrace containers"
    ):
        push_container_image(FakeEngine(has_image=False), big_mart.TRAINING, Target(REGISTRY, "training", TAG))
