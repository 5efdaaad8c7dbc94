"""What calls need besides the permission of their own name, on a real local cloud."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from headrace.local.calls import read_calls
from headrace.local.engine.cloud import LocalCloud
from tests.local_clouds import ROLES, allow, assume, make_role, running_with_object

pytestmark = pytest.mark.slow

ACCOUNT = "000000000000"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TAGS = [{"Key": "team", "Value": "a"}]
ROLES_MADE: list[str] = []
OBJECT = {"Bucket": "raw", "Key": "written", "Body": b""}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with an object and a bucket whose objects can be locked."""
    with running_with_object(tmp_path_factory.mktemp("cloud"), "in/a.txt", b"rows") as started:
        boto3.client("s3").create_bucket(Bucket="lockable", ObjectLockEnabledForBucket=True)
        yield started


@cache
def session_with(*actions: str) -> Any:
    """A session of a role that may do some things, and nothing else."""
    name = f"may-{len(ROLES_MADE)}"
    ROLES_MADE.append(name)
    make_role(name, allow(*actions))
    return assume(name)


def call(session: Any, service: str, operation: str, **arguments: Any) -> Any:
    return getattr(session.client(service), xform_name(operation))(**arguments)


LOCK = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "own", "further"),
    [
        ("s3", "PutObject", {**OBJECT, "Tagging": "team=a"}, ["s3:PutObject"], "s3:PutObjectTagging"),
        ("s3", "PutObject", {**OBJECT, "ACL": "bucket-owner-full-control"}, ["s3:PutObject"], "s3:PutObjectAcl"),
        ("s3", "PutObject", {**OBJECT, "Bucket": "lockable", **LOCK}, ["s3:PutObject"], "s3:PutObjectRetention"),
        (
            "s3",
            "PutObject",
            {**OBJECT, "Bucket": "lockable", "ObjectLockLegalHoldStatus": "OFF"},
            ["s3:PutObject"],
            "s3:PutObjectLegalHold",
        ),
        (
            "s3",
            "CopyObject",
            {
                "Bucket": "raw",
                "Key": "copy",
                "CopySource": "raw/in/a.txt",
                "Tagging": "a=b",
                "TaggingDirective": "REPLACE",
            },
            ["s3:PutObject", "s3:GetObject"],
            "s3:PutObjectTagging",
        ),
        (
            "s3",
            "CreateMultipartUpload",
            {"Bucket": "raw", "Key": "parts", "Tagging": "team=a"},
            ["s3:PutObject"],
            "s3:PutObjectTagging",
        ),
        (
            "s3",
            "CreateBucket",
            {"Bucket": "owned", "ObjectOwnership": "BucketOwnerPreferred"},
            ["s3:CreateBucket"],
            "s3:PutBucketOwnershipControls",
        ),
        (
            "s3",
            "CreateBucket",
            {"Bucket": "locking", "ObjectLockEnabledForBucket": True},
            ["s3:CreateBucket", "s3:PutBucketVersioning"],
            "s3:PutBucketObjectLockConfiguration",
        ),
        (
            "iam",
            "CreateRole",
            {"RoleName": "tagged", "AssumeRolePolicyDocument": TRUST, "Tags": TAGS},
            ["iam:CreateRole"],
            "iam:TagRole",
        ),
        ("kms", "CreateKey", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}, ["kms:CreateKey"], "kms:TagResource"),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "tagged", "tags": {"a": "b"}},
            ["logs:CreateLogGroup"],
            "logs:TagResource",
        ),
        ("sqs", "CreateQueue", {"QueueName": "tagged", "tags": {"a": "b"}}, ["sqs:CreateQueue"], "sqs:TagQueue"),
        ("sns", "CreateTopic", {"Name": "tagged", "Tags": TAGS}, ["sns:CreateTopic"], "sns:TagResource"),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "tagged", "SecretString": "s", "Tags": TAGS},
            ["secretsmanager:CreateSecret"],
            "secretsmanager:TagResource",
        ),
        (
            "events",
            "PutRule",
            {"Name": "r", "ScheduleExpression": "rate(1 day)", "Tags": TAGS},
            ["events:PutRule"],
            "events:TagResource",
        ),
    ],
)
def test_asks_for_what_a_part_of_the_request_needs(
    cloud: LocalCloud, service: str, operation: str, arguments: dict[str, Any], own: list[str], further: str
) -> None:
    assert cloud

    with pytest.raises(ClientError, match=f"perform: {further} on resource") as refusal:
        call(session_with(*own), service, operation, **arguments)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}
    assert call(session_with(*own, further), service, operation, **arguments)


