"""The platform on the local cloud: found or started, its templates deployed, its container images pushed."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from headrace.checkout import CHECKOUT
from headrace.contract import ALSO_CONTEXT
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import CloudError, LocalCloud
from headrace.local.engine.container_images import ContainerImageSource, ProcessContainerImages, list_in_registry
from headrace.local.limits import Limits
from headrace.local.platform.assemblies import synthesizing
from headrace.local.platform.deployment import Deployment, bootstrap, deploy, read_deployment
from headrace.local.platform.occupancy import OccupiedError, occupy
from headrace.local.platform.stand_ins import make_stand_ins
from headrace.recipes import Recipe, list_usual_container_images

DEFAULT_FOLDER: Final = ".headrace"

Progress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Folders:
    """Where the local cloud keeps what it makes: all below one folder of the project that Git ignores."""

    base: Path = CHECKOUT / DEFAULT_FOLDER

    @property
    def cloud(self) -> Path:
        """The running cloud's own state."""
        return self.base / "cloud"

    @property
    def environments(self) -> Path:
        """The containers' Python environments, kept between runs."""
        return self.base / "environments"

    @property
    def assemblies(self) -> Path:
        """The synthesized apps, kept between runs."""
        return self.base / "assemblies"

    @property
    def data(self) -> Path:
        """Made-up data sets."""
        return self.base / "data"

    def make_private(self) -> None:
        """Keep other users out; a folder of the caller's choice, which others may need, stays as it is.

        Raises:
            CloudError: If a folder is somebody else's.
        """
        if self.base.name == DEFAULT_FOLDER or not self.base.exists():
            local_cloud.make_private(self.base)
        for folder in (self.cloud, self.assemblies, self.data):
            local_cloud.make_private(folder)


@contextmanager
def running_platform(
    folders: Folders,
    *,
    environment: str,
    port: int | None,
    keep: bool,
    progress: Progress,
    images: ContainerImageSource | None = None,
    also: Sequence[Recipe] = (),
    evaluates_iam: bool = True,
    limits: Limits | None = None,
) -> Iterator[tuple[LocalCloud, Deployment]]:
    """The platform, deployed and reachable by this process's AWS clients.

    Uses the local cloud that runs already, or starts one and stops it at the end.

    Args:
        folders: Where things are kept.
        environment: Which of the app's environments to deploy.
        port: Where a new cloud listens, and one that runs must; anywhere if left out.
        keep: Whether a cloud started here goes on when the block ends well.
        progress: Shows what is being done.
        images: Makes the container images; by default, processes stand in for containers.
        also: The workloads that are to be there with every default where the settings have none.
        evaluates_iam: Whether policies decide who may do what.
        limits: What a new cloud's account and Region do not have, and one that runs must not have; any if left out.

    Raises:
        CloudError: If the cloud cannot be started, another command uses it, or it has another port or other limits.
        EngineError: If the container images cannot be built.
        ToolError: If the app cannot be synthesized or deployed.
    """
    folders.make_private()
    images = images or ProcessContainerImages(folders.environments)
    with _occupied(folders):
        if running := _find_running(folders.cloud, port, evaluates_iam=evaluates_iam, limits=limits):
            with _explaining_loss(running):
                yield running, _deploy(running, folders, environment, progress, images, also, is_new=False)
            return
        with progress("start the local cloud"):
            # Kept only once it is whole: a command that is killed before takes it along.
            started = local_cloud.start(
                folders.cloud,
                port or local_cloud.DEFAULT_PORT,
                stop_with_caller=True,
                evaluates_iam=evaluates_iam,
                limits=limits,
            )
        try:
            with _explaining_loss(started):
                yield started, _deploy(started, folders, environment, progress, images, also, is_new=True)
            if keep:
                started.keep()
        except BaseException:
            _stop(started)
            raise
        if not keep:
            _stop(started)


def stop_running(folders: Folders, *, progress: Progress, force: bool) -> bool:
    """Stop the local cloud of a folder; whether there was one.

    Args:
        folders: Where it keeps its state.
        progress: Shows what is being done.
        force: Whether to stop it even under a command that uses it.

    Raises:
        CloudError: If another command uses it, or it does not end.
    """
    cloud = local_cloud.find(folders.cloud)
    if cloud is None:
        return False
    alone = nullcontext() if force else _occupied(folders, otherwise="stop both with 'headrace local down --force'")
    with alone, progress("stop the local cloud"):
        cloud.stop()
    return True


