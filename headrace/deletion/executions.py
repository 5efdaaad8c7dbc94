"""What executions have made outside of the stacks, models and endpoints, found by the stacks' own roles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import boto3

from headrace.deletion.standing import StandingStack
from headrace.deletion.waiting import wait_until
from headrace.recipes import list_recipes

ROLE: Final = "AWS::IAM::Role"
STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
# SageMaker makes one for each endpoint.
_ENDPOINT_LOGS: Final = "/aws/sagemaker/Endpoints/"
_STACK_TAG: Final = "aws:cloudformation:stack-name"


@dataclass(frozen=True)
class Made:
    """The names of what executions have made."""

    endpoints: tuple[str, ...] = ()
    configurations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def find_made(stacks: Sequence[StandingStack]) -> Made:
    """What runs under the roles of some stacks, and the endpoints that bear their names but serve no other model."""
    sagemaker: Any = boto3.client("sagemaker")
    roles = {role for stack in stacks for role in stack.list_ids(ROLE)}
    named = {stack.outputs[name] for stack in stacks for name in _endpoint_outputs() if name in stack.outputs}
    models = _describe_all(sagemaker, "model")
    ours = {name for name, model in models.items() if model.get("ExecutionRoleArn", "").rpartition("/")[2] in roles}
    served = {
        name: {variant.get("ModelName") for variant in configuration["ProductionVariants"]}
        for name, configuration in _describe_all(sagemaker, "endpoint_config").items()
    }
    configurations = {name for name, serves in served.items() if serves & ours}
    others = {name for name, serves in served.items() if serves & (models.keys() - ours)}
    endpoints = {
        name
        for name, endpoint in _describe_all(sagemaker, "endpoint").items()
        if endpoint.get("EndpointConfigName") in configurations
        # Its model or configuration may be gone; but others may use the same name, and theirs stays.
        or (name in named and endpoint.get("EndpointConfigName") not in others)
    }
    return Made(*(tuple(sorted(names)) for names in (endpoints, configurations, ours)))


def stop_executions(stacks: Sequence[StandingStack]) -> None:
    """Stop what the state machines of some stacks are doing, and so the jobs that they wait for."""
    states: Any = boto3.client("stepfunctions")
    for arn in (arn for stack in stacks for arn in stack.list_ids(STATE_MACHINE)):
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter="RUNNING")
        for execution in [execution for page in pages for execution in page["executions"]]:
            states.stop_execution(executionArn=execution["executionArn"], cause="the environment is being deleted")


def delete_made(made: Made, stacks: Sequence[StandingStack]) -> None:
    """Delete endpoints and wait until they are gone, then their logs, then what they were made of."""
    sagemaker: Any = boto3.client("sagemaker")
    for endpoint in made.endpoints:
        sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: not set(made.endpoints) & set(_list_names(sagemaker, "endpoint")))
    named = {stack.outputs[name] for stack in stacks for name in _endpoint_outputs() if name in stack.outputs}
    # An endpoint that still stands is somebody else's.
    _delete_logs({*made.endpoints, *named} - {*_list_names(sagemaker, "endpoint")})
    for configuration in made.configurations:
        sagemaker.delete_endpoint_config(EndpointConfigName=configuration)
    for model in made.models:
        sagemaker.delete_model(ModelName=model)


def delete_versions(group: str) -> None:
    """Delete the versions in a model package group: SageMaker deletes none that has some."""
    sagemaker: Any = boto3.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for version in [version for page in pages for version in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=version["ModelPackageArn"])


def _endpoint_outputs() -> list[str]:
    return [recipe.endpoint_name_output for recipe in list_recipes()]


def _delete_logs(endpoints: Collection[str]) -> None:
    """Delete the log groups of endpoints, but for those that a stack owns, which is then another one's."""
    logs: Any = boto3.client("logs")
    for name in (f"{_ENDPOINT_LOGS}{endpoint}" for endpoint in sorted(endpoints)):
        found = [group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]]
        if name in found and _STACK_TAG not in logs.list_tags_log_group(logGroupName=name)["tags"]:
            logs.delete_log_group(logGroupName=name)


def _describe_all(sagemaker: Any, kind: str) -> dict[str, dict[str, Any]]:
    """The descriptions of all resources of a kind, by name."""
    describe, key = getattr(sagemaker, f"describe_{kind}"), _name_key(kind)
    return {name: describe(**{key: name}) for name in _list_names(sagemaker, kind)}


def _list_names(sagemaker: Any, kind: str) -> list[str]:
    key = _name_key(kind)
    pages = sagemaker.get_paginator(f"list_{kind}s").paginate()
    return [found[key] for page in pages for found in page[f"{key.removesuffix('Name')}s"]]


def _name_key(kind: str) -> str:
    return f"{kind.title().replace('_', '')}Name"
