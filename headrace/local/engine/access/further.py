"""What requests need besides the permission of their own name, by the condition keys that they come with.

The page of a service in the Service Authorization Reference lists under each API operation the actions that it is
decided by; `aws:TagKeys` comes with tags, and the keys of S3 with the headers that they are called after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from headrace.local.engine.access.needs import Need
from headrace.local.engine.cloud import ACCOUNT, REGION

_REFERENCE: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/"
_S3: Final = f"{_REFERENCE}list_amazons3.html"
_TAGS: Final = "aws:TagKeys"
# Headers of S3 that are condition keys by their own names, and those that have other names there.
_HEADERS: Final = (
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
_LOCKS: Final = ("object-lock-mode", "object-lock-retain-until-date", "object-lock-legal-hold")
# No condition key of AWS: what a bucket is created with.
_LOCKABLE: Final = "bucket-object-lock-enabled"
_ACLS: Final = ("s3:x-amz-acl", *(f"s3:{name}" for name in _HEADERS if name.startswith("x-amz-grant-")))


@dataclass(frozen=True, kw_only=True)
class Further:
    """An action that another one needs besides, on the same resource, where a request has a condition key.

    Args:
        of: The action.
        keys: The condition keys, one of which the request must have.
        actions: What it needs besides.
        source: Where AWS says so.
    """

    of: str
    keys: tuple[str, ...]
    actions: tuple[str, ...]
    source: str = _S3


def list_further_needs(action: str, resource: str, context: Mapping[str, Any]) -> Iterator[Need]:
    """What a request needs besides, on the same resource; one that is yet to be made stands for itself.

    Args:
        action: What is done.
        resource: What it is done on.
        context: The condition keys of the request.
    """
    service = action.partition(":")[0]
    on = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{_MADE[service]}" if resource == "*" and service in _MADE else resource
    for rule in FURTHER:
        if rule.of == action and any(context.get(key) for key in rule.keys):
            yield from (Need(action=further, resource=on, context=context) for further in rule.actions)


def describe_write(headers: Mapping[str, str]) -> dict[str, Any]:
    """The condition keys that the headers of a request give to those who write to S3.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    keys: dict[str, Any] = {f"s3:{name}": headers[name] for name in _HEADERS if headers.get(name)}
    keys |= {f"s3:{name}": headers[f"x-amz-{name}"] for name in (*_LOCKS, _LOCKABLE) if headers.get(f"x-amz-{name}")}
    return keys | describe_object_tags(dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True)))


def describe_creation(headers: Mapping[str, str], *, part: bool, ends: bool, begins: bool) -> dict[str, Any]:
    """The condition keys of how an object is made: those that only send its parts make none, and ask for nothing.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html

    Args:
        headers: Those of the request.
        part: Whether it sends a part.
        ends: Whether it ends an upload of parts.
        begins: Whether it begins one.
    """
    asked = {f"s3:{name}": headers[name] for name in ("if-match", "if-none-match") if ends and headers.get(name)}
    return {"s3:ObjectCreationOperation": str(not (part or begins)).lower(), **asked}


def describe_object_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """The condition keys of the tags that an object is to have."""
    keys: dict[str, Any] = {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
    return {**keys, "s3:RequestObjectTagKeys": list(tags)} if tags else {}


def _list_tagging() -> Iterator[Further]:
    for page, service, tagging, operations in _WITH_TAGS:
        for operation in operations.split():
            yield Further(
                of=f"{service}:{operation}",
                keys=(_TAGS,),
                actions=(f"{service}:{tagging.format(made=operation.removeprefix('Create'))}",),
                source=f"{_REFERENCE}list_{page}.html",
            )


# What is made has no name in the requests of these services.
_MADE: Final[Mapping[str, str]] = {
    "elasticfilesystem": "file-system/new",
    "fsx": "file-system/new",
    "kms": "key/new",
}
# Page of the reference, service, the action for tags, and the operations that take tags with what they make.
_WITH_TAGS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("amazoncloudwatch", "cloudwatch", "TagResource", "PutDashboard PutMetricAlarm PutCompositeAlarm PutMetricStream"),
    ("amazoncloudwatchlogs", "logs", "TagResource", "CreateLogGroup PutDestination"),
    ("amazondynamodb", "dynamodb", "TagResource", "CreateTable"),
    ("amazonelasticcontainerregistry", "ecr", "TagResource", "CreateRepository"),
    ("amazonelasticfilesystem", "elasticfilesystem", "TagResource", "CreateFileSystem CreateAccessPoint"),
    ("amazoneventbridge", "events", "TagResource", "CreateEventBus PutRule"),
    ("amazonfsx", "fsx", "TagResource", "CreateFileSystem CreateDataRepositoryAssociation"),
    ("amazonsns", "sns", "TagResource", "CreateTopic"),
    ("amazonsqs", "sqs", "TagQueue", "CreateQueue"),
    (
        "awsidentityandaccessmanagementiam",
        "iam",
        "Tag{made}",
        "CreateInstanceProfile CreatePolicy CreateRole CreateUser CreateOpenIDConnectProvider CreateSAMLProvider",
    ),
    ("awskeymanagementservice", "kms", "TagResource", "CreateKey"),
    ("awslambda", "lambda", "TagResource", "CreateFunction CreateEventSourceMapping"),
    ("awssecretsmanager", "secretsmanager", "TagResource", "CreateSecret"),
    ("awsstepfunctions", "states", "TagResource", "CreateActivity CreateStateMachine"),
    ("awssystemsmanager", "ssm", "AddTagsToResource", "CreateDocument PutParameter"),
)
FURTHER: Final = (
    Further(of="s3:PutObject", keys=("s3:RequestObjectTagKeys",), actions=("s3:PutObjectTagging",)),
    Further(of="s3:PutObject", keys=_ACLS, actions=("s3:PutObjectAcl",)),
    Further(of="s3:PutObject", keys=tuple(f"s3:{name}" for name in _LOCKS[:2]), actions=("s3:PutObjectRetention",)),
    Further(of="s3:PutObject", keys=(f"s3:{_LOCKS[2]}",), actions=("s3:PutObjectLegalHold",)),
    Further(of="s3:CreateBucket", keys=_ACLS, actions=("s3:PutBucketAcl",)),
    Further(of="s3:CreateBucket", keys=("s3:x-amz-object-ownership",), actions=("s3:PutBucketOwnershipControls",)),
    Further(
        of="s3:CreateBucket",
        keys=(f"s3:{_LOCKABLE}",),
        actions=("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"),
    ),
    *_list_tagging(),
)
