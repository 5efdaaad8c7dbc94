"""Deploys the CDK app to the local cloud with the real CDK command line, and reads what it deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from headrace import contract
from headrace.assemblies import read_folder
from headrace.cdk import find_bootstrap_template, find_cdk, find_toolchain
from headrace.checkout import CHECKOUT
from headrace.container_images import container_image_tag
from headrace.errors import HeadraceError
from headrace.local.engine.cloud import REGION, LocalCloud, is_running
from headrace.object_lambda import ObjectLambdaAttempt
from headrace.recipes import ContainerImage, Recipe, list_container_images, list_recipes
from headrace.tools import Tool, ToolError, run_tool

_PLAIN: Final = ("--no-color", "--no-notices", "--ci")
_TOOLKIT_STACK: Final = "CDKToolkit"


class NotDeployedError(HeadraceError):
    """The stacks of an environment do not stand."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the stacks of one environment say of themselves.

    Args:
        environment: Which.
        outputs: Their outputs, by name.
        left_out: What this deployment has not made because the account is refused it, in a line; empty for nothing.
    """

    environment: str
    outputs: Mapping[str, str]
    left_out: str = ""

    @property
    def raw_bucket(self) -> str:
        """The bucket that raw rows go into."""
        return self.outputs[contract.RAW_BUCKET_OUTPUT]

    def state_machine_arn(self, workload: Recipe) -> str:
        """The pipeline of a workload."""
        return self.outputs[workload.state_machine_output]

    def live_alias_arn(self, workload: Recipe) -> str:
        """The alias by which executions of a workload's pipeline are started; the pipeline where it has none yet."""
        return self.outputs.get(workload.live_alias_output, self.state_machine_arn(workload))

    def endpoint_name(self, workload: Recipe) -> str:
        """The endpoint of a workload that executions create or update when their input names none.

        Raises:
            NotDeployedError: If the environment's stacks do not stand.
        """
        if workload.endpoint_name_output not in self.outputs:
            raise NotDeployedError(
                f"the environment '{self.environment}' is not deployed to this local cloud; "
                f"deploy it with 'headrace local up --env {self.environment}'"
            )
        return self.outputs[workload.endpoint_name_output]

    @property
    def images(self) -> dict[str, ContainerImage]:
        """The URIs of our container images that the pipelines use, and the container each stands for.

        An output may have an earlier tag: the engine takes a template of which only outputs have changed for unchanged.
        """
        repositories = {
            c: self.outputs[c.image_output].rpartition(":")[0]
            for c in list_container_images()
            if c.image_output in self.outputs
        }
        return {
            f"{repository}:{container_image_tag(container)}": container
            for container, repository in repositories.items()
        }

    @property
    def stand_ins(self) -> dict[str, ContainerImage]:
        """The URIs of built-in algorithms that the pipelines use, and the container of ours that stands in for each."""
        return {
            self.outputs[recipe.algorithm_output]: recipe.training.image
            for recipe in list_recipes()
            if recipe.algorithm_output in self.outputs
        }


def start_synthesis(environment: str, assembly: Path, *context: str, target: str = "host") -> Tool:
    """Start to synthesize the app into a folder; needs no credentials, network or running cloud.

    Args:
        environment: Which of cdk.json.
        assembly: The folder.
        context: What else to tell the app, as NAME=VALUE.
        target: Where Lambda functions are to run: under this Python, unless it says otherwise.
    """
    command = [*_cdk(), "synth", "--quiet", "--output", str(assembly)]
    for entry in (f"env={environment}", f"{contract.BUNDLE_TARGET_CONTEXT}={target}", *context):
        command += ["--context", entry]
    return Tool("cdk synth", command, environment=find_toolchain(), directory=CHECKOUT)


def bootstrap(cloud: LocalCloud) -> None:
    """Prepare the local cloud's account for CDK: the stack of `cdk bootstrap`, without its command line's seconds."""
    cloudformation: Any = boto3.client("cloudformation", **_clients(cloud))
    cloudformation.create_stack(
        StackName=_TOOLKIT_STACK,
        TemplateBody=find_bootstrap_template().read_text(encoding="utf-8"),
        # What the command gives unless it is told otherwise; all else is the template's default.
        Parameters=[{"ParameterKey": "FileAssetsBucketKmsKeyId", "ParameterValue": "AWS_MANAGED_KEY"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=_TOOLKIT_STACK, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_200})


def deploy(cloud: LocalCloud, assembly: Path) -> str:
    """Deploy every stack of a synthesized app; what was left out because the account is refused it.

    Raises:
        ToolError: With the command line's own words.
    """
    last = read_folder(assembly).stack_names.get(contract.OBJECT_LAMBDA_STACK)
    attempt = ObjectLambdaAttempt(boto3.client("cloudformation", **_clients(cloud)), last)
    command = [*_cdk(), "deploy", "--all", "--app", str(assembly), "--require-approval", "never", "--concurrency", "3"]
    # The command line would try to reach a cloud that has ended for minutes.
    try:
        run_tool(
            "cdk deploy",
            command,
            environment=_cdk_environment(cloud),
            directory=CHECKOUT,
            is_of_use=lambda: is_running(cloud.root),
        )
    except ToolError:
        if not is_running(cloud.root) or not (refusal := attempt.find_refusal()):
            raise
        return refusal
    return ""


def read_deployment(environment: str) -> Deployment:
    """The outputs of an environment's stacks, as the AWS clients of this process see them."""
    cloudformation: Any = boto3.client("cloudformation")
    prefix = contract.stack_name(environment, "")
    outputs: dict[str, str] = {}
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(prefix):
                outputs |= {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Deployment(environment=environment, outputs=outputs)


def _cdk() -> list[str]:
    return [*find_cdk(), *_PLAIN]


def _clients(cloud: LocalCloud) -> dict[str, str]:
    return {
        "endpoint_url": cloud.endpoint_url,
        "region_name": REGION,
        "aws_access_key_id": cloud.key.key_id,
        "aws_secret_access_key": cloud.key.secret,
    }


def _cdk_environment(cloud: LocalCloud) -> dict[str, str]:
    return {
        **find_toolchain(),
        **cloud.client_environment,
        # The engine distinguishes a bucket from a path by the host name here.
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{cloud.port}",
    }