@cache
def make_key() -> str:
    """A key whose use the account's policies decide; `alias/mine` is its other name."""
    statement = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    kms: Any = boto3.client("kms")
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    return str(key["Arn"])


WITH_KEY = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"}
COPY = {"Bucket": "raw", "Key": "copy", "CopySource": "raw/in/a.txt"}


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("PutObject", OBJECT), ("CopyObject", COPY), ("CreateMultipartUpload", {"Bucket": "raw", "Key": "parts"})],
)
def test_asks_for_the_key_that_a_request_names(cloud: LocalCloud, operation: str, arguments: dict[str, Any]) -> None:
    assert cloud
    key = make_key()

    with pytest.raises(ClientError, match=f"perform: kms:GenerateDataKey on resource: {key}"):
        call(session_with("s3:*"), "s3", operation, **{**arguments, **WITH_KEY})
    writing = session_with("s3:*", "kms:GenerateDataKey")
    assert call(writing, "s3", operation, **{**arguments, **WITH_KEY, "SSEKMSKeyId": key})
    assert call(session_with("s3:*"), "s3", operation, **{**arguments, "ServerSideEncryption": "AES256"})


def test_asks_for_more_than_encrypting_of_who_sends_an_object_in_parts(cloud: LocalCloud) -> None:
    assert cloud
    make_key()
    named = {"Bucket": "raw", "Key": "parts"}
    begun = call(session_with("s3:*", "kms:GenerateDataKey"), "s3", "CreateMultipartUpload", **named, **WITH_KEY)
    part = {**named, "UploadId": begun["UploadId"], "PartNumber": 1, "Body": b"x"}

    with pytest.raises(ClientError, match="perform: kms:Decrypt on resource"):
        call(session_with("s3:*", "kms:GenerateDataKey"), "s3", "UploadPart", **part)
    assert call(session_with("s3:*", "kms:Decrypt"), "s3", "UploadPart", **part)


