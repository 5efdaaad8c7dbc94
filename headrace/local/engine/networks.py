"""The VPCs of the local cloud, as the network of jobs and endpoints: nothing here keeps a connection from being made.

What a job could not reach on AWS is known before it starts, so that it need not hang for that to be seen.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_network
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from headrace import network
from headrace.local.engine.resources import SECURITY_GROUP_EGRESS, SECURITY_GROUP_INGRESS, Properties, ResourceWatcher
from headrace.network import Group, Network, SecurityGroupRule, VpcAttachment

_ALL_PORTS: Final = (0, 65535)
_ALL_PROTOCOLS: Final = "-1"
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_INTERNET_GATEWAY: Final = "igw-"


class _UnknownGroupError(ValueError):
    """A rule of a group that does not exist, or no longer."""


class LustreGroups(Protocol):
    """What is known of FSx for Lustre file systems; their API does not tell their security groups."""

    def list_lustre_groups(self, file_system_id: str) -> tuple[str, ...]:
        """The security groups of a file system; none if there is no such file system."""


class Networks:
    """What jobs and endpoints reach from their VPCs.

    Args:
        open_client: Makes a boto3 client; those that are needed are made when they are, because EC2's takes long.
        lustre: The FSx for Lustre file systems.
    """

    def __init__(self, open_client: Callable[[str], Any], lustre: LustreGroups) -> None:
        self._open_client = open_client
        self._lustre = lustre
        self._rules: dict[str, tuple[str, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _ec2(self) -> Any:
        return self._open_client("ec2")

    @cached_property
    def _efs(self) -> Any:
        return self._open_client("efs")

    def list_watchers(self) -> dict[str, ResourceWatcher]:
        """What makes and removes the rules of templates, by their type."""
        return {
            SECURITY_GROUP_INGRESS: ResourceWatcher(create=self._add_ingress, delete=self._remove_rule),
            SECURITY_GROUP_EGRESS: ResourceWatcher(create=self._add_egress, delete=self._remove_rule),
        }

    def list_obstacles(
        self, vpc_config: Mapping[str, Any], *, file_systems: Iterable[tuple[str, str]], urls: Iterable[str]
    ) -> list[str]:
        """What keeps a job from S3, its file systems and function URLs; nothing where that cannot be judged.

        Args:
            vpc_config: The job's subnets and security groups, as SageMaker's API has them.
            file_systems: The ids and types of the file systems that it mounts.
            urls: The function URLs that it is given.
        """
        place = VpcAttachment(tuple(vpc_config["Subnets"]), tuple(vpc_config["SecurityGroupIds"]))
        subnets = self._ec2.describe_subnets()["Subnets"]
        vpcs = sorted({subnet["VpcId"] for subnet in subnets if subnet["SubnetId"] in place.subnets})
        if not vpcs:
            return []
        groups = self._ec2.describe_security_groups()["SecurityGroups"]
        if obstacle := _find_other_vpc(place, vpcs, groups):
            return [obstacle]
        (vpc,) = vpcs
        ids = [subnet["SubnetId"] for subnet in subnets if subnet["VpcId"] == vpc]
        found = self._read(vpc, ids, [group for group in groups if group["VpcId"] == vpc])
        systems = [system for name, kind in file_systems if (system := self._find_file_system(name, kind, vpc))]
        obstacles = [
            found.find_obstacle_to_s3(place),
            *(found.find_obstacle_to_file_system(place, system) for system in systems),
            *(found.find_obstacle_to_url(place, url) for url in urls),
        ]
        return [obstacle for obstacle in obstacles if obstacle]

    def _read(self, vpc: str, subnets: Iterable[str], groups: Iterable[Mapping[str, Any]]) -> Network:
        of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        tables = self._ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
        endpoints = self._ec2.describe_vpc_endpoints()["VpcEndpoints"]
        # The engine does not know this filter for endpoints, and would answer with those of all VPCs.
        of_s3 = [found for found in endpoints if found["VpcId"] == vpc and found["ServiceName"].endswith(".s3")]
        gateways = [endpoint for endpoint in of_s3 if endpoint["VpcEndpointType"] == "Gateway"]
        return Network(
            groups={
                group["GroupId"]: Group(
                    ingress=_read_rules(group["IpPermissions"]), egress=_read_rules(group["IpPermissionsEgress"])
                )
                for group in groups
            },
            tables=_read_associations(tables, subnets),
            leading_out=frozenset(table["RouteTableId"] for table in tables if _leads_out(table)),
            leading_to_s3=frozenset(table for gateway in gateways for table in gateway["RouteTableIds"]),
            has_s3_interface=len(of_s3) > len(gateways),
        )

    def _find_file_system(self, file_system_id: str, kind: str, vpc: str) -> network.FileSystem | None:
        """One that does not exist is refused where it would be mounted."""
        if kind == network.FSX_LUSTRE:
            lustre = self._lustre.list_lustre_groups(file_system_id)
            return network.FileSystem(file_system_id, kind, lustre) if lustre else None
        try:
            targets = self._efs.describe_mount_targets(FileSystemId=file_system_id)["MountTargets"]
        except ClientError:
            return None
        ids = [target["MountTargetId"] for target in targets if target.get("VpcId", vpc) == vpc]
        answers = (self._efs.describe_mount_target_security_groups(MountTargetId=name) for name in ids)
        groups = {group for answer in answers for group in answer["SecurityGroups"]}
        return network.FileSystem(file_system_id, kind, tuple(sorted(groups)))

    def _add_ingress(self, rule_id: str, properties: Properties) -> None:
        self._add(rule_id, "ingress", properties, "Source")

    def _add_egress(self, rule_id: str, properties: Properties) -> None:
        self._add(rule_id, "egress", properties, "Destination")

    def _add(self, rule_id: str, direction: str, properties: Properties, other: str) -> None:
        rule = (direction, _write_permission(properties, other))
        # Stacks are deployed side by side.
        with self._lock:
            if self._has(*rule):
                raise ValueError(f"the specified rule of {properties['GroupId']} already exists: {rule[1]}")
            self._call("authorize", *rule)
            self._rules[rule_id] = rule

    def _has(self, direction: str, permission: Mapping[str, Any]) -> bool:
        """Whether a group has a rule already, perhaps in other words, or from its own resource in the template."""
        side = "IpPermissions" if direction == "ingress" else "IpPermissionsEgress"
        groups = self._ec2.describe_security_groups()["SecurityGroups"]
        standing = [rule for group in groups if group["GroupId"] == permission["GroupId"] for rule in group[side]]
        return not _spell_rules(permission["IpPermissions"]).isdisjoint(_spell_rules(standing))

    def _remove_rule(self, rule_id: str) -> None:
        with self._lock:
            if rule := self._rules.pop(rule_id, None):
                with suppress(_UnknownGroupError):
                    self._call("revoke", *rule)

    def _call(self, verb: str, direction: str, permission: Mapping[str, Any]) -> None:
        try:
            getattr(self._ec2, f"{verb}_security_group_{direction}")(**permission)
        except ClientError as error:
            is_unknown = error.response["Error"]["Code"] == "InvalidGroup.NotFound"
            raise (_UnknownGroupError if is_unknown else ValueError)(str(error)) from error


def _find_other_vpc(place: VpcAttachment, vpcs: list[str], groups: Iterable[Mapping[str, Any]]) -> str:
    """What is not in the one VPC that a job can be in."""
    if len(vpcs) > 1:
        return f"the subnets {', '.join(place.subnets)} are in several VPCs, {', '.join(vpcs)}"
    others = [g["GroupId"] for g in groups if g["GroupId"] in place.groups and g["VpcId"] != vpcs[0]]
    return f"the security groups {', '.join(others)} are not in the VPC of the subnets, {vpcs[0]}" if others else ""


def _write_permission(properties: Properties, other: str) -> dict[str, Any]:
    """A rule of a template as EC2's API takes it."""
    permission: dict[str, Any] = {"IpProtocol": str(properties["IpProtocol"])}
    for port in ("FromPort", "ToPort"):
        if port in properties:
            permission[port] = int(properties[port])
    if "CidrIp" in properties:
        permission["IpRanges"] = [{"CidrIp": properties["CidrIp"]}]
    if "CidrIpv6" in properties:
        permission["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"]}]
    if group := properties.get(f"{other}SecurityGroupId"):
        permission["UserIdGroupPairs"] = [{"GroupId": group}]
    if prefixes := properties.get(f"{other}PrefixListId"):
        permission["PrefixListIds"] = [{"PrefixListId": prefixes}]
    return {"GroupId": properties["GroupId"], "IpPermissions": [permission]}


