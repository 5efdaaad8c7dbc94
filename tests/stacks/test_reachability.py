"""Who reaches what in the network, worked out from routes, groups and endpoints of the templates."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import find_resources, template_of

EVERYWHERE = "0.0.0.0/0"
NFS, HTTPS = 2049, 443
LUSTRE = (988, 1018, 1023)


@dataclass(frozen=True)
class Rule:
    """One rule of a group: the other side, and the ports."""

    other: str
    first_port: int
    last_port: int


@dataclass
class Group:
    """A security group's rules."""

    ingress: set[Rule] = field(default_factory=set)
    egress: set[Rule] = field(default_factory=set)
    closes_default_egress: bool = False


class Network:
    """The network of a template."""

    def __init__(self, variant: str) -> None:
        self.resources: dict[str, Any] = dict(template_of("Network", variant).to_json()["Resources"])
        self.groups = self._read_groups()

    def of_kind(self, kind: str) -> dict[str, Any]:
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == f"AWS::EC2::{kind}"}

    def reaches(self, source: str, target: str, port: int) -> bool:
        """Whether one group lets a connection to another out, and that one lets it in."""
        out = any(r.other == target and r.first_port <= port <= r.last_port for r in self.groups[source].egress)
        into = any(r.other == source and r.first_port <= port <= r.last_port for r in self.groups[target].ingress)
        return out and into

    def connections(self) -> set[tuple[str, str]]:
        """Every pair of groups that any port is open between."""
        return {
            (source, rule.other)
            for source, group in self.groups.items()
            for rule in group.egress
            if rule.other in self.groups and self.reaches(source, rule.other, rule.first_port)
        }

    def training_subnets(self) -> list[str]:
        return [name for name in self.of_kind("Subnet") if "Public" not in name]

    def route_table(self, subnet: str) -> str:
        (table,) = (
            a["RouteTableId"]["Ref"]
            for a in self.of_kind("SubnetRouteTableAssociation").values()
            if a["SubnetId"]["Ref"] == subnet
        )
        return str(table)

    def routes_to_internet(self, subnet: str) -> bool:
        return any(
            route["RouteTableId"]["Ref"] == self.route_table(subnet) and route["DestinationCidrBlock"] == EVERYWHERE
            for route in self.of_kind("Route").values()
        )

    def routes_to_s3(self, subnet: str) -> bool:
        tables = [
            table["Ref"]
            for endpoint in self.of_kind("VPCEndpoint").values()
            if endpoint.get("VpcEndpointType") == "Gateway" and ".s3" in str(endpoint["ServiceName"])
            for table in endpoint["RouteTableIds"]
        ]
        return self.route_table(subnet) in tables

    def _read_groups(self) -> dict[str, Group]:
        groups = {_short(name): Group() for name in self.of_kind("SecurityGroup")}
        for name, properties in self.of_kind("SecurityGroup").items():
            inline = properties.get("SecurityGroupEgress", [])
            groups[_short(name)].closes_default_egress = bool(inline)
            groups[_short(name)].egress |= {_read_rule(rule, rule["CidrIp"]) for rule in inline}
            assert "SecurityGroupIngress" not in properties
        for rule in self.of_kind("SecurityGroupEgress").values():
            target = _short(rule["DestinationSecurityGroupId"]["Fn::GetAtt"][0])
            groups[_short(rule["GroupId"]["Fn::GetAtt"][0])].egress.add(_read_rule(rule, target))
        for rule in self.of_kind("SecurityGroupIngress").values():
            source = _short(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0])
            groups[_short(rule["GroupId"]["Fn::GetAtt"][0])].ingress.add(_read_rule(rule, source))
        return groups


def _short(logical_id: str) -> str:
    return logical_id.removeprefix("Groups")[:-8]


def _read_rule(rule: dict[str, Any], other: str) -> Rule:
    return Rule(other, int(rule["FromPort"]), int(rule["ToPort"]))


@pytest.fixture(scope="module")
def network() -> Network:
    return Network("prod")


def test_spreads_over_three_zones_in_production(network: Network) -> None:
    assert len({str(subnet["AvailabilityZone"]) for subnet in network.of_kind("Subnet").values()}) == 3


def test_spreads_over_the_zones_that_are_named_without_asking_which_there_are() -> None:
    names = ["eu-central-1a", "eu-central-1c"]
    template = template_with("Network", "dev", {"network.availability_zones": names}).to_json()
    subnets = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::EC2::Subnet"]

    assert {subnet["AvailabilityZone"] for subnet in subnets} == set(names)
    assert "Fn::GetAZs" not in str(template)


def test_training_reaches_the_file_systems_on_their_ports(network: Network) -> None:
    assert network.reaches("Training", "Efs", NFS)
    assert all(network.reaches("Training", "Lustre", port) for port in LUSTRE)


