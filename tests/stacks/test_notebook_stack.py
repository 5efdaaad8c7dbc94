"""The notebook instance: as private as the settings say, limited to the platform, stopped when idle."""

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from stacks.notebook_stack import STOP_WHEN_IDLE
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import list_stacks, name_output, template_of

NOTEBOOKS = ("notebook", "private-notebook")
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-a1b2c3"
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
LONGEST_SCRIPT = 16_384


def properties_of(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the only resource of a kind."""
    (resource,) = template.find_resources(kind).values()
    found: dict[str, Any] = resource["Properties"]
    return found


def read_instance(variant: str) -> dict[str, Any]:
    return properties_of(template_of("Notebook", variant), "AWS::SageMaker::NotebookInstance")


def read_script(template: Template) -> str:
    """What the instance runs whenever it starts."""
    (hook,) = properties_of(template, "AWS::SageMaker::NotebookInstanceLifecycleConfig")["OnStart"]
    script: str = hook["Content"]["Fn::Base64"]
    return script


def list_statements(variant: str) -> list[dict[str, Any]]:
    """Everything the notebook's role may do."""
    policies = template_of("Notebook", variant).find_resources("AWS::IAM::Policy")
    return [s for policy in policies.values() for s in policy["Properties"]["PolicyDocument"]["Statement"]]


def list_actions(statement: dict[str, Any]) -> list[str]:
    actions: str | list[str] = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def find_statements(variant: str, prefix: str) -> list[dict[str, Any]]:
    """Every statement that allows an action of that beginning."""
    return [s for s in list_statements(variant) if any(a.startswith(prefix) for a in list_actions(s))]


def name_bucket(reference: dict[str, Any]) -> str:
    """The bucket that a reference to another stack's output means."""
    match = re.search("GetAtt(Raw|Work)[0-9A-F]{8}Arn", name_output(reference))
    assert match is not None
    return match[1]


def test_makes_no_notebook_unless_the_settings_say_so(environment: str) -> None:
    assert "Notebook" not in list_stacks(environment)


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_makes_one_notebook_on_amazon_linux_2023(variant: str) -> None:
    assert read_instance(variant)["PlatformIdentifier"] == "notebook-al2023-v1"


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_gives_people_no_root(variant: str) -> None:
    assert read_instance(variant)["RootAccess"] == "Disabled"


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_answers_only_the_second_version_of_the_metadata_service(variant: str) -> None:
    metadata = read_instance(variant)["InstanceMetadataServiceConfiguration"]

    assert metadata == {"MinimumInstanceMetadataServiceVersion": "2"}


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_is_in_a_subnet_of_the_platform_with_a_group_of_its_own(variant: str) -> None:
    instance = read_instance(variant)
    (group,) = instance["SecurityGroupIds"]

    assert "IsolatedSubnet1" in name_output(instance["SubnetId"])
    assert "GroupsNotebook" in name_output(group)


def test_takes_type_and_volume_from_the_settings() -> None:
    template = template_with(
        "Notebook", "notebook", {"notebook.instance_type": "ml.m5.xlarge", "notebook.volume_gib": 100}
    )
    instance = properties_of(template, "AWS::SageMaker::NotebookInstance")

    assert (instance["InstanceType"], instance["VolumeSizeInGB"]) == ("ml.m5.xlarge", 100)


@pytest.mark.parametrize(("variant", "access"), [("notebook", "Enabled"), ("private-notebook", "Disabled")])
def test_has_direct_internet_only_by_setting(variant: str, access: str) -> None:
    assert read_instance(variant)["DirectInternetAccess"] == access


def test_encrypts_the_volume_with_the_customers_key_where_there_is_one() -> None:
    assert "Key961B73FD" in name_output(read_instance("private-notebook")["KmsKeyId"])
    assert "KmsKeyId" not in read_instance("notebook")


def test_clones_a_public_repository_by_its_address() -> None:
    assert read_instance("notebook")["DefaultCodeRepository"] == "https://github.com/example/notebooks.git"
    template_of("Notebook", "notebook").resource_count_is("AWS::SageMaker::CodeRepository", 0)


def test_clones_a_private_repository_through_its_secret() -> None:
    repository = properties_of(template_of("Notebook", "private-notebook"), "AWS::SageMaker::CodeRepository")

    assert repository["GitConfig"] == {
        "RepositoryUrl": "https://github.com/example/notebooks.git",
        "SecretArn": SECRET,
    }
    assert read_instance("private-notebook")["DefaultCodeRepository"] == {
        "Fn::GetAtt": ["Repository", "CodeRepositoryName"]
    }


def test_clones_nothing_when_there_is_no_repository() -> None:
    template = template_with("Notebook", "notebook", {"notebook.repository_url": None})

    assert "DefaultCodeRepository" not in properties_of(template, "AWS::SageMaker::NotebookInstance")


def test_reads_the_secret_of_a_private_repository_and_no_other() -> None:
    (statement,) = find_statements("private-notebook", "secretsmanager:GetSecretValue")

    assert statement["Resource"] == SECRET
    assert find_statements("notebook", "secretsmanager:GetSecretValue") == []


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_reaches_the_objects_of_the_platform_only(variant: str) -> None:
    (statement,) = (s for s in find_statements(variant, "s3:") if s["Action"] != "s3:ListBucket")

    reached = [resource["Fn::Join"][1] for resource in statement["Resource"]]
    assert [(name_bucket(bucket), keys) for bucket, keys in reached] == [
        ("Raw", "/bigmart/*"),
        ("Raw", "/images/*"),
        ("Work", "/executions/*"),
    ]


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_lists_the_prefixes_of_the_platform_only(variant: str) -> None:
    listing = find_statements(variant, "s3:ListBucket")

    assert [(name_bucket(s["Resource"]), s["Condition"]["StringLike"]) for s in listing] == [
        ("Raw", {"s3:prefix": ["bigmart/*", "images/*"]}),
        ("Work", {"s3:prefix": ["executions/*"]}),
    ]


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_can_stop_itself_and_nothing_else_of_sagemaker(variant: str) -> None:
    (statement,) = find_statements(variant, "sagemaker:")

    assert statement["Action"] == ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"]
    assert statement["Resource"] == {"Ref": "Instance"}


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_reaches_no_other_service(variant: str) -> None:
    services = {action.partition(":")[0] for s in list_statements(variant) for action in list_actions(s)}

    assert services - {"kms", "secretsmanager"} == {"logs", "s3", "sagemaker", "states"}


@pytest.mark.parametrize("variant", NOTEBOOKS)
def test_starts_and_watches_the_pipelines_and_nothing_more(variant: str) -> None:
    statements = find_statements(variant, "states:")

    assert {action for statement in statements for action in list_actions(statement)} == {
        "states:DescribeExecution",
        "states:DescribeStateMachine",
        "states:DescribeStateMachineAlias",
        "states:DescribeStateMachineForExecution",
        "states:GetExecutionHistory",
        "states:ListExecutions",
        "states:ListStateMachineVersions",
        "states:StartExecution",
    }
    for statement in statements:
        reached = [str(resource) for resource in statement["Resource"]]
        assert len(reached) == 2
        assert [name for name in reached if "TrainingStateMachine" not in name] == []


@pytest.fixture(scope="module")
def with_efs() -> Template:
    return template_with("Notebook", "notebook", {"file_systems.efs.enabled": True})


def test_mounts_efs_where_there_is_one(with_efs: Template) -> None:
    script = with_address(with_efs)

    assert "mount -t nfs4" in script
    assert " 10.42.0.7:/ /mnt/efs" in script
    assert "/mnt/efs" not in read_script(template_of("Notebook", "notebook"))


def test_mounts_efs_after_what_stops_the_notebook(with_efs: Template) -> None:
    """A mount that fails must not leave a notebook that runs for ever."""
    script = with_address(with_efs)

    assert script.index("enable --now stop-when-idle.timer") < script.index("mount -t nfs4")


@pytest.mark.parametrize(("status", "is_linked"), [(0, True), (32, False)])
def test_shows_the_folder_for_people_once_efs_is_mounted(
    with_efs: Template, tmp_path: Path, status: int, is_linked: bool
) -> None:
    for program in ("mkdir", "timeout", "install", "ln"):
        stub = tmp_path / program
        ending = f"exit {status}" if program == "timeout" else ""
        stub.write_text(f'#!/bin/bash\necho {program} "$@" >> "{tmp_path}/calls"\n{ending}\n')
        stub.chmod(0o755)
    mount = "set -euo pipefail\n" + with_address(with_efs).partition("stop-when-idle.timer\n\n")[2]

    done = subprocess.run(
        ["/bin/bash"], input=mount, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    calls = (tmp_path / "calls").read_text()
    assert done.returncode == 0, done.stderr
    assert ("install --directory --owner=1000 --group=1000 --mode=0775 /mnt/efs/lists" in calls) is is_linked
    assert ("/mnt/efs/lists /home/ec2-user/SageMaker/lists" in calls) is is_linked
    assert ("10.42.0.7 cannot be mounted" in done.stderr) is not is_linked


def with_address(template: Template) -> str:
    """What the instance runs, with the address of a file system."""
    (hook,) = properties_of(template, "AWS::SageMaker::NotebookInstanceLifecycleConfig")["OnStart"]
    delimiter, parts = hook["Content"]["Fn::Base64"]["Fn::Join"]
    script: str = delimiter.join(part if isinstance(part, str) else "10.42.0.7" for part in parts)
    return script


def test_looks_as_often_as_the_settings_say() -> None:
    assert " --idle-minutes 60\n" in read_script(template_of("Notebook", "notebook"))
    assert " --idle-minutes 25\n" in read_script(template_with("Notebook", "notebook", {"notebook.idle_minutes": 25}))


def test_carries_the_whole_program() -> None:
    script = read_script(template_of("Notebook", "notebook"))

    match = re.search(r"^echo '(\S+)' \| base64 --decode > (\S+)$", script, re.MULTILINE)

    assert match is not None
    assert base64.b64decode(match[1]) == STOP_WHEN_IDLE.read_bytes()
    assert f"python3 {match[2]} " in script


def test_leaves_no_placeholder_in_the_script() -> None:
    assert re.findall("@[A-Z_]+@", read_script(template_of("Notebook", "notebook"))) == []


def test_runs_a_script_that_bash_understands() -> None:
    script = read_script(template_of("Notebook", "notebook"))

    done = subprocess.run(["/bin/bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_runs_a_script_that_sagemaker_takes() -> None:
    assert len(base64.b64encode(read_script(template_of("Notebook", "notebook")).encode())) <= LONGEST_SCRIPT


def test_uses_the_lifecycle_that_stops_it() -> None:
    assert read_instance("notebook")["LifecycleConfigName"] == {
        "Fn::GetAtt": ["StopWhenIdle", "NotebookInstanceLifecycleConfigName"]
    }
