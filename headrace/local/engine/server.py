"""The local cloud's server process: MiniStack with SageMaker added, on one loopback port."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from headrace.local.engine import cloud, ministack
from headrace.local.engine.access.calls import CallLog
from headrace.local.engine.aftermath import Watcher
from headrace.local.engine.clients import open_client
from headrace.local.engine.container_images import PushedContainerImages
from headrace.local.engine.credentials import read_owner_key
from headrace.local.engine.file_systems import FileSystems
from headrace.local.engine.model_package_groups import watch_model_package_groups
from headrace.local.engine.networks import Networks
from headrace.local.engine.resources import MODEL_PACKAGE_GROUP
from headrace.local.engine.roles import IMPATIENT, SageMakerRoles
from headrace.local.faults import Faults
from headrace.local.limits import Limits
from headrace.local.page.opening import Facts, open_page
from headrace.local.sagemaker import Host, SageMaker, stop_leftover_processes
from headrace.local.sagemaker.launcher_command import can_place

logger = logging.getLogger(__name__)


def main() -> None:
    """Serve until a signal stops it; everything started here has ended when this returns."""
    arguments = _parse_arguments()
    root: Path = arguments.root
    try:
        ministack.check_version()
        lock = cloud.claim(root, arguments.port, evaluates_iam=not arguments.no_iam, limits=arguments.limits)
    except (ministack.EngineVersionError, cloud.CloudError) as error:
        sys.exit(str(error))
    watcher = Watcher(_jobs_folder(root), lock)
    if arguments.stop_with_caller:
        threading.Thread(target=_stop_when_caller_ends, args=[root], daemon=True).start()
    else:
        cloud.mark_kept(root)

    with lock:
        _serve(root, arguments.port, evaluates_iam=not arguments.no_iam, limits=arguments.limits)
        watcher.dismiss()
        sys.stdout.flush()
        sys.stderr.flush()
        # MiniStack leaves threads and warm workers that would keep the interpreter from ending.
        os._exit(0)


def _serve(root: Path, port: int, *, evaluates_iam: bool, limits: Limits) -> None:
    owner = read_owner_key(root)
    environment = cloud.client_environment(port, owner)
    cloud.point_clients(environment)
    ministack.configure(port, evaluates_iam=evaluates_iam)
    access = ministack.Access(CallLog(root) if evaluates_iam else None)
    faults = Faults()
    jobs = _jobs_folder(root)
    stop_leftover_processes(jobs)
    if not can_place():
        logger.warning("opt_ml_not_shown reason=this machine allows no mounts")
    s3 = open_client("s3")
    file_systems = FileSystems(root, s3)
    file_systems.remove_leftovers()
    networks = Networks(open_client, file_systems)
    registry = PushedContainerImages(root, environment)
    registry.empty()
    host = Host(
        root=jobs,
        registry=registry,
        s3=s3,
        logs=open_client("logs", config=IMPATIENT),
        cloudwatch=open_client("cloudwatch", config=IMPATIENT),
        file_systems=file_systems,
        account=cloud.ACCOUNT,
        region=cloud.REGION,
        roles=SageMakerRoles(access) if evaluates_iam else None,
        limits=limits,
        networks=networks,
        faults=faults,
        publish=ministack.SageMakerEvents().publish,
    )
    sagemaker = SageMaker(host)
    watchers = {
        **file_systems.list_watchers(),
        **networks.list_watchers(),
        MODEL_PACKAGE_GROUP: watch_model_package_groups(sagemaker),
    }
    ministack.install(sagemaker, watchers, port, access, limits, faults)
    page = open_page(open_client, owner.secret, Facts(port, evaluates_iam, limits.write()))
    asyncio.run(ministack.serve(port, owner=owner, access=access, close=sagemaker.close, page=page, faults=faults))


def _jobs_folder(root: Path) -> Path:
    return root / "sagemaker"


def _stop_when_caller_ends(root: Path) -> None:
    """Standard input is a pipe from the caller; it closes when the caller ends, even if killed."""
    if sys.stdin.buffer.read() == cloud.KEEP:
        cloud.mark_kept(root)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stop-with-caller", action="store_true")
    parser.add_argument("--no-iam", action="store_true")
    parser.add_argument("--limits", type=Limits.parse, default=Limits())
    return parser.parse_args()


if __name__ == "__main__":
    main()
