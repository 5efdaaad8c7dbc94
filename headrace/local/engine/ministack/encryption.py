"""The keys that buckets encrypt with: who reads or writes an object needs them, too.

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
from headrace.local.engine.resources import Attributes

BUCKET: Final = "AWS::S3::Bucket"
_OBJECT: Final = re.compile(r"arn:aws:s3:::(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)
_KEY_HEADER: Final = "x-amz-server-side-encryption-aws-kms-key-id"
_ACTIONS: Final[Mapping[str, str]] = {
    "s3:GetObject": "kms:Decrypt",
    "s3:GetObjectVersion": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
}


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


def find_key_need(action: str, resource: str) -> Need | None:
    """What reading or writing an object needs besides, where a key of the account encrypts it."""
    place = _OBJECT.fullmatch(resource)
    if action not in _ACTIONS or not place:
        return None
    s3: Any = importlib.import_module("ministack.services.s3")
    stored = s3._buckets.get(place["bucket"], {}).get("objects", {}).get(place["key"], {})
    of_object = stored.get("preserved_headers", {}) if action != "s3:PutObject" else {}
    key = of_object.get(_KEY_HEADER) or s3._bucket_default_sse_headers(place["bucket"]).get(_KEY_HEADER)
    is_missing = action != "s3:PutObject" and not stored
    if not key or is_missing or name_key(key) == name_key_of_s3(ACCOUNT, REGION):
        return None
    return Need(
        action=_ACTIONS[action], resource=name_key(key), context={"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    )


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
