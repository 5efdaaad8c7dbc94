"""Templates read from folders, and from what stands."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace import contract
from headrace.assemblies import AssemblyError, read_deployed, read_folder

FORGOTTEN = "headrace-dev-forgotten"
PROTECTED = {"EnableTerminationProtection": True}
TEMPLATE: dict[str, Any] = {"Resources": {"Any": {"Type": "AWS::S3::Bucket"}}}
OURS: dict[str, Any] = {**TEMPLATE, "Metadata": {contract.ENVIRONMENT_METADATA: "dev"}}
# Of other people, who have given them names that begin like ours.
FOREIGN: dict[str, Any] = {"headrace-dev-frontend": TEMPLATE, "headrace-dev-site": "Resources: {}"}


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def test_reads_what_cdk_wrote(tmp_path: Path) -> None:
    properties = {"stackName": "app-storage", "templateFile": "Storage.template.json"}
    place = "aws://unknown-account/unknown-region"
    stack = {"type": "aws:cloudformation:stack", "environment": place, "properties": properties}
    artifacts = {"Storage": {**stack, "dependencies": ["Other", "Storage.assets"]}, "Storage.assets": {"type": "any"}}
    write(tmp_path / "manifest.json", {"artifacts": artifacts})
    write(tmp_path / "Storage.template.json", TEMPLATE)

    assembly = read_folder(tmp_path)

    assert assembly.stack_names == {"Storage": "app-storage"}
    assert assembly.region is None
    assert assembly.templates == {"Storage": TEMPLATE}


def test_reads_the_region_that_an_app_names(tmp_path: Path) -> None:
    environments = {"Storage": "aws://unknown-account/eu-west-1", "Images": "aws://123456789012/eu-west-1"}
    write(tmp_path / "Storage.json", TEMPLATE)
    properties = {"templateFile": "Storage.json"}
    artifacts = {
        name: {"type": "aws:cloudformation:stack", "environment": place, "properties": properties}
        for name, place in environments.items()
    }
    write(tmp_path / "manifest.json", {"artifacts": artifacts})

    assert read_folder(tmp_path).region == "eu-west-1"


def test_takes_plain_templates_by_the_names_of_their_files(tmp_path: Path) -> None:
    write(tmp_path / "app-storage.template.json", TEMPLATE)

    assert read_folder(tmp_path).templates == {"app-storage": TEMPLATE}


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.yaml", "Resources: {}")])
def test_refuses_a_folder_without_templates(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(AssemblyError, match=str(tmp_path)):
        read_folder(tmp_path)


class CloudFormation:
    """What stands, as boto3's client says it."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def get_paginator(self, _: str) -> "CloudFormation":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        stacks = [
            {
                "StackName": "headrace-dev-storage",
                "StackStatus": "UPDATE_COMPLETE",
                "EnableTerminationProtection": True,
            },
            {"StackName": "headrace-dev-forgotten", "StackStatus": "CREATE_COMPLETE"},
            {"StackName": "headrace-dev-objectlambda", "StackStatus": "ROLLBACK_COMPLETE"},
            {"StackName": "headrace-dev-gone", "StackStatus": "DELETE_COMPLETE"},
            {"StackName": "headrace-prod-storage", "StackStatus": "CREATE_COMPLETE"},
            *({"StackName": name, "StackStatus": "CREATE_COMPLETE"} for name in FOREIGN),
        ]
        return [{"Stacks": stacks[:2]}, {"Stacks": stacks[2:]}]

    def get_template(self, **request: str) -> dict[str, Any]:
        return {"TemplateBody": FOREIGN.get(request["StackName"], OURS)}


def test_reads_the_stacks_of_an_environment_with_those_that_the_app_does_not_know() -> None:
    known = {"Storage": "headrace-dev-storage", "ObjectLambda": "headrace-dev-objectlambda"}

    assembly = read_deployed(CloudFormation(), "dev", known)

    assert assembly.stack_names == {**known, "headrace-dev-forgotten": "headrace-dev-forgotten"}
    assert assembly.templates == {"Storage": OURS, "headrace-dev-forgotten": OURS, "ObjectLambda": {}}
    assert assembly.region == "eu-west-1"
    assert assembly.protected == {"Storage"}
