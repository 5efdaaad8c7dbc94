"""What resources hold: put there, and read back byte for byte."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from headrace.changes.kinds import BUCKET, REPOSITORY
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.file_systems import list_folders

KEY = "images/photographs/one.jpg"


@dataclass(frozen=True)
class Holding:
    """What one resource holds.

    Args:
        put: What was put there.
        read: Reads it; fails where it is gone.
    """

    put: bytes
    read: Callable[[], bytes]

    def is_whole(self) -> bool:
        """Whether it is still there as it was put there."""
        # Every service has its own error for what is not there.
        try:
            return self.read() == self.put
        except Exception:  # noqa: BLE001
            return False


def fill(cloud: LocalCloud, kind: str, resource: str) -> Holding | None:
    """Put something of its own into a resource; None for kinds that hold nothing on a local cloud."""
    if not (filler := _FILLERS.get(kind)):
        return None
    content = uuid.uuid4().bytes * 40
    return Holding(content, filler(cloud, resource, content))


def _fill_bucket(_cloud: LocalCloud, bucket: str, content: bytes) -> Callable[[], bytes]:
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=KEY, Body=content)
    return lambda: bytes(s3.get_object(Bucket=bucket, Key=KEY)["Body"].read())


def _fill_key(_cloud: LocalCloud, key: str, content: bytes) -> Callable[[], bytes]:
    kms: Any = boto3.client("kms")
    encrypted = kms.encrypt(KeyId=key, Plaintext=content)["CiphertextBlob"]
    return lambda: bytes(kms.decrypt(KeyId=key, CiphertextBlob=encrypted)["Plaintext"])


def _fill_file_system(cloud: LocalCloud, file_system: str, content: bytes) -> Callable[[], bytes]:
    file: Path = list_folders(cloud.root)[file_system] / "kept.lst"
    file.write_bytes(content)
    return file.read_bytes


def _fill_repository(_cloud: LocalCloud, repository: str, content: bytes) -> Callable[[], bytes]:
    ecr: Any = boto3.client("ecr")
    ecr.put_image(repositoryName=repository, imageTag="kept", imageManifest=content.hex())
    found = {"repositoryName": repository, "imageIds": [{"imageTag": "kept"}]}
    return lambda: bytes.fromhex(ecr.batch_get_image(**found)["images"][0]["imageManifest"])


def _fill_log_group(_cloud: LocalCloud, group: str, content: bytes) -> Callable[[], bytes]:
    logs: Any = boto3.client("logs")
    stream = {"logGroupName": group, "logStreamName": "kept"}
    logs.create_log_stream(**stream)
    logs.put_log_events(**stream, logEvents=[{"timestamp": _NOON, "message": content.hex()}])
    return lambda: bytes.fromhex(logs.get_log_events(**stream, startFromHead=True)["events"][0]["message"])


def _fill_state_machine(_cloud: LocalCloud, machine: str, content: bytes) -> Callable[[], bytes]:
    """Its history has an execution, which ends at once because nothing is called like its input."""
    states: Any = boto3.client("stepfunctions")
    given = f'{{"Kept": "{content.hex()}"}}'
    execution = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    return lambda: bytes.fromhex(states.describe_execution(executionArn=execution)["input"][10:-2])


_NOON = 1_800_000_000_000
_FILLERS: Mapping[str, Callable[[LocalCloud, str, bytes], Callable[[], bytes]]] = {
    BUCKET: _fill_bucket,
    REPOSITORY: _fill_repository,
    "AWS::EFS::FileSystem": _fill_file_system,
    "AWS::FSx::FileSystem": _fill_file_system,
    "AWS::KMS::Key": _fill_key,
    "AWS::Logs::LogGroup": _fill_log_group,
    "AWS::StepFunctions::StateMachine": _fill_state_machine,
}
