"""`headrace containers`: build, test, push and list the container images."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headrace.cli import progress
from headrace.cli.checkout_commands import CheckoutGroup
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.region import read_region, use_region
from headrace.cli.tables import render_table
from headrace.container_images import container_image_tag
from headrace.container_images.building import BuildSettings, build_container_image
from headrace.container_images.engine import Engine, EngineName, find_engine
from headrace.container_images.listing import BuiltContainerImage, describe_container_image, write_bill_of_materials
from headrace.container_images.pushing import (
    Target,
    aim_at_registry,
    aim_at_stacks,
    is_in_ecr,
    is_in_registry,
    log_in_to_ecr,
    push_container_image,
)
from headrace.container_images.trials import try_container_images
from headrace.recipes import (
    ContainerImage,
    find_container_image,
    list_container_images,
    list_usual_container_images,
)

MEBIBYTE = 1024 * 1024
DIGEST_CHARACTERS = len("sha256:") + 12

_REGISTRY_STACK: Final = "Registry"

Command = TypeVar("Command", bound=Callable[..., Any])


def _parse_containers(
    _context: click.Context, _argument: click.Parameter, names: tuple[str, ...]
) -> list[ContainerImage]:
    return [find_container_image(name) for name in names] or list(list_usual_container_images())


def _with_containers(command: Command) -> Command:
    return click.argument(
        "containers",
        nargs=-1,
        type=click.Choice([container.name for container in list_container_images()]),
        callback=_parse_containers,
    )(command)


def with_build_options(command: Command) -> Command:
    """Add the build options to a command that builds container images."""
    base = click.option(
        "--base-image",
        envvar="HEADRACE_BASE_IMAGE",
        help="The base image, instead of the one in the Dockerfile.  [env: HEADRACE_BASE_IMAGE]",
    )
    ca = click.option(
        "--ca-bundle",
        envvar="HEADRACE_CA_BUNDLE",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
        help="PEM file of certificates that pip trusts during the build.  [env: HEADRACE_CA_BUNDLE]",
    )
    return base(ca(command))


@click.group(cls=CheckoutGroup)
@click.option(
    "--engine",
    type=click.Choice([name.value for name in EngineName]),
    help="The container engine.  [default: Docker if its daemon answers, otherwise podman]",
)
@click.pass_context
def containers(context: click.Context, engine: str | None) -> None:
    """Build, test, push and list the container images.

    A container image's tag is a hash of the files it is built from. Needs Docker or podman. Without CONTAINERS, a
    command applies to all of them.
    """
    context.obj = EngineName(engine) if engine else None


@containers.command()
@_with_containers
@with_build_options
@click.option("--force", is_flag=True, help="Rebuild existing container images from scratch.")
@click.pass_obj
def build(
    engine: EngineName | None,
    containers: list[ContainerImage],
    base_image: str | None,
    ca_bundle: Path | None,
    force: bool,
) -> None:
    """Build the container images that do not exist yet, and print the names of all.

    Example: headrace containers build training inference
    """
    found = find_engine(engine)
    settings = BuildSettings(base_image=base_image, ca_bundle=ca_bundle)
    for container in containers:
        with progress.step(f"build {container}"):
            name = build_container_image(found, container, settings, force=force)
        click.echo(name)


@containers.command("test")
@_with_containers
@JSON_OPTION
@click.pass_obj
def try_command(engine: EngineName | None, containers: list[ContainerImage], as_json: bool) -> None:
    """Test built container images against SageMaker's contract, on generated data.

    Jobs run without a network and endpoints answer on the loopback interface. All have a read-only root file system
    and 2 GiB of memory. Containers that produce the input of another one run as well.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        progress.step("run the containers"),
    ):
        passed = try_container_images(find_engine(engine), containers, Path(scratch))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in passed], indent=2))
        return
    rows = [(check.container, check.check, f"{check.seconds:.1f}") for check in passed]
    click.echo(render_table(("container", "passed", "seconds"), rows, numbers={2}))


