"""The commands by which a new stack takes over what an earlier one has kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.deletion.adoption import Adoption, list_commands, write_mappings
from headrace.deletion.assembly import NoAssemblyError, PlannedStack, read_assembly

BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"}
KEY = {"Type": "AWS::KMS::Key", "DeletionPolicy": "RetainExceptOnCreate"}


def plan(name: str, export: str = "", **resources: Any) -> PlannedStack:
    return PlannedStack(name, f"headrace-prod-{name.lower()}", resources, frozenset({export}))


def adopt(stack: PlannedStack, *, stands: bool = False, **found: str) -> Adoption:
    return Adoption(stack, stands, found, ())


def list_lines(adoptions: list[Adoption]) -> list[str]:
    return [" ".join(command) for command in list_commands(adoptions, Path("out"), Path("maps"))]


def test_deploys_a_stack_first_whose_output_the_next_import_needs() -> None:
    encrypted = {**BUCKET, "Properties": {"Key": {"Fn::ImportValue": "encryption:Key"}}}

    lines = list_lines(
        [
            adopt(plan("Encryption", "encryption:Key", Key=KEY), Key="1f0c"),
            adopt(plan("Storage", Raw=encrypted, Work=encrypted), Raw="raw", Work="work"),
            adopt(plan("Network")),
        ]
    )

    assert lines == [
        "cdk import Encryption --app out --resource-mapping maps/Encryption.json",
        "cdk deploy Encryption --app out",
        "cdk import Storage --app out --resource-mapping maps/Storage.json",
        "cdk deploy --all --app out",
    ]


def test_does_not_ask_about_other_changes_of_a_stack_that_stands() -> None:
    lines = list_lines([adopt(plan("Storage", Raw=BUCKET), stands=True, Raw="raw")])

    assert lines[0].endswith("--resource-mapping maps/Storage.json --force")


def test_sets_the_retention_of_a_log_group_that_somebody_else_has_made() -> None:
    properties = {"LogGroupName": "/aws/sagemaker/TrainingJobs", "RetentionInDays": 30}
    group = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "Properties": properties}

    lines = list_lines([adopt(plan("Account", Jobs=group), Jobs="/aws/sagemaker/TrainingJobs")])

    assert lines[1] == (
        "aws logs put-retention-policy --log-group-name /aws/sagemaker/TrainingJobs --retention-in-days 30"
    )


def test_deploys_as_for_the_first_time_when_nothing_was_kept() -> None:
    assert list_lines([adopt(plan("Storage", Raw=BUCKET))]) == ["cdk deploy --all --app out"]


def test_writes_the_mapping_that_cdk_import_reads(tmp_path: Path) -> None:
    adoptions = [adopt(plan("Storage", Raw=BUCKET, Key=KEY), Raw="raw", Key="1f0c"), adopt(plan("Network"))]

    write_mappings(adoptions, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["Storage.json"]
    assert json.loads((tmp_path / "Storage.json").read_text()) == {
        "Raw": {"BucketName": "raw"},
        "Key": {"KeyId": "1f0c"},
    }


def write_assembly(folder: Path) -> None:
    stacks = {"Network": ["Storage", "Network.assets"], "Storage": ["Storage.assets"]}
    artifacts: dict[str, Any] = {f"{name}.assets": {"type": "cdk:asset-manifest"} for name in stacks}
    for name, dependencies in stacks.items():
        properties = {"templateFile": f"{name}.template.json", "stackName": f"headrace-prod-{name.lower()}"}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "dependencies": dependencies,
            "properties": properties,
        }
        template = {"Resources": {"Raw": BUCKET}, "Outputs": {"Raw": {"Export": {"Name": f"{name}:Raw"}}}}
        (folder / f"{name}.template.json").write_text(json.dumps(template))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def test_reads_the_stacks_of_a_synthesized_app_in_the_order_of_their_deployment(tmp_path: Path) -> None:
    write_assembly(tmp_path)

    stacks = read_assembly(tmp_path)

    assert [stack.id for stack in stacks] == ["Storage", "Network"]
    assert stacks[0] == PlannedStack(
        "Storage", "headrace-prod-storage", {"Raw": BUCKET}, frozenset({"headrace-prod-storage", "Storage:Raw"})
    )


def test_says_how_to_make_the_app_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoAssemblyError, match="holds no synthesized app; make it with 'cdk synth"):
        read_assembly(tmp_path)
