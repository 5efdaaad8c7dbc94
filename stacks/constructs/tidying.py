"""The function that deletes what executions before the last ones have made for endpoints."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas import tidy
from lambdas.tidy import contract
from lambdas.tidy.contract import Variable
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.ownership import RESOURCE_TAG, pick_owner_tags, with_owner_tags
from stacks.settings.bundle_target import BundleTarget

_PROGRAM: Final = Program(
    source=Path(tidy.__path__[0]),
    handler=contract.FUNCTION_HANDLER,
    memory_mib=contract.MEMORY_MIB,
    timeout_seconds=contract.TIMEOUT_SECONDS,
)
_CONFIGS: Final = "endpoint-config/*"
_ENDPOINTS: Final = "endpoint/*"
_MODELS: Final = "model/*"


class Tidying(PipelineFunction):
    """May see what endpoints use, and delete what has the workload's tags or is a version in its group.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        tags: The tags of what the workload's executions make.
        group: Its model package group.
        keep: How many configurations, models and versions stay.
        timeout_hours: How long an execution may take: whatever is younger stays.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tags: Mapping[str, str],
        group: str,
        keep: int,
        timeout_hours: int,
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=_PROGRAM,
            environment={
                Variable.GROUP: group,
                Variable.TAGS: json.dumps(pick_owner_tags(tags)),
                Variable.KEEP: str(keep),
                Variable.HOURS: str(timeout_hours),
            },
            target=target,
            log=log,
        )
        self._allow_looking()
        self._allow_deleting(tags)
        self._allow_versions(group)

    def _allow_looking(self) -> None:
        listing = ["ListEndpoints", "ListEndpointConfigs", "ListModels", "ListModelPackages"]
        self._allow(listing, "*")
        self._allow(["DescribeEndpoint"], self._format_arn(_ENDPOINTS))
        self._allow(["DescribeEndpointConfig", "ListTags"], self._format_arn(_CONFIGS))
        self._allow(["DescribeModel", "ListTags"], self._format_arn(_MODELS))
        reason = "What an endpoint uses must stay, whosever endpoint it is; so all of them are looked at."
        acknowledge(
            self.role,
            {
                wildcard_resource("*"): "SageMaker knows no resources for listing.",
                **{wildcard_in_account("sagemaker", kind): reason for kind in (_ENDPOINTS, _CONFIGS, _MODELS)},
            },
        )

    def _allow_deleting(self, tags: Mapping[str, str]) -> None:
        """Executions name what they make, so the tags alone say whose it is."""
        tagged = {"StringEquals": with_owner_tags(RESOURCE_TAG, tags)}
        self._allow(["DeleteEndpointConfig"], self._format_arn(_CONFIGS), tagged)
        self._allow(["DeleteModel"], self._format_arn(_MODELS), tagged)

    def _allow_versions(self, group: str) -> None:
        versions = f"model-package/{group}/*"
        self._allow(["DescribeModelPackage", "DeleteModelPackage"], self._format_arn(versions))
        reason = "SageMaker numbers the versions of a model package group; the group's own name limits which are meant."
        acknowledge(self.role, {wildcard_in_account("sagemaker", versions): reason})

    def _allow(self, actions: list[str], resource: str, conditions: dict[str, dict[str, str]] | None = None) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"sagemaker:{action}" for action in actions], resources=[resource], conditions=conditions or {}
            )
        )

    def _format_arn(self, resource: str) -> str:
        kind, _, name = resource.partition("/")
        return Stack.of(self).format_arn(service="sagemaker", resource=kind, resource_name=name)
