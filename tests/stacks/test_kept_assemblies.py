"""Data outlive a deployment: what stands in people's accounts is neither replaced nor deleted nor guarded less.

`tests/assemblies/` holds the templates of dev and prod as they were deployed last. A change that replaces something on
purpose says in `CHANGELOG.md` how its data move, and keeps the assemblies anew: `make assemblies`.
"""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from headrace.assemblies import Assembly
from headrace.assemblies.assembly import Name, list_resources, read_property
from headrace.changes import kinds as changes_kinds
from headrace.changes.kinds import list_replacing, replacing_properties
from tests.examples import IS_EXHAUSTIVE
from tests.stacks.compact_json import write_compactly
from tests.stacks.conftest import ENVIRONMENTS, VARIANTS, context_of, read_stacks
from tests.stacks.kept_assemblies import ASSEMBLIES, KEPT_KINDS, POLICIES, list_kept, list_losses, read_assembly
from tests.stacks.replacing_reference import list_set_and_replacing
from tests.stacks.synthesis import read_synthesized
from tests.stacks.test_linters import CFN_LINT_VERSION, TOOL

UPDATE = "HEADRACE_KEEP_ASSEMBLIES"

# Prints the properties that replace each kind named in its arguments.
ASK_CFN_LINT = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
def replacing(kind):
    schema = schemas.get_resource_schema("us-east-1", kind).schema
    return sorted({*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())})
print(json.dumps({kind: replacing(kind) for kind in sys.argv[1:]}))
"""
REPLACING = Path(changes_kinds.__file__).with_name("replacing_properties.json")


def keep(environment: str, assembly: Assembly) -> None:
    """Write an environment's assembly over the one that was kept."""
    folder = ASSEMBLIES / environment
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in {"stacks": assembly.stack_names, **assembly.templates}.items():
        (folder / f"{name}.json").write_text(write_compactly(content) + "\n")


def test_deploys_over_what_stands_without_a_loss(environment: str) -> None:
    now = read_synthesized(context_of(environment))
    if UPDATE in os.environ:
        keep(environment, now)

    assert list_losses(read_assembly(environment), now) == []


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def kept(request: pytest.FixtureRequest) -> Assembly:
    return read_assembly(request.param)


def change(assembly: Assembly, name: Name, new_name: str | None = None, **entries: Any) -> Assembly:
    """An assembly with a resource under another logical id, removed if that is empty, or with other entries."""
    stack, logical_id = name
    template = assembly.templates[stack]
    resources = {other: resource for other, resource in template["Resources"].items() if other != logical_id}
    if new_name != "":
        resources[new_name or logical_id] = {**assembly.resource(name), **entries}
    return Assembly(assembly.stack_names, {**assembly.templates, stack: {**template, "Resources": resources}})


def test_finds_no_loss_in_the_same_templates(kept: Assembly) -> None:
    assert list_losses(kept, copy.deepcopy(kept)) == []


def test_keeps_every_kind_that_would_lose_something(kept: Assembly) -> None:
    stand = {resource["Type"] for template in kept.templates.values() for resource in list_resources(template).values()}

    assert {kept.resource(name)["Type"] for name in list_kept(kept)} >= stand & KEPT_KINDS.keys()


def test_keeps_the_network_in_which_file_systems_stand() -> None:
    prod = read_assembly("prod")

    kinds = {prod.resource(name)["Type"] for name in list_kept(prod)}

    assert kinds >= {"AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::EC2::SecurityGroup"}


@pytest.mark.parametrize("new_name", ["", "Other"])
def test_finds_whatever_is_renamed_or_removed(kept: Assembly, new_name: str) -> None:
    for name in list_kept(kept):
        assert f"{'/'.join(name)}: is gone" in list_losses(kept, change(kept, name, new_name))


def test_finds_whatever_becomes_another_kind(kept: Assembly) -> None:
    for name in list_kept(kept):
        assert any("is AWS::X::Y" in loss for loss in list_losses(kept, change(kept, name, Type="AWS::X::Y")))


def list_replacing_properties(kept: Assembly) -> Iterator[tuple[Name, str]]:
    """Every property, set or not, that would replace what must be kept."""
    for name in sorted(list_kept(kept)):
        for path in list_replacing(kept.resource(name)["Type"]):
            yield name, path


