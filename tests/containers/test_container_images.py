"""The images, built and run for real by the engine of this machine."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace.cli.containers import containers as containers_command
from headrace.container_images.building import build_container_image, name_image
from headrace.container_images.engine import Engine, EngineError
from headrace.container_images.listing import BuiltContainerImage, describe_container_image
from headrace.container_images.trials import try_container_images
from headrace.loopback import find_free_port
from headrace.recipes import ContainerImage, big_mart, list_container_images, normalizer
from tests.engines import SMALL_IMAGES, engine_alone, give_up, read_build_settings
from tests.examples import IS_EXHAUSTIVE, only_exhaustive

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]

REGISTRY = "docker-registry"
# PyTorch would bring gigabytes of what GPUs need.
BUILDABLE = [container for container in list_container_images() if not container.needs_torch]
# One Dockerfile makes all; that each program runs with the packages and modules of its image, other tests show.
BUILT = BUILDABLE if IS_EXHAUSTIVE else list(SMALL_IMAGES)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine that holds all images."""
    with engine_alone() as engine:
        try:
            for container in BUILT:
                build_container_image(engine, container, read_build_settings())
        except EngineError as error:
            give_up(str(error))
        yield engine


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """An empty registry on this machine."""
    if shutil.which(REGISTRY) is None:
        give_up(f"{REGISTRY} is not installed")
    port = find_free_port()
    configuration = tmp_path / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{accesslog: {{disabled: true}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path / 'registry'}}}}}\n"
    )
    with subprocess.Popen([REGISTRY, "serve", configuration], stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            assert any("listening on" in line for line in server.stderr)
            yield f"localhost:{port}"
        finally:
            server.terminate()


def build_from_scratch(engine: Engine, container: ContainerImage) -> BuiltContainerImage | None:
    build_container_image(engine, container, read_build_settings(), force=True)
    return describe_container_image(engine, container)


def look_inside(engine: Engine, container: ContainerImage, script: str) -> str:
    options = ["--rm", "--network=none", "--entrypoint=sh"]
    return engine.call("looking", ["run", *options, name_image(container), "-c", script])


def test_keeps_sagemakers_contract(engine: Engine, tmp_path: Path) -> None:
    passed = try_container_images(engine, BUILT, tmp_path)

    assert {check.container for check in passed} == {container.name for container in BUILT}


@pytest.mark.parametrize("container", BUILT, ids=str)
def test_carries_no_compilers_caches_or_build_secrets(engine: Engine, container: ContainerImage) -> None:
    unwanted = "command -v gcc cc make; ls /root/.cache /etc/headrace-ca.pem; find /opt -type d -name tests"

    assert look_inside(engine, container, f"{{ {unwanted}; }} 2>/dev/null || true") == ""


@pytest.mark.parametrize("container", BUILT, ids=str)
def test_says_what_it_was_built_from(engine: Engine, container: ContainerImage) -> None:
    image = describe_container_image(engine, container)

    assert image is not None
    assert (image.user, image.layers <= 12) == ("root", True)
    assert image.revision
    assert image.base


@only_exhaustive("two builds from scratch")
def test_is_the_same_whenever_it_is_built_from_scratch(engine: Engine) -> None:
    # What is there may have been put together from steps that an earlier base image left in the cache.
    first, second = (build_from_scratch(engine, big_mart.PREPROCESSING) for _ in range(2))

    assert first == second


def test_pushes_once(engine: Engine, registry: str) -> None:
    command = ["push", "--registry", registry, str(normalizer.BULK)]

    first, second = (CliRunner().invoke(containers_command, command) for _ in range(2))

    place = f"{registry}/headrace/{name_image(normalizer.BULK).removeprefix('localhost/headrace/')}"
    assert (first.stdout, second.stdout) == (f"{place}\tpushed\n", f"{place}\talready there\n")


def test_lists_what_was_built(engine: Engine) -> None:
    answer = CliRunner().invoke(containers_command, ["list", "--json"])

    listed = {image["container"]: image for image in json.loads(answer.stdout)}
    # Others may have been built on this machine before.
    assert listed.keys() >= {container.name for container in BUILT}
    assert listed.keys() <= {container.name for container in list_container_images()}
    assert all(image["size_bytes"] > 0 and image["digest"].startswith("sha256:") for image in listed.values())
