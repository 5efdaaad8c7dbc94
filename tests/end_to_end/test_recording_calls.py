"""Writes down what the roles of `dev` and `prod` do when everything runs: `tests/stacks/test_used_permissions.py`.

`make table NAME=calls` runs it and keeps what it has written.
"""

import io
import json
import os
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from PIL import Image

from headrace.images import NormalizedImageReader, NormalizedImageRefusedError, find_address
from headrace.local.calls import Call, read_calls
from headrace.local.engine.access.unused import read_policies
from headrace.local.platform import pipeline
from headrace.recipes import Recipe, big_mart, images
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import images as images_workload
from headrace.workloads.workload import Workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform
from tests.end_to_end.inventory import Notices
from tests.end_to_end.test_pipeline import wait_for_state
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.recordings import RECORDINGS
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import assemble
from tests.stacks.test_used_permissions import PAGE, render_page
from tests.tables import WANTED

pytestmark = [pytest.mark.slow, pytest.mark.full("calls")]

# Who reads through Object Lambda where that is on.
CONSUMER = "training"
# So many calls that differ in the last part of their resource alone.
MOST_ALIKE = 2


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_does_everything_without_a_call_that_is_denied(
    environment: str, sales: Path, made_up_photographs: Path, tmp_path: Path
) -> None:
    with running_with_app(tmp_path / "cloud", assemble(context_of(environment))) as cloud, clients_of(cloud):
        platform = Platform(cloud, push_container_images(cloud, environment))
        notices = Notices(platform, "recorded")
        run(platform, big_mart.RECIPE, big_mart_workload.Run(sales, tmp_path))
        run(platform, big_mart.RECIPE, big_mart_workload.Run(sales, tmp_path))
        run(platform, images.RECIPE, images_workload.Run(made_up_photographs, tmp_path))
        run(platform, images.RECIPE, images_workload.Run(made_up_photographs, tmp_path))
        for recipe in (big_mart.RECIPE, images.RECIPE):
            approve(platform, recipe)
            end_badly(platform, notices, recipe)
        normalize(platform, next(made_up_photographs.rglob("*.jpg")))
        normalize_badly(platform, notices, next(made_up_photographs.rglob("*.jpg")))
        read_normalized_image(platform, environment)
        calls = list(read_calls(platform.cloud.root))
        recording = {"roles": dict(describe_roles(environment)), "calls": describe_calls(calls)}

    if WANTED in os.environ:
        RECORDINGS.mkdir(exist_ok=True)
        (RECORDINGS / f"calls-{environment}.json").write_text(json.dumps(recording, indent=1, sort_keys=True) + "\n")
        PAGE.write_text(render_page(), encoding="utf-8")
    assert [call for call in calls if not call.is_allowed and not is_answered_without(call)] == []


def is_answered_without(call: Call) -> bool:
    """Whether a denial is an answer: that of a missing object to a role that may not list the work bucket.

    The function has not normalized an image yet, or no execution has the turn.
    """
    roles = ("NormalizerRole", "WorkflowRole", "CleanUpRole")
    return call.action == "s3:ListBucket" and any(role in call.role for role in roles) and "work" in call.resource


def run(platform: Platform, recipe: Recipe, workload: Workload) -> None:
    workload.bring_data(platform.site)
    pipeline.follow_execution(start(platform, recipe), lambda _: None)


def approve(platform: Platform, recipe: Recipe) -> None:
    """Approve the first version once more, and see it served."""
    first = list_versions(platform, recipe)[0]
    boto3.client("sagemaker").update_model_package(ModelPackageArn=first, ModelApprovalStatus="PendingManualApproval")
    pipeline.follow_execution(start_by_approval(platform, recipe, first), lambda _: None)


def start_by_approval(platform: Platform, recipe: Recipe, version: str) -> str:
    """Approve a version, and return the execution that this has started."""
    before = list_arns(platform, recipe)
    boto3.client("sagemaker").update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    (started,) = wait_until(lambda: list_arns(platform, recipe) - before)
    return str(started)


def end_badly(platform: Platform, notices: Notices, recipe: Recipe) -> None:
    """Stop executions while their jobs run, the first while another waits for its turn; fail with an endpoint made."""
    archive = keep_model(platform, recipe)
    owner = start(platform, recipe)
    wait_for_state(owner, "Preprocess" if recipe.preprocessing else "Train")
    waiting = start(platform, recipe, ModelDataUrl=archive)
    wait_for_state(waiting, "Wait For Turn")
    stop(owner)
    pipeline.follow_execution(waiting, lambda _: None)
    stop_at(platform, notices, recipe, "Train")
    fail_with_endpoint(platform, notices, recipe)


def fail_with_endpoint(platform: Platform, notices: Notices, recipe: Recipe) -> None:
    """Serve what is no archive at another endpoint, and see it cleaned up after."""
    place = {"Bucket": platform.deployment.raw_bucket, "Key": f"models/{recipe.name}/broken/model.tar.gz"}
    boto3.client("s3").put_object(**place, Body=b"no archive")
    archive = f"s3://{place['Bucket']}/{place['Key']}"
    brought = start(platform, recipe, ModelDataUrl=archive, EndpointName=f"broken-{recipe.name}")
    pipeline.follow_execution(brought, lambda _: None)
    arn = start_by_approval(platform, recipe, list_versions(platform, recipe)[-1])
    with pytest.raises(pipeline.PipelineError):
        pipeline.follow_execution(arn, lambda _: None)
    notices.find(arn)


