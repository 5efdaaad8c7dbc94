"""State machines and functions reach endpoints of their own environment and workload, whatever an input names."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.evaluators import Question, decide
from tests.stacks.conftest import find_resources, read_stacks
from tests.stacks.resolving import ACCOUNT, REGION, resolve

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
ENDPOINT, CONFIG, MODEL = f"{ARN}:endpoint/shop", f"{ARN}:endpoint-config/run-1", f"{ARN}:model/run-1"
TARGET = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/0"
OURS = {"environment": "dev", "project": "headrace", "workload": "bigmart", "headrace:execution": "run-1"}
OTHERS = [
    pytest.param({**OURS, "environment": "golden"}, id="another environment's"),
    pytest.param({**OURS, "workload": "images"}, id="another workload's"),
    pytest.param({**OURS, "project": "elsewhere"}, id="another project's"),
]
UNTAGGED: Mapping[str, str] = {}
OF_VARIANTS = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}
MACHINE, GOLDEN, TIDYING = "TrainingWorkflowRole", "GoldenRequestsRole", "TidyingRole"


def list_policies(variant: str, role: str) -> Iterator[Any]:
    """The policies of a role of BigMart, as they stand in an account."""
    stacks = read_stacks(variant)
    for name, policy in find_resources(variant, "AWS::IAM::Policy").items():
        roles = str(policy["Properties"]["Roles"])
        if name.startswith("BigMart/") and role in roles and "CleanUp" not in roles:
            yield resolve(stacks, "BigMart", policy["Properties"]["PolicyDocument"])


def allows(
    action: str,
    resource: str,
    *,
    has: Mapping[str, str] = UNTAGGED,
    asks: Mapping[str, str] = UNTAGGED,
    variant: str = "dev",
    role: str = MACHINE,
) -> bool:
    context = {f"aws:ResourceTag/{key}": value for key, value in has.items()}
    context |= {f"aws:RequestTag/{key}": value for key, value in asks.items()}
    question = Question(action=action, resource=resource, context={**context, **OF_VARIANTS})
    return decide(question, list(list_policies(variant, role))) == "Allow"


@pytest.mark.parametrize("theirs", [*OTHERS, pytest.param(UNTAGGED, id="untagged")])
def test_updates_only_its_own_endpoint_with_its_own_configuration(theirs: Mapping[str, str]) -> None:
    for resource in (ENDPOINT, CONFIG):
        assert allows("sagemaker:UpdateEndpoint", resource, has=OURS)
        assert not allows("sagemaker:UpdateEndpoint", resource, has=theirs)


@pytest.mark.parametrize("theirs", OTHERS)
def test_updates_the_endpoint_of_the_settings_that_an_early_version_made_without_tags(
    theirs: Mapping[str, str],
) -> None:
    usual = f"{ARN}:endpoint/headrace-dev-bigmart"

    assert allows("sagemaker:UpdateEndpoint", usual)
    assert not allows("sagemaker:UpdateEndpoint", usual, has=theirs)


@pytest.mark.parametrize("theirs", [*OTHERS, pytest.param(UNTAGGED, id="untagged")])
def test_creates_only_an_endpoint_with_its_own_tags_and_configuration(theirs: Mapping[str, str]) -> None:
    for action in ("sagemaker:CreateEndpoint", "sagemaker:AddTags"):
        assert allows(action, ENDPOINT, asks=OURS)
        assert not allows(action, ENDPOINT, asks=theirs)
    assert allows("sagemaker:CreateEndpoint", CONFIG, has=OURS, asks=OURS)
    # That of an early version has none.
    assert allows("sagemaker:CreateEndpoint", CONFIG, has=theirs, asks=OURS) is (theirs == UNTAGGED)


@pytest.mark.parametrize("theirs", OTHERS)
def test_looks_at_no_endpoint_of_others_and_so_fails_before_a_job(theirs: Mapping[str, str]) -> None:
    # One that is missing has no tags, and that it is missing must be said.
    assert allows("sagemaker:DescribeEndpoint", ENDPOINT)
    assert allows("sagemaker:DescribeEndpoint", ENDPOINT, has=OURS)
    assert not allows("sagemaker:DescribeEndpoint", ENDPOINT, has=theirs)


@pytest.mark.parametrize("theirs", OTHERS)
def test_scales_no_endpoint_of_others(theirs: Mapping[str, str]) -> None:
    resizing = "sagemaker:UpdateEndpointWeightsAndCapacities"
    assert allows(resizing, ENDPOINT, has=OURS, variant="scaling")
    for tags in (theirs, UNTAGGED):
        assert not allows(resizing, ENDPOINT, has=tags, variant="scaling")
    for action in ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "PutScheduledAction"):
        assert allows(f"application-autoscaling:{action}", TARGET, has=OURS, variant="scaling")
        assert not allows(f"application-autoscaling:{action}", TARGET, has=theirs, variant="scaling")
    assert not allows("application-autoscaling:TagResource", TARGET, asks=theirs, variant="scaling")


@pytest.mark.parametrize("theirs", OTHERS)
def test_deletes_no_endpoint_of_others(theirs: Mapping[str, str]) -> None:
    usual = f"{ARN}:endpoint/headrace-dev-bigmart"

    for tags in (OURS, UNTAGGED):
        assert allows("sagemaker:DeleteEndpoint", usual, has=tags, variant="hours")
        assert not allows("sagemaker:DeleteEndpoint", ENDPOINT, has=tags, variant="hours")
    assert not allows("sagemaker:DeleteEndpoint", usual, has=theirs, variant="hours")


@pytest.mark.parametrize("theirs", [*OTHERS, pytest.param(UNTAGGED, id="untagged")])
def test_asks_no_endpoint_of_others_golden_requests(theirs: Mapping[str, str]) -> None:
    assert allows("sagemaker:InvokeEndpoint", ENDPOINT, has=OURS, variant="serverless", role=GOLDEN)
    assert not allows("sagemaker:InvokeEndpoint", ENDPOINT, has=theirs, variant="serverless", role=GOLDEN)


@pytest.mark.parametrize("theirs", [*OTHERS, pytest.param(UNTAGGED, id="untagged")])
def test_tidies_up_nothing_of_others(theirs: Mapping[str, str]) -> None:
    for action, resource in (("sagemaker:DeleteEndpointConfig", CONFIG), ("sagemaker:DeleteModel", MODEL)):
        assert allows(action, resource, has=OURS, variant="guard", role=TIDYING)
        assert not allows(action, resource, has=theirs, variant="guard", role=TIDYING)
