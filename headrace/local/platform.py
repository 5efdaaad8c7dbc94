"""The platform on the local cloud: found or started, its templates deployed, its images pushed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.local import cloud as local_cloud
from headrace.local.cloud import LocalCloud
from headrace.local.deployment import PROJECT, Deployment, bootstrap, deploy, read_deployment, start_synthesis
from headrace.local.images import ImageSource, ProcessImages

DEFAULT_FOLDER: Final = ".headrace"

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Folders:
    """Where the local cloud keeps what it makes: all below one folder of the project that Git ignores."""

    base: Path = PROJECT / DEFAULT_FOLDER

    @property
    def cloud(self) -> Path:
        """The running cloud's own state."""
        return self.base / "cloud"

    @property
    def environments(self) -> Path:
        """The containers' Python environments, kept between runs."""
        return self.base / "environments"

    @property
    def assembly(self) -> Path:
        """The synthesized app."""
        return self.base / "assembly"

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
        for folder in (self.cloud, self.assembly, self.data):
            local_cloud.make_private(folder)


@contextmanager
def running_platform(
    folders: Folders,
    *,
    environment: str,
    port: int,
    keep: bool,
    step: Step,
    images: ImageSource | None = None,
) -> Iterator[tuple[LocalCloud, Deployment]]:
    """The platform, deployed and reachable by this process's AWS clients.

    Uses the local cloud that runs already, or starts one and stops it at the end.

    Args:
        folders: Where things are kept.
        environment: Which of the app's environments to deploy.
        port: Where a new cloud listens.
        keep: Whether a cloud started here goes on when the block ends well.
        step: Shows progress.
        images: Makes the images; processes stand for containers if left out.

    Raises:
        CloudError: If the cloud cannot be started.
        EngineError: If the images cannot be built.
        ToolError: If the app cannot be synthesized or deployed.
    """
    folders.make_private()
    images = images or ProcessImages(folders.environments)
    running = local_cloud.find(folders.cloud)
    if running:
        yield running, _deploy(running, folders, environment, step, images, is_new=False)
        return
    with step("start the local cloud"):
        started = local_cloud.start(folders.cloud, port, stop_with_caller=not keep)
    try:
        yield started, _deploy(started, folders, environment, step, images, is_new=True)
    except BaseException:
        _stop(started)
        raise
    if not keep:
        _stop(started)


def use_clients_of(cloud: LocalCloud) -> None:
    """Point the AWS clients of this process at the local cloud."""
    local_cloud.point_clients(cloud.client_environment)


def _deploy(
    cloud: LocalCloud, folders: Folders, environment: str, step: Step, images: ImageSource, *, is_new: bool
) -> Deployment:
    use_clients_of(cloud)
    with start_synthesis(environment, folders.assembly) as synthesis:
        with step(images.description):
            images.prepare()
        if is_new:
            with step("bootstrap the account"):
                bootstrap(cloud)
        with step("synthesize the app"):
            synthesis.finish()
    with step("deploy the stacks"):
        deploy(cloud, folders.assembly)
    deployment = read_deployment(environment)
    images.push(cloud.root, deployment.images)
    return deployment


def _stop(cloud: LocalCloud) -> None:
    """Stop the cloud even if the user loses patience: it has its own time limits."""
    handlers = {signum: signal.signal(signum, signal.SIG_IGN) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        cloud.stop()
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
