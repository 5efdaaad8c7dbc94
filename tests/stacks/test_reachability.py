"""Who reaches what in the network, worked out from routes, groups and endpoints of the templates."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.network import (
    EFS,
    EVERYWHERE,
    FSX_LUSTRE,
    HTTPS,
    LUSTRE,
    NFS,
    FileSystem,
    Group,
    Network,
    SecurityGroupRule,
    VpcAttachment,
)
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import find_resources, template_of


class TemplateNetwork:
    """The network of a template, with short names for its groups."""

    def __init__(self, variant: str) -> None:
        self.resources: dict[str, Any] = dict(template_of("Network", variant).to_json()["Resources"])
        self.rules = Network(
            groups=self._read_groups(),
            tables=self._read_tables(),
            leading_out=frozenset(self._list_tables_leading_out()),
            leading_to_s3=frozenset(self._list_tables_leading_to_s3()),
        )

    @property
    def groups(self) -> Mapping[str, Group]:
        return self.rules.groups

    def of_kind(self, kind: str) -> dict[str, Any]:
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == f"AWS::EC2::{kind}"}

    def reaches(self, source: str, target: str, port: int) -> bool:
        """Whether one group lets a connection to another out, and that one lets it in."""
        out = any(rule.other == target and rule.opens(port) for rule in self.groups[source].egress)
        into = any(rule.other == source and rule.opens(port) for rule in self.groups[target].ingress)
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

    def place(self, group: str) -> VpcAttachment:
        """Where jobs of a group run."""
        return VpcAttachment(tuple(self.training_subnets()), (group,))

    def list_groups_with_default_egress(self) -> list[str]:
        return [name for name, group in self.of_kind("SecurityGroup").items() if not group.get("SecurityGroupEgress")]

    def _read_tables(self) -> dict[str, str]:
        associations = self.of_kind("SubnetRouteTableAssociation").values()
        return {a["SubnetId"]["Ref"]: a["RouteTableId"]["Ref"] for a in associations}

    def _list_tables_leading_out(self) -> list[str]:
        routes = self.of_kind("Route").values()
        return [
            r["RouteTableId"]["Ref"] for r in routes if r["DestinationCidrBlock"] == EVERYWHERE and "NatGatewayId" in r
        ]

    def _list_tables_leading_to_s3(self) -> list[str]:
        return [
            table["Ref"]
            for endpoint in self.of_kind("VPCEndpoint").values()
            if endpoint.get("VpcEndpointType") == "Gateway" and ".s3" in str(endpoint["ServiceName"])
            for table in endpoint["RouteTableIds"]
        ]

    def _read_groups(self) -> dict[str, Group]:
        egress: dict[str, set[SecurityGroupRule]] = {}
        for name, properties in self.of_kind("SecurityGroup").items():
            inline = properties.get("SecurityGroupEgress", [])
            egress[_short(name)] = {_read_rule(rule, rule["CidrIp"]) for rule in inline}
            assert "SecurityGroupIngress" not in properties
        ingress: dict[str, set[SecurityGroupRule]] = {name: set() for name in egress}
        for rule in self.of_kind("SecurityGroupEgress").values():
            target = _short(rule["DestinationSecurityGroupId"]["Fn::GetAtt"][0])
            egress[_short(rule["GroupId"]["Fn::GetAtt"][0])].add(_read_rule(rule, target))
        for rule in self.of_kind("SecurityGroupIngress").values():
            source = _short(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0])
            ingress[_short(rule["GroupId"]["Fn::GetAtt"][0])].add(_read_rule(rule, source))
        return {name: Group(frozenset(ingress[name]), frozenset(egress[name])) for name in egress}


def _short(logical_id: str) -> str:
    return logical_id.removeprefix("Groups")[:-8]


def _read_rule(rule: dict[str, Any], other: str) -> SecurityGroupRule:
    return SecurityGroupRule(other, int(rule["FromPort"]), int(rule["ToPort"]))


@pytest.fixture(scope="module")
def network() -> TemplateNetwork:
    return TemplateNetwork("prod")


def test_spreads_over_three_zones_in_production(network: TemplateNetwork) -> None:
    assert len({str(subnet["AvailabilityZone"]) for subnet in network.of_kind("Subnet").values()}) == 3


def test_spreads_over_the_zones_that_are_named_without_asking_which_there_are() -> None:
    names = ["eu-central-1a", "eu-central-1c"]
    template = template_with("Network", "dev", {"network.availability_zones": names}).to_json()
    subnets = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::EC2::Subnet"]

    assert {subnet["AvailabilityZone"] for subnet in subnets} == set(names)
    assert "Fn::GetAZs" not in str(template)


def test_training_reaches_the_file_systems_on_their_ports(network: TemplateNetwork) -> None:
    assert network.reaches("Training", "Efs", NFS)
    assert all(network.reaches("Training", "Lustre", port) for port in LUSTRE)


@pytest.mark.parametrize(
    ("target", "port"), [("Efs", 22), ("Efs", 988), ("Lustre", 22), ("Lustre", 987), ("Lustre", 1024)]
)
def test_training_reaches_the_file_systems_on_no_other_port(network: TemplateNetwork, target: str, port: int) -> None:
    assert not network.reaches("Training", target, port)


def test_nodes_of_a_training_job_reach_each_other(network: TemplateNetwork) -> None:
    assert network.reaches("Training", "Training", 1)
    assert network.reaches("Training", "Training", 65535)


def test_nobody_else_reaches_anybody(network: TemplateNetwork) -> None:
    assert network.connections() == {
        ("Training", "Training"),
        *((client, server) for client in ("Training", "Notebook") for server in ("Efs", "Lustre", "Endpoints")),
        ("Lustre", "Training"),
        ("Lustre", "Notebook"),
        ("Lustre", "Lustre"),
    }


def test_lustres_servers_reach_every_client_of_theirs(network: TemplateNetwork) -> None:
    """https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html."""
    clients = {"Training", "Notebook"}

    assert {source for source, target in network.connections() if target == "Lustre"} == clients | {"Lustre"}
    for client in clients:
        assert all(network.reaches("Lustre", client, port) for port in LUSTRE)
        assert not network.reaches("Lustre", client, 22)


def test_leaves_no_group_with_ec2s_default_egress(variant: str) -> None:
    assert TemplateNetwork(variant).list_groups_with_default_egress() == []


def test_lets_nothing_in_from_outside_the_groups(variant: str) -> None:
    network = TemplateNetwork(variant)

    assert all(rule.other in network.groups for group in network.groups.values() for rule in group.ingress)


def test_training_subnets_reach_s3(network: TemplateNetwork) -> None:
    https_out = SecurityGroupRule(EVERYWHERE, HTTPS, HTTPS)

    assert https_out in network.groups["Training"].egress
    assert all(network.rules.routes_to_s3(subnet) for subnet in network.training_subnets())


def test_no_job_of_production_waits_for_what_it_cannot_reach(network: TemplateNetwork) -> None:
    training, processing = network.place("Training"), network.place("Processing")

    assert network.rules.find_obstacle_to_s3(training) == ""
    assert network.rules.find_obstacle_to_s3(processing) == ""
    for system in (FileSystem("fs-1", EFS, ("Efs",)), FileSystem("fs-2", FSX_LUSTRE, ("Lustre",))):
        assert network.rules.find_obstacle_to_file_system(training, system) == ""
        assert "Processing lack an egress rule to" in network.rules.find_obstacle_to_file_system(processing, system)
    assert "no default route" in network.rules.find_obstacle_to_url(training, "https://a.lambda-url.eu-west-1.on.aws/")


def test_processing_jobs_reach_s3_and_nothing_else(network: TemplateNetwork) -> None:
    group = network.groups["Processing"]

    assert group == Group(egress=frozenset({SecurityGroupRule(EVERYWHERE, HTTPS, HTTPS)}))


def test_training_subnets_do_not_reach_the_internet(network: TemplateNetwork) -> None:
    assert [subnet for subnet in network.training_subnets() if network.rules.routes_out(subnet)] == []
    assert network.of_kind("InternetGateway") == {}
    assert network.of_kind("NatGateway") == {}


def test_training_subnets_reach_the_internet_when_the_settings_say_so() -> None:
    network = TemplateNetwork("nat")

    assert all(network.rules.routes_out(subnet) for subnet in network.training_subnets())
    assert network.rules.find_obstacle_to_url(network.place("Training"), "https://a.lambda-url.eu-west-1.on.aws/") == ""
    assert all(network.rules.routes_to_s3(subnet) for subnet in network.training_subnets())


def test_interface_endpoints_stand_only_when_the_settings_say_so(network: TemplateNetwork) -> None:
    def list_interfaces(of: TemplateNetwork) -> list[str]:
        return [n for n, e in of.of_kind("VPCEndpoint").items() if e.get("VpcEndpointType") == "Interface"]

    assert list_interfaces(network) == []
    assert len(list_interfaces(TemplateNetwork("endpoints"))) == 2
    assert TemplateNetwork("endpoints").reaches("Training", "Endpoints", HTTPS)


def test_a_notebook_reaches_the_file_systems_but_no_training_job() -> None:
    network = TemplateNetwork("notebook")

    assert network.reaches("Notebook", "Efs", NFS)
    assert network.reaches("Notebook", "Lustre", 988)
    assert ("Notebook", "Training") not in network.connections()


def test_s3s_gateway_lets_only_the_platforms_buckets_and_image_layers_through(network: TemplateNetwork) -> None:
    (gateway,) = network.of_kind("VPCEndpoint").values()
    statements = gateway["PolicyDocument"]["Statement"]
    resources = str([statement["Resource"] for statement in statements])

    assert "'*'" not in resources
    assert [
        a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"]) if "*" in a
    ] == []
    assert resources.count("starport-layer-bucket") == 1


def test_s3s_gateway_lets_no_bucket_of_another_account_through_but_that_of_image_layers(
    network: TemplateNetwork,
) -> None:
    (gateway,) = network.of_kind("VPCEndpoint").values()
    own = {"StringEquals": {"s3:ResourceAccount": {"Ref": "AWS::AccountId"}}}

    for statement in gateway["PolicyDocument"]["Statement"]:
        assert statement.get("Condition") == (None if "starport" in str(statement["Resource"]) else own)


def test_mounts_every_file_system_inside_its_group() -> None:
    targets = find_resources("prod", "AWS::EFS::MountTarget").values()
    (lustre,) = find_resources("prod", "AWS::FSx::FileSystem").values()

    assert len(targets) == 3
    assert all("GroupsEfs" in str(target["Properties"]["SecurityGroups"]) for target in targets)
    assert "GroupsLustre" in str(lustre["Properties"]["SecurityGroupIds"])


def test_logs_every_flow(variant: str) -> None:
    network = TemplateNetwork(variant)
    expected = 0 if variant == "existing-network" else 1

    assert [log["TrafficType"] for log in network.of_kind("FlowLog").values()] == ["ALL"] * expected