def _spell_rules(permissions: Iterable[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """Rules in words that are the same where they are: the protocol, the ports and the other side."""
    spelt: set[tuple[str, ...]] = set()
    for permission in permissions:
        protocol = _PROTOCOLS.get(str(permission["IpProtocol"]), str(permission["IpProtocol"]))
        ends = (permission.get("FromPort", _ALL_PORTS[0]), permission.get("ToPort", _ALL_PORTS[1]))
        ports = tuple(map(str, ends)) if protocol != _ALL_PROTOCOLS else ()
        others = [pair["GroupId"] for pair in permission.get("UserIdGroupPairs", [])]
        others += [str(ip_network(block["CidrIp"], strict=False)) for block in permission.get("IpRanges", [])]
        others += [str(ip_network(block["CidrIpv6"], strict=False)) for block in permission.get("Ipv6Ranges", [])]
        others += [prefixes["PrefixListId"] for prefixes in permission.get("PrefixListIds", [])]
        spelt |= {(protocol, *ports, other) for other in others}
    return spelt


def _read_rules(permissions: Iterable[Mapping[str, Any]]) -> frozenset[SecurityGroupRule]:
    rules: set[SecurityGroupRule] = set()
    for permission in permissions:
        if permission["IpProtocol"] not in ("tcp", "6", "-1"):
            continue
        ports = (permission["FromPort"], permission["ToPort"]) if "FromPort" in permission else _ALL_PORTS
        others = [pair["GroupId"] for pair in permission.get("UserIdGroupPairs", [])]
        others += [block["CidrIp"] for block in permission.get("IpRanges", [])]
        others += [prefixes["PrefixListId"] for prefixes in permission.get("PrefixListIds", [])]
        rules |= {
            SecurityGroupRule(other, *(ports if permission["IpProtocol"] != "-1" else _ALL_PORTS)) for other in others
        }
    return frozenset(rules)


def _read_associations(tables: Iterable[Mapping[str, Any]], subnets: Iterable[str]) -> dict[str, str]:
    """The route table of each subnet: its own, or the main one of the VPC."""
    found: dict[str, str] = {}
    main: str | None = None
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("Main"):
                main = table["RouteTableId"]
            elif "SubnetId" in association:
                found[association["SubnetId"]] = table["RouteTableId"]
    of_others = {} if main is None else dict.fromkeys(subnets, main)
    return {**of_others, **found}


def _leads_out(table: Mapping[str, Any]) -> bool:
    """An internet gateway leads out only what has a public address."""
    return any(
        route.get("DestinationCidrBlock") == network.EVERYWHERE
        and not route.get("GatewayId", "").startswith(_INTERNET_GATEWAY)
        for route in table.get("Routes", [])
    )
