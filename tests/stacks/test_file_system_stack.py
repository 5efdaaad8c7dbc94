"""EFS for people and jobs, FSx for Lustre over the raw bucket: each encrypted, each by setting."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import list_stacks, name_output, template_of

EFS = "AWS::EFS::FileSystem"
FSX = "AWS::FSx::FileSystem"
ASSOCIATION = "AWS::FSx::DataRepositoryAssociation"


def properties_of(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the only resource of a kind."""
    (resource,) = template.find_resources(kind).values()
    found: dict[str, Any] = resource["Properties"]
    return found


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_of("FileSystems", "prod")


@pytest.fixture(scope="module")
def scratch() -> Template:
    return template_with("FileSystems", "prod", {"file_systems.fsx.deployment": "SCRATCH_2"})


def test_makes_no_file_system_unless_the_settings_say_so() -> None:
    assert "FileSystems" not in list_stacks("dev")


@pytest.mark.parametrize(("variant", "kinds"), [("efs", (1, 0)), ("fsx", (0, 1)), ("prod", (1, 1))])
def test_makes_the_file_systems_of_the_settings(variant: str, kinds: tuple[int, int]) -> None:
    template = template_of("FileSystems", variant)

    template.resource_count_is(EFS, kinds[0])
    template.resource_count_is(FSX, kinds[1])
    template.resource_count_is(ASSOCIATION, kinds[1])


def test_encrypts_efs_with_the_customers_key_where_there_is_one(prod: Template) -> None:
    assert properties_of(prod, EFS)["Encrypted"] is True
    assert "Key961B73FD" in name_output(properties_of(prod, EFS)["KmsKeyId"])


def test_encrypts_efs_with_the_key_of_aws_otherwise() -> None:
    efs = properties_of(template_of("FileSystems", "efs"), EFS)

    assert efs["Encrypted"] is True
    assert "KmsKeyId" not in efs


def test_pays_efs_for_throughput_as_it_is_used(prod: Template) -> None:
    efs = properties_of(prod, EFS)

    assert efs["ThroughputMode"] == "elastic"
    assert "ProvisionedThroughputInMibps" not in efs


