"""The network in which training jobs meet their file systems."""

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from stacks.constructs.isolated_network import ExistingNetwork, IsolatedNetwork
from stacks.constructs.security_groups import SecurityGroups
from stacks.settings.network import NetworkSettings
from stacks.storage_stack import StorageStack


class NetworkStack(Stack):
    """A VPC without a way to the internet, or one that is there already, and who may speak to whom in it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NetworkSettings,
        storage: StorageStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        network: IsolatedNetwork | ExistingNetwork = (
            ExistingNetwork(self, "Network", settings=settings.existing)
            if settings.existing
            else IsolatedNetwork(
                self, "Network", settings=settings, buckets=[storage.raw, storage.work], key=storage.key
            )
        )
        self.vpc = network.vpc
        self.subnets = network.subnets
        self.groups = SecurityGroups(self, "Groups", vpc=self.vpc)
        if isinstance(network, IsolatedNetwork):
            network.add_interface_endpoints(settings.interface_endpoints, self.groups.endpoints)