def test_encrypts_with_no_key_that_there_is_not(cloud: LocalCloud) -> None:
    assert cloud

    with pytest.raises(ClientError, match="AccessDenied"):
        boto3.client("s3").put_object(**OBJECT, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/absent")


def test_asks_for_the_key_of_another_account(cloud: LocalCloud) -> None:
    assert cloud
    key = "arn:aws:kms:us-east-1:111122223333:key/theirs"
    request = {**OBJECT, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}

    with pytest.raises(ClientError, match=f"perform: kms:GenerateDataKey on resource: {key}"):
        call(session_with("s3:*"), "s3", "PutObject", **request)
    assert call(session_with("s3:*", "kms:GenerateDataKey"), "s3", "PutObject", **request)


def test_asks_for_the_key_of_the_version_that_is_read(cloud: LocalCloud) -> None:
    assert cloud
    key = make_key()
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    older = {"Bucket": "versioned", "Key": "a"}
    older["VersionId"] = s3.put_object(**older, Body=b"secret", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)[
        "VersionId"
    ]
    newer = s3.put_object(Bucket="versioned", Key="a", Body=b"open")["VersionId"]
    reading = session_with("s3:*").client("s3")

    for _ in range(2):
        with pytest.raises(ClientError, match=f"perform: kms:Decrypt on resource: {key}"):
            reading.get_object(**older)
        with pytest.raises(ClientError, match=f"perform: kms:Decrypt on resource: {key}"):
            reading.copy_object(Bucket="raw", Key="copy", CopySource=older)
        assert reading.get_object(Bucket="versioned", Key="a", VersionId=newer)["Body"].read() == b"open"
        s3.delete_object(Bucket="versioned", Key="a")


def test_decides_on_the_key_whatever_it_is_called(cloud: LocalCloud) -> None:
    assert cloud
    key = make_key()
    denial = {"Effect": "Deny", "Action": "kms:*", "Resource": key}
    make_role("denied-key", allow("kms:*", "s3:*"), denial)
    make_role("any-alias", allow("kms:*", on="arn:aws:kms:*:*:alias/*"))
    request = {"KeyId": "alias/mine", "Plaintext": b"x"}

    for role in ("denied-key", "any-alias"):
        with pytest.raises(ClientError, match=f"perform: kms:Encrypt on resource: {key}"):
            assume(role).client("kms").encrypt(**request)
    with pytest.raises(ClientError, match=f"perform: kms:GenerateDataKey on resource: {key}"):
        assume("denied-key").client("s3").put_object(**OBJECT, **WITH_KEY)


@pytest.mark.parametrize(
    ("condition", "is_allowed"),
    [
        ({"StringEquals": {"kms:EncryptionContext:of": "b"}}, True),
        ({"StringEquals": {"kms:EncryptionContext:of": "a"}}, False),
        ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["of"]}}, False),
        ({"StringEquals": {"kms:RequestAlias": "alias/mine"}}, False),
        ({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/mine"}}, False),
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, False),
        ({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}, False),
    ],
)
def test_knows_what_a_request_to_kms_says(cloud: LocalCloud, condition: dict[str, Any], is_allowed: bool) -> None:
    assert cloud
    make_key()
    name = f"of-kms-{len(ROLES_MADE)}"
    ROLES_MADE.append(name)
    make_role(name, allow("kms:*"), {**allow("kms:*"), "Effect": "Deny", "Condition": condition})
    request = {"KeyId": "alias/mine", "Plaintext": b"x", "EncryptionContext": {"of": "a"}}

    if is_allowed:
        assert assume(name).client("kms").encrypt(**request)
    else:
        with pytest.raises(ClientError, match="with an explicit deny"):
            assume(name).client("kms").encrypt(**request)


PASSED = f"{ROLES}/passed"
TARGET = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "RoleArn": PASSED}
TASK = {"family": "f", "taskRoleArn": PASSED, "containerDefinitions": [{"name": "a", "image": "b"}]}
STACK = {"StackName": "passed", "TemplateBody": '{"Resources": {}}', "RoleARN": PASSED}
SCHEDULE = {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET}
REPLICATION = {
    "Bucket": "raw",
    "ReplicationConfiguration": {
        "Role": PASSED,
        "Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::lockable"}}],
    },
}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "principal"),
    [
        ("cloudformation", "CreateStack", STACK, "cloudformation"),
        (
            "cloudformation",
            "CreateChangeSet",
            {**STACK, "ChangeSetName": "c", "ChangeSetType": "CREATE"},
            "cloudformation",
        ),
        ("scheduler", "CreateSchedule", SCHEDULE, "scheduler"),
        ("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "p", "RoleName": "passed"}, "ec2"),
        ("ecs", "RegisterTaskDefinition", TASK, "ecs-tasks"),
        ("s3", "PutBucketReplication", REPLICATION, "s3"),
    ],
)
def test_asks_who_hands_over_a_role_whether_they_may(
    cloud: LocalCloud, service: str, operation: str, arguments: dict[str, Any], principal: str
) -> None:
    assert cloud
    name = f"passes-{len(ROLES_MADE)}"
    ROLES_MADE.append(name)
    to_another = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    own = f"{service}:{operation}" if service == "iam" else f"{service}:*"
    make_role(name, allow(own), allow("iam:PassRole", on=PASSED, **to_another))

    with pytest.raises(ClientError, match=f"perform: iam:PassRole on resource: {PASSED}"):
        call(assume(name), service, operation, **arguments)
    with suppress(ClientError):
        call(session_with(f"{service}:*", "iam:*", "s3:*"), service, operation, **arguments)
    passing = [made for made in read_calls(cloud.root) if made.action == "iam:PassRole" and made.is_allowed]
    assert {"iam:PassedToService": f"{principal}.amazonaws.com"} in [made.context for made in passing]


