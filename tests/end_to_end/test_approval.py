"""A version waits for a person, is approved, served, and gone back to: on the local cloud, by the approval's event."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.local.platform import pipeline
from headrace.recipes import big_mart
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

GROUP = "headrace-dev-bigmart"


@pytest.fixture(scope="module")
def approving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform where a person approves the models of Big Mart."""
    context = configure_dev(**{"approval.mode": "human"})
    with running_with_app(tmp_path_factory.mktemp("human"), assemble(context)) as cloud, clients_of(cloud):
        yield Platform(cloud, push_container_images(cloud, "dev"))


@pytest.fixture(scope="module")
def pending(approving: Platform, sales: Path) -> dict[str, Any]:
    """What an execution says that has trained a model for a person to approve, and what there was at its end."""
    big_mart_workload.Run(sales, sales.parent).bring_data(approving.site)
    output = read_output(approving.run("first"))
    sagemaker = approving.client("sagemaker")
    version = sagemaker.describe_model_package(ModelPackageName=output["ModelPackageArn"])
    return {**output, "Version": version, "Endpoints": sagemaker.list_endpoints()["Endpoints"]}


def read_output(execution: dict[str, Any]) -> dict[str, Any]:
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    output: dict[str, Any] = json.loads(execution["output"])
    return output


def say(package: str, status: str) -> None:
    """Approve or reject a version, as the console does."""
    boto3.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)


def list_arns(platform: Platform) -> list[str]:
    machine = platform.deployment.state_machine_arn(big_mart.RECIPE)
    found = platform.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [execution["executionArn"] for execution in found]


def follow_approval(platform: Platform, package: str) -> dict[str, Any]:
    """Approve a version; what the execution says that this starts."""
    before = {*list_arns(platform)}
    say(package, "Approved")
    (arn,) = wait_until(lambda: {*list_arns(platform)} - before, "an execution")
    return read_output(platform.wait(arn))


def find_served(platform: Platform) -> str:
    """The version that serves: endpoint, configuration, model and version each name the next."""
    sagemaker = platform.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=GROUP)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    return str(model["PrimaryContainer"]["ModelPackageName"])


def test_ends_where_a_person_is_to_approve(pending: dict[str, Any]) -> None:
    version = pending["Version"]

    assert (pending["Outcome"], version["ModelApprovalStatus"]) == ("PENDING_APPROVAL", "PendingManualApproval")
    assert version["ModelPackageArn"].endswith(f":model-package/{GROUP}/1")
    assert version["CustomerMetadataProperties"]["headrace:execution"] == "first"
    assert pending["Endpoints"] == []


def test_deploys_what_is_approved_and_goes_back_to_what_was(approving: Platform, pending: dict[str, Any]) -> None:
    first = pending["ModelPackageArn"]

    served = follow_approval(approving, first)
    # Another version of the same archive, without training.
    second = read_output(approving.run(ModelDataUrl=pending["ModelDataUrl"]))["ModelPackageArn"]
    updated = follow_approval(approving, second)

    assert (served["Outcome"], served["ModelPackageArn"], served["JobName"]) == ("SERVING", first, "first")
    assert served["EndpointName"] == GROUP
    assert served["Metrics"] == pending["Metrics"]
    assert (updated["Outcome"], find_served(approving)) == ("SERVING", second)
    facts = approving.client("sagemaker").describe_model_package(ModelPackageName=second)["CustomerMetadataProperties"]
    assert facts["headrace:parent"] == first

    # Approved it is already: the way back withdraws that and gives it again.
    say(first, "PendingManualApproval")
    assert follow_approval(approving, first)["Outcome"] == "SERVING"
    assert find_served(approving) == first


def test_starts_nothing_when_a_version_is_rejected_or_made(approving: Platform, pending: dict[str, Any]) -> None:
    machine = approving.deployment.state_machine_arn(big_mart.RECIPE)
    made = read_output(approving.run(ModelDataUrl=pending["ModelDataUrl"]))["ModelPackageArn"]
    before = list_arns(approving)

    say(made, "Rejected")

    with pytest.raises(pipeline.PipelineError, match=r"VersionNotApproved: version .* is Rejected; only an approved"):
        pipeline.follow_execution(
            approving.client("stepfunctions").start_execution(
                stateMachineArn=machine, input=json.dumps({"ModelPackageArn": made})
            )["executionArn"],
            lambda _: None,
        )
    assert len(list_arns(approving)) == len(before) + 1
