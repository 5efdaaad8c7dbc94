"""The keys that buckets encrypt with, and what else who reads or writes an object needs.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

import importlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from headrace.local.engine.access.needs import Need, name_key
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.ministack.cloudformation import Provision
from headrace.local.engine.ministack.objects import Asked, asked
from headrace.local.engine.resources import Attributes

BUCKET: Final = "AWS::S3::Bucket"
_OBJECT: Final = re.compile(r"arn:aws:s3:::(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)
_POINT: Final = ":accesspoint/"
_THROUGH_POINT: Final = re.compile(
    r"(?P<point>arn:aws:s3:[^:]+:\d+:accesspoint/(?P<name>[^/]+))/object/(?P<key>.+)", re.DOTALL
)
_KEY_HEADER: Final = "x-amz-server-side-encryption-aws-kms-key-id"
_ENCRYPTION_HEADERS: Final = (
    "x-amz-server-side-encryption",
    _KEY_HEADER,
    "x-amz-server-side-encryption-customer-algorithm",
)
_ALIAS_OF_S3: Final = "alias/aws/s3"
_ACTIONS: Final[Mapping[str, str]] = {
    "s3:GetObject": "kms:Decrypt",
    "s3:GetObjectVersion": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
_FOR_PARTS: Final = "kms:Decrypt"


def install_encryption() -> None:
    """Teach MiniStack's CloudFormation the default encryption of buckets, which it leaves out."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[BUCKET] = {
        **handlers[BUCKET],
        "create": _apply_encryption(handlers[BUCKET]["create"], 1),
        "update": _apply_encryption(handlers[BUCKET]["update"], 2),
    }


def name_key_of_s3(account: str, region: str) -> str:
    """The key that AWS encrypts with when a request asks for KMS and names none; those who may use S3 may use it."""
    return f"arn:aws:kms:{region}:{account}:key/{uuid.uuid5(uuid.NAMESPACE_URL, f'{account}/{region}/aws/s3')}"


def find_object_need(action: str, resource: str, context: Mapping[str, Any]) -> Need | None:
    """What reading or writing an object needs besides.

    Its key, where one of the account encrypts it; and to be told that there is none, the permission to list the bucket:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html

    Args:
        action: What is done with it.
        resource: The object, or an access point's way to it.
        context: The condition keys of the request.
    """
    if action not in _ACTIONS or not (place := _find_place(resource)):
        return None
    bucket, key, listed = place
    s3: Any = importlib.import_module("ministack.services.s3")
    given = asked.get()
    stored = _describe_write(s3, given, context) if action == "s3:PutObject" else _find_stored(s3, given, bucket, key)
    if stored is None:
        through = {name: value for name, value in context.items() if name.startswith("s3:DataAccessPoint")}
        is_told = action == "s3:GetObject" and bucket in s3._buckets
        return Need(action="s3:ListBucket", resource=listed, context=through) if is_told else None
    # Through an access point, the bucket's own object is decided, too.
    encrypts = "" if _POINT in resource else _find_encrypting_key(s3, bucket, stored)
    if not encrypts or name_key(encrypts) in {name_key(_ALIAS_OF_S3), name_key_of_s3(ACCOUNT, REGION)}:
        return None
    needed = _FOR_PARTS if action == "s3:PutObject" and given.upload else _ACTIONS[action]
    return Need(action=needed, resource=name_key(encrypts), context={"kms:ViaService": f"s3.{REGION}.amazonaws.com"})


def _describe_write(s3: Any, given: Asked, context: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers of encryption of what is written; a part has those of its upload."""
    if given.upload:
        return dict(s3._multipart_uploads.get(given.upload, {}).get("preserved_headers", {}))
    return {name: context[f"s3:{name}"] for name in _ENCRYPTION_HEADERS if f"s3:{name}" in context}


def _find_stored(s3: Any, given: Asked, bucket: str, key: str) -> Mapping[str, str] | None:
    """The headers that an object, or the version of it that is asked for, is kept with."""
    stored = s3._buckets.get(bucket, {}).get("objects", {}).get(key)
    if given.version:
        versions = s3._object_versions.get((bucket, key), [])
        stored = next((entry for entry in versions if entry["version_id"] == given.version), stored)
    return None if stored is None else dict(stored.get("preserved_headers", {}))


def _find_encrypting_key(s3: Any, bucket: str, headers: Mapping[str, str]) -> str:
    """The key of something with such headers; nothing where it has another kind of encryption, or S3's own key."""
    if not any(name in headers for name in _ENCRYPTION_HEADERS):
        return str(s3._bucket_default_sse_headers(bucket).get(_KEY_HEADER, ""))
    return headers.get(_KEY_HEADER, "")


def _find_place(resource: str) -> tuple[str, str, str] | None:
    """The bucket and the key of an object, and what is listed to find it: the bucket, or an access point."""
    if found := _OBJECT.fullmatch(resource):
        return found["bucket"], found["key"], f"arn:aws:s3:::{found['bucket']}"
    if found := _THROUGH_POINT.fullmatch(resource):
        s3: Any = importlib.import_module("ministack.services.s3")
        point = s3.resolve_access_point(found["name"], ACCOUNT, REGION)
        return (point["Bucket"], found["key"], found["point"]) if point else None
    return None


def _apply_encryption(provision: Provision, properties_at: int) -> Callable[..., tuple[str, Attributes]]:
    s3: Any = importlib.import_module("ministack.services.s3")

    def run(*arguments: Any) -> tuple[str, Attributes]:
        bucket, attributes = provision(*arguments)
        rules = arguments[properties_at].get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        if rules:
            s3._put_bucket_encryption(bucket, _write_encryption(rules[0]["ServerSideEncryptionByDefault"]).encode())
        else:
            s3._delete_bucket_encryption(bucket)
        return bucket, attributes

    return run


def _write_encryption(given: Mapping[str, str]) -> str:
    key = given.get("KMSMasterKeyID")
    written = f"<SSEAlgorithm>{escape(given['SSEAlgorithm'])}</SSEAlgorithm>"
    if key:
        written += f"<KMSMasterKeyID>{escape(str(key))}</KMSMasterKeyID>"
    default = f"<ApplyServerSideEncryptionByDefault>{written}</ApplyServerSideEncryptionByDefault>"
    return f"<ServerSideEncryptionConfiguration><Rule>{default}</Rule></ServerSideEncryptionConfiguration>"
