"""The local cloud's server process: MiniStack with SageMaker added, on one loopback port."""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from headrace.local.calls import CallLog
from headrace.local.engine import cloud, ministack
from headrace.local.engine.access.unused import list_unused
from headrace.local.engine.aftermath import Watcher
from headrace.local.engine.clients import open_client
from headrace.local.engine.container_images import PushedContainerImages, is_in_registry
from headrace.local.engine.credentials import read_owner_key
from headrace.local.engine.documents import ANSWERS_FOLDER, Answers
from headrace.local.engine.file_systems import FileSystems
from headrace.local.engine.lustre import Lustre
from headrace.local.engine.model_package_groups import watch_model_package_groups
from headrace.local.engine.moving import PATH as CLOCK_PATH
from headrace.local.engine.networks import Networks
from headrace.local.engine.owner_requests import answer_about_clock, answer_about_faults, answer_about_usage
from headrace.local.engine.resources import MODEL_PACKAGE_GROUP
from headrace.local.engine.roles import IMPATIENT, SageMakerRoles
from headrace.local.faults import PATH as FAULTS_PATH
from headrace.local.faults import Faults
from headrace.local.limits import Limits
from headrace.local.page.opening import Facts, Records, open_page
from headrace.local.sagemaker import Host, SageMaker, stop_leftover_processes
from headrace.local.sagemaker.launcher_command import can_place
from headrace.local.usage import PATH as USAGE_PATH
from headrace.local.usage import Usage

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
    scratch = _keep_temporary_files(root)
    watcher = Watcher(_jobs_folder(root), scratch, lock)
    if arguments.stop_with_caller:
        threading.Thread(target=_stop_when_caller_ends, args=[root], daemon=True).start()
    else:
        cloud.mark_kept(root)

    with lock:
        _serve(root, arguments.port, evaluates_iam=not arguments.no_iam, limits=arguments.limits)
        shutil.rmtree(scratch, ignore_errors=True)
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
    calls = CallLog(root) if evaluates_iam else None
    access = ministack.Access(calls)
    faults = Faults()
    jobs = _jobs_folder(root)
    stop_leftover_processes(jobs)
    if not can_place():
        logger.warning("opt_ml_not_shown reason=this machine allows no mounts")
    s3 = open_client("s3")
    file_systems = FileSystems(root, s3)
    file_systems.remove_leftovers()
    networks = Networks(open_client, file_systems)
    ecr = open_client("ecr", config=IMPATIENT)
    registry = PushedContainerImages(root, environment, lambda uri: is_in_registry(ecr, uri))
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
    usage = Usage()
    given = Answers(root.parent / ANSWERS_FOLDER)
    mover = ministack.install(sagemaker, watchers, Lustre(file_systems), given, port, access, limits, faults, usage)
    answers = {
        FAULTS_PATH: answer_about_faults(faults),
        CLOCK_PATH: answer_about_clock(mover),
        USAGE_PATH: answer_about_usage(usage),
    }
    records = Records(usage.describe, calls.list_counts if calls else None, list_unused)
    page = open_page(open_client, owner.secret, Facts(port, evaluates_iam, limits.write()), records)
    asyncio.run(ministack.serve(port, owner=owner, access=access, close=sagemaker.close, page=page, answers=answers))


def _keep_temporary_files(root: Path) -> Path:
    """Have this process's temporary files below the root, where the next server finds what a killed one has left.

    Before MiniStack's services are loaded, which remember the folder: each function is unpacked into one there.
    """
    folder = root / "temporary"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tempfile.tempdir = str(folder)
    return folder


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