@pytest.mark.parametrize(
    ("target", "port"), [("Efs", 22), ("Efs", 988), ("Lustre", 22), ("Lustre", 987), ("Lustre", 1024)]
)
def test_training_reaches_the_file_systems_on_no_other_port(network: Network, target: str, port: int) -> None:
    assert not network.reaches("Training", target, port)


def test_nodes_of_a_training_job_reach_each_other(network: Network) -> None:
    assert network.reaches("Training", "Training", 1)
    assert network.reaches("Training", "Training", 65535)


def test_nobody_else_reaches_anybody(network: Network) -> None:
    assert network.connections() == {
        ("Training", "Training"),
        *((client, server) for client in ("Training", "Notebook") for server in ("Efs", "Lustre", "Endpoints")),
        ("Lustre", "Training"),
        ("Lustre", "Notebook"),
        ("Lustre", "Lustre"),
    }


def test_lustres_servers_reach_every_client_of_theirs(network: Network) -> None:
    """https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html."""
    clients = {"Training", "Notebook"}

    assert {source for source, target in network.connections() if target == "Lustre"} == clients | {"Lustre"}
    for client in clients:
        assert all(network.reaches("Lustre", client, port) for port in LUSTRE)
        assert not network.reaches("Lustre", client, 22)


def test_leaves_no_group_with_ec2s_default_egress(variant: str) -> None:
    open_groups = [name for name, group in Network(variant).groups.items() if not group.closes_default_egress]

    assert open_groups == []


def test_lets_nothing_in_from_outside_the_groups(variant: str) -> None:
    network = Network(variant)

    assert all(rule.other in network.groups for group in network.groups.values() for rule in group.ingress)


def test_training_subnets_reach_s3(network: Network) -> None:
    https_out = Rule(EVERYWHERE, HTTPS, HTTPS)

    assert https_out in network.groups["Training"].egress
    assert all(network.routes_to_s3(subnet) for subnet in network.training_subnets())


def test_processing_jobs_reach_s3_and_nothing_else(network: Network) -> None:
    group = network.groups["Processing"]

    assert (group.egress, group.ingress) == ({Rule(EVERYWHERE, HTTPS, HTTPS)}, set())


def test_training_subnets_do_not_reach_the_internet(network: Network) -> None:
    assert [subnet for subnet in network.training_subnets() if network.routes_to_internet(subnet)] == []
    assert network.of_kind("InternetGateway") == {}
    assert network.of_kind("NatGateway") == {}


def test_training_subnets_reach_the_internet_when_the_settings_say_so() -> None:
    network = Network("nat")

    assert all(network.routes_to_internet(subnet) for subnet in network.training_subnets())
    assert all(network.routes_to_s3(subnet) for subnet in network.training_subnets())


def test_interface_endpoints_stand_only_when_the_settings_say_so(network: Network) -> None:
    def list_interfaces(of: Network) -> list[str]:
        return [n for n, e in of.of_kind("VPCEndpoint").items() if e.get("VpcEndpointType") == "Interface"]

    assert list_interfaces(network) == []
    assert len(list_interfaces(Network("endpoints"))) == 2
    assert Network("endpoints").reaches("Training", "Endpoints", HTTPS)


def test_a_notebook_reaches_the_file_systems_but_no_training_job() -> None:
    network = Network("notebook")

    assert network.reaches("Notebook", "Efs", NFS)
    assert network.reaches("Notebook", "Lustre", 988)
    assert ("Notebook", "Training") not in network.connections()


def test_s3s_gateway_lets_only_the_platforms_buckets_and_image_layers_through(network: Network) -> None:
    (gateway,) = network.of_kind("VPCEndpoint").values()
    statements = gateway["PolicyDocument"]["Statement"]
    resources = str([statement["Resource"] for statement in statements])

    assert "'*'" not in resources
    assert [
        a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"]) if "*" in a
    ] == []
    assert resources.count("starport-layer-bucket") == 1


def test_mounts_every_file_system_inside_its_group() -> None:
    targets = find_resources("prod", "AWS::EFS::MountTarget").values()
    (lustre,) = find_resources("prod", "AWS::FSx::FileSystem").values()

    assert len(targets) == 3
    assert all("GroupsEfs" in str(target["Properties"]["SecurityGroups"]) for target in targets)
    assert "GroupsLustre" in str(lustre["Properties"]["SecurityGroupIds"])


def test_logs_every_flow(variant: str) -> None:
    network = Network(variant)
    expected = 0 if variant == "existing-network" else 1

    assert [log["TrafficType"] for log in network.of_kind("FlowLog").values()] == ["ALL"] * expected
