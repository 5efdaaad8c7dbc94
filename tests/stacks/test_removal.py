"""What a deletion keeps, what it takes along, and that nothing it keeps stands in the way of the next deployment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from account import build as build_account
from headrace import contract
from headrace.assemblies.assembly import list_references, list_resources
from headrace.changes import kinds
from headrace.deletion.adoption import Adoption, is_adoptable
from headrace.deletion.assembly import PlannedStack, read_assembly
from headrace.deletion.data import HOLDERS, MODEL_PACKAGE_GROUP
from tests.stacks.conftest import VARIANTS, find_resources, read_context, read_stacks
from tests.stacks.kept_assemblies import KEPT_KINDS
from tests.stacks.transitions import SWITCHED, switched

# Kept where data are retained. The others that hold something hold it elsewhere, too, or hold nothing without these.
RETAINED = (
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    MODEL_PACKAGE_GROUP,
)
FLOW_LOGS = "Network/NetworkFlowLogs"


def find_retained(variant: str) -> dict[str, dict[str, Any]]:
    """What holds data and is to be kept where data are retained; who spoke to whom is not."""
    found = find_resources(variant, *RETAINED)
    return {name: resource for name, resource in found.items() if not name.startswith(FLOW_LOGS)}


def test_knows_what_holds_data() -> None:
    assert set(RETAINED) <= KEPT_KINDS.keys()
    assert set(RETAINED) <= HOLDERS.keys()


def test_keeps_data_in_production_but_not_of_a_first_deployment_that_fails() -> None:
    policies = {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in find_retained("prod").values()}

    assert policies == {("RetainExceptOnCreate", "Retain")}


def test_keeps_nothing_else_in_production() -> None:
    kept = {
        resource["Type"]
        for made in read_stacks("prod").values()
        for resource in made["template"]["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }

    assert kept == set(RETAINED)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "prod"])
def test_leaves_nothing_behind_where_data_are_not_retained(variant: str) -> None:
    kept = {
        f"{stack}/{name}"
        for stack, made in read_stacks(variant).items()
        for name, resource in made["template"]["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }

    assert kept == set()


@pytest.mark.parametrize(("environment", "empties"), [("dev", True), ("prod", False)])
def test_deletes_repositories_with_their_container_images_only_where_data_are_not_retained(
    environment: str, empties: bool
) -> None:
    repositories = find_resources(environment, "AWS::ECR::Repository").values()

    assert {repository["Properties"].get("EmptyOnDelete", False) for repository in repositories} == {empties}


@pytest.mark.parametrize("switch", ["", *SWITCHED["prod"]])
def test_names_nothing_that_it_keeps_as_the_next_one_would_be_named(switch: str) -> None:
    """The stack may stay: a switch that is turned off and on makes it again.

    No switch turns a group of versions off, and after its stack was deleted `headrace adopt` takes it over. Its name is
    fixed, because versions are found by it.
    """
    fixed = {
        f"{stack}/{logical_id}": name
        for stack, template in switched("prod", switch).templates.items()
        for logical_id, resource in list_resources(template).items()
        if is_kept(resource)
        and resource["Type"] != MODEL_PACKAGE_GROUP
        and (name := resource.get("Properties", {}).get(kinds.NAMES.get(resource["Type"], ""))) is not None
        and not any(goes_along(template, reference) for reference in list_references(name))
    }

    assert fixed == {}


def is_kept(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("DeletionPolicy", "Delete")) != "Delete"


def goes_along(template: Mapping[str, Any], reference: Any) -> bool:
    """Whether what a name is made of is another one whenever the named is made again."""
    return reference in list_resources(template) and not is_kept(template["Resources"][reference])


@pytest.mark.parametrize(("environment", "switch"), [("prod", ""), ("prod", "existing")])
def test_imports_what_it_keeps_without_naming_what_is_not_there_yet(environment: str, switch: str) -> None:
    """CloudFormation refuses that, and the local cloud does not."""
    for stack, template in switched(environment, switch).templates.items():
        assert list_unmet(stack, list_resources(template)) == [], stack


def test_imports_log_groups_of_the_account_without_their_key(tmp_path: Path) -> None:
    settings = {"logs": {"customer_key": True}}
    build_account(cdk.App(context=read_context() | {"account": settings}, outdir=str(tmp_path))).synth()
    (stack,) = read_assembly(tmp_path)

    assert list_unmet(stack.id, {**stack.resources}, without=("AWS::KMS::Key",)) == []


def list_unmet(stack: str, resources: Mapping[str, Any], without: tuple[str, ...] = ()) -> list[str]:
    """What an import of all that was kept would name of its own stack, and not import."""
    found = {name: name for name, each in resources.items() if is_adoptable(each) and each["Type"] not in without}
    bare = Adoption(PlannedStack(stack, stack, resources, frozenset()), False, found, ()).bare
    named = [name for name in list_references([*bare.values()]) if isinstance(name, str)]
    return [name for name in named if name in resources and name not in found]


def test_lets_lustre_go_with_its_stack() -> None:
    """Kept, it would hold on to the network's subnet and security group, which then could not be deleted."""
    lustre = find_resources("prod", "AWS::FSx::FileSystem", "AWS::FSx::DataRepositoryAssociation")

    assert len(lustre) == 2
    assert {resource.get("DeletionPolicy", "Delete") for resource in lustre.values()} == {"Delete"}


@pytest.mark.parametrize(("environment", "is_protected"), [("dev", False), ("prod", True)])
def test_protects_stacks_from_deletion_where_data_are_retained(environment: str, is_protected: bool) -> None:
    protected = {stack: made["is_protected"] for stack, made in read_stacks(environment).items()}

    # It holds nothing, and CDK deletes a refused attempt before the next one.
    assert not protected.pop(contract.OBJECT_LAMBDA_STACK, False)
    assert set(protected.values()) == {is_protected}
