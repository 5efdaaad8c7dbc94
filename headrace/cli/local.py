"""`headrace local`: the platform on this machine."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from headrace.checkout import has_section
from headrace.cli import progress, summary
from headrace.cli.bill import bill
from headrace.cli.checkout_commands import LocalGroup
from headrace.cli.clock import clock
from headrace.cli.containers import with_build_options
from headrace.cli.execution_report import EXIT_CODES
from headrace.cli.faults import faults
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import InputFile
from headrace.cli.workload_run import run_workload
from headrace.container_images.building import BuildSettings
from headrace.container_images.engine import find_engine
from headrace.contract import ENDPOINT_NAME_INPUT, JOB_NAME_INPUT, MODEL_NAME_INPUT
from headrace.inputs import read_document
from headrace.local.calls import describe_limit, read_calls
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.brought_container_images import bring_engine_image, bring_python
from headrace.local.engine.cloud import CloudError, LocalCloud
from headrace.local.engine.container_images import EngineContainerImages
from headrace.local.limits import Limits
from headrace.local.page.tokens import write_address
from headrace.local.platform import inspection, pipeline
from headrace.local.platform.calls import review_calls
from headrace.local.platform.deployment import Deployment, read_deployment
from headrace.local.platform.running import Folders, running_platform, stop_running, use_running_cloud
from headrace.recipes import Recipe, big_mart, find_recipe, list_recipes
from headrace.torch_packages import require_torch
from headrace.workloads import find_workload
from headrace.workloads.workload import Workload

Command = TypeVar("Command", bound=Callable[..., Any])

_environment_option = click.option(
    "--env", "environment", default="dev", show_default=True, help="The app's environment."
)
_workload_option = click.option(
    "--workload",
    type=click.Choice([recipe.name for recipe in list_recipes()]),
    default=big_mart.RECIPE.name,
    show_default=True,
    help="The workload to train and serve.",
)


class _FolderType(click.Path):
    """A folder that need not exist; an empty name, as of an unset variable, is not taken for the current one."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name of the folder is empty", param, ctx)
        return super().convert(value, param, ctx)


@click.group(cls=LocalGroup)
@click.option(
    "--folder",
    type=_FolderType(),
    default=Folders().base,
    help="Where the local cloud keeps its state. Two local clouds need two folders and ports.  [default: .headrace]",
)
@click.pass_context
def local(context: click.Context, folder: Path) -> None:
    """Run the platform on this machine: no AWS account, no Docker, no cost."""
    context.obj = Folders(folder.resolve())


local.add_command(bill)
local.add_command(clock)
local.add_command(faults)


def _with_platform_options(command: Command) -> Command:
    port = click.option(
        "--port",
        type=click.IntRange(1, 65_535),
        help=f"Where a new local cloud listens.  [default: {local_cloud.DEFAULT_PORT}]",
    )
    containers = click.option(
        "--containers", is_flag=True, help="Run jobs and endpoints as containers; builds the container images first."
    )
    iam = click.option(
        "--no-iam",
        "evaluates_iam",
        flag_value=False,
        default=True,
        help="Let everybody who has a key do everything, as if no policy existed.",
    )
    quotas = click.option(
        "--quotas",
        metavar="new-account|FILE",
        help="What the account may use at once: that of a new account, or a JSON file of numbers by name of quota.",
    )
    region = click.option(
        "--as-in-region", "region", help="Refuse the types of resources and instances that AWS lacks in this Region."
    )
    return _environment_option(port(iam(containers(quotas(region(with_build_options(command)))))))


@contextmanager
def _running(
    folders: Folders,
    environment: str,
    *,
    keep: bool,
    quotas: str | None,
    region: str | None,
    containers: bool,
    base_image: str | None,
    ca_bundle: Path | None,
    also: Sequence[Recipe] = (),
    **of_cloud: Any,
) -> Iterator[tuple[LocalCloud, Deployment]]:
    """The platform as a command's options ask for it; says what was left out."""
    with running_platform(
        folders,
        environment=environment,
        keep=keep,
        progress=progress.step,
        images=_choose_images(base_image, ca_bundle) if containers else None,
        also=also,
        limits=Limits.of(quotas, region) if quotas is not None or region is not None else None,
        **of_cloud,
    ) as (cloud, deployment):
        if deployment.left_out:
            click.echo(deployment.left_out, err=True)
        for uri, container in deployment.stand_ins.items():
            click.echo(f"{uri} is AWS's algorithm; here the container {container} stands in for it", err=True)
        yield cloud, deployment


