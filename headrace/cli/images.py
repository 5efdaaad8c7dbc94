"""`headrace images`: the containers' images, built, tried, pushed and shown."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from headrace.cli import progress
from headrace.cli.checkout_commands import CheckoutGroup
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.tables import render_table
from headrace.container_images import image_tag
from headrace.container_images.building import BuildSettings, build_image
from headrace.container_images.engine import Engine, EngineName, find_engine
from headrace.container_images.listing import BuiltImage, describe_image, write_bill_of_materials
from headrace.container_images.pushing import (
    aim_at_registry,
    aim_at_stacks,
    is_in_ecr,
    is_in_registry,
    log_in_to_ecr,
    push_image,
)
from headrace.container_images.trials import try_images
from headrace.recipes import ContainerImage, find_image, list_images

MEBIBYTE = 1024 * 1024
DIGEST_CHARACTERS = len("sha256:") + 12

Command = TypeVar("Command", bound=Callable[..., Any])


def _parse_containers(
    _context: click.Context, _argument: click.Parameter, names: tuple[str, ...]
) -> list[ContainerImage]:
    return [find_image(name) for name in names] or list(list_images())


def _with_containers(command: Command) -> Command:
    return click.argument(
        "containers",
        nargs=-1,
        type=click.Choice([container.name for container in list_images()]),
        callback=_parse_containers,
    )(command)


def with_build_options(command: Command) -> Command:
    """Give a command that builds images the options of a build."""
    base = click.option(
        "--base-image",
        envvar="HEADRACE_BASE_IMAGE",
        help="Stands in for the Dockerfile's base image.  [env: HEADRACE_BASE_IMAGE]",
    )
    ca = click.option(
        "--ca-bundle",
        envvar="HEADRACE_CA_BUNDLE",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
        help="Certificates that pip trusts during the build, PEM.  [env: HEADRACE_CA_BUNDLE]",
    )
    return base(ca(command))


@click.group(cls=CheckoutGroup)
@click.option(
    "--engine",
    type=click.Choice([name.value for name in EngineName]),
    help="The container engine; Docker if its daemon answers, else podman, if left out.",
)
@click.pass_context
def images(context: click.Context, engine: str | None) -> None:
    """Build, try, push and show the container images.

    An image's tag is a hash of the files it is built from. Needs Docker or podman; CONTAINERS are all if left out.
    """
    context.obj = EngineName(engine) if engine else None


@images.command()
@_with_containers
@with_build_options
@click.option("--force", is_flag=True, help="Build also what is there, from scratch.")
@click.pass_obj
def build(
    engine: EngineName | None,
    containers: list[ContainerImage],
    base_image: str | None,
    ca_bundle: Path | None,
    force: bool,
) -> None:
    """Build the images that are not there yet, and print the names of all.

    Example: headrace images build training inference
    """
    found = find_engine(engine)
    settings = BuildSettings(base_image=base_image, ca_bundle=ca_bundle)
    for container in containers:
        with progress.step(f"build {container}"):
            name = build_image(found, container, settings, force=force)
        click.echo(name)


@images.command("test")
@_with_containers
@JSON_OPTION
@click.pass_obj
def try_command(engine: EngineName | None, containers: list[ContainerImage], as_json: bool) -> None:
    """Run built images through SageMaker's contract, on made-up data.

    Jobs run without network, endpoints answer on the loopback interface; all with a root file system that cannot be
    written to and 2 GiB of memory. The containers that make another's input run, too.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        progress.step("run the containers"),
    ):
        passed = try_images(find_engine(engine), containers, Path(scratch))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in passed], indent=2))
        return
    rows = [(check.container, check.check, f"{check.seconds:.1f}") for check in passed]
    click.echo(render_table(("container", "passed", "seconds"), rows, numbers={2}))


@images.command()
@_with_containers
@click.option(
    "--env", "environment", default="dev", show_default=True, help="The environment whose repositories to use."
)
@click.option("--registry", help="Another registry: a host, with a path if wanted, such as localhost:5055/ml.")
@click.pass_obj
def push(engine: EngineName | None, containers: list[ContainerImage], environment: str, registry: str | None) -> None:
    """Push built images to the repositories of the deployed stacks, or to another registry.

    What is there already is left alone. Prints each image's place, and whether it was pushed or was already there.

    Example: headrace images push --registry localhost:5055 training
    """
    found = find_engine(engine)
    places = (
        _push_to_registry(found, containers, registry) if registry else _push_to_ecr(found, containers, environment)
    )
    for place, was_pushed in places:
        click.echo(f"{place}\t{'pushed' if was_pushed else 'already there'}")


def _push_to_registry(engine: Engine, containers: list[ContainerImage], registry: str) -> Iterator[tuple[str, bool]]:
    for container in containers:
        target = aim_at_registry(registry, container)
        is_new = not is_in_registry(target)
        if is_new:
            with progress.step(f"push {container}"):
                push_image(engine, container, target)
        yield str(target), is_new


def _push_to_ecr(engine: Engine, containers: list[ContainerImage], environment: str) -> Iterator[tuple[str, bool]]:
    import boto3

    from headrace.local.platform.deployment import read_deployment

    outputs = read_deployment(environment).outputs
    targets = {container: aim_at_stacks(outputs, container, environment) for container in containers}
    ecr: Any = boto3.client("ecr")
    for registry in {target.registry for target in targets.values()}:
        log_in_to_ecr(engine, ecr, registry)
    for container, target in targets.items():
        is_new = not is_in_ecr(ecr, target)
        if is_new:
            with progress.step(f"push {container}"):
                push_image(engine, container, target)
        yield str(target), is_new


@images.command("list")
@JSON_OPTION
@click.pass_obj
def list_command(engine: EngineName | None, as_json: bool) -> None:
    """Show size, layers, user and digest of the images of the containers' current files."""
    found = find_engine(engine)
    described = {container: describe_image(found, container) for container in list_images()}
    if as_json:
        click.echo(json.dumps([asdict(image) for image in described.values() if image], indent=2))
        return
    rows = [_show_image(container, image) for container, image in described.items()]
    click.echo(render_table(("container", "tag", "MiB", "layers", "user", "digest"), rows, numbers={2, 3}))


def _show_image(container: ContainerImage, image: BuiltImage | None) -> tuple[str, ...]:
    if image is None:
        return (container.name, image_tag(container), "-", "-", "-", "not built")
    size = f"{image.size_bytes / MEBIBYTE:.0f}"
    return (
        container.name,
        image_tag(container),
        size,
        str(image.layers),
        image.user,
        image.digest[:DIGEST_CHARACTERS],
    )


@images.command()
@click.argument("container", type=click.Choice([container.name for container in list_images()]))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.pass_obj
def sbom(engine: EngineName | None, container: str, output: Path) -> None:
    """Write a built image's bill of materials, as SPDX JSON.

    Example: headrace images sbom training --output training.spdx.json
    """
    with progress.step(f"list the packages of {container}"):
        write_bill_of_materials(find_engine(engine), find_image(container), output)
