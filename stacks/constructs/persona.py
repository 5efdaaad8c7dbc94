"""A managed policy for one kind of people."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.pipeline.permission import Permission

_NAMED_LATER = (
    "Executions name what they make, so only the environment's tags tell it from what others have in the account."
)
_NO_RESOURCES = "These actions know no resources: they list names, or read metrics, of the whole account."


class Persona(iam.ManagedPolicy):
    """A policy to attach to a role or to a permission set, which needs its name in every account.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        name: Its name in IAM.
        description: Who it is for.
        tags: The tags of what the environment makes.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, description: str, tags: Mapping[str, str]
    ) -> None:
        super().__init__(scope, construct_id, managed_policy_name=name, description=description)
        self._tags = tags

    def allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        *,
        conditions: Mapping[str, Any] | None = None,
        findings: Mapping[str, str] | None = None,
    ) -> None:
        """Allow actions on resources; the findings are what cdk-nag says of them."""
        statement = iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions or {})
        self.allow_all([Permission(statement=statement, findings=findings or {})])

    def deny(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Forbid actions on resources, whatever other policies allow."""
        self.add_statements(
            iam.PolicyStatement(effect=iam.Effect.DENY, actions=list(actions), resources=list(resources))
        )

    def deny_named(self, actions: Sequence[str], service: str, resources: Sequence[str], *, reason: str) -> None:
        """Forbid actions on resources of the account whose names are patterns."""
        self.deny(actions, self._format_arns(service, resources))
        acknowledge(self, _list_findings(service, resources, reason))

    def allow_all(self, permissions: Sequence[Permission]) -> None:
        """Allow what others need, too."""
        for permission in permissions:
            self.add_statements(permission.statement)
            acknowledge(self, permission.findings)

    def allow_anywhere(self, actions: Sequence[str]) -> None:
        """Allow actions that know no resources."""
        self.allow(actions, ["*"], findings={wildcard_resource("*"): _NO_RESOURCES})

    def allow_named(
        self, actions: Sequence[str], service: str, resources: Sequence[str], *, reason: str, **conditions: Any
    ) -> None:
        """Allow actions on resources of the account whose names are patterns."""
        findings = _list_findings(service, resources, reason)
        self.allow(actions, self._format_arns(service, resources), conditions=conditions, findings=findings)

    def allow_tagged(self, actions: Sequence[str], resources: Sequence[str], **conditions: Any) -> None:
        """Allow actions on SageMaker's resources of these kinds that have the environment's tags."""
        tags = {f"aws:ResourceTag/{key}": value for key, value in self._tags.items()}
        patterns = [f"{resource}/*" for resource in resources]
        self.allow_named(actions, "sagemaker", patterns, reason=_NAMED_LATER, StringEquals=tags, **conditions)

    def _format_arns(self, service: str, resources: Sequence[str]) -> list[str]:
        return [
            Stack.of(self).format_arn(service=service, resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME)
            for resource in resources
        ]


def _list_findings(service: str, resources: Sequence[str], reason: str) -> dict[str, str]:
    return {wildcard_in_account(service, resource): reason for resource in resources if "*" in resource}
