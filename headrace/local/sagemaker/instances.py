"""The instances of a job: each a folder, a name, an address of this machine, and its part of the data.

A job of several instances finds them as on SageMaker, by the names in `resourceconfig.json`. Where a program can have
its own mounts, or runs in a container, its `/etc/hosts` has the names; elsewhere only a variable does:

    HEADRACE_HOSTS=algo-1=127.81.4.1,algo-2=127.81.4.2
"""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.sagemaker.launcher_command import can_place
from headrace.local.sagemaker.shards import Shard
from headrace.local.sagemaker.trees import HOSTS_FILE, SYSTEM_HOSTS, ContainerTree
from headrace.loopback import LOOPBACK

HOSTS_VARIABLE: Final = "HEADRACE_HOSTS"
_GROUP: Final = "homogeneousCluster"


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One machine of a job.

    Args:
        shard: Which of how many it is.
        tree: Its files.
        addresses: That of each instance of the job, by name.
    """

    shard: Shard
    tree: ContainerTree
    addresses: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the others call it."""
        return name_host(self.shard.index)

    @property
    def is_alone(self) -> bool:
        """Whether it is the only one of its job."""
        return self.shard.count == 1

    @property
    def environment(self) -> dict[str, str]:
        """How a program finds the others where names are not resolved, and its part of the processors.

        Threads that wait for each other while they spin, as OpenMP's do, come to a standstill where there are more of
        them than processors.
        """
        if self.is_alone:
            return {}
        hosts = ",".join(f"{name}={address}" for name, address in self.addresses.items())
        threads = max(1, (os.cpu_count() or 1) // self.shard.count)
        return {HOSTS_VARIABLE: hosts, "OMP_NUM_THREADS": str(threads)}

    def prepare_names(self) -> tuple[str, ...]:
        """The launcher's words that let a program resolve the names; none where the system allows no mounts."""
        file = self.tree.folder / HOSTS_FILE
        return ("mount", str(file), str(SYSTEM_HOSTS)) if file.exists() and can_place() else ()


def name_host(index: int) -> str:
    """What SageMaker calls an instance, counted from 0."""
    return f"algo-{index + 1}"


def make_instances(tree: ContainerTree, count: int) -> list[Instance]:
    """The instances of a job, with their folders below its own."""
    addresses = find_addresses(count)
    instances = [
        Instance(
            shard=Shard(index, count),
            tree=tree if count == 1 else ContainerTree.create(tree.folder / name),
            addresses=addresses,
        )
        for index, name in enumerate(addresses)
    ]
    if count > 1:
        known = SYSTEM_HOSTS.read_text(encoding="utf-8") if SYSTEM_HOSTS.exists() else ""
        lines = "".join(f"{address}\t{name}\n" for name, address in addresses.items())
        for instance in instances:
            (instance.tree.folder / HOSTS_FILE).write_text(f"{known.rstrip()}\n{lines}", encoding="utf-8")
    return instances


def find_addresses(count: int) -> dict[str, str]:
    """An address for each instance, which those of other jobs do not have.

    Linux has all of 127.0.0.0/8. Elsewhere there is one address, which they share.
    """
    # By chance, because several local clouds may run here.
    network = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"  # noqa: S311 (not a secret)
    has_own = count > 1 and can_bind(f"{network}.1")
    return {name_host(index): f"{network}.{index + 1}" if has_own else LOOPBACK for index in range(count)}


def can_bind(address: str) -> bool:
    """Whether a server can have an address here."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def describe_resources(resources: Mapping[str, Any], instance: Instance) -> dict[str, Any]:
    """resourceconfig.json of an instance."""
    instance_type = resources.get("InstanceType", "local")
    hosts = list(instance.addresses)
    return {
        "current_host": instance.name,
        "current_instance_type": instance_type,
        "current_group_name": _GROUP,
        "hosts": hosts,
        "instance_groups": [{"instance_group_name": _GROUP, "instance_type": instance_type, "hosts": hosts}],
        "network_interface_name": "lo",
    }