@pytest.mark.parametrize(("days", "policy"), [(1, "AFTER_1_DAY"), (30, "AFTER_30_DAYS"), (90, "AFTER_90_DAYS")])
def test_moves_idle_files_to_infrequent_access_and_back_when_read(days: int, policy: str) -> None:
    template = template_with("FileSystems", "efs", {"file_systems.efs.infrequent_access_days": days})

    assert properties_of(template, EFS)["LifecyclePolicies"] == [
        {"TransitionToIA": policy},
        {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ]


def test_lets_jobs_mount_efs_without_an_identity(prod: Template) -> None:
    """SageMaker's channels have no identity to show, and any policy would ask for one."""
    assert "FileSystemPolicy" not in properties_of(prod, EFS)


def test_mounts_efs_in_every_subnet_through_its_own_group(prod: Template) -> None:
    targets = [target["Properties"] for target in prod.find_resources("AWS::EFS::MountTarget").values()]

    assert len({name_output(target["SubnetId"]) for target in targets}) == 3
    assert all("GroupsEfs" in str(target["SecurityGroups"]) for target in targets)


def test_gives_people_a_folder_of_efs_as_one_user(prod: Template) -> None:
    access_point = properties_of(prod, "AWS::EFS::AccessPoint")

    assert access_point["PosixUser"] == {"Uid": "1000", "Gid": "1000"}
    assert access_point["RootDirectory"] == {
        "Path": "/lists",
        "CreationInfo": {"OwnerUid": "1000", "OwnerGid": "1000", "Permissions": "0775"},
    }


@pytest.mark.parametrize(
    ("variant", "status", "policy"), [("efs", "DISABLED", "Delete"), ("prod", "ENABLED", "RetainExceptOnCreate")]
)
def test_backs_up_and_keeps_efs_in_production_only(variant: str, status: str, policy: str) -> None:
    (efs,) = template_of("FileSystems", variant).find_resources(EFS).values()

    assert efs["Properties"].get("BackupPolicy", {"Status": "DISABLED"}) == {"Status": status}
    assert efs["DeletionPolicy"] == policy


def test_makes_persistent_lustre_with_the_throughput_of_the_settings(prod: Template) -> None:
    fsx = properties_of(prod, FSX)

    assert (fsx["FileSystemType"], fsx["FileSystemTypeVersion"], fsx["StorageCapacity"]) == ("LUSTRE", "2.15", 1200)
    assert fsx["LustreConfiguration"] == {
        "DeploymentType": "PERSISTENT_2",
        "PerUnitStorageThroughput": 125,
        "DataCompressionType": "LZ4",
    }
    assert "Key961B73FD" in name_output(fsx["KmsKeyId"])


def test_makes_scratch_lustre_without_what_it_cannot_have(scratch: Template) -> None:
    fsx = properties_of(scratch, FSX)

    assert fsx["LustreConfiguration"] == {"DeploymentType": "SCRATCH_2", "DataCompressionType": "LZ4"}
    assert "KmsKeyId" not in fsx


def test_links_scratch_lustre_to_the_raw_bucket_too(scratch: Template) -> None:
    scratch.resource_count_is(ASSOCIATION, 1)


def test_puts_lustre_into_one_subnet_with_its_own_group(prod: Template) -> None:
    fsx = properties_of(prod, FSX)

    assert len(fsx["SubnetIds"]) == 1
    assert ["GroupsLustre" in name_output(group) for group in fsx["SecurityGroupIds"]] == [True]


@pytest.mark.parametrize("deployment", ["PERSISTENT_2", "SCRATCH_2"])
def test_never_puts_lustre_on_intelligent_tiering(deployment: str) -> None:
    """That storage cannot be linked to a bucket."""
    template = template_with("FileSystems", "prod", {"file_systems.fsx.deployment": deployment})

    template.all_resources_properties(FSX, {"StorageType": "SSD"})
    assert "INTELLIGENT_TIERING" not in str(template.to_json())


def test_shows_the_raw_bucket_at_its_folder(prod: Template) -> None:
    association = properties_of(prod, ASSOCIATION)

    assert association["FileSystemPath"] == "/raw"
    assert association["BatchImportMetaDataOnCreate"] is True
    assert association["DataRepositoryPath"]["Fn::Join"][1][0] == "s3://"
    assert "PublishOutputRefRaw" in str(association["DataRepositoryPath"])


def test_imports_and_exports_on_the_events_of_the_settings() -> None:
    changes = {"file_systems.fsx.import_events": ["NEW", "CHANGED"], "file_systems.fsx.export_events": ["NEW"]}

    template_with("FileSystems", "prod", changes).has_resource_properties(
        ASSOCIATION,
        {"S3": {"AutoImportPolicy": {"Events": ["NEW", "CHANGED"]}, "AutoExportPolicy": {"Events": ["NEW"]}}},
    )


def test_links_no_bucket_inside_lustres_configuration(prod: Template) -> None:
    """PERSISTENT_2 refuses the older properties; the association stands for them."""
    prod.has_resource_properties(
        FSX, {"LustreConfiguration": Match.object_like({"ImportPath": Match.absent(), "ExportPath": Match.absent()})}
    )


def test_admits_the_clients_of_the_settings_and_nobody_else(prod: Template) -> None:
    groups = ["sg-0123456789abcdef0", "sg-0123456789abcdef1"]
    template = template_with("FileSystems", "prod", {"file_systems.efs.client_groups": groups})

    rules = [rule["Properties"] for rule in template.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    assert sorted(rule["SourceSecurityGroupId"] for rule in rules) == groups
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {("tcp", 2049, 2049)}
    assert all("GroupsEfs" in str(rule["GroupId"]) for rule in rules)
    prod.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_tells_the_ids_of_the_file_systems(prod: Template) -> None:
    prod.has_output("EfsPeopleAccessPointId", {})
    prod.has_output("EfsFileSystemId", {})
    prod.has_output("FsxFileSystemId", {})
