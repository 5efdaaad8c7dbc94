"""What holds data: what people call it, whether it is there, and how it is deleted with everything in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.absence import forgiving_absence, is_absence
from headrace.deletion import buckets
from headrace.deletion.clients import make_client
from headrace.deletion.waiting import wait_until
from headrace.wording import counted

BUCKET: Final = "AWS::S3::Bucket"
EFS: Final = "AWS::EFS::FileSystem"
FSX: Final = "AWS::FSx::FileSystem"
KEY: Final = "AWS::KMS::Key"
LOG_GROUP: Final = "AWS::Logs::LogGroup"
MODEL_PACKAGE: Final = "AWS::SageMaker::ModelPackage"
MODEL_PACKAGE_GROUP: Final = "AWS::SageMaker::ModelPackageGroup"
NOTEBOOK: Final = "AWS::SageMaker::NotebookInstance"
REPOSITORY: Final = "AWS::ECR::Repository"
USER_POOL: Final = "AWS::Cognito::UserPool"
# As the stacks have it: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html allows 7 to 30.
_WAITING_DAYS: Final = 30
# Of a file system that is not there, and of one of EFS of which only the record is.
_GONE_STATES: Final = ("", "deleted")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A type of resource that holds data.

    Args:
        word: What people call it.
        arn: What the resource part of its ARNs begins with, before its id.
        is_there: Whether there is one of this id, which is not being deleted; an error of absence says no as well.
        delete: Deletes one with everything in it and waits; until when it is pending where AWS makes it wait.
        measure: How much one holds.
        is_named: Whether it is only deleted when it is named.
    """

    word: str
    arn: str = ""
    is_there: Callable[[str], bool]
    delete: Callable[[str], datetime | None]
    measure: Callable[[str], object] = lambda _: ""
    is_named: bool = True


def is_there(kind: str, known: str) -> bool:
    """Whether a resource that holds data is there, and not deleted in the meantime."""
    try:
        return HOLDERS[kind].is_there(known)
    except ClientError as error:
        if is_absence(error):
            return False
        raise


def delete_versions(group: str) -> None:
    """Delete the versions in a model package group: SageMaker deletes none that has some."""
    sagemaker = make_client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for version in [version for page in pages for version in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=version["ModelPackageArn"])


def find_pending(key: str) -> datetime | None:
    """When a key that was deleted goes for good."""
    described: Mapping[str, Any] = make_client("kms").describe_key(KeyId=key)["KeyMetadata"]
    return described.get("DeletionDate")


def _has_bucket(name: str) -> bool:
    make_client("s3").head_bucket(Bucket=name)
    return True


def _has_repository(name: str) -> bool:
    return bool(make_client("ecr").describe_repositories(repositoryNames=[name])["repositories"])


def _read_efs_state(name: str) -> str:
    found = make_client("efs").describe_file_systems(FileSystemId=name)["FileSystems"]
    return next((str(each["LifeCycleState"]) for each in found), "")


def _read_fsx_state(name: str) -> str:
    found = make_client("fsx").describe_file_systems(FileSystemIds=[name])["FileSystems"]
    return next((str(each["Lifecycle"]) for each in found), "")


def _has_efs(name: str) -> bool:
    return _read_efs_state(name) not in ("deleting", *_GONE_STATES)


def _has_fsx(name: str) -> bool:
    return _read_fsx_state(name) not in ("DELETING", *_GONE_STATES)


def _has_key(name: str) -> bool:
    return str(make_client("kms").describe_key(KeyId=name)["KeyMetadata"]["KeyState"]) in ("Enabled", "Disabled")


def _has_log_group(name: str) -> bool:
    groups = make_client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _has_model_package_group(arn: str) -> bool:
    make_client("sagemaker").describe_model_package_group(ModelPackageGroupName=arn)
    return True


def _has_notebook(name: str) -> bool:
    make_client("sagemaker").describe_notebook_instance(NotebookInstanceName=name.rpartition("/")[2])
    return True


def _has_user_pool(name: str) -> bool:
    make_client("cognito-idp").describe_user_pool(UserPoolId=name)
    return True


def _delete_bucket(name: str) -> None:
    buckets.delete(name)


