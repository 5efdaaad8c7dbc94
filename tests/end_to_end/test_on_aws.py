"""The README's commands for AWS, given to the local cloud at a terminal.

What differs: the Region is the local cloud's, the profile leads to the local cloud, and a program stands in for Docker,
because the local cloud has no registry that could be pushed to: what is pushed runs as processes. What `make setup`
installs is there. Nothing else differs.
"""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pexpect
import pytest

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import REGION, LocalCloud
from headrace.local.platform import pipeline
from headrace.local.platform.running import Folders
from headrace.loopback import find_free_port
from headrace.recipes import list_usual_container_images
from tests.conftest import PROJECT
from tests.end_to_end.test_clients import AWS_CLI
from tests.examples import only_exhaustive
from tests.local_clouds import clients_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_800),
    only_exhaustive("deploys prod with the CDK command line four times"),
]

# What the Makefile makes last, in its order.
SETUP_MARKS = ("uv", "setup")
# Builds nothing, and makes what is pushed known to the cloud as a program and its packages.
STANDS_IN_FOR_DOCKER = """#!{python}
import sys
from pathlib import Path
from headrace.local.engine.container_images import ProcessContainerImages, list_in_registry
from headrace.local.platform.deployment import read_deployment

if sys.argv[1] == "push":
    images = ProcessContainerImages(Path({environments!r}))
    programs = {{sys.argv[2]: read_deployment("prod").images[sys.argv[2]]}}
    images.prepare(programs.values())
    images.push(Path({root!r}), programs)
    list_in_registry(sys.argv[2:])
print("{{}}")
"""


@dataclass(frozen=True)
class Terminal:
    """A clone of the project, at a terminal whose AWS profile leads to a local cloud."""

    cloud: LocalCloud
    clone: Path
    variables: dict[str, str]

    def give(self, commands: str) -> str:
        """What a shell shows for commands, with yes for an answer to each question."""
        shell = pexpect.spawn(
            "bash", ["-ec", commands], cwd=str(self.clone), env=self.variables, encoding="utf-8", timeout=None
        )
        shown = ""
        while shell.expect([r"\(y/n\) *", pexpect.EOF]) == 0:
            shown += shell.before or ""
            shell.sendline("y")
        shown += shell.before or ""
        shell.close()
        assert shell.exitstatus == 0, shown
        return shown


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    clone, programs = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("programs")
    lead_into_project(clone)
    cloud = local_cloud.start(tmp_path_factory.mktemp("cloud"), find_free_port(), stop_with_caller=True)
    write_program(programs / "aws", f'#!/bin/sh\nexec {shlex.join(AWS_CLI)} "$@"\n')
    facts = {"python": sys.executable, "environments": str(Folders().environments), "root": str(cloud.root)}
    write_program(programs / "docker", STANDS_IN_FOR_DOCKER.format(**facts))
    with clients_of(cloud):
        yield Terminal(cloud, clone, lead_to(cloud, programs))
    cloud.stop()


def lead_into_project(clone: Path) -> None:
    """Make a clone that shares what `make setup` has installed, and is not set up again, which would empty that."""
    environment = clone / ".venv"
    environment.mkdir()
    apart = (".git", ".headrace", "cdk.out", environment.name, *SETUP_MARKS)
    for path in (*PROJECT.iterdir(), *(PROJECT / environment.name).iterdir()):
        if path.name not in apart:
            (clone / path.relative_to(PROJECT)).symlink_to(path)
    for mark in SETUP_MARKS:
        (environment / mark).touch()


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def lead_to(cloud: LocalCloud, programs: Path) -> dict[str, str]:
    """A user's environment variables, whose profile `mine` has the key of a cloud, and programs that come first."""
    profile = programs / "credentials"
    profile.write_text(f"[mine]\naws_access_key_id={cloud.key.key_id}\naws_secret_access_key={cloud.key.secret}\n")
    given = ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "NO_PROXY", "no_proxy")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))},
        **{name: cloud.client_environment[name] for name in given},
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{cloud.port}",
        "AWS_SHARED_CREDENTIALS_FILE": str(profile),
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
    }


def read_commands() -> tuple[str, str]:
    """The README's two blocks of commands: the deployment, and the first execution."""
    section = (PROJECT / "README.md").read_text().split("## On AWS\n")[1].split("\n## ")[0]
    deployment, execution = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return deployment.replace("eu-west-1", REGION), execution


@pytest.fixture(scope="module")
def deployed(terminal: Terminal) -> str:
    """What the deployment shows."""
    return terminal.give(read_commands()[0])


def test_pushes_every_container_image(deployed: str) -> None:
    assert deployed.count("\tpushed") == len(list_usual_container_images())


def test_executes_what_it_has_deployed(terminal: Terminal, deployed: str, sales: Path) -> None:
    assert deployed
    (terminal.clone / "Train.csv").write_bytes(sales.read_bytes())
    deployment, execution = read_commands()
    profile, *_ = deployment.splitlines()

    shown = terminal.give(f"{profile}\n{execution}")

    arn = json.loads(shown[shown.index("{") :])["executionArn"]
    pipeline.follow_execution(arn, lambda _: None)
    assert describe_endpoint(arn)["EndpointStatus"] == "InService"


def describe_endpoint(execution: str) -> Any:
    """The endpoint that an execution made."""
    output = json.loads(boto3.client("stepfunctions").describe_execution(executionArn=execution)["output"])
    return boto3.client("sagemaker").describe_endpoint(EndpointName=output["EndpointName"])


def test_deploys_nothing_the_second_time(terminal: Terminal, deployed: str) -> None:
    assert deployed

    shown = terminal.give(read_commands()[0])

    assert shown.count("\talready there") == len(list_usual_container_images())
    assert shown.count("(no changes)") == shown.count("✅")