def keep_model(platform: Platform, recipe: Recipe) -> str:
    """Copy the archive of a model to where people bring theirs."""
    described: Any = boto3.client("sagemaker").describe_model_package(
        ModelPackageName=list_versions(platform, recipe)[-1]
    )
    bucket, _, key = str(find_archive(described)).removeprefix("s3://").partition("/")
    kept = {"Bucket": platform.deployment.raw_bucket, "Key": f"models/{recipe.name}/kept/model.tar.gz"}
    boto3.client("s3").copy_object(**kept, CopySource={"Bucket": bucket, "Key": key})
    return f"s3://{kept['Bucket']}/{kept['Key']}"


def find_archive(version: Any) -> Any:
    container = version["InferenceSpecification"]["Containers"][0]
    return container.get("ModelDataUrl") or container["ModelDataSource"]["S3DataSource"]["S3Uri"]


def list_versions(platform: Platform, recipe: Recipe) -> list[str]:
    """The versions of a workload, the first one first."""
    group = f"headrace-{platform.deployment.environment}-{recipe.name}"
    listed = boto3.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    return [
        version["ModelPackageArn"] for version in sorted(listed, key=lambda version: version["ModelPackageVersion"])
    ]


def start(platform: Platform, recipe: Recipe, **names: str) -> str:
    return pipeline.start_execution(platform.deployment, recipe, f"recorded-{uuid.uuid4().hex[:8]}", names)


def stop(arn: str) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=arn)


def stop_at(platform: Platform, notices: Notices, recipe: Recipe, state: str) -> None:
    """Start an execution, stop it in a state, and see it cleaned up after."""
    arn = start(platform, recipe)
    wait_for_state(arn, state)
    stop(arn)
    notices.find(arn)


def list_arns(platform: Platform, recipe: Recipe) -> set[str]:
    machine = platform.deployment.state_machine_arn(recipe)
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return {execution["executionArn"] for execution in found}


def normalize_badly(platform: Platform, notices: Notices, photograph: Path) -> None:
    """Normalize what is not there, and stop normalizing."""
    with pytest.raises(pipeline.PipelineError):
        pipeline.follow_execution(start_normalizing(platform, "absent"), lambda _: None)
    boto3.client("s3").upload_file(str(photograph), platform.deployment.raw_bucket, "images/stopped/a.jpg")
    arn = start_normalizing(platform, "stopped")
    wait_for_state(arn, "Normalize")
    stop(arn)
    notices.find(arn)


def normalize(platform: Platform, photograph: Path, name: str = "recorded") -> None:
    """Normalize a photograph in bulk, for a set of this name."""
    boto3.client("s3").upload_file(str(photograph), platform.deployment.raw_bucket, f"images/{name}/a.jpg")
    pipeline.follow_execution(start_normalizing(platform, name), lambda _: None)


def start_normalizing(platform: Platform, name: str) -> str:
    machine = platform.deployment.outputs["NormalizerBulkStateMachineArn"]
    request = {"Name": name, "Source": f"images/{name}/"}
    answer = boto3.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(request))
    return str(answer["executionArn"])


def read_normalized_image(platform: Platform, environment: str) -> None:
    """Have the function normalize a photograph whose normalized image is too large for its answer, and miss another."""
    encoded = io.BytesIO()
    Image.frombytes("RGB", (1300, 1300), os.urandom(5_070_000)).save(encoded, "PNG")
    place = {"Bucket": platform.deployment.raw_bucket, "Key": "images/recorded/noise.png"}
    boto3.client("s3").put_object(**place, Body=encoded.getvalue())
    options = {"width": "1300", "height": "1300", "colour": "rgb", "output_format": "png"}
    for consumer in (None, CONSUMER):
        reader = NormalizedImageReader(find_address(environment=environment, consumer=consumer), options)

        assert len(reader.read(place["Key"])) > 4_500_000
        miss(reader, "images/recorded/absent.png")


def miss(reader: NormalizedImageReader, key: str) -> None:
    """Ask for a photograph that there is not; a refusal for another reason is raised as it is."""
    try:
        reader.read(key)
    except NormalizedImageRefusedError as error:
        if "NoSuchKey" not in str(error):
            raise
    else:
        pytest.fail(f"{key} was normalized")


def describe_roles(environment: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The policies of each role of an environment, by its stack and logical id."""
    formation: Any = boto3.client("cloudformation")
    iam: Any = boto3.client("iam")
    for stack in formation.describe_stacks()["Stacks"]:
        name = stack["StackName"]
        for resource in formation.describe_stack_resources(StackName=name)["StackResources"]:
            if resource["ResourceType"] == "AWS::IAM::Role" and name.startswith(f"headrace-{environment}-"):
                role = resource["PhysicalResourceId"]
                policies = list(read_policies(iam, role))
                yield f"{name}/{resource['LogicalResourceId']}", {"name": role, "policies": policies}


def describe_calls(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """The calls of roles, but of those that are alike only a few."""
    alike: defaultdict[tuple[str, ...], list[Call]] = defaultdict(list)
    for call in calls:
        shape = (call.role, call.action, call.resource.rpartition("/")[0], json.dumps(call.context, sort_keys=True))
        if call.role and call.is_allowed and len(alike[shape]) < MOST_ALIKE:
            alike[shape].append(call)
    return [
        {"role": call.role, "action": call.action, "resource": call.resource, "context": dict(call.context)}
        for group in alike.values()
        for call in group
    ]
