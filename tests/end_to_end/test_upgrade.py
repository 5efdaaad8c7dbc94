"""What stands in people's accounts becomes what today's templates say, with data in place and an endpoint that answers.

The first state is that of the templates in `tests/assemblies/`; the programs and the library are of today.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headrace import contract
from headrace.assemblies import Assembly
from headrace.changes.planning import BOTH_REFERENCES
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.container_images import ProcessContainerImages
from headrace.local.platform import pipeline
from headrace.local.platform.deployment import read_deployment
from headrace.local.platform.running import Folders
from headrace.local.platform.site import LocalSite
from headrace.loopback import find_free_port
from headrace.pipeline import executions
from headrace.recipes import big_mart, list_container_images
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import push_container_images
from tests.end_to_end.conftest import configure_dev
from tests.living import LivingEnvironment
from tests.local_clouds import clients_of
from tests.patience import SLOW_TEST_SECONDS
from tests.stacks.kept_assemblies import read_assembly
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SLOW_TEST_SECONDS)]

ENVIRONMENT = "dev"
BOTH = dict([BOTH_REFERENCES.split("=")])
ENDPOINT = "headrace-dev-bigmart"
# What functions were made from is not kept. Nothing calls one before the upgrade.
CODE = "def handler(event, context):\n    raise NotImplementedError\n"


def write_app(assembly: Assembly, folder: Path) -> Path:
    """A synthesized app that deploys kept templates."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "index.py").write_text(CODE)
    artifacts = {}
    for stack, template in assembly.templates.items():
        key = f"{stack}.template.json"
        (folder / key).write_text(json.dumps(template))
        files = {
            stack: {"source": {"path": key, "packaging": "file"}, "destinations": {"here": {"objectKey": key}}},
            **{
                code: {"source": {"path": "code", "packaging": "zip"}, "destinations": {"here": {"objectKey": code}}}
                for code in set(re.findall(r'"S3Key": "(\w+\.zip)"', json.dumps(template)))
            },
        }
        (folder / f"{stack}.assets.json").write_text(json.dumps({"files": files}))
        artifacts[stack] = {
            "type": "aws:cloudformation:stack",
            "dependencies": sorted(assembly.find_producers(stack)),
            "properties": {
                "templateFile": key,
                "stackName": assembly.stack_names[stack],
                "stackTemplateAssetObjectUrl": f"s3://assets/{key}",
            },
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


@contextmanager
def calling(body: bytes) -> Iterator[list[str]]:
    """Calls the endpoint all the while, each call after the answer to the last: what each got."""
    client: Any = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
    answers: list[str] = []
    ends = threading.Event()

    def call() -> str:
        try:
            answer = client.invoke_endpoint(EndpointName=ENDPOINT, Body=body, ContentType="text/csv", Accept="text/csv")
            return str(answer["Body"].read().decode())
        except (BotoCoreError, ClientError) as error:
            return repr(error)

    def keep_calling() -> None:
        while not ends.wait(0.02):
            answers.append(call())

    thread = threading.Thread(target=keep_calling, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        ends.set()
        thread.join()


def push_for_kept_templates(cloud: LocalCloud) -> None:
    """Make today's programs known under the URIs that kept templates have."""
    outputs = read_deployment(ENVIRONMENT).outputs
    source = ProcessContainerImages(Folders().environments)
    programs = {
        outputs[container.image_output]: container
        for container in list_container_images()
        if container.image_output in outputs
    }
    source.prepare(programs.values())
    source.push(cloud.root, programs)


def run_machine(machine: str) -> dict[str, Any]:
    """Run an execution of Big Mart to its end; its output."""
    arn = executions.start_execution(machine, {}, f"upgrade-{uuid.uuid4().hex[:8]}")
    return pipeline.follow_execution(arn, lambda _: None).output


def test_upgrades_what_stands_while_its_endpoint_answers(tmp_path: Path, sales: Path) -> None:
    cloud = local_cloud.start(tmp_path / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(cloud):
            app = write_app(read_assembly(ENVIRONMENT), tmp_path / "app")
            living = LivingEnvironment(cloud, ENVIRONMENT, app)
            push_for_kept_templates(cloud)
            before = read_deployment(ENVIRONMENT)
            run = big_mart_workload.Run(sales, sales.parent)
            run.bring_data(LocalSite(cloud, before))
            run_machine(before.state_machine_arn(big_mart.RECIPE))
            settings = configure_dev()
            question = sales.read_text().splitlines()[1].rpartition(",")[0].encode()

            with calling(question) as answers:
                upgrade = living.bring_to(assemble(settings), between=assemble(settings | BOTH))
                after = push_container_images(cloud, ENVIRONMENT)
                upgraded = len(answers)
                output = run_machine(after.live_alias_arn(big_mart.RECIPE))

            assert upgrade.list_faults() == []
            assert upgrade.lost == frozenset()
            assert upgraded
            assert len(set(answers[:upgraded])) == 1
            # Two models, and no error.
            assert len({float(answer) for answer in answers}) <= 2
            assert output[contract.OUTCOME_OUTPUT] == contract.Outcome.SERVING
    finally:
        cloud.stop()
