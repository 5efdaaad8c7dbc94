"""What a state machine's role must be allowed at endpoints: inputs name them, and their tags say whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.nag import wildcard_in_account
from stacks.ownership import REQUEST_TAG, RESOURCE_TAG, with_owner_tags
from stacks.pipeline.permission import Permission

_CONFIGS: Final = "endpoint-config/*"
_ENDPOINTS: Final = "endpoint/*"
_OURS: Final = (
    "An execution's input may name the endpoint; only one that has this environment's and workload's tags is meant."
)


@dataclass(frozen=True)
class EndpointPermissions:
    """Makes the statements.

    Args:
        scope: Any construct of the stack; gives the ARNs their partition, region and account.
        tags: The tags of what executions make.
        usual: The endpoint of the settings, if there is one: executions of early versions have made it without tags.
    """

    scope: Construct
    tags: Mapping[str, str]
    usual: str = ""

    def allow_looking(self) -> Permission:
        """Look at an endpoint, unless its tags say that it is another's: one that is missing has none.

        What changes endpoints must see that one has tags, too.
        """
        actions = ["DescribeEndpoint", *(["ListTags"] if self.usual else [])]
        return self._allow(actions, _ENDPOINTS, {"StringEqualsIfExists": self._with(RESOURCE_TAG)})

    def allow_creating(self) -> tuple[Permission, ...]:
        """Make an endpoint with these tags, of a configuration whose tags do not say that it is another's.

        One that a stop has noted may be of an early version, which made it without tags.
        """
        return (
            self._allow(["CreateEndpoint", "AddTags"], _ENDPOINTS, {"StringEquals": self._with(REQUEST_TAG)}),
            self._allow(["CreateEndpoint"], _CONFIGS, {"StringEqualsIfExists": self._with(RESOURCE_TAG)}),
        )

    def allow_updating(self) -> tuple[Permission, ...]:
        """Give an endpoint that has these tags a configuration that has them."""
        tagged = {"StringEquals": self._with(RESOURCE_TAG)}
        ours = [self._allow(["UpdateEndpoint"], resource, tagged) for resource in (_ENDPOINTS, _CONFIGS)]
        if self.usual:
            # SageMaker writes the names of endpoints in lower case in their ARNs.
            untagged = {"StringEqualsIfExists": self._with(RESOURCE_TAG)}
            ours.append(self._allow(["UpdateEndpoint"], f"endpoint/{self.usual.lower()}", untagged))
        return tuple(ours)

    def allow_resizing(self) -> tuple[Permission, ...]:
        """Let an endpoint that has these tags be scaled: Application Auto Scaling asks whether the caller may do it."""
        actions = ["DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"]
        tagged = {"StringEquals": self._with(RESOURCE_TAG)}
        return self._allow(actions, _ENDPOINTS, tagged), self._allow(["DescribeEndpointConfig"], _CONFIGS, tagged)

    def _with(self, key: str) -> Mapping[str, str]:
        return with_owner_tags(key, self.tags)

    def _allow(self, actions: list[str], resource: str, conditions: Mapping[str, Any]) -> Permission:
        kind, _, name = resource.partition("/")
        arn = Stack.of(self.scope).format_arn(service="sagemaker", resource=kind, resource_name=name)
        return Permission(
            statement=iam.PolicyStatement(
                actions=[f"sagemaker:{action}" for action in actions], resources=[arn], conditions=conditions
            ),
            findings={wildcard_in_account("sagemaker", resource): _OURS} if name == "*" else {},
        )
