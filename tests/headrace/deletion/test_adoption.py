"""The commands by which a new stack takes over what an earlier one has kept."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from headrace.deletion.adoption import Adoption, list_commands, write_imports
from headrace.deletion.assembly import NoAssemblyError, PlannedStack, read_assembly

BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"}
EFS = "AWS::EFS::FileSystem"
GROUP = "/aws/sagemaker/TrainingJobs"
KEY = {"Type": "AWS::KMS::Key", "DeletionPolicy": "RetainExceptOnCreate"}


def plan(name: str, export: str = "", **resources: Any) -> PlannedStack:
    return PlannedStack(name, f"headrace-prod-{name.lower()}", resources, frozenset({export}))


def adopt(stack: PlannedStack, *, stands: bool = False, **found: str) -> Adoption:
    return Adoption(stack, stands, found, ())


def list_lines(adoptions: list[Adoption]) -> list[str]:
    return [" ".join(command) for command in list_commands(adoptions, Path("out"), Path("maps"))]


def test_deploys_a_stack_first_whose_output_the_next_import_needs() -> None:
    encrypted = {"Type": EFS, "Properties": {"KmsKeyId": {"Fn::ImportValue": "encryption:Key"}}}

    lines = list_lines(
        [
            adopt(plan("Encryption", "encryption:Key", Key=KEY), Key="1f0c"),
            adopt(plan("FileSystems", Efs=encrypted), Efs="fs-0123"),
            adopt(plan("Network")),
        ]
    )

    assert lines == [
        "cdk import Encryption --app maps/assembly --resource-mapping maps/Encryption.json",
        "cdk deploy Encryption --app out",
        "cdk import FileSystems --app maps/assembly --resource-mapping maps/FileSystems.json",
        "cdk deploy --all --app out",
    ]


def test_leaves_to_the_deployment_after_an_import_what_can_be_changed() -> None:
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    group = {
        "Type": "AWS::Logs::LogGroup",
        "DependsOn": ["Other"],
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"LogGroupName": GROUP, "RetentionInDays": 30, "KmsKeyId": key},
    }

    adoption = adopt(plan("Account", Jobs=group, Key=KEY), Jobs=GROUP)

    assert adoption.bare == {
        "Jobs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": GROUP},
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
        }
    }


def test_does_not_ask_about_other_changes_of_a_stack_that_stands() -> None:
    lines = list_lines([adopt(plan("Storage", Raw=BUCKET), stands=True, Raw="raw")])

    assert lines[0].endswith("--resource-mapping maps/Storage.json --force")


def test_deploys_as_for_the_first_time_when_nothing_was_kept() -> None:
    assert list_lines([adopt(plan("Storage", Raw=BUCKET))]) == ["cdk deploy --all --app out"]


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
        template = {"Resources": {"Raw": BUCKET}, "Outputs": {"Raw": {"Value": "", "Export": {"Name": f"{name}:Raw"}}}}
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        files = {f"hash-of-{name}": {"source": {"path": f"{name}.template.json"}}}
        (folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def test_writes_the_mappings_and_the_app_that_cdk_import_reads(tmp_path: Path) -> None:
    (assembly := tmp_path / "out").mkdir()
    write_assembly(assembly)
    network, storage = (stack.id for stack in sorted(read_assembly(assembly), key=lambda stack: stack.id))
    versioned = {**BUCKET, "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    adoptions = [adopt(plan(storage, Raw=versioned, Key=KEY), Raw="raw", Key="1f0c"), adopt(plan(network))]

    for _ in range(2):
        write_imports(adoptions, assembly, tmp_path / "maps")

    bare = tmp_path / "maps" / "assembly"
    assert {path.name for path in (tmp_path / "maps").iterdir()} == {"Storage.json", "assembly"}
    assert json.loads((tmp_path / "maps" / "Storage.json").read_text()) == {
        "Raw": {"BucketName": "raw"},
        "Key": {"KeyId": "1f0c"},
    }
    content = (bare / "Storage.template.json").read_bytes()
    assert json.loads(content)["Resources"]["Raw"]["Properties"] == {}
    assert hashlib.sha256(content).hexdigest() in (bare / "Storage.assets.json").read_text()
    assert (bare / "Network.template.json").resolve() == assembly / "Network.template.json"
    assert json.loads((assembly / "Storage.template.json").read_text())["Resources"] == {"Raw": BUCKET}


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
