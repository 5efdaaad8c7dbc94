"""What a Region or its zones lack is found, with the setting that does without it."""

from dataclasses import replace
from typing import Any

import pytest

from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Severity
from headrace.doctor.needs import Needs
from headrace.doctor.regions import check_instance_types, check_region, check_zones
from headrace.doctor.tasks import asks_for_file_systems
from headrace.regions import FSX_FILE_SYSTEM, FUNCTION_URL
from tests.headrace.doctor.patients import ZONES, make_account, make_needs, train


def of_type(kind: str, **properties: Any) -> Needs:
    return make_needs({"It": {"Type": kind, "Properties": properties}})


def in_zones(*zones: Any) -> Needs:
    subnets = {
        f"S{number}": {"Type": "AWS::EC2::Subnet", "Properties": {"AvailabilityZone": zone}}
        for number, zone in enumerate(zones)
    }
    return make_needs(subnets, train(is_in_network=True))


@pytest.mark.parametrize(
    ("region", "kind", "cure"),
    [
        ("eu-south-2", FUNCTION_URL, "normalizer.function_url"),
        ("cn-north-1", FSX_FILE_SYSTEM, "file_systems.fsx.enabled"),
    ],
)
def test_finds_a_type_that_the_region_lacks(region: str, kind: str, cure: str) -> None:
    (finding,) = check_region(region, of_type(kind))

    assert finding.severity is Severity.ERROR
    assert cure in finding.cure


def test_finds_that_executions_would_make_file_systems_that_the_region_lacks() -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:fsx:createFileSystem", "Arguments": {}}
    needs = make_needs()

    assert asks_for_file_systems({"States": {"Create": task}})
    assert not asks_for_file_systems({"States": {"Create": {**task, "Resource": "arn:aws:states:::lambda:invoke"}}})
    assert list(check_region("cn-north-1", needs)) == []
    (finding,) = check_region("cn-north-1", replace(needs, makes_file_systems=True))
    assert "file_systems.fsx.enabled" in finding.cure


@pytest.mark.parametrize(
    ("region", "lacks"),
    [
        ("eu-central-1", []),
        ("eu-west-3", ["set documents.insights to []"]),
        ("ap-northeast-1", ["set documents to null"]),
        ("sa-east-1", ["set documents to null", "set documents.insights to []"]),
    ],
)
def test_finds_services_that_executions_call_and_the_region_lacks(region: str, lacks: list[str]) -> None:
    needs = replace(make_needs(), services=frozenset({"comprehend", "s3", "textract"}))

    assert [(finding.severity, finding.cure) for finding in check_region(region, needs)] == [
        (Severity.ERROR, cure) for cure in lacks
    ]
    assert list(check_region(region, make_needs())) == []


def test_finds_a_family_of_instances_that_the_region_lacks() -> None:
    (finding,) = check_region("af-south-1", make_needs({}, train(instance_type="ml.g5.xlarge")))

    assert "no instances of the family of ml.g5.xlarge, which Main: Train asks for" in finding.problem


def test_is_silent_where_the_region_has_everything() -> None:
    assert (
        list(check_region("eu-west-1", make_needs(of_type(FUNCTION_URL).assembly.templates["Main"]["Resources"]))) == []
    )


def test_says_that_it_does_not_know_a_region() -> None:
    (finding,) = check_region("eu-moon-1", make_needs())

    assert finding.severity is Severity.NOT_SEEN


def test_finds_a_zone_that_is_not_there() -> None:
    (finding,) = check_zones(make_account(), in_zones("eu-west-1a", "eu-west-1d"))

    assert (finding.severity, "no zone eu-west-1d" in finding.problem) == (Severity.ERROR, True)


def test_finds_fewer_zones_with_a_default_subnet_than_the_network_has() -> None:
    third = {"Fn::Select": [2, {"Fn::GetAZs": ""}]}

    (finding,) = check_zones(make_account(default_zones=ZONES[:2]), in_zones(third))

    assert "wants 3 zones" in finding.problem
    assert list(check_zones(make_account(), in_zones(third))) == []
    # Without any default subnet, CloudFormation lists all zones.
    assert list(check_zones(make_account(default_zones=()), in_zones(third))) == []


def test_finds_a_type_of_instances_that_no_zone_has() -> None:
    (finding,) = check_instance_types(make_account(offers={"m5.large": frozenset()}), make_needs({}, train()))

    assert (finding.severity, "which no zone there has" in finding.problem) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("offered", "severity"), [({ZONES[2]}, Severity.ERROR), ({ZONES[0]}, Severity.WARNING), (set(ZONES[:2]), None)]
)
def test_looks_at_the_zones_of_the_network_for_what_runs_in_it(offered: set[str], severity: Severity | None) -> None:
    account = make_account(offers={"m5.large": frozenset(offered)})

    found = list(check_instance_types(account, in_zones(*ZONES[:2])))

    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_says_that_it_could_not_see_offers_or_zones() -> None:
    account = make_account(offers=NotSeen("denied"), zones=NotSeen("denied"), default_zones=NotSeen("denied"))
    needs = in_zones("eu-west-1a", {"Fn::Select": [0, {"Fn::GetAZs": ""}]})

    found = [*check_instance_types(account, needs), *check_zones(account, needs)]

    assert {finding.severity for finding in found} == {Severity.NOT_SEEN}
    assert len(found) == 3