def with_property(resource: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A resource's properties with another value at a path."""
    properties = inner = copy.deepcopy(resource.get("Properties", {}))
    *sections, last = path.removeprefix("/properties/").split("/")
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[last] = "another"
    return {"Properties": properties}


def test_finds_every_change_of_a_property_that_replaces(kept: Assembly) -> None:
    for name, path in list_replacing_properties(kept):
        losses = list_losses(kept, change(kept, name, **with_property(kept.resource(name), path)))

        assert any(loss.startswith(f"{'/'.join(name)}: {path} was") for loss in losses), (name, path)


def test_finds_a_property_that_replaces_when_it_vanishes(kept: Assembly) -> None:
    for name, path in list_replacing_properties(kept):
        section = path.split("/")[2]
        if read_property(kept.resource(name), path) is not None:
            properties = dict(kept.resource(name)["Properties"])
            del properties[section]

            assert list_losses(kept, change(kept, name, Properties=properties)), (name, path)


def test_finds_a_stack_of_another_name(kept: Assembly) -> None:
    names = {**kept.stack_names, "Storage": "other"}

    assert list_losses(kept, Assembly(names, kept.templates)) == [
        f"Storage: the stack was {kept.stack_names['Storage']}, is other"
    ]


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_lets_policies_only_become_stricter(kept: Assembly, policy: str) -> None:
    for name in list_kept(kept):
        before = kept.resource(name).get(policy, "Delete")
        for after in POLICIES:
            losses = list_losses(kept, change(kept, name, **{policy: after}))

            assert bool(losses) == (POLICIES[after] < POLICIES[before]), (name, after)


def test_lets_through_what_replaces_nothing(kept: Assembly) -> None:
    name = ("Storage", next(n for s, n in list_kept(kept) if s == "Storage"))
    properties = {**kept.resource(name)["Properties"], "Tags": []}

    assert list_losses(kept, change(kept, name, Properties=properties)) == []


def test_follows_an_export_to_what_it_names() -> None:
    prod = read_assembly("prod")
    (file_system,) = (name for name in list_kept(prod) if prod.resource(name)["Type"] == "AWS::FSx::FileSystem")
    (export,) = (subnet["Fn::ImportValue"] for subnet in prod.resource(file_system)["Properties"]["SubnetIds"])
    respelt = json.loads(json.dumps(prod.templates).replace(export, "another-export"))
    moved = copy.deepcopy(dict(prod.templates))
    next(o for o in moved["Network"]["Outputs"].values() if o.get("Export", {}).get("Name") == export)["Value"] = (
        "other"
    )

    assert list_losses(prod, Assembly(prod.stack_names, respelt)) == []
    assert any("SubnetIds" in loss for loss in list_losses(prod, Assembly(prod.stack_names, moved)))


def find_kinds() -> set[str]:
    """CloudFormation's types in all templates that the settings can make."""
    return {
        resource["Type"]
        for variant in VARIANTS
        for made in read_stacks(variant).values()
        for resource in list_resources(made["template"]).values()
        if resource["Type"].startswith("AWS::")
    }


def test_knows_what_replaces_each_kind() -> None:
    assert find_kinds() - replacing_properties().keys() == set()


def test_knows_what_cloudformations_reference_says_replaces() -> None:
    missing = {
        (resource["Type"], path)
        for variant in VARIANTS
        for made in read_stacks(variant).values()
        for resource in list_resources(made["template"]).values()
        for path in list_set_and_replacing(resource)
        if not any(f"{path}/".startswith(f"{known}/") for known in list_replacing(resource["Type"]))
    }

    assert missing == set()


@pytest.mark.slow
@pytest.mark.skipif(
    not IS_EXHAUSTIVE and UPDATE not in os.environ, reason="the version that was asked is pinned: make test-all"
)
def test_knows_from_cfn_lint_which_properties_replace() -> None:
    kinds = sorted(KEPT_KINDS.keys() | find_kinds())
    found = json.loads(
        subprocess.run(
            [*TOOL, CFN_LINT_VERSION, "python", "-c", ASK_CFN_LINT, *kinds], check=True, capture_output=True, text=True
        ).stdout
    )
    if UPDATE in os.environ:
        REPLACING.write_text(write_compactly(found) + "\n")

    assert json.loads(REPLACING.read_text()) == found
