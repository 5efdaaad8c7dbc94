"""What AWS's pages demand of who calls SageMaker, and of whose role a job runs under, beyond the called action.

The local cloud asks for them, too, for what is run on it; here, for whatever the templates can run.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from headrace.policies import as_list
from tests.stacks.conftest import find_resources, read_definition, read_stacks

MACHINE = "AWS::StepFunctions::StateMachine"
# Where a job's request names the key of its outputs.
OUTPUTS = {"CreateTrainingJob": "OutputDataConfig", "CreateProcessingJob": "ProcessingOutputConfig"}
FOR_AWS_ONLY = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
# What a role needs for SageMaker to connect its job to a VPC:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
JOINS_A_VPC = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


@dataclass(frozen=True)
class Call:
    """A call of SageMaker by a state machine.

    Args:
        where: Stack and state.
        action: What is called, such as CreateTrainingJob.
        arguments: Its request, `<...>` where CloudFormation fills in.
        template: The template that it is in.
    """

    where: str
    action: str
    arguments: Mapping[str, Any]
    template: Mapping[str, Any]

    @property
    def caller(self) -> str:
        """The logical id of the state machine's role."""
        (machine,) = (r for r in self.template["Resources"].values() if r["Type"] == MACHINE)
        caller: str = machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        return caller

    @property
    def role(self) -> str:
        """The logical id of the role that the request names."""
        (role,) = re.findall(r"'Fn::GetAtt': \['(\w+)', 'Arn'\]", self.arguments["RoleArn"])
        return str(role)

    def lets(self, role: str, action: str, resource: str, condition: Mapping[str, Any] | None = None) -> bool:
        """Whether a statement allows a role an action on a resource, under no other condition than this."""
        return any(
            action in as_list(statement["Action"])
            and resource in [spell(entry) for entry in as_list(statement["Resource"])]
            and statement.get("Condition") in (None, condition)
            for statement in list_statements(self.template, role)
        )


def spell(value: Any) -> str:
    """A resource of a policy as a state machine's definition spells it."""
    return value if isinstance(value, str) else f"<{json.dumps(value)}>".replace('"', "'")


def list_statements(template: Mapping[str, Any], role: str) -> Iterator[Mapping[str, Any]]:
    """What the policies of a template allow a role."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]:
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


@cache
def list_calls(variant: str) -> tuple[Call, ...]:
    """Every call of SageMaker that the state machines of a variant make."""
    return tuple(
        Call(f"{stack}/{name}", action, state["Arguments"], made["template"])
        for stack, made in read_stacks(variant).items()
        if any(resource["Type"] == MACHINE for resource in made["template"]["Resources"].values())
        for name, state in read_definition(made["template"])["States"].items()
        if (action := read_action(state.get("Resource", "")))
    )


def read_action(resource: str) -> str | None:
    """The action of SageMaker's that a task's resource calls."""
    match = re.search(r":states:::sagemaker:(\w+)", resource)
    return match[1][0].upper() + match[1][1:] if match else None


def find_calls(variant: str, *actions: str) -> list[Call]:
    return [call for call in list_calls(variant) if call.action in actions]


def list_outputs(variant: str) -> list[tuple[Call, Mapping[str, Any]]]:
    """The jobs that leave outputs to SageMaker, each with its configuration of them."""
    jobs = find_calls(variant, *OUTPUTS)
    return [(job, job.arguments[OUTPUTS[job.action]]) for job in jobs if OUTPUTS[job.action] in job.arguments]


def find_volume_key(call: Call, variant: str) -> str | None:
    """The key of the endpoint configurations that are made in a call's stack."""
    (config,) = (c for c in find_calls(variant, "CreateEndpointConfig") if c.template is call.template)
    key: str | None = config.arguments.get("KmsKeyId")
    return key


def test_who_changes_an_endpoint_with_a_key_may_grant_its_use(variant: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html, CreateEndpoint."""
    for call in find_calls(variant, "CreateEndpoint", "UpdateEndpoint"):
        if key := find_volume_key(call, variant):
            assert call.lets(call.caller, "kms:CreateGrant", key, FOR_AWS_ONLY), call.where
            assert call.lets(call.caller, "kms:DescribeKey", key), call.where


def test_who_changes_an_endpoint_without_a_key_grants_nothing() -> None:
    for call in find_calls("dev", "CreateEndpoint", "UpdateEndpoint"):
        actions = [a for s in list_statements(call.template, call.caller) for a in as_list(s["Action"])]

        assert [action for action in actions if action.startswith("kms:")] == [], call.where


def test_outputs_of_jobs_have_the_customers_key_where_there_is_one(variant: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html, KmsKeyId."""
    has_key = "Encryption/Key961B73FD" in find_resources(variant, "AWS::KMS::Key")

    for job, outputs in list_outputs(variant):
        assert ("Key961B73FD" in outputs.get("KmsKeyId", "")) is has_key, job.where


def test_roles_of_jobs_may_encrypt_their_outputs(variant: str) -> None:
    for job, outputs in list_outputs(variant):
        if key := outputs.get("KmsKeyId"):
            assert job.lets(job.role, "kms:Encrypt", key), job.where
            assert job.lets(job.role, "kms:GenerateDataKey", key), job.where
            assert job.lets(job.role, "kms:Decrypt", key), job.where


def list_in_vpc(variant: str, action: str) -> list[Call]:
    """The jobs of a kind that join a VPC."""
    return [job for job in find_calls(variant, action) if "VpcConfig" in str(job.arguments)]


def test_roles_of_processing_jobs_in_a_vpc_are_not_scoped(variant: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html, CreateProcessingJob.

    "Don't scope in the policy with any conditions or resource filters. Otherwise, the validation checks that occur
    during the creation of the processing job fail."
    """
    for job in list_in_vpc(variant, "CreateProcessingJob"):
        assert [action for action in JOINS_A_VPC if not job.lets(job.role, action, "*")] == [], job.where


def test_roles_of_training_jobs_in_a_vpc_may_join_it_and_no_other(variant: str) -> None:
    for job in list_in_vpc(variant, "CreateTrainingJob"):
        allowed = {a for s in list_statements(job.template, job.role) for a in as_list(s["Action"])}

        assert [action for action in JOINS_A_VPC if action not in allowed] == [], job.where
        assert not job.lets(job.role, "ec2:CreateNetworkInterface", "*"), job.where


def test_finds_the_calls_that_it_is_about() -> None:
    prod = {call.where for call in find_calls("prod", "CreateEndpoint", "UpdateEndpoint")}

    assert prod == {
        "BigMart/Create Endpoint",
        "BigMart/Update Endpoint",
        "Images/Create Endpoint",
        "Images/Update Endpoint",
    }
    assert all(find_volume_key(call, "prod") for call in find_calls("prod", "CreateEndpoint"))
    assert [job.where for job in list_in_vpc("prod", "CreateProcessingJob")] == ["Normalizer/Normalize"]
    assert [job.where for job in list_in_vpc("prod", "CreateTrainingJob")] == ["Images/Train"]
    assert [job.where for job, _ in list_outputs("prod")] == ["BigMart/Preprocess", "BigMart/Train", "Images/Train"]