def test_lets_who_is_named_by_the_trust_of_a_role_assume_it(cloud: LocalCloud) -> None:
    assert cloud
    iam: Any = boto3.client("iam")
    users = {name: iam.create_user(UserName=name)["User"]["Arn"] for name in ("named", "another")}
    keyed = {"StringEquals": {"sts:ExternalId": "right"}}
    for role, condition in (("trusting", {}), ("trusting-keyed", {"Condition": keyed})):
        trust = {"Effect": "Allow", "Principal": {"AWS": users["named"]}, "Action": "sts:AssumeRole", **condition}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    keys = {name: iam.create_access_key(UserName=name)["AccessKey"] for name in users}
    named, another = (
        boto3.Session(keys[name]["AccessKeyId"], keys[name]["SecretAccessKey"]) for name in ("named", "another")
    )

    assert assume("trusting", named).client("sts").get_caller_identity()["Arn"].endswith("assumed-role/trusting/one")
    assert assume("trusting-keyed", named, ExternalId="right")
    with pytest.raises(ClientError, match="perform: sts:AssumeRole"):
        assume("trusting-keyed", named, ExternalId="wrong")
    with pytest.raises(ClientError, match="perform: sts:AssumeRole"):
        assume("trusting", another)


DENIED_BY_REQUEST = [
    ("s3:authType", "StringEquals", "REST-HEADER"),
    ("s3:signatureversion", "StringEquals", "AWS4-HMAC-SHA256"),
    ("s3:TlsVersion", "NumericGreaterThan", "1.2"),
    ("aws:UserAgent", "StringLike", "*Boto3*"),
    ("s3:x-amz-storage-class", "StringEquals", "STANDARD_IA"),
    ("s3:RequestObjectTag/team", "StringEquals", "a"),
    ("s3:LocationOfMoon", "StringEquals", "a"),
]


@pytest.mark.parametrize(("key", "operator", "value"), DENIED_BY_REQUEST)
def test_denies_by_what_requests_have_on_aws(cloud: LocalCloud, key: str, operator: str, value: str) -> None:
    assert cloud
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="conditions")
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::conditions/*",
        "Condition": {operator: {key: value}},
    }
    s3.put_bucket_policy(Bucket="conditions", Policy=json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
    request = {**OBJECT, "Bucket": "conditions", "StorageClass": "STANDARD_IA", "Tagging": "team=a"}

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(**request)
    s3.delete_bucket_policy(Bucket="conditions")
    assert s3.put_object(**request)


def test_knows_the_tags_of_what_is_copied(cloud: LocalCloud) -> None:
    assert cloud
    boto3.client("s3").put_object(Bucket="raw", Key="tagged", Body=b"", Tagging="secret=yes")
    name = f"copies-{len(ROLES_MADE)}"
    ROLES_MADE.append(name)
    of_secret = {"StringEquals": {"s3:ExistingObjectTag/secret": "yes"}}
    make_role(name, allow("s3:*"), {**allow("s3:GetObject"), "Effect": "Deny", "Condition": of_secret})
    copying = assume(name).client("s3")

    with pytest.raises(ClientError, match="with an explicit deny"):
        copying.copy_object(Bucket="raw", Key="copied", CopySource="raw/tagged")
    assert copying.copy_object(**COPY)