def _choose_images(base_image: str | None, ca_bundle: Path | None) -> EngineContainerImages:
    return EngineContainerImages(find_engine(), BuildSettings(base_image=base_image, ca_bundle=ca_bundle))


@local.command()
@_with_platform_options
@_workload_option
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    help="; ".join(f"{recipe}: {recipe.data}" for recipe in list_recipes())
    + ".  [default: what you have put into the raw bucket, or generated data]",
)
@click.option("--job-name", help="Name of the jobs.  [default: derived from the execution's name]")
@click.option("--model-name", help="Name of the model.  [default: derived from the execution's name]")
@click.option("--endpoint-name", help="Endpoint to create or update.  [default: the one of the environment]")
@click.option("--keep", is_flag=True, help="Leave the local cloud running afterwards.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_obj
def run(
    folders: Folders,
    /,
    *,
    environment: str,
    workload: str,
    data: Path | None,
    job_name: str | None,
    model_name: str | None,
    endpoint_name: str | None,
    keep: bool,
    as_json: bool,
    **platform: Any,
) -> None:
    """Deploy, train, invoke the endpoint or ask about a batch, and print a summary.

    Uses the running local cloud, or starts one and stops it at the end. Exits with 4 when the gate refuses the model,
    and with 5 when it waits for somebody's approval.

    Example: headrace local run --data Train.csv
    """
    names = {
        JOB_NAME_INPUT: job_name,
        MODEL_NAME_INPUT: model_name,
        ENDPOINT_NAME_INPUT: endpoint_name,
    }
    recipe = find_recipe(workload)
    if not platform["containers"] and any(image.needs_torch for image in recipe.images):
        require_torch(f"the workload {recipe}")
    this_run = _prepare_run(recipe, data, folders)
    also = [] if not recipe.is_optional or has_section(environment, recipe.name) else [recipe]
    if also:
        click.echo(f"{recipe} is off in the environment {environment}: switched on here, with every default", err=True)
    with _running(folders, environment, keep=keep, also=also, **platform) as (cloud, deployment):
        made = run_workload(this_run, cloud, deployment, {key: name for key, name in names.items() if name})
    click.echo(json.dumps(asdict(made), indent=2) if as_json else summary.render(made, this_run.scores))
    click.get_current_context().exit(EXIT_CODES.get(made.report.outcome, 0))


def _prepare_run(recipe: Recipe, data: Path | None, folders: Folders) -> Workload:
    if data and not (data.is_dir() if recipe.data_is_folder else data.is_file()):
        raise click.BadParameter(f"{data}: the workload {recipe} takes {recipe.data}", param_hint="--data")
    return find_workload(recipe)(data, folders.data)


@local.command()
@_with_platform_options
@click.pass_obj
def up(folders: Folders, /, environment: str, **platform: Any) -> None:
    """Start the local cloud, deploy to it and leave it running.

    Prints the environment that makes AWS clients use it: eval "$(headrace local up)"
    """
    present = list(os.environ)
    with _running(folders, environment, keep=True, **platform) as (cloud, _):
        click.echo(write_shell_lines(cloud.client_environment, present))
        click.echo(f"to see it in a browser: {write_address(cloud.endpoint_url, cloud.key.secret)}", err=True)


def write_shell_lines(environment: Mapping[str, str], present: Iterable[str]) -> str:
    """What a shell evaluates to take over an environment instead of what is set there."""
    unset = shlex.join(["unset", *local_cloud.list_misleading_variables(present)])
    return "\n".join([unset, *(f"export {name}={shlex.quote(value)}" for name, value in environment.items())])


@local.command()
@click.argument("image_uri")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An interpreter that has the packages of the container image.",
)
@click.option(
    "--program",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --python: the file to run if a job does not name an entrypoint.",
)
@click.option("--engine-image", help="A container image that Docker or podman has; jobs run as its containers.")
@click.pass_obj
def bring(
    folders: Folders, /, *, image_uri: str, python: Path | None, program: Path | None, engine_image: str | None
) -> None:
    """Register your own container image under IMAGE_URI, the name that requests use.

    Example: headrace local bring 123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1 --python venv/bin/python
    """
    if (python is None) == (engine_image is None):
        raise click.UsageError("give either --python or --engine-image")
    if program and not python:
        raise click.UsageError("--program requires --python; a container image brings its own program")
    folders.make_private()
    if engine_image:
        bring_engine_image(folders.cloud, image_uri, find_engine(), engine_image)
    elif python:
        bring_python(folders.cloud, image_uri, python, program)


