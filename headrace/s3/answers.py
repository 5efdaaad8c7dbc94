"""S3's refusals: its own code and message, and what to do about them, for every client of S3 here.

Container images carry this module: it needs the standard library only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from types import MappingProxyType
from typing import Any, Final

NO_SUCH_BUCKET: Final = "NoSuchBucket"
_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED: Final = frozenset({"412", "PreconditionFailed"})
_DENIED: Final = "AccessDenied"

_SIGN_IN: Final = "sign in again, then start again"
_CLOCK: Final = "correct the clock of this machine"
_BUSY: Final = "S3 is busy; run it again with fewer parallel requests"
_REGION: Final = "set AWS_DEFAULT_REGION, or the profile's region, to the bucket's Region"
_RESTORE: Final = "it is archived; restore it first (aws s3api restore-object), or leave it out"
_KMS: Final = "look at the key's state and policy in KMS"
_ACCOUNT: Final = "ask the owner of the AWS account"

# What to do where S3 refuses not one object but whatever is asked next.
_BLOCKING_STEPS: Final = {
    NO_SUCH_BUCKET: "check its name",
    "AccountProblem": _ACCOUNT,
    "AllAccessDisabled": _ACCOUNT,
    "AuthorizationHeaderMalformed": _REGION,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": "check AWS_PROFILE or AWS_ACCESS_KEY_ID, and where AWS_ENDPOINT_URL points",
    "InvalidBucketName": "check its name",
    "InvalidToken": _SIGN_IN,
    "NotSignedUp": _ACCOUNT,
    "PermanentRedirect": _REGION,
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "TemporaryRedirect": "the bucket is new; try again in a few minutes",
    "TokenRefreshRequired": _SIGN_IN,
}
_STEPS: Final = MappingProxyType(
    _BLOCKING_STEPS
    | {
        _DENIED: "the role needs s3:ListBucket on the bucket and s3:GetObject or s3:PutObject on the objects, and "
        "kms:Decrypt or kms:GenerateDataKey if they are encrypted with your own key",
        "InternalError": _BUSY,
        "InvalidObjectState": _RESTORE,
        "KMS.DisabledException": "enable the key in KMS",
        "KeyTooLongError": "give it a shorter name",
        "NoSuchUpload": "the upload was aborted, perhaps by a lifecycle rule; start again",
        "ObjectNotInActiveTierError": _RESTORE,
        "RequestTimeout": _BUSY,
        "ServiceUnavailable": _BUSY,
        "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY, or sign in again",
        "SlowDown": _BUSY,
        "500": _BUSY,
        "503": _BUSY,
    }
)
_NO_REASON: Final = "S3 gave no reason"
# obstore gives S3's answer within its message only.
_IN_TEXT: Final = re.compile(r"status code: (\d{3})([^:\n]*): (.*?)(?:\n\nDebug source:|\Z)", re.DOTALL)
_REDIRECT: Final = "Received redirect without LOCATION"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What S3 answered instead of doing what it was asked.

    Args:
        code: S3's word for the reason, or the status where it gave none.
        message: S3's sentence.
        region: Where the bucket is, if S3 says so.
    """

    code: str
    message: str
    region: str = ""

    @classmethod
    def of(cls, response: Mapping[str, Any]) -> "Refusal":
        """What AWS's own client was answered: its error's `response`."""
        told: Mapping[str, Any] = response["Error"]
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = told.get("Region") or headers.get("x-amz-bucket-region", "")
        return cls(told.get("Code", ""), told.get("Message", ""), region)

    @classmethod
    def find_in(cls, text: str) -> "Refusal | None":
        """What a client of obstore was answered; None if its message is about something else."""
        if _REDIRECT in text:
            return cls("PermanentRedirect", "the bucket is in a different Region from the one asked")
        found = _IN_TEXT.search(text)
        if not found:
            return None
        status, phrase, body = found.groups()
        return cls(_find_tag("Code", body) or status, _find_tag("Message", body) or phrase.strip())

    @property
    def is_missing(self) -> bool:
        """Whether there is no such object; a missing bucket is another matter."""
        return self.code in _MISSING

    @property
    def is_changed(self) -> bool:
        """Whether the object is no longer the one that was asked for."""
        return self.code in _CHANGED

    @property
    def is_denied(self) -> bool:
        """Whether a policy forbids it."""
        return self.code == _DENIED

    @property
    def is_blocking(self) -> bool:
        """Whether S3 would refuse whatever is asked next too: credentials, clock, Region, bucket."""
        return self.code in _BLOCKING_STEPS

    def __str__(self) -> str:
        """The code, the message and the next step.

        Example:
            >>> str(Refusal("NoSuchBucket", "The specified bucket does not exist"))
            'NoSuchBucket: The specified bucket does not exist; check its name'
        """
        return "; ".join(filter(None, (self.reason, self._find_step())))

    @property
    def reason(self) -> str:
        """The code and the message alone."""
        message = self.message.strip().rstrip(".")
        return f"{self.code}: {message or _NO_REASON}"

    def _find_step(self) -> str:
        if self.code.startswith("KMS."):
            return _STEPS.get(self.code, _KMS)
        step = _STEPS.get(self.code, "")
        return f"{step}, {self.region}" if step == _REGION and self.region else step


def _find_tag(name: str, body: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", body, re.DOTALL)
    return unescape(found[1]) if found else ""