@contextmanager
def _occupied(folders: Folders, otherwise: str = "") -> Iterator[None]:
    own = "give this one its own folder and port: headrace local --folder FOLDER … --port PORT"
    with ExitStack() as stack:
        try:
            stack.enter_context(occupy(folders.base))
        except OccupiedError as error:
            raise CloudError(f"{error}; wait for its end, or {otherwise or own}") from None
        yield


@contextmanager
def _explaining_loss(cloud: LocalCloud) -> Iterator[None]:
    """Whatever fails because the local cloud has been stopped in the meantime is reported as that."""
    try:
        yield
    except Exception as error:
        if not local_cloud.is_running(cloud.root):
            raise CloudError("the local cloud has ended while this command used it; run it again") from error
        raise


def _find_running(root: Path, port: int | None, *, evaluates_iam: bool, limits: Limits | None) -> LocalCloud | None:
    """The cloud to join. One that is not kept belongs to a command that was killed: no other command can be here."""
    running = local_cloud.find(root)
    if running and not running.is_kept:
        if not local_cloud.wait_until_stopped(root, local_cloud.STOP_SECONDS):
            running.stop()
        return None
    if running and port not in (None, running.port):
        raise CloudError(
            f"the local cloud of {root.parent} is running on port {running.port}, not {port}; omit --port to use it, "
            "stop it with 'headrace local down', or give another folder: headrace local --folder FOLDER …"
        )
    if running and running.evaluates_iam != evaluates_iam:
        how = "evaluates IAM policies" if running.evaluates_iam else "was started with --no-iam"
        raise CloudError(f"the local cloud of {root.parent} {how}; stop it first with 'headrace local down'")
    if running and limits not in (None, running.limits):
        raise CloudError(
            f"the local cloud of {root.parent} is running with other quotas or another Region; stop it with 'headrace "
            "local down', or give another folder and port: headrace local --folder FOLDER … --port PORT"
        )
    return running


def use_running_cloud(folders: Folders) -> LocalCloud:
    """Point the AWS clients of this process at the local cloud that runs.

    Raises:
        CloudError: If none does.
    """
    cloud = local_cloud.find(folders.cloud)
    if cloud is None:
        raise CloudError("no local cloud is running; start one with 'headrace local up'")
    use_clients_of(cloud)
    return cloud


def use_clients_of(cloud: LocalCloud) -> None:
    """Point the AWS clients of this process at the local cloud."""
    local_cloud.point_clients(cloud.client_environment)


def _deploy(
    cloud: LocalCloud,
    folders: Folders,
    environment: str,
    progress: Progress,
    images: ContainerImageSource,
    also: Sequence[Recipe],
    *,
    is_new: bool,
) -> Deployment:
    use_clients_of(cloud)
    context = [f"{ALSO_CONTEXT}={','.join(recipe.name for recipe in also)}"] if also else []
    with synthesizing(environment, folders.assemblies, *context) as finish_synthesis:
        with progress(images.description):
            images.prepare([*list_usual_container_images(), *(image for recipe in also for image in recipe.images)])
        if is_new:
            with progress("bootstrap the account"):
                bootstrap(cloud)
        with progress("synthesize the app"):
            assembly = finish_synthesis()
    with progress("deploy the stacks"):
        make_stand_ins(assembly)
        left_out = deploy(cloud, assembly)
    deployment = replace(read_deployment(environment), left_out=left_out)
    # Those of workloads that the settings switch on, too, which only the app knows.
    images.prepare([*deployment.images.values(), *deployment.stand_ins.values()])
    images.push(cloud.root, {**deployment.images, **deployment.stand_ins})
    list_in_registry(deployment.images)
    return deployment


def _stop(cloud: LocalCloud) -> None:
    """Stop the cloud even if the user loses patience: it has its own time limits."""
    handlers = {signum: signal.signal(signum, signal.SIG_IGN) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        cloud.stop()
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