def _delete_repository(name: str) -> None:
    make_client("ecr").delete_repository(repositoryName=name, force=True)


def _delete_efs(name: str) -> None:
    """Delete what is mounted first: EFS deletes no file system with mount targets."""
    efs = make_client("efs")

    def list_targets() -> list[str]:
        return [target["MountTargetId"] for target in efs.describe_mount_targets(FileSystemId=name)["MountTargets"]]

    for target in list_targets():
        efs.delete_mount_target(MountTargetId=target)
    wait_until(lambda: not list_targets(), f"the mount targets of {name} to be deleted")
    efs.delete_file_system(FileSystemId=name)
    _wait_until_gone(_read_efs_state, name)


def _delete_fsx(name: str) -> None:
    make_client("fsx").delete_file_system(FileSystemId=name)
    _wait_until_gone(_read_fsx_state, name)


def _wait_until_gone(read_state: Callable[[str], str], name: str) -> None:
    """Wait until a file system that is being deleted is there no more: until then it uses its network and its key."""

    def is_gone() -> bool:
        state = ""
        with forgiving_absence():
            state = read_state(name)
        return state in _GONE_STATES

    wait_until(is_gone, f"{name} to be deleted")


def _delete_key(name: str) -> datetime | None:
    answer = make_client("kms").schedule_key_deletion(KeyId=name, PendingWindowInDays=_WAITING_DAYS)
    due: datetime | None = answer["DeletionDate"]
    return due


def _delete_log_group(name: str) -> None:
    make_client("logs").delete_log_group(logGroupName=name)


def _delete_model_package_group(arn: str) -> None:
    delete_versions(arn)
    make_client("sagemaker").delete_model_package_group(ModelPackageGroupName=arn)


def _delete_notebook(name: str) -> None:
    make_client("sagemaker").delete_notebook_instance(NotebookInstanceName=name.rpartition("/")[2])


def _delete_user_pool(name: str) -> None:
    cognito = make_client("cognito-idp")
    # What this request does not name goes back to its default, which matters no more.
    cognito.update_user_pool(UserPoolId=name, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=name)


def _count_users(name: str) -> str:
    pool = make_client("cognito-idp").describe_user_pool(UserPoolId=name)["UserPool"]
    return counted(pool.get("EstimatedNumberOfUsers", 0), "user")


def _count_images(name: str) -> str:
    pages = make_client("ecr").get_paginator("list_images").paginate(repositoryName=name)
    count = sum(len(page["imageIds"]) for page in pages)
    return counted(count, "container image")


def _size_efs(name: str) -> str:
    (found,) = make_client("efs").describe_file_systems(FileSystemId=name)["FileSystems"]
    return f"{found.get('SizeInBytes', {}).get('Value', 0) / 2**30:,.1f} GB"


HOLDERS: Final[Mapping[str, Holder]] = {
    BUCKET: Holder(
        word="bucket", is_there=_has_bucket, delete=_delete_bucket, measure=lambda name: buckets.measure(name)
    ),
    EFS: Holder(word="file system", arn="file-system/", is_there=_has_efs, delete=_delete_efs, measure=_size_efs),
    FSX: Holder(word="file system", arn="file-system/", is_there=_has_fsx, delete=_delete_fsx),
    REPOSITORY: Holder(
        word="repository",
        arn="repository/",
        is_there=_has_repository,
        delete=_delete_repository,
        measure=_count_images,
    ),
    MODEL_PACKAGE_GROUP: Holder(
        word="model package group",
        arn="model-package-group/",
        is_there=_has_model_package_group,
        delete=_delete_model_package_group,
    ),
    NOTEBOOK: Holder(word="notebook", arn="notebook-instance/", is_there=_has_notebook, delete=_delete_notebook),
    USER_POOL: Holder(
        word="user pool",
        arn="userpool/",
        is_there=_has_user_pool,
        delete=_delete_user_pool,
        measure=_count_users,
    ),
    LOG_GROUP: Holder(
        word="log group", arn="log-group:", is_there=_has_log_group, delete=_delete_log_group, is_named=False
    ),
    # The last: what it encrypted cannot be read without it.
    KEY: Holder(word="key", arn="key/", is_there=_has_key, delete=_delete_key),
}