@containers.command()
@_with_containers
@click.option(
    "--env", "environment", default="dev", show_default=True, help="The environment that has the repositories."
)
@click.option("--registry", help="Another registry: a host and an optional path, such as localhost:5055/ml.")
@click.option("--build", "builds", is_flag=True, help="First build what the registry lacks.")
@with_build_options
@click.pass_obj
def push(
    engine: EngineName | None,
    containers: list[ContainerImage],
    environment: str,
    registry: str | None,
    builds: bool,
    base_image: str | None,
    ca_bundle: Path | None,
) -> None:
    """Push container images to the repositories of the deployed stacks, or to another registry.

    Container images that the registry already has are skipped. Prints the URI of each one, and whether it was pushed
    or was already there.

    Example: headrace containers push --build --registry localhost:5055 training
    """
    shipment = _Shipment(engine, BuildSettings(base_image=base_image, ca_bundle=ca_bundle) if builds else None)
    places = (
        _push_to_registry(shipment, containers, registry)
        if registry
        else _push_to_ecr(shipment, containers, environment)
    )
    for place, was_pushed in places:
        click.echo(f"{place}\t{'pushed' if was_pushed else 'already there'}")


@dataclass(frozen=True)
class _Shipment:
    """Pushes with an engine that is looked for when something has to be pushed, and not before."""

    name: EngineName | None
    build: BuildSettings | None

    @cached_property
    def engine(self) -> Engine:
        return find_engine(self.name)

    def send(self, container: ContainerImage, target: Target) -> None:
        if self.build:
            with progress.step(f"build {container}"):
                build_container_image(self.engine, container, self.build)
        with progress.step(f"push {container}"):
            push_container_image(self.engine, container, target)


def _push_to_registry(
    shipment: _Shipment, containers: list[ContainerImage], registry: str
) -> Iterator[tuple[str, bool]]:
    for container in containers:
        target = aim_at_registry(registry, container)
        is_new = not is_in_registry(target)
        if is_new:
            shipment.send(container, target)
        yield str(target), is_new


def _push_to_ecr(shipment: _Shipment, containers: list[ContainerImage], environment: str) -> Iterator[tuple[str, bool]]:
    import boto3

    from headrace.pipeline.machines import read_outputs

    use_region(read_region(environment))
    # By its name: a list of all stacks is of the whole account, and few people may see it.
    outputs = read_outputs(environment, _REGISTRY_STACK)
    if containers == list(list_usual_container_images()):
        # And those of workloads that the environment has switched on.
        switched_on = [c for c in list_container_images() if c.image_output in outputs and c not in containers]
        containers = [*containers, *switched_on]
    targets = {container: aim_at_stacks(outputs, container, environment) for container in containers}
    ecr: Any = boto3.client("ecr")
    missing = {container for container, target in targets.items() if not is_in_ecr(ecr, target)}
    for registry in sorted({targets[container].registry for container in missing}):
        log_in_to_ecr(shipment.engine, ecr, registry)
    for container, target in targets.items():
        if container in missing:
            shipment.send(container, target)
        yield str(target), container in missing


@containers.command("list")
@JSON_OPTION
@click.pass_obj
def list_command(engine: EngineName | None, as_json: bool) -> None:
    """Show size, layers, user and digest of the container images built from the current files."""
    found = find_engine(engine)
    described = {container: describe_container_image(found, container) for container in list_container_images()}
    if as_json:
        click.echo(json.dumps([asdict(image) for image in described.values() if image], indent=2))
        return
    rows = [_show_image(container, image) for container, image in described.items()]
    click.echo(render_table(("container", "tag", "MiB", "layers", "user", "digest"), rows, numbers={2, 3}))


def _show_image(container: ContainerImage, image: BuiltContainerImage | None) -> tuple[str, ...]:
    if image is None:
        return (container.name, container_image_tag(container), "-", "-", "-", "not built")
    size = f"{image.size_bytes / MEBIBYTE:.0f}"
    return (
        container.name,
        container_image_tag(container),
        size,
        str(image.layers),
        image.user,
        image.digest[:DIGEST_CHARACTERS],
    )


@containers.command()
@click.argument("container", type=click.Choice([container.name for container in list_container_images()]))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.pass_obj
def sbom(engine: EngineName | None, container: str, output: Path) -> None:
    """Write the bill of materials of a container image as SPDX JSON.

    Example: headrace containers sbom training --output training.spdx.json
    """
    with progress.step(f"list the packages of {container}"):
        write_bill_of_materials(find_engine(engine), find_container_image(container), output)