@local.command()
@click.argument("file", type=InputFile(waits=True), default="-")
@click.option("--endpoint-name", help="The endpoint to invoke.  [default: the one of the workload and the environment]")
@_workload_option
@_environment_option
@click.option("--content-type", default="text/csv", show_default=True, help="The content type of FILE.")
@click.option("--accept", default="text/csv", show_default=True, help="The content type of the answer.")
@click.pass_obj
def invoke(
    folders: Folders,
    /,
    *,
    file: Path,
    endpoint_name: str | None,
    workload: str,
    environment: str,
    content_type: str,
    accept: str,
) -> None:
    """Send rows from FILE (or standard input) to the endpoint and print its answer.

    Example: head -3 Train.csv | headrace local invoke
    """
    use_running_cloud(folders)
    name = endpoint_name or read_deployment(environment).endpoint_name(find_recipe(workload))
    answer = pipeline.invoke_endpoint(name, read_document(file), content_type=content_type, accept=accept)
    sys.stdout.buffer.write(answer)


@local.command()
@JSON_OPTION
@click.pass_obj
def status(folders: Folders, as_json: bool) -> None:
    """Show what runs on the local cloud: stacks, executions, jobs, endpoints."""
    cloud = use_running_cloud(folders)
    seen = inspection.look_around(cloud.root)
    if as_json:
        click.echo(json.dumps({"endpoint_url": cloud.endpoint_url, **seen}, indent=2))
    else:
        click.echo(summary.render_status(cloud.endpoint_url, seen))


@local.command()
@click.pass_obj
def page(folders: Folders) -> None:
    """Print an address that shows the local cloud in a browser.

    The address is good once, for ten minutes; the browser that opens it is let in from then on.

    Example: headrace local page
    """
    cloud = use_running_cloud(folders)
    click.echo(write_address(cloud.endpoint_url, cloud.key.secret))


@local.command()
@click.argument("kind", type=click.Choice(list(inspection.LOG_KINDS)), default="training")
@click.option("--name", help="The job or endpoint.  [default: the latest]")
@click.pass_obj
def logs(folders: Folders, kind: str, name: str | None) -> None:
    """Print the log of a job or an endpoint.

    Example: headrace local logs endpoint
    """
    use_running_cloud(folders)
    for line in inspection.read_log(kind, name):
        click.echo(line)


@local.command()
@click.argument("role", required=False)
@JSON_OPTION
@click.pass_obj
def calls(folders: Folders, role: str | None, as_json: bool) -> None:
    """Show what roles have done, what they may do besides, and what they were denied.

    ROLE is a part of the names of the roles to show; without it, all are shown.

    Example: headrace local calls TrainingRole
    """
    cloud = use_running_cloud(folders)
    if not cloud.evaluates_iam:
        raise CloudError("the local cloud was started with --no-iam, so no call is decided or recorded")
    made = list(read_calls(cloud.root))
    reviewed = review_calls(made, role)
    if limit := describe_limit(made):
        click.echo(limit, err=True)
    click.echo(
        json.dumps([asdict(of_role) for of_role in reviewed], indent=2) if as_json else summary.render_calls(reviewed)
    )


@local.command()
@click.option("--force", is_flag=True, help="Stop it even while another command uses it; that command fails.")
@click.pass_obj
def down(folders: Folders, force: bool) -> None:
    """Stop the local cloud and everything that runs on it."""
    was_up = stop_running(folders, progress=progress.step, force=force)
    if not was_up:
        click.echo("no local cloud is running", err=True)
