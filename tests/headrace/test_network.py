"""What is missing between a job and what it needs is found in routes, security groups and endpoints."""

import dataclasses
from typing import Any

import pytest

from headrace.network import EFS, EVERYWHERE, FSX_LUSTRE, FileSystem, Group, Network, SecurityGroupRule, VpcAttachment

JOB = VpcAttachment(("subnet-1", "subnet-2"), ("sg-job",))
URL = "https://a.lambda-url.eu-west-1.on.aws/"
HTTPS_OUT = SecurityGroupRule(EVERYWHERE, 443, 443)
LUSTRE_PORTS = ((988, 988), (1018, 1023))


def rules(other: str, *ports: tuple[int, int]) -> frozenset[SecurityGroupRule]:
    return frozenset(SecurityGroupRule(other, first, last) for first, last in ports)


def make(**changes: Any) -> Network:
    """A network in which everything is reached."""
    return dataclasses.replace(
        Network(
            groups={
                "sg-job": Group(
                    ingress=rules("sg-lustre", *LUSTRE_PORTS),
                    egress=frozenset({HTTPS_OUT}) | rules("sg-efs", (2049, 2049)) | rules("sg-lustre", *LUSTRE_PORTS),
                ),
                "sg-efs": Group(ingress=rules("sg-job", (2049, 2049))),
                "sg-lustre": Group(ingress=rules("sg-job", *LUSTRE_PORTS), egress=rules("sg-job", *LUSTRE_PORTS)),
            },
            tables={"subnet-1": "rtb-1", "subnet-2": "rtb-2"},
            leading_out=frozenset({"rtb-1", "rtb-2"}),
            leading_to_s3=frozenset({"rtb-1", "rtb-2"}),
        ),
        **changes,
    )


def without(network: Network, group: str, direction: str, other: str) -> Network:
    """The network without a group's rules to or from another side."""
    kept = frozenset(rule for rule in getattr(network.groups[group], direction) if rule.other != other)
    changed = dataclasses.replace(network.groups[group], **{direction: kept})
    return dataclasses.replace(network, groups={**network.groups, group: changed})


def test_finds_nothing_where_nothing_is_missing() -> None:
    network = make()

    assert network.find_obstacle_to_s3(JOB) == ""
    assert network.find_obstacle_to_url(JOB, URL) == ""
    assert network.find_obstacle_to_file_system(JOB, FileSystem("fs-1", EFS, ("sg-efs",))) == ""
    assert network.find_obstacle_to_file_system(JOB, FileSystem("fs-2", FSX_LUSTRE, ("sg-lustre",))) == ""


def test_reaches_s3_through_the_gateway_or_by_the_way_out() -> None:
    assert make(leading_out=frozenset()).find_obstacle_to_s3(JOB) == ""
    assert make(leading_to_s3=frozenset()).find_obstacle_to_s3(JOB) == ""


def test_names_the_subnet_from_which_nothing_leads_to_s3() -> None:
    network = make(leading_out=frozenset(), leading_to_s3=frozenset({"rtb-1"}))

    assert network.find_obstacle_to_s3(JOB) == (
        "nothing leads from subnet-2 to S3: its route table rtb-2 has neither a gateway endpoint of S3 nor a default "
        "route through a NAT gateway"
    )


@pytest.mark.parametrize("other", ["127.0.0.1/32", "255.255.255.255/32", "10.0.0.0/16", "sg-efs"])
def test_names_the_groups_that_let_nothing_out_to_s3(other: str) -> None:
    network = make(groups={"sg-job": Group(egress=rules(other, (0, 65535)))})

    assert network.find_obstacle_to_s3(JOB) == (
        "the security groups sg-job let no HTTPS (TCP 443) out to S3: there is no egress rule for it"
    )


@pytest.mark.parametrize("other", [EVERYWHERE, "pl-12345678", "52.216.0.0/15"])
def test_takes_any_rule_that_may_lead_to_s3_for_one_that_does(other: str) -> None:
    network = make(groups={"sg-job": Group(egress=rules(other, (443, 443)))})

    assert network.find_obstacle_to_s3(JOB) == ""


def test_reaches_no_function_url_without_a_way_out() -> None:
    network = make(leading_out=frozenset({"rtb-1"}))

    assert network.find_obstacle_to_url(JOB, URL) == (
        f"nothing leads from subnet-2 to {URL}: function URLs are outside every VPC, and its route table rtb-2 has no "
        "default route through a NAT gateway"
    )


@pytest.mark.parametrize(
    ("group", "direction", "other", "lacks"),
    [
        ("sg-job", "egress", "sg-efs", "the security groups sg-job lack an egress rule to the security groups sg-efs"),
        ("sg-efs", "ingress", "sg-job", "the security groups sg-efs lack an ingress rule from the security groups sg"),
    ],
)
def test_names_the_group_and_the_rule_it_lacks_for_efs(group: str, direction: str, other: str, lacks: str) -> None:
    network = without(make(), group, direction, other)

    found = network.find_obstacle_to_file_system(JOB, FileSystem("fs-1", EFS, ("sg-efs",)))

    assert found.startswith(lacks)
    assert found.endswith("for TCP 2049, for the file system fs-1")


@pytest.mark.parametrize(
    ("group", "direction", "other"),
    [
        ("sg-job", "egress", "sg-lustre"),
        ("sg-job", "ingress", "sg-lustre"),
        ("sg-lustre", "egress", "sg-job"),
        ("sg-lustre", "ingress", "sg-job"),
    ],
)
def test_needs_every_rule_of_lustre_both_ways(group: str, direction: str, other: str) -> None:
    network = without(make(), group, direction, other)

    found = network.find_obstacle_to_file_system(JOB, FileSystem("fs-2", FSX_LUSTRE, ("sg-lustre",)))

    assert found.startswith(f"the security groups {group} lack an {direction} rule")
    assert found.endswith("for TCP 988, for the file system fs-2")


def test_says_that_a_file_system_has_no_mount_target() -> None:
    found = make().find_obstacle_to_file_system(JOB, FileSystem("fs-1", EFS, ()))

    assert found == "the file system fs-1 has no mount target in the VPC"


def test_says_nothing_of_what_it_does_not_know() -> None:
    stranger = VpcAttachment(("subnet-9",), ("sg-9",))
    network = make(leading_out=frozenset(), leading_to_s3=frozenset())

    assert network.find_obstacle_to_s3(stranger) == ""
    assert network.find_obstacle_to_url(stranger, URL) == ""
    assert network.find_obstacle_to_file_system(stranger, FileSystem("fs-1", EFS, ("sg-efs",))) == ""
    assert (
        make(leading_to_s3=frozenset(), leading_out=frozenset(), has_s3_interface=True).find_obstacle_to_s3(JOB) == ""
    )
